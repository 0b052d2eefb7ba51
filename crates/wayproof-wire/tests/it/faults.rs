//! Errors of our own in every dialect, providers' overflow words, model lists.

use std::fmt::Write as _;

use rstest::rstest;
use wayproof_wire::{
    Fault, FaultKind, ModelAbilities, ModelDialect, ModelEntry, Protocol, is_context_overflow,
    is_overflow_inside, render, render_model, render_models,
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
#[case::anthropic(400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 208310 tokens > 200000 maximum"}}"#, true)]
#[case::anthropic_with_output(400, r#"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again"}}"#, true)]
#[case::bedrock(400, r#"{"message":"Input is too long for requested model."}"#, true)]
#[case::openai_code(
    400,
    r#"{"error":{"message":"Too many tokens.","code":"context_length_exceeded"}}"#,
    true
)]
#[case::openai_words(
    400,
    r#"{"error":{"message":"Your input exceeds the context window of this model.","code":null}}"#,
    true
)]
#[case::vllm(
    400,
    r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","code":null}}"#,
    true
)]
#[case::gemini(400, r#"{"error":{"code":400,"message":"The input token count (1048580) exceeds the maximum number of tokens allowed (1048575).","status":"INVALID_ARGUMENT"}}"#, true)]
#[case::llama_cpp(400, r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"invalid_request_error"}}"#, true)]
#[case::llama_cpp_type(
    400,
    r#"{"error":{"code":400,"message":"too many","type":"exceed_context_size_error"}}"#,
    true
)]
#[case::fireworks(400, r#"{"error":{"message":"The prompt exceeds the maximum context of the model: 131072","code":"invalid_request_error"}}"#, true)]
#[case::deepinfra(
    422,
    r#"{"error":{"message":"The input exceeds the model's context length"}}"#,
    true
)]
#[case::lm_studio(400, r#"{"error":"The number of tokens to keep from the initial prompt is greater than the context length."}"#, true)]
#[case::xai(400, r#"{"code":"invalid-argument","error":"This model's maximum prompt length is 131072 but the request contains 537812 tokens."}"#, true)]
#[case::mistral(400, r#"{"object":"error","message":"Prompt contains 40153 tokens and 0 draft tokens, too large for model with 32768 maximum context"}"#, true)]
#[case::groq(413, r#"{"error":{"message":"Please reduce the length of the messages or completion.","type":"invalid_request_error"}}"#, true)]
#[case::minimax(400, r#"{"type":"error","error":{"type":"bad_request_error","message":"invalid params, context window exceeds limit (2013)"}}"#, true)]
#[case::github(413, r#"{"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o model. Max size: 8000 tokens."}}"#, true)]
#[case::together(422, r#"{"error":{"message":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32769. Given: 40000","type":"invalid_request_error"}}"#, true)]
#[case::kimi(400, r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 262144 (requested: 300000)","type":"invalid_request_error"}}"#, true)]
#[case::ollama(
    400,
    r#"{"error":"prompt too long; exceeded max context length by 4096 tokens"}"#,
    true
)]
#[case::copilot(400, r#"{"error":{"message":"prompt token count of 200000 exceeds the limit of 128000","code":"model_max_prompt_tokens_exceeded"}}"#, true)]
#[case::local_500(500, r#"{"error":"input length exceeds the context window"}"#, true)]
#[case::rate_limit(
    429,
    r#"{"error":{"message":"prompt is too long for your rate limit"}}"#,
    false
)]
#[case::empty(
    400,
    r#"{"error":{"message":"messages: at least one message is required"}}"#,
    false
)]
#[case::output(400, r#"{"error":{"message":"max_tokens: 300000 > 128000, which is the maximum allowed number of output tokens"}}"#, false)]
#[case::size(
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
fn an_overflow_inside_an_answer_is_one_and_a_rate_limit_is_not() {
    assert!(is_overflow_inside(
        "context_length_exceeded: Your input exceeds the context window of this model."
    ));
    assert!(!is_overflow_inside(
        "rate_limit_exceeded: the maximum context length counts for your rate"
    ));
    assert!(!is_overflow_inside("overloaded_error: Overloaded"));
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
