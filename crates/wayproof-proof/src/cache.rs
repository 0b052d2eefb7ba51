//! Proofs that still hold: by the trees, the checks, the toolchain, what is installed and the isolation they ran under.
//!
//! What cannot be named is not reused: pages, reviews, benchmarks, and anything that ran out of its time or met a fault
//! of the machine. Whether a kept proof is genuine is the business of who keeps it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wayproof_engine::ProofRequirement;
use wayproof_receipt::predicate::{CheckKind, CheckResult, Proof, Reused, Side, TestResult};
use wayproof_receipt::{Time, Verdict, sha256_hex};

use crate::kept::KeptChecks;
use crate::record::Revisions;
use crate::request::{ProveError, ProveRequest, Proven};
use crate::run::{Command, Host, Tree, Trouble};

/// How many installed files are looked at; beyond that nothing is reused.
const MOST_FILES: usize = 400_000;
/// The programs whose being another one makes another proof.
const PROGRAMS: &[&str] = &[
    "cargo",
    "rustc",
    "cargo-nextest",
    "rustup",
    "python",
    "python3",
    "pytest",
    "uv",
    "node",
    "npm",
    "tsc",
    "go",
    "ruby",
    "bundle",
    "rake",
    "rspec",
    "php",
    "composer",
    "phpunit",
    "java",
    "javac",
    "mvn",
    "gradle",
    "cmake",
    "ctest",
    "cc",
    "c++",
    "gcc",
    "g++",
    "clang",
    "make",
    "ninja",
    "git",
    "bwrap",
];

/// What is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    proof: Proof,
    test_results: Vec<TestResult>,
    one_fact: String,
}

/// The key of the whole proof and the place of its single checks, as far as what they read can be named.
pub(crate) fn keys(
    host: &Host<'_>,
    request: &ProveRequest,
    revisions: &Revisions,
) -> Result<(Option<String>, Option<KeptChecks>), ProveError> {
    let surroundings = surroundings(host, request)?;
    let (Some(cache), Some(surroundings)) = (request.cache.clone(), surroundings) else {
        return Ok((None, None));
    };
    let key = key(request, revisions, &surroundings);
    Ok((key, Some(KeptChecks::new(cache, &surroundings))))
}

/// The name of everything the proof reads, where all of it can be named.
fn key(request: &ProveRequest, revisions: &Revisions, surroundings: &str) -> Option<String> {
    let is_of_its_time = |one: &ProofRequirement| {
        matches!(
            one,
            ProofRequirement::PrimarySources
                | ProofRequirement::HumanReview
                | ProofRequirement::Faster
        )
    };
    if request.requirements.iter().flatten().any(is_of_its_time) {
        return None;
    }
    let text = format!(
        "wayproof-proof {} 2\n{} {}\n{:?}\n{:?}\n{:?}\n{surroundings}",
        env!("CARGO_PKG_VERSION"),
        revisions.base.tree,
        revisions.head.tree,
        request.runs,
        request.min_coverage,
        request.residue,
    );
    Some(sha256_hex(text.as_bytes()))
}

/// Everything around the trees that checks read: what is asked, toolchains, what is installed, the isolation. Nothing
/// where proofs are not kept or not all of it can be named.
fn surroundings(host: &Host<'_>, request: &ProveRequest) -> Result<Option<String>, ProveError> {
    if request.cache.is_none() {
        return Ok(None);
    }
    let (launcher, floor) = host.sandbox.identity();
    let machine = host.machine;
    let mut lines = vec![
        format!(
            "{} {:?}\n{:?}\n{:?}",
            request.task.as_str(),
            request.requirements,
            request.limits,
            request.commands,
        ),
        noted(launcher),
        format!("{floor:?} {:?} {:?}", machine.path, machine.variables),
    ];
    let named = named_commands(request);
    let programs = PROGRAMS
        .iter()
        .copied()
        .chain(named.iter().map(String::as_str));
    lines.extend(
        programs
            .filter_map(|program| machine.find(program))
            .map(|place| noted(&place)),
    );
    let mut left = MOST_FILES;
    for (place, depth) in toolchains(host) {
        list(&mut lines, &place, depth, &mut left);
    }
    for place in host.dependencies {
        list(&mut lines, place, usize::MAX, &mut left);
    }
    if left == 0 {
        return Ok(None);
    }
    match isolation(host) {
        Ok(isolation) => lines.push(isolation),
        Err(Trouble::Sandbox(source)) => return Err(ProveError::Sandbox(source)),
        Err(Trouble::Io { doing, source }) => return Err(ProveError::Io { doing, source }),
        Err(Trouble::Infra(_)) => return Ok(None),
    }
    Ok(Some(lines.join("\n")))
}

fn named_commands(request: &ProveRequest) -> Vec<String> {
    let commands = &request.commands;
    let all = [
        &commands.typecheck,
        &commands.build,
        &commands.test,
        &commands.smoke,
        &commands.data.up,
        &commands.data.down,
        &commands.data.dump,
    ];
    all.into_iter()
        .flatten()
        .filter_map(|argv| argv.first().cloned())
        .collect()
}

