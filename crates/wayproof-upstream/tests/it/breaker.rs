//! The breaker and the reading of `Retry-After`, which need no network.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use rstest::rstest;
use wayproof_upstream::{Admission, Breaker, BreakerLimits, retry_after};

const LIMITS: BreakerLimits = BreakerLimits {
    faults_to_open: 3,
    open_us: 1_000,
    longest_open_us: 4_000,
};

#[test]
fn faults_in_a_row_open_it_and_a_success_forgives_them() {
    let mut breaker = Breaker::new(LIMITS);
    breaker.failed(0);
    breaker.failed(1);
    breaker.succeeded();
    breaker.failed(2);
    breaker.failed(3);
    assert_eq!(breaker.admit(4), Admission::Go);
    breaker.failed(5);
    assert_eq!(breaker.admit(6), Admission::Refuse { until_us: 1_005 });
    assert!(!breaker.is_healthy(1_004) && breaker.is_healthy(1_005));
}

#[test]
fn one_probe_at_a_time_and_a_lost_probe_does_not_lock_it() {
    let mut breaker = opened_at(0);
    assert_eq!(breaker.admit(1_000), Admission::Probe);
    assert_eq!(breaker.admit(1_001), Admission::Refuse { until_us: 2_000 });
    assert_eq!(breaker.admit(2_000), Admission::Probe);
    breaker.succeeded();
    assert_eq!(breaker.admit(2_001), Admission::Go);
}

#[test]
fn every_failed_probe_doubles_the_wait_up_to_a_limit() {
    let mut breaker = opened_at(0);
    let mut now_us = 0;
    for lasting_us in [1_000, 2_000, 4_000, 4_000] {
        now_us += lasting_us;
        assert_eq!(breaker.admit(now_us), Admission::Probe);
        breaker.failed(now_us);
    }
}

fn opened_at(now_us: i64) -> Breaker {
    let mut breaker = Breaker::new(LIMITS);
    for _ in 0..LIMITS.faults_to_open {
        breaker.failed(now_us);
    }
    breaker
}

proptest! {
    /// Whatever happened, and however the clock jumps, it lets somebody try again after the
    /// longest opening, and a success always closes it.
    #[test]
    fn it_never_locks_anybody_out(
        steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0_i64..10_000), 0..50)
    ) {
        let mut breaker = Breaker::new(LIMITS);
        let mut latest = 0;
        for (asks, fails, now_us) in steps {
            latest = latest.max(now_us);
            if asks {
                breaker.admit(now_us);
            }
            if fails {
                breaker.failed(now_us);
            }
        }
        let later = latest + LIMITS.longest_open_us;
        prop_assert!(breaker.is_healthy(later));
        let admission = breaker.admit(later);
        prop_assert!(matches!(admission, Admission::Go | Admission::Probe));
        breaker.succeeded();
        prop_assert_eq!(breaker.admit(later), Admission::Go);
    }
}

#[rstest]
#[case::seconds(&[("retry-after", "7")], Some(7_000))]
#[case::padded(&[("retry-after", " 7 ")], Some(7_000))]
#[case::fraction(&[("retry-after", "0.5")], Some(500))]
#[case::milliseconds_win(&[("retry-after", "7"), ("retry-after-ms", "20")], Some(20))]
#[case::date(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")], Some(3_000))]
#[case::past(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT")], Some(0))]
#[case::date_without_a_clock(&[("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")], None)]
#[case::negative(&[("retry-after", "-1")], None)]
#[case::not_a_number(&[("retry-after", "NaN")], None)]
#[case::words(&[("retry-after", "soon")], None)]
#[case::nothing(&[], None)]
fn retry_after_is_read(#[case] pairs: &[(&'static str, &str)], #[case] expected_ms: Option<u64>) {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    assert_eq!(
        retry_after(&headers),
        expected_ms.map(Duration::from_millis)
    );
}
