//! Days of the calendar, in UTC and integer arithmetic.
//! The conversions are those of the proleptic Gregorian calendar with years that begin in March, as Howard Hinnant
//! describes them in "chrono-Compatible Low-Level Date Algorithms". Nothing here knows what time it is.

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
}

impl Date {
    /// The day of a moment, in microseconds since 1970 UTC.
    pub(crate) fn of_us(at_us: i64) -> Self {
        Self::of_days(at_us.div_euclid(DAY_US))
    }

    /// The day so many days after 1970-01-01.
    pub(crate) fn of_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * years + years / 4 - years / 100);
        let march_month = (5 * of_year + 2) / 153;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        Self {
            year: years + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * march_month + 2) / 5 + 1,
        }
    }

    /// Days since 1970-01-01.
    pub(crate) fn days(self) -> i64 {
        let years = if self.month <= 2 {
            self.year - 1
        } else {
            self.year
        };
        let era = years.div_euclid(400);
        let of_era = years.rem_euclid(400);
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }

    /// Its midnight, in microseconds since 1970 UTC.
    pub(crate) fn midnight_us(self) -> i64 {
        self.days() * DAY_US
    }

    /// The first day of the next month.
    pub(crate) fn next_month(self) -> Self {
        let (year, month) = if self.month == 12 {
            (self.year + 1, 1)
        } else {
            (self.year, self.month + 1)
        };
        Self {
            year,
            month,
            day: 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_there_and_back() {
        for days in (-800_000..800_000).step_by(17) {
            assert_eq!(Date::of_days(days).days(), days);
        }
        let date = Date::of_us(1_795_305_600_000_000);
        assert_eq!((date.year, date.month, date.day), (2026, 11, 22));
        let leap = Date::of_days(Date::of_us(951_868_800_000_000).days() - 1);
        assert_eq!((leap.year, leap.month, leap.day), (2000, 2, 29));
        let next = Date {
            year: 2026,
            month: 12,
            day: 31,
        }
        .next_month();
        assert_eq!((next.year, next.month, next.day), (2027, 1, 1));
    }
}
