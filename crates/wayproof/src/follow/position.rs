//! How far somebody was told of a ledger, kept in the data directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::settings;

/// The most events gone through once more after a restart.
const MOST_RECALLED: i64 = 200_000;

/// A place in a ledger, and the file it is kept in.
#[derive(Debug)]
pub(crate) struct Position {
    /// The first event not told yet.
    pub(crate) from: i64,
    /// The first event to be remembered before that.
    pub(crate) warm: i64,
    origin: String,
    file: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    origin: String,
    from: i64,
    warm: i64,
}

impl Position {
    /// The place kept for a receiver of a ledger; a receiver that is new begins at `new`.
    pub(crate) fn load(data: &Path, receiver: &str, origin: &str, new: i64) -> Result<Self> {
        let folder = data.join("told");
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let name = Sha256::digest(receiver.as_bytes());
        let name = name
            .iter()
            .take(8)
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let file = folder.join(format!("{name}.json"));
        let kept = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| serde_json::from_str::<Kept>(&text).ok())
            // Another ledger has other events at its places.
            .filter(|kept| kept.origin == origin);
        let (from, warm) = kept.map_or((new, new), |kept| (kept.from.max(0), kept.warm.max(0)));
        Ok(Self {
            from,
            warm: warm.clamp(from.saturating_sub(MOST_RECALLED), from),
            origin: origin.to_owned(),
            file,
        })
    }

    /// The same receiver, begun anew.
    pub(crate) fn at(mut self, from: i64) -> Self {
        (self.from, self.warm) = (from, from);
        self
    }

    /// A file beside it, for what else is remembered of the receiver.
    pub(crate) fn beside(&self, kind: &str) -> PathBuf {
        self.file.with_extension(kind)
    }

    pub(crate) fn save(&self) -> Result<()> {
        let kept = Kept {
            origin: self.origin.clone(),
            from: self.from,
            warm: self.warm,
        };
        settings::write_private(&self.file, serde_json::to_string(&kept)?.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_kept_for_one_receiver_and_one_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let mut position = Position::load(folder.path(), "a", "ledger", 7).unwrap();
        assert_eq!((position.from, position.warm), (7, 7));
        (position.from, position.warm) = (500_000, 3);
        position.save().unwrap();
        let again = Position::load(folder.path(), "a", "ledger", 0).unwrap();
        assert_eq!((again.from, again.warm), (500_000, 300_000));
        assert_eq!(
            Position::load(folder.path(), "b", "ledger", 7)
                .unwrap()
                .from,
            7
        );
        assert_eq!(
            Position::load(folder.path(), "a", "other", 9).unwrap().from,
            9
        );
        std::fs::write(&again.file, "{").unwrap();
        assert_eq!(
            Position::load(folder.path(), "a", "ledger", 1)
                .unwrap()
                .from,
            1
        );
    }
}
