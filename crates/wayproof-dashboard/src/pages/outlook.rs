//! What the month will come to, in each kind of money by itself.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use wayproof_ledger::{DayRecord, Money, SpendCube};

use crate::forecast;
use crate::show::money::{told, usd};
use crate::show::text::counted;
use crate::show::time::day;

/// What a month will come to, in one kind of money.
#[derive(Debug)]
pub(super) struct Outlook {
    pub(super) kind: &'static str,
    pub(super) so_far: String,
    pub(super) expected: String,
    pub(super) interval: String,
}

/// A column of money.
type Column = fn(&Money) -> Option<i64>;

/// The month by its name, what it will come to in each kind of money, and what is not in it.
pub(super) fn outlook(spend: &SpendCube, today: i64) -> (String, Vec<Outlook>, String) {
    let (first, last) = month_of(today);
    let since = first.min(today - forecast::DAYS);
    let record = spend.days(&(since..=today));
    let days = filled(&record, since..=today);
    // Days before the first on which anything happened say nothing about those to come.
    let began = record.iter().map(|day| day.day).min().unwrap_or(today);
    let past = |day: &&DayRecord| day.day < today && day.day >= began.max(today - forecast::DAYS);
    let days_left = u32::try_from(last - today).unwrap_or(0);
    let kinds: [(&'static str, Column); 3] = [
        ("Listed", |money| money.listed_nano_usd),
        ("Billed", |money| money.billed_nano_usd),
        ("Subscription", |money| money.subscription_nano_usd),
    ];
    let outlooks = kinds.into_iter().map(|(kind, of)| {
        let month = days.iter().filter(|day| day.day >= first);
        let so_far = month
            .filter_map(|day| of(&day.money))
            .reduce(i64::saturating_add);
        let is_known = days.iter().any(|day| of(&day.money).is_some());
        let complete: Vec<i64> = days
            .iter()
            .filter(past)
            .map(|day| of(&day.money).unwrap_or(0))
            .collect();
        let seen = is_known
            .then(|| forecast::month_end(&complete, so_far.unwrap_or(0), days_left))
            .flatten();
        Outlook {
            kind,
            so_far: told(so_far),
            expected: told(seen.map(|seen| seen.expected)),
            interval: match seen {
                Some(seen) => format!("{} to {}", usd(seen.low), usd(seen.high)),
                None if is_known => "too few days".to_owned(),
                None => "nothing known".to_owned(),
            },
        }
    });
    let unknown = days
        .iter()
        .map(|day| day.money.listed_unknown)
        .fold(0, i64::saturating_add);
    let unpriced = if unknown == 0 {
        String::new()
    } else {
        counted(
            unknown,
            "request has no price and is",
            "requests have no price and are",
        ) + " not in it."
    };
    (
        day(first).chars().take(7).collect(),
        outlooks.collect(),
        unpriced,
    )
}

/// The first and the last day of the month of a day.
fn month_of(today: i64) -> (i64, i64) {
    let at = jiff::Timestamp::from_second(today.saturating_mul(86_400));
    let date = at.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    let Ok(date) = date else {
        return (today, today);
    };
    let first = today - i64::from(date.day() - 1);
    (first, first + i64::from(date.days_in_month()) - 1)
}

/// The days with those on which nothing happened.
pub(super) fn filled(record: &[DayRecord], days: RangeInclusive<i64>) -> Vec<DayRecord> {
    let by_day: BTreeMap<i64, &DayRecord> = record.iter().map(|day| (day.day, day)).collect();
    days.map(|day| {
        by_day.get(&day).map_or_else(
            || DayRecord {
                day,
                ..DayRecord::default()
            },
            |known| (*known).clone(),
        )
    })
    .collect()
}
