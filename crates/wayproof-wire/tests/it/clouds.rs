//! Messages at clouds: frames, bodies and errors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::{prop_assert, prop_assert_eq, proptest};
use rstest::rstest;
use wayproof_wire::{
    CloudAnswer, EventStreamDecoder, EventStreamError, MessagesCloud, event_message,
};

/// A frame that Amazon publishes as a vector for decoders: no headers, and the words `{'foo':'bar'}`.
const PUBLISHED_PLAIN: &str = "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936";
/// The same with one header, `content-type: application/json`.
const PUBLISHED_HEADER: &str = "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1";

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16));
    bytes.map(Result::unwrap).collect()
}

fn chunk(event: &str) -> Vec<u8> {
    let payload = format!(r#"{{"bytes":"{}","p":"abcd"}}"#, STANDARD.encode(event));
    let headers = [
        (":event-type", "chunk"),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    event_message(&headers, payload.as_bytes())
}

fn exception(name: &str, payload: &str) -> Vec<u8> {
    let headers = [(":exception-type", name), (":message-type", "exception")];
    event_message(&headers, payload.as_bytes())
}

/// What a client is told of a stream that comes in pieces.
fn told<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, Option<EventStreamError>) {
    let (mut answer, mut said) = (CloudAnswer::frames(), Vec::new());
    for piece in pieces {
        if let Err(error) = answer.push(piece, &mut said) {
            return (String::from_utf8(said).unwrap(), Some(error));
        }
    }
    let error = answer.finish().err();
    (String::from_utf8(said).unwrap(), error)
}

#[test]
fn published_frames_are_read() {
    for (frame, headers) in [
        (PUBLISHED_PLAIN, vec![]),
        (
            PUBLISHED_HEADER,
            vec![("content-type".to_owned(), "application/json".to_owned())],
        ),
    ] {
        let mut decoder = EventStreamDecoder::default();
        decoder.push(&hex(frame));
        let message = decoder.next_message().unwrap().unwrap();
        assert_eq!(message.payload, b"{'foo':'bar'}");
        assert_eq!(message.headers, headers);
        assert_eq!(decoder.next_message(), Ok(None));
        assert_eq!(decoder.finish(), Ok(()));
        let written: Vec<(&str, &str)> = headers.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(event_message(&written, b"{'foo':'bar'}"), hex(frame));
    }
}

#[test]
fn a_stream_of_frames_is_one_of_events() {
    let start = r#"{"type":"message_start","message":{"id":"msg_1"}}"#;
    let stop =
        r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}"#;
    let stream = [chunk(start), chunk(stop)].concat();
    let (said, error) = told([stream.as_slice()]);
    assert_eq!(error, None);
    assert_eq!(
        said,
        format!("event: message_start\ndata: {start}\n\nevent: message_stop\ndata: {stop}\n\n")
    );
}

