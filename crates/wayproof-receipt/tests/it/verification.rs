//! The three outcomes, and what is taken off a verdict.

use rstest::rstest;
use wayproof_receipt::{
    Bundle, Envelope, Predicate, ResourceDescriptor, Reviewer, SigningKey, Statement, Time, Trust,
    Verdict, Verification, VerifyOutcome,
    predicate::{Finding, ReviewDecision, Severity},
    seal, verify,
};

use crate::fixture::{
    NOON, Receipt, jsonl, line, obligation_line, owned, prover, review_line, review_line_at,
    reviewer, spend, statement, stranger, summary, trust,
};

fn judged(lines: Vec<Envelope>) -> Verification {
    verify(jsonl(lines).as_bytes(), Some(&trust()))
}

fn verdict(lines: Vec<Envelope>) -> Verdict {
    let verification = judged(lines);
    assert_eq!(verification.problems, [""; 0]);
    assert_eq!(verification.outcome, VerifyOutcome::Good);
    verification.verdict.unwrap()
}

#[test]
fn a_whole_receipt_is_good_and_proven() {
    let verification = judged(Receipt::default().lines());
    assert_eq!(verification.outcome, VerifyOutcome::Good);
    assert_eq!(
        (verification.verdict, verification.claimed),
        (Some(Verdict::Proven), Some(Verdict::Proven))
    );
    assert!(
        verification.lowered.is_empty()
            && verification.missing.is_empty()
            && verification.unread.is_empty()
    );
    assert!(
        verification
            .statements
            .iter()
            .all(|line| line.signers[0].name.as_deref() == Some("ci"))
    );
    insta::assert_json_snapshot!(verification, { ".statements[].statement" => "[statement]" });
}

#[test]
fn without_trust_a_receipt_is_authentic_and_no_more() {
    let verification = verify(Receipt::default().jsonl().as_bytes(), None);
    assert_eq!(verification.outcome, VerifyOutcome::SignerNotPinned);
    assert_eq!(verification.verdict, Some(Verdict::Proven));
    assert_eq!(verification.statements[0].signers[0].key, prover().public());
}

#[test]
fn one_stranger_among_the_signers_is_enough() {
    let mut lines = Receipt::default().lines();
    lines.push(seal(&statement(Predicate::Spend(Box::new(spend()))), &stranger()).unwrap());
    assert_eq!(judged(lines).outcome, VerifyOutcome::SignerNotPinned);
    let elsewhere = Trust::with(&stranger().public());
    let verification = verify(Receipt::default().jsonl().as_bytes(), Some(&elsewhere));
    assert_eq!(verification.outcome, VerifyOutcome::SignerNotPinned);
}

#[test]
fn a_foreign_key_id_is_checked_against_pinned_keys() {
    let lines = Receipt::default().lines();
    let keyid = prover().public().keyid();
    let foreign = lines
        .iter()
        .map(|line| Envelope::parse(&line.to_line().replace(&keyid, "0123abcd")).unwrap());
    // Another key id is another stored line, so what points to the old lines no longer finds them.
    let proof_alone: Vec<_> = foreign
        .filter(|line| line.statement().unwrap().digests().count() == 3)
        .take(1)
        .collect();
    let text = jsonl(proof_alone);
    assert_eq!(
        verify(text.as_bytes(), Some(&trust())).outcome,
        VerifyOutcome::Good
    );
    assert_eq!(
        verify(text.as_bytes(), None).outcome,
        VerifyOutcome::Invalid
    );
}

#[test]
fn a_key_id_decides_nothing() {
    let text = Receipt::default().jsonl();
    let stolen = text.replace(&prover().public().keyid(), &reviewer().public().keyid());
    let verification = verify(stolen.as_bytes(), Some(&trust()));
    assert_eq!(verification.outcome, VerifyOutcome::Invalid);
    assert!(
        verification.problems[0].contains("the signature does not fit"),
        "{:?}",
        verification.problems
    );
}

#[test]
fn every_line_that_is_missing_lowers_the_verdict() {
    let expected = [
        Verdict::Unproven,
        Verdict::ProvenWithGaps,
        Verdict::Unproven,
        Verdict::ProvenWithGaps,
        Verdict::Unproven,
    ];
    for (index, expected) in expected.into_iter().enumerate() {
        let mut lines = Receipt::default().lines();
        lines.remove(index);
        assert_eq!(verdict(lines), expected, "without line {index}");
    }
    let mut lines = Receipt::default().lines();
    lines.pop();
    let verification = judged(lines);
    assert_eq!(verification.missing, ["summary"]);
}

