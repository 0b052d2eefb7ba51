//! The procedure where a person decides: nothing is run, and the change is looked through for gaming.
//!
//! It never says that somebody approved. Whoever seals the receipt knows the reviews, and lowers the verdict while one is
//! missing; so does everybody who verifies it.

use wayproof_receipt::Verdict;

use super::{Work, bug_fix};
use crate::prove::Evidence;
use crate::verdict::{self, Judgment};

/// Looks a change through.
pub(crate) fn gather(work: &Work<'_>) -> Evidence {
    let findings = bug_fix::findings(work, &[]);
    let judgment = verdict::refuted(&[], &findings).unwrap_or_else(|| {
        let gaps = verdict::gaps_of(&[], &findings);
        Judgment {
            verdict: if gaps.is_empty() {
                Verdict::Proven
            } else {
                Verdict::ProvenWithGaps
            },
            gaps,
            one_fact: "nothing in the change speaks against it before somebody has looked"
                .to_owned(),
        }
    });
    Evidence {
        findings,
        ..Evidence::of(judgment)
    }
}
