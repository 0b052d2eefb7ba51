//! How much of a quota is used up, by what providers say in the heads of their answers.
//!
//! Only what is said is sampled, and only when it changed by a whole percent: a quota that moves a
//! little with every answer would otherwise double the ledger.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use wayproof_ledger::QuotaSampled;

/// Parts per million in one percent.
const PERCENT_PPM: i64 = 10_000;

/// The last sample of every window.
#[derive(Debug, Default)]
pub(crate) struct Quotas(Mutex<BTreeMap<(String, String), i64>>);

impl Quotas {
    /// Says whether a sample differs from the last one of its window by a whole percent.
    pub(crate) fn is_news(&self, sample: &QuotaSampled) -> bool {
        let percent = sample.used_ppm.unwrap_or_default() / PERCENT_PPM;
        let key = (sample.provider.clone(), sample.window.clone());
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.insert(key, percent) != Some(percent)
    }
}

/// Reads the quotas that the head of an answer tells.
pub(crate) fn samples(provider: &str, headers: &HeaderMap, now_us: i64) -> Vec<QuotaSampled> {
    let mut found = Vec::new();
    for (name, value) in headers {
        let Some(value) = value.to_str().ok() else {
            continue;
        };
        let Some((window, used_ppm)) = reading(name.as_str(), value, headers) else {
            continue;
        };
        found.push(QuotaSampled {
            provider: provider.to_owned(),
            resets_at_us: resets_at(name.as_str(), headers, now_us),
            window,
            used_ppm: Some(used_ppm),
            source: name.as_str().to_owned(),
        });
    }
    found
}

/// One header's window and how much of it is used.
fn reading(name: &str, value: &str, headers: &HeaderMap) -> Option<(String, i64)> {
    if let Some(rest) = name.strip_prefix("anthropic-ratelimit-") {
        if let Some(window) = rest.strip_suffix("-utilization") {
            return Some((window.to_owned(), ppm(value.parse().ok()?, 1.0)?));
        }
        let window = rest.strip_suffix("-remaining")?;
        let limit = number(headers, &format!("anthropic-ratelimit-{window}-limit"))?;
        return Some((window.to_owned(), used(limit, value.parse().ok()?)?));
    }
    if let Some(window) = name.strip_prefix("x-ratelimit-remaining-") {
        let limit = number(headers, &format!("x-ratelimit-limit-{window}"))?;
        return Some((window.to_owned(), used(limit, value.parse().ok()?)?));
    }
    // OpenRouter and Together count requests only, and say so without a word for it.
    if name == "x-ratelimit-remaining" {
        let limit = number(headers, "x-ratelimit-limit")?;
        return Some(("requests".to_owned(), used(limit, value.parse().ok()?)?));
    }
    let window = name
        .strip_prefix("x-codex-")?
        .strip_suffix("-used-percent")?;
    Some((window.to_owned(), ppm(value.parse().ok()?, 100.0)?))
}

/// When the window of a header starts anew, where that is told as a number or a span such as `6m0.5s`.
fn resets_at(name: &str, headers: &HeaderMap, now_us: i64) -> Option<i64> {
    const SECOND_US: f64 = 1e6;
    if let Some(stem) = name.strip_suffix("-utilization") {
        return whole(number(headers, &format!("{stem}-reset"))? * SECOND_US);
    }
    if let Some(window) = name.strip_prefix("x-ratelimit-remaining-") {
        let text = headers.get(format!("x-ratelimit-reset-{window}"))?;
        let seconds = duration(text.to_str().ok()?)?;
        return now_us.checked_add(whole(seconds * SECOND_US)?);
    }
    let stem = name.strip_suffix("-used-percent")?;
    let seconds = number(headers, &format!("{stem}-reset-after-seconds"))?;
    now_us.checked_add(whole(seconds * SECOND_US)?)
}

/// The seconds in a span such as `1h2m3.5s` or `20ms`.
fn duration(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, after) = rest.split_at(end);
        let units = [("ms", 1e-3), ("h", 3_600.0), ("m", 60.0), ("s", 1.0)];
        let (unit, size) = units
            .into_iter()
            .find(|(unit, _)| after.starts_with(unit))?;
        seconds += amount.parse::<f64>().ok()? * size;
        rest = after.strip_prefix(unit)?;
    }
    Some(seconds)
}

fn number(headers: &HeaderMap, name: &str) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn used(limit: f64, remaining: f64) -> Option<i64> {
    (limit > 0.0).then(|| ppm(limit - remaining, limit))?
}

fn ppm(part: f64, whole_part: f64) -> Option<i64> {
    whole(part / whole_part * 1e6)
}

fn whole(value: f64) -> Option<i64> {
    // Past this, a double no longer holds every integer, and no window is that long.
    const MOST: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the line above keeps it within what an integer holds"
    )]
    (0.0..=MOST).contains(&value).then(|| value.round() as i64)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName};

    use super::samples;

    fn read(pairs: &[(&'static str, &str)]) -> Vec<(String, i64, Option<i64>)> {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let found = samples("p", &headers, 1_000_000).into_iter();
        found
            .map(|sample| (sample.window, sample.used_ppm.unwrap(), sample.resets_at_us))
            .collect()
    }

    #[test]
    fn every_provider_says_it_in_its_own_way() {
        let openai = read(&[
            ("x-ratelimit-limit-requests", "100"),
            ("x-ratelimit-remaining-requests", "75"),
            ("x-ratelimit-reset-requests", "1m2.5s"),
        ]);
        assert_eq!(openai, [("requests".to_owned(), 250_000, Some(63_500_000))]);
        let groq = read(&[
            ("x-ratelimit-limit-tokens", "8000"),
            ("x-ratelimit-remaining-tokens", "2000"),
            ("x-ratelimit-reset-tokens", "20ms"),
        ]);
        assert_eq!(groq, [("tokens".to_owned(), 750_000, Some(1_020_000))]);
        let bare = read(&[("x-ratelimit-limit", "10"), ("x-ratelimit-remaining", "9")]);
        assert_eq!(bare, [("requests".to_owned(), 100_000, None)]);
        let odd = read(&[
            ("x-ratelimit-limit-requests", "4"),
            ("x-ratelimit-remaining-requests", "1"),
            ("x-ratelimit-reset-requests", "soon"),
        ]);
        assert_eq!(odd, [("requests".to_owned(), 750_000, None)]);
    }
}