#[rstest]
#[case(Verdict::ProvenWithGaps)]
#[case(Verdict::Unproven)]
#[case(Verdict::Refuted)]
#[case(Verdict::InvalidInfra)]
fn a_proof_may_claim_less_than_it_shows(#[case] claimed: Verdict) {
    let lines = Receipt::with_proof(|proof| proof.verdict = claimed).lines();
    assert_eq!(verdict(lines), claimed);
}

#[test]
fn the_lowest_summary_counts() {
    let mut lines = Receipt::default().lines();
    lines.push(summary("bug-fix", Verdict::Unproven, &lines));
    assert_eq!(verdict(lines), Verdict::Unproven);
}

#[test]
fn an_unproven_claim_is_lowered_by_what_its_fields_say() {
    let finding = Finding {
        code: "G1".into(),
        severity: Severity::High,
        ..Finding::default()
    };
    let bent = |claimed| {
        Receipt::with_proof(|proof| {
            proof.verdict = claimed;
            proof.findings.push(finding.clone());
        })
    };
    assert_eq!(verdict(bent(Verdict::Unproven).lines()), Verdict::Refuted);
    // The machine's fault is never a verdict about the change.
    assert_eq!(
        verdict(bent(Verdict::InvalidInfra).lines()),
        Verdict::InvalidInfra
    );
}

#[test]
fn a_bar_that_was_set_late_is_a_gap() {
    let mut receipt = Receipt::default();
    receipt.obligation.frozen_at = Some(Time(NOON + 3_600_000_000));
    assert_eq!(verdict(receipt.lines()), Verdict::ProvenWithGaps);
}

#[test]
fn a_bar_for_another_base_is_a_gap() {
    let mut receipt = Receipt::default();
    receipt.obligation.base = ResourceDescriptor::revision(&"1".repeat(40), &"2".repeat(40));
    assert_eq!(verdict(receipt.lines()), Verdict::ProvenWithGaps);
}

#[test]
fn a_proof_without_reference_to_its_obligation_is_a_gap() {
    let receipt =
        Receipt::with_proof(|proof| proof.obligation = Some(ResourceDescriptor::default()));
    assert_eq!(verdict(receipt.lines()), Verdict::ProvenWithGaps);
}

#[test]
fn a_receipt_without_a_job_has_no_obligation_and_says_so() {
    let mut lines =
        Receipt::with_proof(|proof| proof.obligation = Some(ResourceDescriptor::default())).lines();
    lines.remove(0);
    lines.pop();
    lines.push(summary("bug-fix", Verdict::Proven, &lines));
    let verification = judged(lines);
    assert_eq!(verification.verdict, Some(Verdict::Proven));
    assert_eq!(verification.missing, ["obligation"]);
}

#[test]
fn a_review_by_somebody_else_satisfies_its_requirement() {
    let approve = |key: SigningKey| review_line(&key, ReviewDecision::Approved);
    let with = |at_least, reviews: Vec<Envelope>| {
        let lines = Receipt::awaiting_review(at_least).lines();
        verdict(lines.into_iter().chain(reviews).collect())
    };
    assert_eq!(with(1, Vec::new()), Verdict::Unproven);
    assert_eq!(
        with(1, vec![approve(prover())]),
        Verdict::Unproven,
        "nobody approves their own work"
    );
    assert_eq!(with(1, vec![approve(reviewer())]), Verdict::Proven);
    assert_eq!(with(2, vec![approve(reviewer())]), Verdict::Unproven);
    let rejected = review_line(&reviewer(), ReviewDecision::Rejected);
    assert_eq!(
        with(1, vec![approve(reviewer()), rejected]),
        Verdict::Unproven
    );
}

