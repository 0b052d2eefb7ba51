//! The catalog in force: the operator's rows over what was synced over the built-in snapshot.
//!
//! What is synced is kept as it was published, so that the next built-in snapshot lies below it as this one does.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wayproof_engine::{Catalog, Layered, LeftOut, Synced, layered_catalog, read_models_dev};

use crate::{exit::Mistake, settings};

const SYNCED: &str = "models.synced.json";
const SYNCED_FROM: &str = "models.synced.from.json";
const OWN: &str = "models.toml";

/// Where a synced list comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct From {
    /// The file or the address.
    pub(crate) place: String,
    /// The day, UTC.
    pub(crate) date: String,
    /// SHA-256 of what was read.
    pub(crate) digest: String,
}

/// The catalog in force and where its layers come from.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) catalog: Arc<Catalog>,
    /// The text that the digest is of, where it is not the built-in one.
    pub(crate) text: Option<String>,
    pub(crate) synced: Option<From>,
    pub(crate) own: Option<PathBuf>,
}

/// Reads the catalog of a data directory; without one it is the built-in snapshot.
pub(crate) fn in_force(data: &Path) -> Result<InForce> {
    let synced = read_optional(&data.join(SYNCED))?;
    let own = data.join(OWN);
    let rows = read_optional(&own)?;
    if synced.is_none() && rows.is_none() {
        return Ok(InForce {
            catalog: Arc::clone(Catalog::embedded()),
            text: None,
            synced: None,
            own: None,
        });
    }
    let from = match &synced {
        Some(text) => Some(from(data, text)?),
        None => None,
    };
    let list = match &synced {
        Some(text) => Some(parse(text, &data.join(SYNCED).display().to_string())?.0),
        None => None,
    };
    let layered = layer(list.as_ref(), rows.as_deref(), from.as_ref()).map_err(|error| {
        let mend = "mend it or move it away";
        Mistake(format!("{}: {error}; {mend}", own.display()))
    })?;
    Ok(InForce {
        catalog: Arc::new(layered.catalog),
        text: Some(layered.text),
        synced: from,
        own: rows.map(|_| own),
    })
}

/// The layers as one.
pub(crate) fn layer(
    list: Option<&Synced>,
    rows: Option<&str>,
    from: Option<&From>,
) -> Result<Layered, wayproof_engine::LayerError> {
    let below = Catalog::embedded();
    let mut source = below.source().to_owned();
    let mut date = below.date().to_owned();
    if let Some(from) = from {
        source = format!(
            "models.dev of {} ({}) over {source}",
            from.date, from.digest
        );
        date.clone_from(&from.date);
    }
    if rows.is_some() {
        source = format!("the operator's own rows over {source}");
    }
    layered_catalog(list, rows, (&source, &date))
}

/// Reads a published list.
pub(crate) fn parse(text: &str, place: &str) -> Result<(Synced, Vec<LeftOut>)> {
    let read = read_models_dev(text);
    Ok(read.map_err(|error| {
        let error = exit_chain(&error);
        Mistake(format!("{place} is no list of models.dev: {error}"))
    })?)
}

fn exit_chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        words = format!("{words}: {error}");
        source = error.source();
    }
    words
}

/// Keeps a published list in the data directory.
pub(crate) fn keep(data: &Path, text: &str, from: &From) -> Result<()> {
    settings::write_private(&data.join(SYNCED), text.as_bytes())?;
    let about = serde_json::to_string_pretty(from)?;
    settings::write_private(&data.join(SYNCED_FROM), about.as_bytes())
}

/// What a text is known by.
pub(crate) fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// Where the list comes from; one that somebody put there by hand is known by its digest alone.
fn from(data: &Path, text: &str) -> Result<From> {
    let digest = digest(text);
    let written = read_optional(&data.join(SYNCED_FROM))?;
    let written = written.and_then(|text| serde_json::from_str::<From>(&text).ok());
    Ok(written
        .filter(|from| from.digest == digest)
        .unwrap_or_else(|| From {
            place: data.join(SYNCED).display().to_string(),
            date: Catalog::embedded().date().to_owned(),
            digest,
        }))
}

fn read_optional(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(Mistake(format!("{} is not text", file.display())).into())
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", file.display())),
    }
}
