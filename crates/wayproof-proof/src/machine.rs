//! What the operator's machine offers to a proof: where programs are found and which folders they need to read.
//!
//! The binary fills it from its environment; nothing here reads the environment by itself, and no secret variable
//! passes on to a check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where programs and their caches are.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The folders searched for programs, in order.
    pub path: Vec<PathBuf>,
    /// The operator's home, which checks never see.
    pub home: PathBuf,
    /// Variables that say where toolchains live (`CARGO_HOME`, `RUSTUP_HOME`, `GOMODCACHE`, …).
    pub variables: BTreeMap<String, String>,
    /// Where scratch folders are made.
    pub scratch: PathBuf,
}

const LOCATIONS: &[&str] = &[
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOROOT",
    "GOPATH",
    "GOMODCACHE",
    "JAVA_HOME",
    "GEM_HOME",
    "GEM_PATH",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "NVM_DIR",
    "VOLTA_HOME",
];

impl Machine {
    /// Takes what is needed from environment variables.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>, scratch: PathBuf) -> Self {
        let vars: BTreeMap<String, String> = vars.into_iter().collect();
        let path = vars
            .get("PATH")
            .map(|path| std::env::split_paths(path).collect())
            .unwrap_or_default();
        let home = PathBuf::from(vars.get("HOME").cloned().unwrap_or_else(|| "/".to_owned()));
        let variables = vars
            .into_iter()
            .filter(|(name, _)| LOCATIONS.contains(&name.as_str()))
            .collect();
        Self {
            path,
            home,
            variables,
            scratch,
        }
    }

    /// The first program of that name.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt as _;
        let is_program = |file: &PathBuf| {
            file.metadata()
                .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        };
        self.path
            .iter()
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(program))
            .find(is_program)
    }

    /// A folder named by a variable, or else under the home.
    pub(crate) fn folder(&self, variable: &str, under_home: &str) -> PathBuf {
        self.variables
            .get(variable)
            .map_or_else(|| self.home.join(under_home), PathBuf::from)
    }

    /// The search path as one variable.
    pub(crate) fn path_variable(&self, first: &[PathBuf]) -> String {
        let all = first
            .iter()
            .chain(&self.path)
            .filter(|dir| !dir.as_os_str().is_empty());
        let all: Vec<String> = all.map(|dir| dir.to_string_lossy().into_owned()).collect();
        all.join(":")
    }

    /// Folders that the programs on the search path live in, beyond those every check may read.
    pub(crate) fn readable(&self) -> BTreeSet<PathBuf> {
        let mut roots = BTreeSet::new();
        for dir in &self.path {
            roots.insert(self.root_of(dir));
            if let Ok(real) = dir.canonicalize() {
                roots.insert(self.root_of(&real));
            }
        }
        for (variable, under_home) in [
            ("CARGO_HOME", ".cargo/bin"),
            ("RUSTUP_HOME", ".rustup"),
            ("GOMODCACHE", "go/pkg/mod"),
        ] {
            roots.insert(self.folder(variable, under_home));
        }
        roots.extend(
            ["GOROOT", "JAVA_HOME", "PYENV_ROOT", "NVM_DIR", "VOLTA_HOME"]
                .iter()
                .filter_map(|name| self.variables.get(*name))
                .map(PathBuf::from),
        );
        roots.retain(|root| root.exists() && *root != self.home && root.parent().is_some());
        roots
    }

    /// The installation a folder of programs belongs to: its parent when it is a `bin`, unless that is the home.
    fn root_of(&self, dir: &Path) -> PathBuf {
        match dir.parent() {
            Some(parent)
                if dir.ends_with("bin") && parent != self.home && parent.parent().is_some() =>
            {
                parent.to_path_buf()
            }
            _ => dir.to_path_buf(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Machine;

    #[test]
    fn secrets_stay_behind_and_the_home_is_not_readable() {
        let vars = [
            ("PATH", "/usr/bin:/nonexistent/bin"),
            ("HOME", "/home/someone"),
            ("API_KEY", "k"),
            ("GOPATH", "/g"),
        ];
        let machine = Machine::from_vars(
            vars.map(|(name, value)| (name.to_owned(), value.to_owned())),
            "/tmp".into(),
        );
        assert_eq!(machine.variables.keys().collect::<Vec<_>>(), ["GOPATH"]);
        assert!(machine.find("sh").is_some() && machine.find("no-such-program").is_none());
        assert!(!machine.readable().contains(&machine.home));
    }
}
