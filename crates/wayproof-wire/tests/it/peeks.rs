//! What a peek accepts, refuses and finds; what a splice leaves alone.

use bytes::Bytes;
use rstest::rstest;
use wayproof_wire::{NESTING_LIMIT, Protocol, peek, splice_model};

fn spliced(protocol: Protocol, body: &str, model: &str) -> String {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let found = peek(protocol, &body).unwrap();
    String::from_utf8(splice_model(&body, &found, model).concat()).unwrap()
}

#[test]
fn the_model_changes_and_nothing_else() {
    let body = r#" {"zzz":{"model":"inner"}, "mod\u0065l" : "a\u002fb" ,"n":[1.0,1,-0.0e+1],"ü":"日本\ud83d\ude00","messages":[{"role":"user","content":"model"}],"model":"b"}
"#;
    let found = peek(Protocol::Chat, body.as_bytes()).unwrap();
    assert_eq!(found.model_name, "b");
    assert_eq!(found.model.len(), 2);
    assert_eq!(
        spliced(Protocol::Chat, body, "say \"x\"\\"),
        body.replace(r#""a\u002fb""#, r#""say \"x\"\\""#)
            .replace(r#""model":"b""#, r#""model":"say \"x\"\\""#)
    );
}

#[test]
fn two_names_become_one_even_when_the_last_stays() {
    let body = r#"{"model":"dear","model":"cheap","messages":[]}"#;
    assert_eq!(
        spliced(Protocol::Messages, body, "cheap"),
        r#"{"model":"cheap","model":"cheap","messages":[]}"#
    );
}

#[test]
fn an_unchanged_name_keeps_its_spelling_and_its_bytes() {
    let body = Bytes::from_static(br#"{"model":"claude\u002dx","messages":[]}"#);
    let found = peek(Protocol::Messages, &body).unwrap();
    let segments = splice_model(&body, &found, "claude-x");
    assert_eq!(segments.len(), 1);
    assert_eq!(segments[0].as_ptr(), body.as_ptr(), "nothing is copied");
    assert_eq!(segments[0], body);
}

#[test]
fn segments_are_slices_of_the_body() {
    let body = Bytes::from(format!(
        r#"{{"model":"a","messages":["{}"]}}"#,
        "x".repeat(5_000_000)
    ));
    let found = peek(Protocol::Chat, &body).unwrap();
    let segments = splice_model(&body, &found, "b");
    assert_eq!(segments.len(), 3);
    let last = segments.last().unwrap();
    assert_eq!(last.as_ptr_range().end, body.as_ptr_range().end);
    assert_eq!(segments.concat().len(), body.len());
}

#[test]
fn five_megabytes_of_turns_are_read_in_one_pass() {
    let turn = r#"{"role":"user","content":"Stra\u00dfe \\\" \\ “zitiert” \\\\"}"#;
    let turns = vec![turn; 5_000_000 / turn.len()];
    let body = format!(
        r#"{{"messages":[{}],"stream":true,"model":"m"}}"#,
        turns.join(",")
    );
    let found = peek(Protocol::Messages, body.as_bytes()).unwrap();
    assert_eq!(found.items.len(), turns.len());
    assert!(
        found
            .items
            .iter()
            .all(|item| item.of(body.as_bytes()) == turn.as_bytes())
    );
    assert!(found.is_streaming);
}

#[rstest]
#[case(Protocol::Chat, r#"{"stream":true,"stream":false}"#, false)]
#[case(Protocol::Chat, r#"{"stream":false,"str\u0065am":true}"#, true)]
#[case(Protocol::Chat, r#"{"stream":"true"}"#, false)]
#[case(Protocol::Chat, "{}", false)]
#[case(Protocol::Ollama, "{}", true)]
#[case(Protocol::Ollama, r#"{"stream":false}"#, false)]
#[case(Protocol::Gemini, r#"{"stream":true}"#, false)]
fn the_last_stream_field_wins(
    #[case] protocol: Protocol,
    #[case] body: &str,
    #[case] expected: bool,
) {
    assert_eq!(
        peek(protocol, body.as_bytes()).unwrap().is_streaming,
        expected
    );
}

#[rstest]
#[case(
    r#"{"model":5,"messages":{}}"#,
    Some("`model` must be a string that is not empty")
)]
#[case(
    r#"{"model":"m","messages":"hi"}"#,
    Some("`messages` must be an array that is not empty")
)]
#[case(
    r#"{"model":"m","messages":[]}"#,
    Some("`messages` must be an array that is not empty")
)]
#[case(r#"{"model":"m","messages":[1]}"#, None)]
fn what_a_provider_will_miss_is_said_in_one_sentence(
    #[case] body: &str,
    #[case] expected: Option<&str>,
) {
    assert_eq!(
        peek(Protocol::Chat, body.as_bytes()).unwrap().missing(),
        expected
    );
}

#[rstest]
#[case("", "expected `{` at byte 0")]
#[case("[]", "expected `{` at byte 0")]
#[case("{\"a\":1", "expected `,` or `}` in an object at byte 6")]
#[case("{\"a\" 1}", "expected `:` after a key at byte 5")]
#[case("{\"a\":1,}", "expected a key in quotes at byte 7")]
#[case("{\"a\":[1,]}", "expected a value at byte 8")]
#[case("{\"a\":[1}", "expected `,` or `]` in an array at byte 7")]
#[case("{\"messages\":[1,]}", "expected a value at byte 15")]
#[case("{\"a\":tru}", "expected a value at byte 5")]
#[case("{\"a\":01}", "expected `,` or `}` in an object at byte 6")]
#[case("{\"a\":1.}", "expected a digit at byte 7")]
#[case("{\"a\":-}", "expected a digit at byte 6")]
#[case("{\"a\":\"x\\\"}", "a string without an end at byte 5")]
#[case("{\"a\":", "the text ends where a value should be at byte 5")]
#[case("{} x", "something follows the object at byte 3")]
#[case("\u{feff}{}", "expected `{` at byte 0")]
fn malformed_bodies_say_where(#[case] body: &str, #[case] expected: &str) {
    let error = peek(Protocol::Chat, body.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the body is not a valid JSON object: {expected}")
    );
}

#[test]
fn text_that_is_not_utf8_says_where() {
    let error = peek(Protocol::Chat, b"{\"a\":\"\xff\"}").unwrap_err();
    assert_eq!(error.offset, 6);
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let limit = usize::try_from(NESTING_LIMIT).unwrap();
    assert!(peek(Protocol::Chat, nested(limit - 1).as_bytes()).is_ok());
    let error = peek(Protocol::Chat, nested(limit).as_bytes()).unwrap_err();
    assert_eq!(error.reason, "arrays and objects nest too deeply");
    assert!(peek(Protocol::Chat, "[".repeat(1_000_000).as_bytes()).is_err());
    let inside = nested(limit - 2).replace("\"a\"", "\"x\"");
    let items = format!(r#"{{"messages":[{inside}]}}"#);
    assert!(
        peek(Protocol::Chat, items.as_bytes()).is_err(),
        "items count the array around them"
    );
}
