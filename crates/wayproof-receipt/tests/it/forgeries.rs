//! Receipts that were tampered with or that contradict themselves: all invalid, each with a reason.

use rstest::rstest;
use wayproof_receipt::{
    Envelope, Predicate, Proof, ResourceDescriptor, Statement, Verdict, VerifyOutcome,
    predicate::{Finding, Obligation, PassToPass, ReviewDecision, Severity},
    seal, verify,
};

use crate::fixture::{
    Receipt, jsonl, line, obligation_line, owned, prover, review_line, reviewer, spend, statement,
    summary, trust,
};

/// The sentences that say why a receipt is invalid.
fn problems(lines: Vec<Envelope>) -> String {
    let verification = verify(jsonl(lines).as_bytes(), Some(&trust()));
    assert_eq!(
        (verification.outcome, verification.verdict),
        (VerifyOutcome::Invalid, None)
    );
    verification.problems.join("\n")
}

#[rstest]
#[case::no_red(|it: &mut Proof| it.fail_to_pass.clear(), "UNPROVEN at most: a requirement of the task was not shown")]
#[case::cheat(|it: &mut Proof| it.findings.push(Finding { severity: Severity::High, ..Finding::default() }), "REFUTED at most: an attempt to cheat was found")]
#[case::lost(|it: &mut Proof| it.tests.get_or_insert_default().pass_to_pass = Some(PassToPass { kept: 1, lost: owned(&["a"]) }), "REFUTED at most: tests that passed before the change no longer do")]
#[case::gap(|it: &mut Proof| it.gaps.push("NO_NETNS".into()), "PROVEN_WITH_GAPS at most: the prover names gaps")]
#[case::cut_short(|it: &mut Proof| it.checks[0].is_complete = false, "UNPROVEN at most: a requirement of the task was not shown; a check did not reach its end")]
#[case::vanished(|it: &mut Proof| it.tests.get_or_insert_default().planned += 1, "UNPROVEN at most: the tests that were reported are not the tests that were planned")]
#[case::fewer_requirements(|it: &mut Proof| it.requirements = vec![owned(&["typecheck"])], "UNPROVEN at most: a requirement of the task was not shown")]
fn a_claim_above_its_own_fields(#[case] bend: fn(&mut Proof), #[case] expected: &str) {
    let problems = problems(Receipt::with_proof(bend).lines());
    assert!(
        problems.contains(&format!(
            "the proof claims PROVEN where its own fields support {expected}"
        )),
        "{problems}"
    );
}

#[test]
fn an_obligation_that_asks_for_more_than_the_proof_shows() {
    let mut receipt = Receipt::default();
    receipt.obligation.requirements.push(owned(&["smoke"]));
    assert!(problems(receipt.lines()).contains("a requirement of the task was not shown"));
}

#[test]
fn an_exchanged_obligation() {
    let mut lines = Receipt::default().lines();
    let Obligation { task, base, .. } = Receipt::default().obligation;
    lines[0] = obligation_line(Obligation {
        task,
        base,
        requirements: vec![owned(&["typecheck"])],
        ..Obligation::default()
    });
    assert!(problems(lines).contains("answers another obligation"));
}

#[test]
fn an_obligation_of_another_task() {
    let mut receipt = Receipt::default();
    receipt.obligation.task = "small-edit".into();
    assert!(problems(receipt.lines()).contains("different tasks"));
}

#[test]
fn a_summary_above_the_proof() {
    let mut lines = Receipt::with_proof(|proof| proof.verdict = Verdict::Unproven).lines();
    lines.pop();
    lines.push(summary("bug-fix", Verdict::Proven, &lines));
    assert!(problems(lines).contains("the summary says PROVEN where the proof says UNPROVEN"));
}

#[test]
fn a_summary_of_another_task() {
    let mut lines = Receipt::default().lines();
    lines.push(summary("small-edit", Verdict::Proven, &lines));
    assert!(problems(lines).contains("the summary is about another task"));
}

#[test]
fn a_line_about_another_change() {
    let foreign = ResourceDescriptor::pinned("tree", "gitTree", &"e".repeat(40));
    for predicate in [
        Predicate::Spend(Box::new(spend())),
        review_line(&reviewer(), ReviewDecision::Approved)
            .statement()
            .unwrap()
            .predicate,
        Predicate::Svr(Box::default()),
    ] {
        let mut lines = Receipt::default().lines();
        lines.push(
            seal(
                &Statement {
                    subject: vec![foreign.clone()],
                    predicate,
                },
                &prover(),
            )
            .unwrap(),
        );
        assert!(problems(lines).contains("is about another change than the rest"));
    }
}

#[test]
fn a_proof_of_another_tree_than_its_subject() {
    let elsewhere = ResourceDescriptor::revision(&"1".repeat(40), &"2".repeat(40));
    let problems = problems(Receipt::with_proof(|proof| proof.head = elsewhere).lines());
    assert!(problems.contains("ran on another revision"), "{problems}");
}

#[test]
fn a_proof_that_names_no_tree() {
    let mut bare = statement(Predicate::Proof(Box::new(Receipt::default().proof)));
    bare.subject.remove(0);
    assert!(problems(vec![seal(&bare, &prover()).unwrap()]).contains("names no git tree"));
}

#[test]
fn a_payload_that_was_edited_after_signing() {
    let good = line(Predicate::Spend(Box::new(spend())));
    let other = line(Predicate::Spend(Box::default()));
    let payload = |line: &Envelope| line.to_line().split('"').nth(7).unwrap().to_owned();
    let forged =
        Envelope::parse(&good.to_line().replace(&payload(&good), &payload(&other))).unwrap();
    assert!(problems(vec![forged]).contains("line 1: the signature does not fit"));
}

#[test]
fn a_payload_type_that_was_edited_after_signing() {
    let good = line(Predicate::Spend(Box::new(spend())));
    let forged = good.to_line().replace(
        "application/vnd.in-toto+json",
        "application/vnd.in-toto.spend+json",
    );
    assert!(
        problems(vec![Envelope::parse(&forged).unwrap()]).contains("the signature does not fit")
    );
}

#[test]
fn a_signed_payload_that_is_no_statement() {
    let line = Envelope::sign("application/vnd.in-toto+json", b"{}".to_vec(), &prover()).unwrap();
    assert!(problems(vec![line]).contains("line 1: the payload is not an in-toto statement"));
}
