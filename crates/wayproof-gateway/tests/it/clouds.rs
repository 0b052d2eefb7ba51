//! Models in clouds: requests that are signed and shaped anew, answers in frames, and clients that notice nothing.

mod amazon;

use rstest::rstest;
use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{AwsKeys, AwsPair, Cloud, Credential, Provider};
use wayproof_wire::{AnswerForm, Protocol, Protocols};

use self::amazon::bedrock;
use crate::client::{Seen, post};
use crate::dialect::{self, CLIENTS, DONE, request};
use crate::stage::{Setting, Stage, asking};

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "a-session-token";
/// 22 November 2026, 00:00 UTC.
const NOW_US: i64 = 1_795_305_600_000_000;
const MODEL: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const OTHER_MODEL: &str = "openai.gpt-oss-120b-1:0";

fn keys(secret: &str) -> Credential {
    let pair = AwsPair {
        id: ID.to_owned(),
        secret: secret.to_owned().into(),
        session: Some(SESSION.to_owned().into()),
    };
    Credential::Aws(AwsKeys::new(pair, || NOW_US))
}

async fn at_bedrock(credential: Credential) -> (Stage, Scripted) {
    at_bedrock_in(Protocol::Messages, credential).await
}

async fn at_bedrock_in(protocol: Protocol, credential: Credential) -> (Stage, Scripted) {
    let scripted = Scripted::start(bedrock).await.unwrap();
    let base = scripted.url().parse().unwrap();
    let name = match protocol {
        Protocol::Messages => "bedrock",
        _ => "bedrock-openai",
    };
    let provider = Provider::new(name, base, Protocols::of(&[protocol]), credential).unwrap();
    let region = "eu-west-1".to_owned();
    let provider = provider.in_cloud(Cloud::Bedrock { region });
    (Setting::at(vec![provider]).open().await, scripted)
}

async fn ask(stage: &Stage, body: &str, headers: &[(&str, &str)]) -> Seen {
    post(
        stage.address,
        "/v1/messages?beta=true",
        headers,
        body.as_bytes(),
    )
    .await
}

#[rstest]
#[case::signed(keys(SECRET))]
#[case::bearer(Credential::Key("a-bedrock-key".to_owned().into()))]
#[tokio::test]
async fn every_client_finishes_its_loop_over_bedrock(#[case] credential: Credential) {
    let (stage, scripted) = at_bedrock(credential).await;
    for client in CLIENTS {
        for form in [AnswerForm::Whole, AnswerForm::Stream] {
            for called in [None, Some("toolu_1")] {
                let model = format!("bedrock/{MODEL}");
                let path = dialect::path(client, &model, form);
                let body = request(client, &model, form, called);
                let seen = post(stage.address, &path, &[], body.as_bytes()).await;
                assert_eq!(seen.status, 200, "{client} {form:?}: {}", seen.text());
                assert!(seen.is_whole);
                let settled = stage.settled(seen.exchange()).await.settled.unwrap();
                assert!(settled.usage.is_some(), "{client} {form:?}");
                assert!(settled.cost.listed_nano_usd.is_some(), "{client} {form:?}");
                let kind = seen.header("content-type").unwrap();
                let is_stream = kind.contains("event-stream") || kind.contains("ndjson");
                assert_eq!(is_stream, form == AnswerForm::Stream, "{client}");
            }
        }
    }
    let captured = scripted.captured().pop().unwrap();
    let named = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke";
    assert!(captured.path.starts_with(named), "{}", captured.path);
    assert_eq!(captured.header("anthropic-version"), None);
    stage.stop().await;
}

