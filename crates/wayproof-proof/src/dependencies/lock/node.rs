//! The lock files of npm, yarn and pnpm.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{Locked, Pin};

pub(super) fn npm(text: &str, locked: &mut Locked) -> Option<()> {
    let json: Json = serde_json::from_str(text).ok()?;
    if let Some(packages) = json.get("packages").and_then(Json::as_object) {
        for (place, package) in packages {
            for (alias, real) in npm_aliases(package) {
                locked.aliases.insert(format!("{alias} {real}"));
            }
            let Some(at) = place.rfind("node_modules/") else {
                locked.has_edges = true;
                locked.roots.extend(npm_needs(package));
                continue;
            };
            if package.get("link").and_then(Json::as_bool) == Some(true) {
                continue;
            }
            let name = place.get(at + "node_modules/".len()..).unwrap_or_default();
            npm_package(name, package, locked);
        }
        return Some(());
    }
    npm_nested(json.get("dependencies")?, locked, 0);
    Some(())
}

fn npm_nested(dependencies: &Json, locked: &mut Locked, depth: usize) {
    const DEEPEST: usize = 64;
    for (name, package) in dependencies.as_object().into_iter().flatten() {
        npm_package(name, package, locked);
        if let Some(inner) = package.get("dependencies").filter(|_| depth < DEEPEST) {
            npm_nested(inner, locked, depth + 1);
        }
    }
}

fn npm_package(name: &str, package: &Json, locked: &mut Locked) {
    let text = |key: &str| {
        package
            .get(key)
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let pin = Pin {
        version: text("version"),
        source: text("resolved"),
        digests: text("integrity")
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        needs: npm_needs(package),
        has_script: package.get("hasInstallScript").and_then(Json::as_bool) == Some(true),
    };
    locked.put(name, pin);
}

const NPM_TABLES: &[&str] = &[
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "requires",
];

fn npm_needs(package: &Json) -> BTreeSet<String> {
    let tables = NPM_TABLES
        .iter()
        .filter_map(|key| package.get(*key)?.as_object());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

fn npm_aliases(package: &Json) -> impl Iterator<Item = (&str, &str)> {
    let tables = NPM_TABLES
        .iter()
        .filter_map(|key| package.get(*key)?.as_object());
    let named = tables
        .flatten()
        .filter_map(|(name, how)| Some((name.as_str(), how.as_str()?)));
    named.filter(|(_, how)| how.starts_with("npm:"))
}

/// Both of yarn's formats: a line of names, then indented `key value` lines.
pub(super) fn yarn(text: &str, locked: &mut Locked) {
    let mut name = String::new();
    let mut pin = Pin::default();
    let mut in_needs = false;
    for line in text.lines().chain([""]) {
        let is_indented = line.starts_with(' ');
        if !is_indented && !line.starts_with('#') {
            if !name.is_empty() && !pin.version.is_empty() && !pin.source.ends_with("@workspace:.")
            {
                locked.put(&name, std::mem::take(&mut pin));
            }
            pin = Pin::default();
            in_needs = false;
            let first = line
                .trim_matches(['"', ':'])
                .split(',')
                .next()
                .unwrap_or_default();
            let first = first.trim().trim_matches('"');
            let end = first
                .get(1..)
                .and_then(|rest| rest.find('@'))
                .map(|at| at + 1);
            name = first
                .get(..end.unwrap_or(first.len()))
                .unwrap_or_default()
                .to_owned();
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let entry = line.trim();
        let (key, value) = entry
            .split_once([' ', ':'])
            .unwrap_or((entry.trim_end_matches(':'), ""));
        let (key, value) = (
            key.trim_matches(['"', ':']),
            value.trim_matches([' ', '"', ':']),
        );
        if depth == 2 {
            in_needs = matches!(
                key,
                "dependencies" | "optionalDependencies" | "peerDependencies"
            );
            match key {
                "version" => value.clone_into(&mut pin.version),
                "resolved" => {
                    let (source, digest) = value.split_once('#').unwrap_or((value, ""));
                    source.clone_into(&mut pin.source);
                    pin.digests
                        .extend(Some(digest.to_owned()).filter(|digest| !digest.is_empty()));
                }
                // Berry names the place in the same word as the version.
                "resolution" if !value.contains("@npm:") => value.clone_into(&mut pin.source),
                "integrity" | "checksum" => {
                    pin.digests.insert(value.to_owned());
                }
                _ => {}
            }
        } else if in_needs {
            pin.needs.insert(key.to_owned());
        }
    }
}

/// The packages of pnpm's file, by the indentation of its lines.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(super) fn pnpm(text: &str, locked: &mut Locked) {
    let mut section = "";
    let mut pins: BTreeMap<(String, String), Pin> = BTreeMap::new();
    let mut key = None;
    let mut in_needs = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        let entry = line.trim();
        if depth == 0 && !entry.is_empty() {
            section = entry.trim_end_matches(':');
        }
        if !matches!(section, "packages" | "snapshots") || entry.is_empty() {
            continue;
        }
        if depth == 2 {
            let whole = entry
                .trim_end_matches(':')
                .trim_end_matches(" {}")
                .trim_matches(['\'', ':']);
            let whole = whole
                .trim_start_matches('/')
                .split('(')
                .next()
                .unwrap_or(whole);
            let at = whole
                .get(1..)
                .and_then(|rest| rest.rfind('@'))
                .map(|at| at + 1);
            key = at
                .and_then(|at| whole.split_at_checked(at))
                .map(|(name, version)| {
                    (name.to_owned(), version.trim_start_matches('@').to_owned())
                });
            if let Some(key) = &key {
                let pin = pins.entry(key.clone()).or_default();
                pin.version.clone_from(&key.1);
                if key.1.contains("://") {
                    pin.source.clone_from(&key.1);
                }
            }
            in_needs = false;
        } else if let Some(pin) = key.as_ref().and_then(|key| pins.get_mut(key)) {
            let word = |name: &str| {
                let (_, rest) = entry.split_once(name)?;
                let rest = rest.trim_start_matches([' ', '\'']);
                Some(
                    rest.split([',', '}', '\'', ' '])
                        .next()
                        .unwrap_or(rest)
                        .to_owned(),
                )
            };
            pin.digests.extend(word("integrity:"));
            if let Some(source) = word("tarball:") {
                pin.source = source;
            }
            pin.has_script |= entry == "requiresBuild: true";
            if depth == 4 {
                in_needs = matches!(entry, "dependencies:" | "optionalDependencies:");
            } else if depth == 6 && in_needs {
                let name = entry
                    .split(": ")
                    .next()
                    .unwrap_or(entry)
                    .trim_matches(['\'', ':']);
                pin.needs.insert(name.to_owned());
            }
        }
    }
    for ((name, _), pin) in pins {
        locked.put(&name, pin);
    }
}
