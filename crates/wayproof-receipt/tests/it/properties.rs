//! What holds for every receipt, however it is bent.

use proptest::prelude::*;
use wayproof_receipt::{
    Envelope, Predicate, Proof, Verdict, Verification, VerifyOutcome,
    log::{Checkpoint, Note, TlogProof},
    predicate::{CheckResult, Finding, PassToPass, RedReason, Severity, Tier},
    seal, verify,
};

use crate::fixture::{Receipt, jsonl, owned, reviewer, summary, trust};

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop::sample::select(Verdict::ALL.to_vec())
}

/// One thing that speaks against a proof.
fn bends() -> impl Strategy<Value = fn(&mut Proof)> {
    let bends: Vec<fn(&mut Proof)> = vec![
        |_| {},
        |it| it.gaps.push("GAP".into()),
        |it| it.findings.push(finding(Severity::High)),
        |it| it.findings.push(finding(Severity::Medium)),
        |it| it.tier = Tier::Claimed,
        |it| it.fail_to_pass.clear(),
        |it| {
            if let Some(test) = it.fail_to_pass.first_mut() {
                test.red_reason = RedReason::Missing;
            }
        },
        |it| it.checks[0].result = CheckResult::TimedOut,
        |it| it.tests.iter_mut().for_each(|tests| tests.planned += 1),
        |it| {
            let lost = owned(&["x"]);
            it.tests.get_or_insert_default().pass_to_pass = Some(PassToPass { kept: 0, lost });
        },
        |it| it.requirements.clear(),
    ];
    prop::sample::select(bends)
}

fn finding(severity: Severity) -> Finding {
    Finding {
        severity,
        ..Finding::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn more_against_a_proof_never_raises_its_ceiling(first in prop::collection::vec(bends(), 0..4), more in bends()) {
        let mut proof = Receipt::default().proof;
        for bend in first {
            bend(&mut proof);
        }
        let before = proof.ceiling().verdict;
        more(&mut proof);
        prop_assert!(!proof.ceiling().verdict.is_above(before));
    }

    #[test]
    fn a_verdict_is_never_above_the_claim_nor_above_the_fields(
        claimed in verdicts(),
        against in prop::collection::vec(bends(), 0..3),
        kept in prop::collection::vec(any::<bool>(), 5),
    ) {
        let receipt = Receipt::with_proof(|proof| {
            proof.verdict = claimed;
            for bend in against {
                bend(proof);
            }
        });
        let ceiling = receipt.proof.ceiling_with(&receipt.obligation.requirements).verdict;
        let lines: Vec<Envelope> = receipt.lines().into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| line).collect();
        let verification = verify(jsonl(lines).as_bytes(), Some(&trust()));
        let has_proof = verification.proofs().next().is_some();
        if let Some(verdict) = verification.verdict {
            let highest = if has_proof { claimed } else { Verdict::Unproven };
            prop_assert!(!verdict.is_above(highest));
            prop_assert!(!verdict.is_above(ceiling) || verdict == Verdict::InvalidInfra || !has_proof);
        }
        prop_assert_eq!(verification.verdict.is_none(), verification.outcome == VerifyOutcome::Invalid);
    }

    #[test]
    fn a_missing_line_never_turns_a_no_into_a_yes(
        against in bends(),
        claimed in verdicts(),
        second in prop::option::of(verdicts()),
        is_bar_raised: bool,
        kept in prop::collection::vec(any::<bool>(), 7),
    ) {
        let mut receipt = Receipt::with_proof(|proof| { proof.verdict = claimed; against(proof); });
        if is_bar_raised {
            receipt.obligation.requirements.push(owned(&["smoke"]));
        }
        let mut lines = receipt.lines();
        if let Some(second) = second {
            let mut again = lines[2].statement().unwrap();
            if let Predicate::Proof(proof) = &mut again.predicate {
                proof.verdict = second;
            }
            lines.pop();
            lines.push(seal(&again, &reviewer()).unwrap());
            lines.push(summary("bug-fix", claimed.min(second), &lines));
        }
        let whole = verify(jsonl(lines.clone()).as_bytes(), Some(&trust()));
        let rest = lines.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(line, _)| line);
        let part = verify(jsonl(rest.collect()).as_bytes(), Some(&trust()));
        let success = |verification: &Verification| verification.verdict.filter(|verdict| verdict.is_above(Verdict::Unproven));
        if let Some(proven) = success(&part) {
            prop_assert!(success(&whole).is_some_and(|whole| !proven.is_above(whole)));
        }
    }

    #[test]
    fn any_flipped_bit_spoils_a_receipt_or_leaves_what_it_says(bit: prop::sample::Index) {
        let bytes = Receipt::default().jsonl().into_bytes();
        let good = verify(&bytes, Some(&trust()));
        let mut flipped = bytes.clone();
        let bit = bit.index(bytes.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        let verification = verify(&flipped, Some(&trust()));
        let is_lower = verification.verdict.is_some_and(|verdict| Verdict::Proven.is_above(verdict));
        // A key id is a hint that nothing authenticates: a broken one is tried against pinned keys.
        let said = |verification: &Verification| {
            let lines = verification.statements.iter();
            lines.map(|line| (line.signers.clone(), line.statement.clone())).collect::<Vec<_>>()
        };
        let is_same = said(&verification) == said(&good);
        prop_assert!(verification.outcome != VerifyOutcome::Good || is_lower || is_same);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
        prop_assert_eq!(verify(&bytes, Some(&trust())).outcome, VerifyOutcome::Invalid);
        prop_assert_eq!(verify(text.as_bytes(), None).verdict, None);
        prop_assert!(text.parse::<TlogProof>().is_err());
        prop_assert!(Note::parse(&text).is_err());
        let _unused = Checkpoint::parse(&text);
    }
}
