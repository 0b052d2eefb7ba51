//! Models: what the catalog says of them and what was seen of them here.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wayproof_engine::Listing;
use wayproof_ledger::AnswerSeen;

use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::show::money::usd;
use crate::show::text::{count, percent, short, tokens};
use crate::show::time::lasted;

/// Requests that are looked at for what was seen.
const SEEN: u32 = 5_000;
/// Rows of the catalog on one page.
const ROWS: usize = 100;

#[derive(Template)]
#[template(path = "models.html")]
struct ModelsPage {
    frame: Frame,
    words: String,
    source: String,
    date: String,
    seen: Vec<SeenLine>,
    looked: String,
    models: Vec<ModelLine>,
    found: String,
    next: Option<String>,
    is_later: bool,
}

struct SeenLine {
    target: String,
    requests: String,
    failed: String,
    median: String,
    slow: String,
    cached: String,
    output: String,
}

struct ModelLine {
    provider: String,
    model: String,
    window: String,
    input: String,
    output: String,
    cache_read: String,
    cache_write: String,
    is_stepped: bool,
    is_routed: bool,
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let words = params.get("q").unwrap_or_default();
    let from = params
        .int("from")
        .and_then(|from| usize::try_from(from).ok())
        .unwrap_or(0);
    let catalog = &desk.parts().catalog;
    let routed = desk.house().policy().map(|policy| {
        let targets = policy.classes().iter().flat_map(|class| &class.targets);
        let names = targets.map(|target| (target.provider.clone(), target.model.clone()));
        names.collect::<std::collections::BTreeSet<_>>()
    });
    let routed = routed.unwrap_or_default();
    let wanted = words.to_lowercase();
    let fits = |listing: &Listing<'_>| {
        wanted.split_whitespace().all(|word| {
            listing.provider.to_lowercase().contains(word)
                || listing.price.model.to_lowercase().contains(word)
        })
    };
    let mut found: Vec<ModelLine> = catalog
        .listings(desk.now_us())
        .filter(fits)
        .map(|listing| {
            let name = (listing.provider.to_owned(), listing.price.model.clone());
            line(&listing, routed.contains(&name))
        })
        .collect();
    // What the policy names comes first; the rest keeps the catalog's order.
    found.sort_by_key(|line| !line.is_routed);
    let total = found.len();
    let next = (from + ROWS < total).then(|| {
        address(
            "/models",
            &[
                ("q", Some(words.as_str()).filter(|words| !words.is_empty())),
                ("from", Some(&(from + ROWS).to_string())),
            ],
        )
    });
    let answers = desk.ledger().answers_seen(SEEN).await?;
    page(&ModelsPage {
        source: catalog.source().to_owned(),
        date: catalog.date().to_owned(),
        looked: count(i64::try_from(answers.len()).unwrap_or(0)),
        seen: seen(&answers),
        models: found.into_iter().skip(from).take(ROWS).collect(),
        found: count(i64::try_from(total).unwrap_or(0)),
        is_later: from > 0,
        words,
        next,
        frame,
    })
}

fn line(listing: &Listing<'_>, is_routed: bool) -> ModelLine {
    let rates = listing.price.rates(0);
    let some = |value: Option<i64>| value.map_or_else(|| "–".to_owned(), usd);
    ModelLine {
        provider: short(listing.provider),
        model: short(&listing.price.model),
        window: listing.window.map_or_else(
            || "–".to_owned(),
            |window| tokens(i64::try_from(window).unwrap_or(i64::MAX)),
        ),
        input: some(rates.map(|rates| rates.input)),
        output: some(rates.map(|rates| rates.output)),
        cache_read: some(rates.and_then(|rates| rates.cache_read)),
        cache_write: some(rates.and_then(|rates| rates.cache_write_5m)),
        is_stepped: listing.price.steps.len() > 1,
        is_routed,
    }
}

fn seen(answers: &[AnswerSeen]) -> Vec<SeenLine> {
    let mut by: BTreeMap<(&str, &str), Vec<&AnswerSeen>> = BTreeMap::new();
    for answer in answers {
        let Some(model) = answer.model.as_deref() else {
            continue;
        };
        let provider = answer.provider.as_deref().unwrap_or("–");
        by.entry((provider, model)).or_default().push(answer);
    }
    let mut lines: Vec<(usize, SeenLine)> = by
        .into_iter()
        .map(|((provider, model), answers)| (answers.len(), seen_line(provider, model, &answers)))
        .collect();
    lines.sort_by_key(|(requests, _)| std::cmp::Reverse(*requests));
    lines.into_iter().take(100).map(|(_, line)| line).collect()
}

fn seen_line(provider: &str, model: &str, answers: &[&AnswerSeen]) -> SeenLine {
    let size = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let failed = answers
        .iter()
        .filter(|answer| matches!(answer.outcome.as_deref(), Some("failed" | "cut")));
    let mut times: Vec<i64> = answers
        .iter()
        .filter_map(|answer| answer.total_us)
        .collect();
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times
            .get(place)
            .map_or_else(|| "–".to_owned(), |us| lasted(*us))
    };
    let sum = |value: fn(&AnswerSeen) -> Option<i64>| {
        answers
            .iter()
            .filter_map(|answer| value(answer))
            .fold(0, i64::saturating_add)
    };
    let (fresh, cached) = (sum(|answer| answer.input), sum(|answer| answer.cache_read));
    SeenLine {
        target: format!("{}/{}", short(provider), short(model)),
        requests: count(size(answers.len())),
        failed: percent(size(failed.count()), size(answers.len())),
        median: at(50),
        slow: at(95),
        cached: percent(cached, fresh.saturating_add(cached)),
        output: tokens(sum(|answer| answer.output)),
    }
}
