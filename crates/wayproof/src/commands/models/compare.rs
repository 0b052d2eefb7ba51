//! What one catalog says otherwise than another.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wayproof_engine::{Catalog, ModelFacts, Rates};
use wayproof_ledger::Clock;

use super::{dollars, unknown};

/// What one catalog says otherwise than another, by model.
pub(super) fn compared(old: &Catalog, new: &Catalog) -> Vec<Value> {
    let now = Clock::system().now_us();
    let names: BTreeSet<(&str, &str)> = old
        .models()
        .chain(new.models())
        .map(|(provider, facts, _)| (provider, facts.id.as_str()))
        .collect();
    let says = |catalog: &Catalog, provider: &str, model: &str| {
        let rates = catalog
            .price(provider, model, now)
            .map(|row| row.steps.clone());
        let facts = catalog.facts(provider, model)?;
        Some((facts.clone(), rates))
    };
    let change = |provider: &str, model: &str, kind: &str, what: String| json!({"model": format!("{provider}/{model}"), "change": kind, "what": what});
    names
        .into_iter()
        .filter_map(|(provider, model)| {
            match (says(old, provider, model), says(new, provider, model)) {
                (None, Some(_)) => Some(change(provider, model, "added", String::new())),
                (Some(_), None) => Some(change(provider, model, "removed", String::new())),
                (Some(old), Some(new)) => {
                    let what = differences(&old, &new);
                    (!what.is_empty()).then(|| change(provider, model, "changed", what.join(", ")))
                }
                (None, None) => None,
            }
        })
        .collect()
}

type Says = (ModelFacts, Option<Vec<Rates>>);

fn differences((old, before): &Says, (new, after): &Says) -> Vec<String> {
    let mut what = Vec::new();
    let count = |count: Option<u64>| count.map_or_else(unknown, |count| count.to_string());
    for (name, old, new) in [
        ("window", old.window, new.window),
        ("output", old.output, new.output),
    ] {
        if old != new {
            what.push(format!("{name} {} → {}", count(old), count(new)));
        }
    }
    if before != after {
        let said = |rates: &Option<Vec<Rates>>| {
            let first = rates.as_ref().and_then(|rates| rates.first());
            first.map_or_else(unknown, |rates| {
                format!("{}/{}", dollars(rates.input), dollars(rates.output))
            })
        };
        what.push(format!("price {} → {}", said(before), said(after)));
    }
    for (name, is_same) in [
        ("takes", old.takes == new.takes),
        ("gives", old.gives == new.gives),
        ("tools", old.tools == new.tools),
        ("efforts", old.efforts == new.efforts),
        ("knowledge", old.knowledge == new.knowledge),
    ] {
        if !is_same {
            what.push(name.to_owned());
        }
    }
    what
}
