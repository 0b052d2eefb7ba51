//! What to do after a try that did not bring an answer worth relaying.
//!
//! Pure: it is given the fault, the provider's own `Retry-After` and the time that is left,
//! and says wait, go sideways, or give up. It sends nothing and sleeps nowhere.

use std::time::Duration;

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

/// How often and how long one target is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryLimits {
    /// Tries after the first one at the same target.
    pub retries: u32,
    /// The wait before the first retry when the provider names none; it doubles each time.
    pub first_wait: Duration,
    /// The longest wait the client is kept for. A provider that asks for more is not waited
    /// for: the next target is tried, or the client is told to come back.
    pub longest_wait: Duration,
}

impl Default for RetryLimits {
    fn default() -> Self {
        Self {
            retries: 2,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(3),
        }
    }
}

/// The next step after a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try the same target again after this wait.
    Again(Duration),
    /// This target has had its chance.
    Onward,
}

/// Says whether a status is the provider's trouble, so that another try may help.
pub(crate) const fn is_provider_fault(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504 | 529)
}

/// Says whether a status speaks against the provider's health. A rate limit does not: it is
/// about the caller.
pub(crate) const fn speaks_against_health(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504 | 529)
}

/// Decides the next step after `tries` tries at one target, with `left` before the deadline.
pub(crate) fn next_step(
    limits: &RetryLimits,
    tries: u32,
    asked: Option<Duration>,
    left: Duration,
) -> Next {
    if tries > limits.retries {
        return Next::Onward;
    }
    let doubled = limits
        .first_wait
        .saturating_mul(1_u32 << (tries.saturating_sub(1)).min(16));
    let wait = asked.unwrap_or(doubled);
    if wait > limits.longest_wait || wait >= left {
        Next::Onward
    } else {
        Next::Again(wait)
    }
}

/// Reads how long the provider asks to be left alone.
///
/// `retry-after-ms` is OpenAI's finer form. A date is taken relative to the answer's own `Date`,
/// so that the two machines' clocks need not agree.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(ms) = text(headers, "retry-after-ms").and_then(|value| value.parse::<u64>().ok()) {
        return Some(Duration::from_millis(ms));
    }
    let value = text(headers, RETRY_AFTER.as_str())?;
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text(headers, DATE.as_str())?).ok()?;
    Some(until.duration_since(now).unwrap_or(Duration::ZERO))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
