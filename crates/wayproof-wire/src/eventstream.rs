//! The binary frames in which Amazon's services stream: `application/vnd.amazon.eventstream`.
//!
//! Every frame has two checksums and says how long it is. Nothing of a frame is believed before its prelude's checksum
//! holds, nothing is handed out before that of the whole does, and a stream that is wrong once is over: what follows a
//! bad frame cannot be found again.

/// Largest frame that is taken, in bytes; the services' own limit for a payload is 16 MiB.
const FRAME_LIMIT: usize = 17 * 1024 * 1024;
/// Two lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum behind the payload.
const TAIL: usize = 4;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// The headers that are text, in order; others are read over.
    pub headers: Vec<(String, String)>,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl EventMessage {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// Why a stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventStreamError {
    /// A checksum does not hold.
    #[error("a frame of the event stream is damaged")]
    Checksum,
    /// The lengths in a frame contradict each other, or it is too long.
    #[error("a frame of the event stream has impossible lengths")]
    Length,
    /// The headers are none.
    #[error("a frame of the event stream has headers that cannot be read")]
    Headers,
    /// The stream ended inside of a frame.
    #[error("the event stream ended inside of a frame")]
    Cut,
}

/// Takes bytes as they come and gives frames.
#[derive(Clone, Debug, Default)]
pub struct EventStreamDecoder {
    held: Vec<u8>,
    /// How much of what is held has been given out.
    given: usize,
    error: Option<EventStreamError>,
}

impl EventStreamDecoder {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.error.is_some() {
            return;
        }
        if self.given > 0 {
            self.held.drain(..self.given);
            self.given = 0;
        }
        self.held.extend_from_slice(bytes);
    }

    /// The next whole frame; `None` until there is one.
    ///
    /// # Errors
    /// When the stream is none. It stays so.
    pub fn next_message(&mut self) -> Result<Option<EventMessage>, EventStreamError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let rest = self.held.get(self.given..).unwrap_or_default();
        let read = take(rest);
        match read {
            Ok(Some((message, length))) => {
                self.given += length;
                Ok(Some(message))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                self.error = Some(error);
                self.held = Vec::new();
                self.given = 0;
                Err(error)
            }
        }
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    /// When it is wrong, or a frame is not whole.
    pub fn finish(&self) -> Result<(), EventStreamError> {
        match self.error {
            Some(error) => Err(error),
            None if self.given < self.held.len() => Err(EventStreamError::Cut),
            None => Ok(()),
        }
    }
}

/// Writes a frame, as a service does: for fakes and tests.
pub fn event_message(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        // What does not fit is no header that a service sends.
        let (Ok(short), Ok(long)) = (u8::try_from(name.len()), u16::try_from(value.len())) else {
            continue;
        };
        written.push(short);
        written.extend_from_slice(name.as_bytes());
        written.push(TEXT);
        written.extend_from_slice(&long.to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    let head = u32::try_from(written.len()).unwrap_or(u32::MAX);
    let whole = PRELUDE + written.len() + payload.len() + TAIL;
    let whole = u32::try_from(whole).unwrap_or(u32::MAX);
    let mut frame = Vec::with_capacity(whole as usize);
    frame.extend_from_slice(&whole.to_be_bytes());
    frame.extend_from_slice(&head.to_be_bytes());
    let checksum = crc32fast::hash(&frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
    frame.extend_from_slice(&written);
    frame.extend_from_slice(payload);
    let checksum = crc32fast::hash(&frame);
    frame.extend_from_slice(&checksum.to_be_bytes());
    frame
}

const TEXT: u8 = 7;

/// Reads the frame that bytes begin with, and how long it is; `None` while it is not whole.
fn take(bytes: &[u8]) -> Result<Option<(EventMessage, usize)>, EventStreamError> {
    let Some(prelude) = bytes.get(..PRELUDE) else {
        return Ok(None);
    };
    let (lengths, checksum) = prelude.split_at(8);
    if number(checksum) != Some(crc32fast::hash(lengths)) {
        return Err(EventStreamError::Checksum);
    }
    let (whole, head) = lengths.split_at(4);
    let sizes = number(whole).zip(number(head));
    let (whole, head) = sizes
        .map(|(whole, head)| (whole as usize, head as usize))
        .ok_or(EventStreamError::Length)?;
    let least = head.saturating_add(PRELUDE + TAIL);
    if whole > FRAME_LIMIT || whole < least {
        return Err(EventStreamError::Length);
    }
    let Some(frame) = bytes.get(..whole) else {
        return Ok(None);
    };
    let (checked, checksum) = frame.split_at(whole - TAIL);
    if number(checksum) != Some(crc32fast::hash(checked)) {
        return Err(EventStreamError::Checksum);
    }
    let (head, payload) = checked
        .get(PRELUDE..)
        .unwrap_or_default()
        .split_at_checked(head)
        .ok_or(EventStreamError::Length)?;
    let message = EventMessage {
        headers: headers(head).ok_or(EventStreamError::Headers)?,
        payload: payload.to_vec(),
    };
    Ok(Some((message, whole)))
}

fn headers(mut bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let (kind, rest) = rest.split_first()?;
        let (value, rest) = match *kind {
            0 | 1 => rest.split_at_checked(0)?,
            2 => rest.split_at_checked(1)?,
            3 => rest.split_at_checked(2)?,
            4 => rest.split_at_checked(4)?,
            5 | 8 => rest.split_at_checked(8)?,
            9 => rest.split_at_checked(16)?,
            6 | TEXT => {
                let (length, rest) = rest.split_at_checked(2)?;
                let length = length.try_into().map(u16::from_be_bytes).ok()?;
                rest.split_at_checked(usize::from(length))?
            }
            _ => return None,
        };
        if *kind == TEXT {
            let name = std::str::from_utf8(name).ok()?;
            let value = std::str::from_utf8(value).ok()?;
            found.push((name.to_owned(), value.to_owned()));
        }
        bytes = rest;
    }
    Some(found)
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().map(u32::from_be_bytes).ok()
}
