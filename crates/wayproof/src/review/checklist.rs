//! What a reviewer goes through. The base's own list, where it has one, so that a change cannot shorten it.

use anyhow::Result;
use wayproof_receipt::{ResourceDescriptor, sha256_hex};
use wayproof_repo::{Commit, Repo};

use crate::{exit::Mistake, proving::repo_mistake};

/// Where a base keeps a checklist of its own.
pub(crate) const PLACE: &str = ".wayproof/checklist.md";

/// A list of things to look at.
#[derive(Debug)]
pub(crate) struct Checklist {
    pub(crate) text: String,
}

impl Checklist {
    /// The checklist of a base, else ours.
    pub(crate) fn at(repo: &Repo, base: &Commit) -> Result<Self> {
        let own = repo.read(base.id.as_str(), PLACE).map_err(repo_mistake)?;
        let text = match own {
            None => include_str!("checklist.md").to_owned(),
            Some(bytes) => String::from_utf8(bytes)
                .map_err(|_| Mistake(format!("{PLACE} of the base is not text")))?,
        };
        if text.trim().is_empty() {
            return Err(Mistake(format!(
                "{PLACE} of the base is empty, and whoever approves would have looked at nothing"
            ))
            .into());
        }
        Ok(Self { text })
    }

    /// SHA-256 of the text.
    pub(crate) fn digest(&self) -> String {
        sha256_hex(self.text.as_bytes())
    }

    /// The list, for a receipt.
    pub(crate) fn descriptor(&self) -> ResourceDescriptor {
        ResourceDescriptor::pinned("checklist", "sha256", &self.digest())
    }
}
