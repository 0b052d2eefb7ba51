//! Models: what the catalog says of them and what was seen of them here.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wayproof_engine::Listing;
use wayproof_ledger::{AnswerSeen, TaskFit};

use super::compare::{Compared, Known, proven};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::params::{Params, address};
use crate::problem::Problem;
use crate::show::money::{per, usd};
use crate::show::text::{count, percent, short, tokens};
use crate::show::time::lasted;

/// Requests that are looked at for what was seen.
const SEEN: u32 = 5_000;
/// Days over which it is counted what was proven.
const FIT_DAYS: i64 = 30;
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
    /// The model that another is to be compared with.
    one: Option<String>,
    compared: Option<Compared>,
    /// A model that was named and that nobody knows.
    strange: Option<String>,
    all: String,
}

/// What was seen of a model.
pub(super) struct SeenLine {
    target: String,
    pub(super) requests: String,
    pub(super) failed: String,
    pub(super) median: String,
    pub(super) slow: String,
    pub(super) cached: String,
    output: String,
    proven: String,
    per_proven: String,
    compare: String,
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
    compare: String,
}

/// What was asked for beside the page itself.
struct Asked {
    words: String,
    one: Option<String>,
    two: Option<String>,
}

impl Asked {
    /// The page with another model to compare: the second, where there is a first.
    fn compare(&self, target: &str) -> String {
        let (one, two) = match &self.one {
            Some(one) if one != target => (one.as_str(), Some(target)),
            Some(_) | None => (target, None),
        };
        self.with(Some(one), two, None)
    }

    fn with(&self, one: Option<&str>, two: Option<&str>, from: Option<&str>) -> String {
        let words = Some(self.words.as_str()).filter(|words| !words.is_empty());
        let values = [("q", words), ("one", one), ("two", two), ("from", from)];
        address("/models", &values)
    }
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    params: Params,
) -> Result<Response, Problem> {
    let asked = Asked {
        words: params.get("q").unwrap_or_default(),
        one: params.get("one"),
        two: params.get("two"),
    };
    let from = params
        .int("from")
        .and_then(|from| usize::try_from(from).ok())
        .unwrap_or(0);
    let catalog = &desk.parts().catalog;
    let found = found(&desk, &asked.words);
    let total = found.len();
    // Only what is shown is written out: the catalog has thousands.
    let shown = found.into_iter().skip(from).take(ROWS);
    let shown = shown.map(|(listing, is_routed)| line(&listing, is_routed, &asked));
    let models = shown.collect();
    let next = (from + ROWS < total)
        .then(|| asked.with(asked.one.as_deref(), None, Some(&(from + ROWS).to_string())));
    let answers = desk.ledger().answers_seen(SEEN).await?;
    let fits = desk.spend().await?.value.task_fit(desk.since(FIT_DAYS));
    let known = Known {
        catalog,
        now_us: desk.now_us(),
        answers: &answers,
        fits: &fits,
    };
    let mut named = [&asked.one, &asked.two].into_iter().flatten();
    let strange = named.find(|name| !known.has(name)).cloned();
    let compared = match (&asked.one, &asked.two) {
        (Some(one), Some(two)) => known.compare(one, two),
        _ => None,
    };
    page(&ModelsPage {
        source: catalog.source().to_owned(),
        date: catalog.date().to_owned(),
        looked: count(i64::try_from(answers.len()).unwrap_or(0)),
        seen: seen(&answers, &fits, &asked),
        models,
        found: count(i64::try_from(total).unwrap_or(0)),
        is_later: from > 0,
        one: asked.one.as_deref().map(short),
        strange: strange.as_deref().map(short),
        all: asked.with(None, None, None),
        words: asked.words,
        compared,
        next,
        frame,
    })
}

/// The catalog's models that fit, and whether the policy names them; what it names comes first.
fn found<'a>(desk: &'a Desk, words: &str) -> Vec<(Listing<'a>, bool)> {
    let policy = desk.house().policy();
    let targets = policy.iter().flat_map(|policy| policy.classes());
    let targets = targets.flat_map(|class| &class.targets);
    let routed: BTreeSet<(&str, &str)> = targets
        .map(|target| (target.provider.as_str(), target.model.as_str()))
        .collect();
    let wanted = words.to_lowercase();
    let fits = |listing: &Listing<'_>| {
        wanted.split_whitespace().all(|word| {
            listing.provider.to_lowercase().contains(word)
                || listing.price.model.to_lowercase().contains(word)
        })
    };
    let listings = desk.parts().catalog.listings(desk.now_us());
    let mut found: Vec<(Listing<'a>, bool)> = listings
        .filter(fits)
        .map(|listing| {
            let is_routed = routed.contains(&(listing.provider, listing.price.model.as_str()));
            (listing, is_routed)
        })
        .collect();
    found.sort_by_key(|(_, is_routed)| !is_routed);
    found
}

fn line(listing: &Listing<'_>, is_routed: bool, asked: &Asked) -> ModelLine {
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
        compare: asked.compare(&format!("{}/{}", listing.provider, listing.price.model)),
    }
}

fn seen(answers: &[AnswerSeen], fits: &[TaskFit], asked: &Asked) -> Vec<SeenLine> {
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
        .map(|((provider, model), answers)| {
            let fits = fits.iter();
            let fits = fits.filter(|fit| fit.provider == provider && fit.model == model);
            let (mut judged, mut good, mut spent) = (0, 0, None);
            for fit in fits {
                judged += fit.judged;
                good += fit.proven;
                spent = add(spent, fit.money.listed_nano_usd);
            }
            let line = SeenLine {
                proven: proven(good, judged),
                per_proven: per(spent, good),
                compare: asked.compare(&format!("{provider}/{model}")),
                ..seen_line(provider, model, &answers)
            };
            (answers.len(), line)
        })
        .collect();
    lines.sort_by_key(|(requests, _)| std::cmp::Reverse(*requests));
    lines.into_iter().take(100).map(|(_, line)| line).collect()
}

fn add(sum: Option<i64>, more: Option<i64>) -> Option<i64> {
    match (sum, more) {
        (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
        (known, None) | (None, known) => known,
    }
}

/// How the answers of one model went.
pub(super) fn seen_line(provider: &str, model: &str, answers: &[&AnswerSeen]) -> SeenLine {
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
        proven: String::new(),
        per_proven: String::new(),
        compare: String::new(),
    }
}
