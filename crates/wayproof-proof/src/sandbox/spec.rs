//! What the parent tells the launcher and what the launcher tells back. It refuses names that are not text.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::places::Places;
use super::{Confined, IsolationFloor, Limits, OverLimit, Sandbox, SandboxError};

/// A command as the launcher gets it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) argv: Vec<String>,
    pub(super) cwd: PathBuf,
    pub(super) env: BTreeMap<String, String>,
    pub(super) places: Places,
    pub(super) limits: Limits,
    pub(super) floor: IsolationFloor,
    pub(super) ways: Vec<Way>,
    pub(super) private: PathBuf,
}

impl Spec {
    /// Works out what the command will see.
    pub(super) fn new(
        confined: &Confined,
        sandbox: &Sandbox,
        private: &Path,
    ) -> Result<Self, SandboxError> {
        if confined.argv.is_empty() {
            return Err(SandboxError::EmptyCommand);
        }
        let mut env = confined.env.clone();
        env.entry("PATH".to_owned())
            .or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        env.entry("HOME".to_owned())
            .or_insert_with(|| "/home/wayproof".to_owned());
        let places = Places::new(confined, &mut env)?;
        let cwd = places.inside(&confined.cwd)?;
        let private = std::fs::canonicalize(private).map_err(|source| SandboxError::Io {
            doing: format!("locate {}", private.display()),
            source,
        })?;
        Ok(Self {
            argv: confined.argv.clone(),
            cwd,
            env,
            places,
            limits: confined.limits,
            floor: sandbox.floor,
            ways: sandbox.ways.clone(),
            private,
        })
    }
}

/// How the launcher keeps a command apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Way {
    /// Namespaces of its own making.
    Own,
    /// Namespaces made by bubblewrap.
    Bwrap,
    /// No namespaces.
    Bare,
}

/// How the main process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) exit: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) is_timed_out: bool,
    pub(super) over_limit: Option<OverLimit>,
}

/// One line of the status file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Note {
    /// A way is tried; what an earlier one held counts no more.
    Trying(Way),
    /// A mechanism holds.
    Held(String),
    /// A mechanism does not hold, and why.
    Lacking(String),
    /// Less isolation than demanded.
    BelowFloor(String),
    /// The program could not be started.
    CannotStart(String),
    /// The command is over.
    Ended(Ended),
}

/// The launcher's side of the status file.
#[derive(Debug)]
pub(super) struct Status {
    file: File,
}

impl Status {
    /// Opens a status file for adding lines.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        OpenOptions::new()
            .append(true)
            .open(path)
            .map(|file| Self { file })
    }

    /// Adds a line. A line that cannot be written is missing, which the parent takes for the worst.
    pub(super) fn say(&self, note: &Note) {
        if let Ok(mut line) = serde_json::to_vec(note) {
            line.push(b'\n');
            (&self.file).write_all(&line).ok();
        }
    }

    /// Says that a mechanism holds.
    pub(super) fn held(&self, mechanism: &str) {
        self.say(&Note::Held(mechanism.to_owned()));
    }

    /// Says that a mechanism does not hold.
    pub(super) fn lacking(&self, mechanism: &str, reason: impl std::fmt::Display) {
        self.say(&Note::Lacking(format!("{mechanism}: {reason}")));
    }

    /// The open file, for a child that inherits it.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}
