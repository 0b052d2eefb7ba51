#![doc = include_str!("../README.md")]

mod api;
mod artefact;
mod cache;
mod cancel;
mod checkout;
mod code;
mod compare;
mod coverage;
mod dependencies;
mod gaming;
mod hollow;
mod kept;
mod links;
mod machine;
mod missing;
mod mutant_report;
mod mutate;
mod mutation;
mod neighbours;
mod plan;
mod prove;
mod record;
mod report;
mod request;
mod row;
mod run;
mod runner;
mod sandbox;
mod stopwatch;
mod test_text;
mod tree_tests;
mod typecheck;
mod verdict;

pub use cancel::Cancel;
pub use machine::Machine;
pub use mutant_report::{
    Edit, HunkLine, MutmutName, ReadMutant, StrykerReport, apply, cargo_mutants_list, mutmut_names,
    mutmut_shown, stryker_report,
};
pub use prove::prove;
pub use report::{
    Compilation, CompileFormat, Diagnostic, JunitDialect, Location, RedReason, Severity, Status,
    TestFormat, TestId, TestResult, TestRun, read_diagnostics, read_tests,
};
pub use request::{
    Commands, DataCommands, Head, KeptProof, Page, Pages, PrimarySources, Progress, ProofCache,
    ProveError, ProveRequest, Proven, Runs, Step, Unfetched,
};
pub use sandbox::{
    Confined, IsolationFloor, Limits, OverLimit, Ran, Sandbox, SandboxError, sandbox_main,
};
