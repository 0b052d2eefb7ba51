//! The dated catalog of models: prices and context windows, vendored and looked up by provider and model.
//! It is data, never fetched. A provider or model it does not know has no price and no window: unknown, not zero.

mod ability;
mod amount;
mod build;
mod file;
mod layer;
mod litellm;
mod literal;
mod models_dev;
mod own;
mod pattern;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, LazyLock},
};

use serde::Serialize;
use sha2::{Digest, Sha256};
use wayproof_wire::{Refuses, ThinkingStyle};

pub use build::{BuildError, CatalogSources, build as build_catalog};
use file::{File, FileModel, FilePrice, FileProvider, FileStep};
pub use layer::{LayerError, Layered, LeftOut, layered as layered_catalog};
pub use models_dev::{ModelsDevError, Synced, read as read_models_dev};
pub use own::OwnError;
use pattern::Pattern;

use crate::calendar::Date;
use crate::price::{PriceRow, Rates};

/// The snapshot that ships with the crate; `catalog/README.md` beside it says where it comes from.
const SNAPSHOT: &str = include_str!("../catalog/prices.json");

static EMBEDDED: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(embedded()));

/// Prices and windows, ready to be looked up.
#[derive(Debug, Clone)]
pub struct Catalog {
    source: String,
    date: String,
    digest: String,
    providers: BTreeMap<String, Provider>,
}

/// A model as the catalog lists it.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// Who serves it.
    pub provider: &'a str,
    /// Its context window, in tokens.
    pub window: Option<u64>,
    /// Its prices, with its name.
    pub price: &'a PriceRow,
}

/// A catalog file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// It is not JSON of the catalog's shape.
    #[error("reading the catalog")]
    Json(#[from] serde_json::Error),
    /// A date in it is not one.
    #[error("`{0}` in the catalog is not a date of the form 2026-11-22")]
    Date(String),
}

/// Other names operators give to a provider of the catalog.
const ALSO_KNOWN: &[(&str, &str)] = &[
    ("bedrock", "aws"),
    ("bedrock-openai", "aws"),
    ("claude", "anthropic"),
    ("codestral", "mistral"),
    ("copilot", "github-copilot"),
    ("gemini", "google"),
    ("kimi", "moonshotai"),
    ("moonshot", "moonshotai"),
    ("vertex", "google"),
    ("vertex-anthropic", "google"),
    ("xai", "x-ai"),
];

#[derive(Debug, Clone)]
struct Provider {
    models: Vec<Model>,
    /// Names without wildcards and their models, by name.
    exact: Vec<(Box<str>, usize)>,
    wild: Vec<(Pattern, usize)>,
    fallback: Vec<String>,
}

#[derive(Debug, Clone)]
struct Model {
    facts: ModelFacts,
    prices: Vec<PriceRow>,
}

/// What the catalog knows of a model beside its prices. What is not known is absent, never a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ModelFacts {
    /// The catalog's name for it.
    pub id: String,
    /// Tokens of a whole conversation at most.
    pub window: Option<u64>,
    /// Tokens of an answer at most.
    pub output: Option<u64>,
    /// What it takes.
    pub takes: Arc<[String]>,
    /// What it gives.
    pub gives: Arc<[String]>,
    /// Whether it calls tools.
    pub tools: Option<bool>,
    /// Whether it thinks before it answers.
    pub reasoning: Option<bool>,
    /// The efforts that may be asked for.
    pub efforts: Arc<[String]>,
    /// How it is asked to think, where there is more than one way.
    pub thinking: Option<ThinkingStyle>,
    /// What it is known to refuse.
    pub refuses: Refuses,
    /// Until when it knows the world.
    pub knowledge: Option<String>,
    /// Where the row comes from, where that is not the catalog's source.
    pub note: Option<String>,
}

impl Catalog {
    /// The snapshot that ships with the crate.
    pub fn embedded() -> &'static Arc<Self> {
        &EMBEDDED
    }

    /// Reads a catalog file.
    ///
    /// # Errors
    /// When the text is not a catalog.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let file: File = serde_json::from_str(text)?;
        let mut providers = BTreeMap::new();
        let date = Arc::from(file.date.as_str());
        let mut lists = HashSet::new();
        for provider in file.providers {
            let id = provider.id.clone();
            providers.insert(id, Provider::read(provider, &date, &mut lists)?);
        }
        Ok(Self {
            source: file.source,
            date: file.date,
            digest: format!("{:x}", Sha256::digest(text.as_bytes())),
            providers,
        })
    }

    /// Where the figures come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The day of the snapshot.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// SHA-256 of the file, in lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The price of a provider's model at a time, in microseconds since 1970 UTC.
    pub fn price(&self, provider: &str, model: &str, at_us: i64) -> Option<&PriceRow> {
        let rows = &self.model(provider, model)?.prices;
        rows.iter().rev().find(|row| row.holds(at_us))
    }

    /// The context window of a provider's model, in tokens.
    pub fn context_window(&self, provider: &str, model: &str) -> Option<u64> {
        self.model(provider, model)?.facts.window
    }

    /// What is known of a provider's model.
    pub fn facts(&self, provider: &str, model: &str) -> Option<&ModelFacts> {
        Some(&self.model(provider, model)?.facts)
    }

    /// Every model that is listed, with its provider and its dated prices, by provider and then as they stand.
    pub fn models(&self) -> impl Iterator<Item = (&str, &ModelFacts, &[PriceRow])> {
        self.providers.iter().flat_map(|(id, provider)| {
            let models = provider.models.iter();
            models.map(move |model| (id.as_str(), &model.facts, model.prices.as_slice()))
        })
    }

    /// Every model with its prices at a time, by provider and name. Models without a price have no name of their own
    /// here and are left out.
    pub fn listings(&self, at_us: i64) -> impl Iterator<Item = Listing<'_>> {
        self.providers.iter().flat_map(move |(provider, served)| {
            served.models.iter().filter_map(move |model| {
                let price = model.prices.iter().rev().find(|row| row.holds(at_us))?;
                Some(Listing {
                    provider,
                    window: model.facts.window,
                    price,
                })
            })
        })
    }

    fn model(&self, provider: &str, model: &str) -> Option<&Model> {
        let (provider, index) = self.place(provider, model)?;
        self.providers.get(provider)?.models.get(index)
    }

    /// The provider whose row answers to a name, and which of its rows that is.
    fn place(&self, provider: &str, model: &str) -> Option<(&str, usize)> {
        let alias = ALSO_KNOWN.iter().find(|(alias, _)| *alias == provider);
        let (id, served) = self
            .providers
            .get_key_value(alias.map_or(provider, |(_, id)| id))?;
        let model = model.to_ascii_lowercase();
        let others = served
            .fallback
            .iter()
            .filter_map(|id| self.providers.get_key_value(id));
        std::iter::once((id, served))
            .chain(others)
            .find_map(|(id, served)| Some((id.as_str(), served.find(&model)?)))
    }
}

