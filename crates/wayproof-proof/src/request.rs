//! What is asked of a proof, what is heard while it runs, and what comes out.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use wayproof_engine::{ProofRequirement, TaskName};
use wayproof_receipt::predicate::{Proof, Side, TestResult};
use wayproof_receipt::{ResourceDescriptor, Verdict};
use wayproof_repo::RepoError;

use crate::machine::Machine;
use crate::sandbox::{Limits, SandboxError};

/// Which state of the repository is to be proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// The files as they are now, committed or not.
    WorkingTree,
    /// A revision.
    Revision(String),
}

/// How often tests that matter are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Without the change.
    pub base: u32,
    /// With it.
    pub head: u32,
}

impl Default for Runs {
    fn default() -> Self {
        Self { base: 3, head: 3 }
    }
}

/// Commands the policy prescribes in place of those that are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commands {
    /// How to typecheck.
    pub typecheck: Option<Vec<String>>,
    /// How to build.
    pub build: Option<Vec<String>>,
    /// How to run the tests; it prints TAP or only ends well.
    pub test: Option<Vec<String>>,
    /// How to run the benchmark.
    pub bench: Option<Vec<String>>,
    /// How to try what was built; `{artefact}` and `{report}` are filled in.
    pub smoke: Option<Vec<String>>,
    /// How to move data to the new schema, and back, and how to print it; `{state}` is filled in.
    pub data: DataCommands,
}

/// Commands that move data; `{state}` stands for a folder that lasts from one to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataCommands {
    /// To the new schema.
    pub up: Option<Vec<String>>,
    /// Back.
    pub down: Option<Vec<String>>,
    /// Prints schema and data.
    pub dump: Option<Vec<String>>,
}

/// A page that was fetched, now or not long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where it was in the end.
    pub final_url: String,
    /// The HTTP status.
    pub status: u16,
    /// What came.
    pub body: Vec<u8>,
    /// When, in microseconds since 1970.
    pub fetched_at_us: i64,
}

/// Why a page was not fetched, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfetched(pub String);

/// Fetches pages for a proof, which has no network itself.
pub trait Pages: fmt::Debug + Send + Sync {
    /// The page at an address without its fragment.
    fn fetch(&self, url: &str) -> Result<Page, Unfetched>;
}

/// What counts as a primary source, and who fetches it.
#[derive(Clone, Debug, Default)]
pub struct PrimarySources {
    /// Hosts, with a path where only that counts; `known` for those that are known anyway. Empty means `known`.
    pub hosts: Vec<String>,
    /// Who fetches; nobody leaves claims unproven.
    pub pages: Option<Arc<dyn Pages>>,
}

/// A proof that was kept.
#[derive(Clone, Debug)]
pub struct KeptProof {
    /// As it was handed over.
    pub bytes: Vec<u8>,
    /// When, in microseconds since 1970.
    pub at_us: i64,
}

/// Keeps proofs by everything they read. Who fills it in vouches that nobody else wrote what it gives back.
pub trait ProofCache: fmt::Debug + Send + Sync {
    /// What was kept under this key.
    fn get(&self, key: &str) -> Option<KeptProof>;
    /// Keeps it, or does not.
    fn put(&self, key: &str, bytes: &[u8]);
}

/// A change to prove.
#[derive(Clone, Debug)]
pub struct ProveRequest {
    /// A path inside the repository.
    pub repo: PathBuf,
    /// The row of the policy.
    pub task: TaskName,
    /// What has to be shown: every group, by any of its members.
    pub requirements: Vec<Vec<ProofRequirement>>,
    /// What the change is measured against; its merge base with the head counts.
    pub base: Option<String>,
    /// What is to be proven.
    pub head: Head,
    /// How often tests that matter are run.
    pub runs: Runs,
    /// What one command may use.
    pub limits: Limits,
    /// Commands from the policy.
    pub commands: Commands,
    /// How much of the code that new tests reach has to be covered, in percent.
    pub min_coverage: Option<u8>,
    /// Code that must be gone after a migration.
    pub residue: Vec<String>,
    /// Primary sources of documents.
    pub sources: PrimarySources,
    /// SHA-256 of the obligation's envelope, when there is one.
    pub obligation: Option<String>,
    /// What the machine offers.
    pub machine: Machine,
    /// Where proofs are kept that hold as long as nothing they read changes; nowhere runs everything.
    pub cache: Option<Arc<dyn ProofCache>>,
}

/// What is being done, for people who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The change is known.
    Resolved {
        /// How many files differ.
        files: usize,
        /// How long reading what differs took.
        read_ms: u64,
    },
    /// The trees stand.
    CheckedOut {
        /// How many suites judge the change.
        suites: usize,
    },
    /// A suite runs.
    Running {
        /// Which.
        suite: String,
        /// In which tree.
        side: Side,
        /// What of it.
        what: &'static str,
    },
    /// What can be told without running anything was told.
    FirstLook {
        /// How many traces of cheating were found that refute.
        against: usize,
        /// How long it took from the start, in milliseconds.
        after_ms: u64,
        /// How long the looking itself took, in milliseconds.
        look_ms: u64,
    },
    /// The checks were run earlier and are taken over.
    Reused,
    /// A check that is not a suite runs.
    Checking {
        /// Which.
        what: &'static str,
    },
    /// The verdict stands.
    Judged {
        /// The verdict.
        verdict: Verdict,
    },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolved { files, read_ms } => {
                write!(f, "the change touches {files} files, read in {read_ms} ms")
            }
            Self::CheckedOut { suites } => {
                write!(f, "trees written out, {suites} suites judge the change")
            }
            Self::Running { suite, side, what } => {
                let side = match side {
                    Side::Base => "base",
                    Side::BaseWithTests => "base with the new tests",
                    Side::Head => "head",
                    Side::Ablated => "head without its source",
                    Side::Other => "head as it is",
                };
                write!(f, "{suite} on {side}: {what}")
            }
            Self::FirstLook {
                against: 0,
                after_ms,
                look_ms,
            } => write!(
                f,
                "first look after {after_ms} ms ({look_ms} ms of it looking): nothing speaks against it yet"
            ),
            Self::FirstLook {
                against,
                after_ms,
                look_ms,
            } => write!(
                f,
                "first look after {after_ms} ms ({look_ms} ms of it looking): {against} findings speak against it"
            ),
            Self::Reused => f.write_str("nothing it reads has changed since it was proven"),
            Self::Checking { what } => f.write_str(what),
            Self::Judged { verdict } => write!(f, "{verdict}"),
        }
    }
}

/// Hears what is being done.
pub trait Progress {
    /// A step begins.
    fn step(&self, step: &Step);
}

/// A proof that came to its end, whatever it shows.
#[derive(Clone, Debug)]
pub struct Proven {
    /// What was run and what it showed.
    pub proof: Proof,
    /// What it is about.
    pub subjects: Vec<ResourceDescriptor>,
    /// One line a run of the suite at the head, for foreign readers.
    pub test_results: Vec<TestResult>,
    /// The one thing to know.
    pub one_fact: String,
}

/// Why no proof came about.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The repository could not be read.
    #[error("could not read the repository")]
    Repo(#[from] RepoError),
    /// There is nothing between base and head.
    #[error(
        "the working tree is what its last commit holds; name what it changed since with --base"
    )]
    NothingToProve,
    /// The sandbox refused.
    #[error("the sandbox could not run a check")]
    Sandbox(#[source] SandboxError),
    /// A file of ours failed.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why.
        source: std::io::Error,
    },
}
