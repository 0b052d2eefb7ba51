//! Runs all tests: documentation examples first, then everything else under nextest.

use anyhow::Result;

use crate::{run, run::command, tools};

/// Installs what the tests need, then runs them; `args` go to nextest.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let tools = tools::ensure_for_tests()?;
    if args.is_empty() {
        run::run(&mut command(
            "cargo",
            &["test", "--workspace", "--doc", "--locked", "--quiet"],
        ))?;
    }
    let mut nextest = command(
        "cargo",
        &[
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--profile",
            "ci",
        ],
    );
    nextest.args(args);
    for (name, value) in tools {
        nextest.env(name, value);
    }
    run::run(&mut nextest)
}
