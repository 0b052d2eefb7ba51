//! Small git repositories with fixed identities and dates, so that their commit ids never change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A fixture could not be built.
#[derive(Debug, thiserror::Error)]
pub enum FixtureError {
    /// A file could not be written.
    #[error("writing fixture file {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// git could not be started.
    #[error("starting git for a fixture")]
    Start(#[source] io::Error),
    /// git refused.
    #[error("git {command} failed in a fixture: {message}")]
    Git {
        /// The git command.
        command: String,
        /// Its standard error.
        message: String,
    },
}

/// A git repository under construction.
#[derive(Debug)]
pub struct Fixture {
    root: PathBuf,
    commits: u32,
}

impl Fixture {
    /// Makes an empty repository with the branch `main` in an existing or new directory.
    ///
    /// # Errors
    /// When the directory or git cannot be used.
    pub fn init(root: &Path) -> Result<Self, FixtureError> {
        fs::create_dir_all(root).map_err(|source| FixtureError::Write {
            path: root.to_owned(),
            source,
        })?;
        let fixture = Self {
            root: root.to_owned(),
            commits: 0,
        };
        fixture.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(fixture)
    }

    /// The directory of the repository.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a file, making its directories.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &str, content: &str) -> Result<&Self, FixtureError> {
        let path = self.root.join(path);
        let wrap = |source| FixtureError::Write {
            path: path.clone(),
            source,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(wrap)?;
        }
        fs::write(&path, content).map_err(wrap)?;
        Ok(self)
    }

    /// Commits everything and returns the commit id.
    ///
    /// # Errors
    /// When git refuses.
    pub fn commit(&mut self, message: &str) -> Result<String, FixtureError> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        self.commits += 1;
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs a git command in the repository and returns its trimmed output.
    ///
    /// # Errors
    /// When git cannot be started or fails.
    pub fn git(&self, args: &[&str]) -> Result<String, FixtureError> {
        let date = format!("2026-01-01T00:{:02}:00Z", self.commits % 60);
        #[expect(
            clippy::disallowed_methods,
            reason = "fixtures are made with the real git"
        )]
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=Fixture",
                "-c",
                "user.email=fixture@example.invalid",
            ])
            .args([
                "-c",
                "commit.gpgSign=false",
                "-c",
                "core.hooksPath=/dev/null",
            ])
            .args(args)
            .current_dir(&self.root)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .stdin(Stdio::null())
            .output()
            .map_err(FixtureError::Start)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        Err(FixtureError::Git {
            command: args.join(" "),
            message: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }
}
