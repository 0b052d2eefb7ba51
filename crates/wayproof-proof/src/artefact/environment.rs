//! Whether what is installed is what the lock file says: tests that run on other versions say nothing about these.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use wayproof_receipt::predicate::{CheckKind, MovedPackage};

use super::{Needs, step};
use crate::plan::{Ecosystem, Suite};
use crate::row::Case;
use crate::run::Trouble;
use crate::runner::python;

const VERSIONS: &str = "import importlib.metadata as m, json, re\n\
print(json.dumps({re.sub('[-_.]+', '-', d.metadata['Name'] or '').lower(): d.version for d in m.distributions()}))";

/// One sentence about a package that moved and is installed in another version; `None` where all agree.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(crate) fn disagreement(
    case: &Case<'_>,
    suite: &Suite,
    moved: &[MovedPackage],
) -> Result<Option<String>, Trouble> {
    let inside = |one: &&MovedPackage| {
        let folder = one.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        folder.is_empty() || suite.dir == folder || suite.dir.starts_with(&format!("{folder}/"))
    };
    let of = |names: &[&str]| -> Vec<&MovedPackage> {
        let is_of = |one: &&MovedPackage| {
            names
                .iter()
                .any(|name| one.file.rsplit('/').next() == Some(name))
        };
        moved
            .iter()
            .filter(inside)
            .filter(is_of)
            .filter(|one| !one.to.is_empty())
            .collect()
    };
    match suite.ecosystem {
        Ecosystem::JavaScript => {
            let moved = of(&[
                "package-lock.json",
                "npm-shrinkwrap.json",
                "yarn.lock",
                "pnpm-lock.yaml",
            ]);
            let places = [
                case.trees.head.path.join(&suite.dir),
                case.trees.head.path.clone(),
            ];
            Ok(moved.into_iter().find_map(|one| {
                let found = places
                    .iter()
                    .find_map(|place| node_version(place, &one.name));
                sentence(one, found.as_deref(), "`npm ci`")
            }))
        }
        Ecosystem::Python => {
            let mut moved = of(&["uv.lock", "poetry.lock", "Pipfile.lock"]);
            moved.extend(
                of(&["requirements.txt"])
                    .into_iter()
                    .filter(|one| one.to.iter().all(|to| to.starts_with(char::is_numeric))),
            );
            if moved.is_empty() {
                return Ok(None);
            }
            let (program, readable) = python::interpreter(case.host)?;
            let needs = Needs {
                readable,
                ..Needs::default()
            };
            let argv = [program.as_str(), "-c", VERSIONS]
                .map(str::to_owned)
                .to_vec();
            let tree = &case.trees.head;
            let (ran, _) = step(case.host, tree, &tree.path, CheckKind::Other, argv, &needs)?;
            let installed: BTreeMap<String, String> =
                serde_json::from_slice(&ran.stdout).unwrap_or_default();
            Ok(moved.into_iter().find_map(|one| {
                sentence(
                    one,
                    installed.get(&one.name).map(String::as_str),
                    "its installer",
                )
            }))
        }
        Ecosystem::Rust
        | Ecosystem::Go
        | Ecosystem::Ruby
        | Ecosystem::Php
        | Ecosystem::Java
        | Ecosystem::C => Ok(None),
    }
}

fn sentence(one: &MovedPackage, installed: Option<&str>, how: &str) -> Option<String> {
    let wanted = one.to.join(" or ");
    match installed {
        Some(version) if one.to.iter().any(|to| to == version) => None,
        Some(version) => Some(format!(
            "{} {version} is installed and the lock file asks for {wanted}, so tests say nothing about it; install what the lock file says ({how}) and prove again",
            one.name
        )),
        // Of other packages some are only for other systems.
        None if one.is_direct => Some(format!(
            "{} {wanted} is not installed, so tests say nothing about it; install what the lock file says ({how}) and prove again",
            one.name
        )),
        None => None,
    }
}

fn node_version(place: &Path, name: &str) -> Option<String> {
    let bytes = std::fs::read(place.join("node_modules").join(name).join("package.json")).ok()?;
    let package: Value = serde_json::from_slice(&bytes).ok()?;
    Some(package.get("version")?.as_str()?.to_owned())
}
