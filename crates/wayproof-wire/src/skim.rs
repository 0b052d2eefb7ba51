//! Walks over JSON text without building anything: structure is checked, strings are jumped over.
//!
//! It refuses to look inside strings. A bad escape or a control character there is left for the provider to judge,
//! because the bytes are forwarded as they came; brackets, commas, colons, literals, numbers and nesting are checked.

use wide::u8x16;

/// How deep arrays and objects may nest, the outermost object included.
pub const NESTING_LIMIT: u32 = 128;

/// A range of bytes in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes of this span; empty when the body is shorter than the one the span was made for.
    pub fn of(self, body: &[u8]) -> &[u8] {
        body.get(self.start..self.end).unwrap_or_default()
    }
}

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a valid JSON object: {reason} at byte {offset}")]
pub struct Malformed {
    /// Where reading stopped.
    pub offset: usize,
    /// What was wrong there.
    pub reason: &'static str,
}

/// A position in JSON text that moves over whole tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Skim<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Skim<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    pub(crate) const fn pos(&self) -> usize {
        self.pos
    }

    pub(crate) const fn fail<T>(&self, reason: &'static str) -> Result<T, Malformed> {
        Err(Malformed {
            offset: self.pos,
            reason,
        })
    }

    /// The next byte that is not white space, not yet taken.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            // Agents write compact JSON, so nearly always this is the only comparison.
            if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.pos += 1;
        }
    }

    /// Takes `byte` if it is what comes next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.next() == Some(byte);
        self.pos += usize::from(is_next);
        is_next
    }

    /// Takes a key and its colon; the span has the quotes.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Span, Malformed> {
        if self.next() != Some(b'"') {
            return self.fail("expected a key in quotes");
        }
        let span = self.string()?;
        if self.take(b':') {
            Ok(span)
        } else {
            self.fail("expected `:` after a key")
        }
    }

    /// Takes the string whose opening quote is next; the span has the quotes.
    #[inline]
    fn string(&mut self) -> Result<Span, Malformed> {
        let start = self.pos;
        let Some(quote) = string_end(self.bytes, start + 1) else {
            return self.fail("a string without an end");
        };
        self.pos = quote + 1;
        Ok(Span {
            start,
            end: self.pos,
        })
    }

    /// Takes one value that lies inside `outer` arrays and objects.
    #[inline]
    pub(crate) fn value(&mut self, outer: u32) -> Result<Span, Malformed> {
        let first = self.next();
        let start = self.pos;
        match first {
            Some(b'"') => return self.string(),
            Some(b'{' | b'[') => self.container(outer)?,
            _ => self.scalar(first)?,
        }
        Ok(Span {
            start,
            end: self.pos,
        })
    }

    /// Takes a value with everything inside it. `kinds` has one bit a level, 1 for an object.
    fn container(&mut self, outer: u32) -> Result<(), Malformed> {
        let mut kinds = 0_u128;
        let mut depth = 0_u32;
        loop {
            match self.next() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(open @ (b'{' | b'[')) => {
                    if outer + depth >= NESTING_LIMIT {
                        return self.fail("arrays and objects nest too deeply");
                    }
                    let is_object = open == b'{';
                    self.pos += 1;
                    depth += 1;
                    kinds = (kinds << 1) | u128::from(is_object);
                    if self.next() != Some(if is_object { b'}' } else { b']' }) {
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                scalar => self.scalar(scalar)?,
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let is_object = kinds & 1 == 1;
                match self.next() {
                    Some(b',') => {
                        self.pos += 1;
                        if is_object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if is_object => self.pos += 1,
                    Some(b']') if !is_object => self.pos += 1,
                    _ if is_object => return self.fail("expected `,` or `}` in an object"),
                    _ => return self.fail("expected `,` or `]` in an array"),
                }
                depth -= 1;
                kinds >>= 1;
            }
        }
    }

    fn scalar(&mut self, first: Option<u8>) -> Result<(), Malformed> {
        match first {
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.fail("expected a value"),
            None => self.fail("the text ends where a value should be"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if self
            .bytes
            .get(self.pos..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.pos += word.len();
            Ok(())
        } else {
            self.fail("expected a value")
        }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.pos += usize::from(self.byte() == Some(b'-'));
        if self.byte() == Some(b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.pos += 1;
            self.pos += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.pos;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.pos += 1;
        }
        if self.pos == start {
            return self.fail("expected a digit");
        }
        Ok(())
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }
}

/// The position of the quote that ends a string whose text starts at `from`.
#[inline]
fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // Most strings are short and plain.
    for _ in 0..2 {
        let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) else {
            break;
        };
        let (quotes, slashes) = find_both(block);
        if slashes != 0 {
            break;
        }
        if quotes != 0 {
            return Some(at + quotes.trailing_zeros() as usize);
        }
        at += 16;
    }
    long_string_end(bytes, at)
}

/// As [`string_end`], 64 bytes at a time. Escaped quotes are masked out without a branch on each of them: code and
/// JSON inside strings are full of them.
fn long_string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut carry = 0;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<64>()) {
        let (mut quotes, mut slashes) = (0, 0);
        for (index, part) in block.as_chunks().0.iter().enumerate() {
            let (part_quotes, part_slashes) = find_both(part);
            quotes |= part_quotes << (16 * index);
            slashes |= part_slashes << (16 * index);
        }
        let ends = quotes & !escaped(slashes, &mut carry);
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize);
        }
        at += 64;
    }
    let mut is_escaped = carry != 0;
    for (offset, byte) in bytes.get(at..)?.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + offset),
            _ => {}
        }
    }
    None
}

/// One bit for every quote and one for every backslash, the first byte lowest.
#[inline]
fn find_both(block: &[u8; 16]) -> (u64, u64) {
    let block = u8x16::new(*block);
    let find = |byte| u64::from(block.simd_eq(u8x16::splat(byte)).to_bitmask());
    (find(b'"'), find(b'\\'))
}

/// The bytes that an escape applies to: each that follows an odd run of backslashes. `carry` is 1 when the block
/// before ended in such a run.
#[inline]
fn escaped(slashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    if slashes == 0 {
        return std::mem::take(carry);
    }
    let slashes = slashes & !*carry;
    let follows = (slashes << 1) | *carry;
    let odd_starts = slashes & !EVEN & !follows;
    let (sequences, overflow) = odd_starts.overflowing_add(slashes);
    *carry = u64::from(overflow);
    (EVEN ^ (sequences << 1)) & follows
}
