//! Sealed reasoning of another origin: read in answers, and taken out of requests without another change.

use bytes::Bytes;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;
use wayproof_wire::{
    AnswerForm, AnswerReader, LossKind, Protocol, Request, SealMark, foreign, is_seal_refused,
    model_edits, peek, seals, splice,
};

fn mark(seal: &str) -> SealMark {
    SealMark::of(seal).unwrap()
}

/// The request without its foreign seals, and how many went.
fn taken(protocol: Protocol, body: &str, is_foreign: impl Fn(SealMark) -> bool) -> (String, u32) {
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    let found = peek(protocol, &bytes).unwrap();
    let request = Request {
        body: &bytes,
        peek: &found,
    };
    let Some(gone) = foreign(&request, is_foreign) else {
        return (body.to_owned(), 0);
    };
    let [loss] = gone.losses.as_slice() else {
        panic!("{:?}", gone.losses)
    };
    assert_eq!(loss.kind, LossKind::Thinking);
    let left = String::from_utf8(splice(&bytes, &gone.edits).concat()).unwrap();
    peek(protocol, left.as_bytes()).unwrap();
    (left, loss.times)
}

#[test]
fn thinking_goes_with_its_block_and_every_other_byte_stays() {
    let sent = r#"{ "model":"m", "x":1.0, "messages":[
 {"role":"user","content":"\"signature\": no"} ,
 {"role":"assistant","content":[ {"type":"thinking","thinking":"Hm.","signature":"theirs"} , {"type":"tool_use","id":"t","name":"f","input":{"signature":"theirs"}} ]},
 {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"caf\u00e9"}]},
 {"role":"assistant","content":[{"type":"redacted_thinking","data":"theirs too"}]},
 {"role":"assistant","content":[{"type":"thinking","thinking":"So.","signature":"own"},{"type":"text","text":"ok"},{"signature":"th\u0065irs","type":"thinking","thinking":""}]}
], "y":[] }"#;
    let left = r#"{ "model":"m", "x":1.0, "messages":[
 {"role":"user","content":"\"signature\": no"} ,
 {"role":"assistant","content":[ {"type":"tool_use","id":"t","name":"f","input":{"signature":"theirs"}} ]},
 {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"caf\u00e9"}]},
 {"role":"assistant","content":[{"type":"thinking","thinking":"So.","signature":"own"},{"type":"text","text":"ok"}]}
], "y":[] }"#;
    let own = mark("own");
    assert_eq!(
        taken(Protocol::Messages, sent, |mark| mark != own),
        (left.to_owned(), 3)
    );
    assert_eq!(
        taken(Protocol::Messages, sent, |_| false),
        (sent.to_owned(), 0)
    );
}

#[test]
fn an_item_of_reasoning_goes_whole() {
    let sent = r#"{"model":"m","input":[{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"a\/b"}, {"role":"user","content":"hi"}, {"type":"reasoning","id":"rs_2","encrypted_content":"own"},{"type":"compaction","encrypted_content":"a/b"}],"store":false}"#;
    let left = r#"{"model":"m","input":[{"role":"user","content":"hi"}, {"type":"reasoning","id":"rs_2","encrypted_content":"own"},{"type":"compaction","encrypted_content":"a/b"}],"store":false}"#;
    let theirs = mark("a/b");
    let (found, times) = taken(Protocol::Responses, sent, |mark| mark == theirs);
    assert_eq!((found.as_str(), times), (left, 1));
    let text = r#"{"model":"m","input":"\"encrypted_content\""}"#;
    assert_eq!(taken(Protocol::Responses, text, |_| true).1, 0);
}

#[test]
fn gemini_keeps_what_was_signed() {
    let sent = r#"{"contents":[{"role":"model","parts":[{"text":"Hm.","thought":true,"thoughtSignature":"t"},{"text":"","thoughtSignature":"t"},{"thoughtSignature":"t","text":"Hi."},{"text":"Ho." , "thoughtSignature":"t"},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"t"},{"functionCall":{"name":"g","args":{}},"thoughtSignature":"own"}]}]}"#;
    let left = r#"{"contents":[{"role":"model","parts":[{"text":"Hi."},{"text":"Ho."},{"functionCall":{"name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"g","args":{}},"thoughtSignature":"own"}]}]}"#;
    let theirs = mark("t");
    let (found, times) = taken(Protocol::Gemini, sent, |mark| mark == theirs);
    assert_eq!((found.as_str(), times), (left, 5));
}

