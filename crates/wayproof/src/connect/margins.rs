//! What surrounds a text without belonging to what it says: a mark of its encoding at the start, and how lines end.
//!
//! Editors of formats see neither, so both come back as they were.

/// What was taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Margins {
    has_mark: bool,
    has_returns: bool,
}

const MARK: char = '\u{feff}';

impl Margins {
    /// The text inside, with lines that end as ours do. Where lines end both ways they are left alone.
    pub(super) fn off(text: &str) -> (Self, String) {
        let inner = text.strip_prefix(MARK);
        let margins = Self {
            has_mark: inner.is_some(),
            has_returns: {
                let ends = text.matches('\n').count();
                ends > 0 && ends == text.matches("\r\n").count()
            },
        };
        let inner = inner.unwrap_or(text);
        let inner = if margins.has_returns {
            inner.replace("\r\n", "\n")
        } else {
            inner.to_owned()
        };
        (margins, inner)
    }

    /// The text with its margins again.
    pub(super) fn on(self, text: &str) -> String {
        let text = if self.has_returns {
            text.replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        if self.has_mark {
            format!("{MARK}{text}")
        } else {
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Margins;

    #[test]
    fn margins_come_back() {
        for text in [
            "",
            "a\n",
            "a\r\nb\r\n",
            "a\r\nb\n",
            "\u{feff}{}\r\n",
            "\u{feff}",
        ] {
            let (margins, inner) = Margins::off(text);
            assert_eq!(margins.on(&inner), text);
        }
    }
}
