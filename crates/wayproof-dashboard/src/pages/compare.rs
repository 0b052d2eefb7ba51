//! Two models beside each other: what the catalog says of both, what was seen of both here.

use wayproof_engine::{Catalog, ModelFacts, PriceRow, Rates};
use wayproof_ledger::{AnswerSeen, TaskFit};

use super::models::{SeenLine, seen_line};
use crate::show::money::{per, told};
use crate::show::text::{count, percent, short, tokens};

/// What is known of two models, a line each for what differs or might.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) names: [String; 2],
    pub(super) lines: Vec<Line>,
}

/// One line of it.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) values: [String; 2],
}

impl Line {
    /// Whether the two are not the same.
    pub(super) fn differs(&self) -> bool {
        let [one, two] = &self.values;
        one != two
    }
}

/// What comparing needs.
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) now_us: i64,
    pub(super) answers: &'a [AnswerSeen],
    pub(super) fits: &'a [TaskFit],
}

/// One of the two.
struct Side<'a> {
    facts: Option<&'a ModelFacts>,
    price: Option<&'a PriceRow>,
    seen: Option<SeenLine>,
    fits: Vec<&'a TaskFit>,
}

/// What a line says of one side.
type Say = fn(&Side<'_>) -> String;

/// The lines that there are of any two models.
const LINES: [(&str, Say); 18] = [
    ("Context window", |side| limit(side, |facts| facts.window)),
    ("Longest answer", |side| limit(side, |facts| facts.output)),
    ("Takes", |side| words(side, |facts| &facts.takes)),
    ("Gives", |side| words(side, |facts| &facts.gives)),
    ("Tools", |side| yes(side, |facts| facts.tools)),
    ("Thinks first", |side| yes(side, |facts| facts.reasoning)),
    ("Efforts", |side| words(side, |facts| &facts.efforts)),
    ("Knows until", |side| {
        let knowledge = side.facts.and_then(|facts| facts.knowledge.as_deref());
        knowledge.map_or_else(unknown, short)
    }),
    ("Input", |side| rate(side, |rates| Some(rates.input))),
    ("Output", |side| rate(side, |rates| Some(rates.output))),
    ("Cache read", |side| rate(side, |rates| rates.cache_read)),
    ("Cache write", |side| {
        rate(side, |rates| rates.cache_write_5m)
    }),
    ("Dearer for long inputs", |side| {
        let steps = side.price.map(|price| price.steps.len());
        steps.map_or_else(unknown, |steps| said(steps > 1))
    }),
    ("Requests here", |side| seen(side, |seen| &seen.requests)),
    ("Failed or cut", |side| seen(side, |seen| &seen.failed)),
    ("Half took at most", |side| seen(side, |seen| &seen.median)),
    ("95 % took at most", |side| seen(side, |seen| &seen.slow)),
    ("Input from cache", |side| seen(side, |seen| &seen.cached)),
];

impl Known<'_> {
    /// Whether the catalog or the ledger knows such a model, written `provider/model`.
    pub(super) fn has(&self, name: &str) -> bool {
        name.split_once('/').is_some_and(|(provider, model)| {
            self.catalog.facts(provider, model).is_some() || !self.of(provider, model).is_empty()
        })
    }

    /// The two beside each other; nothing where one of them is not known.
    pub(super) fn compare(&self, one: &str, two: &str) -> Option<Compared> {
        let sides = [self.side(one)?, self.side(two)?];
        let mut lines: Vec<Line> = LINES
            .iter()
            .map(|(name, say)| Line {
                name: (*name).to_owned(),
                values: sides.each_ref().map(say),
            })
            .collect();
        lines.extend(fit_lines(&sides));
        Some(Compared {
            names: [short(one), short(two)],
            lines,
        })
    }

    fn of(&self, provider: &str, model: &str) -> Vec<&AnswerSeen> {
        let is_it = |answer: &&AnswerSeen| {
            answer.provider.as_deref() == Some(provider) && answer.model.as_deref() == Some(model)
        };
        self.answers.iter().filter(is_it).collect()
    }

    fn side(&self, name: &str) -> Option<Side<'_>> {
        if !self.has(name) {
            return None;
        }
        let (provider, model) = name.split_once('/')?;
        let answers = self.of(provider, model);
        let fits = self.fits.iter();
        Some(Side {
            facts: self.catalog.facts(provider, model),
            price: self.catalog.price(provider, model, self.now_us),
            seen: (!answers.is_empty()).then(|| seen_line(provider, model, &answers)),
            fits: fits
                .filter(|fit| fit.provider == provider && fit.model == model)
                .collect(),
        })
    }
}

/// For each task that either took part in: how often it was proven, and what that cost.
fn fit_lines(sides: &[Side<'_>; 2]) -> Vec<Line> {
    let fits = sides.iter().flat_map(|side| &side.fits);
    let mut tasks: Vec<&str> = fits.map(|fit| fit.task.as_str()).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let lines = tasks.into_iter().flat_map(|task| {
        let of = |say: fn(&TaskFit) -> String| {
            sides.each_ref().map(|side| {
                let fit = side.fits.iter().find(|fit| fit.task == task);
                fit.map_or_else(unknown, |fit| say(fit))
            })
        };
        [
            Line {
                name: format!("Proven, {}", short(task)),
                values: of(|fit| proven(fit.proven, fit.judged)),
            },
            Line {
                name: format!("Per proven change, {}", short(task)),
                values: of(|fit| per(fit.money.listed_nano_usd, fit.proven)),
            },
        ]
    });
    lines.collect()
}

/// A share with what it is a share of.
pub(super) fn proven(proven: i64, judged: i64) -> String {
    if judged == 0 {
        return unknown();
    }
    let (part, whole) = (count(proven), count(judged));
    format!("{part} of {whole} ({})", percent(proven, judged))
}

fn unknown() -> String {
    "–".to_owned()
}

fn said(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn limit(side: &Side<'_>, value: fn(&ModelFacts) -> Option<u64>) -> String {
    side.facts.and_then(value).map_or_else(unknown, |limit| {
        tokens(i64::try_from(limit).unwrap_or(i64::MAX))
    })
}

fn words(side: &Side<'_>, value: fn(&ModelFacts) -> &[String]) -> String {
    let words = side.facts.map(value).filter(|words| !words.is_empty());
    words.map_or_else(unknown, |words| short(&words.join(", ")))
}

fn yes(side: &Side<'_>, value: fn(&ModelFacts) -> Option<bool>) -> String {
    side.facts.and_then(value).map_or_else(unknown, said)
}

fn rate(side: &Side<'_>, value: fn(&Rates) -> Option<i64>) -> String {
    let rates = side.price.and_then(|price| price.rates(0));
    told(rates.and_then(value))
}

fn seen(side: &Side<'_>, value: fn(&SeenLine) -> &String) -> String {
    side.seen
        .as_ref()
        .map_or_else(unknown, |seen| value(seen).clone())
}
