//! Clients of one protocol and providers of another.

use std::time::Duration;

use rstest::rstest;
use wayproof_testkit::{Captured, Frame, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{AnswerForm, LossKind, Protocol, Protocols, Stop};

use crate::client::{Seen, Wire, post};
use crate::dialect::{
    CLIENTS, DONE, RESULT, answer, arguments, broken, events, got, path, request,
};
use crate::hearing::{Heard, data, heard, read, texts};
use crate::stage::{Setting, Stage};

const FORMS: [AnswerForm; 2] = [AnswerForm::Whole, AnswerForm::Stream];

/// A provider that speaks one protocol only.
fn speaking(protocol: Protocol, credential: Credential, scripted: &Scripted) -> Setting {
    let url = scripted.url().parse().unwrap();
    let provider = Provider::new("p", url, Protocols::of(&[protocol]), credential).unwrap();
    Setting::at(vec![provider])
}

fn key() -> Credential {
    Credential::Key("sk-gateway".to_owned().into())
}

async fn stage(
    protocol: Protocol,
    handler: impl Fn(&Captured) -> Reply + Send + Sync + 'static,
) -> (Scripted, Stage) {
    let scripted = Scripted::start(handler).await.unwrap();
    let stage = speaking(protocol, key(), &scripted).open().await;
    (scripted, stage)
}

async fn ask(stage: &Stage, client: Protocol, form: AnswerForm, called: Option<&str>) -> Seen {
    let body = request(client, "p/m", form, called);
    let path = path(client, "p/m", form);
    post(stage.address, &path, &[], body.as_bytes()).await
}

fn others(provider: Protocol) -> impl Iterator<Item = Protocol> {
    CLIENTS
        .into_iter()
        .filter(move |client| *client != provider)
}

#[rstest]
#[case(Protocol::Messages, "/v1/messages", "/v1/messages")]
#[case(Protocol::Chat, "/v1/chat/completions", "/v1/chat/completions")]
#[case(Protocol::Responses, "/v1/responses", "/v1/responses")]
#[case(
    Protocol::Gemini,
    "/v1beta/models/m:generateContent",
    "/v1beta/models/m:streamGenerateContent?alt=sse"
)]
#[tokio::test]
async fn an_agent_finishes_its_loop_over_any_provider(
    #[case] provider: Protocol,
    #[case] whole: &str,
    #[case] streamed: &str,
) {
    let (scripted, stage) = stage(provider, move |captured| answer(provider, captured)).await;
    for client in others(provider) {
        for form in FORMS {
            let about = format!("{client} over {provider}, {form:?}");
            let first = ask(&stage, client, form, None).await;
            assert_eq!(first.status, 200, "{about}: {}", first.text());
            let content = first.header("content-type").unwrap();
            let streaming = match client {
                Protocol::Ollama => "application/x-ndjson",
                _ => "text/event-stream",
            };
            assert_eq!(content == streaming, form == AnswerForm::Stream);
            let Heard { text, call } = heard(client, form, &first.text());
            assert_eq!(text, "Reading.", "{about}: {}", first.text());
            let (id, name, called) = call.unwrap();
            assert_eq!((name.as_str(), called), ("read", arguments()), "{about}");
            let answer = read(client, form, &first.text());
            assert!(answer.is_complete, "{about}");
            let usage = answer.usage.unwrap();
            assert_eq!(usage.total_input(), Some(100), "{about}");
            let cached = (client != Protocol::Ollama).then_some(60);
            assert_eq!(usage.cache_read, cached, "{about}");
            assert_eq!(usage.output, Some(9), "{about}");
            if !matches!(client, Protocol::Gemini | Protocol::Ollama) {
                assert_eq!(answer.stop, Some(Stop::ToolUse), "{about}");
            }

            let second = ask(&stage, client, form, Some(&id)).await;
            let said = heard(client, form, &second.text());
            assert_eq!((said.text.as_str(), said.call), (DONE, None), "{about}");
            assert!(second.is_whole);

            let captured = scripted.captured().pop().unwrap();
            let path = if form == AnswerForm::Stream {
                streamed
            } else {
                whole
            };
            assert_eq!(captured.path, path);
            let got = got(provider, &captured);
            assert_eq!(
                (got.model.as_str(), got.system.as_str()),
                ("m", "Be brief.")
            );
            assert_eq!(got.tools, ["read"]);
            let ((call, input), (result, text)) = (got.call.unwrap(), got.result.unwrap());
            assert_eq!((call, input), (result, arguments()), "{about}");
            assert_eq!(text, RESULT);

            let detail = stage.settled(second.exchange()).await;
            let settled = detail.settled.unwrap();
            assert_eq!(detail.exchange.outcome.as_deref(), Some("completed"));
            assert_eq!(settled.asked_in, Some(provider));
            let usage = settled.usage.unwrap();
            assert_eq!(
                (usage.input, usage.cache_read, usage.output),
                (Some(40), Some(60), Some(9))
            );
            let lost = settled
                .losses
                .iter()
                .find(|loss| loss.kind == LossKind::Field);
            let field = match client {
                Protocol::Messages => "metadata",
                Protocol::Chat => "logit_bias",
                Protocol::Responses => "client_metadata",
                Protocol::Ollama => "mirostat",
                Protocol::Gemini => "safetySettings",
                Protocol::Completions | Protocol::Fim => panic!("these hold no conversation"),
            };
            assert_eq!(lost.unwrap().name, field, "{about}");
            assert_eq!(settled.stop.as_deref(), Some("end"), "{about}");
        }
    }
    stage.stop().await;
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Chat)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
#[tokio::test]
async fn every_piece_leaves_when_it_comes(#[case] provider: Protocol) {
    let (_scripted, stage) = stage(provider, move |_| {
        let mut reply = Reply::events(events(provider, true));
        let frames = std::mem::take(&mut reply.frames);
        for frame in frames {
            reply.frames.push(frame);
            reply.frames.push(Frame::Pause(Duration::from_millis(2)));
        }
        reply
    })
    .await;
    for client in others(provider) {
        let seen = ask(&stage, client, AnswerForm::Stream, Some("call_1")).await;
        let pieces = seen.chunks.iter().map(|chunk| texts(client, chunk));
        let pieces: Vec<String> = pieces.filter(|text| !text.is_empty()).collect();
        let expected: Vec<String> = DONE.chars().map(String::from).collect();
        assert_eq!(pieces, expected, "{client} over {provider}");
    }
    stage.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_cut_stream_is_never_complete(
    #[values(
        Protocol::Messages,
        Protocol::Chat,
        Protocol::Responses,
        Protocol::Gemini
    )]
    provider: Protocol,
    #[values(Some(Frame::Cut), None)] end: Option<Frame>,
) {
    let is_cut = end.is_some();
    let (_scripted, stage) = stage(provider, move |_| broken(provider, end.clone())).await;
    for client in others(provider) {
        let about = format!("{client} over {provider}");
        let seen = ask(&stage, client, AnswerForm::Stream, Some("call_1")).await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.is_whole, !is_cut, "{about}: {}", seen.text());
        let ends = [
            "message_stop",
            "[DONE]",
            "response.completed",
            "finishReason",
            "\"done\":true",
        ];
        let ended = ends.into_iter().find(|end| seen.text().contains(end));
        assert_eq!(ended, None, "{about}: {}", seen.text());
        let answer = read(client, AnswerForm::Stream, &seen.text());
        let told = answer.failed_inside.unwrap();
        assert!(told.contains("broke off"), "{about}: {told}");
        assert!(DONE.starts_with(&heard(client, AnswerForm::Stream, &seen.text()).text));
        let detail = stage.settled(seen.exchange()).await;
        assert_eq!(detail.exchange.outcome.as_deref(), Some("cut"), "{about}");

        // Nobody is given half an answer in one piece.
        let seen = ask(&stage, client, AnswerForm::Whole, Some("call_1")).await;
        assert_eq!(seen.status, 502, "{about}: {}", seen.text());
        let detail = stage.settled(seen.exchange()).await;
        assert_eq!(
            detail.exchange.outcome.as_deref(),
            Some("failed"),
            "{about}"
        );
        assert_eq!(detail.settled.unwrap().status, Some(502));
    }
    stage.stop().await;
}

