//! Which provider keeps which answer: bounded, the oldest forgotten first.
//!
//! A request that continues from an answer by its id brings nothing of it along, so it has to go where that is kept. Ids
//! are known under who asked for them. What is not remembered here, the ledger is asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How many answers are remembered.
const MOST: usize = 4_096;

/// Where an answer is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keeper {
    /// The provider.
    pub(crate) provider: String,
    /// The session that it was given in.
    pub(crate) session: String,
}

/// The answers of every conversation.
#[derive(Debug, Default)]
pub(crate) struct Keepers(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    by_id: HashMap<String, Keeper>,
    by_age: VecDeque<String>,
}

impl Keepers {
    /// Notes who keeps an answer.
    pub(crate) fn note(&self, id: String, keeper: Keeper) {
        let mut inner = self.lock();
        if inner.by_id.insert(id.clone(), keeper).is_none() {
            inner.by_age.push_back(id);
        }
        if inner.by_age.len() > MOST
            && let Some(oldest) = inner.by_age.pop_front()
        {
            inner.by_id.remove(&oldest);
        }
    }

    /// Who keeps an answer, if that is remembered.
    pub(crate) fn find(&self, id: &str) -> Option<Keeper> {
        self.lock().by_id.get(id).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Keeper, Keepers, MOST};

    #[test]
    fn the_oldest_are_forgotten() {
        let keepers = Keepers::default();
        let keeper = |provider: &str| Keeper {
            provider: provider.to_owned(),
            session: "s".to_owned(),
        };
        keepers.note("first".to_owned(), keeper("a"));
        keepers.note("first".to_owned(), keeper("b"));
        assert_eq!(keepers.find("first"), Some(keeper("b")));
        for number in 0..MOST {
            keepers.note(number.to_string(), keeper("c"));
        }
        assert_eq!(keepers.find("first"), None);
        assert_eq!(keepers.find("0"), Some(keeper("c")));
    }
}