/// Places that say which toolchains and packages are installed, and how many levels of them say it.
fn toolchains(host: &Host<'_>) -> Vec<(PathBuf, usize)> {
    let machine = host.machine;
    let rustup = machine.folder("RUSTUP_HOME", ".rustup");
    let cargo = machine.folder("CARGO_HOME", ".cargo");
    let pyenv = machine.folder("PYENV_ROOT", ".pyenv");
    let mut places = vec![
        (rustup.join("settings.toml"), 0),
        (rustup.join("toolchains"), 1),
        (cargo.join("config.toml"), 0),
        (cargo.join("config"), 0),
        (pyenv.join("version"), 0),
        (pyenv.join("versions"), 1),
        (machine.folder("GEM_HOME", ".gem"), 3),
        (machine.home.join(".m2/repository"), 3),
        (machine.home.join(".gradle/caches"), 2),
    ];
    // What the system's packages are, and what was put beside them.
    let system = [
        "/var/lib/dpkg/status",
        "/var/lib/rpm",
        "/lib/apk/db/installed",
    ];
    places.extend(system.map(|place| (PathBuf::from(place), 1)));
    places.extend(["/usr/local/lib", "/usr/local/include"].map(|place| (PathBuf::from(place), 2)));
    let mut roots = below(&pyenv.join("versions"));
    for place in ["python", "python3"]
        .iter()
        .filter_map(|program| machine.find(program))
    {
        let real = place.canonicalize().unwrap_or_else(|_| place.clone());
        let root = |place: &Path| Some(place.parent()?.parent()?.to_path_buf());
        roots.extend([root(&place), root(&real)].into_iter().flatten());
    }
    for library in roots.iter().flat_map(|root| below(&root.join("lib"))) {
        places.extend(["site-packages", "dist-packages"].map(|name| (library.join(name), 1)));
    }
    places
}

fn below(place: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

/// One file by where it is, what it is and when it was written.
fn noted(place: &Path) -> String {
    let real = place.canonicalize().unwrap_or_else(|_| place.to_path_buf());
    let stat = real
        .metadata()
        .map(|data| (data.len(), data.mtime(), data.mtime_nsec(), data.ino()));
    format!(
        "{} {} {:?}",
        place.display(),
        real.display(),
        stat.unwrap_or_default()
    )
}

/// A folder and what is below it, so many levels deep.
fn list(lines: &mut Vec<String>, place: &Path, depth: usize, left: &mut usize) {
    let Ok(data) = place.symlink_metadata() else {
        return;
    };
    let stat = (data.mode(), data.len(), data.mtime(), data.mtime_nsec());
    let target = data
        .is_symlink()
        .then(|| std::fs::read_link(place).unwrap_or_default());
    lines.push(format!("{} {stat:?} {target:?}", place.display()));
    if !data.is_dir() || depth == 0 {
        return;
    }
    for entry in below(place) {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return;
        }
        list(lines, &entry, depth - 1, left);
    }
}

/// What holds on this machine now, by trying it.
fn isolation(host: &Host<'_>) -> Result<String, Trouble> {
    let program = host.program("true", "the sandbox is tried with it")?;
    let place = Tree {
        side: Side::Other,
        path: host.fresh("isolation")?,
        content: None,
    };
    let (ran, _) = host.run(Command {
        kind: CheckKind::Other,
        argv: vec![program],
        cwd: place.path.clone(),
        env: Vec::new(),
        writable: Vec::new(),
        readable: Vec::new(),
        tree: &place,
    })?;
    Ok(ran.isolation.join(" "))
}

/// A kept proof, which says that it is one.
pub(crate) fn find(request: &ProveRequest, key: &str) -> Option<Proven> {
    let kept = request.cache.as_ref()?.get(key)?;
    let Kept {
        mut proof,
        test_results,
        one_fact,
    } = serde_json::from_slice(&kept.bytes).ok()?;
    if proof.verdict.is_above(proof.ceiling().verdict) {
        return None;
    }
    proof.reused = Some(Reused {
        from: Some(Time(kept.at_us)),
        key: key.to_owned(),
    });
    Some(Proven {
        proof,
        subjects: Vec::new(),
        test_results,
        one_fact,
    })
}

/// Keeps what will hold as long as nothing it reads changes.
pub(crate) fn keep(request: &ProveRequest, key: &str, proven: &Proven) {
    let proof = &proven.proof;
    let is_stale = proof.gaps.iter().any(|gap| gap == "STALE_TREE");
    let is_chance =
        |result: CheckResult| matches!(result, CheckResult::TimedOut | CheckResult::Infrastructure);
    let was_stopped = proof
        .checks
        .iter()
        .any(|check| is_chance(check.result) || check.signal.is_some());
    if proof.verdict == Verdict::InvalidInfra || is_stale || was_stopped {
        return;
    }
    let kept = Kept {
        proof: proof.clone(),
        test_results: proven.test_results.clone(),
        one_fact: proven.one_fact.clone(),
    };
    if let (Some(cache), Ok(bytes)) = (&request.cache, serde_json::to_vec(&kept)) {
        cache.put(key, &bytes);
    }
}
