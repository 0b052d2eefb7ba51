//! Reads what cargo and nextest print while they build and list: which binaries there are, which targets do not
//! build, which tests each binary holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::report::{RedReason, TestId};
use crate::run::Stop;

/// What a build left behind.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// Test binaries: scope, path, package folder and cargo's flags for it.
    pub binaries: Vec<Binary>,
    /// Targets that did not build.
    pub stopped: BTreeMap<String, Stop>,
}

#[derive(Debug)]
pub(crate) struct Binary {
    pub scope: String,
    pub path: PathBuf,
    pub folder: PathBuf,
    pub flags: Vec<String>,
}

/// Tests by id, with their binary and the name they have inside it.
pub(crate) type Listed = BTreeMap<TestId, (String, String)>;

#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "rust-suites")]
    suites: BTreeMap<String, ListedSuite>,
}

#[derive(Deserialize)]
struct ListedSuite {
    #[serde(default)]
    testcases: BTreeMap<String, ListedTest>,
}

#[derive(Deserialize)]
struct ListedTest {
    ignored: bool,
}

/// The ids that run and the ids that are ignored.
pub(crate) fn read_list(bytes: &[u8]) -> Option<(Listed, BTreeSet<TestId>)> {
    let listing: Listing = serde_json::from_slice(bytes).ok()?;
    let (mut planned, mut skipped) = (Listed::new(), BTreeSet::new());
    for (binary, suite) in listing.suites {
        for (name, test) in suite.testcases {
            let id = TestId::new(format!("{binary}::{name}"));
            if test.ignored {
                skipped.insert(id);
            } else {
                planned.insert(id, (binary.clone(), name));
            }
        }
    }
    Some((planned, skipped))
}

/// One sentence when cargo lacks a dependency and may not fetch it.
pub(crate) fn missing_dependency(said: &str) -> Option<String> {
    let offline = [
        "you're using offline mode",
        "--offline was specified",
        "attempting to make an HTTP request",
        "failed to download",
        "can't be accessed in offline mode",
    ];
    if !offline.iter().any(|words| said.contains(words)) {
        return None;
    }
    let named = |line: &&str| {
        line.contains("no matching package")
            || line.contains("failed to download")
            || line.contains("failed to select")
            || line.contains("failed to get")
    };
    let line = said
        .lines()
        .find(named)
        .or_else(|| said.lines().next())
        .unwrap_or_default();
    Some(format!(
        "a dependency is not in cargo's cache and the network is off: {}",
        line.trim().trim_start_matches("error: ")
    ))
}

/// Reads cargo's JSON messages of a build in the tree at `root`.
pub(crate) fn read_build(stdout: &[u8], root: &Path) -> Built {
    let mut built = Built::default();
    let mut seen = BTreeSet::new();
    for line in stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"{"))
    {
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        if let Some(binary) = binary_of(&message).filter(|binary| seen.insert(binary.path.clone()))
        {
            built.binaries.push(binary);
        }
        if let Some((scope, stop)) = stop_of(&message, root) {
            built.stopped.entry(scope).or_insert(stop);
        }
    }
    let compiled: BTreeSet<String> = built
        .binaries
        .iter()
        .map(|binary| binary.scope.clone())
        .collect();
    // A library that fails without its tests leaves every other target of the package unbuilt.
    if built.binaries.is_empty()
        && let Some(stop) = built.stopped.values().next().cloned()
    {
        built.stopped.insert(String::new(), stop);
    }
    built.stopped.retain(|scope, _| !compiled.contains(scope));
    built
}

fn text(message: &Value, pointer: &str) -> String {
    message
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The package, the kind and the name of the target a message is about.
fn target_of(message: &Value) -> (String, String, String) {
    (
        package_name(&text(message, "/package_id")),
        text(message, "/target/kind/0"),
        text(message, "/target/name"),
    )
}

/// The test binary a message announces.
fn binary_of(message: &Value) -> Option<Binary> {
    let is_test = message.pointer("/profile/test").and_then(Value::as_bool) == Some(true);
    let executable = text(message, "/executable");
    if text(message, "/reason") != "compiler-artifact" || !is_test || executable.is_empty() {
        return None;
    }
    let (package, kind, name) = target_of(message);
    let folder = Path::new(&text(message, "/manifest_path"))
        .parent()
        .map(Path::to_path_buf)?;
    let (scope, flags) = (scope(&package, &kind, &name), flags(&package, &kind, &name));
    Some(Binary {
        scope,
        path: PathBuf::from(executable),
        folder,
        flags,
    })
}

/// The error a message holds, and the target it stops.
fn stop_of(message: &Value, root: &Path) -> Option<(String, Stop)> {
    let said = text(message, "/message/message");
    let is_error = text(message, "/reason") == "compiler-message"
        && text(message, "/message/level") == "error";
    if !is_error || said.starts_with("aborting") {
        return None;
    }
    let file = super::events::relative(
        &text(message, "/message/spans/0/file_name"),
        &root.to_string_lossy(),
    );
    let line = message
        .pointer("/message/spans/0/line_start")
        .and_then(Value::as_u64);
    let place = line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
    let (package, kind, name) = target_of(message);
    let place = (!file.is_empty()).then_some(place);
    Some((
        scope(&package, &kind, &name),
        Stop {
            reason: RedReason::BuildError,
            message: said,
            place,
        },
    ))
}

/// The package of an id such as `path+file:///x/name#0.1.0` or `registry+…#name@1.0.0`.
fn package_name(id: &str) -> String {
    let (place, version) = id.rsplit_once('#').unwrap_or((id, ""));
    match version.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => place.rsplit('/').next().unwrap_or(place).to_owned(),
    }
}

/// nextest's name for a binary.
fn scope(package: &str, kind: &str, name: &str) -> String {
    match kind {
        "test" => format!("{package}::{name}"),
        "bin" => format!("{package}::bin/{name}"),
        "bench" => format!("{package}::bench/{name}"),
        "example" => format!("{package}::example/{name}"),
        _ => package.to_owned(),
    }
}

fn flags(package: &str, kind: &str, name: &str) -> Vec<String> {
    let of = ["-p".to_owned(), package.to_owned()];
    match kind {
        "test" | "bin" => [of.to_vec(), vec![format!("--{kind}"), name.to_owned()]].concat(),
        _ => [of.to_vec(), vec!["--lib".to_owned()]].concat(),
    }
}
