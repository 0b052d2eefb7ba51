//! Figures over all jobs of a month or a year, which take long to add up where there are many.
//!
//! A figure that took long is kept, and worked out again in the background once it is older than twenty times what it
//! took: pages over a large ledger come at once, and their figures cost a twentieth of a processor at most. A figure
//! that took no time is not kept. Pages say how old their figures are.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wayproof_ledger::{CrossBy, DayRecord, LedgerError, SpendCell, TaskFit, TaskRecord};

use crate::desk::Desk;
use crate::show::time::DAY_US;

/// What takes less is worked out every time.
const QUICK: Duration = Duration::from_millis(20);
/// For how many times as long as it took a figure is good.
const GOOD_FOR: u32 = 20;
/// Figures of one kind that are kept at once.
const MOST: usize = 32;
/// After the start, so that the first exchanges are not held up.
const WARM_AFTER: Duration = Duration::from_secs(2);

/// A figure with its age.
pub(crate) struct Aged<V> {
    pub(crate) value: Arc<V>,
    pub(crate) age: Duration,
}

/// Two dimensions, days, and rows at most.
pub(crate) type Cross = ([CrossBy; 2], i64, u32);

/// Figures that were asked for.
#[derive(Default)]
pub(crate) struct Figures {
    tasks: Store<i64, Vec<TaskRecord>>,
    days: Store<i64, Vec<DayRecord>>,
    spend: Store<Cross, Vec<SpendCell>>,
    fit: Store<i64, Vec<TaskFit>>,
}

struct Store<K, V>(Mutex<BTreeMap<K, Kept<V>>>);

impl<K, V> Default for Store<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

struct Kept<V> {
    value: Arc<V>,
    at: Instant,
    took: Duration,
    /// Somebody is working it out again.
    is_renewed: bool,
}

impl<K: Copy + Ord, V> Store<K, V> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Kept<V>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, and whether the caller is to have it worked out again.
    fn kept(&self, key: K) -> Option<(Aged<V>, bool)> {
        let mut all = self.lock();
        let kept = all.get_mut(&key)?;
        let age = kept.at.elapsed();
        let is_due = age > kept.took * GOOD_FOR && !kept.is_renewed;
        kept.is_renewed |= is_due;
        let value = Arc::clone(&kept.value);
        Some((Aged { value, age }, is_due))
    }

    fn keep(&self, key: K, value: &Arc<V>, took: Duration) {
        let mut all = self.lock();
        all.remove(&key);
        if took < QUICK {
            return;
        }
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, kept)| kept.at);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                all.remove(&oldest);
            }
        }
        let kept = Kept {
            value: Arc::clone(value),
            at: Instant::now(),
            took,
            is_renewed: false,
        };
        all.insert(key, kept);
    }

    /// Lets the next who asks try again.
    fn give_up(&self, key: K) {
        if let Some(kept) = self.lock().get_mut(&key) {
            kept.is_renewed = false;
        }
    }
}

type Making<V> = Pin<Box<dyn Future<Output = Result<V, LedgerError>> + Send>>;

/// Where figures of a kind are kept and how they are worked out.
struct Kind<K, V> {
    store: fn(&Figures) -> &Store<K, V>,
    make: fn(Desk, K) -> Making<V>,
}

impl<K, V> Clone for Kind<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Kind<K, V> {}

const TASKS: Kind<i64, Vec<TaskRecord>> = Kind {
    store: |figures| &figures.tasks,
    make: |desk, days| Box::pin(async move { desk.ledger().task_records(desk.since(days)).await }),
};

const DAYS: Kind<i64, Vec<DayRecord>> = Kind {
    store: |figures| &figures.days,
    make: |desk, first| {
        Box::pin(async move { desk.ledger().days(first.saturating_mul(DAY_US)).await })
    },
};

const SPEND: Kind<Cross, Vec<SpendCell>> = Kind {
    store: |figures| &figures.spend,
    make: |desk, (by, days, limit)| {
        Box::pin(async move {
            let ledger = desk.ledger();
            ledger.spend_by_two(by, desk.since(days - 1), limit).await
        })
    },
};

const FIT: Kind<i64, Vec<TaskFit>> = Kind {
    store: |figures| &figures.fit,
    make: |desk, days| Box::pin(async move { desk.ledger().task_fit(desk.since(days)).await }),
};

