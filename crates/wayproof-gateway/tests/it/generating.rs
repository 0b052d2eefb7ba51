//! Ollama's `/api/generate` at providers of every protocol.

use rstest::rstest;
use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{AnswerForm, LossKind, Protocol, Protocols};

use crate::client::{Seen, post};
use crate::dialect::{DONE, events};
use crate::hearing::data;
use crate::stage::{Setting, Stage};

const PROVIDERS: [Protocol; 4] = [
    Protocol::Messages,
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Gemini,
];

async fn speaking(
    protocol: Protocol,
    handler: impl Fn(&Captured) -> Reply + Send + Sync + 'static,
) -> (Stage, Scripted) {
    let scripted = Scripted::start(handler).await.unwrap();
    let url = scripted.url().parse().unwrap();
    let only = Protocols::of(&[protocol]);
    let provider = Provider::new("p", url, only, Credential::Nothing).unwrap();
    (Setting::at(vec![provider]).open().await, scripted)
}

async fn generate(stage: &Stage, body: &Value) -> Seen {
    let body = body.to_string();
    post(stage.address, "/api/generate", &[], body.as_bytes()).await
}

/// Lines of an answer, joined.
fn response(lines: &[Value]) -> String {
    let texts = lines.iter().map(|line| line["response"].as_str().unwrap());
    texts.collect()
}

