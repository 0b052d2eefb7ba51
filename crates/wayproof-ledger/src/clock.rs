//! The clock and the identifiers made from it.
//!
//! The only place of the crate, and of every crate above it, that reads the system's time.
//! It does not format or parse times: records carry integer microseconds.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use uuid::Uuid;

/// Tells the time in microseconds since 1970, UTC.
///
/// Cloning is cheap; clones of a fixed clock move together.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's own clock. It may jump, in both directions.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `at_us` until [`Clock::set`] moves it.
    pub fn fixed(at_us: i64) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at_us))))
    }

    /// Microseconds since 1970, UTC. Before 1970 it is zero.
    pub fn now_us(&self) -> i64 {
        match &self.0 {
            Source::System => system_now_us(),
            Source::Fixed(at_us) => at_us.load(Ordering::Relaxed),
        }
    }

    /// Moves a fixed clock, also backwards. The system's clock stays as it is.
    pub fn set(&self, at_us: i64) {
        match &self.0 {
            Source::System => {}
            Source::Fixed(now) => now.store(at_us, Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::System => f.write_str("Clock::system()"),
            Source::Fixed(at_us) => write!(f, "Clock::fixed({})", at_us.load(Ordering::Relaxed)),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the system's time"
)]
fn system_now_us() -> i64 {
    std::time::SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}

/// Makes UUIDv7 identifiers that only ever grow within one process, whatever the clock does.
#[derive(Debug, Clone)]
pub struct Ids {
    clock: Clock,
    state: Arc<Mutex<IdState>>,
}

#[derive(Debug)]
struct IdState {
    /// Milliseconds (48 bits) above 74 bits that are random at each new millisecond and counted up within it.
    last: u128,
    noise: u64,
}

/// Bits of a UUIDv7 below its time stamp, without version and variant.
const TAIL_BITS: u32 = 74;

impl Ids {
    /// Identifiers whose random part differs from process to process.
    pub fn new(clock: Clock) -> Self {
        // A fresh UUIDv7 carries 74 random bits of the operating system; its low half seeds ours.
        let (_, low) = Uuid::now_v7().as_u64_pair();
        Self::seeded(clock, low)
    }

    /// Identifiers that are the same for the same clock and seed, for tests and demonstrations.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        let state = IdState {
            last: 0,
            noise: seed,
        };
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The next identifier: greater than every one before it, stamped with the clock's time unless that went backwards.
    pub fn next(&self) -> Uuid {
        let now_ms = u128::try_from(self.clock.now_us() / 1_000).unwrap_or(0);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last_ms = state.last >> TAIL_BITS;
        let next = if now_ms > last_ms {
            let high = u128::from(splitmix(&mut state.noise)) << 64;
            // One bit of head room, so that counting within a millisecond does not overflow into the time.
            let tail =
                (high | u128::from(splitmix(&mut state.noise))) & ((1 << (TAIL_BITS - 1)) - 1);
            (now_ms << TAIL_BITS) | tail
        } else {
            state.last + 1 + u128::from(splitmix(&mut state.noise) >> 32)
        };
        state.last = next;
        drop(state);
        assemble(next)
    }
}

/// Spreads 122 ordered bits around the version and variant of a UUIDv7, keeping their order.
fn assemble(ordered: u128) -> Uuid {
    let tail = ordered & ((1 << TAIL_BITS) - 1);
    let ms = (ordered >> TAIL_BITS) & ((1 << 48) - 1);
    let high = tail >> 62;
    let low = tail & ((1 << 62) - 1);
    Uuid::from_u128((ms << 80) | (7 << 76) | (high << 64) | (0b10 << 62) | low)
}

/// Steele, Lea and Flood's SplitMix64: plenty for identifiers that are not secrets.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
