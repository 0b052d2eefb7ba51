//! Runs a command that nobody vouches for. It refuses to pretend: what isolation held is part of the result, and a
//! floor below which nothing is run can be demanded.
//!
//! The binary starts itself again as a launcher (`launcher sandbox-exec`, see [`sandbox_main`]), because namespaces
//! can only be entered by a process of one thread. The launcher tries, in this order:
//!
//! 1. namespaces of its own making: user, mount, PID, network, IPC and UTS, with a minimal root;
//! 2. the same by `bwrap`, which some systems allow what they deny to everybody else;
//! 3. neither.
//!
//! On top of each come Landlock, a seccomp filter, resource limits and the loss of every capability. Our own
//! namespaces come first because every mechanism that held is then known by its result, and nothing has to be
//! installed.

mod bwrap;
mod capture;
mod launch;
mod namespaces;
mod places;
mod private;
mod restrict;
mod root;
mod seccomp;
mod spec;
mod supervise;
mod sys;
mod toolchain;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use launch::sandbox_main;

use crate::cancel::Cancel;

/// A command and what it may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    /// The program and its arguments; no shell.
    pub argv: Vec<String>,
    /// Where it starts; below one of the writable or readable places.
    pub cwd: PathBuf,
    /// Its whole environment. `HOME` becomes an empty directory of its own, wherever it points.
    pub env: BTreeMap<String, String>,
    /// Places it may read and write.
    pub writable: Vec<PathBuf>,
    /// Places it may read, beside the system's and the toolchains on `PATH`.
    pub readable: Vec<PathBuf>,
    /// How much it may use.
    pub limits: Limits,
}

/// How much a command may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time on the wall.
    pub wall: Duration,
    /// Processor seconds of each process.
    pub cpu_s: u64,
    /// Memory of each process, and of all together.
    pub memory_bytes: u64,
    /// Processes and threads at once.
    pub processes: u64,
    /// Bytes kept of each output stream: the beginning and the end.
    pub output_bytes: usize,
    /// Size of each file it writes.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_mins(10),
            cpu_s: 1200,
            memory_bytes: 8 << 30,
            processes: 1024,
            output_bytes: 8 << 20,
            file_bytes: 2 << 30,
        }
    }
}

/// Which limit a command was stopped for, beside time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverLimit {
    /// Memory of all its processes together.
    Memory,
    /// Number of processes.
    Processes,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Its exit status, when it exited.
    pub exit: Option<i32>,
    /// The signal that ended it, when one did.
    pub signal: Option<i32>,
    /// Whether it was ended for taking too long.
    pub is_timed_out: bool,
    /// Which other limit it was ended for.
    pub over_limit: Option<OverLimit>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its error output.
    pub stderr: Vec<u8>,
    /// Whether the middle of an output was left out.
    pub is_truncated: bool,
    /// How long it took.
    pub wall: Duration,
    /// Every mechanism that held, such as `userns`, `netns`, `landlock-abi7`, `seccomp`, `rlimits`.
    pub isolation: Vec<String>,
}

/// What has to hold for a command to be run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum IsolationFloor {
    /// Nothing: run with what there is, and say what it was.
    #[default]
    BestEffort,
    /// No network: a network namespace, or no sockets to the internet at all.
    NoNetwork,
    /// Files, processes and network kept apart by namespaces.
    Namespaces,
}

/// What kept a command from being run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no program to run.
    #[error("the command is empty")]
    EmptyCommand,
    /// A named place is not there.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// The command would start where it may not look.
    #[error("{} is in none of the places the command may read", .0.display())]
    OutsidePlaces(PathBuf),
    /// A name that cannot be handed over.
    #[error("the command cannot be described to the launcher")]
    Describe(#[source] serde_json::Error),
    /// The launcher did not start.
    #[error("could not start the launcher {}", .launcher.display())]
    Launcher {
        /// The launcher.
        launcher: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The launcher ended without a result.
    #[error("the launcher ended without a result: {0}")]
    NoResult(String),
    /// The program could not be started.
    #[error("could not start {program}: {reason}")]
    CannotStart {
        /// The program.
        program: String,
        /// Why.
        reason: String,
    },
    /// Less isolation than demanded.
    #[error("this machine does not give the isolation demanded; it lacks {missing}: {reason}")]
    BelowFloor {
        /// What is missing.
        missing: String,
        /// What the mechanisms said.
        reason: String,
    },
    /// It is not wanted any more.
    #[error("the proof was cancelled")]
    Cancelled,
    /// The operating system failed.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

/// The way to run confined commands.
#[derive(Debug, Clone)]
pub struct Sandbox {
    launcher: PathBuf,
    floor: IsolationFloor,
    ways: Vec<spec::Way>,
    cancel: Cancel,
}

impl Sandbox {
    /// Takes the program whose `sandbox-exec` command calls [`sandbox_main`], and what has to hold.
    pub fn new(launcher: PathBuf, required: IsolationFloor) -> Self {
        Self {
            launcher,
            floor: required,
            ways: vec![spec::Way::Own, spec::Way::Bwrap, spec::Way::Bare],
            cancel: Cancel::default(),
        }
    }

    /// Runs nothing any more once this is said, and ends what runs then.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }

    /// Tries bubblewrap first, for machines whose owner allows namespaces to nobody else.
    #[must_use]
    pub fn bwrap_first(mut self) -> Self {
        self.ways = vec![spec::Way::Bwrap, spec::Way::Own, spec::Way::Bare];
        self
    }

    /// The program that starts confined commands, and what has to hold.
    pub(crate) fn identity(&self) -> (&std::path::Path, IsolationFloor) {
        (&self.launcher, self.floor)
    }

    /// Runs a command to its end.
    pub fn run(&self, confined: &Confined) -> Result<Ran, SandboxError> {
        if self.cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        let private = private::PrivateDir::new()?;
        let spec = spec::Spec::new(confined, self, private.path())?;
        let ran = capture::run(&self.launcher, &spec, private, &self.cancel);
        if self.cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        ran
    }
}
