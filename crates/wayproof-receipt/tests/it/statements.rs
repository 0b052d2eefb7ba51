//! Statements and predicates on the wire.

use rstest::rstest;
use serde_json::json;
use wayproof_receipt::{
    Envelope, Predicate, SealError, Statement, StatementError, Time,
    predicate::{CheckKind, PROOF_TYPE, Proof, RedReason, Severity, Tier},
    seal, verify,
};

use crate::fixture::{Receipt, line, proof, prover, statement, subjects};

#[test]
fn a_receipt_is_written_as_the_formats_say() {
    let lines = Receipt::default().lines();
    let payloads: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_slice(line.payload()).unwrap())
        .collect();
    insta::assert_json_snapshot!(payloads);
}

#[test]
fn statements_survive_the_wire() {
    for line in Receipt::default().lines() {
        let statement = line.statement().unwrap();
        let written = serde_json::to_vec(&statement).unwrap();
        assert_eq!(written, line.payload());
        assert_eq!(Statement::parse(&written).unwrap(), statement);
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let mut value = serde_json::to_value(statement(Predicate::Proof(Box::new(proof())))).unwrap();
    value["added"] = json!({"by": "a later version"});
    value["predicate"]["added"] = json!([1, 2]);
    value["predicate"]["checks"][0]["added"] = json!(null);
    let read = Statement::parse(value.to_string().as_bytes()).unwrap();
    assert_eq!(read, statement(Predicate::Proof(Box::new(proof()))));
}

#[test]
fn unknown_values_count_for_as_little_as_they_can() {
    let read: Proof = serde_json::from_value(json!({
        "tier": "OMNISCIENT",
        "checks": [{"kind": "astrology", "result": "splendid"}],
        "failToPass": [{"redReason": "vibes"}],
        "findings": [{"severity": "cosmic"}],
    }))
    .unwrap();
    assert_eq!(read.tier, Tier::Claimed);
    assert_eq!(read.checks[0].kind, CheckKind::Other);
    assert!(!read.checks[0].is_passed());
    assert_eq!(read.fail_to_pass[0].red_reason, RedReason::Unknown);
    assert_eq!(read.findings[0].severity, Severity::High);
    let unknown_verdict = serde_json::from_value::<Proof>(json!({"verdict": "SPLENDID"}));
    assert!(
        unknown_verdict.is_err(),
        "there is no safe reading of a verdict"
    );
}

#[test]
fn unknown_predicates_are_kept_as_they_are() {
    let body = r#"{"targetRef":"refs/heads/main","fromID":"0","targetID":"1","n":1.0}"#;
    let payload = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"gitTree":"{}"}}}}],"predicateType":"https://gittuf.dev/reference-authorization/v0.2","predicate":{body}}}"#,
        "a".repeat(40)
    );
    let read = Statement::parse(payload.as_bytes()).unwrap();
    assert!(matches!(&read.predicate, Predicate::Unknown { body: kept, .. } if kept.get() == body));
    assert_eq!(serde_json::to_string(&read).unwrap(), payload);
}

#[rstest]
#[case::not_json("nonsense", "not an in-toto statement")]
#[case::other_type(
    r#"{"_type":"https://in-toto.io/Statement/v0.1","subject":[],"predicateType":"x"}"#,
    "has type"
)]
#[case::no_subject(
    r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#,
    "pinned by a digest"
)]
#[case::unpinned(r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"tree"}],"predicateType":"x"}"#, "pinned by a digest")]
#[case::twice(r#"{"_type":"https://in-toto.io/Statement/v1","_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x"}"#, "not an in-toto statement")]
fn payloads_that_are_no_statements(#[case] payload: &str, #[case] expected: &str) {
    let refused = Statement::parse(payload.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn a_known_predicate_of_the_wrong_shape_is_refused() {
    let mut value = serde_json::to_value(statement(Predicate::Proof(Box::new(proof())))).unwrap();
    value["predicate"]["checks"] = json!("many");
    let refused = Statement::parse(value.to_string().as_bytes()).unwrap_err();
    assert!(
        matches!(refused, StatementError::Predicate { predicate_type, .. } if predicate_type == PROOF_TYPE)
    );
}

#[test]
fn absurd_nesting_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut value = serde_json::to_string(&statement(Predicate::Proof(Box::new(proof())))).unwrap();
    value = value.replacen(
        r#""annotations":{"#,
        &format!(r#""annotations":{{"deep":{deep},"#),
        1,
    );
    assert!(Statement::parse(value.as_bytes()).is_err());
    let line = format!(r#"{{"payloadType":{deep}}}"#);
    assert!(Envelope::parse(&line).is_err());
    assert_eq!(verify(line.as_bytes(), None).verdict, None);
}

#[test]
fn a_statement_that_nobody_could_read_is_not_sealed() {
    let mut unpinned = statement(Predicate::Proof(Box::new(proof())));
    unpinned.subject.clear();
    assert!(matches!(
        seal(&unpinned, &prover()),
        Err(SealError::Statement(StatementError::Subject))
    ));
}

#[test]
fn equal_statements_seal_to_equal_bytes() {
    let once = line(Predicate::Proof(Box::new(proof())));
    assert_eq!(
        once.to_line(),
        line(Predicate::Proof(Box::new(proof()))).to_line()
    );
    assert_eq!(Envelope::parse(once.to_line()).unwrap(), once);
    assert_eq!(once.statement().unwrap().subject, subjects());
}

#[rstest]
#[case::whole("2026-11-22T14:00:00Z", 1_795_356_000_000_000)]
#[case::fraction("2026-11-22T14:00:00.000001Z", 1_795_356_000_000_001)]
#[case::epoch("1970-01-01T00:00:00Z", 0)]
fn times_are_rfc_3339(#[case] text: &str, #[case] micros: i64) {
    assert_eq!(Time::parse(text), Some(Time(micros)));
    assert_eq!(Time(micros).to_string(), text);
}

#[test]
fn times_are_read_in_any_offset_and_refused_otherwise() {
    assert_eq!(
        Time::parse("2026-11-22T15:00:00+01:00"),
        Some(Time(1_795_356_000_000_000))
    );
    assert_eq!(Time::parse("yesterday"), None);
}
