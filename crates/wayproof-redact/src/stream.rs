//! A text that comes in pieces: what is written out does not depend on where the pieces end.
//!
//! Lines are held until they end, because a secret may go on in the next piece. A line that is longer than anybody
//! writes is cut at a place that depends on its bytes alone.

use crate::line::State;
use crate::text::piece;

/// The most bytes that are held: a longer line is looked at in parts.
pub const LONGEST_LINE: usize = 1 << 20;

/// Where a part may end at the earliest before the longest line's end; secrets are shorter.
const MARGIN: usize = 16 << 10;

/// Redacts a text piece by piece.
#[derive(Debug, Default)]
pub struct Stream {
    held: Vec<u8>,
    state: State,
    is_changed: bool,
}

impl Stream {
    /// Before the first piece.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a piece, and writes what is sure by now.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = LONGEST_LINE.saturating_sub(self.held.len()).min(rest.len());
            let window = piece(rest, 0..room);
            let taken = match window.iter().position(|byte| *byte == b'\n') {
                Some(end) => end + 1,
                None => room,
            };
            self.held.extend_from_slice(piece(rest, 0..taken));
            rest = piece(rest, taken..rest.len());
            if self.held.ends_with(b"\n") {
                let line = std::mem::take(&mut self.held);
                self.is_changed |= self.state.line(&line, out);
            } else if self.held.len() >= LONGEST_LINE {
                self.cut(out);
            }
        }
    }

    /// Writes what was held, and says whether anything was replaced.
    pub fn finish(mut self, out: &mut Vec<u8>) -> bool {
        if !self.held.is_empty() {
            let line = std::mem::take(&mut self.held);
            self.is_changed |= self.state.line(&line, out);
        }
        self.is_changed
    }

    /// Lets go of the first part of a line that is too long.
    fn cut(&mut self, out: &mut Vec<u8>) {
        let latest = LONGEST_LINE - MARGIN;
        let at = piece(&self.held, 0..latest)
            .iter()
            .rposition(|byte| matches!(byte, b' ' | b'\t' | b',' | b'"'))
            .map_or(latest, |at| at + 1);
        // A character is not cut in two.
        let at = (at..self.held.len())
            .find(|at| self.held.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80))
            .unwrap_or(self.held.len());
        let rest = self.held.split_off(at);
        let part = std::mem::replace(&mut self.held, rest);
        self.is_changed |= self.state.line(&part, out);
    }
}
