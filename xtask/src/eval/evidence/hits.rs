//! Things found beside things that are there. Every mention counts: what is there twice has to be
//! found twice, and what is found twice has to be there twice.

use crate::eval::share;

/// Things found, things there are, and how many are the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hits {
    found: usize,
    true_ones: usize,
    both: usize,
}

impl Hits {
    /// Compares one to one.
    pub(super) fn between<T: PartialEq>(found: Vec<T>, true_ones: Vec<T>) -> Self {
        Self::matched(found, true_ones, &[|one: &T, other: &T| one == other])
    }

    /// Compares one to one by several notions of sameness, the strictest first.
    pub(super) fn matched<T>(
        mut found: Vec<T>,
        mut true_ones: Vec<T>,
        notions: &[fn(&T, &T) -> bool],
    ) -> Self {
        let mut hits = Self {
            found: found.len(),
            true_ones: true_ones.len(),
            both: 0,
        };
        for is_same in notions {
            true_ones.retain(|true_one| {
                let at = found.iter().position(|other| is_same(true_one, other));
                if let Some(at) = at {
                    found.swap_remove(at);
                    hits.both += 1;
                }
                at.is_none()
            });
        }
        hits
    }

    pub(super) fn add(&mut self, more: Self) {
        self.found += more.found;
        self.true_ones += more.true_ones;
        self.both += more.both;
    }

    pub(super) fn precision(self) -> Option<f64> {
        share(self.both, self.found)
    }

    pub(super) fn recall(self) -> Option<f64> {
        share(self.both, self.true_ones)
    }

    pub(super) fn f1(self) -> Option<f64> {
        share(2 * self.both, self.found + self.true_ones)
    }

    pub(super) fn is_exact(self) -> bool {
        self.both == self.found && self.both == self.true_ones
    }

    /// Whether anything was found that is there, or nothing where nothing is.
    pub(super) fn is_any(self) -> bool {
        self.both > 0 || self.found + self.true_ones == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mention_counts() {
        let hits = Hits::between(vec![1, 1, 2, 9], vec![1, 2, 2]);
        assert_eq!(hits.precision(), Some(0.5));
        assert_eq!(hits.recall(), Some(0.6667));
        assert_eq!(hits.f1(), Some(0.5714));
        assert!(!hits.is_exact());
        assert!(Hits::between(vec![3, 3], vec![3, 3]).is_exact());
        assert!(!Hits::between(vec![3], vec![3, 3]).is_exact());
    }

    #[test]
    fn nothing_has_no_share() {
        let none = Hits::between(Vec::<u8>::new(), Vec::new());
        assert_eq!(
            (none.precision(), none.recall(), none.f1()),
            (None, None, None)
        );
        assert!(none.is_exact() && none.is_any());
        assert!(!Hits::between(vec![1], Vec::new()).is_any());
    }

    #[test]
    fn a_stricter_notion_takes_first() {
        let words = |words: [&str; 2]| words.map(str::to_owned).to_vec();
        let same: fn(&String, &String) -> bool = |one, other| one == other;
        let begins: fn(&String, &String) -> bool = |one, other| one.starts_with(other.as_str());
        // By beginnings alone `ab` would take `a` and leave `a` with nothing.
        let hits = Hits::matched(words(["a", "ab"]), words(["ab", "a"]), &[same, begins]);
        assert!(hits.is_exact());
    }
}
