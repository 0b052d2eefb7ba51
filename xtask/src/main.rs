//! Chores of the repository, one command each; CI calls nothing else.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "chores talk to the developer on the terminal"
)]

mod bench;
mod catalog;
mod ci;
mod codegen;
mod conformance;
mod corpus;
mod crash;
mod eval;
mod run;
mod scale;
mod test;
mod tools;
mod train;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Chores of the Wayproof repository")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Runs everything that must hold before a change lands.
    Ci,
    /// Runs all tests, after installing what they need.
    Test {
        /// Arguments passed on to the test runner, such as a filter.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Writes the generated files; a test of the program says when they are stale.
    Codegen,
    /// Measures the gateway beside direct access, nginx and any peer.
    Bench(bench::BenchArgs),
    /// The benchmark's provider.
    #[command(hide = true)]
    BenchProvider {
        /// Gets the port.
        port_file: std::path::PathBuf,
    },
    /// One order of the benchmark's load.
    #[command(hide = true)]
    BenchLoad {
        /// The order, as JSON.
        order: String,
    },
    /// Readers of the dashboard's live page, for the benchmark.
    #[command(hide = true)]
    BenchWatch {
        /// The gateway.
        address: std::net::SocketAddr,
        /// Pages that are open at once.
        pages: usize,
        /// Gets written once all are answered.
        ready: std::path::PathBuf,
    },
    /// Kills, cuts and damages a real gateway in seeded ways, and looks for what is lost.
    Crash(crash::CrashArgs),
    /// Judges the prover by the corpus of cheats and their honest twins.
    Corpus(corpus::CorpusArgs),
    /// Measures the engine's judgement on labelled data.
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Fits the weights of the text classifier that ship.
    Train(train::TrainArgs),
    /// Runs the real agents and writes what passed as `docs/reference/conformance.md`.
    Conformance(conformance::ConformanceArgs),
    /// Simulates what many gateways on one ledger wait for, as `docs/guide/scaling.md` has it.
    Scale(scale::ScaleArgs),
    /// Makes the vendored price catalog anew from its published source.
    Catalog,
}

fn main() -> Result<()> {
    match Cli::parse().chore {
        Chore::Ci => ci::run(),
        Chore::Test { args } => test::run(&args),
        Chore::Codegen => codegen::write(),
        Chore::Bench(args) => bench::run(&args),
        Chore::BenchProvider { port_file } => bench::mock::serve(&port_file),
        Chore::BenchLoad { order } => bench::load::run(serde_json::from_str(&order)?),
        Chore::BenchWatch {
            address,
            pages,
            ready,
        } => bench::watch::run(address, pages, &ready),
        Chore::Crash(args) => crash::run(&args),
        Chore::Corpus(args) => corpus::run(&args),
        Chore::Eval(what) => eval::run(&what),
        Chore::Train(args) => train::run(&args),
        Chore::Conformance(args) => conformance::run_all(&args),
        Chore::Scale(args) => {
            scale::run(&args);
            Ok(())
        }
        Chore::Catalog => catalog::run(),
    }
}
