//! Figures over all jobs of a month or a year, which take long to add up where there are many.
//!
//! Of a large ledger they are kept, and worked out again in the background: when somebody looks at one that is older
//! than twenty times what it took, after the ledger has grown by a quarter, and every few minutes while it grows. So
//! pages over it come at once, and their figures cost a twentieth of a processor at most. Figures of a ledger in which
//! nothing has happened since are as good as new. Pages say how old the others are.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wayproof_ledger::{LedgerError, SpendCube, TaskRecord};

use crate::desk::Desk;
use crate::pages::now::MONTH;
use crate::show::time::DAY_US;

/// Ledgers with fewer events than this are added up every time.
const SMALL: i64 = 20_000;
/// For how many times as long as it took a figure is good.
const GOOD_FOR: u32 = 20;
/// After the start, so that the first exchanges are not held up.
const WARM_AFTER: Duration = Duration::from_secs(2);
/// Between two looks at how much the ledger has grown.
const LOOK: Duration = Duration::from_secs(10);
/// Figures of a ledger that changes are not older than this, nor than twenty times what they took.
const OLDEST: Duration = Duration::from_mins(5);
/// The days that figures of a year are about, with those of its oldest week.
const YEAR: i64 = 372;

/// A figure with its age.
pub(crate) struct Aged<V> {
    pub(crate) value: Arc<V>,
    pub(crate) age: Duration,
}

/// Figures that are kept.
#[derive(Default)]
pub(crate) struct Figures {
    tasks: Store<Vec<TaskRecord>>,
    cube: Store<SpendCube>,
}

struct Store<V> {
    kept: Mutex<Option<Kept<V>>>,
    /// Held by whoever works it out while nothing is kept; others wait for the same figure.
    turn: tokio::sync::Mutex<()>,
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

/// What the ledger was like: how many events, and on which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    size: i64,
    today: i64,
}

struct Kept<V> {
    value: Arc<V>,
    at: Instant,
    took: Duration,
    of: State,
    /// Somebody is working it out again.
    is_renewed: bool,
}

impl<V> Kept<V> {
    /// Whether it is to be worked out again though nobody looks.
    fn is_outgrown(&self, now: State) -> bool {
        let has_grown = now.size - self.of.size > self.of.size / 4;
        let is_old = self.at.elapsed() > OLDEST.max(self.took * GOOD_FOR);
        self.of != now && (has_grown || is_old)
    }
}

impl<V> Store<V> {
    fn lock(&self) -> MutexGuard<'_, Option<Kept<V>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, and whether the caller is to have it worked out again.
    fn kept(&self, now: State) -> Option<(Aged<V>, bool)> {
        let mut kept = self.lock();
        let kept = kept.as_mut()?;
        let age = if kept.of == now {
            Duration::ZERO
        } else {
            kept.at.elapsed()
        };
        let is_due = age > kept.took * GOOD_FOR && !kept.is_renewed;
        kept.is_renewed |= is_due;
        let value = Arc::clone(&kept.value);
        Some((Aged { value, age }, is_due))
    }

    fn keep(&self, value: &Arc<V>, took: Duration, of: State) {
        *self.lock() = Some(Kept {
            value: Arc::clone(value),
            at: Instant::now(),
            took,
            of,
            is_renewed: false,
        });
    }

    /// Whether nothing is kept or it is outgrown.
    fn is_wanted(&self, now: State) -> bool {
        self.lock()
            .as_ref()
            .is_none_or(|kept| kept.is_outgrown(now))
    }

    /// Lets the next who asks try again.
    fn give_up(&self) {
        if let Some(kept) = self.lock().as_mut() {
            kept.is_renewed = false;
        }
    }
}

type Making<V> = Pin<Box<dyn Future<Output = Result<V, LedgerError>> + Send>>;

/// Where figures of a kind are kept and how they are worked out.
struct Kind<V> {
    store: fn(&Figures) -> &Store<V>,
    make: fn(Desk) -> Making<V>,
}

impl<V> Clone for Kind<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Kind<V> {}

const TASKS: Kind<Vec<TaskRecord>> = Kind {
    store: |figures| &figures.tasks,
    make: |desk| Box::pin(async move { desk.ledger().task_records(desk.since(MONTH)).await }),
};

const CUBE: Kind<SpendCube> = Kind {
    store: |figures| &figures.cube,
    make: |desk| Box::pin(async move { desk.ledger().spend_cube(desk.since(YEAR)).await }),
};

impl Desk {
    /// What each row of the policy did in a month.
    pub(crate) async fn tasks(&self) -> Result<Aged<Vec<TaskRecord>>, LedgerError> {
        self.figure(TASKS).await
    }

    /// What was spent in a year, to be laid out as somebody wants it.
    pub(crate) async fn spend(&self) -> Result<Aged<SpendCube>, LedgerError> {
        self.figure(CUBE).await
    }

    /// So many days ago.
    pub(crate) fn since(&self, days: i64) -> i64 {
        self.now_us().saturating_sub(days.saturating_mul(DAY_US))
    }

