//! Legacy Completions and Mistral's fill-in-the-middle: what editors send at every pause.

use rstest::rstest;
use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{LossKind, Protocol, Protocols};

use crate::client::{Seen, post};
use crate::hearing::data;
use crate::stage::{Setting, Stage};

async fn speaking(
    protocols: &[Protocol],
    handler: impl Fn(&Captured) -> Reply + Send + Sync + 'static,
) -> (Stage, Scripted) {
    let scripted = Scripted::start(handler).await.unwrap();
    let url = scripted.url().parse().unwrap();
    let only = Protocols::of(protocols);
    let provider = Provider::new("p", url, only, Credential::Nothing).unwrap();
    (Setting::at(vec![provider]).open().await, scripted)
}

const LEGACY: &str = "/v1/completions";
const FIM: &str = "/v1/fim/completions";
const USAGE: &str = r#""usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}"#;

/// What a provider answers to a gap, by the route it was asked by.
fn filled(captured: &Captured) -> Reply {
    let body: Value = serde_json::from_slice(&captured.body).unwrap();
    let piece = if captured.path == LEGACY {
        r#""text":"x + y""#
    } else if body["stream"] == true {
        r#""delta":{"content":"x + y"}"#
    } else {
        r#""message":{"role":"assistant","content":"x + y"}"#
    };
    let head = r#""id":"c","object":"o","created":1,"model":"m""#;
    if body["stream"] == true {
        Reply::events([
            format!(
                "data: {{{head},\"choices\":[{{\"index\":0,{piece},\"finish_reason\":null}}]}}\n\n"
            ),
            format!(
                "data: {{{head},\"choices\":[{{\"index\":0,\"delta\":{{}},\"text\":\"\",\"finish_reason\":\"stop\"}}],{USAGE}}}\n\n"
            ),
            "data: [DONE]\n\n".to_owned(),
        ])
    } else {
        Reply::json(
            200,
            format!(
                "{{{head},\"choices\":[{{\"index\":0,{piece},\"finish_reason\":\"stop\"}}],{USAGE}}}"
            ),
        )
    }
}

async fn ask(stage: &Stage, path: &str, is_streaming: bool) -> Seen {
    let body = json!({"model": "p/m", "prompt": "def add(x, y):\n    return ", "suffix": "\n\nprint(add(1, 2))", "max_tokens": 48,
                      "temperature": 0, "stop": ["\n\n"], "stream": is_streaming, "echo": true});
    post(stage.address, path, &[], body.to_string().as_bytes()).await
}

/// The text of an answer in the shape of the route.
fn text(path: &str, is_streaming: bool, seen: &Seen) -> String {
    let answers = if is_streaming {
        assert!(seen.text().ends_with("data: [DONE]\n\n"), "{}", seen.text());
        data(&seen.text())
    } else {
        vec![serde_json::from_str(&seen.text()).unwrap()]
    };
    let texts = answers.iter().filter_map(|answer| {
        let choice = &answer["choices"][0];
        let text = match (path, is_streaming) {
            (LEGACY, _) => &choice["text"],
            (_, true) => &choice["delta"]["content"],
            (_, false) => &choice["message"]["content"],
        };
        text.as_str().map(ToOwned::to_owned)
    });
    texts.collect()
}

#[rstest]
#[tokio::test]
async fn a_provider_that_speaks_it_gets_it_as_it_came(
    #[values(LEGACY, FIM)] path: &'static str,
    #[values(false, true)] is_streaming: bool,
) {
    let both = [Protocol::Completions, Protocol::Fim, Protocol::Chat];
    let (stage, scripted) = speaking(&both, filled).await;
    let seen = ask(&stage, path, is_streaming).await;
    assert_eq!(text(path, is_streaming, &seen), "x + y");
    let captured = scripted.captured().remove(0);
    assert_eq!(captured.path, path);
    let sent = String::from_utf8(captured.body.to_vec()).unwrap();
    assert!(
        sent.contains(r#""model":"m""#) && sent.contains(r#""echo":true"#),
        "{sent}"
    );
    let detail = stage.settled(seen.exchange()).await;
    let opened = detail.opened.unwrap();
    assert_eq!(opened.housekeeping.as_deref(), Some("autocomplete"));
    assert_eq!(opened.task, "housekeeping");
    assert_eq!(
        (detail.exchange.job, detail.exchange.session.as_deref()),
        (None, Some("autocomplete-other"))
    );
    let settled = detail.settled.unwrap();
    assert_eq!(settled.outcome.as_str(), "completed");
    assert_eq!(
        (settled.asked_in, settled.usage.unwrap().output),
        (None, Some(2))
    );
    stage.stop().await;
}

#[rstest]
#[case(LEGACY, Protocol::Fim, FIM)]
#[case(FIM, Protocol::Completions, LEGACY)]
#[tokio::test]
async fn one_is_said_as_the_other_without_words_around_it(
    #[case] path: &str,
    #[case] provider: Protocol,
    #[case] asked: &str,
    #[values(false, true)] is_streaming: bool,
) {
    let (stage, scripted) = speaking(&[provider, Protocol::Chat], filled).await;
    let seen = ask(&stage, path, is_streaming).await;
    assert_eq!(text(path, is_streaming, &seen), "x + y", "{}", seen.text());
    let captured = scripted.captured().remove(0);
    assert_eq!(captured.path, asked);
    let sent: Value = serde_json::from_slice(&captured.body).unwrap();
    assert_eq!(sent["prompt"], "def add(x, y):\n    return ");
    assert_eq!(sent["suffix"], "\n\nprint(add(1, 2))");
    assert_eq!(
        (&sent["max_tokens"], &sent["stop"]),
        (&json!(48), &json!(["\n\n"]))
    );
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.asked_in, Some(provider));
    let lost: Vec<&str> = settled
        .losses
        .iter()
        .map(|loss| loss.name.as_str())
        .collect();
    assert_eq!(lost, ["echo"]);
    stage.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_model_that_only_converses_is_asked_in_words(
    #[values(LEGACY, FIM)] path: &'static str,
    #[values(false, true)] is_streaming: bool,
) {
    let (stage, scripted) = speaking(&[Protocol::Chat], filled).await;
    let seen = ask(&stage, path, is_streaming).await;
    assert_eq!(text(path, is_streaming, &seen), "x + y", "{}", seen.text());
    let captured = scripted.captured().remove(0);
    assert_eq!(captured.path, "/v1/chat/completions");
    let sent: Value = serde_json::from_slice(&captured.body).unwrap();
    let asked = sent["messages"][1]["content"].as_str().unwrap();
    assert_eq!(
        asked,
        "<before>\ndef add(x, y):\n    return \n</before>\n<after>\n\n\nprint(add(1, 2))\n</after>"
    );
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    let told = settled
        .losses
        .iter()
        .find(|lost| lost.kind == LossKind::Continuation);
    assert_eq!(told.unwrap().name, "suffix");
    stage.stop().await;
}

#[tokio::test]
async fn token_numbers_are_refused_across_protocols() {
    let (stage, scripted) = speaking(&[Protocol::Messages], filled).await;
    let sent = br#"{"model":"p/m","prompt":[1,2,3]}"#;
    let seen = post(stage.address, LEGACY, &[], sent).await;
    assert_eq!(seen.status, 400);
    assert!(seen.text().contains("send it as text"), "{}", seen.text());
    assert!(
        seen.text().contains("invalid_request_error"),
        "{}",
        seen.text()
    );
    assert!(scripted.captured().is_empty());
    stage.stop().await;
}
