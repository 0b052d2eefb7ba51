//! Requests and the decisions behind them.

use std::fmt::Write as _;

use wayproof_engine::{ClassName, Decision, Planned};
use wayproof_ledger::{ExchangeRow, Money};

use crate::show::money::{listed, usd};
use crate::show::text::{abbreviated, counted, cut, or_none, short, tokens};
use crate::show::time::{clock, lasted};

/// One request.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) outcome: String,
    pub(crate) tokens: String,
    pub(crate) listed: String,
    pub(crate) lasted: String,
}

impl Turn {
    pub(crate) fn of(row: &ExchangeRow) -> Self {
        Self {
            id: row.id.clone(),
            at: clock(row.opened_us),
            outcome: row
                .outcome
                .as_deref()
                .map_or_else(|| "under way".to_owned(), short),
            tokens: in_and_out(&[row]),
            listed: listed(&money(&[row])),
            lasted: row.total_us.map_or_else(|| "–".to_owned(), lasted),
        }
    }
}

pub(super) fn tone(row: &ExchangeRow) -> &'static str {
    match row.outcome.as_deref() {
        None => "open",
        Some("completed") => "turn",
        Some("cancelled") => "unproven",
        Some(_) => "refuted",
    }
}

pub(super) fn title(rows: &[&ExchangeRow]) -> String {
    let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let target = rows.first().map(|row| target(row)).unwrap_or_default();
    let outcome = match rows.first().and_then(|row| row.outcome.as_deref()) {
        None => ", under way".to_owned(),
        Some("completed") => String::new(),
        Some(other) => format!(", {}", short(other)),
    };
    format!("{} with {target}{outcome}", counted(count, "turn", "turns"))
}

/// Who was asked, and for what.
pub(crate) fn target(row: &ExchangeRow) -> String {
    format!(
        "{}/{}",
        or_none(row.provider.as_deref()),
        or_none(row.model.as_deref())
    )
}

pub(super) fn facts(rows: &[&ExchangeRow]) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(class) = rows.first().and_then(|row| row.class.as_deref()) {
        facts.push(("class", short(class)));
    }
    facts.push(("tokens", in_and_out(rows)));
    facts.push(("listed", listed(&money(rows))));
    let billed = rows
        .iter()
        .filter_map(|row| row.billed_nano_usd)
        .reduce(i64::saturating_add);
    facts.extend(billed.map(|billed| ("billed", usd(billed))));
    let flat = rows
        .iter()
        .filter_map(|row| row.subscription_nano_usd)
        .reduce(i64::saturating_add);
    facts.extend(flat.map(|flat| ("subscription", usd(flat))));
    facts
}

/// Sums of requests; one that is under way is neither priced nor unknown.
pub(crate) fn money(rows: &[&ExchangeRow]) -> Money {
    let sum = |value: fn(&ExchangeRow) -> Option<i64>| {
        rows.iter()
            .filter_map(|row| value(row))
            .reduce(i64::saturating_add)
    };
    let unknown = rows
        .iter()
        .filter(|row| row.settled_seq.is_some() && row.listed_nano_usd.is_none());
    Money {
        listed_nano_usd: sum(|row| row.listed_nano_usd),
        listed_unknown: i64::try_from(unknown.count()).unwrap_or(i64::MAX),
        billed_nano_usd: sum(|row| row.billed_nano_usd),
        subscription_nano_usd: sum(|row| row.subscription_nano_usd),
    }
}

/// Tokens in and out, with what a cache already had.
pub(crate) fn in_and_out(rows: &[&ExchangeRow]) -> String {
    let sum = |bucket: usize| {
        rows.iter()
            .filter_map(|row| row.tokens.get(bucket).copied().flatten())
            .reduce(i64::saturating_add)
    };
    let [fresh, read, written, out] = [sum(0), sum(1), sum(2), sum(3)];
    if fresh.is_none() && out.is_none() {
        return "unknown".to_owned();
    }
    let all = [fresh, read, written]
        .into_iter()
        .flatten()
        .fold(0, i64::saturating_add);
    let cached = match read {
        Some(read) if read > 0 => format!(" ({} from cache)", tokens(read)),
        _ => String::new(),
    };
    format!(
        "{} in{cached}, {} out",
        tokens(all),
        out.map_or_else(|| "unknown".to_owned(), tokens)
    )
}

/// A decision in words.
#[derive(Debug)]
pub(crate) struct DecisionView {
    pub(crate) rule: String,
    pub(crate) task: String,
    pub(crate) sure: Option<String>,
    pub(crate) class: String,
    pub(crate) routing: &'static str,
    pub(crate) targets: Vec<String>,
    pub(crate) rejected: Vec<(String, String)>,
    pub(crate) causes: Vec<String>,
    pub(crate) proof: String,
    pub(crate) policy: String,
    pub(crate) policy_digest: String,
}

/// Rejected targets and causes that are listed.
const LISTED: usize = 30;
/// The longest sentence of a decision that is shown.
const MAX_SENTENCE: usize = 600;

impl DecisionView {
    pub(crate) fn of(decision: &Decision) -> Self {
        let sure = decision.confidence_pm.map(|share| {
            let next = decision.runner_up.as_ref();
            let next = next.map_or_else(String::new, |(task, share)| {
                format!(", next {} {} %", short(task.as_str()), share / 10)
            });
            format!("{} % sure{next}", share / 10)
        });
        let causes = decision.causes.iter().take(LISTED).map(|noted| {
            let to = noted.to.as_ref();
            let to = to.map_or_else(String::new, |to| format!(" → {}", short(to.as_str())));
            format!(
                "turn {}: {}{to}: {}",
                noted.at_turn,
                noted.cause.as_str(),
                cut(&noted.why, MAX_SENTENCE)
            )
        });
        let rejected = decision.rejected.iter().take(LISTED);
        Self {
            rule: cut(&decision.rule, MAX_SENTENCE),
            task: short(decision.task.as_str()),
            sure,
            class: or_none(decision.class.as_ref().map(ClassName::as_str)),
            routing: decision.routing.as_str(),
            targets: decision.attempts.iter().take(LISTED).map(planned).collect(),
            rejected: rejected
                .map(|passed| (short(&passed.target), cut(&passed.why, MAX_SENTENCE)))
                .collect(),
            causes: causes.collect(),
            proof: owed(decision),
            policy: abbreviated(&decision.policy_digest),
            policy_digest: decision.policy_digest.clone(),
        }
    }
}

fn planned(planned: &Planned) -> String {
    let mut words = short(&planned.target.to_string());
    if let Some(protocol) = planned.asked_in {
        // Writing to a String cannot fail.
        let _ = write!(words, ", asked in {protocol}");
    }
    if let Some(cost) = planned.switch_nano_usd {
        let _ = write!(words, ", switching costs {}", usd(cost));
    }
    if let Some(window) = planned.window_tokens {
        let window = i64::try_from(window).unwrap_or(i64::MAX);
        let _ = write!(words, ", window {}", tokens(window));
    }
    words
}

fn owed(decision: &Decision) -> String {
    let groups = decision.proof.iter().map(|any| {
        let names: Vec<&str> = any.iter().map(|one| one.as_str()).collect();
        names.join(" or ")
    });
    let groups: Vec<String> = groups.collect();
    if groups.is_empty() {
        "nothing".to_owned()
    } else {
        groups.join(" and ")
    }
}
