//! Days as people write them: a date, or so many days or weeks ago. All of them are UTC.

use anyhow::Result;
use jiff::civil::Date;
use wayproof_ledger::Days;

use crate::{cli::Period, exit::Mistake};

const DAY_US: i64 = 86_400_000_000;

/// The days that are meant, as numbers of days since 1970.
pub(crate) fn days(period: &Period, now_us: i64) -> Result<Days> {
    let today = now_us.div_euclid(DAY_US);
    let read = |text: &Option<String>, option: &str| {
        text.as_deref()
            .map(|text| day(text, today).ok_or_else(|| mistake(option, text)))
            .transpose()
    };
    let from = read(&period.since, "--since")?;
    let last = read(&period.until, "--until")?;
    if let (Some(from), Some(last)) = (from, last)
        && last < from
    {
        return Err(Mistake("--until names a day before --since".to_owned()).into());
    }
    Ok(Days {
        from,
        until: last.map(|last| last + 1),
    })
}

/// One day as it is given on the command line.
pub(crate) fn one_day(text: &str, option: &str, now_us: i64) -> Result<i64> {
    day(text, now_us.div_euclid(DAY_US)).ok_or_else(|| mistake(option, text).into())
}

fn mistake(option: &str, text: &str) -> Mistake {
    Mistake(format!(
        "{option} takes a date such as 2026-11-01, or so long ago, such as 7d or 4w; `{text}` is neither"
    ))
}

fn day(text: &str, today: i64) -> Option<i64> {
    if let Ok(date) = text.parse::<Date>() {
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        return Some(midnight.as_second().div_euclid(86_400));
    }
    let ago = |suffix: char, days: i64| {
        let count: u32 = text.strip_suffix(suffix)?.parse().ok()?;
        i64::from(count).checked_mul(days)
    };
    let ago = ago('d', 1).or_else(|| ago('w', 7))?;
    Some(today.saturating_sub(ago))
}

/// A day's date.
pub(crate) fn date(day: i64) -> String {
    let at = day
        .checked_mul(86_400)
        .and_then(|second| jiff::Timestamp::from_second(second).ok());
    at.map_or_else(
        || format!("day {day}"),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}

/// The days in words.
pub(crate) fn words(days: Days) -> String {
    match (days.from, days.until) {
        (None, None) => "since the beginning".to_owned(),
        (Some(from), None) => format!("since {}", date(from)),
        (None, Some(until)) => format!("until {}", date(until - 1)),
        (Some(from), Some(until)) => format!("{} to {}", date(from), date(until - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-29 20:00 UTC.
    const NOW_US: i64 = 1_795_982_400_000_000;

    fn of(since: &str, until: Option<&str>) -> Result<Days> {
        let period = Period {
            since: Some(since.to_owned()),
            until: until.map(str::to_owned),
        };
        days(&period, NOW_US)
    }

    #[test]
    fn days_are_dates_or_so_long_ago() {
        let week = of("7d", Some("2026-11-29")).unwrap_or_default();
        assert_eq!(words(week), "2026-11-22 to 2026-11-29");
        assert_eq!(of("1w", None).ok(), of("2026-11-22", None).ok());
        assert_eq!(
            of("0d", None).ok().map(words).as_deref(),
            Some("since 2026-11-29")
        );
    }

    #[test]
    fn what_is_no_day_is_a_mistake() {
        for text in [
            "",
            "d",
            "-3d",
            "7h",
            "2026-13-01",
            "99999999999d",
            "7d ",
            "päivä",
        ] {
            assert!(of(text, None).is_err(), "{text}");
        }
        assert!(of("2026-11-20", Some("2026-11-19")).is_err());
    }
}
