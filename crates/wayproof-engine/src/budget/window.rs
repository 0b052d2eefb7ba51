//! How long a budget lasts: spans of the calendar in UTC, so that every gateway means the same one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::calendar::{DAY_US, Date};

/// Microseconds of an hour.
const HOUR_US: i64 = 3_600_000_000;

/// How long a budget lasts before it starts anew, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to the next.
    Month,
    /// For good.
    Total,
}

/// A word that names no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no window of a budget; there are hour, day, week, month and total")]
pub struct NotAWindow(
    /// The text that was given.
    pub String,
);

impl Window {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Total];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Total => "total",
        }
    }

    /// The name of the span that a moment is in: `2026-11-29T20`, `2026-11-29`, `week of 2026-11-23`, `2026-11`, `ever`.
    pub fn span(self, at_us: i64) -> String {
        let Date { year, month, day } = Date::of_us(at_us);
        match self {
            Self::Hour => {
                let hour = at_us.rem_euclid(DAY_US) / HOUR_US;
                format!("{year:04}-{month:02}-{day:02}T{hour:02}")
            }
            Self::Day => format!("{year:04}-{month:02}-{day:02}"),
            Self::Week => {
                let Date { year, month, day } = Date::of_days(monday(at_us));
                format!("week of {year:04}-{month:02}-{day:02}")
            }
            Self::Month => format!("{year:04}-{month:02}"),
            Self::Total => "ever".to_owned(),
        }
    }

    /// When the span that a moment is in ends, in microseconds since 1970; `None` for one that does not.
    pub fn ends_us(self, at_us: i64) -> Option<i64> {
        match self {
            Self::Hour => Some((at_us.div_euclid(HOUR_US) + 1) * HOUR_US),
            Self::Day => Some((at_us.div_euclid(DAY_US) + 1) * DAY_US),
            Self::Week => Some((monday(at_us) + 7) * DAY_US),
            Self::Month => Some(Date::of_us(at_us).next_month().midnight_us()),
            Self::Total => None,
        }
    }

    /// The same moment as people write it, to the minute: `2026-12-01 00:00 UTC`.
    pub fn ends(self, at_us: i64) -> Option<String> {
        let ends_us = self.ends_us(at_us)?;
        let Date { year, month, day } = Date::of_us(ends_us);
        let hour = ends_us.rem_euclid(DAY_US) / HOUR_US;
        Some(format!("{year:04}-{month:02}-{day:02} {hour:02}:00 UTC"))
    }
}

/// The day, since 1970-01-01, of the Monday on or before a moment. The first of 1970 was a Thursday.
fn monday(at_us: i64) -> i64 {
    let days = at_us.div_euclid(DAY_US);
    days - (days + 3).rem_euclid(7)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Window {
    type Err = NotAWindow;

    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        Self::ALL
            .into_iter()
            .find(|window| window.as_str() == text)
            .ok_or_else(|| NotAWindow(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-29 20:35:27 UTC, a Sunday.
    const NOW: i64 = 1_795_984_527_000_000;

    #[test]
    fn spans_have_names_and_ends() {
        let told: Vec<_> = Window::ALL
            .iter()
            .map(|window| (window.span(NOW), window.ends(NOW)))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            told,
            [
                ("2026-11-29T20".to_owned(), some("2026-11-29 21:00 UTC")),
                ("2026-11-29".to_owned(), some("2026-11-30 00:00 UTC")),
                (
                    "week of 2026-11-23".to_owned(),
                    some("2026-11-30 00:00 UTC")
                ),
                ("2026-11".to_owned(), some("2026-12-01 00:00 UTC")),
                ("ever".to_owned(), None),
            ]
        );
        for window in Window::ALL {
            if let Some(ends) = window.ends_us(NOW) {
                assert_eq!(window.span(ends - 1), window.span(NOW));
                assert_ne!(window.span(ends), window.span(NOW));
            }
        }
        assert_eq!("week".parse(), Ok(Window::Week));
        assert!("fortnight".parse::<Window>().is_err());
    }
}
