//! What is said of the packages of one lock file: why each moved, and what about it is odd.

use std::collections::{BTreeMap, BTreeSet};

use wayproof_receipt::predicate::{Finding, MovedPackage, Severity};

use super::lock::Pin;
use super::words::host;
use super::{Asked, Locked, Moves};
use crate::gaming::{added_lines, finding};
use crate::plan::FileChange;

/// Another source, or another content under the same name.
const SOURCE: &str = "G23";
/// A program that runs when the package is installed.
const SCRIPT: &str = "G24";
/// A package for which nothing speaks.
const UNEXPLAINED: &str = "G25";

/// One lock file before and after.
pub(super) struct Scene<'a> {
    pub path: &'a str,
    pub before: &'a Locked,
    pub after: &'a Locked,
    /// What the changed manifests asked for, and ask for.
    pub asked_before: &'a Asked,
    pub asked_after: &'a Asked,
    /// What the project asks for now, by unchanged manifests too.
    pub asked_now: &'a Asked,
    pub machine_script: &'a dyn Fn(&str, &str) -> bool,
}

/// A file whose name says lock file and whose text does not.
pub(super) fn unread(path: &str) -> Finding {
    finding(
        UNEXPLAINED,
        Severity::Medium,
        path,
        None,
        "the lock file cannot be read",
    )
}

/// Whether a file says where packages come from.
pub(super) fn is_registry(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        ".npmrc" | ".yarnrc" | ".yarnrc.yml" | "pip.conf" | "pip.ini" | "uv.toml" | ".pnpmfile.cjs"
    ) || path.ends_with(".cargo/config.toml")
        || path.ends_with(".cargo/config")
}

/// New lines that send the package manager elsewhere.
pub(super) fn registries(change: &FileChange) -> Vec<Finding> {
    const WORDS: &[&str] = &[
        "--index-url",
        "--extra-index-url",
        "--find-links",
        "--trusted-host",
        "index-url",
        "registry",
        "npmRegistryServer",
        "replace-with",
        "[[tool.poetry.source]]",
        "[[tool.uv.index]]",
    ];
    if !super::is_about_dependencies(&change.path)
        || super::lock::manifests_of(&change.path).len() == 1
    {
        return Vec::new();
    }
    let is_listed = |text: &str| {
        let text = text.trim();
        !text.starts_with(['#', ';', '/'])
            && (WORDS.iter().any(|word| text.contains(word)) || text.starts_with("-i "))
    };
    let odd = added_lines(change)
        .into_iter()
        .filter(|line| is_listed(line.text) && line.text.contains(['=', ' ', '[']));
    odd.map(|line| {
        let said = line.text.trim().chars().take(120).collect::<String>();
        let why = format!("packages are taken from another place than before: `{said}`");
        finding(
            SOURCE,
            Severity::Medium,
            &change.path,
            Some(line.number),
            why,
        )
    })
    .collect()
}

/// Judges every package that moved.
pub(super) fn lock(scene: &Scene<'_>, moves: &mut Moves) {
    let names: BTreeSet<&String> = scene
        .before
        .pins
        .keys()
        .chain(scene.after.pins.keys())
        .collect();
    let pins = |locked: &Locked, name: &str| locked.pins.get(name).cloned().unwrap_or_default();
    let place = |pins: &[Pin]| -> BTreeSet<(String, String)> {
        pins.iter()
            .map(|pin| (pin.version.clone(), pin.source.clone()))
            .collect()
    };
    let has_moved =
        |name: &&String| place(&pins(scene.before, name)) != place(&pins(scene.after, name));
    let moved: BTreeSet<&str> = names
        .iter()
        .copied()
        .filter(has_moved)
        .map(String::as_str)
        .collect();
    for name in &names {
        let (before, after) = (pins(scene.before, name), pins(scene.after, name));
        moves.findings.extend(digests(scene, name, &before, &after));
        if !moved.contains(name.as_str()) {
            continue;
        }
        moves.findings.extend(sources(scene, name, &before, &after));
        moves
            .findings
            .extend(contents(scene, name, &before, &after));
        moves.findings.extend(script(scene, name, &before, &after));
        let versions = |pins: &[Pin]| -> Vec<String> {
            let found: BTreeSet<&String> = pins.iter().map(|pin| &pin.version).collect();
            found.into_iter().cloned().collect()
        };
        let is_direct = asks(scene, name);
        let why = why(scene, name, &before, &after, &moved);
        if why.is_none() {
            moves.said.unexplained.push((*name).clone());
            let said = format!(
                "{name} is new in the lock file, and nothing there or in the manifests asks for it"
            );
            moves.findings.push(finding(
                UNEXPLAINED,
                Severity::Medium,
                scene.path,
                None,
                said,
            ));
        }
        moves.is_refreshed |= why.as_ref().is_some_and(|why| why.starts_with("refreshed"));
        moves.add(MovedPackage {
            name: (*name).clone(),
            file: scene.path.to_owned(),
            from: versions(&before),
            to: versions(&after),
            is_direct,
            why: why.unwrap_or_else(|| "nothing asks for it".to_owned()),
        });
    }
}