#[tokio::test]
async fn a_prompt_is_answered_by_any_provider() {
    for provider in PROVIDERS {
        // It gives the text at the end of the two turns that every dialect has.
        let (stage, scripted) =
            speaking(provider, move |_| Reply::events(events(provider, true))).await;
        let body = json!({"model": "p/m", "prompt": "Fix \"it\"\n", "system": "Be brief.", "think": false,
            "options": {"num_predict": 70, "num_ctx": 4096}, "keep_alive": "5m", "context": [1, 2]});
        let seen = generate(&stage, &body).await;
        assert_eq!(seen.header("content-type"), Some("application/x-ndjson"));
        let lines = data(&seen.text());
        assert_eq!(response(&lines), DONE, "{provider}: {}", seen.text());
        for line in &lines {
            assert_eq!(line.get("message"), None, "{line}");
            assert!(line["created_at"].is_string() && line["model"].is_string());
        }
        let last = lines.last().unwrap();
        assert_eq!(
            (&last["done"], &last["done_reason"]),
            (&json!(true), &json!("stop"))
        );
        assert_eq!(
            (&last["prompt_eval_count"], &last["eval_count"]),
            (&json!(100), &json!(9))
        );

        let captured = scripted.captured().remove(0);
        let sent = String::from_utf8(captured.body.to_vec()).unwrap();
        assert!(
            sent.contains(r#"Fix \"it\"\n"#) && sent.contains("Be brief.") && sent.contains("70"),
            "{sent}"
        );
        let detail = stage.settled(seen.exchange()).await;
        assert!(detail.exchange.job.is_some(), "a prompt is an ask");
        let settled = detail.settled.unwrap();
        let lost: Vec<&str> = settled
            .losses
            .iter()
            .map(|loss| loss.name.as_str())
            .collect();
        for name in ["context", "num_ctx"] {
            assert!(lost.contains(&name), "{lost:?}");
        }
        assert_eq!(settled.usage.unwrap().output, Some(9));
        stage.stop().await;
    }
}

#[rstest]
#[case(json!({"suffix": "\n    return total"}), "suffix")]
#[case(json!({"raw": true}), "")]
#[tokio::test]
async fn a_gap_to_fill_is_asked_for_in_words_and_is_no_job(
    #[case] wish: Value,
    #[case] loss: &str,
) {
    let answered = r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"total = 0"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    let (stage, scripted) = speaking(Protocol::Chat, move |_| Reply::json(200, answered)).await;
    let mut body = json!({"model": "p/m", "prompt": "def f():\n    ", "stream": false});
    body.as_object_mut()
        .unwrap()
        .extend(wish.as_object().unwrap().clone());
    let seen = generate(&stage, &body).await;
    let said: Value = serde_json::from_str(&seen.text()).unwrap();
    assert_eq!(
        (&said["response"], &said["done"]),
        (&json!("total = 0"), &json!(true))
    );
    let sent: Value = serde_json::from_slice(&scripted.captured().remove(0).body).unwrap();
    let asked = sent["messages"][1]["content"].as_str().unwrap();
    assert!(asked.contains("def f():\n    "), "{asked}");
    assert_eq!(asked.contains("    return total"), loss == "suffix");
    let detail = stage.settled(seen.exchange()).await;
    assert_eq!(detail.exchange.job, None);
    assert_eq!(
        detail.opened.unwrap().housekeeping.as_deref(),
        Some("autocomplete")
    );
    let losses = detail.settled.unwrap().losses;
    let told = losses
        .iter()
        .find(|lost| lost.kind == LossKind::Continuation);
    assert_eq!(told.unwrap().name, loss);
    stage.stop().await;
}

#[rstest]
#[case("/api/generate", "response", json!({"model": "p/m", "keep_alive": "5m"}))]
#[case("/api/generate", "response", json!({"model": "p/m", "prompt": ""}))]
#[case("/api/chat", "message", json!({"model": "p/m", "messages": []}))]
#[tokio::test]
async fn a_model_that_is_only_to_be_loaded_is_there(
    #[case] path: &str,
    #[case] field: &str,
    #[case] body: Value,
) {
    let (stage, scripted) = speaking(Protocol::Chat, |_| Reply::json(500, "{}")).await;
    let seen = post(stage.address, path, &[], body.to_string().as_bytes()).await;
    let said: Value = serde_json::from_str(&seen.text()).unwrap();
    assert_eq!(
        (&said["done"], &said["done_reason"]),
        (&json!(true), &json!("load"))
    );
    assert!(said.get(field).is_some(), "{said}");
    assert!(scripted.captured().is_empty());
    let settled = stage.settled(seen.exchange()).await.settled.unwrap();
    assert_eq!(settled.outcome.as_str(), "completed");
    stage.stop().await;
}

#[tokio::test]
async fn ollama_itself_gets_it_as_it_came() {
    let lines = "{\"model\":\"m\",\"response\":\"a\",\"done\":false}\n{\"model\":\"m\",\"response\":\"\",\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":5,\"eval_count\":2}\n";
    let (stage, scripted) = speaking(Protocol::Ollama, move |_| {
        let mut reply = Reply::events([lines]);
        reply.headers = vec![("content-type".to_owned(), "application/x-ndjson".to_owned())];
        reply
    })
    .await;
    let body = r#"{"model" :"p/qwen:7b", "prompt":"a","raw":true,"template":"x"}"#;
    let seen = post(stage.address, "/api/generate", &[], body.as_bytes()).await;
    assert_eq!(seen.text(), lines);
    let captured = scripted.captured().remove(0);
    assert_eq!(
        (captured.path.as_str(), &captured.body[..]),
        ("/api/generate", body.replace("p/qwen", "qwen").as_bytes())
    );
    let usage = stage
        .settled(seen.exchange())
        .await
        .settled
        .unwrap()
        .usage
        .unwrap();
    assert_eq!((usage.input, usage.output), (Some(5), Some(2)));
    stage.stop().await;
}

#[tokio::test]
async fn a_provider_s_error_comes_in_ollama_s_words() {
    let (stage, _scripted) = speaking(Protocol::Chat, |_| {
        Reply::json(
            400,
            r#"{"error":{"message":"no such model","type":"invalid_request_error"}}"#,
        )
    })
    .await;
    let seen = generate(&stage, &json!({"model": "p/m", "prompt": "x"})).await;
    assert_eq!(
        (seen.status, seen.text()),
        (400, r#"{"error":"no such model"}"#.to_owned())
    );
    let form = AnswerForm::Whole;
    assert!(!crate::hearing::read(Protocol::Ollama, form, &seen.text()).is_complete);
    stage.stop().await;
}
