//! Node packages: `npm ci` must agree with the lock file, the base's build script runs, and what `npm pack` makes is
//! loaded from a project that has nothing else.

use std::path::Path;

use serde_json::Value;
use wayproof_receipt::predicate::CheckKind;

use super::{Artefact, Built, NOT_BUILT, NOT_LOCKED, Needs, Try, error_of, said, step};
use crate::plan::Suite;
use crate::run::{Host, Tree, Trouble};

const SMOKE: &str = include_str!("assets/wayproof_smoke.mjs");

/// How npm is kept from the network and from talk.
const QUIET: [(&str, &str); 5] = [
    ("npm_config_offline", "true"),
    ("npm_config_audit", "false"),
    ("npm_config_fund", "false"),
    ("npm_config_update_notifier", "false"),
    ("FORCE_COLOR", "0"),
];
const LOCKS: [&str; 5] = [
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
];

/// Builds, and says how to try it.
pub(super) fn build(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<Built, Trouble> {
    let cwd = tree.path.join(&suite.dir);
    let npm = host.program("npm", "the change needs it to build and pack")?;
    let mut built = Built::default();
    let out = host.fresh("packed")?;
    let needs = Needs {
        env: QUIET
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        writable: vec![out.clone()],
        readable: Vec::new(),
    };
    let package: Value = std::fs::read(cwd.join("package.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let run = |words: &[&str]| {
        let argv = std::iter::once(npm.as_str())
            .chain(words.iter().copied())
            .map(str::to_owned)
            .collect();
        step(host, tree, &cwd, CheckKind::Build, argv, &needs)
    };
    let has_lock = |name: &str| cwd.join(name).exists() || tree.path.join(name).exists();
    if cwd.join("package-lock.json").exists() || cwd.join("npm-shrinkwrap.json").exists() {
        let (ran, check) = run(&["ci", "--dry-run", "--ignore-scripts"])?;
        built.error = error_of(&ran, None).map(|error| disagreement(&said(&ran)).unwrap_or(error));
        built.checks.push(check);
        if built.error.is_some() {
            return Ok(built);
        }
    } else if !LOCKS.iter().any(|name| has_lock(name)) && asks_for_others(&package) {
        built.gaps.insert(NOT_LOCKED);
    }
    let has_build = package.pointer("/scripts/build").is_some();
    if has_build {
        let (ran, check) = run(&["run", "build"])?;
        built.error = error_of(&ran, None);
        built.checks.push(check);
    } else if built.checks.is_empty() {
        // Nothing to build: that it can be packed is all there is to show.
        let (ran, check) = run(&["pack", "--dry-run", "--ignore-scripts"])?;
        built.error = error_of(&ran, None);
        built.checks.push(check);
    }
    if built.error.is_some() {
        return Ok(built);
    }
    built.artefact = Some(pack(host, tree, (&cwd, &out, &package), needs, &mut built)?);
    Ok(built)
}

/// Packs the package and lays out a project that has only the packed copy; as it lies where that cannot be.
fn pack(
    host: &Host<'_>,
    tree: &Tree,
    (cwd, out, package): (&Path, &Path, &Value),
    needs: Needs,
    built: &mut Built,
) -> Result<Artefact, Trouble> {
    let name = package
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let npm = host.program("npm", "the change needs it to build and pack")?;
    let options = [
        "pack",
        "--ignore-scripts",
        "--pack-destination",
        &out.to_string_lossy(),
    ];
    let argv = std::iter::once(npm.as_str())
        .chain(options)
        .map(str::to_owned)
        .collect();
    let (packed, _) = step(host, tree, cwd, CheckKind::Build, argv, &needs)?;
    let files = std::fs::read_dir(out).map_err(Trouble::io("read what was packed"))?;
    let mut files = files.flatten().map(|entry| entry.path());
    let tarball = files.find(|path| path.extension().is_some_and(|extension| extension == "tgz"));
    let Some(tarball) = tarball.filter(|_| packed.exit == Some(0) && !name.is_empty()) else {
        built.gaps.insert(NOT_BUILT);
        return Ok(Artefact {
            place: cwd.to_path_buf(),
            needs,
            tries: Vec::new(),
        });
    };
    unpack(host, tree, &tarball, (out, &needs), built)?;
    let node = host.program("node", "the change needs it to build")?;
    consumer(out, cwd, name, &node, needs)
}

fn unpack(
    host: &Host<'_>,
    tree: &Tree,
    tarball: &Path,
    (out, needs): (&Path, &Needs),
    built: &mut Built,
) -> Result<(), Trouble> {
    let tar = host.program("tar", "the packed package is unpacked with it")?;
    let argv = [
        tar.as_str(),
        "-xzf",
        &tarball.to_string_lossy(),
        "-C",
        &out.to_string_lossy(),
    ]
    .map(str::to_owned)
    .to_vec();
    let (ran, check) = step(host, tree, out, CheckKind::Build, argv, needs)?;
    if ran.exit != Some(0) {
        return Err(Trouble::Infra(format!(
            "the packed package cannot be unpacked: {}",
            said(&ran).trim()
        )));
    }
    built.checks.push(check);
    Ok(())
}

/// A project with the packed copy and the dependencies of the tree.
fn consumer(
    out: &Path,
    cwd: &Path,
    name: &str,
    node: &str,
    needs: Needs,
) -> Result<Artefact, Trouble> {
    let root = out.join("consumer");
    let modules = root.join("node_modules");
    let own = modules.join(name);
    let doing = || Trouble::io("lay out a project that uses the package");
    std::fs::create_dir_all(own.parent().unwrap_or(&modules)).map_err(doing())?;
    std::fs::rename(out.join("package"), &own).map_err(doing())?;
    std::fs::write(root.join("smoke.mjs"), SMOKE).map_err(doing())?;
    std::fs::write(root.join("package.json"), "{\"private\":true}\n").map_err(doing())?;
    link_others(&cwd.join("node_modules"), &modules).map_err(doing())?;
    let argv = [node, &root.join("smoke.mjs").to_string_lossy(), name]
        .map(str::to_owned)
        .to_vec();
    let has_entry = std::fs::read(own.join("package.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let has_entry = has_entry.is_some_and(|package| {
        ["main", "exports", "bin"]
            .iter()
            .any(|key| package.get(*key).is_some())
            || own.join("index.js").exists()
    });
    let tries = Vec::from_iter(has_entry.then(|| Try {
        argv,
        cwd: root.clone(),
        or: Vec::new(),
    }));
    let mut needs = needs;
    needs.env.push((
        "NODE_PATH".to_owned(),
        modules.to_string_lossy().into_owned(),
    ));
    Ok(Artefact {
        place: own,
        needs,
        tries,
    })
}

fn link_others(from: &Path, to: &Path) -> std::io::Result<()> {
    let Ok(entries) = std::fs::read_dir(from) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let place = to.join(entry.file_name());
        let is_scope = entry.file_name().to_string_lossy().starts_with('@');
        if is_scope && place.is_dir() && !place.is_symlink() {
            link_others(&entry.path(), &place)?;
        } else if !place.exists() && !place.is_symlink() {
            std::os::unix::fs::symlink(entry.path(), place)?;
        }
    }
    Ok(())
}

fn asks_for_others(package: &Value) -> bool {
    ["dependencies", "devDependencies", "optionalDependencies"]
        .iter()
        .any(|key| {
            package
                .get(*key)
                .and_then(Value::as_object)
                .is_some_and(|names| !names.is_empty())
        })
}

/// Which package the manifest and the lock file do not agree about.
fn disagreement(said: &str) -> Option<String> {
    let line = said.lines().find(|line| {
        line.contains("Missing:") || line.contains("Invalid:") || line.contains("in sync")
    })?;
    let words = line
        .trim_start_matches("npm")
        .trim_start_matches([' ', '!'])
        .trim_start_matches("ERR!")
        .trim_start_matches("error");
    Some(format!(
        "package.json and its lock file do not agree: {}",
        words.trim()
    ))
}