#[test]
fn a_machines_key_approves_nothing_and_the_last_word_of_a_reviewer_holds() {
    let machine = SigningKey::from_seed(&[9; 32]);
    let pinned = trust().and("gateway", &machine.public());
    let judged = |reviews: Vec<Envelope>| {
        let lines = Receipt::awaiting_review(1).lines();
        let bundle = Bundle::new(lines.into_iter().chain(reviews));
        let verification = verify(bundle.to_jsonl().as_bytes(), Some(&pinned));
        assert_eq!(verification.outcome, VerifyOutcome::Good);
        verification.verdict
    };
    let (yes, no) = (ReviewDecision::Approved, ReviewDecision::Rejected);
    let says = |decision, at| review_line_at(&reviewer(), decision, at);
    assert_eq!(
        judged(vec![review_line(&machine, yes)]),
        Some(Verdict::Unproven),
        "a pinned machine is no reviewer"
    );
    assert_eq!(
        judged(vec![says(no, NOON), says(yes, NOON + 1)]),
        Some(Verdict::Proven)
    );
    assert_eq!(
        judged(vec![says(yes, NOON), says(no, NOON + 1)]),
        Some(Verdict::Unproven)
    );
    assert_eq!(
        judged(vec![says(yes, NOON), says(no, NOON)]),
        Some(Verdict::Unproven),
        "nobody can tell which was later"
    );
}

#[test]
fn a_reviewers_key_pinned_for_reviews_alone_proves_nothing() {
    let only = Trust::default().and_reviewer("ci", &prover().public(), Reviewer::default());
    let bundle = Bundle::new(Receipt::default().lines());
    let verification = verify(bundle.to_jsonl().as_bytes(), Some(&only));
    assert_eq!(verification.outcome, VerifyOutcome::SignerNotPinned);
}

#[test]
fn a_review_is_asked_for_only_when_nothing_else_answers() {
    let mut receipt = Receipt::default();
    receipt.proof.requirements = vec![owned(&["tests-run", "human-review"])];
    receipt
        .obligation
        .requirements
        .clone_from(&receipt.proof.requirements);
    assert_eq!(verdict(receipt.lines()), Verdict::Proven);
    let mut receipt = Receipt::default();
    receipt.proof.requirements = vec![owned(&["smoke", "human-review"])];
    receipt
        .obligation
        .requirements
        .clone_from(&receipt.proof.requirements);
    assert_eq!(verdict(receipt.lines()), Verdict::Unproven);
}

#[test]
fn a_review_of_another_part_of_the_change_does_not_count() {
    let review = review_line(&reviewer(), ReviewDecision::Approved)
        .statement()
        .unwrap();
    let narrowed = Statement {
        subject: review.subject[1..].to_vec(),
        ..review
    };
    let mut lines = Receipt::awaiting_review(1).lines();
    lines.push(seal(&narrowed, &reviewer()).unwrap());
    assert_eq!(verdict(lines), Verdict::Unproven);
}

#[test]
fn the_order_of_lines_means_nothing() {
    let mut lines = Receipt::awaiting_review(1).lines();
    lines.push(review_line(&reviewer(), ReviewDecision::Approved));
    let expected = judged(lines.clone());
    for _ in 0..lines.len() {
        lines.rotate_left(1);
        assert_eq!(judged(lines.clone()), expected);
        let reversed: Vec<_> = lines.iter().rev().cloned().collect();
        assert_eq!(judged(reversed), expected);
    }
}

#[test]
fn two_proofs_count_as_the_lower_one() {
    let lines = Receipt::default().lines();
    let mut second = lines[2].statement().unwrap();
    if let Predicate::Proof(proof) = &mut second.predicate {
        proof.verdict = Verdict::Unproven;
    }
    let mut lines: Vec<_> = lines.into_iter().take(4).collect();
    lines.push(seal(&second, &reviewer()).unwrap());
    lines.push(summary("bug-fix", Verdict::Unproven, &lines));
    assert_eq!(verdict(lines), Verdict::Unproven);
}

#[test]
fn lines_without_a_proof_are_authentic_and_prove_nothing() {
    let verification = judged(vec![line(Predicate::Spend(Box::new(spend())))]);
    assert_eq!(
        (verification.outcome, verification.verdict),
        (VerifyOutcome::Good, Some(Verdict::Unproven))
    );
    let obligation = obligation_line(Receipt::default().obligation);
    let verification = verify(
        Bundle::new([obligation]).to_jsonl().as_bytes(),
        Some(&trust()),
    );
    assert_eq!(verification.task.as_deref(), Some("bug-fix"));
    assert_eq!(verification.verdict, Some(Verdict::Unproven));
}
