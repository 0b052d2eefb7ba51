//! What was changed for an agent, kept in the data directory until it is taken back. Readable by its owner alone, for
//! settings files hold keys.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{document::Format, edit::Made, limits::Limits};
use crate::{exit::Broken, settings};

/// A connection of an agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    pub(crate) agent: String,
    /// The gateway's base URL.
    pub(crate) gateway: String,
    /// The folder that was named instead of the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    /// The variable with the key that the gateway wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key_env: Option<String>,
    /// How much the gateway's model held then.
    #[serde(default)]
    pub(crate) limits: Limits,
    pub(crate) files: Vec<FileRecord>,
}

/// One file of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    /// As the agent names it.
    pub(crate) path: PathBuf,
    /// Where it is, behind links.
    pub(crate) target: PathBuf,
    pub(crate) format: Format,
    /// What it said before, or that it was not there.
    pub(crate) before: Option<String>,
    /// SHA-256 of what it said after.
    pub(crate) after: String,
    pub(crate) made: Vec<Made>,
    /// Folders that were made for it.
    pub(crate) folders: Vec<PathBuf>,
}

const VERSION: u32 = 1;

impl Record {
    pub(crate) fn new(agent: &str, gateway: &str, folder: Option<&Path>) -> Self {
        Self {
            version: VERSION,
            agent: agent.to_owned(),
            gateway: gateway.to_owned(),
            folder: folder.map(Path::to_owned),
            key_env: None,
            limits: Limits::default(),
            files: Vec::new(),
        }
    }

    /// The record of an agent, if it is connected.
    pub(crate) fn load(data: &Path, agent: &str) -> Result<Option<Self>> {
        let file = file(data, agent);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
        };
        let record: Self = serde_json::from_str(&text)
            .map_err(|error| Broken(format!("{} cannot be read: {error}", file.display())))?;
        if record.version != VERSION {
            let sentence = format!("{} is of another version of wayproof", file.display());
            return Err(Broken(sentence).into());
        }
        Ok(Some(record))
    }

    pub(crate) fn save(&self, data: &Path) -> Result<()> {
        let file = file(data, &self.agent);
        let folder = file.parent().unwrap_or(data);
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        settings::write_private(&file, serde_json::to_string_pretty(self)?.as_bytes())
    }

    pub(crate) fn forget(&self, data: &Path) -> Result<()> {
        let file = file(data, &self.agent);
        fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))
    }
}

fn file(data: &Path, agent: &str) -> PathBuf {
    data.join("connections").join(format!("{agent}.json"))
}
