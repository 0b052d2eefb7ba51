//! Properties of translation that hold for every request and every stream.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};
use wayproof_wire::{
    AnswerForm, AnswerReader, Memo, Protocol, Request, Stop, peek, translate_error,
    translate_request,
};

use crate::translations::{TRANSLATED, aim, answer, exchange};

fn protocol() -> impl Strategy<Value = Protocol> {
    (0..TRANSLATED.len()).prop_map(|index| TRANSLATED[index])
}

const WORDS: &str = "user assistant model system tool text tool_use tool_result function_call function_call_output reasoning thinking image input_image custom namespace auto";
const KEYS: &str = "role content type text id name input tool_calls function arguments parts functionCall functionResponse response call_id output tool_use_id tool_call_id source image_url summary thinking signature args tools data";

/// Values of the wrong kind, and words that readers look for.
fn value() -> BoxedStrategy<Value> {
    let words: Vec<&str> = WORDS.split(' ').collect();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (0..words.len()).prop_map(move |index| Value::from(words[index])),
    ];
    let keys: Vec<&str> = KEYS.split(' ').collect();
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let keys = keys.clone();
        let member = (
            (0..keys.len()).prop_map(move |index| keys[index].to_owned()),
            inner.clone(),
        );
        prop_oneof![
            vec(inner, 0..5).prop_map(Value::from),
            vec(member, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
    .boxed()
}

fn request(client: Protocol, items: &Value, tools: &Value, rest: &Value) -> Vec<u8> {
    let mut body = json!({ "model": "m", "tools": tools, "system": rest, "tool_choice": rest, "thinking": rest });
    body[client.conversation_field()] = items.clone();
    body.to_string().into_bytes()
}

/// What a model says, without any protocol.
#[derive(Clone, Debug)]
enum Saying {
    Thought(String),
    Text(String),
    Call(Vec<String>),
}

fn sayings() -> impl Strategy<Value = Vec<Saying>> {
    let text = || "[a-zé\"\\\\\n😀]{1,12}";
    let piece = prop_oneof![
        text().prop_map(Saying::Thought),
        text().prop_map(Saying::Text),
        vec(text(), 0..4).prop_map(Saying::Call),
    ];
    vec(piece, 1..8)
}

/// The sayings as a stream of Messages.
fn stream(sayings: &[Saying]) -> String {
    let mut events = vec![
        json!({"type":"message_start","message":{"id":"m","model":"x","usage":{"input_tokens":7}}}),
    ];
    let mut has_calls = false;
    for (index, saying) in sayings.iter().enumerate() {
        let (block, deltas) = match saying {
            Saying::Thought(text) => (
                json!({"type":"thinking","thinking":""}),
                vec![
                    json!({"type":"thinking_delta","thinking":text}),
                    json!({"type":"signature_delta","signature":"c2ln"}),
                ],
            ),
            Saying::Text(text) => (
                json!({"type":"text","text":""}),
                vec![json!({"type":"text_delta","text":text})],
            ),
            Saying::Call(values) => {
                has_calls = true;
                let input = json!({ "values": values }).to_string();
                let deltas = input.chars().collect::<Vec<_>>();
                let deltas = deltas.chunks(5).map(|piece| json!({"type":"input_json_delta","partial_json":piece.iter().collect::<String>()}));
                (
                    json!({"type":"tool_use","id":format!("call_{index}"),"name":"run","input":{}}),
                    deltas.collect(),
                )
            }
        };
        events.push(json!({"type":"content_block_start","index":index,"content_block":block}));
        events.extend(
            deltas
                .into_iter()
                .map(|delta| json!({"type":"content_block_delta","index":index,"delta":delta})),
        );
        events.push(json!({"type":"content_block_stop","index":index}));
    }
    let reason = if has_calls { "tool_use" } else { "end_turn" };
    events.push(
        json!({"type":"message_delta","delta":{"stop_reason":reason},"usage":{"output_tokens":9}}),
    );
    events.push(json!({"type":"message_stop"}));
    events
        .iter()
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap()
            )
        })
        .collect()
}

