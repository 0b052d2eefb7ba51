//! One catalog of several: the operator's rows over synced ones over the built-in snapshot.
//!
//! A row that is silent about something takes it from the row below that answers to its name, so a list without dated
//! prices does not lose the ones that are known.

use super::{
    BuildError, Catalog, CatalogError, File, FileModel, FileProvider, SNAPSHOT, build,
    models_dev::Synced,
    own::{self, OwnError},
};

/// A model that was left out of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Provider and model.
    pub model: String,
    /// Why.
    pub why: String,
}

/// Why no catalog came of the layers.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The operator's rows cannot be read.
    #[error(transparent)]
    Own(#[from] OwnError),
    /// What came of it is no catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// It cannot be written.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// A catalog with its text, of which its digest is.
#[derive(Debug, Clone)]
pub struct Layered {
    /// The text, as a catalog file is written.
    pub text: String,
    /// The catalog.
    pub catalog: Catalog,
}

/// Puts rows before those of the built-in snapshot. `source` and `date` are for the head of what comes out.
///
/// # Errors
/// When the operator's rows cannot be read.
pub fn layered(
    synced: Option<&Synced>,
    own: Option<&str>,
    (source, date): (&str, &str),
) -> Result<Layered, LayerError> {
    let snapshot: File = serde_json::from_str(SNAPSHOT).map_err(CatalogError::from)?;
    let mut providers = snapshot.providers;
    if let Some(Synced(rows)) = synced {
        before(&mut providers, rows.clone(), Catalog::embedded());
    }
    if let Some(text) = own {
        let rows = own::read(text)?;
        let middle = parsed(&providers, source, date)?;
        before(&mut providers, rows, &middle.catalog);
    }
    parsed(&providers, source, date)
}

fn parsed(providers: &[FileProvider], source: &str, date: &str) -> Result<Layered, LayerError> {
    let file = File {
        source: source.to_owned(),
        date: date.to_owned(),
        providers: providers.to_vec(),
    };
    let text = build::write(&file).map_err(BuildError::from)?;
    let catalog = Catalog::parse(&text)?;
    Ok(Layered { text, catalog })
}

/// Puts rows first, each filled up from the row below that has its name. `below` is the catalog of the providers.
fn before(providers: &mut Vec<FileProvider>, rows: Vec<FileProvider>, below: &Catalog) {
    let known = providers.clone();
    for mut layer in rows {
        for model in &mut layer.models {
            if let Some(old) = row(&known, below.place(&layer.id, &model.id)) {
                fill(model, old);
            }
        }
        match providers
            .iter_mut()
            .find(|provider| provider.id == layer.id)
        {
            Some(provider) => {
                // The same name below is never asked again, but for what else its patterns say.
                let names: Vec<&str> = layer.models.iter().map(|model| model.id.as_str()).collect();
                provider
                    .models
                    .retain(|old| !(old.patterns.is_empty() && names.contains(&old.id.as_str())));
                provider.models.splice(0..0, layer.models);
            }
            None => providers.push(layer),
        }
    }
}

fn fill(model: &mut FileModel, old: &FileModel) {
    model.fill(old);
    if model.prices.is_empty() {
        model.prices.clone_from(&old.prices);
        model.note = model.note.take().or_else(|| old.note.clone());
    } else if let ([price], Some(known)) = (model.prices.as_mut_slice(), old.prices.last()) {
        // An hour's cache write is priced by few lists; where all else is the same, it is still what it was.
        if let ([step], [old]) = (price.steps.as_mut_slice(), known.steps.as_slice())
            && step.5.is_none()
            && (step.1, step.2, step.4) == (old.1, old.2, old.4)
        {
            step.5 = old.5;
        }
    }
}

fn row<'f>(known: &'f [FileProvider], place: Option<(&str, usize)>) -> Option<&'f FileModel> {
    let (id, index) = place?;
    let provider = known.iter().find(|provider| provider.id == id)?;
    provider.models.get(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::models_dev;

    const PUBLISHED: &str = r#"{
        "anthropic": {"id": "anthropic", "name": "Anthropic", "models": {
            "claude-opus-4-8": {"id": "claude-opus-4-8", "attachment": true, "reasoning": true, "tool_call": true,
                "knowledge": "2026-01", "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "reasoning_options": [{"type": "effort", "values": ["low", "high"]}],
                "limit": {"context": 1000000, "output": 128000},
                "cost": {"input": 5, "output": 25, "cache_read": 0.5, "cache_write": 6.25,
                         "context_over_200k": {"input": 10, "output": 37.5}}},
            "claude-new": {"limit": {"context": 0, "output": 0}, "cost": {"input": 0.1, "output": 0.2}},
            "claude-wrong": {"cost": {"input": -1, "output": 2}},
            "claude-*": {}}},
        "xai": {"models": {"grok-9": {"cost": {"input": 1, "output": 2}}}},
        "empty": {"name": "none"}}"#;

    #[test]
    fn published_rows_stand_before_the_snapshot_and_keep_what_they_do_not_say() {
        let (synced, left) = models_dev::read(PUBLISHED).unwrap();
        let left: Vec<&str> = left.iter().map(|one| one.model.as_str()).collect();
        assert_eq!(left, ["anthropic/claude-wrong", "anthropic/claude-*"]);
        let head = ("a test", "2026-11-29");
        let layered = layered(Some(&synced), None, head).unwrap();
        let facts = layered
            .catalog
            .facts("anthropic", "claude-opus-4-8")
            .unwrap();
        assert_eq!(
            (facts.window, facts.output),
            (Some(1_000_000), Some(128_000))
        );
        assert_eq!(*facts.efforts, ["low", "high"]);
        let price = layered
            .catalog
            .price("anthropic", "claude-opus-4-8", 0)
            .unwrap();
        assert_eq!(price.rates(300_000).unwrap().output, 37_500_000_000);
        assert_eq!(price.rates(300_000).unwrap().cache_read, Some(500_000_000));
        assert_eq!(&*price.as_of, "2026-11-29");
        // What the list does not have is as it was; what it does not know stays unknown.
        let known = Catalog::embedded()
            .price("anthropic", "claude-haiku-4-5", 0)
            .unwrap();
        let kept = layered
            .catalog
            .price("anthropic", "claude-haiku-4-5", 0)
            .unwrap();
        assert_eq!(kept.steps, known.steps);
        assert_eq!(
            layered.catalog.context_window("anthropic", "claude-new"),
            None
        );
        assert!(layered.catalog.price("xai", "grok-9", 0).is_some());
        assert_ne!(layered.catalog.digest(), Catalog::embedded().digest());
        assert_eq!(
            Catalog::parse(&layered.text).unwrap().digest(),
            layered.catalog.digest()
        );
    }

    #[test]
    fn the_operators_rows_come_first() {
        let own = "[[model]]\nprovider = \"anthropic\"\nid = \"claude-opus-4-8\"\nprice = { input = 4, output = \"20.5\", cache_read = 0.4 }\n";
        let layered = layered(None, Some(own), ("a test", "2026-11-29")).unwrap();
        let price = layered
            .catalog
            .price("anthropic", "claude-opus-4-8", 0)
            .unwrap();
        let rates = price.rates(1).unwrap();
        assert_eq!((rates.input, rates.output), (4_000_000_000, 20_500_000_000));
        let facts = layered
            .catalog
            .facts("anthropic", "claude-opus-4-8")
            .unwrap();
        assert!(facts.window.is_some() && facts.note.is_some());
    }

    #[test]
    fn wrong_files_are_refused_with_their_place() {
        for (own, word) in [
            ("[[model]]\nprovider = \"a\"\n", "id"),
            (
                "[[model]]\nprovider = \"a\"\nid = \"b\"\nwindw = 1\n",
                "windw",
            ),
            (
                "[[model]]\nprovider = \"a\"\nid = \"b\"\nprice = { input = -1, output = 2 }\n",
                "`-1`",
            ),
            (
                "[[model]]\nprovider = \"a\"\nid = \"b\"\nprice = { input = 1, output = 2, from = \"soon\" }\n",
                "soon",
            ),
            ("model = 1", "line 1"),
        ] {
            let error = layered(None, Some(own), ("", "2026-11-29")).unwrap_err();
            assert!(error.to_string().contains(word), "{own}: {error}");
        }
        for text in ["", "[]", "{}", "{\"a\": {\"models\": {}}}", "{\"a\": 1}"] {
            assert!(models_dev::read(text).is_err(), "{text}");
        }
    }
}
