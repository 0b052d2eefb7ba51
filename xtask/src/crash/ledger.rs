//! What a ledger says after its gateway was broken, through the program itself.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Bench;
use crate::run::command;

/// A ledger that is broken on purpose.
pub(super) struct Ledger {
    binary: PathBuf,
    pub(super) data: PathBuf,
}

/// What is in it.
pub(super) struct Found {
    /// How often each exchange was opened.
    opened: BTreeMap<String, u32>,
    /// The texts of its events.
    pub(super) texts: Vec<String>,
}

impl Ledger {
    pub(super) fn new(bench: &Bench, name: &str) -> Self {
        Self {
            binary: bench.binary.clone(),
            data: bench.work.join(name),
        }
    }

    /// Runs a command of the program on it.
    pub(super) fn ask(&self, args: &[&str]) -> Result<Output> {
        let data = self.data.to_string_lossy().into_owned();
        let args = [args, &["--data", &data]].concat();
        let mut asked = command(&self.binary.to_string_lossy(), &args);
        asked.output().context("starting the program")
    }

    /// What `ledger verify` finds: its exit status and its report.
    pub(super) fn verify(&self) -> Result<(Option<i32>, Value)> {
        let output = self.ask(&["ledger", "verify", "--json"])?;
        let report = serde_json::from_slice(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("`ledger verify` ended with {}: {said}", output.status)
        })?;
        Ok((output.status.code(), report))
    }

    /// Reads every event, whole, and verifies the ledger.
    pub(super) fn look(&self) -> Result<Found> {
        let (status, report) = self.verify()?;
        if status != Some(0) || !report["problem"].is_null() {
            bail!("the ledger does not verify: {report}");
        }
        let output = self.ask(&["ledger", "export", "--format", "jsonl"])?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("the events cannot be read: {said}");
        }
        let text = String::from_utf8(output.stdout).context("reading the events")?;
        let mut found = Found {
            opened: BTreeMap::new(),
            texts: Vec::new(),
        };
        for line in text.lines() {
            let event: Value = serde_json::from_str(line)
                .with_context(|| format!("an event is there in part only: {line}"))?;
            if event["type"] == "exchange-opened" {
                let id = event["exchange"].as_str().unwrap_or_default();
                *found.opened.entry(id.to_owned()).or_default() += 1;
            }
            found.texts.push(line.to_owned());
        }
        if report["events"].as_u64() != Some(found.events()) {
            bail!(
                "{} events were verified and {} read",
                report["events"],
                found.events()
            );
        }
        if let Some((id, times)) = found.opened.iter().find(|(_, times)| **times != 1) {
            bail!("exchange {id} was opened {times} times");
        }
        Ok(found)
    }
}

impl Found {
    pub(super) fn events(&self) -> u64 {
        self.texts.len() as u64
    }

    /// Every exchange that somebody was answered is there once.
    pub(super) fn has(&self, acknowledged: &[String]) -> Result<()> {
        match acknowledged
            .iter()
            .find(|id| !self.opened.contains_key(*id))
        {
            None => Ok(()),
            Some(id) => bail!("exchange {id} was answered and is not in the ledger"),
        }
    }
}
