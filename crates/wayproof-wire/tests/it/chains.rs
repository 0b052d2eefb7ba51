//! Conversations whose turns say only what is new.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::{prop_assert, prop_assert_eq, proptest};
use rstest::rstest;
use serde_json::{Value, json};
use wayproof_wire::{Chain, ChainStep, ChainTurn, Protocol, chain_error, peek};

fn ask(chain: &mut Chain, message: &Value) -> ChainTurn {
    match chain.step(message.to_string().as_bytes(), "mint", 7) {
        ChainStep::Ask(turn) => turn,
        other => panic!("{other:?}"),
    }
}

fn sent(turn: &ChainTurn) -> Value {
    serde_json::from_slice(&turn.body).unwrap()
}

/// Answers a turn with these items.
fn answer(chain: &mut Chain, mut turn: ChainTurn, id: &str, outputs: &[Value]) {
    for item in outputs {
        let event = json!({"type": "response.output_item.done", "item": item});
        turn.heard(event.to_string().as_bytes());
    }
    let event = json!({"type": "response.completed", "response": {"id": id, "output": []}});
    turn.heard(event.to_string().as_bytes());
    chain.close(turn);
}

fn create(input: &Value, previous: Option<&str>) -> Value {
    json!({"type": "response.create", "model": "m", "store": false, "input": input, "previous_response_id": previous})
}

fn items() -> impl Strategy<Value = Vec<Value>> {
    let item = any::<String>().prop_map(|text| json!({"type": "message", "content": text}));
    vec(item, 0..4)
}

proptest! {
    #[test]
    fn a_chain_of_turns_is_one_conversation(turns in vec((items(), items()), 1..5)) {
        let mut chain = Chain::default();
        let mut whole = Vec::new();
        let mut previous: Option<String> = None;
        for (number, (input, outputs)) in turns.into_iter().enumerate() {
            let turn = ask(&mut chain, &create(&json!(input), previous.as_deref()));
            whole.extend(input);
            prop_assert_eq!(&sent(&turn)["input"], &json!(whole));
            let id = format!("resp_{number}");
            answer(&mut chain, turn, &id, &outputs);
            whole.extend(outputs);
            previous = Some(id);
        }
    }
}

/// Messages that may be anything, with names that the chain looks for.
fn message() -> impl Strategy<Value = String> {
    let name = (0..NAMES.len()).prop_map(|index| NAMES[index]);
    let value = (0..VALUES.len()).prop_map(|index| VALUES[index]);
    vec((name, value), 0..8).prop_map(|fields| {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("\"{name}\": {value}"))
            .collect();
        format!("{{\"type\":\"response.create\",{}}}", fields.join(",")).replace(",}", "}")
    })
}

const NAMES: [&str; 8] = [
    "input",
    "previous_response_id",
    "generate",
    "store",
    "stream",
    "client_metadata",
    "type",
    "mod\\u0065l",
];
const VALUES: [&str; 10] = [
    "null",
    "false",
    "true",
    "\"r\"",
    "[]",
    "[1, \"a\", {\"b\": [2]}]",
    "{\"x-codex-a\": \"b\"}",
    "\"\\ud800 \\u0000\"",
    "-1.5e3",
    "\"response.create\"",
];

