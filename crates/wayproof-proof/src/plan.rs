//! Decides, from names and the base's configuration, what a change consists of and which test suites judge it.
//!
//! Pure: it reads files only through what it is given. It never takes a command from the head, so a change cannot
//! choose how it is judged.

pub(crate) mod inline;
pub(crate) mod manifest;
pub(crate) mod role;
pub(crate) mod script;
mod support;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use role::Role;
pub(crate) use support::is_support_only;

/// One changed path with both contents; a moved file is a deletion and an addition.
#[derive(Clone, Debug)]
pub(crate) struct FileChange {
    /// Where it is.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// Its text at the base, when it was there and is text.
    pub before: Option<String>,
    /// Its text at the head, when it is there and is text.
    pub after: Option<String>,
    /// Its git blob at the base, when it is there.
    pub old_blob: Option<String>,
    /// Its git blob at the head, when it is there.
    pub new_blob: Option<String>,
}

/// A language with its own way of testing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ecosystem {
    /// Cargo packages.
    Rust,
    /// pytest or unittest.
    Python,
    /// A package.json with a test script.
    JavaScript,
    /// A Go module.
    Go,
    /// minitest or RSpec.
    Ruby,
    /// PHPUnit.
    Php,
    /// Maven or Gradle.
    Java,
    /// C and C++ under CMake and CTest.
    C,
}

/// A suite: an ecosystem at a directory of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    /// Whose conventions it follows.
    pub ecosystem: Ecosystem,
    /// Its directory inside the repository, "" at the root.
    pub dir: String,
    /// The runner commands of a JavaScript suite, from the base's scripts.
    pub scripts: Vec<script::ScriptCommand>,
    /// The test command the policy prescribes instead.
    pub command: Option<Vec<String>>,
}

/// The files of a side, as far as planning needs them.
pub(crate) struct Files<'a> {
    /// Every path.
    pub paths: BTreeSet<String>,
    /// Reads one as text.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

impl Ecosystem {
    const ALL: [Self; 8] = [
        Self::Rust,
        Self::Python,
        Self::JavaScript,
        Self::Go,
        Self::Ruby,
        Self::Php,
        Self::Java,
        Self::C,
    ];

    fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some(found) = Self::ALL
            .into_iter()
            .find(|ecosystem| ecosystem.manifests().contains(&name))
        {
            return Some(found);
        }
        let extension = extension(name);
        Self::ALL
            .into_iter()
            .find(|ecosystem| ecosystem.extensions().contains(&extension))
    }

    /// The ecosystem whose dependencies a lock file pins.
    fn locked_by(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        Some(match name {
            "Cargo.lock" => Self::Rust,
            "uv.lock" | "poetry.lock" | "Pipfile.lock" | "requirements.txt" => Self::Python,
            "package-lock.json" | "npm-shrinkwrap.json" | "yarn.lock" | "pnpm-lock.yaml" => {
                Self::JavaScript
            }
            "go.sum" => Self::Go,
            "Gemfile.lock" => Self::Ruby,
            "composer.lock" => Self::Php,
            _ => return None,
        })
    }

    fn manifests(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["Cargo.toml"],
            Self::Python => &[
                "pyproject.toml",
                "setup.py",
                "setup.cfg",
                "tox.ini",
                "pytest.ini",
            ],
            Self::JavaScript => &["package.json"],
            Self::Go => &["go.mod"],
            Self::Ruby => &["Gemfile", "Rakefile", ".rspec"],
            Self::Java => &["pom.xml", "build.gradle", "build.gradle.kts"],
            Self::C => &["CMakeLists.txt"],
            Self::Php => &[
                "composer.json",
                "phpunit.xml",
                "phpunit.xml.dist",
                "phpunit.dist.xml",
            ],
        }
    }

    /// Whether the ids of its tests begin with their file.
    pub(crate) fn names_files(self) -> bool {
        matches!(
            self,
            Self::Python | Self::JavaScript | Self::Ruby | Self::Php
        )
    }

    /// The extensions of its source files.
    pub(crate) fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["rs"],
            Self::Python => &["py", "pyi", "pyx"],
            Self::JavaScript => &[
                "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "vue", "svelte",
            ],
            Self::Go => &["go"],
            Self::Ruby => &["rb", "gemspec"],
            Self::Php => &["php"],
            Self::Java => &["java", "kt"],
            Self::C => &["c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx"],
        }
    }

    /// Whether its runs build with every core.
    pub(crate) fn is_compiled(self) -> bool {
        matches!(self, Self::Rust | Self::Go | Self::Java | Self::C)
    }

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Java => "java",
            Self::C => "c",
        }
    }
}

