//! What an exchange costs: token counts in disjoint buckets times dated rates, in exact integers.
//! Nothing is guessed: a bucket without a rate, or an answer without counts, has an unknown cost.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayproof_wire::Usage;

/// The prices of one model from one day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRow {
    /// The catalog's name for the model.
    pub model: String,
    /// When the prices begin, in microseconds since 1970 UTC.
    pub from_us: Option<i64>,
    /// Minutes of the day, UTC, between which they hold; over midnight when the first is later.
    pub daily_minutes: Option<(u16, u16)>,
    /// Rates by length of the input, shortest first; never empty for a usable row.
    pub steps: Vec<Rates>,
    /// Day of the catalog the row comes from.
    pub as_of: Arc<str>,
}

/// Nano-dollars per million tokens, for inputs longer than `over` tokens.
///
/// A bucket that is `None` is not priced. Reasoning without a rate of its own is billed as output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Input tokens, cached ones included, that must be exceeded.
    pub over: u64,
    /// Fresh input.
    pub input: i64,
    /// Output.
    pub output: i64,
    /// Input read from a cache.
    pub cache_read: Option<i64>,
    /// Input written to a cache for five minutes, or for as long as the provider keeps it.
    pub cache_write_5m: Option<i64>,
    /// Input written to a cache for an hour.
    pub cache_write_1h: Option<i64>,
    /// Reasoning, where it is priced apart from output.
    pub reasoning: Option<i64>,
}

const PER_TOKENS: i128 = 1_000_000;

impl PriceRow {
    /// Whether the row holds at a time.
    pub(crate) fn holds(&self, at_us: i64) -> bool {
        const MINUTE_US: i64 = 60_000_000;
        const DAY_MINUTES: i64 = 24 * 60;
        let has_begun = self.from_us.is_none_or(|from| at_us >= from);
        let minute = at_us.div_euclid(MINUTE_US).rem_euclid(DAY_MINUTES);
        let is_hour = self.daily_minutes.is_none_or(|(from, to)| {
            let (from, to) = (i64::from(from), i64::from(to));
            if from <= to {
                (from..to).contains(&minute)
            } else {
                minute >= from || minute < to
            }
        });
        has_begun && is_hour
    }

    /// The rates for an input of so many tokens, cached ones included.
    pub fn rates(&self, input_tokens: u64) -> Option<&Rates> {
        let fits = |rates: &&Rates| rates.over == 0 || input_tokens > rates.over;
        self.steps.iter().rev().find(fits)
    }
}

/// What an exchange costs, in nano-dollars, rounded half up once at the end.
///
/// `None` when the input or output is not known, when a bucket that was used has no rate, or when the sum is beyond
/// what the type holds. A bucket that the answer does not mention was not used.
pub fn cost(row: &PriceRow, usage: &Usage) -> Option<i64> {
    let exact = cost_exact(row, usage)?;
    i64::try_from((exact + PER_TOKENS / 2) / PER_TOKENS).ok()
}

/// The same in millionths of a nano-dollar, where sums of exchanges are exact.
pub fn cost_exact(row: &PriceRow, usage: &Usage) -> Option<i128> {
    let (fresh, output) = (usage.input?, usage.output?);
    let read = usage.cache_read.unwrap_or(0);
    let short = usage.cache_write_5m.unwrap_or(0);
    let long = usage.cache_write_1h.unwrap_or(0);
    let reasoning = usage.reasoning.unwrap_or(0);
    let input = [read, short, long]
        .into_iter()
        .try_fold(fresh, u64::checked_add)?;
    let rates = row.rates(input)?;
    let buckets = [
        (fresh, Some(rates.input)),
        (output, Some(rates.output)),
        (read, rates.cache_read),
        (short, rates.cache_write_5m),
        (long, rates.cache_write_1h),
        (reasoning, Some(rates.reasoning.unwrap_or(rates.output))),
    ];
    buckets
        .into_iter()
        .filter(|(tokens, _)| *tokens > 0)
        .try_fold(0, |sum: i128, (tokens, rate)| {
            i128::from(tokens)
                .checked_mul(i128::from(rate?))
                .and_then(|part| sum.checked_add(part))
        })
}

/// The most an exchange can cost, in nano-dollars, rounded up, when it has at most so many tokens in all buckets of the
/// input together, and at most so many of output and reasoning together.
///
/// `None` when the sum is beyond what the type holds.
pub fn worst_cost(row: &PriceRow, input_tokens: u64, output_tokens: u64) -> Option<i64> {
    let reachable = |rates: &&Rates| rates.over == 0 || input_tokens > rates.over;
    let dearest = |pick: fn(&Rates) -> i64| {
        let rates = row.steps.iter().filter(reachable);
        rates.map(pick).max()
    };
    let input = dearest(|rates| {
        let cached = [rates.cache_read, rates.cache_write_5m, rates.cache_write_1h];
        cached.into_iter().flatten().fold(rates.input, i64::max)
    })?;
    let output = dearest(|rates| rates.reasoning.unwrap_or(0).max(rates.output))?;
    let exact = i128::from(input_tokens)
        .checked_mul(i128::from(input))?
        .checked_add(i128::from(output_tokens).checked_mul(i128::from(output))?)?;
    i64::try_from(exact.div_euclid(PER_TOKENS) + i128::from(exact.rem_euclid(PER_TOKENS) > 0)).ok()
}

/// What it costs to leave a warm conversation for another model: writing the prefix there against reading it here.
///
/// `None` when either side has no price for that. Never below zero: a cheaper model is no refund.
pub(crate) fn switch_cost(warm: &PriceRow, cold: &PriceRow, prefix_tokens: u64) -> Option<i64> {
    let stay = warm.rates(prefix_tokens)?;
    let leave = cold.rates(prefix_tokens)?;
    let read = i128::from(stay.cache_read.unwrap_or(stay.input));
    let write = i128::from(leave.cache_write_5m.unwrap_or(leave.input));
    let exact = i128::from(prefix_tokens).checked_mul(write - read)?.max(0);
    i64::try_from((exact + PER_TOKENS / 2) / PER_TOKENS).ok()
}