    async fn state(&self) -> Result<State, LedgerError> {
        Ok(State {
            size: self.ledger().size().await?,
            today: self.now_us().div_euclid(DAY_US),
        })
    }

    async fn figure<V>(&self, kind: Kind<V>) -> Result<Aged<V>, LedgerError>
    where
        V: Send + Sync + 'static,
    {
        let now = self.state().await?;
        if now.size < SMALL {
            let value = Arc::new((kind.make)(self.clone()).await?);
            return Ok(Aged {
                value,
                age: Duration::ZERO,
            });
        }
        let store = (kind.store)(self.figures());
        let Some((aged, is_due)) = store.kept(now) else {
            let _turn = store.turn.lock().await;
            return match store.kept(now) {
                Some((aged, _)) => Ok(aged),
                None => self.work_out(kind).await,
            };
        };
        if is_due {
            let desk = self.clone();
            #[expect(
                clippy::disallowed_methods,
                reason = "nobody waits for a figure that is made anew"
            )]
            tokio::spawn(async move {
                if let Err(error) = desk.work_out(kind).await {
                    tracing::warn!(%error, "figures stay as old as they are");
                    (kind.store)(desk.figures()).give_up();
                }
            });
        }
        Ok(aged)
    }

    async fn work_out<V>(&self, kind: Kind<V>) -> Result<Aged<V>, LedgerError> {
        let of = self.state().await?;
        let began = Instant::now();
        let value = Arc::new((kind.make)(self.clone()).await?);
        (kind.store)(self.figures()).keep(&value, began.elapsed(), of);
        Ok(Aged {
            value,
            age: Duration::ZERO,
        })
    }

    /// Keeps the figures of a large ledger at hand, beginning soon after the start.
    pub(crate) fn warm(&self) {
        // Without a runtime nobody serves these pages yet.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let desk = self.clone();
        runtime.spawn(async move {
            let mut wait = WARM_AFTER;
            loop {
                tokio::select! {
                    () = desk.house().stopping() => return,
                    () = tokio::time::sleep(wait) => {}
                }
                if let Err(error) = desk.warm_up().await {
                    tracing::debug!(%error, "figures are not worked out beforehand");
                }
                wait = LOOK;
            }
        });
    }

    async fn warm_up(&self) -> Result<(), LedgerError> {
        self.warm_one(TASKS).await?;
        self.warm_one(CUBE).await
    }

    async fn warm_one<V>(&self, kind: Kind<V>) -> Result<(), LedgerError> {
        let now = self.state().await?;
        let store = (kind.store)(self.figures());
        if now.size < SMALL || !store.is_wanted(now) {
            return Ok(());
        }
        let _turn = store.turn.lock().await;
        if store.is_wanted(now) {
            self.work_out(kind).await?;
        }
        Ok(())
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

    const THEN: State = State {
        size: 100_000,
        today: 7,
    };
    const NOW: State = State {
        size: 100_001,
        today: 7,
    };

    #[tokio::test(start_paused = true)]
    async fn one_of_those_who_ask_renews_an_old_figure() {
        let store: Store<i64> = Store::default();
        assert!(store.kept(NOW).is_none() && store.is_wanted(NOW));
        store.keep(&Arc::new(7), Duration::from_millis(50), THEN);
        let due = |now| store.kept(now).map(|(_, is_due)| is_due);
        assert_eq!(due(NOW), Some(false));
        tokio::time::advance(Duration::from_millis(1_001)).await;
        assert_eq!((due(NOW), due(NOW)), (Some(true), Some(false)));
        store.give_up();
        assert_eq!(due(NOW), Some(true));
        store.keep(&Arc::new(8), Duration::from_millis(50), NOW);
        assert_eq!(due(NOW), Some(false));
        assert_eq!(store.kept(NOW).map(|(aged, _)| *aged.value), Some(8));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nothing_has_happened_since_is_as_good_as_new() {
        let store: Store<i64> = Store::default();
        store.keep(&Arc::new(7), Duration::from_millis(50), THEN);
        tokio::time::advance(OLDEST * 10).await;
        let (aged, is_due) = store.kept(THEN).expect("it is kept");
        assert_eq!((aged.age, is_due), (Duration::ZERO, false));
        assert!(!store.is_wanted(THEN));
        assert!(store.is_wanted(NOW), "it is old");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quarter_more_is_added_up_though_nobody_looks() {
        let store: Store<i64> = Store::default();
        store.keep(&Arc::new(7), Duration::from_millis(50), THEN);
        let with = |size| State { size, ..THEN };
        assert!(!store.is_wanted(with(125_000)));
        assert!(store.is_wanted(with(125_001)));
        let tomorrow = State {
            today: 8,
            ..with(100_000)
        };
        assert!(!store.is_wanted(tomorrow));
        tokio::time::advance(OLDEST + Duration::from_millis(1)).await;
        assert!(store.is_wanted(tomorrow));
    }
}