/// The suites that judge a change, from the base's files.
pub(crate) fn suites(base: &Files<'_>, changes: &[FileChange]) -> Vec<Suite> {
    let mut wanted = BTreeSet::new();
    for change in changes {
        if let Some(ecosystem) = Ecosystem::of(&change.path)
            && let Some(dir) = suite_dir(base, ecosystem, &change.path)
        {
            if ecosystem == Ecosystem::Go {
                let users = modules_that_use(base, &dir);
                wanted.extend(users.into_iter().map(|user| (ecosystem, user)));
            }
            wanted.insert((ecosystem, dir));
        }
    }
    // A change of lock files alone is judged by the suite they lock.
    if wanted.is_empty() {
        for change in changes {
            if let Some(ecosystem) = Ecosystem::locked_by(&change.path)
                && let Some(dir) = suite_dir(base, ecosystem, &change.path)
            {
                wanted.insert((ecosystem, dir));
            }
        }
    }
    if wanted.is_empty() {
        for ecosystem in Ecosystem::ALL {
            let manifest = ecosystem
                .manifests()
                .iter()
                .find(|name| base.paths.contains(**name));
            if let Some(dir) = manifest.and_then(|name| suite_dir(base, ecosystem, name)) {
                wanted.insert((ecosystem, dir));
            }
        }
    }
    let suite = |(ecosystem, dir): (Ecosystem, String)| {
        let scripts = if ecosystem == Ecosystem::JavaScript {
            javascript_commands(base, &dir)
        } else {
            Vec::new()
        };
        Suite {
            ecosystem,
            dir,
            scripts,
            command: None,
        }
    };
    wanted.into_iter().map(suite).collect()
}

/// The directory whose manifest governs `path`; Python works without one.
fn suite_dir(base: &Files<'_>, ecosystem: Ecosystem, path: &str) -> Option<String> {
    let governing: Vec<String> = ancestors(path)
        .filter(|dir| {
            ecosystem
                .manifests()
                .iter()
                .any(|name| base.paths.contains(&join(dir, name)))
        })
        .collect();
    let nearest = governing.first().cloned();
    match ecosystem {
        Ecosystem::Rust => {
            let is_workspace = |dir: &&String| {
                (base.read)(&join(dir, "Cargo.toml"))
                    .is_some_and(|text| text.contains("[workspace]"))
            };
            governing
                .iter()
                .rev()
                .find(is_workspace)
                .cloned()
                .or(nearest)
        }
        Ecosystem::JavaScript => {
            let is_testable = |dir: &&String| !javascript_commands(base, dir).is_empty();
            governing.iter().find(is_testable).cloned().or(nearest)
        }
        Ecosystem::Python => Some(nearest.unwrap_or_default()),
        Ecosystem::Go => nearest,
        // The outermost build knows its modules and folders.
        Ecosystem::Java | Ecosystem::C => governing.last().cloned(),
        // A stray script is no suite; tests are one, with or without a manifest.
        Ecosystem::Ruby | Ecosystem::Php => {
            let dir = nearest.unwrap_or_default();
            let is_test = |path: &String| {
                (dir.is_empty() || path.starts_with(&format!("{dir}/")))
                    && Ecosystem::of(path) == Some(ecosystem)
                    && role::role_of(path) == Role::Test
            };
            let has_tests = base.paths.iter().any(is_test) || is_test(&path.to_owned());
            has_tests.then_some(dir)
        }
    }
}

