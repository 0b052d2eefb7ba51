//! The days that a page is about: a period that ends today, or a part of the last year that somebody looks at closely.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::params::Params;
use crate::show::time::day;

/// Days that are looked back at most.
const FURTHEST: i64 = 365;

/// Days on end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    first: i64,
    last: i64,
    today: i64,
    /// Whether they are named, and not just the latest.
    is_near: bool,
}

impl Window {
    /// The days from `from` to `to`, each of which may be left out; without both, those of a period.
    ///
    /// What cannot be read, and what ends before it begins, is no range.
    pub(super) fn of(params: &Params, period: i64, today: i64) -> Self {
        let latest = Self {
            first: today - period + 1,
            last: today,
            today,
            is_near: false,
        };
        let named = |name| params.get(name).and_then(|text| number(&text));
        let (from, to) = (named("from"), named("to"));
        if from.is_none() && to.is_none() {
            return latest;
        }
        let last = to.unwrap_or(today).min(today);
        let first = from.unwrap_or(last - period + 1);
        let first = first.max(today - FURTHEST + 1);
        if first > last {
            return latest;
        }
        Self {
            first,
            last,
            is_near: (first, last) != (latest.first, latest.last),
            ..latest
        }
    }

    pub(super) const fn days(&self) -> RangeInclusive<i64> {
        self.first..=self.last
    }

    /// How many.
    pub(super) const fn length(&self) -> i64 {
        self.last - self.first + 1
    }

    pub(super) const fn is_near(&self) -> bool {
        self.is_near
    }

    /// The first and the last of them as they are written; the same day is written once.
    pub(super) fn words(&self) -> String {
        if self.first == self.last {
            day(self.first)
        } else {
            format!("{} to {}", day(self.first), day(self.last))
        }
    }

    /// As addresses and forms name them.
    pub(super) fn ends(&self) -> (String, String) {
        (day(self.first), day(self.last))
    }

    /// These days of them, if they are fewer.
    pub(super) fn part(&self, first: i64, last: i64) -> Option<Self> {
        let (first, last) = (first.max(self.first), last.min(self.last));
        let is_part = first <= last && (first, last) != (self.first, self.last);
        is_part.then_some(Self {
            first,
            last,
            is_near: true,
            ..*self
        })
    }

    /// As many days before these, as far as they are looked back at.
    pub(super) fn before(&self) -> Option<Self> {
        let furthest = self.today - FURTHEST + 1;
        (self.is_near && self.first > furthest).then(|| Self {
            first: (self.first - self.length()).max(furthest),
            last: self.first - 1,
            ..*self
        })
    }

    /// As many days after these, up to today.
    pub(super) fn after(&self) -> Option<Self> {
        (self.is_near && self.last < self.today).then(|| Self {
            first: self.last + 1,
            last: (self.last + self.length()).min(self.today),
            ..*self
        })
    }
}

/// A day as a number of days since 1970.
fn number(text: &str) -> Option<i64> {
    let date: Date = text.parse().ok()?;
    let at = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(at.timestamp().as_second().div_euclid(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22.
    const TODAY: i64 = 20_779;

    fn window(query: &str) -> Window {
        Window::of(&Params::parse(query.as_bytes()), 30, TODAY)
    }

    #[test]
    fn days_are_named_or_the_latest() {
        let latest = window("");
        assert_eq!(latest.words(), "2026-10-24 to 2026-11-22");
        assert!(!latest.is_near() && latest.before().is_none() && latest.after().is_none());
        for (query, words) in [
            ("from=2026-11-02&to=2026-11-08", "2026-11-02 to 2026-11-08"),
            ("from=2026-11-02&to=2026-11-02", "2026-11-02"),
            ("from=2026-11-20", "2026-11-20 to 2026-11-22"),
            ("to=2026-11-08", "2026-10-10 to 2026-11-08"),
            ("from=1970-01-01&to=2026-11-08", "2025-11-23 to 2026-11-08"),
            ("from=2026-11-20&to=9999-01-01", "2026-11-20 to 2026-11-22"),
        ] {
            let near = window(query);
            assert_eq!(near.words(), words, "{query}");
            assert!(near.is_near());
        }
        for query in [
            "from=2026-11-08&to=2026-11-02",
            "from=2026-12-01",
            "to=1999-01-01",
            "from=yesterday",
            "from=2026-02-30",
            "from=&to=",
            "from=2026-10-24&to=2026-11-22",
        ] {
            assert_eq!(window(query), latest, "{query}");
        }
    }

    #[test]
    fn one_goes_on_by_as_many_days() {
        let week = window("from=2026-11-10&to=2026-11-16");
        assert_eq!(week.before().unwrap().words(), "2026-11-03 to 2026-11-09");
        assert_eq!(week.after().unwrap().words(), "2026-11-17 to 2026-11-22");
        assert!(week.after().unwrap().after().is_none());
        let first = window("from=2025-11-23&to=2025-11-25");
        assert!(first.before().is_none());
        let inside = week.part(week.first - 5, week.first).unwrap();
        assert_eq!(inside.words(), "2026-11-10");
        assert!(week.part(week.first, week.last).is_none());
        assert!(week.part(week.last + 1, week.last + 2).is_none());
    }
}
