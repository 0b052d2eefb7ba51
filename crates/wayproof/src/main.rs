#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod catalogs;
mod cli;
mod clouds;
mod commands;
mod connect;
mod days;
mod demo;
mod discover;
mod doctor;
mod exit;
mod follow;
mod forge;
mod gate;
mod gateway;
mod interrupt;
mod issuer;
mod ledgers;
mod local;
mod mcp;
mod pages;
mod proving;
mod review;
mod run;
mod sealing;
mod settings;
mod sign_in;
mod telemetry;
mod terminal;
mod top;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::cli::{Cli, Command};

/// Bodies of hundreds of kilobytes come and go thousands of times a second; see `docs/reference/performance.md`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(error) => return usage(&error),
    };
    // The sandbox confines this very process, so it comes before any thread is started.
    if let Command::SandboxExec { args } = command {
        return wayproof_proof::sandbox_main(args);
    }
    telemetry::start();
    match commands::run(command) {
        Ok(status) => status,
        Err(error) => exit::report(&error),
    }
}

/// Help and version are answers; everything else is a mistake in the call.
fn usage(error: &clap::Error) -> ExitCode {
    // The terminal that cannot be written to cannot be told so.
    drop(error.print());
    if error.use_stderr() {
        ExitCode::from(exit::USAGE)
    } else {
        ExitCode::SUCCESS
    }
}
