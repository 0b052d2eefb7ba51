//! Commands in the sandbox, well-behaved and not. Each escape is tried for real and expected to fail.

mod degraded;
mod escape;
mod limits;
mod normal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use wayproof_proof::{Confined, IsolationFloor, Limits, Ran, Sandbox};

/// A sandbox with one writable directory.
#[derive(Debug)]
pub(crate) struct Bench {
    folder: TempDir,
    pub(crate) confined: Confined,
    floor: IsolationFloor,
}

impl Bench {
    /// Makes a bench for a program with arguments, demanding full isolation.
    pub(crate) fn new(argv: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let confined = Confined {
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            cwd: folder.path().to_owned(),
            env: BTreeMap::new(),
            writable: vec![folder.path().to_owned()],
            readable: Vec::new(),
            limits: Limits {
                wall: Duration::from_mins(1),
                ..Limits::default()
            },
        };
        Self {
            folder,
            confined,
            floor: IsolationFloor::Namespaces,
        }
    }

    /// Makes a bench for a shell script.
    pub(crate) fn sh(script: &str) -> Self {
        Self::new(&["sh", "-c", script])
    }

    /// Makes a bench for a Perl program.
    pub(crate) fn perl(program: &str) -> Self {
        Self::new(&["perl", "-e", program])
    }

    /// The writable directory.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it.
    pub(crate) fn run(&self) -> Ran {
        Sandbox::new(launcher(), self.floor)
            .run(&self.confined)
            .unwrap()
    }
}

/// The launcher built beside the tests.
pub(crate) fn launcher() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_sandbox-launcher"))
}

/// The standard output as text.
pub(crate) fn out(ran: &Ran) -> String {
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

/// The command lines of every process on the machine.
pub(crate) fn command_lines() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}
