//! Reads the data sets: compressed JSON lines and tables. A file that is not there is an error that names it.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;

/// Reads `name` below `folder` as one record a line.
pub(crate) fn lines<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Vec<T>> {
    text(folder, name)?
        .lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("reading line {} of {name}", at + 1))
        })
        .collect()
}

/// Reads `name` below `folder`, unpacked.
pub(crate) fn text(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
    let mut text = String::new();
    MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .with_context(|| format!("unpacking {}", path.display()))?;
    Ok(text)
}

/// Reads `name` below `folder`, which is not packed.
pub(crate) fn plain(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}
