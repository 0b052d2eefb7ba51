//! How often somebody may try to sign in.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

const WINDOW_US: i64 = 60_000_000;
/// Tries of one neighbourhood in a window.
const TRIES: u32 = 10;
/// Tries of everybody in a window.
const ALL_TRIES: u32 = 100;
const MAX_PLACES: usize = 4_096;

/// Counts tries by where they come from.
#[derive(Debug, Default)]
pub(super) struct Limit(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    began_us: i64,
    all: u32,
    by_place: BTreeMap<u64, u32>,
}

impl Limit {
    /// Whether one more try is fine; it is counted.
    pub(super) fn allows(&self, from: Option<IpAddr>, now_us: i64) -> bool {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now_us.abs_diff(tries.began_us) >= WINDOW_US.unsigned_abs() {
            *tries = Tries {
                began_us: now_us,
                ..Tries::default()
            };
        }
        tries.all = tries.all.saturating_add(1);
        let place = from.map_or(0, neighbourhood);
        if tries.by_place.len() >= MAX_PLACES && !tries.by_place.contains_key(&place) {
            return false;
        }
        let own = tries.by_place.entry(place).or_default();
        *own = own.saturating_add(1);
        *own <= TRIES && tries.all <= ALL_TRIES
    }
}

/// An address, or the network of one whose lower half its owner chooses at will.
fn neighbourhood(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(u32::from(address)),
        IpAddr::V6(address) => u64::try_from(u128::from(address) >> 64).unwrap_or(0) | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_run_out_and_come_back() {
        let limit = Limit::default();
        let from = Some(IpAddr::from([10, 0, 0, 1]));
        let allowed = (0..20).filter(|_| limit.allows(from, 1)).count();
        assert_eq!(allowed, 10);
        assert!(limit.allows(Some(IpAddr::from([10, 0, 0, 2])), 1));
        assert!(limit.allows(from, 1 + WINDOW_US));
    }

    #[test]
    fn many_places_share_one_limit() {
        let limit = Limit::default();
        let allowed =
            (0..250_u8).filter(|last| limit.allows(Some(IpAddr::from([10, 0, 1, *last])), 1));
        assert_eq!(allowed.count(), 100);
    }
}
