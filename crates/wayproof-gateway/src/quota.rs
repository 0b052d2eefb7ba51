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
        let Some(reading) = reading(name.as_str(), value, headers) else {
            continue;
        };
        found.push(QuotaSampled {
            provider: provider.to_owned(),
            resets_at_us: resets_at(&reading.resets, headers, now_us),
            window: reading.window,
            used_ppm: Some(reading.used_ppm),
            source: name.as_str().to_owned(),
        });
    }
    found
}

/// What one header tells.
struct Reading {
    window: String,
    used_ppm: i64,
    /// The headers that may tell when the window starts anew, the first that is there.
    resets: Vec<String>,
}

/// One header's window and how much of it is used.
fn reading(name: &str, value: &str, headers: &HeaderMap) -> Option<Reading> {
    let of_rest = |window: String, limit: &str, resets: Vec<String>| {
        let used_ppm = used(number(headers, limit)?, value.parse().ok()?)?;
        Some(Reading {
            window,
            used_ppm,
            resets,
        })
    };
    if let Some(rest) = name.strip_prefix("anthropic-ratelimit-") {
        if let Some(window) = rest.strip_suffix("-utilization") {
            return Some(Reading {
                window: window.to_owned(),
                used_ppm: ppm(value.parse().ok()?, 1.0)?,
                resets: vec![format!("anthropic-ratelimit-{window}-reset")],
            });
        }
        let window = rest.strip_suffix("-remaining")?;
        let [limit, reset] =
            ["limit", "reset"].map(|word| format!("anthropic-ratelimit-{window}-{word}"));
        return of_rest(window.to_owned(), &limit, vec![reset]);
    }
    if let Some(window) = name.strip_prefix("x-ratelimit-remaining-") {
        // GitHub says how long its window goes on in a header for all of them.
        let resets = [
            format!("x-ratelimit-reset-{window}"),
            "x-ratelimit-timeremaining".to_owned(),
        ];
        let limit = format!("x-ratelimit-limit-{window}");
        return of_rest(window.to_owned(), &limit, resets.into());
    }
    // OpenRouter and Together count requests only, and say so without a word for it.
    if name == "x-ratelimit-remaining" {
        let resets = ["x-ratelimit-reset", "x-ratelimit-timeremaining"].map(str::to_owned);
        return of_rest("requests".to_owned(), "x-ratelimit-limit", resets.into());
    }
    if let Some(window) = name
        .strip_prefix("x-codex-")
        .and_then(|rest| rest.strip_suffix("-used-percent"))
    {
        return Some(Reading {
            window: window.to_owned(),
            used_ppm: ppm(value.parse().ok()?, 100.0)?,
            resets: vec![format!("x-codex-{window}-reset-after-seconds")],
        });
    }
    // Mistral counts tokens by the size of the model, in one window without a name or in several with one.
    let (stem, rest) = name.split_once("ratelimitbysize-remaining")?;
    if matches!(stem, "" | "x-") {
        let [limit, reset] =
            ["limit", "reset"].map(|word| format!("{stem}ratelimitbysize-{word}{rest}"));
        return of_rest(format!("tokens-by-size{rest}"), &limit, vec![reset]);
    }
    None
}

/// When a window starts anew, by the first of these headers that is there.
fn resets_at(names: &[String], headers: &HeaderMap, now_us: i64) -> Option<i64> {
    let told = names.iter().find_map(|name| headers.get(name))?;
    moment(told.to_str().ok()?.trim(), now_us)
}

