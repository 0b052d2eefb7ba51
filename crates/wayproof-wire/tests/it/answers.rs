//! Streams: how they are cut into frames, and when an answer is complete.

use rstest::rstest;
use wayproof_wire::{Answer, AnswerForm, AnswerReader, Protocol, SseDecoder, Usage};

fn read(protocol: Protocol, form: AnswerForm, bytes: &[u8]) -> Answer {
    let mut reader = AnswerReader::new(protocol, form);
    reader.push(bytes);
    reader.finish()
}

fn frames(decoder: &mut SseDecoder, chunks: &[&[u8]]) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, |frame| {
            let data = frame
                .data()
                .map(|data| String::from_utf8(data.into_owned()).unwrap());
            found.push((String::from_utf8(frame.event().to_vec()).unwrap(), data));
        });
    }
    found
}

#[test]
fn frames_follow_the_specification() {
    let stream = "\u{feff}event: a\r\ndata: 1\r\ndata:2\r\n\r\n: note\n\ndata\n\nid: 7\rdata:  x:y\revent:b\r\r\n\n\ndata: é\n\ndata: cut";
    let mut decoder = SseDecoder::default();
    let found = frames(&mut decoder, &[stream.as_bytes()]);
    let expected = [
        ("a", Some("1\n2")),
        ("", None),
        ("", Some("")),
        ("b", Some(" x:y")),
        ("", Some("é")),
    ];
    let expected: Vec<_> = expected
        .map(|(event, data)| (event.to_owned(), data.map(str::to_owned)))
        .into();
    assert_eq!(found, expected);
    assert!(decoder.has_rest(), "an unfinished frame is not a frame");
}

#[test]
fn a_frame_above_the_limit_is_dropped_alone_however_it_arrives() {
    let stream = format!("data: a\n\ndata: {}\n\ndata: b\n\n", "x".repeat(100));
    for size in [1, 7, 64, stream.len()] {
        let mut decoder = SseDecoder::with_limit(50);
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        let found = frames(&mut decoder, &chunks);
        let data: Vec<_> = found.into_iter().filter_map(|(_, data)| data).collect();
        assert_eq!(data, ["a", "b"], "in pieces of {size}");
        assert_eq!(decoder.dropped(), 1);
        let mut endless = SseDecoder::with_limit(50);
        for piece in stream.as_bytes()[..80].chunks(size) {
            endless.push(piece, |_| {});
        }
        assert_eq!(endless.dropped(), 1, "it is known before it ends");
        assert!(!decoder.has_rest());
    }
}

#[rstest]
#[case::messages(
    Protocol::Messages,
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)]
#[case::messages_without_event_lines(
    Protocol::Messages,
    "data: {\"type\":\"message_start\",\"message\":{}}\n\n",
    "data: {\"type\":\"message_stop\"}\n\n"
)]
#[case::chat_done(
    Protocol::Chat,
    "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n"
)]
#[case::chat_usage(
    Protocol::Chat,
    "data: {\"choices\":[{\"finish_reason\": \"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\": {\"prompt_tokens\":1}}\n\n"
)]
#[case::responses(
    Protocol::Responses,
    "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\"}}\n\n",
    "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\"}}\n\n"
)]
#[case::responses_incomplete(
    Protocol::Responses,
    "",
    "data: {\"type\":\"response.incomplete\",\"response\":{\"status\":\"incomplete\"}}\n\n"
)]
#[case::responses_failed(
    Protocol::Responses,
    "",
    "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n"
)]
#[case::gemini(
    Protocol::Gemini,
    "data: {\"candidates\":[{}]}\n\n",
    "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n"
)]
#[case::ollama(Protocol::Ollama, "{\"done\":false}\n", "{\"done\":true}\n")]
fn a_stream_is_complete_with_its_last_word_and_not_before(
    #[case] protocol: Protocol,
    #[case] start: &str,
    #[case] end: &str,
) {
    let whole = format!("{start}{end}");
    assert!(read(protocol, AnswerForm::Stream, whole.as_bytes()).is_complete);
    // A line of Ollama's is whole without its line end, an event is not without its blank line.
    let needed = if protocol == Protocol::Ollama {
        whole.len() - 1
    } else {
        whole.len()
    };
    for cut in 0..needed {
        assert!(
            !read(protocol, AnswerForm::Stream, &whole.as_bytes()[..cut]).is_complete,
            "cut at {cut}"
        );
    }
}

#[test]
fn a_document_cut_short_is_not_complete() {
    let answer = br#"{"id":"msg_1","model":"m","stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#;
    assert!(read(Protocol::Messages, AnswerForm::Whole, answer).is_complete);
    for cut in 0..answer.len() {
        let read = read(Protocol::Messages, AnswerForm::Whole, &answer[..cut]);
        assert_eq!(read, Answer::default(), "cut at {cut}");
    }
}

#[test]
fn words_of_the_protocol_inside_text_mean_nothing() {
    let text = serde_json::to_string(
        "data: [DONE]\n\n{\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":9}}",
    )
    .unwrap();
    let stream = format!(
        "data: {{\"id\":\"1\",\"choices\":[{{\"delta\":{{}}}}]}}\n\ndata: {{\"id\":\"1\",\"choices\":[{{\"delta\":{{\"content\":{text}}},\"finish_reason\":null}}]}}\n\n"
    );
    let answer = read(Protocol::Chat, AnswerForm::Stream, stream.as_bytes());
    assert_eq!(
        (answer.stop, answer.usage, answer.is_complete),
        (None, None, false)
    );
}

#[test]
fn an_error_inside_a_stream_is_told_and_never_complete() {
    let stream = b"data: {\"choices\":[{\"finish_reason\":\"stop\"}],\"error\":{\"code\":502,\"message\":\"upstream died\"}}\n\ndata: [DONE]\n\n";
    let answer = read(Protocol::Chat, AnswerForm::Stream, stream);
    assert_eq!(answer.failed_inside.as_deref(), Some("upstream died"));
    assert!(!answer.is_complete);
}

#[test]
fn counts_that_are_not_reported_stay_unknown() {
    let bare = br#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5}}"#;
    let usage = read(Protocol::Chat, AnswerForm::Whole, bare).usage.unwrap();
    let expected = Usage {
        input: Some(10),
        output: Some(5),
        ..Usage::default()
    };
    assert_eq!(usage, expected);
    assert_eq!(usage.total_input(), Some(10));
    let none = br#"{"choices":[{"finish_reason":"stop"}],"usage":null}"#;
    assert_eq!(read(Protocol::Chat, AnswerForm::Whole, none).usage, None);
}
