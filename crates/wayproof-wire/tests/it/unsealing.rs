//! Packed seals on their way to a provider of the client's own protocol.

use serde_json::{Value, json};
use wayproof_wire::{LossKind, Protocol, Request, peek, unseal};

fn unsealed(protocol: Protocol, body: &Value) -> Option<(Value, u32)> {
    let body = body.to_string().into_bytes();
    let found = peek(protocol, &body).unwrap();
    let request = Request {
        body: &body,
        peek: &found,
    };
    let unsealed = unseal(&request)?;
    let [loss] = unsealed.losses.as_slice() else {
        panic!("{:?}", unsealed.losses)
    };
    assert_eq!(loss.kind, LossKind::Thinking);
    peek(protocol, &unsealed.body).unwrap();
    Some((serde_json::from_slice(&unsealed.body).unwrap(), loss.times))
}

#[test]
fn thinking_that_we_packed_is_taken_out_of_messages() {
    let ours = json!({"type": "thinking", "thinking": "Hm.", "signature": "wayproof1.o.0123..x"});
    let sealed = json!({"type": "redacted_thinking", "data": "wayproof1.r.0123..x"});
    let theirs = json!({"type": "thinking", "thinking": "Hm.", "signature": "c2ln"});
    let text = json!({"type": "text", "text": "the word \"wayproof1.\" in a \u{1f600} text"});
    let user = json!({"role": "user", "content": "wayproof1."});
    let body = |messages: Value| json!({"a\"b": 1.0, "model": "m", "messages": messages, "z": []});
    let (found, times) = unsealed(
        Protocol::Messages,
        &body(json!([user, {"role": "assistant", "content": [ours, text, sealed, theirs]}, user, {"role": "assistant", "content": [ours]}, user])),
    )
    .unwrap();
    assert_eq!(
        found,
        body(json!([user, {"role": "assistant", "content": [text, theirs]}, user, user]))
    );
    assert_eq!(times, 3);
    let untouched = body(json!([user, {"role": "assistant", "content": [text, theirs]}]));
    assert_eq!(unsealed(Protocol::Messages, &untouched), None);
}

#[test]
fn reasoning_that_we_packed_is_taken_out_of_responses() {
    let ours =
        json!({"type": "reasoning", "summary": [], "encrypted_content": "wayproof1.e.0123..x"});
    let theirs = json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"});
    let ask = json!({"type": "message", "role": "user", "content": "wayproof1."});
    let body = |input: Value| json!({"model": "m", "input": input});
    let (found, times) = unsealed(Protocol::Responses, &body(json!([ask, ours, theirs]))).unwrap();
    assert_eq!((found, times), (body(json!([ask, theirs])), 1));
    assert_eq!(
        unsealed(Protocol::Responses, &body(json!("wayproof1."))),
        None
    );
}

#[test]
fn signatures_that_we_packed_are_taken_off_in_gemini() {
    let packed = "wayproof1.t.0123..x";
    let body = |parts: Value| json!({"contents": [{"role": "model", "parts": parts}]});
    let (found, times) = unsealed(
        Protocol::Gemini,
        &body(json!([
            {"text": "Hm.", "thought": true, "thoughtSignature": packed},
            {"text": "", "thoughtSignature": packed},
            {"text": "Hi.", "thoughtSignature": packed},
            {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": packed},
            {"functionCall": {"name": "g", "args": {}}, "thoughtSignature": "theirs"}
        ])),
    )
    .unwrap();
    assert_eq!(
        found,
        body(json!([
            {"text": "Hi."},
            {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"},
            {"functionCall": {"name": "g", "args": {}}, "thoughtSignature": "theirs"}
        ]))
    );
    assert_eq!(times, 4);
}
