//! How fast the holder of a key may go: requests and tokens a minute.
//!
//! A bucket fills evenly and holds a minute's worth. It is this process's own; gateways that share a ledger each count
//! for themselves. Tokens are known only afterwards, so a bucket may go into debt and the next request waits for that.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Parts of a unit that a bucket counts in, so that a refill of a microsecond is a whole number of them.
const PARTS: i64 = 60_000_000;

/// What fills up and is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// In parts of a unit; below zero is debt.
    level: i64,
    at_us: i64,
}

impl Bucket {
    const fn full(per_minute: i64, at_us: i64) -> Self {
        Self {
            level: per_minute.saturating_mul(PARTS),
            at_us,
        }
    }

    fn fill(&mut self, per_minute: i64, now_us: i64) {
        // A clock that is set back gives nothing.
        let passed = now_us.saturating_sub(self.at_us).max(0);
        let most = per_minute.saturating_mul(PARTS);
        let more = passed.saturating_mul(per_minute);
        self.level = self.level.saturating_add(more).min(most);
        self.at_us = now_us;
    }

    /// Seconds until so much is in it, rounded up.
    fn wait_s(&self, parts: i64, per_minute: i64) -> Option<u64> {
        let missing = parts.saturating_sub(self.level);
        if missing <= 0 {
            return None;
        }
        let per_second = per_minute.saturating_mul(1_000_000).max(1);
        let seconds = missing.saturating_add(per_second - 1) / per_second;
        u64::try_from(seconds).ok().map(|seconds| seconds.max(1))
    }
}

/// What a key may do in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) requests: Option<u32>,
    pub(crate) tokens: Option<u64>,
}

impl Pace {
    fn tokens(self) -> Option<i64> {
        self.tokens
            .map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX))
    }
}

/// What a key has to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// `requests` or `tokens`.
    pub(crate) what: &'static str,
    pub(crate) per_minute: i64,
    pub(crate) seconds: u64,
}

/// The buckets of all keys, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Paces(Mutex<BTreeMap<String, Buckets>>);

#[derive(Clone, Copy, Debug)]
struct Buckets {
    requests: Bucket,
    tokens: Bucket,
}

/// More keys than this are not remembered; those that are forgotten begin with a full minute.
const MOST_KEYS: usize = 10_000;

impl Paces {
    /// Takes one request, if the key may make one now.
    pub(crate) fn take(&self, key: &str, pace: Pace, now_us: i64) -> Result<(), Wait> {
        let requests = pace.requests.map(i64::from);
        let tokens = pace.tokens();
        if requests.is_none() && tokens.is_none() {
            return Ok(());
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KEYS && !known.contains_key(key) {
            known.pop_first();
        }
        let buckets = known.entry(key.to_owned()).or_insert_with(|| Buckets {
            requests: Bucket::full(requests.unwrap_or(0), now_us),
            tokens: Bucket::full(tokens.unwrap_or(0), now_us),
        });
        let short = |what, bucket: &mut Bucket, per_minute: i64, needed| {
            bucket.fill(per_minute, now_us);
            let seconds = bucket.wait_s(needed, per_minute)?;
            Some(Wait {
                what,
                per_minute,
                seconds,
            })
        };
        // Whoever is in debt with tokens does not spend a request on being told so.
        let wait = tokens.and_then(|tokens| short("tokens", &mut buckets.tokens, tokens, 1));
        let wait = wait.or_else(|| {
            requests.and_then(|requests| short("requests", &mut buckets.requests, requests, PARTS))
        });
        if let Some(wait) = wait {
            return Err(wait);
        }
        if requests.is_some() {
            buckets.requests.level -= PARTS;
        }
        Ok(())
    }

    /// Takes the tokens that a request turned out to use.
    pub(crate) fn used(&self, key: &str, tokens: u64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(buckets) = known.get_mut(key) {
            let parts = i64::try_from(tokens)
                .unwrap_or(i64::MAX)
                .saturating_mul(PARTS);
            buckets.tokens.level = buckets.tokens.level.saturating_sub(parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_minute_has_so_many_requests_and_says_when_the_next_may_come() {
        let paces = Paces::default();
        let pace = Pace {
            requests: Some(3),
            tokens: None,
        };
        for _ in 0..3 {
            assert_eq!(paces.take("k", pace, 0), Ok(()));
        }
        let wait = paces.take("k", pace, 0).unwrap_err();
        assert_eq!(
            (wait.what, wait.per_minute, wait.seconds),
            ("requests", 3, 20)
        );
        assert_eq!(paces.take("k", pace, 12 * SECOND).unwrap_err().seconds, 8);
        assert_eq!(paces.take("k", pace, 20 * SECOND), Ok(()));
        assert!(paces.take("k", pace, 20 * SECOND).is_err());
        assert_eq!(paces.take("other", pace, 0), Ok(()));
        // A clock set back gives nothing, and a long rest no more than a minute's worth.
        assert!(paces.take("k", pace, 0).is_err());
        for _ in 0..3 {
            assert_eq!(paces.take("k", pace, 9_000 * SECOND), Ok(()));
        }
        assert!(paces.take("k", pace, 9_000 * SECOND).is_err());
    }

    #[test]
    fn tokens_are_paid_for_afterwards() {
        let paces = Paces::default();
        let pace = Pace {
            requests: None,
            tokens: Some(600),
        };
        assert_eq!(paces.take("k", pace, 0), Ok(()));
        paces.used("k", 1_200);
        let wait = paces.take("k", pace, 0).unwrap_err();
        assert_eq!((wait.what, wait.seconds), ("tokens", 61));
        assert!(paces.take("k", pace, 59 * SECOND).is_err());
        assert_eq!(paces.take("k", pace, 61 * SECOND), Ok(()));
        paces.used("k", u64::MAX);
        assert!(paces.take("k", pace, 62 * SECOND).unwrap_err().seconds > 1_000);
    }
}
