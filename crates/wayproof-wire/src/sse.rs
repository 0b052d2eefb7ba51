//! A push decoder for server-sent events: bytes in, frames out, boundaries independent of how the bytes were cut.
//!
//! It keeps no more than one unfinished frame. It refuses to own or change the stream: it is shown a copy of what goes
//! by, and a frame above the limit is dropped here without harm to the stream itself.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// Largest frame that is kept, in bytes.
pub const FRAME_LIMIT: usize = 16 * 1024 * 1024;

/// One event: the lines between two blank lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SseFrame<'a> {
    /// The lines as they came, the line end of the last one included.
    pub raw: &'a [u8],
}

impl<'a> SseFrame<'a> {
    /// The event's name; empty when it has none.
    pub fn event(&self) -> &'a [u8] {
        let named = self.lines().filter(|(field, _)| *field == b"event");
        named.last().map_or(&[], |(_, value)| value)
    }

    /// The data, lines joined; `None` when the frame has no data, such as a comment.
    pub fn data(&self) -> Option<Cow<'a, [u8]>> {
        let mut lines = self.lines().filter(|(field, _)| *field == b"data");
        let (_, first) = lines.next()?;
        let mut data = Cow::Borrowed(first);
        for (_, line) in lines {
            let joined = data.to_mut();
            joined.push(b'\n');
            joined.extend_from_slice(line);
        }
        Some(data)
    }

    /// The fields with their values; comments have an empty field name.
    fn lines(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        Lines { rest: self.raw }.map(|line| match memchr(b':', line) {
            None => (line, &[][..]),
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
        })
    }
}

/// Lines that end with LF, CR or both.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr2(b'\n', b'\r', self.rest).unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = match rest {
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
            [] => rest,
        };
        Some(line)
    }
}

/// Cuts a stream of bytes into frames.
#[derive(Clone, Debug)]
pub struct SseDecoder {
    limit: usize,
    /// The unfinished frame, as far as it arrived with earlier pushes.
    buffer: Vec<u8>,
    /// Whether the unfinished line has any byte yet.
    is_mid_line: bool,
    /// The last byte was a CR, so an LF that comes next belongs to it.
    is_after_cr: bool,
    /// The unfinished frame is above the limit and is dropped.
    is_dropping: bool,
    is_started: bool,
    dropped: usize,
}

impl Default for SseDecoder {
    fn default() -> Self {
        Self::with_limit(FRAME_LIMIT)
    }
}

impl SseDecoder {
    /// A decoder that drops frames above `limit` bytes.
    pub const fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            buffer: Vec::new(),
            is_mid_line: false,
            is_after_cr: false,
            is_dropping: false,
            is_started: false,
            dropped: 0,
        }
    }

    /// How many frames were above the limit, one that has not ended yet included.
    pub const fn dropped(&self) -> usize {
        self.dropped + self.is_dropping as usize
    }

    /// Whether bytes of an unfinished frame are waiting.
    pub const fn has_rest(&self) -> bool {
        self.is_dropping || !self.buffer.is_empty()
    }

    /// Takes the next bytes and hands every frame that they finish to `sink`.
    pub fn push(&mut self, chunk: &[u8], mut sink: impl FnMut(SseFrame<'_>)) {
        let mut start = 0;
        let mut at = 0;
        if self.is_after_cr && !chunk.is_empty() {
            self.is_after_cr = false;
            if chunk.first() == Some(&b'\n') {
                at = 1;
                // The LF closes a line of the waiting frame, or the blank line before it.
                start = usize::from(!self.has_rest());
            }
        }
        while let Some(found) = chunk.get(at..).and_then(|rest| memchr2(b'\n', b'\r', rest)) {
            let end = at + found;
            let is_blank = found == 0 && !self.is_mid_line;
            self.is_mid_line = false;
            at = end + 1;
            if chunk.get(end) == Some(&b'\r') {
                match chunk.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => self.is_after_cr = true,
                }
            }
            if is_blank {
                self.finish(chunk.get(start..end).unwrap_or_default(), &mut sink);
                start = at;
            }
        }
        let rest = chunk.get(start..).unwrap_or_default();
        self.is_mid_line |= chunk.len() > at;
        if self.buffer.len() + rest.len() > self.limit {
            self.is_dropping = true;
            self.buffer = Vec::new();
        } else if !self.is_dropping {
            self.buffer.extend_from_slice(rest);
        }
    }

    /// Ends the frame that has `tail` as its last bytes.
    fn finish(&mut self, tail: &[u8], sink: &mut impl FnMut(SseFrame<'_>)) {
        if self.is_dropping || self.buffer.len() + tail.len() > self.limit {
            self.is_dropping = false;
            self.buffer = Vec::new();
            self.dropped += 1;
            return;
        }
        if self.buffer.is_empty() {
            self.emit(tail, sink);
            return;
        }
        let mut frame = std::mem::take(&mut self.buffer);
        frame.extend_from_slice(tail);
        self.emit(&frame, sink);
        // The allocation serves the next frame.
        frame.clear();
        self.buffer = frame;
    }

    fn emit(&mut self, frame: &[u8], sink: &mut impl FnMut(SseFrame<'_>)) {
        let is_first = !std::mem::replace(&mut self.is_started, true);
        let raw = match frame.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if is_first => rest,
            _ => frame,
        };
        if !raw.is_empty() {
            sink(SseFrame { raw });
        }
    }
}
