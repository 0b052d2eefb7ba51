//! Wishes that are bent to what the model takes, with what was wished for among the losses.

use rstest::rstest;
use serde_json::{Value, json};
use wayproof_wire::{
    Able, Aim, LossKind, Protocol, Refuses, Request, ThinkingStyle, peek, translate_request,
};

use crate::translations::aim;

/// The body that goes out, and what was lost of wishes.
fn sent(
    client: Protocol,
    body: &Value,
    provider: Protocol,
    able: Able<'_>,
) -> (Value, Vec<String>) {
    let body = body.to_string();
    let found = peek(client, body.as_bytes()).unwrap();
    let request = Request {
        body: body.as_bytes(),
        peek: &found,
    };
    let aim = Aim {
        able,
        ..aim(provider)
    };
    let translated = translate_request(&request, &aim).unwrap();
    let kinds = [LossKind::Effort, LossKind::Field, LossKind::ToolChoice];
    let lost = translated.losses.iter();
    let lost = lost.filter(|loss| kinds.contains(&loss.kind));
    (
        serde_json::from_slice(&translated.body).unwrap(),
        lost.map(|loss| loss.name.clone()).collect(),
    )
}

fn words(list: &str) -> Vec<String> {
    list.split_whitespace().map(str::to_owned).collect()
}

fn thinking(thinking: ThinkingStyle, efforts: &[String]) -> Able<'_> {
    Able {
        thinking,
        efforts,
        ..Able::default()
    }
}

#[rstest]
#[case::known("low medium high xhigh", "xhigh", Some("xhigh"), &[])]
#[case::next_lower("low medium high", "max", Some("high"), &["max, as high"])]
#[case::lowest("medium high", "low", Some("medium"), &["low, as medium"])]
#[case::usual("", "xhigh", Some("high"), &["xhigh, as high"])]
#[case::off("none low", "none", Some("none"), &[])]
#[case::never_off("minimal low", "none", Some("minimal"), &["none, as minimal"])]
#[case::off_is_not_known("", "none", None, &["none"])]
fn an_effort_is_one_the_model_has(
    #[case] efforts: &str,
    #[case] wish: &str,
    #[case] becomes: Option<&str>,
    #[case] lost: &[&str],
) {
    let efforts = words(efforts);
    let able = thinking(ThinkingStyle::Adaptive, &efforts);
    let input = json!({"model": "m", "input": "hi", "reasoning": {"effort": wish}});
    let (body, losses) = sent(Protocol::Responses, &input, Protocol::Chat, able);
    assert_eq!(body["reasoning_effort"].as_str(), becomes);
    assert_eq!(losses, lost);

    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "reasoning_effort": wish});
    let (body, losses) = sent(Protocol::Chat, &chat, Protocol::Responses, able);
    assert_eq!(body["reasoning"]["effort"].as_str(), becomes);
    assert_eq!(losses, lost);
}

#[test]
fn what_does_not_think_is_not_asked_to() {
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "reasoning_effort": "high"});
    for style in [ThinkingStyle::Never, ThinkingStyle::Untold] {
        let able = thinking(style, &[]);
        for (provider, field) in [
            (Protocol::Responses, "reasoning"),
            (Protocol::Messages, "thinking"),
            (Protocol::Messages, "output_config"),
        ] {
            let (body, losses) = sent(Protocol::Chat, &chat, provider, able);
            assert_eq!(
                (body.get(field), losses),
                (None, words("high")),
                "{provider}"
            );
        }
    }
    let off = json!({"model": "m", "max_tokens": 9, "thinking": {"type": "disabled"},
        "output_config": {"effort": "high"}, "messages": [{"role": "user", "content": "hi"}]});
    let never = thinking(ThinkingStyle::Never, &[]);
    let (body, losses) = sent(Protocol::Messages, &off, Protocol::Chat, never);
    assert_eq!(body.get("reasoning_effort"), None);
    assert_eq!(losses, ["output_config.effort"]);
}