impl Provider {
    fn read(
        file: FileProvider,
        date: &Arc<str>,
        lists: &mut HashSet<Arc<[String]>>,
    ) -> Result<Self, CatalogError> {
        let mut provider = Self {
            models: Vec::with_capacity(file.models.len()),
            exact: Vec::with_capacity(file.models.len()),
            wild: Vec::new(),
            fallback: file.fallback,
        };
        for (index, model) in file.models.into_iter().enumerate() {
            let own = std::slice::from_ref(&model.id);
            let patterns = if model.patterns.is_empty() {
                own
            } else {
                &model.patterns
            };
            for text in patterns {
                match Pattern::parse(text) {
                    Pattern::Exact(id) => provider.exact.push((id.into(), index)),
                    pattern @ Pattern::Wild { .. } => provider.wild.push((pattern, index)),
                }
            }
            let prices: Result<_, _> = model
                .prices
                .iter()
                .map(|price| row(&model.id, price, date))
                .collect();
            provider.models.push(Model {
                prices: prices?,
                facts: facts(model, lists),
            });
        }
        // Of two rows with one name the first answers: sorting keeps their order, so the later ones are the repetitions.
        provider
            .exact
            .sort_by(|(one, _), (other, _)| one.cmp(other));
        provider
            .exact
            .dedup_by(|(later, _), (name, _)| later == name);
        Ok(provider)
    }

    /// The first model in the order of the file that knows the name.
    fn find(&self, name: &str) -> Option<usize> {
        let place = self.exact.binary_search_by(|(id, _)| (**id).cmp(name));
        let exact = place.ok().and_then(|place| self.exact.get(place));
        let exact = exact.map(|(_, index)| *index);
        let mut wild = self
            .wild
            .iter()
            .take_while(|(_, index)| exact.is_none_or(|exact| *index < exact));
        let wild = wild.find(|(pattern, _)| pattern.matches(name));
        wild.map(|(_, index)| *index).or(exact)
    }
}

/// Thousands of rows have the same few lists, so equal ones are kept once.
fn facts(model: FileModel, lists: &mut HashSet<Arc<[String]>>) -> ModelFacts {
    let mut shared = |list: Vec<String>| {
        if let Some(known) = lists.get(list.as_slice()) {
            return Arc::clone(known);
        }
        let list: Arc<[String]> = list.into();
        lists.insert(Arc::clone(&list));
        list
    };
    ModelFacts {
        id: model.id,
        window: model.window,
        output: model.output,
        takes: shared(model.takes),
        gives: shared(model.gives),
        tools: model.tools,
        reasoning: model.reasoning,
        efforts: shared(model.efforts),
        thinking: model.thinking,
        refuses: model.refuses,
        knowledge: model.knowledge,
        note: model.note,
    }
}

fn row(model: &str, price: &FilePrice, date: &Arc<str>) -> Result<PriceRow, CatalogError> {
    let from_us = price.from.as_deref().map(midnight_us).transpose()?;
    let steps = price.steps.iter().map(|step| {
        let (over, input, output, cache_read, cache_write_5m, cache_write_1h, reasoning) = *step;
        Rates {
            over,
            input,
            output,
            cache_read,
            cache_write_5m,
            cache_write_1h,
            reasoning,
        }
    });
    Ok(PriceRow {
        model: model.to_owned(),
        from_us,
        daily_minutes: price.daily,
        steps: steps.collect(),
        as_of: Arc::clone(date),
    })
}

/// Midnight UTC of a day such as `2026-11-22`, in microseconds since 1970.
fn midnight_us(day: &str) -> Result<i64, CatalogError> {
    let wrong = || CatalogError::Date(day.to_owned());
    let mut parts = day.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (Some(Some(year)), Some(Some(month)), Some(Some(date))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return Err(wrong());
    }
    let date = Date {
        year,
        month,
        day: date,
    };
    Ok(date.midnight_us())
}

#[expect(
    clippy::expect_used,
    reason = "the snapshot ships with the crate and every test reads it"
)]
fn embedded() -> Catalog {
    Catalog::parse(SNAPSHOT).expect("the embedded catalog is a catalog")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_microseconds() {
        let us = |day| midnight_us(day).unwrap();
        assert_eq!(us("1970-01-01"), 0);
        assert_eq!(us("2000-03-01"), 951_868_800_000_000);
        assert_eq!(us("2026-11-22"), 1_795_305_600_000_000);
        assert!(midnight_us("2026-13-01").is_err());
        assert!(midnight_us("soon").is_err());
    }
}