/// What a whole answer of Messages says: text, thoughts and calls, each joined.
fn said(answer: &[u8]) -> (String, Vec<Value>, Value) {
    let answer: Value = serde_json::from_slice(answer).unwrap();
    let mut text = String::new();
    let mut calls = Vec::new();
    for block in answer["content"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "text" => text.push_str(block["text"].as_str().unwrap()),
            "tool_use" => calls.push(json!([block["name"], block["input"]])),
            _ => {}
        }
    }
    (text, calls, answer["stop_reason"].clone())
}

proptest! {
    #[test]
    fn any_request_becomes_a_valid_one(
        client in protocol(),
        provider in protocol(),
        items in vec(value(), 1..6),
        tools in value(),
        rest in value(),
    ) {
        let body = request(client, &Value::from(items), &tools, &rest);
        let found = peek(client, &body).unwrap();
        let request = Request { body: &body, peek: &found };
        if let Ok(translated) = translate_request(&request, &aim(provider)) {
            let parsed: Value = serde_json::from_slice(&translated.body).unwrap();
            prop_assert!(parsed.is_object());
        }
    }

    #[test]
    fn any_bytes_end_in_an_answer_or_a_fault(
        client in protocol(),
        provider in protocol(),
        frames in vec(value(), 0..8),
        noise in vec(any::<u8>(), 0..40),
        is_stream in any::<bool>(),
    ) {
        let mut bytes: Vec<u8> = frames.iter().flat_map(|frame| format!("data: {frame}\n\n").into_bytes()).collect();
        bytes.extend(noise);
        let form = if is_stream { AnswerForm::Stream } else { AnswerForm::Whole };
        let (out, _) = answer(&exchange(client, provider, form), &Memo::default(), &[&bytes]);
        // Whatever came, the client can read it.
        let mut reader = AnswerReader::new(client, form);
        reader.push(&out);
        let read = reader.finish();
        prop_assert!(read.is_complete || read.failed_inside.is_some(), "{}", String::from_utf8_lossy(&out));
    }

    #[test]
    fn what_is_said_survives_a_detour(sayings in sayings(), through in protocol()) {
        let stream = stream(&sayings);
        let direct = exchange(Protocol::Messages, Protocol::Messages, AnswerForm::Stream);
        let whole = wayproof_wire::Exchange { wanted: AnswerForm::Whole, ..direct };
        let (expected, _) = answer(&whole, &Memo::default(), &[stream.as_bytes()]);
        let there = exchange(through, Protocol::Messages, AnswerForm::Stream);
        let (middle, _) = answer(&there, &Memo::default(), &[stream.as_bytes()]);
        let back = wayproof_wire::Exchange { provider: through, ..whole };
        let (found, told) = answer(&back, &Memo::default(), &[&middle]);
        prop_assert_eq!(said(&found), said(&expected), "{}", told);
    }

    #[test]
    fn stop_reasons_and_tokens_hold(sayings in sayings(), client in protocol()) {
        let stream = stream(&sayings);
        let exchange = exchange(client, Protocol::Messages, AnswerForm::Stream);
        let asked = peek(Protocol::Chat, br#"{"model":"m","messages":[{}],"stream_options":{"include_usage":true}}"#).unwrap();
        let body = br#"{"model":"m","messages":[{}],"stream_options":{"include_usage":true}}"#;
        let memo = translate_request(&Request { body, peek: &asked }, &aim(Protocol::Messages)).unwrap().memo;
        let (out, _) = answer(&exchange, &memo, &[stream.as_bytes()]);
        let mut reader = AnswerReader::new(client, AnswerForm::Stream);
        reader.push(&out);
        let read = reader.finish();
        prop_assert!(read.is_complete);
        let usage = read.usage.unwrap();
        prop_assert_eq!(usage.total_input(), Some(7));
        prop_assert_eq!(usage.output, Some(9));
        // Gemini says it as an ordinary stop, in the chunk after the calls.
        if client != Protocol::Gemini {
            let has_calls = sayings.iter().any(|saying| matches!(saying, Saying::Call(_)));
            prop_assert_eq!(read.stop, Some(if has_calls { Stop::ToolUse } else { Stop::End }));
        }
    }

    #[test]
    fn any_error_is_said(client in protocol(), status in 400_u16..600, body in vec(any::<u8>(), 0..60), error in value()) {
        for body in [body, error.to_string().into_bytes()] {
            let rendered = translate_error(client, status, &body, None, "r");
            let parsed: Value = serde_json::from_slice(&rendered.body).unwrap();
            prop_assert!(parsed["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }
}
