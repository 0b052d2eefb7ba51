//! Finding which literals occur in a text, all of them in one pass.
//!
//! An automaton waits for memory at every byte. Four of them walk four quarters of the text side
//! by side, which costs little more than one walking a quarter; the quarters overlap by the
//! longest literal, so that none is missed at a seam. It says whether, never where.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind, StartKind};

/// Literals, each of which stands for a set of bits.
pub(super) struct Triggers {
    walker: Option<Walker>,
    all: u64,
}

/// The automaton with what its literals stand for.
struct Walker {
    automaton: DFA,
    start: StateID,
    masks: Vec<u64>,
    /// How far two quarters overlap.
    overlap: usize,
}

impl Triggers {
    /// Builds the automaton over sets of literals; the set at `n` stands for bit `n`.
    pub(super) fn new<'a>(sets: impl Iterator<Item = &'a [&'a str]>) -> Self {
        let mut literals: Vec<&str> = Vec::new();
        let mut masks: Vec<u64> = Vec::new();
        for (bit, set) in sets.enumerate() {
            for literal in set {
                if let Some(at) = literals.iter().position(|known| known == literal) {
                    masks[at] |= 1 << bit;
                } else {
                    literals.push(literal);
                    masks.push(1 << bit);
                }
            }
        }
        let all = masks.iter().fold(0, |all, mask| all | mask);
        let overlap = literals
            .iter()
            .map(|literal| literal.len())
            .max()
            .unwrap_or(0);
        let automaton = DFA::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .build(&literals);
        let walker = automaton.ok().and_then(|automaton| {
            let start = automaton.start_state(Anchored::No).ok()?;
            Some(Walker {
                automaton,
                start,
                masks,
                overlap,
            })
        });
        Self { walker, all }
    }

    /// The bits whose literals occur. Were the automaton not to build, all of them would:
    /// slower, never blind.
    pub(super) fn find(&self, text: &str) -> u64 {
        self.walker
            .as_ref()
            .map_or(self.all, |walker| walker.walk(text.as_bytes()))
    }
}

impl Walker {
    fn walk(&self, text: &[u8]) -> u64 {
        let quarter = text.len().div_ceil(4);
        let lane = |number: usize| {
            let from = (number * quarter).min(text.len());
            let to = (from + quarter + self.overlap).min(text.len());
            text.get(from..to).unwrap_or_default()
        };
        let lanes = [lane(0), lane(1), lane(2), lane(3)];
        let mut found = 0;
        let [first, second, third, fourth] = lanes;
        let (mut one, mut two, mut three, mut four) =
            (self.start, self.start, self.start, self.start);
        for (((a, b), c), d) in first.iter().zip(second).zip(third).zip(fourth) {
            found |= self.step(&mut one, *a);
            found |= self.step(&mut two, *b);
            found |= self.step(&mut three, *c);
            found |= self.step(&mut four, *d);
        }
        let mut states = [one, two, three, four];
        let common = lanes.iter().map(|lane| lane.len()).min().unwrap_or(0);
        for (state, lane) in states.iter_mut().zip(lanes) {
            for byte in lane.get(common..).unwrap_or_default() {
                found |= self.step(state, *byte);
            }
        }
        found
    }

    /// Moves on by a byte; what ends there is returned.
    #[inline]
    fn step(&self, state: &mut StateID, byte: u8) -> u64 {
        *state = self.automaton.next_state(Anchored::No, *state, byte);
        if self.automaton.is_special(*state) {
            self.ending(*state)
        } else {
            0
        }
    }

    fn ending(&self, state: StateID) -> u64 {
        if !self.automaton.is_match(state) {
            return 0;
        }
        (0..self.automaton.match_len(state))
            .map(|index| self.automaton.match_pattern(state, index))
            .filter_map(|pattern| self.masks.get(pattern.as_usize()))
            .fold(0, |found, mask| found | mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: [&[&str]; 3] = [&["abc", "long literal"], &["bc"], &["x", "abc"]];

    #[test]
    fn every_literal_is_found_wherever_it_stands() {
        let triggers = Triggers::new(SETS.into_iter());
        for (literal, bits) in [
            ("abc", 0b111),
            ("long literal", 0b001),
            ("bc", 0b010),
            ("x", 0b100),
        ] {
            for length in [12_usize, 13, 40, 97] {
                for at in 0..=length {
                    let text = format!("{}{literal}{}", "-".repeat(at), "-".repeat(length - at));
                    assert_eq!(triggers.find(&text), bits, "{text}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let triggers = Triggers::new(SETS.into_iter());
        assert_eq!(triggers.find(""), 0);
        assert_eq!(triggers.find("ab c"), 0);
        assert_eq!(Triggers::new(std::iter::empty()).find("abc"), 0);
    }
}
