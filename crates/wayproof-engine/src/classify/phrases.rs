//! A table of phrases of one or two words, found by hash: nearly every word of an ask is in no table,
//! and one look must be enough to know that.

/// A word with its hash, so that it is hashed once for every table it is looked up in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'t> {
    text: &'t str,
    hash: u64,
}

impl Word<'static> {
    /// What stands before the first word.
    pub(crate) const NONE: Self = Self { text: "", hash: 0 };
}

impl<'t> Word<'t> {
    /// The word itself.
    pub(crate) fn text(self) -> &'t str {
        self.text
    }

    /// Hashes a word (FNV-1a).
    pub(crate) fn new(text: &'t str) -> Self {
        const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0100_0000_01b3;
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        let hash = text.bytes().fold(OFFSET, step);
        Self { text, hash }
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct Phrases<V> {
    /// The phrases; the first word of a single one is empty.
    entries: Vec<([&'static str; 2], V)>,
    /// Numbers of entries plus one, by hash, at least four slots an entry; zero is an empty slot.
    slots: Vec<u16>,
}

impl<V: Copy> Phrases<V> {
    /// Makes the table. Of equal phrases the first is found.
    pub(crate) fn of(entries: impl IntoIterator<Item = ([&'static str; 2], V)>) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        let mut slots = vec![0_u16; (entries.len() * 4).next_power_of_two()];
        for (number, ([first, second], _)) in (1..).zip(&entries) {
            let first = if first.is_empty() {
                Word::NONE
            } else {
                Word::new(first)
            };
            let mut at = place(first, Word::new(second), slots.len());
            while slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) % slots.len();
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = number;
            }
        }
        Self { entries, slots }
    }

    /// The number of a phrase and its value.
    pub(crate) fn find(&self, first: Word<'_>, second: Word<'_>) -> Option<(usize, V)> {
        let mut at = place(first, second, self.slots.len());
        loop {
            let number = usize::from(*self.slots.get(at)?).checked_sub(1)?;
            let (phrase, value) = self.entries.get(number)?;
            if *phrase == [first.text, second.text] {
                return Some((number, *value));
            }
            at = (at + 1) % self.slots.len();
        }
    }

    /// How many phrases there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The slot where the search for a phrase begins; the number of slots is a power of two.
fn place(first: Word<'_>, second: Word<'_>, slots: usize) -> usize {
    let hash = first.hash.rotate_left(21) ^ second.hash;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only the lowest bits of the mixed hash are wanted"
    )]
    let mixed = (hash ^ (hash >> 32)) as usize;
    mixed & (slots - 1)
}

#[cfg(test)]
mod tests {
    use super::{Phrases, Word};

    #[test]
    fn words_and_pairs_are_found_and_nothing_else() {
        let table = Phrases::of([(["", "bug"], 1), (["unit", "tests"], 2), (["", "tests"], 3)]);
        let find = |first: &str, second: &str| {
            let first = if first.is_empty() {
                Word::NONE
            } else {
                Word::new(first)
            };
            table.find(first, Word::new(second))
        };
        assert_eq!(find("", "bug"), Some((0, 1)));
        assert_eq!(find("unit", "tests"), Some((1, 2)));
        assert_eq!(find("", "tests"), Some((2, 3)));
        assert_eq!(find("unit", "bug"), None);
        assert_eq!(find("", ""), None);
        assert_eq!(table.len(), 3);
    }
}