#[rstest]
#[case::throttled("throttlingException", "rate_limit_error")]
#[case::full("serviceUnavailableException", "overloaded_error")]
#[case::slow("modelTimeoutException", "timeout_error")]
#[case::wrong("validationException", "invalid_request_error")]
#[case::broken("modelStreamErrorException", "api_error")]
#[case::new("somethingNewException", "api_error")]
fn an_exception_is_an_error_of_messages(#[case] name: &str, #[case] kind: &str) {
    let (said, _) = told([exception(name, r#"{"message":"Too many tokens"}"#).as_slice()]);
    let data = said.strip_prefix("event: error\ndata: ").unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["error"]["type"], kind);
    assert_eq!(data["error"]["message"], "Too many tokens");
}

#[rstest]
#[case::no_payload("")]
#[case::no_base64(r#"{"bytes":"%%"}"#)]
#[case::no_json(r#"{"bytes":"bm9uZQ=="}"#)]
#[case::number(r#"{"bytes":7}"#)]
fn what_is_in_a_frame_may_be_anything(#[case] payload: &str) {
    let headers = [(":event-type", "chunk"), (":message-type", "event")];
    let (said, error) = told([event_message(&headers, payload.as_bytes()).as_slice()]);
    assert_eq!(error, None);
    assert!(
        said.is_empty() || said.starts_with("event: error\n"),
        "{said}"
    );
}

#[test]
fn the_words_of_a_provider_end_no_event() {
    let (said, _) = told([chunk("{\"type\":\"ping\",\n\r\n\"x\":1}").as_slice()]);
    assert_eq!(
        said,
        "event: ping\ndata: {\"type\":\"ping\",   \"x\":1}\n\n"
    );
    let (said, _) = told([chunk(r#"{"type":"a\nevent: b"}"#).as_slice()]);
    assert!(said.starts_with("event: error\n"), "{said}");
}

#[test]
fn a_frame_that_lies_ends_the_stream() {
    let good = chunk(r#"{"type":"ping"}"#);
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 0x10;
        let (said, error) = told([[good.clone(), bad, good.clone()].concat().as_slice()]);
        assert_eq!(said.matches("event: ping").count(), 1, "at {place}");
        assert!(error.is_some(), "at {place}");
    }
    // Lengths whose checksum holds, and that are impossible.
    for (whole, head) in [(u32::MAX, 0_u32), (16, 1), (0, 0), (15, 0), (1 << 25, 4)] {
        let lengths = [whole.to_be_bytes(), head.to_be_bytes()].concat();
        let checksum = crc32fast::hash(&lengths).to_be_bytes();
        let (_, error) = told([[lengths.as_slice(), &checksum].concat().as_slice()]);
        assert_eq!(error, Some(EventStreamError::Length), "{whole} {head}");
    }
    let (_, error) = told([&good[..good.len() - 1]]);
    assert_eq!(error, Some(EventStreamError::Cut));
}

proptest! {
    #[test]
    fn a_stream_split_anywhere_says_the_same(
        texts in vec(any::<String>(), 1..6),
        cuts in vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let events = texts.iter().map(|text| {
            serde_json::json!({"type": "content_block_delta", "delta": {"text": text}}).to_string()
        });
        let stream: Vec<u8> = events.flat_map(|event| chunk(&event)).collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let (mut pieces, mut from) = (Vec::new(), 0);
        for cut in cuts {
            pieces.push(&stream[from..cut]);
            from = cut;
        }
        pieces.push(&stream[from..]);
        let whole = told([stream.as_slice()]);
        prop_assert_eq!(&whole.1, &None);
        prop_assert_eq!(whole.0.matches("event: content_block_delta\n").count(), texts.len());
        prop_assert_eq!(told(pieces), whole.clone());
        prop_assert_eq!(told(stream.chunks(1)), whole);
    }

    #[test]
    fn bytes_of_any_kind_are_read_in_bounds(bytes in vec(any::<u8>(), 0..200)) {
        let (said, error) = told([bytes.as_slice()]);
        prop_assert!(said.is_empty());
        prop_assert_eq!(error.is_none(), bytes.is_empty());
    }
}

fn body(pieces: &[bytes::Bytes]) -> String {
    String::from_utf8(pieces.concat()).unwrap()
}

#[test]
fn a_request_says_its_version_and_names_its_model_elsewhere() {
    let sent =
        br#"{ "model":"m", "max_tokens" : 1.0,"stream":true,"messages":[{"model":"kept"}] }"#;
    let bedrock = MessagesCloud::Bedrock
        .request(sent, &["a-1", "b-2"])
        .unwrap();
    assert!(bedrock.is_streaming);
    assert_eq!(
        body(&bedrock.pieces),
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a-1","b-2"], "max_tokens" : 1.0,"messages":[{"model":"kept"}] }"#
    );
    let vertex = MessagesCloud::Vertex.request(sent, &["a-1"]).unwrap();
    assert_eq!(
        body(&vertex.pieces),
        r#"{"anthropic_version":"vertex-2023-10-16", "max_tokens" : 1.0,"stream":true,"messages":[{"model":"kept"}] }"#
    );
    let bare = MessagesCloud::Bedrock
        .request(br#"{"model":"m"}"#, &[])
        .unwrap();
    assert_eq!(
        body(&bare.pieces),
        r#"{"anthropic_version":"bedrock-2023-05-31"}"#
    );
    assert!(MessagesCloud::Bedrock.request(b"[]", &[]).is_err());
}

#[test]
fn a_count_is_asked_in_each_clouds_way() {
    let sent = br#"{"model":"m","messages":[]}"#;
    let vertex = MessagesCloud::Vertex.count(sent).unwrap();
    assert_eq!(
        body(&vertex),
        r#"{"anthropic_version":"vertex-2023-10-16","model":"m","messages":[]}"#
    );
    let bedrock = body(&MessagesCloud::Bedrock.count(sent).unwrap());
    let bedrock: serde_json::Value = serde_json::from_str(&bedrock).unwrap();
    let inner = bedrock["input"]["invokeModel"]["body"].as_str().unwrap();
    assert_eq!(
        String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap(),
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[]}"#
    );
    let mut answer = CloudAnswer::count();
    answer
        .push(br#"{"inputTokens":42}"#, &mut Vec::new())
        .unwrap();
    assert_eq!(answer.finish().unwrap(), br#"{"input_tokens":42}"#);
}

#[rstest]
#[case::amazon(
    429,
    r#"{"message":"Too many requests"}"#,
    "rate_limit_error",
    "Too many requests"
)]
#[case::amazon_long(
    400,
    r#"{"message":"Input is too long for requested model."}"#,
    "invalid_request_error",
    "prompt is too long: Input is too long for requested model."
)]
#[case::denied(403, r#"{"Message":"not yours"}"#, "permission_error", "not yours")]
#[case::google(
    401,
    r#"[{"error":{"code":401,"message":"no token","status":"UNAUTHENTICATED"}}]"#,
    "authentication_error",
    "no token"
)]
#[case::page(
    502,
    "<html>Bad Gateway</html>",
    "api_error",
    "<html>Bad Gateway</html>"
)]
#[case::silent(404, "", "not_found_error", "the provider answered with status 404")]
fn an_error_has_the_shape_of_messages(
    #[case] status: u16,
    #[case] body: &str,
    #[case] kind: &str,
    #[case] words: &str,
) {
    let mut answer = CloudAnswer::error(status);
    answer.push(body.as_bytes(), &mut Vec::new()).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&answer.finish().unwrap()).unwrap();
    assert_eq!(said["type"], "error");
    assert_eq!(said["error"]["type"], kind);
    assert_eq!(said["error"]["message"], words);
}

#[test]
fn an_error_that_has_its_shape_stays_as_it_is() {
    let body = br#"{ "type":"error","error":{"type":"invalid_request_error","message":"m"},"request_id":"req_vrtx_1"}"#;
    let mut answer = CloudAnswer::error(400);
    answer.push(body, &mut Vec::new()).unwrap();
    assert_eq!(answer.finish().unwrap(), body);
}
