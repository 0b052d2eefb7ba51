//! Unpacks compressed bodies, whole or as they go by.
//!
//! A limit holds for what comes out, so that a small body cannot become a large one. The copy of
//! an answer that cannot be unpacked is given up; the answer itself is never touched.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use zstd::stream::write::Decoder as ZstdDecoder;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Packing {
    /// Reads a `Content-Encoding`; `None` is one that is not known, or several at once.
    pub(crate) fn of(value: &str) -> Option<Self> {
        match value.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "deflate" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Something that takes unpacked bytes as they come.
pub(crate) trait Sink: Send {
    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn take(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts what comes out against a limit.
struct Limited<S> {
    sink: S,
    left: usize,
}

impl<S: Sink> Write for Limited<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.sink.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Unpacks bytes as they come.
pub(crate) struct Unpacker<S: Sink>(Form<S>);

enum Form<S: Sink> {
    Plain(Limited<S>),
    Gzip(Box<MultiGzDecoder<Limited<S>>>),
    Deflate(Box<ZlibDecoder<Limited<S>>>),
    Brotli(Box<DecompressorWriter<Limited<S>>>),
    Zstd(Box<ZstdDecoder<'static, Limited<S>>>),
}

/// The buffer brotli works with.
const BROTLI_BUFFER: usize = 4 << 10;

impl<S: Sink> Unpacker<S> {
    pub(crate) fn new(packing: Packing, sink: S, limit: usize) -> io::Result<Self> {
        let limited = Limited { sink, left: limit };
        Ok(Self(match packing {
            Packing::Plain => Form::Plain(limited),
            Packing::Gzip => Form::Gzip(Box::new(MultiGzDecoder::new(limited))),
            Packing::Deflate => Form::Deflate(Box::new(ZlibDecoder::new(limited))),
            Packing::Brotli => {
                Form::Brotli(Box::new(DecompressorWriter::new(limited, BROTLI_BUFFER)))
            }
            Packing::Zstd => Form::Zstd(Box::new(ZstdDecoder::new(limited)?)),
        }))
    }

    /// Unpacks the next bytes and hands on all that can be known so far.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Form::Plain(limited) => limited.write_all(bytes),
            Form::Gzip(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Form::Deflate(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Form::Brotli(decoder) => decoder.write_all(bytes),
            Form::Zstd(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
        }
    }

    /// Where the unpacked bytes go.
    pub(crate) fn sink(&mut self) -> &mut S {
        let limited = match &mut self.0 {
            Form::Plain(limited) => limited,
            Form::Gzip(decoder) => decoder.get_mut(),
            Form::Deflate(decoder) => decoder.get_mut(),
            Form::Brotli(decoder) => decoder.get_mut(),
            Form::Zstd(decoder) => decoder.get_mut(),
        };
        &mut limited.sink
    }

    /// Ends the packed bytes and gives the sink back; an error is an end that came too soon.
    pub(crate) fn finish(self) -> io::Result<S> {
        let limited = match self.0 {
            Form::Plain(limited) => limited,
            Form::Gzip(decoder) => decoder.finish()?,
            Form::Deflate(decoder) => decoder.finish()?,
            Form::Brotli(decoder) => decoder
                .into_inner()
                .map_err(|_unfinished| io::Error::from(io::ErrorKind::UnexpectedEof))?,
            Form::Zstd(mut decoder) => {
                decoder.flush()?;
                decoder.into_inner()
            }
        };
        Ok(limited.sink)
    }
}

/// Unpacks a whole body.
pub(crate) fn unpack(packing: Packing, packed: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    let mut unpacker = Unpacker::new(packing, Vec::new(), limit)?;
    unpacker.push(packed)?;
    unpacker.finish()
}