#[rstest]
#[case::chat(Protocol::Chat)]
#[case::responses(Protocol::Responses)]
#[tokio::test]
async fn every_client_finishes_its_loop_over_bedrocks_other_models(
    #[case] protocol: Protocol,
    #[values(keys(SECRET), Credential::Key("a-bedrock-key".to_owned().into()))]
    credential: Credential,
) {
    let (stage, scripted) = at_bedrock_in(protocol, credential).await;
    for client in CLIENTS {
        for form in [AnswerForm::Whole, AnswerForm::Stream] {
            let model = format!("bedrock-openai/{OTHER_MODEL}");
            let path = dialect::path(client, &model, form);
            let body = request(client, &model, form, Some("toolu_1"));
            let seen = post(stage.address, &path, &[], body.as_bytes()).await;
            assert_eq!(seen.status, 200, "{client} {form:?}: {}", seen.text());
            assert!(seen.is_whole);
            let settled = stage.settled(seen.exchange()).await.settled.unwrap();
            assert!(settled.usage.is_some(), "{client} {form:?}");
        }
    }
    assert!(
        scripted
            .captured()
            .iter()
            .all(|captured| captured.path.starts_with("/openai/v1/"))
    );
    stage.stop().await;
}

#[tokio::test]
async fn a_stream_is_what_anthropic_itself_would_send() {
    let (stage, _scripted) = at_bedrock(keys(SECRET)).await;
    let model = format!("bedrock/{MODEL}");
    let body = request(Protocol::Messages, &model, AnswerForm::Stream, Some("t"));
    let seen = ask(&stage, &body, &[]).await;
    assert_eq!(
        seen.text(),
        dialect::events(Protocol::Messages, true).concat()
    );
    let names: Vec<&str> = DONE.split_whitespace().collect();
    assert!(names.len() > 1 && seen.chunks.len() > 1);
    stage.stop().await;
}

#[tokio::test]
async fn wrong_keys_are_told_in_the_clients_words_and_never_shown() {
    let (stage, scripted) = at_bedrock(keys("another-secret")).await;
    let seen = ask(
        &stage,
        &asking(&format!("bedrock/{MODEL}"), "hi"),
        &[("x-api-key", "sk-own")],
    )
    .await;
    assert_eq!(seen.status, 403);
    let said: Value = serde_json::from_slice(&seen.body()).unwrap();
    assert_eq!(said["error"]["type"], "permission_error");
    assert!(!seen.text().contains("another-secret") && !seen.text().contains(SESSION));
    let captured = scripted.captured().pop().unwrap();
    assert_eq!(captured.header("x-api-key"), None);
    assert_eq!(captured.header("x-amz-security-token"), Some(SESSION));
    let signed = captured.header("authorization").unwrap();
    for name in ["host", "content-type", "x-amz-date", "x-amz-security-token"] {
        assert!(signed.contains(name), "{signed}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn flags_and_fields_that_bedrock_refuses_are_left_out_in_pairs() {
    let (stage, scripted) = at_bedrock(keys(SECRET)).await;
    let sent = json!({
        "model": format!("bedrock/{MODEL}"), "max_tokens": 9, "cache_control": {"type": "ephemeral"},
        "context_management": {"edits": []}, "messages": [{"role": "user", "content": "hi"}],
    })
    .to_string();
    let flags = "claude-code-20250219,effort-2025-11-24,prompt-caching-scope-2026-01-05";
    let packed = zstd::encode_all(sent.as_bytes(), 1).unwrap();
    for (headers, body) in [
        (vec![("anthropic-beta", flags)], sent.as_bytes()),
        (
            vec![("anthropic-beta", flags), ("content-encoding", "zstd")],
            packed.as_slice(),
        ),
    ] {
        let seen = post(stage.address, "/v1/messages", &headers, body).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        let captured = scripted.captured().pop().unwrap();
        assert_eq!(
            captured.body,
            r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["effort-2025-11-24"],"max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
        );
        assert_eq!(captured.header("anthropic-beta"), None);
        let settled = stage.settled(seen.exchange()).await.settled.unwrap();
        let lost: Vec<&str> = settled.losses.iter().map(|loss| &*loss.name).collect();
        assert_eq!(
            lost,
            [
                "cache_control",
                "context_management",
                "anthropic-beta: claude-code-20250219",
                "anthropic-beta: prompt-caching-scope-2026-01-05",
            ]
        );
    }
    // Packed, with nothing to leave out: it is made anew all the same.
    let plain = asking(&format!("bedrock/{MODEL}"), "hi");
    let packed = zstd::encode_all(plain.as_bytes(), 1).unwrap();
    let encoding = [("content-encoding", "zstd")];
    let seen = post(stage.address, "/v1/messages", &encoding, &packed).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    stage.stop().await;
}

#[rstest]
#[case::throttled("throttle", 429, "rate_limit_error", "Too many tokens, please wait.")]
#[case::too_long(
    "too much",
    400,
    "invalid_request_error",
    "prompt is too long: Input is too long for requested model."
)]
#[case::broken("break the model", 500, "api_error", "the model broke")]
#[tokio::test]
async fn errors_come_in_the_clients_shape(
    #[case] words: &str,
    #[case] status: u16,
    #[case] kind: &str,
    #[case] message: &str,
) {
    let (stage, _scripted) = at_bedrock(keys(SECRET)).await;
    let model = format!("bedrock/{MODEL}");
    let seen = ask(&stage, &asking(&model, words), &[]).await;
    assert_eq!(seen.status, status);
    let said: Value = serde_json::from_slice(&seen.body()).unwrap();
    assert_eq!(said["error"]["type"], kind);
    assert_eq!(said["error"]["message"], message);
    assert_eq!(seen.header("retry-after").is_some(), status == 429);
    let body = json!({"model": model, "messages": [{"role": "user", "content": words}]});
    let path = "/v1/chat/completions";
    let seen = post(stage.address, path, &[], body.to_string().as_bytes()).await;
    assert_eq!(seen.status, status);
    let said: Value = serde_json::from_slice(&seen.body()).unwrap();
    assert_eq!(said["error"]["message"], message);
    stage.stop().await;
}