#[test]
fn the_model_is_named_anew_in_the_same_go() {
    let sent = Bytes::from_static(br#"{"messages":[{"role":"assistant","content":[{"type":"thinking","signature":"t"},1]}],"model":"a/m"}"#);
    let found = peek(Protocol::Messages, &sent).unwrap();
    let request = Request {
        body: &sent,
        peek: &found,
    };
    let mut edits = foreign(&request, |_| true).unwrap().edits;
    edits.extend(model_edits(&sent, &found, "m"));
    edits.sort_by_key(|edit| edit.span.start);
    let left = splice(&sent, &edits).concat();
    assert_eq!(
        String::from_utf8(left).unwrap(),
        r#"{"messages":[{"role":"assistant","content":[1]}],"model":"m"}"#
    );
}

#[rstest]
#[case::messages(Protocol::Messages, AnswerForm::Stream, concat!(
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"on\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"e\"}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"two\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":2,\"delta\":{\"type\":\"text_delta\",\"text\":\"a \\\"signature\"}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
))]
#[case::messages_whole(
    Protocol::Messages,
    AnswerForm::Whole,
    r#"{"content":[{"type":"thinking","thinking":"x","signature":"one"},{"type":"redacted_thinking","data":"two"},{"type":"text","text":"x"}]}"#
)]
#[case::responses(Protocol::Responses, AnswerForm::Stream, concat!(
    "event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"reasoning\",\"encrypted_content\":\"half\"}}\n\n",
    "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"reasoning\",\"encrypted_content\":\"one\"}}\n\n",
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[{\"type\":\"reasoning\",\"encrypted_content\":\"one\"},{\"type\":\"reasoning\",\"encrypted_content\":\"two\"}]}}\n\n",
))]
#[case::responses_whole(
    Protocol::Responses,
    AnswerForm::Whole,
    r#"{"status":"completed","output":[{"type":"reasoning","encrypted_content":"one"},{"type":"message","content":[]},{"type":"reasoning","encrypted_content":"two"}]}"#
)]
#[case::gemini(Protocol::Gemini, AnswerForm::Stream, concat!(
    "data: {\"modelVersion\":\"g\",\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{},\"thoughtSignature\":\"one\"}]}}]}\n\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"two\"}]}}]}\n\n",
))]
fn an_answer_tells_its_seals(
    #[case] protocol: Protocol,
    #[case] form: AnswerForm,
    #[case] answer: &str,
) {
    // However the bytes are cut.
    for size in [1, 7, answer.len()] {
        let mut reader = AnswerReader::new(protocol, form);
        for piece in answer.as_bytes().chunks(size) {
            reader.push(piece);
        }
        let mut found = reader.finish().seals;
        let mut expected = [mark("one"), mark("two")];
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{protocol}");
    }
}

#[rstest]
#[case::anthropic(r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block"}}"#, true)]
#[case::redacted(
    r#"{"error":{"message":"messages.3.content.0: Invalid `data` in `redacted_thinking` block"}}"#,
    true
)]
#[case::openai(r#"{"error":{"message":"The encrypted content gAAA...DQ== could not be verified.","type":"invalid_request_error","param":null,"code":"invalid_encrypted_content"}}"#, true)]
#[case::azure(r#"{"error":{"message":"The encrypted content gAAA...wXBV could not be verified.","type":"invalid_request_error","param":null,"code":null}}"#, true)]
#[case::gemini(r#"{"error":{"code":400,"message":"Thought signature is not valid.","status":"INVALID_ARGUMENT"}}"#, true)]
#[case::corrupted(
    r#"{"error":{"code":400,"message":"Corrupted thought signature."}}"#,
    true
)]
#[case::missing(r#"{"error":{"message":"Function call is missing a thought_signature in functionCall parts."}}"#, false)]
#[case::expected(r#"{"error":{"message":"messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`."}}"#, false)]
#[case::other(
    r#"{"error":{"message":"max_tokens: must be greater than thinking.budget_tokens"}}"#,
    false
)]
fn a_refused_seal_is_read_in_the_providers_own_words(#[case] body: &str, #[case] expected: bool) {
    assert_eq!(is_seal_refused(400, body.as_bytes()), expected);
    assert!(!is_seal_refused(429, body.as_bytes()));
}

/// A block of an assistant's message, whether it is foreign thinking, and the seal it has.
fn block() -> impl Strategy<Value = (String, bool)> {
    prop_oneof![
        any::<u8>().prop_map(|n| (
            format!(r#"{{"type":"text","text":"\"signature\" {n}.0 é"}}"#),
            false
        )),
        any::<u8>().prop_map(|n| (
            format!(r#"{{"type":"thinking","signature":"own {n}","x":1.0}}"#),
            false
        )),
        any::<u8>().prop_map(|n| (
            format!(r#"{{"type":"thinking","signature":"theirs {n}"}}"#),
            true
        )),
        any::<u8>().prop_map(|n| (
            format!(r#"{{"data":"theirs {n}","type":"redacted_thinking"}}"#),
            true
        )),
    ]
}

proptest! {
    #[test]
    fn nothing_else_changes(messages in prop::collection::vec(prop::collection::vec(block(), 0..5), 0..6)) {
        let theirs: Vec<SealMark> = (0..=u8::MAX).map(|n| mark(&format!("theirs {n}"))).collect();
        let message = |blocks: &[&str]| format!(r#"{{"role":"assistant","content":[{}]}}"#, blocks.join(" , "));
        let body = |messages: &[String]| format!(r#"{{"model":"m","messages":[{}],"z":1e2}}"#, messages.join(","));
        let all: Vec<String> = messages
            .iter()
            .map(|blocks| message(&blocks.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>()))
            .collect();
        let kept: Vec<String> = messages
            .iter()
            .filter(|blocks| blocks.is_empty() || blocks.iter().any(|(_, is_foreign)| !is_foreign))
            .map(|blocks| {
                let kept = blocks.iter().filter(|(_, is_foreign)| !is_foreign);
                message(&kept.map(|(text, _)| text.as_str()).collect::<Vec<_>>())
            })
            .collect();
        let count = messages.iter().flatten().filter(|(_, is_foreign)| *is_foreign).count();
        let (left, times) = taken(Protocol::Messages, &body(&all), |mark| theirs.contains(&mark));
        prop_assert_eq!(times as usize, count);
        prop_assert_eq!(left, body(&kept));
        let sent = body(&all);
        let found = peek(Protocol::Messages, sent.as_bytes()).unwrap();
        let request = Request { body: sent.as_bytes(), peek: &found };
        prop_assert!(seals(&request).len() >= count);
        prop_assert!(serde_json::from_str::<Value>(&sent).is_ok());
    }
}
