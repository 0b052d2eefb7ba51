//! Proves one change: resolve, plan, check out, run, compare, look for cheats, judge, and write it down.
//!
//! It returns what it saw and never a log. Only its own executions count: it reads no report that was there before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{
    Benchmark, Check, CheckKind, Coverage, Dependencies, Finding, Flake, Link, Mutation, Oracle,
    PublicApi, Severity, Side,
};
use wayproof_repo::{Change, ChangeKind, Commit, EntryKind, Oid, Repo, TreeEntry};

use crate::cache;
use crate::checkout::{self, Sources};
use crate::gaming;
use crate::missing;
use crate::plan::{self, FileChange, Files, Suite};
use crate::record::{Revisions, stamp, write_down};
use crate::request::{Commands, Head, Progress, ProveError, ProveRequest, Proven, Step};
use crate::row::{self, Case, Outcome, Work};
use crate::run::{Host, Memo, Mode, Trouble};
use crate::sandbox::Sandbox;
use crate::stopwatch::Stopwatch;
use crate::verdict::Judgment;

/// A larger file is no text that anybody wrote.
const LARGEST_TEXT: usize = 32 << 20;

/// Proves a change.
pub fn prove(
    request: &ProveRequest,
    sandbox: &Sandbox,
    progress: &dyn Progress,
) -> Result<Proven, ProveError> {
    let watch = Stopwatch::start();
    let repo = Repo::discover(&request.repo)?;
    let revisions = resolve(&repo, request)?;
    let reading = Stopwatch::start();
    let mut changes = read_changes(&repo, &revisions)?;
    progress.step(&Step::Resolved {
        files: changes.len(),
        read_ms: reading.elapsed_ms(),
    });
    let suites = plan_suites(&repo, &revisions, &mut changes, &request.commands)?;
    let scratch = scratch(&request.machine.scratch)?;
    let dependencies = dependencies(&repo)?;
    let sources = Sources {
        repo: &repo,
        base: revisions.base.tree.as_str(),
        head: revisions.head.tree.as_str(),
        changes: &changes,
        scratch: scratch.path(),
        dependencies: &dependencies,
    };
    let (count, memo) = (AtomicU64::new(1), Memo::default());
    let bare = Host {
        sandbox,
        machine: &request.machine,
        limits: &request.limits,
        scratch: scratch.path(),
        dependencies: &dependencies,
        count: &count,
        memo: &memo,
        mode: Mode::default(),
        kept: None,
    };
    let (key, kept) = cache::keys(&bare, request, &revisions)?;
    let host = Host {
        kept: kept.as_ref(),
        ..bare
    };
    if let Some(mut kept) = key.as_deref().and_then(|key| cache::find(request, key)) {
        progress.step(&Step::Reused);
        stamp(&repo, request, &revisions, &mut kept)?;
        still(&repo, request, &revisions, &mut kept)?;
        progress.step(&Step::Judged {
            verdict: kept.proof.verdict,
        });
        return Ok(kept);
    }
    let evidence = or_infrastructure(gather(request, &sources, &host, &suites, (progress, watch)))?;
    let evidence = hold_still(&repo, request, &revisions, evidence)?;
    progress.step(&Step::Judged {
        verdict: evidence.judgment.verdict,
    });
    let is_whole = evidence.is_whole;
    let proven = write_down(&repo, request, &revisions, &changes, evidence)?;
    if let Some(key) = key.filter(|_| is_whole) {
        cache::keep(request, &key, &proven);
    }
    Ok(proven)
}

/// What the machine could not do is a verdict, too.
fn or_infrastructure(gathered: Result<Evidence, Trouble>) -> Result<Evidence, ProveError> {
    match gathered {
        Ok(evidence) => Ok(evidence),
        Err(Trouble::Infra(sentence)) => Ok(Evidence::of(Judgment::infra(sentence))),
        Err(Trouble::Sandbox(source)) => Err(ProveError::Sandbox(source)),
        Err(Trouble::Io { doing, source }) => Err(ProveError::Io { doing, source }),
    }
}