#[rstest]
#[case::exception("stop midway", true)]
#[case::damaged("damage", false)]
#[tokio::test]
async fn a_stream_that_goes_wrong_says_so_or_breaks(#[case] words: &str, #[case] is_told: bool) {
    let (stage, _scripted) = at_bedrock(keys(SECRET)).await;
    let mut body: Value =
        serde_json::from_str(&asking(&format!("bedrock/{MODEL}"), words)).unwrap();
    body["stream"] = Value::from(true);
    let seen = ask(&stage, &body.to_string(), &[]).await;
    assert_eq!(seen.status, 200);
    assert_eq!(seen.is_whole, is_told);
    assert_eq!(
        seen.text().contains("event: error"),
        is_told,
        "{}",
        seen.text()
    );
    assert!(!seen.text().contains("message_stop"));
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_ne!(format!("{:?}", settled.outcome), "Completed");
    stage.stop().await;
}

#[tokio::test]
async fn bedrock_counts_and_serves_nothing_else() {
    let (stage, _scripted) = at_bedrock(keys(SECRET)).await;
    let body = asking(&format!("bedrock/{MODEL}"), "hi");
    let path = "/v1/messages/count_tokens?beta=true";
    let seen = post(stage.address, path, &[], body.as_bytes()).await;
    assert_eq!(seen.text(), r#"{"input_tokens":77}"#);
    let body = asking("bedrock/..", "hi");
    let seen = ask(&stage, &body, &[]).await;
    assert_eq!(seen.status, 400, "{}", seen.text());
    stage.stop().await;
}

/// What Vertex says to a request, in its words.
fn vertex(captured: &Captured) -> Reply {
    let place = "/v1/projects/p/locations/us-east5/publishers/";
    let rest = captured
        .path
        .strip_prefix(place)
        .unwrap_or_else(|| panic!("{}", captured.path));
    if captured.header("authorization") != Some("Bearer ya29.token") {
        return Reply::json(
            401,
            r#"[{"error":{"code":401,"message":"no token","status":"UNAUTHENTICATED"}}]"#,
        );
    }
    let body: Value = serde_json::from_slice(&captured.body).unwrap();
    if let Some(rest) = rest.strip_prefix("google/models/gemini-3-pro:") {
        assert!(!body["contents"].is_null());
        if rest == "countTokens" {
            return Reply::json(200, r#"{"totalTokens":9}"#);
        }
        return dialect::answer(Protocol::Gemini, captured);
    }
    assert_eq!(body["anthropic_version"], "vertex-2023-10-16");
    if rest == "anthropic/models/count-tokens:rawPredict" {
        assert_eq!(body["model"], "claude-sonnet-4-5@20250929");
        return Reply::json(200, r#"{"input_tokens":8}"#);
    }
    let verb = rest.strip_prefix("anthropic/models/claude-sonnet-4-5@20250929:");
    let is_streaming = verb.unwrap() == "streamRawPredict";
    assert_eq!(body["stream"] == true, is_streaming);
    assert_eq!(body["model"], Value::Null);
    dialect::answer(Protocol::Messages, captured)
}

async fn at_vertex(token: &str) -> (Stage, Scripted) {
    let scripted = Scripted::start(vertex).await.unwrap();
    let base = format!("{}/v1/projects/p/locations/us-east5", scripted.url());
    let provider = |name: &str, protocol| {
        let key = Credential::Key(token.to_owned().into());
        let spoken = Protocols::of(&[protocol]);
        let provider = Provider::new(name, base.parse().unwrap(), spoken, key).unwrap();
        provider.in_cloud(Cloud::Vertex)
    };
    let providers = vec![
        provider("g", Protocol::Gemini),
        provider("a", Protocol::Messages),
    ];
    (Setting::at(providers).open().await, scripted)
}

#[tokio::test]
async fn every_client_finishes_its_loop_over_vertex() {
    let (stage, scripted) = at_vertex("ya29.token").await;
    for model in ["g/gemini-3-pro", "a/claude-sonnet-4-5@20250929"] {
        for client in CLIENTS {
            for form in [AnswerForm::Whole, AnswerForm::Stream] {
                for called in [None, Some("toolu_1")] {
                    let path = dialect::path(client, model, form);
                    let body = request(client, model, form, called);
                    let seen = post(stage.address, &path, &[], body.as_bytes()).await;
                    assert_eq!(seen.status, 200, "{client} {form:?}: {}", seen.text());
                    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
                    assert!(settled.usage.is_some(), "{client} {form:?} {model}");
                }
            }
        }
    }
    assert_eq!(scripted.captured().len(), 2 * 5 * 2 * 2);
    let body = asking("a/claude-sonnet-4-5@20250929", "hi");
    let path = "/v1/messages/count_tokens";
    let seen = post(stage.address, path, &[], body.as_bytes()).await;
    assert_eq!(seen.text(), r#"{"input_tokens":8}"#);
    let path = "/v1beta/models/g%2Fgemini-3-pro:countTokens";
    let seen = post(
        stage.address,
        path,
        &[],
        br#"{"contents":[{"parts":[{"text":"a"}]}]}"#,
    )
    .await;
    assert_eq!(seen.text(), r#"{"totalTokens":9}"#);
    stage.stop().await;
}

#[tokio::test]
async fn an_error_of_googles_comes_in_the_clients_shape() {
    let (stage, _scripted) = at_vertex("another").await;
    let seen = ask(&stage, &asking("a/claude-sonnet-4-5@20250929", "hi"), &[]).await;
    assert_eq!(seen.status, 401);
    let said: Value = serde_json::from_slice(&seen.body()).unwrap();
    assert_eq!(said["error"]["type"], "authentication_error");
    assert_eq!(said["error"]["message"], "no token");
    stage.stop().await;
}
