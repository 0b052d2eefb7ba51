//! Tells when arguments that arrive in fragments are a whole JSON value.

use crate::translate::text::Text;

/// Counts brackets in the text of a string that holds JSON. A fragment is a string of its own, so that no escape of
/// the outer string is ever cut in two.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Balance {
    depth: u32,
    is_in_string: bool,
    is_escaped: bool,
    is_whole: bool,
}

impl Balance {
    /// Whether an object or array has begun and ended.
    pub(crate) const fn is_whole(self) -> bool {
        self.is_whole
    }

    pub(crate) fn push(&mut self, fragment: &Text<'_>) {
        let mut bytes = fragment.bytes().iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' => match bytes.next() {
                    Some(b'"') => self.inner(b'"'),
                    Some(b'\\') => self.inner(b'\\'),
                    // A control character, or four digits that are none of those that count.
                    _ => self.inner(b' '),
                },
                other => self.inner(*other),
            }
        }
    }

    fn inner(&mut self, byte: u8) {
        if std::mem::take(&mut self.is_escaped) {
            return;
        }
        match byte {
            b'"' => self.is_in_string = !self.is_in_string,
            b'\\' => self.is_escaped = self.is_in_string,
            _ if self.is_in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.is_whole |= self.depth == 0;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Balance;
    use crate::translate::text::Text;

    #[test]
    fn knows_a_whole_object_whatever_its_strings_hold() {
        let arguments = r#"{"a":"}\"\\","b":[{"c":"]"}]}"#;
        let mut balance = Balance::default();
        for (at, character) in arguments.char_indices() {
            assert!(!balance.is_whole(), "not whole before {at}");
            balance.push(&Text::plain(&character.to_string()));
        }
        assert!(balance.is_whole());
    }
}