impl Desk {
    /// What each row of the policy did in so many days.
    pub(crate) async fn tasks(&self, days: i64) -> Result<Aged<Vec<TaskRecord>>, LedgerError> {
        self.figure(TASKS, days).await
    }

    /// Spend and proven changes of each day since one, by its number.
    pub(crate) async fn days_since(&self, first: i64) -> Result<Aged<Vec<DayRecord>>, LedgerError> {
        self.figure(DAYS, first).await
    }

    /// Spend by two dimensions.
    pub(crate) async fn spend(&self, cross: Cross) -> Result<Aged<Vec<SpendCell>>, LedgerError> {
        self.figure(SPEND, cross).await
    }

    /// How models did at tasks in so many days.
    pub(crate) async fn fit(&self, days: i64) -> Result<Aged<Vec<TaskFit>>, LedgerError> {
        self.figure(FIT, days).await
    }

    fn since(&self, days: i64) -> i64 {
        self.now_us().saturating_sub(days.saturating_mul(DAY_US))
    }

    async fn figure<K, V>(&self, kind: Kind<K, V>, key: K) -> Result<Aged<V>, LedgerError>
    where
        K: Copy + Ord + Send + 'static,
        V: Send + Sync + 'static,
    {
        let store = kind.store;
        let Some((aged, is_due)) = store(self.figures()).kept(key) else {
            return self.work_out(kind, key).await;
        };
        if is_due {
            let desk = self.clone();
            #[expect(
                clippy::disallowed_methods,
                reason = "nobody waits for a figure that is made anew"
            )]
            tokio::spawn(async move {
                if let Err(error) = desk.work_out(kind, key).await {
                    tracing::warn!(%error, "figures stay as old as they are");
                    store(desk.figures()).give_up(key);
                }
            });
        }
        Ok(aged)
    }

    async fn work_out<K, V>(&self, kind: Kind<K, V>, key: K) -> Result<Aged<V>, LedgerError>
    where
        K: Copy + Ord,
    {
        let began = Instant::now();
        let value = Arc::new((kind.make)(self.clone(), key).await?);
        (kind.store)(self.figures()).keep(key, &value, began.elapsed());
        Ok(Aged {
            value,
            age: Duration::ZERO,
        })
    }

    /// Has the figures of the pages that are looked at first worked out, soon after the start.
    pub(crate) fn warm(&self) {
        // Without a runtime nobody serves these pages yet.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let desk = self.clone();
        runtime.spawn(async move {
            tokio::select! {
                () = desk.house().stopping() => return,
                () = tokio::time::sleep(WARM_AFTER) => {}
            }
            if let Err(error) = desk.warm_up().await {
                tracing::debug!(%error, "figures are not worked out beforehand");
            }
        });
    }

    async fn warm_up(&self) -> Result<(), LedgerError> {
        crate::pages::now::warm(self).await?;
        crate::pages::spend::warm(self).await?;
        crate::pages::models::warm(self).await
    }
}

/// How old figures are, where that is worth a word.
pub(crate) fn told_age(age: Duration) -> String {
    match age.as_secs() {
        0 | 1 => String::new(),
        seconds @ 2..=119 => format!("Figures of {seconds} s ago."),
        seconds => format!("Figures of {} min ago.", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_took_long_is_kept_and_only_so_many() {
        let store: Store<i64, i64> = Store::default();
        store.keep(1, &Arc::new(1), Duration::from_millis(1));
        assert!(store.kept(1).is_none());
        for key in 0..100 {
            store.keep(key, &Arc::new(key), Duration::from_secs(1));
        }
        assert_eq!(store.lock().len(), MOST);
        assert_eq!(store.kept(99).map(|(aged, _)| *aged.value), Some(99));
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_those_who_ask_renews_an_old_figure() {
        let store: Store<i64, i64> = Store::default();
        store.keep(1, &Arc::new(7), Duration::from_millis(50));
        let due = || store.kept(1).map(|(_, is_due)| is_due);
        assert_eq!(due(), Some(false));
        tokio::time::advance(Duration::from_millis(1_001)).await;
        assert_eq!((due(), due()), (Some(true), Some(false)));
        store.give_up(1);
        assert_eq!(due(), Some(true));
        store.keep(1, &Arc::new(8), Duration::from_millis(50));
        assert_eq!(due(), Some(false));
    }
}
