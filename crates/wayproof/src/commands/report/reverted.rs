//! Proven changes that were taken back: of those that the main branch of this repository has, how many within two weeks
//! and within a month. It knows a change by its commit, also inside a merge, or by its tree.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{Days, Ledger, Page, ReceiptIssuedRow};
use wayproof_receipt::Verdict;
use wayproof_repo::{Commit, Oid, Repo, RepoError};

use super::percent;

/// Where changes land, best first.
const TRUNKS: [&str; 5] = ["origin/HEAD", "origin/main", "main", "master", "HEAD"];

/// After so many days it is looked whether a change still stands.
const AFTER: [i64; 2] = [14, 30];

const DAY_US: i64 = 86_400_000_000;

/// Receipts read at a time, and at most.
const PAGE: u32 = 500;
const MOST: usize = 20_000;

/// What became of proven changes.
pub(super) struct Reverted {
    branch: String,
    /// How many were taken back in time, and of how many that is known, for each span.
    found: [(i64, i64); 2],
}

impl Reverted {
    pub(super) fn value(&self) -> Value {
        let spans = AFTER.iter().zip(self.found).map(
            |(days, (reverted, of))| json!({"within_days": days, "reverted": reverted, "of": of}),
        );
        json!({"branch": self.branch, "spans": spans.collect::<Vec<_>>()})
    }

    pub(super) fn told(&self) -> String {
        let spans = AFTER.iter().zip(self.found).map(|(days, (reverted, of))| {
            let share = percent(reverted, of);
            format!("{reverted} of {of} within {days} days ({share})")
        });
        let spans: Vec<String> = spans.collect();
        format!(
            "proven and taken back on {}: {}",
            self.branch,
            spans.join(", ")
        )
    }
}

/// What became of the proven changes of some days; nothing outside of a repository, or where none of them landed.
pub(super) async fn reverted(ledger: &Ledger, days: Days) -> Result<Option<Reverted>> {
    let Ok(repo) = Repo::discover(Path::new(".")) else {
        return Ok(None);
    };
    let receipts = proven(ledger, days).await.context("reading receipts")?;
    if receipts.is_empty() {
        return Ok(None);
    }
    look(&repo, &receipts, ledger.clock().now_us()).context("looking for reverts")
}

/// The receipts of proven changes, newest first.
async fn proven(ledger: &Ledger, days: Days) -> Result<Vec<ReceiptIssuedRow>> {
    let from_us = days.from.map_or(i64::MIN, |day| day * DAY_US);
    let until_us = days.until.map_or(i64::MAX, |day| day * DAY_US);
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = Page {
            limit: PAGE,
            before,
        };
        let rows = ledger.receipts_issued(None, page).await?;
        before = rows.last().map(|row| row.seq);
        let is_last = rows.len() < PAGE as usize || rows.iter().any(|row| row.at_us < from_us);
        found.extend(rows.into_iter().filter(|row| {
            row.issued.verdict == Verdict::Proven && (from_us..until_us).contains(&row.at_us)
        }));
        if is_last || found.len() >= MOST {
            return Ok(found);
        }
    }
}

fn look(
    repo: &Repo,
    receipts: &[ReceiptIssuedRow],
    now_us: i64,
) -> Result<Option<Reverted>, RepoError> {
    let trunk = TRUNKS
        .iter()
        .find_map(|name| Some((*name, repo.resolve(name).ok()?)));
    let Some((branch, head)) = trunk else {
        return Ok(None);
    };
    let landed = landed(&repo.commits(&head)?, receipts);
    if landed.is_empty() {
        return Ok(None);
    }
    let taken_back = taken_back(repo, &head)?;
    let found = AFTER.map(|days| {
        let (mut reverted, mut of) = (0, 0);
        for (proven_us, commits) in &landed {
            let end_us = proven_us.saturating_add(days * DAY_US);
            let taken = commits.iter().filter_map(|commit| taken_back.get(commit));
            let is_reverted = taken
                .flatten()
                .any(|at_us| (*proven_us..end_us).contains(at_us));
            reverted += i64::from(is_reverted);
            // What is younger has not stood the test yet.
            of += i64::from(is_reverted || end_us <= now_us);
        }
        (reverted, of)
    });
    Ok(Some(Reverted {
        branch: branch.to_owned(),
        found,
    }))
}

/// Each change that the branch has, once: when it was first proven, and the commits it is in.
fn landed(commits: &[Commit], receipts: &[ReceiptIssuedRow]) -> Vec<(i64, BTreeSet<Oid>)> {
    let ids: BTreeSet<&str> = commits.iter().map(|commit| commit.id.as_str()).collect();
    let mut trees: BTreeMap<&str, BTreeSet<Oid>> = BTreeMap::new();
    for commit in commits {
        let same = trees.entry(commit.tree.as_str()).or_default();
        same.insert(commit.id.clone());
    }
    let mut changes: BTreeMap<BTreeSet<Oid>, i64> = BTreeMap::new();
    for row in receipts {
        let commit = row.issued.commit.as_deref();
        let own = commit.filter(|id| ids.contains(id)).and_then(Oid::parse);
        let by_tree = || trees.get(row.issued.tree.as_deref()?).cloned();
        let Some(found) = own.map(|id| BTreeSet::from([id])).or_else(by_tree) else {
            continue;
        };
        let first_us = changes.entry(found).or_insert(row.at_us);
        *first_us = row.at_us.min(*first_us);
    }
    changes.into_iter().map(|(found, at)| (at, found)).collect()
}

/// The commits that were taken back, with the times of that.
fn taken_back(repo: &Repo, head: &Commit) -> Result<BTreeMap<Oid, Vec<i64>>, RepoError> {
    let mut taken: BTreeMap<Oid, Vec<i64>> = BTreeMap::new();
    for revert in repo.reverts(head)? {
        let at_us = revert.at_s.saturating_mul(1_000_000);
        for commit in repo.brought(&revert.reverted)? {
            taken.entry(commit).or_default().push(at_us);
        }
    }
    Ok(taken)
}
