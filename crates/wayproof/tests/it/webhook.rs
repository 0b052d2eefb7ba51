//! Who hears of budgets, verdicts and escalations by webhook.

use std::time::Duration;

use serde_json::Value;
use wayproof_testkit::{Captured, Provider, Reply};

use crate::{environment::Environment, up::Up};

const ANSWER: &str = r#"{"id":"c","object":"chat.completion","model":"gpt-5.5","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":1000,"total_tokens":2000}}"#;

fn told(captured: &[Captured], kind: &str) -> Vec<Value> {
    captured
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap())
        .filter(|message| message["type"] == kind)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_near_its_limit_is_told_once_and_signed() {
    let environment = Environment::new();
    let model = Provider::start(|_| Reply::json(200, ANSWER)).await.unwrap();
    let receiver = Provider::start(|_| Reply::json(200, "")).await.unwrap();
    let url = format!("{}/hook", receiver.url());
    let args = [
        "--webhook",
        &url,
        "--webhook-secret-env",
        "PATH",
        "--webhook-on",
        "budget,books",
    ];
    // A paid provider: free ones and those of this machine draw on no budget.
    let set = environment.run(&[
        "budgets", "set", "everyone", "1 USD", "--per", "day", "--soft", "1%",
    ]);
    assert_eq!(set.status, 0, "{set:?}");
    let up = Up::start_with("openai", &environment, &model, &args).await;
    tokio::task::block_in_place(|| {
        for _ in 0..2 {
            let answer = up.post(
                "/v1/chat/completions",
                r#"{"model":"openai/gpt-5.5","max_tokens":1000,"messages":[{"role":"user","content":"hi"}]}"#,
            );
            assert!(answer.contains("hello"), "{answer}");
        }
    });
    let alerts = loop {
        let alerts = told(&receiver.captured(), "budget");
        if !alerts.is_empty() {
            break alerts;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let alert = &alerts[0]["data"];
    assert_eq!(alert["level"], "near", "{alert}");
    assert_eq!(alert["limit_nano_usd"], 1_000_000_000);
    assert!(
        alert["starts_anew"].as_str().unwrap().ends_with('Z'),
        "{alert}"
    );
    let captured = receiver.captured();
    let request = captured.last().unwrap();
    assert_eq!(request.path, "/hook");
    assert!(
        request
            .header("webhook-signature")
            .unwrap()
            .starts_with("v1,")
    );
    assert!(request.header("webhook-id").unwrap().starts_with("budget_"));
    // What was told is remembered over a restart.
    assert_eq!(tokio::task::block_in_place(|| up.stop()), 0);
    std::fs::remove_file(environment.path("port")).unwrap();
    let up = Up::start_with("openai", &environment, &model, &args).await;
    assert_eq!(tokio::task::block_in_place(|| up.stop()), 0);
    assert_eq!(told(&receiver.captured(), "budget").len(), 1);
    receiver.stop().await;
    model.stop().await;
}

#[test]
fn a_webhook_that_is_none_is_named_without_its_address() {
    let environment = Environment::new();
    let said = environment.run(&["up", "--webhook", "https://x:hunter2@host"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(!said.err.contains("hunter2"), "{said:?}");
    let said = environment.run(&["up", "--webhook", "http://h", "--webhook-on", "everything"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("budget"), "{said:?}");
}
