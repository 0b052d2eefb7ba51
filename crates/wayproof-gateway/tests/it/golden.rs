//! Byte for byte: what a provider receives and what a client gets back.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use rstest::rstest;
use wayproof_testkit::{Frame, Provider as Scripted, Reply};

use crate::client::{Wire, post};
use crate::stage::Setting;

/// A body with everything a parser would tidy up: an unknown field, a key twice, `1.0` and `1`,
/// odd spacing, escapes that need not be, a lone surrogate, letters beyond ASCII.
fn odd(conversation: &str, model: &str) -> String {
    format!(
        "{{ \"temperature\" : 1.0,\t\"top_p\":1,\"x_unknown\": {{\"b\":[],\"a\":1e2}},\n\
         \"model\":\"{model}\",\"stream\": STREAM,\"seed\":1,\"seed\":2.50,\
         \"metadata\":{{\"note\":\"\\u0041 \\/ \\ud83d caf\u{e9} \u{4e2d}\"}},{conversation} }}"
    )
}

const MESSAGES: &str = r#""max_tokens":64,"messages":[{"role":"user","content":[{"type":"text","text":"Grüße","cache_control":{"type":"ephemeral"}}]}]"#;
const CHAT: &str = r#""messages":[{"role":"user","content":"Grüße"}]"#;
const RESPONSES: &str = r#""input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Grüße"}]}],"store":false"#;

const MESSAGES_EVENTS: &[&str] = &[
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"m\",\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n",
    ": a comment\n\nevent: x_unknown\ndata: {\"type\":\"x_unknown\"}\n\nevent: content_block_delta\nda",
    "ta: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"caf\u{e9}\"}}\r\n\r\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":3}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
];
const CHAT_EVENTS: &[&str] = &[
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"o",
    "k\"}}]}\n\ndata: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n",
    "data: [DONE]\n\n",
];
const RESPONSES_EVENTS: &[&str] = &[
    "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n",
    "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"ok\"}\n\n",
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"model\":\"m\",\"usage\":{\"input_tokens\":7,\"output_tokens\":3,\"total_tokens\":10}}}\n\n",
];

const MESSAGES_WHOLE: &str = "{ \"id\":\"msg_1\",\"type\":\"message\",\"model\":\"m\",\"x\":1.0,\"content\":[],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}\n";
const CHAT_WHOLE: &str = "{\"id\":\"c1\",\"x\":1.0,\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"ok\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}";
const RESPONSES_WHOLE: &str = "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"x\":1.0,\"output\":[],\"usage\":{\"input_tokens\":7,\"output_tokens\":3}}";

fn streamed(chunks: &'static [&'static str]) -> Reply {
    let mut reply = Reply::events(chunks.iter().copied());
    // A pause between chunks, as a model makes them.
    let frames = std::mem::take(&mut reply.frames);
    for frame in frames {
        reply.frames.push(frame);
        reply.frames.push(Frame::Pause(Duration::from_millis(2)));
    }
    reply.frames.pop();
    reply
}

#[rstest]
#[case::messages("/v1/messages?beta=true", MESSAGES, MESSAGES_WHOLE)]
#[case::chat("/v1/chat/completions", CHAT, CHAT_WHOLE)]
#[case::responses("/v1/responses", RESPONSES, RESPONSES_WHOLE)]
#[tokio::test]
async fn a_whole_answer_and_its_request_cross_byte_for_byte(
    #[case] path: &str,
    #[case] conversation: &str,
    #[case] answer: &'static str,
    #[values("p/some-model", "p/weird \\u00e9\\\" name")] asked: &str,
) {
    let scripted = Scripted::start(move |_| Reply::json(200, answer).with_header("x-odd", "1, 2"))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = odd(conversation, asked).replace("STREAM", "false");
    let seen = post(stage.address, path, &[], sent.as_bytes()).await;

    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(seen.text(), answer);
    assert_eq!(seen.header("x-odd"), Some("1, 2"));
    let length = answer.len().to_string();
    assert_eq!(seen.header("content-length"), Some(length.as_str()));
    assert_eq!(seen.header("transfer-encoding"), None);

    let captured = scripted.captured().remove(0);
    assert_eq!(captured.path, path);
    let name = asked
        .strip_prefix("p/")
        .unwrap()
        .replace("\\u00e9", "\u{e9}");
    let expected = odd(conversation, &name).replace("STREAM", "false");
    assert_eq!(std::str::from_utf8(&captured.body).unwrap(), expected);

    let detail = stage.settled(seen.exchange()).await;
    let settled = detail.settled.unwrap();
    assert_eq!(detail.exchange.outcome.as_deref(), Some("completed"));
    assert_eq!(settled.usage.unwrap().input, Some(7));
    assert_eq!(settled.usage.unwrap().output, Some(3));
    assert_eq!(settled.response_bytes, answer.len() as u64);
    stage.stop().await;
}

#[rstest]
#[case::messages("/v1/messages", MESSAGES, MESSAGES_EVENTS)]
#[case::chat("/v1/chat/completions", CHAT, CHAT_EVENTS)]
#[case::responses("/v1/responses", RESPONSES, RESPONSES_EVENTS)]
#[tokio::test]
async fn a_stream_crosses_chunk_by_chunk(
    #[case] path: &str,
    #[case] conversation: &str,
    #[case] chunks: &'static [&'static str],
) {
    let scripted = Scripted::start(move |_| streamed(chunks)).await.unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = odd(conversation, "p/m").replace("STREAM", "true");
    let seen = post(stage.address, path, &[], sent.as_bytes()).await;

    let received: Vec<&str> = seen
        .chunks
        .iter()
        .map(|chunk| std::str::from_utf8(chunk).unwrap())
        .collect();
    assert_eq!(received, chunks);
    assert!(seen.is_whole);
    assert_eq!(seen.header("content-type"), Some("text/event-stream"));
    let captured = scripted.captured().remove(0);
    let expected = odd(conversation, "m").replace("STREAM", "true");
    assert_eq!(std::str::from_utf8(&captured.body).unwrap(), expected);

    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    let usage = settled.usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(7), Some(3)));
    assert_eq!(settled.stop.as_deref(), Some("end"));
    stage.stop().await;
}