fn asked(effort: &str, rest: &Value) -> Value {
    let mut body = json!({"model": "m", "reasoning_effort": effort,
        "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(rest.as_object().unwrap().clone());
    body
}

#[test]
fn messages_by_tokens_where_the_model_does_not_adapt() {
    let able = thinking(ThinkingStyle::Budget, &[]);
    let to = |body: &Value, able| sent(Protocol::Chat, body, Protocol::Messages, able);
    let (body, losses) = to(&asked("medium", &json!({"temperature": 0.5})), able);
    assert_eq!(
        body["thinking"],
        json!({"type": "enabled", "budget_tokens": 12_288})
    );
    assert_eq!(
        (body.get("output_config"), body.get("temperature")),
        (None, None)
    );
    assert_eq!(losses, ["temperature"]);
    // Half of the answer is left for what is said.
    let (body, _) = to(&asked("high", &json!({"max_tokens": 8_000})), able);
    assert_eq!(body["thinking"]["budget_tokens"], 4_000);
    let (body, losses) = to(&asked("high", &json!({"max_tokens": 900})), able);
    assert_eq!((body.get("thinking"), losses), (None, words("high")));
    // Some have efforts besides.
    let efforts = words("low medium high");
    let (body, _) = to(
        &asked("xhigh", &json!({})),
        thinking(ThinkingStyle::Budget, &efforts),
    );
    assert_eq!(body["thinking"]["budget_tokens"], 16_000);
    assert_eq!(body["output_config"], json!({"effort": "high"}));
    // A loop that began without thinking goes on without.
    let called = json!({"messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "done"}]});
    let (body, losses) = to(&asked("high", &called), able);
    assert_eq!((body.get("thinking"), losses), (None, words("high")));
    let (body, _) = to(&asked("high", &called), Able::default());
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
}

#[test]
fn gemini_by_level_or_by_tokens() {
    let to = |effort: &str, style| {
        let able = thinking(style, &[]);
        let (body, _) = sent(
            Protocol::Chat,
            &asked(effort, &json!({})),
            Protocol::Gemini,
            able,
        );
        body["generationConfig"]["thinkingConfig"].clone()
    };
    assert_eq!(
        to("medium", ThinkingStyle::Adaptive),
        json!({"thinkingLevel": "medium"})
    );
    assert_eq!(
        to("medium", ThinkingStyle::Budget),
        json!({"thinkingBudget": 12_288})
    );
    assert_eq!(
        to("none", ThinkingStyle::Budget),
        json!({"thinkingBudget": 0})
    );
    assert_eq!(to("medium", ThinkingStyle::Never), Value::Null);
}

#[test]
fn thinking_is_switched_off_where_it_can_be() {
    let off = asked("none", &json!({}));
    let (body, losses) = sent(Protocol::Chat, &off, Protocol::Messages, Able::default());
    assert_eq!(
        (body["thinking"].clone(), losses.len()),
        (json!({"type": "disabled"}), 0)
    );
    let efforts = words("low high");
    let always = Able {
        efforts: &efforts,
        refuses: Refuses {
            no_thinking: true,
            ..Refuses::default()
        },
        ..Able::default()
    };
    let (body, losses) = sent(Protocol::Chat, &off, Protocol::Messages, always);
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(body["output_config"], json!({"effort": "low"}));
    assert_eq!(losses, ["none, as low"]);
}

#[test]
fn sampling_and_orders_are_left_off_where_they_are_refused() {
    let able = Able {
        refuses: Refuses {
            sampling: true,
            forced_tool: true,
            no_thinking: false,
        },
        ..Able::default()
    };
    let wish = asked(
        "high",
        &json!({"temperature": 0, "top_p": 0.9, "tool_choice": "required",
            "tools": [{"type": "function", "function": {"name": "f"}}]}),
    );
    let (body, losses) = sent(Protocol::Chat, &wish, Protocol::Messages, able);
    assert_eq!((body.get("temperature"), body.get("top_p")), (None, None));
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    assert_eq!(losses, ["temperature", "top_p", "that a tool is called"]);
}

#[test]
fn an_answer_is_no_longer_than_the_model_writes() {
    let able = Able {
        output_limit: Some(8_192),
        ..Able::default()
    };
    let wish = json!({"model": "m", "max_tokens": 128_000, "messages": [{"role": "user", "content": "hi"}]});
    let (body, _) = sent(Protocol::Messages, &wish, Protocol::Chat, able);
    assert_eq!(body["max_tokens"], 8_192);
    let chat = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    let (body, _) = sent(Protocol::Chat, &chat, Protocol::Messages, able);
    assert_eq!(body["max_tokens"], 8_192);
}