fn resolve(repo: &Repo, request: &ProveRequest) -> Result<Revisions, ProveError> {
    let head = match &request.head {
        Head::Revision(revision) => repo.resolve(revision)?,
        Head::WorkingTree => {
            let snapshot = repo.snapshot()?;
            Commit {
                id: snapshot.commit,
                tree: snapshot.tree,
            }
        }
    };
    let against = match &request.base {
        Some(base) => base.clone(),
        None => "HEAD".to_owned(),
    };
    let base = repo.merge_base(&against, head.id.as_str())?;
    if base.tree == head.tree && request.base.is_none() {
        return Err(ProveError::NothingToProve);
    }
    Ok(Revisions { base, head })
}

fn read_changes(repo: &Repo, revisions: &Revisions) -> Result<Vec<FileChange>, ProveError> {
    let (base, head) = (revisions.base.tree.as_str(), revisions.head.tree.as_str());
    let all = repo.changes(base, head)?;
    let texts = texts_of(repo, &all)?;
    let mut changes = Vec::new();
    for change in &all {
        if let Some(old) = &change.old_path {
            changes.push(file_change(&texts, old, change, SideOf::Base));
        }
        let both = if change.kind == ChangeKind::Renamed {
            SideOf::Head
        } else {
            SideOf::Both
        };
        changes.push(file_change(&texts, &change.path, change, both));
    }
    Ok(changes)
}

