//! Receipts as files and envelopes as lines.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use rstest::rstest;
use wayproof_receipt::{
    Bundle, BundleError, Envelope, EnvelopeError, Predicate, VerifyOutcome, sha256_hex, verify,
};

use crate::fixture::{Receipt, line, proof, prover, trust};

#[test]
fn a_bundle_survives_the_file() {
    let lines = Receipt::default().lines();
    let text = Bundle::new(lines.clone()).to_jsonl();
    let read = Bundle::parse(text.as_bytes()).unwrap();
    assert!(read.envelopes().eq(lines.iter()));
    assert_eq!(read.to_jsonl(), text);
    assert_eq!(
        read.lines()[0].digest,
        sha256_hex(lines[0].to_line().as_bytes())
    );
}

#[test]
fn empty_lines_and_windows_line_ends_mean_nothing() {
    let text = Receipt::default().jsonl();
    let spaced = format!("\r\n\n{}\n\n", text.replace('\n', "\r\n\r\n"));
    assert_eq!(Bundle::parse(spaced.as_bytes()).unwrap().to_jsonl(), text);
}

#[test]
fn repeated_lines_count_once() {
    let text = Receipt::default().jsonl();
    let twice = format!("{text}{text}");
    assert_eq!(Bundle::parse(twice.as_bytes()).unwrap().to_jsonl(), text);
    assert_eq!(
        verify(twice.as_bytes(), Some(&trust())),
        verify(text.as_bytes(), Some(&trust()))
    );
}

#[test]
fn lines_of_another_kind_are_passed_over_and_named() {
    let sigstore =
        r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{}}"#;
    let text = format!("{sigstore}\n[]\n{}", Receipt::default().jsonl());
    let verification = verify(text.as_bytes(), Some(&trust()));
    assert_eq!(verification.outcome, VerifyOutcome::Good);
    assert_eq!(
        verification.unread,
        [
            "line 1 is not a DSSE envelope",
            "line 2 is not a DSSE envelope"
        ]
    );
    let other = Envelope::sign("application/vnd.novulz+cbor", vec![0xa0], &prover()).unwrap();
    let text = format!("{}{}\n", Receipt::default().jsonl(), other.to_line());
    let verification = verify(text.as_bytes(), Some(&trust()));
    assert_eq!(verification.outcome, VerifyOutcome::Good);
    assert_eq!(verification.unread, ["line 6 is not an in-toto statement"]);
}

#[rstest]
#[case::nothing("", "no attestations")]
#[case::blank("\n\n", "no attestations")]
#[case::foreign_only("{}\n", "no attestations")]
#[case::torn(
    r#"{"payloadType":"application/vnd.in-toto+json","pay"#,
    "line 1 is not JSON"
)]
#[case::no_signatures(r#"{"payloadType":"x","payload":""}"#, "line 1 is a broken envelope")]
#[case::empty_signatures(
    r#"{"payloadType":"x","payload":"","signatures":[]}"#,
    "line 1 is a broken envelope"
)]
#[case::not_base64(
    r#"{"payloadType":"x","payload":"?","signatures":[{"sig":""}]}"#,
    "line 1 is a broken envelope"
)]
fn files_that_are_no_receipts(#[case] text: &str, #[case] expected: &str) {
    let refused = Bundle::parse(text.as_bytes()).unwrap_err().to_string();
    assert!(refused.contains(expected), "{refused}");
    let verification = verify(text.as_bytes(), Some(&trust()));
    assert_eq!(
        (verification.outcome, verification.verdict),
        (VerifyOutcome::Invalid, None)
    );
    assert!(
        verification.problems[0].contains(expected),
        "{:?}",
        verification.problems
    );
}

#[test]
fn sizes_are_limited() {
    let large = vec![b' '; 16 * 1024 * 1024 + 1];
    assert!(matches!(
        Bundle::parse(&large),
        Err(BundleError::TooLarge(_))
    ));
    assert!(matches!(
        Bundle::parse("{}\n".repeat(257).as_bytes()),
        Err(BundleError::TooManyLines)
    ));
    let long = format!("\"{}\"", "x".repeat(4 * 1024 * 1024));
    assert!(matches!(
        Bundle::parse(long.as_bytes()),
        Err(BundleError::Envelope { line: 1, .. })
    ));
    assert!(matches!(
        Bundle::parse(b"\xff\n"),
        Err(BundleError::NotText)
    ));
    let signatures = vec![r#"{"sig":""}"#; 17].join(",");
    let many = format!(r#"{{"payloadType":"x","payload":"","signatures":[{signatures}]}}"#);
    assert!(matches!(
        Envelope::parse(&many),
        Err(EnvelopeError::Signatures(17))
    ));
    assert!(Envelope::sign("x", vec![0; 4 * 1024 * 1024], &prover()).is_err());
}

#[test]
fn both_alphabets_of_base64_are_read() {
    let payload = br#"{"a":"\u00ff>>>???~~~"}"#.to_vec();
    let envelope = Envelope::sign("text/plain", payload.clone(), &prover()).unwrap();
    let (signature, key) = (&envelope.signatures()[0], prover().public());
    let url_safe = envelope
        .to_line()
        .replace(&STANDARD.encode(&payload), &URL_SAFE.encode(&payload))
        .replace(
            &STANDARD.encode(&signature.bytes),
            &URL_SAFE.encode(&signature.bytes),
        );
    let read = Envelope::parse(&url_safe).unwrap();
    assert_eq!(read.payload(), payload);
    assert!(read.is_signed_by(&read.signatures()[0], &key));
}

#[test]
fn every_flipped_bit_of_an_envelope_is_noticed() {
    let bytes = line(Predicate::Proof(Box::new(proof())))
        .to_line()
        .as_bytes()
        .to_vec();
    for position in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[position / 8] ^= 1 << (position % 8);
        let outcome = verify(&flipped, None).outcome;
        assert_eq!(
            outcome,
            VerifyOutcome::Invalid,
            "bit {position} went unnoticed"
        );
    }
}
