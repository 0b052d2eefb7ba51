//! Models that refuse what agents ask of others, each for what its maker's pages say that it refuses.

use rstest::rstest;
use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider as Scripted, Reply};
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{LossKind, Protocol, Protocols};

use crate::client::post;
use crate::dialect::answer;
use crate::stage::{Setting, Stage};

/// What a model of the catalog refuses about a request.
fn refusal(body: &Value) -> Option<&'static str> {
    let effort = body["output_config"]["effort"].as_str();
    let effort = effort.or_else(|| body["reasoning_effort"].as_str());
    let is_one_of = |known: &[&str]| effort.is_none_or(|effort| known.contains(&effort));
    let thinking = body["thinking"]["type"].as_str();
    let budget = body["thinking"]["budget_tokens"].as_u64();
    let limit = body["max_tokens"].as_u64();
    let limit = limit.or_else(|| body["max_completion_tokens"].as_u64());
    let (longest, refused) = match body["model"].as_str()? {
        "claude-haiku-4-5" => (
            64_000,
            [
                (thinking == Some("adaptive"), "adaptive thinking"),
                (effort.is_some(), "effort"),
                (budget >= limit && budget.is_some(), "budget_tokens"),
            ],
        ),
        "claude-opus-5-5" => (
            128_000,
            [
                (matches!(thinking, Some("enabled" | "disabled")), "thinking"),
                (body.get("temperature").is_some(), "temperature"),
                (body["tool_choice"]["type"] == "any", "tool_choice"),
            ],
        ),
        "gpt-4o" => (
            16_384,
            [
                (effort.is_some(), "reasoning_effort"),
                (false, ""),
                (false, ""),
            ],
        ),
        "gpt-5" => (
            128_000,
            [
                (
                    !is_one_of(&["minimal", "low", "medium", "high"]),
                    "reasoning_effort",
                ),
                (body.get("temperature").is_some(), "temperature"),
                (false, ""),
            ],
        ),
        other => panic!("{other} is not scripted"),
    };
    if limit > Some(longest) {
        return Some("max_tokens");
    }
    let refused = refused.into_iter().find(|(is_so, _)| *is_so);
    refused.map(|(_, why)| why)
}

async fn strict() -> (Stage, Scripted) {
    let scripted = Scripted::start(|captured: &Captured| {
        let body: Value = serde_json::from_slice(&captured.body).unwrap();
        if let Some(why) = refusal(&body) {
            return Reply::json(400, format!(r#"{{"error":{{"message":"{why}"}}}}"#));
        }
        let is_chat = captured.path.contains("chat");
        let protocol = if is_chat {
            Protocol::Chat
        } else {
            Protocol::Messages
        };
        answer(protocol, captured)
    })
    .await
    .unwrap();
    let provider = |name: &str, protocol| {
        let url = scripted.url().parse().unwrap();
        Provider::new(name, url, Protocols::of(&[protocol]), Credential::Nothing).unwrap()
    };
    let providers = vec![
        provider("anthropic", Protocol::Messages),
        provider("openai", Protocol::Chat),
    ];
    (Setting::at(providers).open().await, scripted)
}

/// As much as an agent may wish of the best model there is.
fn wish(client: Protocol, model: &str) -> (&'static str, Value) {
    match client {
        Protocol::Messages => (
            "/v1/messages",
            json!({"model": model, "max_tokens": 200_000, "thinking": {"type": "adaptive"},
                "output_config": {"effort": "xhigh"}, "messages": [{"role": "user", "content": "hi"}],
                "tools": [{"name": "f", "input_schema": {"type": "object"}}]}),
        ),
        Protocol::Chat => (
            "/v1/chat/completions",
            json!({"model": model, "max_completion_tokens": 200_000, "reasoning_effort": "xhigh", "temperature": 0,
                "messages": [{"role": "user", "content": "hi"}], "tool_choice": "required",
                "tools": [{"type": "function", "function": {"name": "f"}}]}),
        ),
        _ => (
            "/v1/responses",
            json!({"model": model, "max_output_tokens": 200_000, "reasoning": {"effort": "xhigh"}, "temperature": 0,
                "input": "hi"}),
        ),
    }
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Chat)]
#[case(Protocol::Responses)]
#[tokio::test]
async fn no_model_refuses_what_another_was_meant_for(#[case] client: Protocol) {
    let (stage, scripted) = strict().await;
    let models = [
        "anthropic/claude-haiku-4-5",
        "anthropic/claude-opus-5-5",
        "openai/gpt-4o",
        "openai/gpt-5",
    ];
    // Of one of them nobody says that it does not think, so in its own protocol what is asked for stays.
    let known = |model: &&str| client != Protocol::Chat || *model != "openai/gpt-4o";
    for (index, model) in models.into_iter().filter(known).enumerate() {
        let (path, body) = wish(client, model);
        let seen = post(stage.address, path, &[], body.to_string().as_bytes()).await;
        assert_eq!(seen.status, 200, "{client} to {model}: {}", seen.text());
        assert_eq!(scripted.captured().len(), index + 1, "{client} to {model}");
        let settled = stage.settled(seen.exchange()).await.settled.unwrap();
        let lost = |name: &str| settled.losses.iter().any(|loss| loss.name == name);
        let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        let kinds = || settled.losses.iter().map(|loss| loss.kind);
        let is_bent = kinds().any(|kind| kind == LossKind::Effort) || lost("effort");
        // Anthropic's can be asked for that much, one by an effort and one by tokens.
        assert!(
            limits.into_iter().any(lost) && (is_bent || model.starts_with("anthropic/")),
            "{client} to {model}: {:?}",
            settled.losses
        );
    }
    stage.stop().await;
}

#[tokio::test]
async fn what_the_model_takes_stays_as_it_came() {
    let (stage, scripted) = strict().await;
    let sent = r#"{ "thinking" : {"type":"adaptive"},"model":"anthropic/claude-haiku-4-5", "x" : 1.0,"output_config":{"format":{"a" : 1},"effort":"max"} ,"messages":[{"role":"user","content":"hi"}], "max_tokens":64001}"#;
    let seen = post(stage.address, "/v1/messages", &[], sent.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(
        scripted.captured().pop().unwrap().body,
        r#"{ "model":"claude-haiku-4-5", "x" : 1.0,"output_config":{"format":{"a" : 1}} ,"messages":[{"role":"user","content":"hi"}], "max_tokens":64000}"#
    );
    // Whoever names the model as its maker does knows what it takes.
    let named = sent.replace("anthropic/claude-haiku-4-5", "claude-haiku-4-5");
    let seen = post(stage.address, "/v1/messages", &[], named.as_bytes()).await;
    assert_eq!(seen.status, 400);
    assert_eq!(scripted.captured().pop().unwrap().body, named);
    stage.stop().await;
}
