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

    /// Hashes a word by its first and its last eight bytes and its length, which tell the words of a table apart. The
    /// hash of nothing is nought.
    #[inline]
    pub(crate) fn new(text: &'t str) -> Self {
        const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
        let bytes = text.as_bytes();
        let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => {
                u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32)
            }
            _ => short(bytes),
        };
        let hash = (ends ^ (bytes.len() as u64).rotate_left(7)).wrapping_mul(PRIME);
        Self {
            text,
            hash: hash ^ (hash >> 29),
        }
    }
}

/// The bytes of a word of fewer than eight.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    }
    let step = |packed: u64, byte: &u8| packed << 8 | u64::from(*byte);
    bytes.iter().fold(0, step)
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
            let mut at = place(Word::new(first), Word::new(second), slots.len());
            while slots.get(at).is_some_and(|slot| *slot != 0) {
                at = (at + 1) & (slots.len() - 1);
            }
            if let Some(slot) = slots.get_mut(at) {
                *slot = number;
            }
        }
        Self { entries, slots }
    }

    /// The number of a phrase and its value.
    #[inline]
    pub(crate) fn find(&self, first: Word<'_>, second: Word<'_>) -> Option<(usize, V)> {
        let mut at = place(first, second, self.slots.len());
        loop {
            let number = usize::from(*self.slots.get(at)?).checked_sub(1)?;
            let (phrase, value) = self.entries.get(number)?;
            if *phrase == [first.text, second.text] {
                return Some((number, *value));
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// How many phrases there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The slot where the search for a phrase begins; the number of slots is a power of two.
#[inline]
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
    use std::collections::BTreeMap;

    use super::{Phrases, Word};

    #[test]
    fn words_and_pairs_are_found_and_nothing_else() {
        let table = Phrases::of([(["", "bug"], 1), (["unit", "tests"], 2), (["", "tests"], 3)]);
        let find = |first: &'static str, second| table.find(Word::new(first), Word::new(second));
        assert_eq!(Word::new("").hash, Word::NONE.hash);
        assert_eq!(find("", "bug"), Some((0, 1)));
        assert_eq!(find("unit", "tests"), Some((1, 2)));
        assert_eq!(find("", "tests"), Some((2, 3)));
        assert_eq!(find("unit", "bug"), None);
        assert_eq!(find("", ""), None);
        assert_eq!(table.len(), 3);
    }

    /// What the table is for: the same as looking at every phrase in turn.
    #[test]
    fn every_phrase_of_the_lexicon_is_found_where_it_stands() {
        let lexicon = crate::classify::lexicon::lexicon();
        let words: Vec<&str> = lexicon
            .entries
            .iter()
            .flat_map(|(phrase, _)| *phrase)
            .chain(["of", "a", "longer-than-eight", ""])
            .collect();
        let phrases = lexicon.entries.iter().map(|(phrase, _)| *phrase);
        let places: BTreeMap<[&str; 2], usize> = phrases.zip(0..).collect();
        for first in &words {
            for second in &words {
                let found = lexicon.find(Word::new(first), Word::new(second));
                let place = places.get(&[*first, *second]).copied();
                assert_eq!(found.map(|(number, _)| number), place, "{first} {second}");
            }
        }
    }
}
