//! A clock that jumps must not disturb the order of identifiers.

use proptest::prelude::*;
use wayproof_ledger::{Clock, Ids};

use crate::fixture::NOON_US;

proptest! {
    #[test]
    fn identifiers_grow_whatever_the_clock_does(jumps in proptest::collection::vec(-10_000_000_i64..10_000_000, 1..200)) {
        let clock = Clock::fixed(NOON_US);
        let ids = Ids::seeded(clock.clone(), 42);
        let mut last = ids.next();
        for jump in jumps {
            clock.set(clock.now_us() + jump);
            let next = ids.next();
            prop_assert!(next > last, "{next} after {last}");
            prop_assert!(next.to_string() > last.to_string());
            prop_assert_eq!(next.get_version_num(), 7);
            prop_assert_eq!(next.get_variant(), uuid::Variant::RFC4122);
            last = next;
        }
    }
}

#[test]
fn an_identifier_carries_its_millisecond() {
    let id = Ids::seeded(Clock::fixed(NOON_US + 999), 1).next();
    let (seconds, nanos) = id.get_timestamp().expect("version 7 has a time").to_unix();
    assert_eq!(
        seconds * 1_000 + u64::from(nanos) / 1_000_000,
        (NOON_US / 1_000).unsigned_abs()
    );
}

#[test]
fn processes_do_not_share_their_identifiers() {
    let clock = Clock::fixed(NOON_US);
    let first = Ids::new(clock.clone());
    let second = Ids::new(clock);
    let mut all: Vec<_> = (0..1_000)
        .flat_map(|_| [first.next(), second.next()])
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 2_000);
}

#[test]
fn the_system_clock_is_past_the_year_2025() {
    assert!(Clock::system().now_us() > 1_735_689_600_000_000);
}