/// The directories of other Go modules of the repository that put the module in `dir` in place of a requirement.
fn modules_that_use(base: &Files<'_>, dir: &str) -> Vec<String> {
    let manifests = base
        .paths
        .iter()
        .filter(|path| path.rsplit('/').next() == Some("go.mod"));
    let uses = |manifest: &&String| {
        let folder = manifest.rsplit_once('/').map_or("", |(folder, _)| folder);
        let text = (base.read)(manifest).unwrap_or_default();
        let targets = text
            .lines()
            .filter_map(|line| line.split_once("=>"))
            .map(|(_, target)| target.trim());
        let mut local = targets.filter(|target| target.starts_with('.'));
        folder != dir && local.any(|target| resolved(folder, target) == dir)
    };
    let folders = manifests
        .filter(uses)
        .map(|manifest| manifest.rsplit_once('/').map_or("", |(folder, _)| folder));
    folders.map(str::to_owned).collect()
}

/// A path relative to a folder of the repository, as one of the repository.
fn resolved(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The directories above a path, nearest first, ending at the root "".
fn ancestors(path: &str) -> impl Iterator<Item = String> {
    let mut at = Some(path.to_owned());
    std::iter::from_fn(move || {
        let path = at.take()?;
        if path.is_empty() {
            return None;
        }
        let parent = path
            .rsplit_once('/')
            .map_or(String::new(), |(parent, _)| parent.to_owned());
        at = Some(parent.clone());
        Some(parent)
    })
}

/// The extension of a path, "" without one.
pub(crate) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Whether a path lies in a directory of the repository.
pub(crate) fn is_inside(path: &str, dir: &str) -> bool {
    let rest = path.strip_prefix(dir);
    dir.is_empty() || rest.is_some_and(|rest| rest.starts_with('/'))
}

/// Joins a directory of the repository and a name.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// How a package tests itself: its test script, or the runner it depends on, or node's own.
fn javascript_commands(base: &Files<'_>, dir: &str) -> Vec<script::ScriptCommand> {
    let Some(text) = (base.read)(&join(dir, "package.json")) else {
        return Vec::new();
    };
    let Ok(package) = serde_json::from_str::<serde_json::Value>(&text) else {
        return Vec::new();
    };
    let map = |key: &str| -> BTreeMap<String, String> {
        let entries = package
            .get(key)
            .and_then(serde_json::Value::as_object)
            .into_iter()
            .flatten();
        entries
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    let found = script::commands(&map("scripts"), "test");
    if !found.is_empty() {
        return found;
    }
    let known = [
        ("vitest", script::ScriptRunner::Vitest),
        ("jest", script::ScriptRunner::Jest),
        ("mocha", script::ScriptRunner::Mocha),
        ("ava", script::ScriptRunner::Ava),
    ];
    let (dependencies, development) = (map("dependencies"), map("devDependencies"));
    for (name, runner) in known {
        if dependencies.contains_key(name) || development.contains_key(name) {
            return vec![script::ScriptCommand {
                runner,
                args: Vec::new(),
            }];
        }
    }
    let inside = |path: &&String| dir.is_empty() || path.starts_with(&format!("{dir}/"));
    let is_node_test = |path: &String| {
        Ecosystem::of(path) == Some(Ecosystem::JavaScript) && role::role_of(path) == Role::Test
    };
    if base.paths.iter().filter(inside).any(is_node_test) {
        return vec![script::ScriptCommand {
            runner: script::ScriptRunner::NodeTest,
            args: Vec::new(),
        }];
    }
    Vec::new()
}

/// Gives changed Rust files that are test modules by declaration (`#[cfg(test)] mod name;`) the role of tests.
pub(crate) fn claim_test_modules(
    changes: &mut [FileChange],
    read: &dyn Fn(&str) -> Option<String>,
) {
    let mut declared = Vec::new();
    for change in changes
        .iter()
        .filter(|change| change.role == Role::Source && extension(&change.path) == "rs")
    {
        let (folder, _) = change.path.rsplit_once('/').unwrap_or(("", &change.path));
        let mut parents: Vec<String> = ["lib.rs", "main.rs", "mod.rs"]
            .iter()
            .map(|name| join(folder, name))
            .collect();
        parents.push(format!("{folder}.rs"));
        for parent in parents {
            if let Some(text) = read(&parent)
                && let Some(file) = inline::parse(&text)
            {
                declared.extend(
                    file.test_modules()
                        .iter()
                        .map(|module| (parent.clone(), module.clone())),
                );
            }
        }
    }
    let files = role::files_of_test_modules(&declared);
    for change in changes
        .iter_mut()
        .filter(|change| change.role == Role::Source && files.contains(&change.path))
    {
        change.role = Role::Test;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Ecosystem, FileChange, Files, Role, claim_test_modules, is_support_only, suites};

    fn change(path: &str, before: &str, after: &str) -> FileChange {
        FileChange {
            path: path.to_owned(),
            role: super::role::role_of(path),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
            old_blob: Some(String::new()),
            new_blob: Some(String::new()),
        }
    }

    fn found(files: &[(&str, &str)], changed: &[&str]) -> Vec<(Ecosystem, String)> {
        let map: BTreeMap<String, String> = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect();
        let read = |path: &str| map.get(path).cloned();
        let changes: Vec<FileChange> = changed.iter().map(|path| change(path, "", "")).collect();
        let files = Files {
            paths: map.keys().cloned().collect(),
            read: &read,
        };
        suites(&files, &changes)
            .into_iter()
            .map(|suite| (suite.ecosystem, suite.dir))
            .collect()
    }

    #[test]
    fn a_change_is_judged_where_its_manifest_is() {
        let files = [
            ("Cargo.toml", "[workspace]"),
            ("a/Cargo.toml", "[package]"),
            ("web/package.json", "{\"scripts\":{\"test\":\"vitest\"}}"),
            ("web/ui/package.json", "{}"),
            ("tools/x.py", ""),
        ];
        assert_eq!(
            found(&files, &["a/src/lib.rs"]),
            [(Ecosystem::Rust, String::new())]
        );
        assert_eq!(
            found(&files, &["web/ui/a.ts"]),
            [(Ecosystem::JavaScript, "web".to_owned())]
        );
        assert_eq!(
            found(&files, &["tools/x.py"]),
            [(Ecosystem::Python, String::new())]
        );
        assert_eq!(
            found(&files, &["README.md"]),
            [(Ecosystem::Rust, String::new())]
        );
    }

    #[test]
    fn a_go_module_is_judged_by_those_that_use_it_as_well() {
        let files = [
            (
                "go.mod",
                "module a\nreplace example.org/bounds => ./bounds\n",
            ),
            ("bounds/go.mod", "module example.org/bounds\n"),
            (
                "other/go.mod",
                "module other\nreplace example.org/x => ../x\n",
            ),
        ];
        assert_eq!(
            found(&files, &["bounds/bounds.go"]),
            [
                (Ecosystem::Go, String::new()),
                (Ecosystem::Go, "bounds".to_owned())
            ]
        );
        assert_eq!(
            found(&files, &["other/a.go"]),
            [(Ecosystem::Go, "other".to_owned())]
        );
    }

    #[test]
    fn fixtures_in_a_conftest_are_support_and_hooks_are_not() {
        let before = "import pytest\n";
        assert!(is_support_only(&change(
            "tests/conftest.py",
            before,
            "import pytest\n@pytest.fixture\ndef a():\n    return 1\n"
        )));
        assert!(!is_support_only(&change(
            "tests/conftest.py",
            before,
            "def pytest_runtest_makereport(item, call): pass\n"
        )));
        assert!(!is_support_only(&change("jest.config.js", "", "")));
    }

    #[test]
    fn declared_test_modules_are_tests() {
        let mut changes = [
            change("src/checks.rs", "", ""),
            change("src/other.rs", "", ""),
        ];
        let read = |path: &str| {
            (path == "src/lib.rs").then(|| "mod other;\n#[cfg(test)]\nmod checks;\n".to_owned())
        };
        claim_test_modules(&mut changes, &read);
        assert_eq!(
            changes.map(|change| change.role),
            [Role::Test, Role::Source]
        );
    }
}
