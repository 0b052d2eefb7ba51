//! The receipt as a file: JSON Lines of envelopes, whose order means nothing.
//! Refuses files that are too large and lines that are broken; passes over lines of another kind.

use serde_json::Value;
use thiserror::Error;

use crate::{
    digest::sha256_hex,
    envelope::{Envelope, EnvelopeError, MAX_LINE_BYTES},
};

/// A larger file is not a receipt.
const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;
/// A receipt with more lines is not one that anybody wrote.
const MAX_LINES: usize = 256;

/// Why a file is not a receipt.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The file is too large.
    #[error("the receipt has {0} bytes; at most {MAX_BUNDLE_BYTES} are read")]
    TooLarge(usize),
    /// There are too many lines.
    #[error("the receipt has more than {MAX_LINES} lines")]
    TooManyLines,
    /// The file is not text.
    #[error("the receipt is not UTF-8 text")]
    NotText,
    /// There is no attestation in it.
    #[error("the receipt has no attestations")]
    Empty,
    /// A line is not JSON.
    #[error("line {line} is not JSON")]
    NotJson {
        /// The line.
        line: usize,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A line is an envelope that cannot be read.
    #[error("line {line} is a broken envelope")]
    Envelope {
        /// The line.
        line: usize,
        /// What is wrong with it.
        source: EnvelopeError,
    },
}

/// One envelope and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its line, counted from one.
    pub number: usize,
    /// SHA-256 of the stored line, in hexadecimal.
    pub digest: String,
    /// The envelope.
    pub envelope: Envelope,
}

/// A line of another kind, which is not read and counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadLine {
    /// Its line, counted from one.
    pub number: usize,
    /// SHA-256 of the stored line, in hexadecimal.
    pub digest: String,
}

/// A receipt's lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bundle {
    lines: Vec<Line>,
    unread: Vec<UnreadLine>,
}

impl Bundle {
    /// Makes a receipt of envelopes; repeated ones are kept once.
    pub fn new(envelopes: impl IntoIterator<Item = Envelope>) -> Self {
        let mut bundle = Self::default();
        for envelope in envelopes {
            bundle.push(envelope);
        }
        bundle
    }

    /// Adds an envelope unless it is there already.
    pub fn push(&mut self, envelope: Envelope) {
        let number = self.lines.len() + self.unread.len() + 1;
        self.insert(number, envelope);
    }

    fn insert(&mut self, number: usize, envelope: Envelope) {
        let digest = envelope.digest();
        if self.lines.iter().all(|line| line.digest != digest) {
            self.lines.push(Line {
                number,
                digest,
                envelope,
            });
        }
    }

    /// Reads a receipt. Empty lines mean nothing and a repeated line counts once.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(BundleError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BundleError::NotText)?;
        let mut bundle = Self::default();
        let mut read = 0;
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            read += 1;
            if read > MAX_LINES {
                return Err(BundleError::TooManyLines);
            }
            bundle.read_line(index + 1, line)?;
        }
        if bundle.lines.is_empty() {
            Err(BundleError::Empty)
        } else {
            Ok(bundle)
        }
    }

    fn read_line(&mut self, number: usize, line: &str) -> Result<(), BundleError> {
        if line.len() > MAX_LINE_BYTES {
            let source = EnvelopeError::TooLarge(line.len());
            return Err(BundleError::Envelope {
                line: number,
                source,
            });
        }
        match Envelope::parse(line) {
            Ok(envelope) => self.insert(number, envelope),
            Err(source) if looks_like_envelope(number, line)? => {
                return Err(BundleError::Envelope {
                    line: number,
                    source,
                });
            }
            // The bundle format asks readers to pass over lines they do not know.
            Err(_) => self.unread.push(UnreadLine {
                number,
                digest: sha256_hex(line.as_bytes()),
            }),
        }
        Ok(())
    }

    /// The envelopes, in the order they were met.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Lines of another kind.
    pub fn unread(&self) -> &[UnreadLine] {
        &self.unread
    }

    /// The envelopes alone.
    pub fn envelopes(&self) -> impl Iterator<Item = &Envelope> {
        self.lines.iter().map(|line| &line.envelope)
    }

    /// The receipt as JSON Lines.
    pub fn to_jsonl(&self) -> String {
        self.envelopes().fold(String::new(), |text, envelope| {
            text + envelope.to_line() + "\n"
        })
    }
}

/// Whether a line has any of an envelope's fields: such a line is a damaged envelope, not a
/// foreign one. A line that is not JSON at all is damage as well.
fn looks_like_envelope(number: usize, line: &str) -> Result<bool, BundleError> {
    let value: Value = serde_json::from_str(line).map_err(|source| BundleError::NotJson {
        line: number,
        source,
    })?;
    Ok(["payload", "payloadType", "signatures"]
        .iter()
        .any(|name| value.get(name).is_some()))
}
