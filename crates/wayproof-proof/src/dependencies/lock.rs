//! What lock files pin: packages with version, origin, digest, what each needs, and whether it runs a program when it
//! is installed.
//!
//! Tolerant in what it passes over, never in what it takes for a pin; a file it cannot read is said to be unread.

mod node;
mod others;

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::manifest::is_requirements;
use super::words::{python_name, requirement};

/// One version of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pin {
    /// Its version.
    pub version: String,
    /// Where it comes from, as the file says; "" where it says nothing.
    pub source: String,
    /// Its digests.
    pub digests: BTreeSet<String>,
    /// What it needs.
    pub needs: BTreeSet<String>,
    /// Whether it runs a program of its own when it is installed.
    pub has_script: bool,
}

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Packages by name.
    pub pins: BTreeMap<String, Vec<Pin>>,
    /// Whether the file says who needs whom.
    pub has_edges: bool,
    /// What the project itself asks for, where the file says it.
    pub roots: BTreeSet<String>,
    /// Names that stand for another package on purpose, as `name npm:real`.
    pub aliases: BTreeSet<String>,
}

impl Locked {
    fn put(&mut self, name: &str, pin: Pin) {
        self.has_edges |= !pin.needs.is_empty();
        let pins = self.pins.entry(name.to_owned()).or_default();
        pins.push(pin);
        pins.sort();
    }
}

/// Whether a file is a lock file that can be read here.
pub(super) fn is_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        "Cargo.lock"
            | "package-lock.json"
            | "npm-shrinkwrap.json"
            | "yarn.lock"
            | "pnpm-lock.yaml"
            | "go.mod"
            | "go.sum"
            | "uv.lock"
            | "poetry.lock"
            | "Pipfile.lock"
            | "composer.lock"
            | "Gemfile.lock"
    ) || is_requirements(name)
}

/// The manifests that stand beside a lock file.
pub(super) fn manifests_of(path: &str) -> &'static [&'static str] {
    match path.rsplit('/').next().unwrap_or(path) {
        "Cargo.lock" => &["Cargo.toml"],
        "package-lock.json" | "npm-shrinkwrap.json" | "yarn.lock" | "pnpm-lock.yaml" => {
            &["package.json"]
        }
        "go.mod" | "go.sum" => &["go.mod"],
        "uv.lock" | "poetry.lock" => &["pyproject.toml"],
        "Pipfile.lock" => &["Pipfile"],
        "composer.lock" => &["composer.json"],
        "Gemfile.lock" => &["Gemfile"],
        _ => &[],
    }
}

/// Reads a lock file; `None` where it is not what its name says.
pub(crate) fn read(path: &str, text: &str) -> Option<Locked> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut locked = Locked::default();
    match name {
        "Cargo.lock" | "uv.lock" | "poetry.lock" => toml_packages(text, name, &mut locked)?,
        "package-lock.json" | "npm-shrinkwrap.json" => node::npm(text, &mut locked)?,
        "yarn.lock" => node::yarn(text, &mut locked),
        "pnpm-lock.yaml" => node::pnpm(text, &mut locked),
        "go.sum" => others::go_sum(text, &mut locked),
        "go.mod" => others::go_mod(text, &mut locked),
        "Pipfile.lock" => others::pipfile(text, &mut locked)?,
        "composer.lock" => others::composer(text, &mut locked)?,
        "Gemfile.lock" => others::gemfile(text, &mut locked),
        _ => requirements(text, &mut locked),
    }
    Some(locked)
}

fn string(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
fn toml_packages(text: &str, file: &str, locked: &mut Locked) -> Option<()> {
    let table: Table = toml::from_str(text).ok()?;
    let packages = table.get("package").and_then(Value::as_array);
    let is_python = file != "Cargo.lock";
    for package in packages.into_iter().flatten() {
        let mut name = string(package.get("name"));
        if is_python {
            name = python_name(&name);
        }
        let source = match package.get("source") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Table(table)) => table_source(table),
            _ => String::new(),
        };
        let mut needs = BTreeSet::new();
        match package.get("dependencies") {
            Some(Value::Array(list)) => needs.extend(list.iter().filter_map(|one| {
                let text = one
                    .as_str()
                    .or_else(|| one.get("name").and_then(Value::as_str))?;
                Some(text.split(' ').next().unwrap_or(text).to_owned())
            })),
            Some(Value::Table(names)) => needs.extend(names.keys().map(|name| python_name(name))),
            _ => {}
        }
        let optional = package
            .get("optional-dependencies")
            .and_then(Value::as_table);
        for one in optional
            .into_iter()
            .flat_map(Table::values)
            .filter_map(Value::as_array)
            .flatten()
        {
            needs.extend(one.get("name").and_then(Value::as_str).map(str::to_owned));
        }
        let mut digests: BTreeSet<String> = package
            .get("checksum")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .into_iter()
            .collect();
        let files = ["wheels", "files"]
            .iter()
            .filter_map(|key| package.get(*key)?.as_array());
        let hash = |one: &Value| one.get("hash").and_then(Value::as_str).map(str::to_owned);
        digests.extend(files.flatten().filter_map(hash));
        digests.extend(package.get("sdist").and_then(hash));
        // Built where it is installed, by a program of its own.
        let has_script = is_python
            && package
                .get("wheels")
                .and_then(Value::as_array)
                .is_none_or(Vec::is_empty)
            && package.get("sdist").is_some();
        // The project's own packages come from nowhere.
        if is_own(&source) && digests.is_empty() {
            locked.roots.extend(needs);
            locked.has_edges = true;
            continue;
        }
        locked.put(
            &name,
            Pin {
                version: string(package.get("version")),
                source,
                digests,
                needs,
                has_script,
            },
        );
    }
    Some(())
}

fn is_own(source: &str) -> bool {
    source.is_empty()
        || ["editable:", "virtual:", "directory:"]
            .iter()
            .any(|kind| source.starts_with(kind))
}

/// `{ registry = "https://…" }`, `{ git = "…" }`, `{ editable = "." }`; poetry has a type and an address.
fn table_source(table: &Table) -> String {
    let text = |key: &str| table.get(key).and_then(Value::as_str);
    if let Some(address) = text("registry").or_else(|| text("url")) {
        return address.to_owned();
    }
    if let Some(address) = text("git") {
        return format!("git+{address}");
    }
    table
        .iter()
        .map(|(key, value)| format!("{key}:{}", value.as_str().unwrap_or_default()))
        .collect::<Vec<_>>()
        .join(",")
}

/// The requirements of a file of pip's, with continued lines joined and options left out.
pub(super) fn requirement_lines(text: &str) -> Vec<String> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines = joined
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line).trim());
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(['-', '#']))
        .map(str::to_owned)
        .collect()
}

fn requirements(text: &str, locked: &mut Locked) {
    for line in requirement_lines(text) {
        let mut words = line.split(" --hash=");
        let Some((name, how)) = requirement(words.next().unwrap_or_default()) else {
            continue;
        };
        let digests = words.map(|digest| digest.trim().to_owned()).collect();
        let source = how
            .strip_prefix('@')
            .map(|address| address.trim().to_owned())
            .unwrap_or_default();
        let version = if source.is_empty() {
            how.trim_start_matches('=').trim().to_owned()
        } else {
            source.clone()
        };
        locked.put(
            &name,
            Pin {
                version,
                source,
                digests,
                ..Pin::default()
            },
        );
    }
}
