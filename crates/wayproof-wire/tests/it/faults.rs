//! Errors of our own in every dialect, providers' overflow words, model lists.

use std::fmt::Write as _;

use rstest::rstest;
use wayproof_wire::{
    Fault, FaultKind, ModelAbilities, ModelDialect, ModelEntry, Protocol, is_context_overflow,
    render, render_model, render_models,
};

const KINDS: [FaultKind; 14] = [
    FaultKind::BadRequest,
    FaultKind::TooLarge,
    FaultKind::UnknownPacking,
    FaultKind::Unauthorized,
    FaultKind::Forbidden,
    FaultKind::NotFound,
    FaultKind::RateLimited,
    FaultKind::Overloaded,
    FaultKind::ContextOverflow,
    FaultKind::BudgetExhausted,
    FaultKind::LedgerUnavailable,
    FaultKind::UpstreamTimeout,
    FaultKind::UpstreamUnreachable,
    FaultKind::Internal,
];

#[test]
fn faults_in_every_dialect() {
    let mut out = String::new();
    for protocol in Protocol::ALL {
        for kind in KINDS {
            let fault = Fault::new(kind, "said \"plainly\"");
            let rendered = render(protocol, &fault, "req_7");
            let body = String::from_utf8(rendered.body).unwrap();
            let retry = rendered.retry_after_s;
            writeln!(
                out,
                "{protocol} {kind:?}: {} {retry:?} {body}",
                rendered.status
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn a_rate_limit_always_says_when_to_come_back() {
    for protocol in Protocol::ALL {
        let mut fault = Fault::new(FaultKind::RateLimited, "slow down");
        assert!(
            render(protocol, &fault, "")
                .retry_after_s
                .is_some_and(|wait| wait > 0)
        );
        fault.retry_after_s = Some(12);
        assert_eq!(render(protocol, &fault, "").retry_after_s, Some(12));
    }
    let mut fault = Fault::new(FaultKind::Overloaded, "busy");
    fault.retry_after_s = Some(12);
    let body = String::from_utf8(render(Protocol::Gemini, &fault, "").body).unwrap();
    assert!(body.contains(r#""retryDelay":"12s""#), "{body}");
}

#[test]
fn an_overflow_of_our_own_is_recognized_as_one() {
    for protocol in Protocol::ALL {
        let fault = Fault::context_overflow(210_000, 200_000);
        let rendered = render(protocol, &fault, "");
        let body = String::from_utf8(rendered.body.clone()).unwrap();
        assert!(
            body.contains("prompt is too long: 210000 tokens > 200000 maximum"),
            "{body}"
        );
        assert!(is_context_overflow(rendered.status, &rendered.body));
    }
}

#[rstest]
#[case(400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 208310 tokens > 200000 maximum"}}"#, true)]
#[case(400, r#"{"error":{"message":"Your input exceeds the context window of this model.","code":"context_length_exceeded"}}"#, true)]
#[case(
    400,
    r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","code":null}}"#,
    true
)]
#[case(400, r#"{"error":{"code":400,"message":"The input token count (1048580) exceeds the maximum number of tokens allowed (1048575).","status":"INVALID_ARGUMENT"}}"#, true)]
#[case(400, r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#, true)]
#[case(500, r#"{"error":"input length exceeds the context window"}"#, true)]
#[case(
    429,
    r#"{"error":{"message":"prompt is too long for your rate limit"}}"#,
    false
)]
#[case(
    400,
    r#"{"error":{"message":"messages: at least one message is required"}}"#,
    false
)]
#[case(400, r#"{"error":{"message":"max_tokens: 300000 > 128000, which is the maximum allowed number of output tokens"}}"#, false)]
#[case(
    413,
    r#"{"error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}"#,
    false
)]
fn overflow_is_read_in_the_providers_own_words(
    #[case] status: u16,
    #[case] body: &str,
    #[case] expected: bool,
) {
    assert_eq!(is_context_overflow(status, body.as_bytes()), expected);
}

#[test]
fn model_lists_follow_the_asker() {
    let model = |id: &str, name: &str, abilities| ModelEntry {
        abilities,
        id: id.to_owned(),
        display_name: name.to_owned(),
        owner: "wayproof".to_owned(),
        created_s: 1_795_356_568,
    };
    let known = ModelAbilities {
        window_tokens: Some(200_000),
        output_tokens: Some(64_000),
        takes: ["text", "image"].map(str::to_owned).into(),
        tools: Some(true),
        thinks: Some(false),
        efforts: ["low", "high"].map(str::to_owned).into(),
    };
    let models = [
        model("claude-wayproof-auto", "Wayproof auto", known),
        model(
            "wayproof/auto",
            "Wayproof \"auto\"",
            ModelAbilities::default(),
        ),
    ];
    let mut out = String::new();
    let dialects = Protocol::ALL.map(ModelDialect::for_client);
    assert_eq!(dialects[0], ModelDialect::Anthropic);
    for dialect in dialects.into_iter().take(5) {
        for bytes in [
            render_models(dialect, &models),
            render_models(dialect, &[]),
            render_model(dialect, &models[0]),
        ] {
            writeln!(out, "{}", String::from_utf8(bytes).unwrap()).unwrap();
        }
    }
    insta::assert_snapshot!(out);
}
