//! What caching of prompts did to the bill: how much was read from caches, how much written, and what that saved.

use wayproof_engine::Catalog;
use wayproof_ledger::{Input, ModelInput};

use crate::show::money::told;
use crate::show::text::{percent, short, tokens};

/// Models that are told of, those with the longest input first.
const MOST: usize = 20;

/// One model, or all of them.
#[derive(Debug)]
pub(super) struct Cached {
    pub(super) model: String,
    pub(super) input: String,
    pub(super) share: String,
    pub(super) written: String,
    pub(super) saved: String,
}

/// A line for each model that told its tokens.
pub(super) fn caching(models: &[ModelInput], catalog: &Catalog, now_us: i64) -> Vec<Cached> {
    let mut models: Vec<(&ModelInput, i64)> = models
        .iter()
        .filter_map(|model| Some((model, all(&model.input)?)))
        .collect();
    models.sort_by_key(|(_, all)| std::cmp::Reverse(*all));
    models.truncate(MOST);
    models
        .into_iter()
        .map(|(model, all)| {
            let read = model.input.cache_read.unwrap_or(0);
            Cached {
                model: format!("{}/{}", short(&model.provider), short(&model.model)),
                input: tokens(all),
                share: percent(read, all),
                written: model.input.cache_write.map_or_else(dash, tokens),
                saved: told(saved(model, catalog, now_us)),
            }
        })
        .collect()
}

fn dash() -> String {
    "–".to_owned()
}

/// Everything a model was asked with.
fn all(input: &Input) -> Option<i64> {
    let parts = [input.fresh, input.cache_read, input.cache_write];
    let known = parts.into_iter().flatten();
    known.reduce(i64::saturating_add).filter(|all| *all > 0)
}

/// What the same tokens would have cost more by price lists, had none of them been cached.
fn saved(model: &ModelInput, catalog: &Catalog, now_us: i64) -> Option<i64> {
    let price = catalog.price(&model.provider, &model.model, now_us)?;
    let rates = price.rates(0)?;
    let part = |count: Option<i64>, rate: Option<i64>| -> Option<i128> {
        match count.unwrap_or(0) {
            0 => Some(0),
            count => Some(i128::from(count) * i128::from(rates.input - rate?)),
        }
    };
    // Writing costs more than reading anew, mostly; where nothing is said of it, it costs the same.
    let write = rates.cache_write_5m.or(Some(rates.input));
    let nano =
        part(model.input.cache_read, rates.cache_read)? + part(model.input.cache_write, write)?;
    i64::try_from(nano / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: i64 = 1_795_348_800_000_000;

    fn model(name: &str, input: [Option<i64>; 3]) -> ModelInput {
        ModelInput {
            provider: "anthropic".to_owned(),
            model: name.to_owned(),
            input: Input {
                fresh: input[0],
                cache_read: input[1],
                cache_write: input[2],
            },
        }
    }

    #[test]
    fn reading_saves_and_writing_costs() {
        let catalog = Catalog::embedded();
        let rates = catalog
            .price("anthropic", "claude-opus-5-5", NOW_US)
            .unwrap();
        let rates = rates.rates(0).unwrap();
        let (read, write) = (rates.cache_read.unwrap(), rates.cache_write_5m.unwrap());
        let million = 1_000_000;
        let of = |input| saved(&model("claude-opus-5-5", input), catalog, NOW_US);
        assert_eq!(of([Some(5), Some(million), None]), Some(rates.input - read));
        assert_eq!(of([None, None, Some(million)]), Some(rates.input - write));
        assert!(rates.input - write < 0, "a cache that nobody reads costs");
        let both = of([Some(5), Some(million), Some(million)]);
        assert_eq!(both, Some(2 * rates.input - read - write));
        assert_eq!(saved(&model("nobody", [None; 3]), catalog, NOW_US), None);
    }

    #[test]
    fn models_that_told_nothing_are_left_out() {
        let models = [
            model("silent", [None; 3]),
            model("idle", [Some(0), None, None]),
            model("small", [Some(100), Some(300), None]),
            model("large", [Some(1_000), None, Some(24_000)]),
        ];
        let lines = caching(&models, Catalog::embedded(), NOW_US);
        let names: Vec<&str> = lines.iter().map(|line| line.model.as_str()).collect();
        assert_eq!(names, ["anthropic/large", "anthropic/small"]);
        assert_eq!(
            (lines[1].share.as_str(), lines[1].written.as_str()),
            ("75 %", "–")
        );
        assert_eq!(lines[0].saved, "–", "nobody knows what it costs");
    }
}
