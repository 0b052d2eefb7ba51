//! Sets the ledger beside a provider's own export: what differs, day by day and model by model, and why it may.

mod csv;
mod export;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;
use wayproof_ledger::{Days, Dimension, ReportRow, Sources};

use self::export::{ByModel, Told, short};
use super::ledger::at;
use crate::{
    cli::ReconcileArgs,
    days::{date, days},
    exit::Mistake,
    terminal::{cost, print, print_json_pretty, table},
};

/// A file larger than this is no export of usage by day.
const MOST_BYTES: u64 = 256 << 20;

/// One side's figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Figures {
    requests: Option<i64>,
    input: Option<i64>,
    cache_read: Option<i64>,
    cache_write: Option<i64>,
    output: Option<i64>,
    cost_nano_usd: Option<i64>,
}

/// A day of a model, as both sides have it.
#[derive(Debug, Serialize)]
struct Line {
    day: String,
    model: String,
    provider_says: Option<Figures>,
    ledger_says: Option<Figures>,
    /// Answers in the ledger whose tokens nobody told.
    unknown_usage: i64,
    is_equal: bool,
    why: String,
}

/// Compares, and says where both differ.
pub(crate) async fn run(args: &ReconcileArgs) -> Result<ExitCode> {
    let mut told = told(args)?;
    let ledger = at(&args.ledger).await?;
    let asked = days(&args.period, ledger.clock().now_us())?;
    let span = span(&told, asked);
    let by = [Dimension::Day, Dimension::Model, Dimension::Provider];
    let rows = ledger.report(&by, span, Sources::All, u32::MAX).await;
    ledger.close().await?;
    let rows = rows.context("reading usage")?;
    told.retain(|(day, _), _| is_within(*day, span));
    let lines = lines(&told, &rows, args.provider.as_deref());
    let equal = lines.iter().filter(|line| line.is_equal).count();
    if args.json {
        print_json_pretty(&json!({
            "from": span.from.map(date),
            "to": span.until.map(|until| date(until - 1)),
            "equal": equal,
            "different": lines.len() - equal,
            "lines": lines,
        }))?;
    } else if lines.is_empty() {
        print("neither side has anything in that time")?;
    } else {
        tell(&lines)?;
        let all = lines.len();
        print(&format!("{equal} of {all} day(s) of a model are equal"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the files say, added up.
fn told(args: &ReconcileArgs) -> Result<ByModel> {
    let mut told = ByModel::new();
    for file in &args.files {
        let mistake = |why: String| Mistake(format!("{}: {why}", file.display()));
        let about = fs::metadata(file).map_err(|error| mistake(error.to_string()))?;
        if about.len() > MOST_BYTES {
            return Err(mistake("it is larger than 256 MiB".to_owned()).into());
        }
        let text = fs::read_to_string(file).map_err(|error| mistake(error.to_string()))?;
        export::read(&text, &mut told).map_err(mistake)?;
    }
    Ok(told)
}

fn tell(lines: &[Line]) -> Result<()> {
    let tokens = |figures: Option<Figures>| {
        figures.map_or_else(|| "-".to_owned(), |figures| sum_of(&figures).to_string())
    };
    let money = |figures: Option<Figures>| cost(figures.and_then(|figures| figures.cost_nano_usd));
    let row = |line: &Line| {
        vec![
            line.day.clone(),
            line.model.clone(),
            tokens(line.provider_says),
            tokens(line.ledger_says),
            money(line.provider_says),
            money(line.ledger_says),
            line.why.clone(),
        ]
    };
    let cells: Vec<Vec<String>> = lines.iter().map(row).collect();
    let head = [
        "day",
        "model",
        "its tokens",
        "ours",
        "its cost",
        "ours",
        "why",
    ];
    print(&table(&head, &cells))
}

fn is_within(day: i64, span: Days) -> bool {
    span.from.is_none_or(|from| day >= from) && span.until.is_none_or(|until| day < until)
}

/// The days to compare: those of the export, and of them those that were asked for.
fn span(told: &ByModel, asked: Days) -> Days {
    let first = told.keys().next().map(|(day, _)| *day);
    let last = told.keys().next_back().map(|(day, _)| day + 1);
    Days {
        from: asked.from.max(first),
        until: match (asked.until, last) {
            (Some(asked), Some(last)) => Some(asked.min(last)),
            (asked, last) => asked.or(last),
        },
    }
}

/// What the ledger has, by the same keys.
struct Ours {
    figures: Figures,
    unknown_usage: i64,
    unknown_price: i64,
    is_billed: bool,
}

fn ours(rows: &[ReportRow], provider: Option<&str>) -> BTreeMap<(i64, String), Ours> {
    let mut all = BTreeMap::new();
    for row in rows {
        let of = |at: usize| row.group.get(at).map(String::as_str).unwrap_or_default();
        let Ok(day) = of(0).parse::<i64>() else {
            continue;
        };
        if provider.is_some_and(|provider| provider != of(2)) {
            continue;
        }
        let found = all.entry((day, short(of(1)))).or_insert(Ours {
            figures: Figures::default(),
            unknown_usage: 0,
            unknown_price: 0,
            is_billed: false,
        });
        let [input, cache_read, cache_write, output, reasoning] = row.tokens;
        // Providers count reasoning as output.
        let with_reasoning = match (output, reasoning) {
            (None, None) => None,
            (output, reasoning) => Some(output.unwrap_or(0) + reasoning.unwrap_or(0)),
        };
        let billed = row.money.billed_nano_usd;
        found.is_billed |= billed.is_some();
        found.unknown_usage += row.exchanges - row.with_usage;
        found.unknown_price += row.money.listed_unknown;
        let figures = &mut found.figures;
        for (sum, more) in [
            (&mut figures.requests, Some(row.exchanges)),
            (&mut figures.input, input),
            (&mut figures.cache_read, cache_read),
            (&mut figures.cache_write, cache_write),
            (&mut figures.output, with_reasoning),
            (
                &mut figures.cost_nano_usd,
                billed.or(row.money.listed_nano_usd),
            ),
        ] {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
    }
    all
}

fn lines(told: &ByModel, rows: &[ReportRow], provider: Option<&str>) -> Vec<Line> {
    let ours = ours(rows, provider);
    let models: BTreeSet<&str> = told.keys().map(|(_, model)| model.as_str()).collect();
    // Without a provider's name, what counts is which models its export has.
    let is_meant = |model: &str| provider.is_some() || models.contains(model);
    let keys: BTreeSet<&(i64, String)> = told
        .keys()
        .chain(ours.keys().filter(|(_, model)| is_meant(model)))
        .collect();
    let difference = |day: i64, model: &String| {
        let key = (day, model.clone());
        let its = told.get(&key).map(|told| sum_of(&figures(told)));
        let own = ours.get(&key).map(|ours| sum_of(&ours.figures));
        its.unwrap_or(0) - own.unwrap_or(0)
    };
    let mut all = Vec::with_capacity(keys.len());
    for (day, model) in keys {
        let key = (*day, model.clone());
        let its = told.get(&key).map(figures);
        let own = ours.get(&key);
        let beside = [day - 1, day + 1].map(|day| difference(day, model));
        let (is_equal, why) = explain(its.as_ref(), own, beside);
        all.push(Line {
            day: date(*day),
            model: model.clone(),
            provider_says: its,
            ledger_says: own.map(|own| own.figures),
            unknown_usage: own.map_or(0, |own| own.unknown_usage),
            is_equal,
            why,
        });
    }
    all
}

fn figures(told: &Told) -> Figures {
    Figures {
        requests: told.requests,
        input: told.input,
        cache_read: told.cache_read,
        cache_write: told.cache_write,
        output: told.output,
        cost_nano_usd: told.cost_nano_usd,
    }
}

fn sum_of(figures: &Figures) -> i64 {
    let all = [
        figures.input,
        figures.cache_read,
        figures.cache_write,
        figures.output,
    ];
    all.into_iter().flatten().fold(0, i64::saturating_add)
}

/// Whether both say the same, and in a sentence why they may not. A reason is named only where the figures show it.
fn explain(its: Option<&Figures>, own: Option<&Ours>, beside: [i64; 2]) -> (bool, String) {
    let (its, own) = match (its, own) {
        (Some(its), Some(own)) => (its, own),
        (Some(_), None) => {
            return (
                false,
                "none of it came through this gateway or an import".to_owned(),
            );
        }
        (None, _) => {
            let why = "the export does not have it: another account or key, or a provider that does not count it";
            return (false, why.to_owned());
        }
    };
    let mut whys: Vec<String> = tokens_differ(its, own, beside).into_iter().collect();
    let own_cost = own.figures.cost_nano_usd;
    match its.cost_nano_usd {
        Some(_) if own_cost.is_none() => whys.push("the cost is unknown here".to_owned()),
        // Where tokens differ, so does what they cost.
        Some(charged) if own_cost != Some(charged) && whys.is_empty() => {
            whys.push(costs_differ(own));
        }
        _ => {}
    }
    if whys.is_empty() {
        (true, "equal".to_owned())
    } else {
        (false, whys.join("; "))
    }
}

/// Why the tokens differ, if they do.
fn tokens_differ(its: &Figures, own: &Ours, beside: [i64; 2]) -> Option<String> {
    let buckets = [
        ("input", its.input, own.figures.input),
        ("cache reads", its.cache_read, own.figures.cache_read),
        ("cache writes", its.cache_write, own.figures.cache_write),
        ("output", its.output, own.figures.output),
    ];
    if buckets.iter().all(|(_, its, _)| its.is_none()) {
        return None;
    }
    let missing = sum_of(its) - sum_of(&own.figures);
    let count = missing.abs();
    if missing != 0 && beside.contains(&-missing) {
        return Some(format!(
            "{count} tokens are on the day beside: an answer that ended after midnight"
        ));
    }
    if missing > 0 && own.unknown_usage > 0 {
        let unknown = own.unknown_usage;
        return Some(format!(
            "{count} tokens are not here, where {unknown} answer(s) have unknown usage"
        ));
    }
    if missing > 0 {
        return Some(format!(
            "{count} tokens did not come through this gateway or an import"
        ));
    }
    if missing < 0 {
        return Some(format!(
            "{count} tokens are only here: another account, or answers that were not charged"
        ));
    }
    let differ: Vec<_> = buckets
        .iter()
        .filter(|(_, its, own)| its.is_some() && its.unwrap_or(0) != own.unwrap_or(0))
        .map(|(name, ..)| *name)
        .collect();
    (!differ.is_empty()).then(|| {
        let names = differ.join(" and ");
        format!("the sum is equal, {names} are counted apart")
    })
}

/// Why the costs differ although the tokens do not.
fn costs_differ(own: &Ours) -> String {
    if own.unknown_price > 0 {
        return format!("{} answer(s) have no known price here", own.unknown_price);
    }
    let why = if own.is_billed {
        "the provider charged otherwise than it said in its answers"
    } else {
        "the provider did not charge its list price: discounts, tiers or rounding"
    };
    why.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(input: i64, cost_nano_usd: Option<i64>) -> Figures {
        Figures {
            input: Some(input),
            cost_nano_usd,
            ..Figures::default()
        }
    }

    fn own(input: i64, unknown_usage: i64) -> Ours {
        Ours {
            figures: of(input, Some(5)),
            unknown_usage,
            unknown_price: 0,
            is_billed: false,
        }
    }

    #[test]
    fn differences_have_their_reasons() {
        let said = |its: Figures, own: &Ours, beside| explain(Some(&its), Some(own), beside);
        assert_eq!(
            said(of(10, Some(5)), &own(10, 0), [0, 0]),
            (true, "equal".to_owned())
        );
        let (_, why) = said(of(30, None), &own(10, 0), [0, -20]);
        assert!(why.contains("after midnight"), "{why}");
        let (_, why) = said(of(30, None), &own(10, 2), [0, 0]);
        assert!(why.contains("2 answer(s) have unknown usage"), "{why}");
        let (_, why) = said(of(30, None), &own(10, 0), [0, 0]);
        assert!(why.starts_with("20 tokens did not come through"), "{why}");
        let (_, why) = said(of(3, None), &own(10, 0), [0, 0]);
        assert!(why.starts_with("7 tokens are only here"), "{why}");
        let (_, why) = said(of(10, Some(4)), &own(10, 0), [0, 0]);
        assert!(why.contains("list price"), "{why}");
        assert!(!explain(Some(&of(1, None)), None, [0, 0]).0);
        assert!(!explain(None, Some(&own(1, 0)), [0, 0]).0);
    }
}
