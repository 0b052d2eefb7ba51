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
    /// Primary sources of documents.
    pub sources: PrimarySources,
    /// SHA-256 of the obligation's envelope, when there is one.
    pub obligation: Option<String>,
    /// What the machine offers.
    pub machine: Machine,
}

/// What is being done, for people who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The change is known.
    Resolved {
        /// How many files differ.
        files: usize,
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
            Self::Resolved { files } => write!(f, "the change touches {files} files"),
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