#[tokio::test]
async fn a_name_that_needs_no_change_changes_nothing() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGES_WHOLE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.policy = wayproof_engine::Policy::parse("version = 1\nroute_unknown = false\n", "x")
        .unwrap()
        .policy;
    let stage = setting.open().await;
    // The name is spelled with an escape that no writer would choose.
    let sent = odd(MESSAGES, "claude-\\u006fpus").replace("STREAM", "false");
    let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(scripted.captured()[0].body, sent);
    stage.stop().await;
}

/// Headers of a request, some of them for one hop only.
const HEADERS: [(&str, &str); 10] = [
    ("x-z", "1"),
    ("anthropic-version", "2023-06-01"),
    ("anthropic-beta", "a-2026-01-01,b-2026-02-02"),
    ("user-agent", "claude-cli/2.1.330 (external, cli)"),
    ("x-claude-code-session-id", "5e55"),
    ("accept-encoding", "gzip, br"),
    ("connection", "x-hop"),
    ("x-hop", "gone"),
    ("content-type", "application/json"),
    ("x-a", "2"),
];

#[tokio::test]
async fn headers_cross_in_order_both_ways() {
    let scripted = Scripted::start(|_| {
        Reply::json(200, MESSAGES_WHOLE)
            .with_header("x-z", "1")
            .with_header("anthropic-ratelimit-requests-limit", "50")
            .with_header("x-a", "2")
            .with_header("keep-alive", "timeout=5")
            .with_header("request-id", "req_theirs")
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = odd(MESSAGES, "p/m").replace("STREAM", "false");
    let seen = post(stage.address, "/v1/messages", &HEADERS, sent.as_bytes()).await;
    let captured = scripted.captured().remove(0);
    let names: Vec<&str> = captured
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "host",
            "x-z",
            "anthropic-version",
            "anthropic-beta",
            "user-agent",
            "x-claude-code-session-id",
            "accept-encoding",
            "content-type",
            "x-a",
            "authorization",
            "content-length",
        ]
    );
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "content-type",
            "x-z",
            "anthropic-ratelimit-requests-limit",
            "x-a",
            "request-id",
            "content-length",
            "date",
            "x-wayproof-exchange",
            "x-wayproof-task",
            "x-wayproof-class",
            "x-wayproof-target",
            "x-wayproof-page",
        ]
    );
    assert_eq!(seen.header("request-id"), Some("req_theirs"));
    assert_eq!(seen.header("x-wayproof-target"), Some("p/m"));
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.provider_request_id.as_deref(), Some("req_theirs"));
    stage.stop().await;
}

#[tokio::test]
async fn trailers_are_kept() {
    let scripted = Scripted::start(|_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-digest", HeaderValue::from_static("abc"));
        let mut reply = Reply::events(MESSAGES_EVENTS.iter().copied());
        reply.frames.push(Frame::Trailers(trailers));
        reply.with_header("trailer", "x-digest")
    })
    .await
    .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = odd(MESSAGES, "p/m").replace("STREAM", "true");
    let seen = post(
        stage.address,
        "/v1/messages",
        &[("te", "trailers")],
        sent.as_bytes(),
    )
    .await;
    assert_eq!(seen.trailers, [("x-digest".to_owned(), "abc".to_owned())]);
    assert!(seen.is_whole);
    stage.stop().await;
}

#[tokio::test]
async fn a_large_body_crosses_as_it_is() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGES_WHOLE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let text = "Za\u{17c}\u{f3}\u{142}\u{107} \\n 1.0 ".repeat(5 << 16);
    let large = format!(r#""max_tokens":1,"messages":[{{"role":"user","content":"{text}"}}]"#);
    assert!(large.len() > 5 << 20);
    let sent = odd(&large, "p/m").replace("STREAM", "false");
    let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 200);
    let expected = odd(&large, "m").replace("STREAM", "false");
    assert!(
        scripted.captured()[0].body == expected,
        "the body changed on its way"
    );
    stage.stop().await;
}

#[tokio::test]
async fn one_connection_serves_many_exchanges() {
    let scripted = Scripted::start(|request| Reply::json(200, request.body.clone()))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let mut wire = Wire::open(stage.address).await;
    for round in 0..5 {
        let conversation =
            format!(r#""max_tokens":{round},"messages":[{{"role":"user","content":"hi"}}]"#);
        let sent = odd(&conversation, "p/m").replace("STREAM", "false");
        // In pieces that fall anywhere.
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: localhost:1\r\ncontent-length: {}\r\n\r\n",
            sent.len()
        );
        let whole = [head.as_bytes(), sent.as_bytes()].concat();
        for piece in whole.chunks(37) {
            wire.write(piece).await;
            tokio::task::yield_now().await;
        }
        let seen = wire.answer().await;
        assert_eq!(
            seen.text(),
            odd(&conversation, "m").replace("STREAM", "false")
        );
    }
    stage.stop().await;
}
