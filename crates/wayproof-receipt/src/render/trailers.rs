//! A receipt as trailers of a commit message, as `git interpret-trailers` reads them.

use super::foreign::visible;
use crate::verify::{Verification, VerifyOutcome};

/// Lines for the end of a commit message: the verdict after verification, the task, and the digest that names the
/// receipt. An invalid receipt has none, for a commit must not carry what does not hold.
///
/// The form is that of Git's trailers: <https://git-scm.com/docs/git-interpret-trailers>.
pub fn trailers(verification: &Verification, digest: &str) -> Option<String> {
    let verdict = verification.verdict?;
    if verification.outcome == VerifyOutcome::Invalid {
        return None;
    }
    let task = verification.task.as_deref().unwrap_or("none");
    // A line feed would begin a trailer of somebody else's.
    let task = visible(task).replace(['\n', '\r'], " ");
    Some(format!(
        "Wayproof-Verdict: {}\nWayproof-Task: {task}\nWayproof-Receipt: sha256:{digest}\n",
        verdict.name()
    ))
}