proptest! {
    #[test]
    fn every_turn_is_a_request_that_can_be_read(messages in vec(message(), 1..6)) {
        let mut chain = Chain::default();
        for message in &messages {
            let step = chain.step(message.as_bytes(), "mint", 7);
            let ChainStep::Ask(mut turn) = step else { continue };
            let found = peek(Protocol::Responses, &turn.body).unwrap();
            prop_assert!(found.is_streaming);
            turn.heard(br#"{"type":"response.completed","response":{"id":"r","output":[{"type":"message"}]}}"#);
            chain.close(turn);
        }
    }
}

#[test]
fn bytes_of_items_and_fields_stay_as_they_came() {
    let message = br#"{"type":"response.create","input":[ {"a" : 1.0,"content":"\u00e9"} ],"x": [1, 2],"generate":true,"stream":false}"#;
    let ChainStep::Ask(turn) = Chain::default().step(message, "mint", 7) else {
        panic!("no turn")
    };
    let expected = r#"{"stream":true,"input":[{"a" : 1.0,"content":"\u00e9"}],"x":[1, 2]}"#;
    assert_eq!(String::from_utf8(turn.body).unwrap(), expected);
}

#[rstest]
#[case::nobody_kept_it(json!({"type": "reasoning", "summary": []}), false, false)]
#[case::sealed(json!({"type": "reasoning", "encrypted_content": "x"}), false, true)]
#[case::kept(json!({"type": "reasoning", "id": "rs_1"}), true, true)]
fn reasoning_goes_back_where_it_can_be_read(
    #[case] item: Value,
    #[case] is_stored: bool,
    #[case] goes_back: bool,
) {
    let mut chain = Chain::default();
    let mut first = create(&json!("hi"), None);
    first["store"] = json!(is_stored);
    let turn = ask(&mut chain, &first);
    answer(&mut chain, turn, "r", std::slice::from_ref(&item));
    let turn = ask(&mut chain, &create(&json!([]), Some("r")));
    let input = sent(&turn)["input"].as_array().unwrap().clone();
    assert_eq!(input.contains(&item), goes_back);
    assert_eq!(
        input[0],
        json!({"type": "message", "role": "user", "content": "hi"})
    );
}

#[test]
fn a_turn_without_an_end_changes_nothing() {
    let mut chain = Chain::default();
    let turn = ask(&mut chain, &create(&json!("one"), None));
    answer(
        &mut chain,
        turn,
        "r",
        &[json!({"type": "message", "content": "1"})],
    );
    let mut cut = ask(&mut chain, &create(&json!("two"), Some("r")));
    cut.heard(br#"{"type":"response.output_item.done","item":{"type":"message"}}"#);
    chain.close(cut);
    let turn = ask(&mut chain, &create(&json!("two"), Some("r")));
    assert_eq!(sent(&turn)["input"].as_array().unwrap().len(), 3);
}

#[test]
fn metadata_becomes_the_headers_that_it_stands_for() {
    let mut message = create(&json!([]), None);
    message["client_metadata"] = json!({"x-codex-turn-metadata": "{\"turn_id\":\"t\"}", "authorization": "no", "x-codex-bad": "a\nb"});
    let turn = ask(&mut Chain::default(), &message);
    let headers: Vec<(&str, &str)> = turn
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("x-codex-turn-metadata", "{\"turn_id\":\"t\"}")]);
}

#[test]
fn an_acknowledgement_is_not_answered() {
    let mut chain = Chain::default();
    let turn = ask(&mut chain, &create(&json!("hi"), None));
    answer(&mut chain, turn, "r", &[]);
    let step = chain.step(
        br#"{"type":"response.processed","response_id":"r"}"#,
        "mint",
        7,
    );
    assert!(matches!(step, ChainStep::Kept(events) if events.is_empty()));
    let turn = ask(&mut chain, &create(&json!("on"), Some("r")));
    assert_eq!(sent(&turn)["input"].as_array().unwrap().len(), 2);
}

#[test]
fn what_is_no_message_is_said_to_be_none() {
    for message in ["{", "[]", r#"{"type":"x"}"#, "{}"] {
        let step = Chain::default().step(message.as_bytes(), "mint", 7);
        let ChainStep::Refused(event) = step else {
            panic!("{step:?}")
        };
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(
            (&event["type"], &event["status"]),
            (&json!("error"), &json!(400))
        );
    }
    let event: Value = serde_json::from_str(&chain_error(502, b"<html>", None)).unwrap();
    assert_eq!(event["error"]["message"], "<html>");
}
