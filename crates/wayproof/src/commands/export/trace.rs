//! Agent Trace records: which lines of a proven change came from which model.
//!
//! One record a receipt, as JSON lines, by the specification's version 0.1: <https://agent-trace.dev>. Its schema wants
//! the version as `0.1`, though its examples say `0.1.0`. Lines are those that the change added; what a person typed
//! beside the agent in the same change cannot be told apart, and is not claimed to be told.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{Days, ExchangeRow, JobDetail, Ledger, Page, ReceiptIssuedRow};
use wayproof_repo::{FilePatch, LineKind, Oid, PatchLine, Repo, RepoError};

use super::{DAY_US, PAGE};
use crate::{proving::repo_mistake, terminal::tell};

/// The longest name of a model that the specification takes.
const LONGEST_MODEL: usize = 250;

/// Writes a record for each receipt whose change a repository still has, the newest first.
pub(super) async fn write<W: Write + Send>(
    ledger: &Ledger,
    days: Days,
    repo: Option<&Path>,
    out: &mut W,
) -> Result<()> {
    let (mut before, mut absent) = (None, 0_u64);
    loop {
        let page = Page {
            limit: PAGE,
            before,
        };
        let rows = ledger.receipts_issued(None, page).await;
        let rows = rows.context("reading receipts")?;
        let Some(last) = rows.last() else { break };
        before = Some(last.seq);
        for row in rows.iter().filter(|row| is_meant(row.at_us, days)) {
            match record(ledger, row, repo).await? {
                Some(record) => writeln!(out, "{record}")?,
                None => absent += 1,
            }
        }
    }
    if absent > 0 {
        tell(&format!(
            "left out: {absent} receipt(s) whose job, repository or trees are not here; --repo names another place"
        ));
    }
    Ok(())
}

fn is_meant(at_us: i64, days: Days) -> bool {
    let day = at_us.div_euclid(DAY_US);
    days.from.is_none_or(|from| day >= from) && days.until.is_none_or(|until| day < until)
}

async fn record(
    ledger: &Ledger,
    row: &ReceiptIssuedRow,
    repo: Option<&Path>,
) -> Result<Option<Value>> {
    let Some(id) = &row.job else { return Ok(None) };
    let Some(detail) = ledger.job(id).await.context("reading a job")? else {
        return Ok(None);
    };
    let place = repo
        .map(Path::to_owned)
        .or(row.repo.clone().map(PathBuf::from));
    let ends = (detail.job.base.clone(), row.issued.tree.clone());
    let (Some(place), (Some(base), Some(tree))) = (place, ends) else {
        return Ok(None);
    };
    let Some(patches) = patches(&place, &base, &tree)? else {
        return Ok(None);
    };
    let stored = ledger.events_at(&[row.seq]).await;
    let stored = stored.context("reading an event")?;
    let Some(event) = stored.first().map(|stored| &stored.event) else {
        return Ok(None);
    };
    let contributor = contributor(&detail);
    let files = patches.iter().filter_map(|patch| file(patch, &contributor));
    let mut record = json!({
        "version": "0.1",
        "id": event.id.to_string(),
        "timestamp": moment(row.at_us)?,
        "tool": {"name": "wayproof", "version": env!("CARGO_PKG_VERSION")},
        "files": files.collect::<Vec<_>>(),
        "metadata": {"dev.wayproof": {
            "receipt": format!("sha256:{}", row.issued.receipt_digest),
            "verdict": row.issued.verdict.name(),
            "task": row.task, "job": id, "base": base, "tree": tree,
        }},
    });
    if let Some(commit) = row
        .issued
        .commit
        .as_deref()
        .filter(|commit| Oid::parse(commit).is_some())
    {
        record["vcs"] = json!({"type": "git", "revision": commit});
    }
    Ok(Some(record))
}

/// What changed between two revisions, where the repository has both.
fn patches(place: &Path, base: &str, tree: &str) -> Result<Option<Vec<FilePatch>>> {
    // The base came from the ledger, so it is not taken for an option or a name.
    let is_named = [base, tree].iter().all(|name| Oid::parse(name).is_some());
    if !is_named || !place.is_dir() {
        return Ok(None);
    }
    let repo = match Repo::discover(place) {
        Ok(repo) => repo,
        Err(RepoError::NotARepository(_)) => return Ok(None),
        Err(error) => return Err(repo_mistake(error)),
    };
    match repo.patches(base, tree, 0) {
        Ok(patches) => Ok(Some(patches)),
        Err(
            RepoError::UnknownRevision(_)
            | RepoError::UnknownInShallow(_)
            | RepoError::NoCommits(_),
        ) => Ok(None),
        Err(error) => Err(repo_mistake(error)),
    }
}

/// Who made the change: the one model whose answers it came from, several that are not told apart, or nobody knows.
fn contributor(detail: &JobDetail) -> Value {
    let answered = |row: &&ExchangeRow| row.outcome.as_deref() == Some("completed");
    let models: BTreeSet<String> = detail
        .exchanges
        .iter()
        .filter(answered)
        .filter_map(|row| {
            Some(format!(
                "{}/{}",
                row.provider.as_ref()?,
                row.model.as_ref()?
            ))
        })
        .filter(|model| model.chars().count() <= LONGEST_MODEL)
        .collect();
    let mut models = models.into_iter();
    match (models.next(), models.next()) {
        (None, _) => json!({"type": "unknown"}),
        (Some(model), None) => json!({"type": "ai", "model_id": model}),
        (Some(_), Some(_)) => json!({"type": "ai"}),
    }
}

/// The lines of one file that were added; nothing where none were.
fn file(patch: &FilePatch, contributor: &Value) -> Option<Value> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    let is_added = |line: &&PatchLine| line.kind == Some(LineKind::Added);
    for line in patch.runs.iter().flatten().filter(is_added) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == line.number => *end = line.number,
            _ => ranges.push((line.number, line.number)),
        }
    }
    let ranges: Vec<Value> = ranges
        .into_iter()
        .map(|(start, end)| json!({"start_line": start, "end_line": end}))
        .collect();
    (!ranges.is_empty()).then(|| {
        json!({
            "path": patch.path,
            "conversations": [{"contributor": contributor, "ranges": ranges}],
        })
    })
}

/// A moment as RFC 3339 writes it.
fn moment(at_us: i64) -> Result<String> {
    let at = jiff::Timestamp::from_microsecond(at_us).context("reading a time of the ledger")?;
    Ok(at.to_string())
}
