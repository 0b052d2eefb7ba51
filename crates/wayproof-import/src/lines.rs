//! A file cut into lines, of which only one is held at a time.

use std::io::{self, Read};

use memchr::memchr;

/// The longest line that is looked at; logs hold whole files in one line, but not more than this.
pub(crate) const MAX_LINE: usize = 64 * 1024 * 1024;

/// Bytes read at once.
const CHUNK: usize = 1024 * 1024;

/// A line of a file.
#[derive(Debug)]
pub(crate) enum Line<'a> {
    /// Its text, without its end.
    Whole(&'a [u8]),
    /// It is longer than any line should be.
    TooLong,
}

/// Reads lines. The last one counts only with its end: an agent may be writing it.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where unread bytes begin in the buffer.
    start: usize,
    /// Before this place of the buffer there is no end of a line.
    searched: usize,
    /// Where `start` is in the file.
    offset: u64,
    /// Whether what was dropped belongs to a line that goes on.
    is_skipping: bool,
}

impl<R: Read> Lines<R> {
    /// Reads on from this place of the file, where the input stands.
    pub(crate) fn new(input: R, offset: u64) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            offset,
            is_skipping: false,
        }
    }

    /// Where the next line begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next line; none at the end of the file or of its last whole line.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            let unread = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = memchr(b'\n', unread) {
                let (begin, end) = (self.start, self.searched + at);
                self.offset += (end + 1 - begin) as u64;
                self.start = end + 1;
                self.searched = end + 1;
                if std::mem::take(&mut self.is_skipping) {
                    return Ok(Some(Line::TooLong));
                }
                let line = self.buffer.get(begin..end).unwrap_or_default();
                return Ok(Some(Line::Whole(line.strip_suffix(b"\r").unwrap_or(line))));
            }
            self.searched = self.buffer.len();
            if self.searched - self.start > MAX_LINE {
                self.is_skipping = true;
                self.offset += (self.searched - self.start) as u64;
                self.start = self.searched;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Makes room and reads more; `false` at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        let there = self.buffer.len();
        self.buffer.resize(there + CHUNK, 0);
        let room = self.buffer.get_mut(there..).unwrap_or_default();
        let read = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(there + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let mut lines = Lines::new(text, 7);
        let mut found = Vec::new();
        while let Ok(Some(Line::Whole(line))) = lines.next() {
            found.push(line.to_vec());
        }
        (found, lines.offset())
    }

    #[test]
    fn the_last_line_counts_only_with_its_end() {
        let (lines, offset) = all(b"one\r\n\ntwo\nthr");
        assert_eq!(lines, [b"one".as_slice(), b"", b"two"]);
        assert_eq!(offset, 7 + 10);
    }

    #[test]
    fn a_line_without_end_is_passed_over_in_bounded_memory() {
        let text = [vec![b'x'; MAX_LINE + CHUNK * 2], b"\nnext\n".to_vec()].concat();
        let mut lines = Lines::new(text.as_slice(), 0);
        assert!(matches!(lines.next(), Ok(Some(Line::TooLong))));
        assert!(matches!(lines.next(), Ok(Some(Line::Whole(b"next")))));
        assert_eq!(lines.offset(), text.len() as u64);
        assert!(lines.buffer.capacity() <= 3 * MAX_LINE);
    }

    proptest! {
        #[test]
        fn lines_are_what_lies_between_their_ends(text in proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200)) {
            let (lines, offset) = all(&text);
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            prop_assert_eq!(offset, 7 + whole as u64);
            let expected: Vec<Vec<u8>> = text[..whole].split_inclusive(|byte| *byte == b'\n')
                .map(|line| { let line = &line[..line.len() - 1]; line.strip_suffix(b"\r").unwrap_or(line).to_vec() })
                .collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
