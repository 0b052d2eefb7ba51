//! Asks a tool what it makes of a repository.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use crate::run::{command, root, run};

/// What a tool said.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answer {
    /// In its own word.
    pub verdict: String,
    /// Whether that lets the change in, with gaps or without.
    pub is_accepted: bool,
    /// What it found: the codes of detectors and gaps.
    pub detectors: Vec<String>,
    /// The one sentence it gave.
    pub why: String,
}

/// A tool and how it is asked.
#[derive(Debug)]
pub(super) struct Judge {
    /// The program.
    pub program: PathBuf,
    is_own: bool,
    path: String,
}

impl Judge {
    /// This repository's own program, built when none is given.
    pub(super) fn own(given: Option<&Path>) -> Result<Self> {
        let program = if let Some(program) = given {
            program
                .canonicalize()
                .with_context(|| format!("finding {}", program.display()))?
        } else {
            run(&mut command(
                "cargo",
                &["build", "--quiet", "--package", "wayproof"],
            ))?;
            root().join("target/debug/wayproof")
        };
        Ok(Self {
            program,
            is_own: true,
            path: String::new(),
        })
    }

    /// A tool that accepts by its exit status.
    pub(super) fn foreign(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            is_own: false,
            path: String::new(),
        }
    }

    /// Puts the tests' tools on the search path.
    pub(super) fn with_tools(mut self, tools: &[(&str, PathBuf)]) -> Self {
        let folders = tools
            .iter()
            .filter(|(name, _)| *name == "WAYPROOF_TEST_TOOLS")
            .map(|(_, folder)| folder.join("python/bin").to_string_lossy().into_owned());
        #[expect(
            clippy::disallowed_methods,
            reason = "the tool is found as the developer's shell finds it"
        )]
        let own = std::env::var("PATH").unwrap_or_default();
        self.path = folders.chain([own]).collect::<Vec<_>>().join(":");
        self
    }

    /// The program, to be started in a folder, with a data directory beside that.
    pub(super) fn command(&self, place: &Path, args: &[&str]) -> Command {
        let mut command = command(&self.program.to_string_lossy(), args);
        command
            .current_dir(place)
            .env("PATH", &self.path)
            .env("CARGO_NET_OFFLINE", "true")
            .env("WAYPROOF_DATA", place.with_extension("data"));
        command
    }

    /// What it makes of the change in a repository.
    pub(super) fn ask(&self, repo: &Path, task: &str) -> Result<Answer> {
        let args = [
            "prove", "--task", task, "--base", "base", "--head", "HEAD", "--json",
        ];
        let args: &[&str] = if self.is_own { &args } else { &[] };
        let output = self
            .command(repo, args)
            .output()
            .with_context(|| format!("starting {}", self.program.display()))?;
        if !self.is_own {
            return Ok(Answer {
                verdict: output.status.to_string(),
                is_accepted: output.status.success(),
                detectors: Vec::new(),
                why: String::new(),
            });
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the answer is no JSON: {said}"))?;
        Ok(read(&report))
    }
}

fn read(report: &Value) -> Answer {
    let text = |key: &str| {
        let value = report.get(key).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let list = |key: &str| {
        report
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let codes = list("findings").filter_map(|finding| finding.get("code"));
    let mut detectors: Vec<String> = codes
        .chain(list("gaps"))
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    detectors.sort();
    detectors.dedup();
    let verdict = text("verdict");
    Answer {
        is_accepted: matches!(verdict.as_str(), "PROVEN" | "PROVEN_WITH_GAPS"),
        verdict,
        detectors,
        why: text("fact"),
    }
}