/// A moment, as it is told: as a date, as seconds or milliseconds since 1970, or as a span from now on, in seconds or
/// with units such as `6m0.5s`.
fn moment(told: &str, now_us: i64) -> Option<i64> {
    const SECOND_US: f64 = 1e6;
    // No window lasts for 30 years, and none began before 2001.
    const FIRST_SECOND: f64 = 1e9;
    const FIRST_MILLISECOND: f64 = 1e12;
    if let Ok(seconds) = told.parse::<f64>() {
        return match seconds {
            since if since >= FIRST_MILLISECOND => whole(since * 1e3),
            since if since >= FIRST_SECOND => whole(since * SECOND_US),
            span => now_us.checked_add(whole(span * SECOND_US)?),
        };
    }
    if let Some(seconds) = duration(told) {
        return now_us.checked_add(whole(seconds * SECOND_US)?);
    }
    let date: jiff::Timestamp = told.parse().ok()?;
    Some(date.as_microsecond())
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
    use rstest::rstest;

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

    #[rstest]
    #[case::anthropic(&[
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "40"),
        ("anthropic-ratelimit-requests-reset", "1970-01-01T00:01:00Z"),
    ], "requests", 200_000, Some(60_000_000))]
    #[case::anthropic_unified(&[
        ("anthropic-ratelimit-unified-5h-utilization", "0.61"),
        ("anthropic-ratelimit-unified-5h-reset", "1795305600"),
    ], "unified-5h", 610_000, Some(1_795_305_600_000_000))]
    #[case::openai(&[
        ("x-ratelimit-limit-requests", "100"),
        ("x-ratelimit-remaining-requests", "75"),
        ("x-ratelimit-reset-requests", "1m2.5s"),
    ], "requests", 250_000, Some(63_500_000))]
    #[case::groq(&[
        ("x-ratelimit-limit-tokens", "8000"),
        ("x-ratelimit-remaining-tokens", "2000"),
        ("x-ratelimit-reset-tokens", "20ms"),
    ], "tokens", 750_000, Some(1_020_000))]
    #[case::azure(&[
        ("x-ratelimit-limit-tokens", "8000"),
        ("x-ratelimit-remaining-tokens", "2000"),
        ("x-ratelimit-reset-tokens", "10"),
    ], "tokens", 750_000, Some(11_000_000))]
    #[case::openrouter(&[
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "9"),
        ("x-ratelimit-reset", "1795305600000"),
    ], "requests", 100_000, Some(1_795_305_600_000_000))]
    #[case::together(&[
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "9"),
        ("x-ratelimit-reset", "0.5"),
    ], "requests", 100_000, Some(1_500_000))]
    #[case::github(&[
        ("x-ratelimit-limit-requests", "150"),
        ("x-ratelimit-remaining-requests", "75"),
        ("x-ratelimit-timeremaining", "3600"),
    ], "requests", 500_000, Some(3_601_000_000))]
    #[case::mistral(&[
        ("ratelimitbysize-limit", "500000"),
        ("ratelimitbysize-remaining", "499000"),
        ("ratelimitbysize-reset", "42"),
    ], "tokens-by-size", 2_000, Some(43_000_000))]
    #[case::mistral_month(&[
        ("x-ratelimitbysize-limit-month", "1000"),
        ("x-ratelimitbysize-remaining-month", "100"),
    ], "tokens-by-size-month", 900_000, None)]
    #[case::codex(&[
        ("x-codex-primary-used-percent", "12.5"),
        ("x-codex-primary-reset-after-seconds", "60"),
    ], "primary", 125_000, Some(61_000_000))]
    #[case::no_moment(&[
        ("x-ratelimit-limit-requests", "4"),
        ("x-ratelimit-remaining-requests", "1"),
        ("x-ratelimit-reset-requests", "soon"),
    ], "requests", 750_000, None)]
    #[case::endless(&[
        ("x-ratelimit-limit-requests", "4"),
        ("x-ratelimit-remaining-requests", "1"),
        ("x-ratelimit-reset-requests", "1e300"),
    ], "requests", 750_000, None)]
    fn every_provider_says_it_in_its_own_way(
        #[case] head: &[(&'static str, &str)],
        #[case] window: &str,
        #[case] used_ppm: i64,
        #[case] resets_at_us: Option<i64>,
    ) {
        assert_eq!(read(head), [(window.to_owned(), used_ppm, resets_at_us)]);
    }
}