fn told(client: Protocol, text: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    let error = &value["error"];
    if client == Protocol::Ollama {
        return error.as_str().unwrap().to_owned();
    }
    let kind = match client {
        Protocol::Gemini => &error["status"],
        _ => &error["type"],
    };
    format!(
        "{}: {}",
        kind.as_str().unwrap(),
        error["message"].as_str().unwrap()
    )
}

const OVERFLOW: &str = r#"{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#;

#[rstest]
#[case::overflow(400, OVERFLOW, [("invalid_request_error: prompt is too long", 400), ("invalid_request_error: prompt is too long", 400), ("INVALID_ARGUMENT: prompt is too long", 400)])]
#[case::busy(529, "busy", [("overloaded_error: busy", 529), ("server_error: busy", 503), ("UNAVAILABLE: busy", 503)])]
#[case::key(401, r#"{"error":{"message":"bad key","type":"invalid_request_error"}}"#, [("authentication_error: bad key", 401), ("invalid_request_error: bad key", 401), ("UNAUTHENTICATED: bad key", 401)])]
#[case::limited(429, r#"[{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}]"#, [("rate_limit_error: slow down", 429), ("rate_limit_error: slow down", 429), ("RESOURCE_EXHAUSTED: slow down", 429)])]
#[tokio::test]
async fn an_error_is_told_in_the_clients_words(
    #[case] status: u16,
    #[case] body: &'static str,
    #[case] expected: [(&str, u16); 3],
) {
    let clients = [Protocol::Messages, Protocol::Responses, Protocol::Gemini];
    let (_scripted, stage) = stage(Protocol::Chat, move |_| {
        Reply::json(status, body)
            .with_header("retry-after", "17")
            .with_header("x-request-id", "req_theirs")
    })
    .await;
    for (client, (words, status)) in clients.into_iter().zip(expected) {
        for form in FORMS {
            let seen = ask(&stage, client, form, None).await;
            let said = told(client, &seen.text());
            assert!(said.starts_with(words), "{client}: {said}");
            assert_eq!(seen.status, status, "{client}");
            assert_eq!(seen.header("content-type"), Some("application/json"));
            assert_eq!(seen.header("retry-after"), Some("17"));
            assert_eq!(seen.header("x-request-id"), Some("req_theirs"));
            if client == Protocol::Gemini && status == 429 {
                assert!(
                    seen.text().contains(r#""retryDelay":"17s""#),
                    "{}",
                    seen.text()
                );
            }
            let settled = stage.settled(seen.exchange()).await.settled.unwrap();
            assert_eq!(settled.status, Some(status));
        }
    }
    stage.stop().await;
}

#[rstest]
#[case::a_page("text/html", "<html>Bad gateway</html>")]
#[case::half(
    "application/json",
    r#"{"choices":[{"index":0,"message":{"role":"assist"#
)]
#[case::another_protocol("application/json", r#"{"answer":"hi"}"#)]
#[tokio::test]
async fn a_provider_that_lies_is_told_on(#[case] kind: &'static str, #[case] body: &'static str) {
    let (_scripted, stage) = stage(Protocol::Chat, move |_| Reply {
        headers: vec![("content-type".to_owned(), kind.to_owned())],
        ..Reply::json(200, body)
    })
    .await;
    for client in others(Protocol::Chat) {
        let seen = ask(&stage, client, AnswerForm::Whole, None).await;
        assert_eq!(seen.status, 502, "{client}: {}", seen.text());
        assert!(told(client, &seen.text()).contains("the provider"));
        let seen = ask(&stage, client, AnswerForm::Stream, None).await;
        let answer = read(client, AnswerForm::Stream, &seen.text());
        assert!(answer.failed_inside.unwrap().contains("the provider"));
        let detail = stage.settled(seen.exchange()).await;
        assert_eq!(detail.exchange.outcome.as_deref(), Some("cut"), "{client}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn an_error_inside_a_stream_ends_it() {
    let (_scripted, stage) = stage(Protocol::Chat, |_| {
        let error = "data: {\"error\":{\"message\":\"out of memory\",\"code\":500}}\n\n";
        Reply::events(
            events(Protocol::Chat, true)
                .into_iter()
                .take(3)
                .chain([error.to_owned()]),
        )
    })
    .await;
    for client in others(Protocol::Chat) {
        let seen = ask(&stage, client, AnswerForm::Stream, None).await;
        let answer = read(client, AnswerForm::Stream, &seen.text());
        assert!(answer.failed_inside.unwrap().contains("out of memory"));
        assert!(seen.is_whole);
        let detail = stage.settled(seen.exchange()).await;
        assert_eq!(detail.exchange.outcome.as_deref(), Some("cut"));
    }
    stage.stop().await;
}

#[tokio::test]
async fn a_client_that_leaves_takes_the_provider_along() {
    let (scripted, stage) = stage(Protocol::Chat, |_| {
        let mut reply = Reply::events(events(Protocol::Chat, true).into_iter().take(3));
        reply.frames.push(Frame::Pause(Duration::from_mins(10)));
        reply
    })
    .await;
    let body = request(Protocol::Messages, "p/m", AnswerForm::Stream, None);
    let mut wire = Wire::open(stage.address).await;
    wire.send("POST /v1/messages", &[], body.as_bytes()).await;
    let head = wire.head().await;
    wire.until(b"text_delta").await;
    drop(wire);
    let detail = stage.settled(head.exchange()).await;
    assert_eq!(detail.exchange.outcome.as_deref(), Some("cancelled"));
    while scripted.unfinished() == 0 {
        tokio::task::yield_now().await;
    }
    stage.stop().await;
}

#[tokio::test]
async fn what_is_stored_elsewhere_is_refused_before_anybody_is_asked() {
    let (scripted, stage) = stage(Protocol::Chat, |_| Reply::json(500, "")).await;
    let body = r#"{"model":"p/m","previous_response_id":"resp_1","input":"go on"}"#;
    let seen = post(stage.address, "/v1/responses", &[], body.as_bytes()).await;
    assert_eq!(seen.status, 400, "{}", seen.text());
    assert!(seen.text().contains("send the whole conversation"));
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[rstest]
#[case::to_chat(Protocol::Messages, Protocol::Chat, ("authorization", "Bearer own"))]
#[case::to_messages(Protocol::Gemini, Protocol::Messages, ("authorization", "Bearer own"))]
#[case::to_gemini(Protocol::Chat, Protocol::Gemini, ("x-goog-api-key", "own"))]
#[tokio::test]
async fn headers_are_those_of_the_provider(
    #[case] client: Protocol,
    #[case] provider: Protocol,
    #[case] (place, credential): (&str, &str),
) {
    let scripted = Scripted::start(move |captured| answer(provider, captured))
        .await
        .unwrap();
    let stage = speaking(provider, Credential::PassThrough, &scripted)
        .open()
        .await;
    let headers = [
        ("x-api-key", "own"),
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "a-2026-01-01"),
        ("x-stainless-retry-count", "0"),
        ("accept-encoding", "gzip, br"),
        ("user-agent", "agent/1"),
        ("traceparent", "00-1-2-01"),
    ];
    let form = AnswerForm::Whole;
    let body = request(client, "p/m", form, None);
    let path = path(client, "p/m", form);
    let seen = post(stage.address, &path, &headers, body.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let captured = scripted.captured().remove(0);
    let mut names: Vec<&str> = captured
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.retain(|name| *name != place && *name != "anthropic-version");
    assert_eq!(
        names,
        [
            "host",
            "content-type",
            "accept",
            "user-agent",
            "traceparent",
            "content-length"
        ]
    );
    assert_eq!(captured.header(place), Some(credential));
    let version = captured.header("anthropic-version");
    assert_eq!(
        version,
        (provider == Protocol::Messages).then_some("2023-06-01")
    );
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    let betas = settled
        .losses
        .iter()
        .filter(|loss| loss.kind == LossKind::Header);
    assert_eq!(betas.count(), 1);

    // A server on one's own network is asked for routed requests too.
    let routed = request(client, "wayproof/auto", form, None);
    let path = crate::dialect::path(client, "wayproof/auto", form);
    let seen = post(stage.address, &path, &headers, routed.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(seen.header("x-wayproof-class"), Some("strong"));
    stage.stop().await;
}

#[tokio::test]
async fn a_conversation_moves_on_without_the_seals_of_another_origin() {
    let scripted = Scripted::start(|captured| answer(Protocol::Messages, captured))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let plain = request(Protocol::Messages, "p/m", AnswerForm::Whole, Some("call_1"));
    let packed = r#"{"signature":"wayproof1.o.0123456789abcdef..","thinking":"Hm.","type":"thinking"},{"type":"text","text":"Reading.""#;
    let sealed = plain.replace(r#"{"type":"text","text":"Reading.""#, packed);
    assert_ne!(sealed, plain);
    let seen = post(stage.address, "/v1/messages", &[], sealed.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let captured = scripted.captured().remove(0);
    let expected = plain.replace("p/m", "m");
    assert_eq!(String::from_utf8_lossy(&captured.body), expected);
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!((settled.asked_in, settled.losses.len()), (None, 1));
    assert_eq!(settled.losses[0].kind, LossKind::Thinking);
    stage.stop().await;
}

#[tokio::test]
async fn a_fallback_may_speak_another_protocol() {
    let busy = Scripted::start(|_| {
        Reply::json(
            503,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#,
        )
    })
    .await
    .unwrap();
    let chat = Scripted::start(|captured| answer(Protocol::Chat, captured))
        .await
        .unwrap();
    let provider = |name: &str, scripted: &Scripted, protocol| {
        let url = scripted.url().parse().unwrap();
        Provider::new(name, url, Protocols::of(&[protocol]), key()).unwrap()
    };
    let providers = vec![
        provider("p", &busy, Protocol::Messages),
        provider("q", &chat, Protocol::Chat),
    ];
    let stage = Setting::at(providers).open().await;
    let headers = [("x-wayproof-task", "documentation")];
    let body = request(
        Protocol::Messages,
        "claude-opus-5-5",
        AnswerForm::Stream,
        None,
    );
    let seen = post(stage.address, "/v1/messages", &headers, body.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(seen.header("x-wayproof-target"), Some("q/fast-1"));
    let said = heard(Protocol::Messages, AnswerForm::Stream, &seen.text());
    assert_eq!(said.text, "Reading.");
    assert_eq!(data(&seen.text())[0]["message"]["model"], "m-1");
    stage.stop().await;
}