/// The text of every blob of a change that is text. A submodule's commit is no blob of this repository.
fn texts_of(repo: &Repo, changes: &[Change]) -> Result<BTreeMap<Oid, String>, ProveError> {
    let blobs: BTreeSet<&Oid> = changes
        .iter()
        .flat_map(|change| change.old_blob.iter().chain(&change.new_blob))
        .collect();
    let blobs: Vec<&Oid> = blobs.into_iter().collect();
    let read = repo.read_blobs(&blobs, LARGEST_TEXT)?;
    let texts = blobs
        .into_iter()
        .zip(read)
        .filter_map(|(blob, bytes)| Some((blob.clone(), String::from_utf8(bytes?).ok()?)));
    Ok(texts.collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SideOf {
    Base,
    Head,
    Both,
}

fn file_change(
    texts: &BTreeMap<Oid, String>,
    path: &str,
    change: &Change,
    side: SideOf,
) -> FileChange {
    let old = change.old_blob.as_ref().filter(|_| side != SideOf::Head);
    let new = change.new_blob.as_ref().filter(|_| side != SideOf::Base);
    let text = |blob: Option<&Oid>| texts.get(blob?).cloned();
    FileChange {
        path: path.to_owned(),
        role: plan::role::role_of(path),
        before: text(old),
        after: text(new),
        old_blob: old.map(|blob| blob.as_str().to_owned()),
        new_blob: new.map(|blob| blob.as_str().to_owned()),
    }
}

fn plan_suites(
    repo: &Repo,
    revisions: &Revisions,
    changes: &mut [FileChange],
    commands: &Commands,
) -> Result<Vec<Suite>, ProveError> {
    let (base, head) = (revisions.base.tree.as_str(), revisions.head.tree.as_str());
    let at = |revision: &str, path: &str| {
        repo.read(revision, path)
            .ok()
            .flatten()
            .and_then(|bytes| String::from_utf8(bytes).ok())
    };
    let either = |path: &str| at(head, path).or_else(|| at(base, path));
    plan::claim_test_modules(changes, &either);
    let read = |path: &str| at(base, path);
    let paths = repo
        .ls_tree(base)?
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    let files = Files { paths, read: &read };
    let mut suites = plan::suites(&files, changes);
    if let Some(argv) = &commands.test {
        suites.truncate(1);
        for suite in &mut suites {
            suite.command = Some(argv.clone());
        }
    }
    Ok(suites)
}

/// The repository's ignored folders that hold installed dependencies. Build products are never taken over.
fn dependencies(repo: &Repo) -> Result<Vec<PathBuf>, ProveError> {
    const INSTALLED: &[&str] = &[
        "node_modules",
        ".venv",
        "venv",
        "env",
        "vendor",
        "bower_components",
    ];
    let is_installed = |dir: &PathBuf| {
        dir.file_name()
            .is_some_and(|name| INSTALLED.iter().any(|known| name == *known))
    };
    Ok(repo
        .ignored_dirs()?
        .into_iter()
        .filter(is_installed)
        .map(|dir| repo.root().join(dir))
        .collect())
}

fn scratch(parent: &Path) -> Result<tempfile::TempDir, ProveError> {
    let doing = || format!("make a scratch folder in {}", parent.display());
    std::fs::create_dir_all(parent).map_err(|source| ProveError::Io {
        doing: doing(),
        source,
    })?;
    tempfile::Builder::new()
        .prefix("wayproof-")
        .tempdir_in(parent)
        .map_err(|source| ProveError::Io {
            doing: doing(),
            source,
        })
}

/// Everything that was seen.
pub(crate) struct Evidence {
    pub(crate) judgment: Judgment,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) checks: Vec<Check>,
    /// Planted faults, where some were.
    pub(crate) mutation: Option<Mutation>,
    /// Lines that were run, where that was measured.
    pub(crate) coverage: Option<Coverage>,
    /// How strongly tests assert, where that was read.
    pub(crate) oracle: Option<Oracle>,
    /// What repeated runs say, where the outcomes do not.
    pub(crate) flake: Option<Flake>,
    /// The public surface, where it was compared.
    pub(crate) public_api: Option<PublicApi>,
    /// A benchmark, where one was run.
    pub(crate) benchmark: Option<Benchmark>,
    /// What moved among the dependencies, where that was read.
    pub(crate) dependencies: Option<Dependencies>,
    /// Primary sources that were looked at.
    pub(crate) links: Vec<Link>,
    /// How many claims documents make; nothing where nobody looked.
    pub(crate) claims: Option<u64>,
    /// Whether the trees held all that they point to. What rests on less is not kept.
    pub(crate) is_whole: bool,
}

impl Evidence {
    /// A judgment that rests on nothing that was run.
    pub(crate) fn of(judgment: Judgment) -> Self {
        Self {
            judgment,
            outcomes: Vec::new(),
            findings: Vec::new(),
            checks: Vec::new(),
            mutation: None,
            coverage: None,
            oracle: None,
            flake: None,
            public_api: None,
            benchmark: None,
            dependencies: None,
            links: Vec::new(),
            claims: None,
            is_whole: true,
        }
    }

    /// The evidence of two rows. Runs of the same suites count once.
    pub(crate) fn and(mut self, other: Self) -> Self {
        if self.outcomes.is_empty() {
            self.outcomes = other.outcomes;
        }
        for finding in other.findings {
            if !self.findings.contains(&finding) {
                self.findings.push(finding);
            }
        }
        self.checks.extend(other.checks);
        self.mutation = self.mutation.or(other.mutation);
        self.coverage = self.coverage.or(other.coverage);
        self.oracle = self.oracle.or(other.oracle);
        self.flake = self.flake.or(other.flake);
        self.public_api = self.public_api.or(other.public_api);
        self.benchmark = self.benchmark.or(other.benchmark);
        self.dependencies = self.dependencies.or(other.dependencies);
        self.links.extend(other.links);
        self.claims = self.claims.or(other.claims);
        self
    }
}

fn gather(
    request: &ProveRequest,
    sources: &Sources<'_>,
    host: &Host<'_>,
    suites: &[Suite],
    (progress, watch): (&dyn Progress, Stopwatch),
) -> Result<Evidence, Trouble> {
    if sources.changes.is_empty() {
        return Ok(Evidence::of(Judgment::unchanged()));
    }
    if suites.is_empty() && row::needs_suites(request) {
        let sentence = "no test suite was found: no Cargo.toml, package.json, go.mod, pom.xml, build.gradle or CMakeLists.txt at the base, and no Python, Ruby or PHP tests";
        return Err(Trouble::Infra(sentence.to_owned()));
    }
    let trees = checkout::make(sources)?;
    progress.step(&Step::CheckedOut {
        suites: suites.len(),
    });
    let looking = Stopwatch::start();
    let against = gaming::look(&gaming::Scene {
        changes: sources.changes,
        outcomes: &[],
        base_files: &base_files(sources),
        task: request.task.as_str(),
    });
    progress.step(&Step::FirstLook {
        against: against
            .iter()
            .filter(|one| one.severity == Severity::High)
            .count(),
        after_ms: watch.elapsed_ms(),
        look_ms: looking.elapsed_ms(),
    });
    let case = Case {
        host,
        trees: &trees,
        changes: sources.changes,
        runs: request.runs,
        progress,
    };
    let mut evidence = row::gather(&Work {
        case,
        request,
        suites,
        sources,
    })?;
    evidence.judgment = missing::settle(&evidence, &trees.missing);
    evidence.is_whole = trees.missing.is_empty();
    Ok(evidence)
}

/// The base's files that a new source file may be a copy of, or a built one built from.
pub(crate) fn base_files(sources: &Sources<'_>) -> BTreeMap<String, String> {
    const MOST_FILES: usize = 2_000;
    let new = sources
        .changes
        .iter()
        .filter(|change| change.role == plan::Role::Source)
        .filter(|change| change.old_blob.is_none() || gaming::is_in_output(&change.path));
    let wanted: BTreeSet<&str> = new.map(|change| plan::extension(&change.path)).collect();
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let entries = sources.repo.ls_tree(sources.base).unwrap_or_default();
    let wanted: Vec<TreeEntry> = entries
        .into_iter()
        .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable))
        .filter(|entry| wanted.contains(plan::extension(&entry.path)))
        .take(MOST_FILES)
        .collect();
    let blobs: Vec<&Oid> = wanted.iter().map(|entry| &entry.blob).collect();
    let read = sources.repo.read_blobs(&blobs, LARGEST_TEXT);
    let read = read.unwrap_or_default();
    let texts = wanted
        .iter()
        .zip(read)
        .filter_map(|(entry, bytes)| Some((entry.path.clone(), String::from_utf8(bytes?).ok()?)));
    texts.collect()
}