fn asks(scene: &Scene<'_>, name: &str) -> bool {
    let is_listing =
        super::manifest::is_requirements(scene.path.rsplit('/').next().unwrap_or_default());
    is_listing
        || scene.asked_now.0.contains_key(name)
        || scene.asked_before.0.contains_key(name)
        || scene.after.roots.contains(name)
}

fn why(
    scene: &Scene<'_>,
    name: &str,
    before: &[Pin],
    after: &[Pin],
    moved: &BTreeSet<&str>,
) -> Option<String> {
    let (was, is) = (
        scene.asked_before.0.get(name),
        scene.asked_after.0.get(name),
    );
    if was != is {
        return Some(match (was, is) {
            (None, _) => "the project asks for it now".to_owned(),
            (_, None) => "the project no longer asks for it".to_owned(),
            _ => "the project asks for another one".to_owned(),
        });
    }
    let needs = |locked: &Locked| -> Option<String> {
        let mut users = locked
            .pins
            .iter()
            .filter(|(_, pins)| pins.iter().any(|pin| pin.needs.contains(name)));
        users
            .find(|(user, _)| moved.contains(user.as_str()))
            .map(|(user, _)| user.clone())
    };
    if let Some(user) = needs(scene.after) {
        return Some(format!("{user}, which moved, needs it"));
    }
    if after.is_empty() {
        return Some(needs(scene.before).map_or_else(
            || "nothing needs it any more".to_owned(),
            |user| format!("{user}, which moved, needed it"),
        ));
    }
    let is_needed = scene
        .after
        .pins
        .values()
        .flatten()
        .any(|pin| pin.needs.contains(name));
    if !before.is_empty() && (asks(scene, name) || is_needed || !scene.after.has_edges) {
        return Some("refreshed within what asks for it".to_owned());
    }
    // Formats that do not say who needs whom: what is new comes with what the project asks for anew.
    let has_new_ask = scene.asked_before != scene.asked_after;
    let is_asked = asks(scene, name) && scene.asked_now.0.contains_key(name);
    if is_asked || !scene.after.has_edges && has_new_ask {
        return Some("it comes with what the project asks for".to_owned());
    }
    None
}

/// Where new pins come from.
fn sources(scene: &Scene<'_>, name: &str, before: &[Pin], after: &[Pin]) -> Vec<Finding> {
    let mut found = Vec::new();
    let known: BTreeSet<String> = before.iter().map(|pin| host(&pin.source)).collect();
    let all: BTreeSet<String> = scene
        .before
        .pins
        .values()
        .flatten()
        .filter(|pin| !pin.source.is_empty())
        .map(|pin| host(&pin.source))
        .collect();
    let mut say =
        |severity, text: String| found.push(finding(SOURCE, severity, scene.path, None, text));
    for pin in after
        .iter()
        .filter(|pin| !before.contains(pin) && !pin.source.is_empty())
    {
        let place = host(&pin.source);
        let is_open = place.starts_with("http://")
            || place.starts_with("git://")
            || place.starts_with("ftp://");
        let asked = scene
            .asked_after
            .0
            .get(name)
            .filter(|how| scene.asked_before.0.get(name) != Some(*how));
        let is_announced = asked.is_some_and(|how| names_a_place(how));
        if is_open && !is_local(&place) {
            say(
                Severity::High,
                format!("{name} is fetched from {place} without encryption"),
            );
        } else if !known.is_empty() && !known.contains(&place) {
            let severity = if is_announced {
                Severity::Medium
            } else {
                Severity::High
            };
            let was = known.iter().map(|host| {
                if host.is_empty() {
                    "its registry"
                } else {
                    host
                }
            });
            let was: Vec<&str> = was.collect();
            say(
                severity,
                format!(
                    "{name} comes from {place} and came from {} before",
                    was.join(", ")
                ),
            );
        } else if known.is_empty() && !all.is_empty() && !all.contains(&place) {
            say(
                Severity::Medium,
                format!("{name} is new and comes from {place}, where nothing came from before"),
            );
        }
    }
    found
}

/// Pins that are another package than their name says, or that nothing holds to their content.
fn contents(scene: &Scene<'_>, name: &str, before: &[Pin], after: &[Pin]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut say =
        |severity, text: String| found.push(finding(SOURCE, severity, scene.path, None, text));
    let others_have = scene
        .before
        .pins
        .values()
        .flatten()
        .any(|pin| !pin.digests.is_empty());
    for pin in after.iter().filter(|pin| !before.contains(pin)) {
        if let Some(real) = npm_name(&pin.source).filter(|real| real != name) {
            let is_alias = |alias: &String| {
                let rest = alias.strip_prefix(name);
                rest.is_some_and(|rest| rest.starts_with(&format!(" npm:{real}")))
            };
            if !scene.after.aliases.iter().any(is_alias) {
                say(
                    Severity::High,
                    format!("{name} is really the package {real}"),
                );
            }
        }
        let is_remote = pin.source.contains("://") && !pin.source.starts_with("git");
        if pin.digests.is_empty() && others_have && is_remote {
            let said = format!("{name} {} has no digest, and others have", pin.version);
            say(Severity::Medium, said);
        }
    }
    found
}

