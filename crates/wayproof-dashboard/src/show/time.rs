//! Times, all in UTC.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

fn written(form: &str, at_us: i64) -> String {
    let zoned = Timestamp::from_microsecond(at_us).map(|at| at.to_zoned(TimeZone::UTC));
    let text = zoned.and_then(|zoned| strtime::format(form, &zoned));
    text.unwrap_or_else(|_| format!("{at_us} µs"))
}

/// A moment to the second.
pub(crate) fn at(at_us: i64) -> String {
    written("%Y-%m-%d %H:%M:%S", at_us)
}

/// A moment as machines read it.
pub(crate) fn stamp(at_us: i64) -> String {
    written("%Y-%m-%dT%H:%M:%SZ", at_us)
}

/// The time of day.
pub(crate) fn clock(at_us: i64) -> String {
    written("%H:%M:%S", at_us)
}

/// A day, counted since 1970.
pub(crate) fn day(number: i64) -> String {
    written("%Y-%m-%d", number.saturating_mul(DAY_US))
}

/// The month something was in, as months of decisions are named.
pub(crate) fn month(at_us: i64) -> String {
    written("%Y-%m", at_us)
}

/// How long ago something was, in one unit.
pub(crate) fn ago(now_us: i64, then_us: i64) -> String {
    let seconds = now_us.saturating_sub(then_us).max(0) / 1_000_000;
    match seconds {
        0..=4 => "just now".to_owned(),
        5..=59 => format!("{seconds} s ago"),
        60..=3_599 => format!("{} min ago", seconds / 60),
        3_600..=86_399 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// How long something took.
pub(crate) fn lasted(us: i64) -> String {
    let ms = us.max(0) / 1_000;
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=59_999 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..=3_599_999 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_never_fail() {
        assert_eq!(at(1_795_348_800_000_000), "2026-11-22 12:00:00");
        assert_eq!(stamp(1_795_348_800_000_000), "2026-11-22T12:00:00Z");
        assert_eq!(at(i64::MAX), format!("{} µs", i64::MAX));
        assert_eq!(ago(10_000_000, 0), "10 s ago");
        assert_eq!(lasted(125_000_000), "2 min 5 s");
    }
}