/// Every command of an outcome.
pub(crate) fn checks_of(outcome: &Outcome) -> Vec<Check> {
    let observed = &outcome.observed;
    let runs = std::iter::once(&observed.base)
        .chain(&observed.before)
        .chain(&observed.head)
        .chain(&observed.ablated);
    let asked = outcome.neighbours.checks.iter().cloned();
    let mut checks: Vec<Check> = runs.flat_map(|run| run.checks.clone()).collect();
    checks.extend(asked);
    checks.sort_by(|one, other| one.id.cmp(&other.id));
    checks.dedup_by(|one, other| one.id == other.id);
    for check in &mut checks {
        if check.side == Side::Ablated && check.kind == CheckKind::Test {
            check.kind = CheckKind::Ablation;
        }
    }
    checks
}

/// The same for a proof that was taken over.
fn still(
    repo: &Repo,
    request: &ProveRequest,
    revisions: &Revisions,
    kept: &mut Proven,
) -> Result<(), ProveError> {
    let judgment = Judgment {
        verdict: kept.proof.verdict,
        gaps: std::mem::take(&mut kept.proof.gaps),
        one_fact: std::mem::take(&mut kept.one_fact),
    };
    let evidence = hold_still(repo, request, revisions, Evidence::of(judgment))?;
    kept.proof.verdict = evidence.judgment.verdict;
    kept.proof.gaps = evidence.judgment.gaps;
    kept.one_fact = evidence.judgment.one_fact;
    Ok(())
}

/// A working tree that changed while it was proven is not what was proven.
fn hold_still(
    repo: &Repo,
    request: &ProveRequest,
    revisions: &Revisions,
    mut evidence: Evidence,
) -> Result<Evidence, ProveError> {
    if request.head == Head::WorkingTree && repo.snapshot()?.tree != revisions.head.tree {
        evidence.judgment.verdict = evidence.judgment.verdict.min(Verdict::Unproven);
        evidence.judgment.gaps.push("STALE_TREE".to_owned());
        "the working tree changed while it was being proven"
            .clone_into(&mut evidence.judgment.one_fact);
    }
    Ok(evidence)
}
