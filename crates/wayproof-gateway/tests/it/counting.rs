//! Tokens counted before a request is sent.

use rstest::rstest;
use serde_json::{Value, json};
use wayproof_testkit::{Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{Protocol, Protocols};

use crate::client::post;
use crate::stage::{Setting, Stage};

async fn speaking(protocol: Protocol) -> (Stage, Scripted) {
    let scripted = Scripted::start(|_| Reply::json(500, "{}")).await.unwrap();
    let url = scripted.url().parse().unwrap();
    let only = Protocols::of(&[protocol]);
    let provider = Provider::new("p", url, only, Credential::Nothing).unwrap();
    (Setting::at(vec![provider]).open().await, scripted)
}

const MESSAGES: &str = "/v1/messages/count_tokens?beta=true";
const GEMINI: &str = "/v1beta/models/p/m:countTokens";

/// A request whose text is so many words of one token each.
fn asking(path: &str, words: usize) -> String {
    let text = "word ".repeat(words);
    let body = if path == MESSAGES {
        json!({"model": "p/m", "messages": [{"role": "user", "content": text}],
               "tools": [{"name": "read", "description": "Reads a file.", "input_schema": {"type": "object"}}]})
    } else {
        json!({"generateContentRequest": {"model": "models/p/m", "contents": [{"role": "user", "parts": [{"text": text}]}]}})
    };
    body.to_string()
}

#[rstest]
#[case(MESSAGES, Protocol::Chat, "input_tokens")]
#[case(MESSAGES, Protocol::Gemini, "input_tokens")]
#[case(GEMINI, Protocol::Messages, "totalTokens")]
#[case(GEMINI, Protocol::Responses, "totalTokens")]
#[tokio::test]
async fn another_protocol_s_tokens_are_estimated_and_said_to_be(
    #[case] path: &str,
    #[case] provider: Protocol,
    #[case] field: &str,
) {
    let (stage, scripted) = speaking(provider).await;
    let mut counts = Vec::new();
    for words in [500, 1_000] {
        let sent = asking(path, words);
        let seen = post(stage.address, path, &[], sent.as_bytes()).await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        assert_eq!(
            seen.header("x-wayproof-estimate"),
            Some("tokens; method=weights")
        );
        let counted: Value = serde_json::from_str(&seen.text()).unwrap();
        assert_eq!(counted.as_object().unwrap().len(), 1);
        counts.push(counted[field].as_u64().unwrap());

        let detail = stage.settled(seen.exchange()).await;
        let opened = detail.opened.unwrap();
        assert_eq!(opened.housekeeping.as_deref(), Some("count-tokens"));
        let settled = detail.settled.unwrap();
        assert_eq!(settled.outcome.as_str(), "completed");
        assert_eq!((settled.status, settled.usage), (Some(200), None));
        assert!(settled.attempts.is_empty());
        assert_eq!(detail.exchange.job, None);
    }
    let more = counts[1] - counts[0];
    assert!((430..=570).contains(&more), "{counts:?}");
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_provider_of_the_same_protocol_counts_itself() {
    let scripted = Scripted::start(|_| Reply::json(200, r#"{"input_tokens":42}"#))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let sent = asking(MESSAGES, 5);
    let seen = post(stage.address, MESSAGES, &[], sent.as_bytes()).await;
    assert_eq!(seen.text(), r#"{"input_tokens":42}"#);
    assert_eq!(seen.header("x-wayproof-estimate"), None);
    stage.stop().await;
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused_in_the_clients_words() {
    let (stage, _scripted) = speaking(Protocol::Chat).await;
    let sent = r#"{"generateContentRequest":{"cachedContent":"cachedContents/1","contents":[{"parts":[{"text":"x"}]}]}}"#;
    let seen = post(stage.address, GEMINI, &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 400, "{}", seen.text());
    assert!(seen.text().contains("INVALID_ARGUMENT"), "{}", seen.text());
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.outcome.as_str(), "refused");
    stage.stop().await;
}
