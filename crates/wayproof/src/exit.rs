//! What the program's exit status means.

use std::process::ExitCode;

use wayproof_receipt::Verdict;

use crate::{interrupt::Interrupted, terminal};

/// Something that was checked and does not hold.
pub(crate) const FAILED: u8 = 1;
/// A mistake in how the program was called, or in a file it was given.
pub(crate) const USAGE: u8 = 2;
/// Authentic, but the signer is not pinned.
pub(crate) const NOT_PINNED: u8 = 3;
/// A receipt or a ledger that does not verify.
pub(crate) const INVALID: u8 = 4;
/// Something about the machine, which says nothing about the change.
pub(crate) const INFRASTRUCTURE: u8 = 20;

/// The status of a verdict.
pub(crate) fn of_verdict(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::Proven => 0,
        Verdict::ProvenWithGaps => 10,
        Verdict::Unproven => 11,
        Verdict::Refuted => 12,
        Verdict::InvalidInfra => INFRASTRUCTURE,
    })
}

/// A mistake of the person who called, told in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Mistake(pub(crate) String);

/// A fault of the machine, told in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) String);

/// Tells an error in one sentence and gives its status.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    terminal::tell(&format!("wayproof: {}", terminal::plain(&chain(error))));
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        return ExitCode::from(interrupted.status());
    }
    ExitCode::from(if error.is::<Mistake>() {
        USAGE
    } else {
        INFRASTRUCTURE
    })
}

/// An error with what caused it, outermost first.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
