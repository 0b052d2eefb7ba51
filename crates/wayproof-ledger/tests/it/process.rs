//! Processes that tests start and stop.

use std::ffi::OsStr;
use std::process::Command;

/// A program to start.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of durability need processes to kill"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}
