//! Charges by day in the columns of FOCUS, the FinOps Foundation's format for cost and usage: those of 1.2, and the two
//! names that take the place of `ProviderName` and `PublisherName` in later versions.
//!
//! A row is a day of one model, provider, agent, repository, task, class and caller. Unknown costs are empty and never zero;
//! how many answers they stand for is in a column of ours, as are the token buckets. Columns that begin with `x_` are
//! not FOCUS's.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::json;
use wayproof_ledger::{Days, Dimension, Ledger, ReportRow, Sources};

use super::csv;
use crate::days::date;

/// The columns, in their order.
pub(super) const COLUMNS: [&str; 37] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCurrency",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "Tags",
    "x_Answers",
    "x_AnswersOfUnknownCost",
    "x_AnswersWithUsage",
    "x_SubscriptionCost",
    "x_Tokens",
];

/// Every dimension a row has, in the order of its group.
const BY: [Dimension; 10] = [
    Dimension::Provider,
    Dimension::Model,
    Dimension::Agent,
    Dimension::Repo,
    Dimension::Task,
    Dimension::Class,
    Dimension::Source,
    Dimension::Person,
    Dimension::Team,
    Dimension::Key,
];

/// Writes the rows of each day.
pub(super) async fn write<W: Write + Send>(ledger: &Ledger, days: Days, out: &mut W) -> Result<()> {
    csv::row(out, COLUMNS)?;
    rows(ledger, days, |cells| {
        csv::row(out, cells.iter().map(String::as_str)).map_err(Into::into)
    })
    .await
}

/// Takes the rows of each day, one after the other.
pub(super) async fn rows(
    ledger: &Ledger,
    days: Days,
    mut take: impl FnMut(&[String; 37]) -> Result<()>,
) -> Result<()> {
    for day in ledger.usage_days(days).await.context("reading days")? {
        let only = Days {
            from: Some(day),
            until: Some(day + 1),
        };
        let rows = ledger
            .report(&BY, only, Sources::All, u32::MAX)
            .await
            .context("reading usage")?;
        for row in &rows {
            take(&cells(day, row))?;
        }
    }
    Ok(())
}

fn cells(day: i64, row: &ReportRow) -> [String; 37] {
    let of = |at: usize| row.group.get(at).cloned().unwrap_or_default();
    let (provider, model) = (of(0), of(1));
    let (quantity, unit) = consumed(row);
    let [input, cache_read, cache_write, output, reasoning] = row.tokens;
    let tags = json!({"agent": of(2), "repo": of(3), "task": of(4), "class": of(5), "source": of(6), "person": of(7),
        "team": of(8), "key": of(9)});
    let buckets = json!({"input": input, "cache_read": cache_read, "cache_write": cache_write, "output": output,
        "reasoning": reasoning});
    let (listed, billed) = (
        usd(row.money.listed_nano_usd),
        usd(row.money.billed_nano_usd),
    );
    [
        billed.clone(),
        provider.clone(),
        String::new(),
        "USD".to_owned(),
        midnight(month_after(day)),
        midnight(month_of(day)),
        "Usage".to_owned(),
        String::new(),
        format!("{} answer(s) of {model}", row.exchanges),
        "Usage-Based".to_owned(),
        midnight(day + 1),
        midnight(day),
        quantity.clone(),
        unit.to_owned(),
        listed.clone(),
        billed,
        provider.clone(),
        provider.clone(),
        listed,
        "USD".to_owned(),
        quantity,
        unit.to_owned(),
        provider.clone(),
        provider.clone(),
        model.clone(),
        "Model".to_owned(),
        "AI and Machine Learning".to_owned(),
        format!("{provider} models"),
        provider.clone(),
        "Generative AI".to_owned(),
        format!("{provider}/{model}"),
        tags.to_string(),
        row.exchanges.to_string(),
        row.money.listed_unknown.to_string(),
        row.with_usage.to_string(),
        usd(row.money.subscription_nano_usd),
        buckets.to_string(),
    ]
}

/// What was consumed and its unit; nothing of either where no count is known.
fn consumed(row: &ReportRow) -> (String, &'static str) {
    let known = row.tokens.iter().flatten();
    let sum = known.copied().reduce(i64::saturating_add);
    sum.map_or((String::new(), ""), |sum| (sum.to_string(), "Tokens"))
}

/// Dollars, exactly; nothing for what is unknown.
fn usd(nano: Option<i64>) -> String {
    nano.map_or_else(String::new, |nano| {
        let sign = if nano < 0 { "-" } else { "" };
        let nano = nano.unsigned_abs();
        format!("{sign}{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
    })
}

fn midnight(day: i64) -> String {
    format!("{}T00:00:00Z", date(day))
}

/// The first day of a day's month.
fn month_of(day: i64) -> i64 {
    let of_month = date(day)
        .rsplit('-')
        .next()
        .and_then(|text| text.parse::<i64>().ok());
    day - of_month.unwrap_or(1) + 1
}

fn month_after(day: i64) -> i64 {
    month_of(month_of(day) + 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_and_end() {
        // 2026-11-29 and 2026-12-31.
        for (day, first, after) in [
            (20_786, "2026-11-01", "2026-12-01"),
            (20_818, "2026-12-01", "2027-01-01"),
        ] {
            assert_eq!(date(month_of(day)), first);
            assert_eq!(date(month_after(day)), after);
        }
    }

    #[test]
    fn unknown_costs_are_empty() {
        assert_eq!(usd(None), "");
        assert_eq!(usd(Some(1_000_000_001)), "1.000000001");
    }
}
