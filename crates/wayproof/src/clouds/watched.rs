//! Keys of a profile that stay in force: those that AWS's own tools write there run out and are written anew.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use wayproof_ledger::Clock;
use wayproof_upstream::AwsPair;

use super::{Variable, profile};

/// Files are looked at no more often than this, in microseconds.
const PAUSE_US: i64 = 2_000_000;

/// What tells one state of a file from another.
type Stamp = Option<(u64, SystemTime)>;

/// The keys of a profile, with the files they came from.
pub(super) struct Watched {
    variables: BTreeMap<&'static str, String>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    pair: AwsPair,
    looked_us: i64,
    stamps: [Stamp; 2],
}

impl Watched {
    /// Keys that were just read.
    pub(super) fn new(pair: AwsPair, variable: Variable<'_>, clock: Clock) -> Self {
        let set = profile::VARIABLES.map(|name| variable(name).map(|value| (name, value)));
        let variables: BTreeMap<_, _> = set.into_iter().flatten().collect();
        let state = State {
            pair,
            looked_us: clock.now_us(),
            stamps: stamps(&variables),
        };
        Self {
            variables,
            clock,
            state: Mutex::new(state),
        }
    }

    /// The keys that are in force now. Files that cannot be used leave those of before in force.
    pub(super) fn pair(&self) -> AwsPair {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now_us = self.clock.now_us();
        if now_us.abs_diff(state.looked_us) < PAUSE_US.unsigned_abs() {
            return state.pair.clone();
        }
        state.looked_us = now_us;
        let stamps = stamps(&self.variables);
        if stamps != state.stamps {
            state.stamps = stamps;
            match profile::keys(&|name| self.variables.get(name).cloned()) {
                Ok(Some((pair, because))) => {
                    tracing::info!(because, "keys of AWS were read again");
                    state.pair = pair;
                }
                Ok(None) => tracing::warn!("the profile of AWS is gone; its last keys stay in use"),
                Err(error) => tracing::warn!(error, "the last keys of AWS stay in use"),
            }
        }
        state.pair.clone()
    }
}

fn stamps(variables: &BTreeMap<&'static str, String>) -> [Stamp; 2] {
    let files = profile::files(&|name| variables.get(name).cloned());
    let stamp = |file: PathBuf| {
        let data = std::fs::metadata(file).ok()?;
        Some((data.len(), data.modified().ok()?))
    };
    files.map_or([None, None], |files| files.map(stamp))
}