fn is_local(place: &str) -> bool {
    let host = place.split_once("://").map_or(place, |(_, host)| host);
    let host = host.split(':').next().unwrap_or(host);
    matches!(host, "localhost" | "127.0.0.1")
}

/// The package an address of npm's registry is about.
fn npm_name(source: &str) -> Option<String> {
    let (_, rest) = source.split_once("://")?;
    let (path, _) = rest.split_once("/-/")?;
    let (_, path) = path.split_once('/')?;
    let path = path.replace("%2f", "/").replace("%2F", "/");
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.len().checked_sub(1)?;
    let scoped = at
        .checked_sub(1)
        .and_then(|at| parts.get(at))
        .filter(|scope| scope.starts_with('@'));
    let last = parts.get(at)?;
    Some(scoped.map_or_else(|| (*last).to_owned(), |scope| format!("{scope}/{last}")))
}

/// Whether what is asked for names an address or a folder, and no mere version.
fn names_a_place(how: &str) -> bool {
    [
        "://", "git", "path", "file:", "github:", "url", "=>", "registry", "link:",
    ]
    .iter()
    .any(|word| how.contains(word))
}

/// The same version with another content.
fn digests(scene: &Scene<'_>, name: &str, before: &[Pin], after: &[Pin]) -> Vec<Finding> {
    let kinds = |pin: &Pin| -> BTreeMap<String, BTreeSet<String>> {
        let mut kinds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for digest in &pin.digests {
            let kind = digest.rsplit_once([':', '-']).map_or("", |(kind, _)| kind);
            kinds
                .entry(kind.to_owned())
                .or_default()
                .insert(digest.clone());
        }
        kinds
    };
    let mut found = Vec::new();
    for (was, is) in before
        .iter()
        .flat_map(|was| after.iter().map(move |is| (was, is)))
    {
        if was.version != is.version || host(&was.source) != host(&is.source) {
            continue;
        }
        let (old, new) = (kinds(was), kinds(is));
        let differs = old
            .iter()
            .any(|(kind, old)| new.get(kind).is_some_and(|new| new.is_disjoint(old)));
        if differs {
            let said = format!(
                "{name} {} is the same version with another content",
                is.version
            );
            found.push(finding(SOURCE, Severity::High, scene.path, None, said));
        }
    }
    found
}

/// A program that runs at installation and did not before.
fn script(scene: &Scene<'_>, name: &str, before: &[Pin], after: &[Pin]) -> Option<Finding> {
    let is_cargo = scene.path.ends_with("Cargo.lock");
    let runs = |pin: &Pin| pin.has_script || is_cargo && (scene.machine_script)(name, &pin.version);
    let new = after
        .iter()
        .find(|pin| !before.contains(pin) && runs(pin))?;
    if before.iter().any(runs) {
        return None;
    }
    let said = format!(
        "{name} {} runs a program of its own when it is installed or built, and nothing of that name did",
        new.version
    );
    Some(finding(SCRIPT, Severity::Medium, scene.path, None, said))
}

/// What a manifest without a lock file of its own says.
pub(super) fn manifest_only(
    folder: &str,
    before: &Asked,
    after: &Asked,
    changes: &[FileChange],
    moves: &mut Moves,
) {
    let inside = |change: &&FileChange| {
        super::folder_of(&change.path) == folder && super::manifest::is_manifest(&change.path)
    };
    let path = changes
        .iter()
        .find(inside)
        .map(|change| change.path.clone())
        .unwrap_or_default();
    let names: BTreeSet<&String> = before.0.keys().chain(after.0.keys()).collect();
    for name in names {
        let (was, is) = (before.0.get(name), after.0.get(name));
        if was == is {
            continue;
        }
        if let Some(how) = is {
            if how.contains("http://") && !how.contains("localhost") && !how.contains("127.0.0.1") {
                let said = format!("{name} is fetched without encryption: {how}");
                moves
                    .findings
                    .push(finding(SOURCE, Severity::High, &path, None, said));
            } else if names_a_place(how) && !was.is_some_and(|was| names_a_place(was)) {
                let said = format!("{name} comes from a place of its own: {how}");
                moves
                    .findings
                    .push(finding(SOURCE, Severity::Medium, &path, None, said));
            }
        }
        let list = |how: Option<&String>| how.cloned().into_iter().collect();
        moves.add(MovedPackage {
            name: name.clone(),
            file: path.clone(),
            from: list(was),
            to: list(is),
            is_direct: true,
            why: "the project asks for it".to_owned(),
        });
    }
}
