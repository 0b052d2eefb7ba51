//! Which directories the programs on `PATH` need to work: their own, and the installation around them. It refuses to
//! show a whole home directory, and the parts of an installation that hold credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The most entries of one directory that are looked at for links.
const ENTRY_LIMIT: usize = 4096;
/// The most directories that links may lead to.
const DIRECTORY_LIMIT: usize = 256;
/// What marks a directory as an installation rather than as somebody's project.
const INSTALLATION_MARKS: &[&str] = &[
    "pyvenv.cfg",
    "lib",
    "lib64",
    "libexec",
    "versions",
    "plugins",
    "installs",
];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Toolchains {
    /// Directories to show.
    pub(super) directories: BTreeSet<PathBuf>,
    /// Variables that tell a toolchain where it lives, since its home will be another.
    pub(super) env: BTreeMap<String, String>,
}

/// Looks at every entry of `PATH`.
pub(super) fn find(env: &BTreeMap<String, String>) -> Toolchains {
    let mut found = Toolchains::default();
    let mut seen = BTreeSet::new();
    let path = env.get("PATH").map(String::as_str).unwrap_or_default();
    let mut open: Vec<PathBuf> = path
        .split(':')
        .map(PathBuf::from)
        .filter(|entry| entry.is_absolute())
        .collect();
    while let Some(entry) = open.pop() {
        if is_system(&entry)
            || seen.len() >= DIRECTORY_LIMIT
            || !seen.insert(entry.clone())
            || !entry.is_dir()
        {
            continue;
        }
        found.add(&entry, env);
        open.extend(link_targets(&entry));
        open.extend(base_of_venv(&entry));
    }
    found
}

impl Toolchains {
    /// Adds a directory of programs and what belongs to it.
    fn add(&mut self, entry: &Path, env: &BTreeMap<String, String>) {
        self.directories.insert(entry.to_owned());
        let Some(prefix) = entry.parent() else { return };
        match prefix.file_name().and_then(|name| name.to_str()) {
            // Beside these lie credentials.toml and other people's sources; only the parts builds need are shown.
            Some(".cargo") => self.add_cargo(prefix, env),
            Some("go") => self
                .directories
                .extend(["pkg"].map(|part| prefix.join(part))),
            _ if is_installation(prefix) => {
                self.directories.insert(prefix.to_owned());
            }
            Some(_) | None => {}
        }
    }

    /// Adds what cargo and rustup need.
    fn add_cargo(&mut self, cargo: &Path, env: &BTreeMap<String, String>) {
        self.directories
            .extend(["registry", "git", "config.toml"].map(|part| cargo.join(part)));
        let rustup = match (env.get("RUSTUP_HOME"), cargo.parent()) {
            (Some(named), _) => PathBuf::from(named),
            (None, Some(home)) => home.join(".rustup"),
            (None, None) => return,
        };
        self.remember("CARGO_HOME", cargo);
        self.remember("RUSTUP_HOME", &rustup);
        self.directories.insert(rustup);
    }

    /// Notes where a toolchain lives.
    fn remember(&mut self, name: &str, path: &Path) {
        if let Some(text) = path.to_str() {
            self.env.insert(name.to_owned(), text.to_owned());
        }
    }
}

/// Tells whether a directory is shown anyway.
fn is_system(path: &Path) -> bool {
    ["/usr", "/bin", "/sbin", "/lib"]
        .iter()
        .any(|root| path.starts_with(root))
}

/// Tells whether a directory looks like something that was installed, and is nobody's home.
fn is_installation(prefix: &Path) -> bool {
    let is_home = std::env::home_dir().is_some_and(|home| home.starts_with(prefix));
    let is_shared = prefix.parent().is_none()
        || matches!(prefix.to_str(), Some("/home" | "/root" | "/opt" | "/srv"));
    let is_local = prefix.file_name().is_some_and(|name| name == ".local");
    !is_home
        && !is_shared
        && !is_local
        && INSTALLATION_MARKS
            .iter()
            .any(|mark| prefix.join(mark).exists())
}

/// Gives the directories that the links among the programs lead to.
fn link_targets(entry: &Path) -> BTreeSet<PathBuf> {
    let Ok(entries) = fs::read_dir(entry) else {
        return BTreeSet::new();
    };
    entries
        .filter_map(Result::ok)
        .take(ENTRY_LIMIT)
        .filter(|program| program.file_type().is_ok_and(|kind| kind.is_symlink()))
        .filter_map(|program| fs::canonicalize(program.path()).ok())
        .filter(|target| target.is_file())
        .filter_map(|target| target.parent().map(Path::to_owned))
        .collect()
}

/// Gives the interpreter's directory a Python virtual environment was made from.
fn base_of_venv(entry: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(entry.parent()?.join("pyvenv.cfg")).ok()?;
    let home = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == "home")?;
    Some(PathBuf::from(home.1.trim())).filter(|home| home.is_absolute())
}
