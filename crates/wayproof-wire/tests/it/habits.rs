//! Providers that keep to less than Chat.

use serde_json::{Value, json};
use wayproof_wire::{ChatHabits, LossKind, Protocol, Request, peek, translate_request};

use crate::translations::aim;

fn to_chat(client: Protocol, body: &Value, habits: ChatHabits) -> (Value, Vec<String>) {
    let body = body.to_string();
    let found = peek(client, body.as_bytes()).unwrap();
    let request = Request {
        body: body.as_bytes(),
        peek: &found,
    };
    let aim = wayproof_wire::Aim {
        habits,
        ..aim(Protocol::Chat)
    };
    let translated = translate_request(&request, &aim).unwrap();
    let lost = translated.losses.into_iter();
    let lost = lost
        .filter(|loss| loss.kind == LossKind::Field)
        .map(|loss| loss.name);
    let sent = serde_json::from_slice(&translated.body).unwrap();
    (sent, lost.collect())
}

fn conversation() -> Value {
    json!({"model": "m", "max_tokens": 9, "stream": true, "messages": [
        {"role": "user", "content": "Read both."},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "toolu_01A", "name": "read", "input": {}},
            {"type": "tool_use", "id": "abcDEF123", "name": "read", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "abcDEF123", "content": "b"},
            {"type": "tool_result", "tool_use_id": "toolu_01A", "content": "a"}]}]})
}

#[test]
fn ids_are_short_where_only_such_are_taken() {
    let habits = ChatHabits {
        refused: &["stream_options"],
        has_short_ids: true,
        ..ChatHabits::default()
    };
    let (sent, _) = to_chat(Protocol::Messages, &conversation(), habits);
    let calls = &sent["messages"][1]["tool_calls"];
    let (first, second) = (
        calls[0]["id"].as_str().unwrap(),
        calls[1]["id"].as_str().unwrap(),
    );
    assert!(first.len() == 9 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(second, "abcDEF123");
    assert_eq!(sent["messages"][2]["tool_call_id"], second);
    assert_eq!(sent["messages"][3]["tool_call_id"], first);
    assert_eq!(
        (&sent["stream"], sent.get("stream_options")),
        (&json!(true), None)
    );

    let (sent, _) = to_chat(Protocol::Messages, &conversation(), ChatHabits::default());
    assert_eq!(sent["messages"][1]["tool_calls"][0]["id"], "toolu_01A");
    assert_eq!(sent["stream_options"], json!({"include_usage": true}));
}

#[test]
fn a_field_that_is_refused_is_lost_and_said_to_be() {
    let body = json!({"model": "m", "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"seed": 7, "presencePenalty": 0.1, "temperature": 0.2}});
    let habits = ChatHabits {
        refused: &["seed"],
        has_short_ids: false,
        ..ChatHabits::default()
    };
    let (sent, lost) = to_chat(Protocol::Gemini, &body, habits);
    assert_eq!(
        (sent.get("seed"), &sent["presence_penalty"]),
        (None, &json!(0.1))
    );
    assert_eq!(lost, ["seed"]);
    let (sent, lost) = to_chat(Protocol::Gemini, &body, ChatHabits::default());
    assert_eq!((&sent["seed"], lost.len()), (&json!(7), 0));
}
