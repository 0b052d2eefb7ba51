//! Who sealed which reasoning of a conversation: bounded, the oldest forgotten first.
//!
//! Seals are known by their marks alone. A mark that is not known here says nothing about its origin, and what it stands
//! for goes out as it came; whoever refuses it is asked once more without it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use wayproof_wire::SealMark;

/// How many seals of a conversation are remembered.
const MOST: usize = 512;
/// An origin that no provider has: what was refused where it was thought to belong.
const NOBODY: &str = "";

/// The origins of one conversation. Who seals is told by a name: of a provider, or of one that several serve.
#[derive(Debug, Default)]
pub(crate) struct Origins(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Who seals, each once; a conversation has few.
    sealers: Vec<String>,
    /// Marks with the places of their makers in the list above.
    made: VecDeque<(SealMark, u16)>,
    is_recalled: bool,
}

impl Origins {
    /// Notes what a provider sealed.
    pub(crate) fn note(&self, sealer: &str, marks: &[SealMark]) {
        if !marks.is_empty() {
            self.lock().note(sealer, marks);
        }
    }

    /// Notes what a provider refused although nobody knew that it is another's.
    pub(crate) fn disown(&self, sealer: &str, marks: &[SealMark]) {
        let mut inner = self.lock();
        let own = inner.place(sealer);
        let refused: Vec<SealMark> = marks
            .iter()
            .filter(|mark| inner.maker(**mark).is_none_or(|maker| Some(maker) == own))
            .copied()
            .collect();
        inner.note(NOBODY, &refused);
    }

    /// Whether anything is known to be sealed by another than this one.
    pub(crate) fn has_others(&self, sealer: &str) -> bool {
        let inner = self.lock();
        inner.sealers.iter().any(|known| known != sealer)
    }

    /// What is known to be sealed by others.
    pub(crate) fn of_others(&self, sealer: &str) -> BTreeSet<SealMark> {
        self.lock().of(|maker| maker != sealer)
    }

    /// What is known to be sealed by this one.
    pub(crate) fn of(&self, sealer: &str) -> BTreeSet<SealMark> {
        self.lock().of(|maker| maker == sealer)
    }

    /// Whether it is known what was sealed before this process met the conversation.
    pub(crate) fn is_recalled(&self) -> bool {
        self.lock().is_recalled
    }

    /// Takes in what the ledger knows of the conversation, newest first.
    pub(crate) fn recall(&self, known: &[(String, Vec<SealMark>)]) {
        let mut inner = self.lock();
        let newer = std::mem::take(&mut inner.made);
        for (sealer, marks) in known.iter().rev() {
            inner.note(sealer, marks);
        }
        for (mark, place) in newer {
            inner.put(mark, place);
        }
        inner.is_recalled = true;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note(&mut self, sealer: &str, marks: &[SealMark]) {
        let place = self.place(sealer).or_else(|| {
            let place = u16::try_from(self.sealers.len()).ok()?;
            self.sealers.push(sealer.to_owned());
            Some(place)
        });
        for mark in marks {
            if let Some(place) = place {
                self.put(*mark, place);
            }
        }
    }

    fn put(&mut self, mark: SealMark, place: u16) {
        if let Some(known) = self.made.iter_mut().find(|(known, _)| *known == mark) {
            known.1 = place;
            return;
        }
        if self.made.len() >= MOST {
            self.made.pop_front();
        }
        self.made.push_back((mark, place));
    }

    fn place(&self, sealer: &str) -> Option<u16> {
        let place = self.sealers.iter().position(|known| known == sealer)?;
        u16::try_from(place).ok()
    }

    fn maker(&self, mark: SealMark) -> Option<u16> {
        let known = self.made.iter().find(|(known, _)| *known == mark);
        known.map(|(_, maker)| *maker)
    }

    fn of(&self, is_wanted: impl Fn(&str) -> bool) -> BTreeSet<SealMark> {
        let made = self.made.iter();
        made.filter(|(_, place)| {
            let sealer = self.sealers.get(usize::from(*place));
            sealer.is_some_and(|sealer| is_wanted(sealer))
        })
        .map(|(mark, _)| *mark)
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use wayproof_wire::SealMark;

    use super::{MOST, Origins};

    fn mark(number: usize) -> SealMark {
        SealMark::of(&number.to_string()).unwrap()
    }

    #[test]
    fn what_others_sealed_is_told_apart_and_the_oldest_is_forgotten() {
        let origins = Origins::default();
        assert!(!origins.has_others("a"));
        origins.note("a", &[mark(1), mark(2)]);
        assert!(!origins.has_others("a"));
        assert!(origins.has_others("b"));
        origins.note("b", &[mark(3)]);
        assert_eq!(Vec::from_iter(origins.of_others("a")), [mark(3)]);
        assert_eq!(origins.of("a").len(), 2);
        // What was recalled is older than what came since.
        origins.recall(&[("c".to_owned(), (10..10 + MOST).map(mark).collect())]);
        assert_eq!(origins.of("c").len(), MOST - 3);
        assert_eq!(origins.of("a").len(), 2);
        assert!(origins.is_recalled());
        // A provider that refuses its own, or what nobody knows, has it taken from it; not from others.
        origins.disown("a", &[mark(1), mark(3), mark(7)]);
        assert!(origins.of_others("a").contains(&mark(1)));
        assert!(origins.of_others("a").contains(&mark(7)));
        assert!(origins.of("b").contains(&mark(3)));
    }
}
