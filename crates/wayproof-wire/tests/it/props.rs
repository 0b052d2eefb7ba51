//! Properties that hold for every body and every stream.

use bytes::Bytes;
use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};
use serde_json::{Map, Value};
use wayproof_wire::{
    Agent, AnswerForm, AnswerReader, Protocol, Request, SseDecoder, find_ask, identify, leave_out,
    new_ask, outcomes, peek, splice_model,
};

fn protocol() -> impl Strategy<Value = Protocol> {
    (0..Protocol::ALL.len()).prop_map(|index| Protocol::ALL[index])
}

/// Names and texts that meet the special cases: quotes, backslashes, our own field names.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        any::<String>(),
        "[\"\\\\a]{0,70}",
        Just("model".to_owned()),
        Just("messages".to_owned()),
        Just("input".to_owned()),
        Just("type".to_owned()),
        Just("tool_result".to_owned()),
        Just("content".to_owned()),
        Just("role".to_owned()),
        Just("user".to_owned()),
        Just("assistant".to_owned()),
    ]
    .boxed()
}

fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((text(), inner), 0..8).prop_map(|fields| Value::from(Map::from_iter(fields))),
        ]
    })
    .boxed()
}

fn object() -> BoxedStrategy<Map<String, Value>> {
    vec((text(), json()), 0..8).prop_map(Map::from_iter).boxed()
}

/// Bytes that look enough like an event stream to reach every branch.
fn stream() -> BoxedStrategy<Vec<u8>> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("data: ".to_owned()),
        Just("data: {\"type\":\"message_stop\"}".to_owned()),
        Just("data: {\"id\":\"i\",\"choices\":[{\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3}}".to_owned()),
        Just("{\"done\":true,\"eval_count\":4}".to_owned()),
        Just("event: message_delta".to_owned()),
        Just(": note".to_owned()),
        Just("[DONE]".to_owned()),
        Just("\u{feff}".to_owned()),
        any::<String>(),
    ];
    vec(piece, 0..30)
        .prop_map(|pieces| pieces.concat().into_bytes())
        .boxed()
}

fn frames(chunks: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut decoder = SseDecoder::default();
    let mut found = Vec::new();
    for chunk in chunks {
        decoder.push(chunk, |frame| found.push(frame.raw.to_vec()));
    }
    found
}

/// The specification's own words, a line at a time, without any regard for speed.
fn frames_by_lines(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let (mut line, mut at) = (Vec::new(), 0);
    while at < stream.len() {
        let end: &[u8] = match &stream[at..] {
            [b'\r', b'\n', ..] => b"\r\n",
            [b'\r', ..] => b"\r",
            [b'\n', ..] => b"\n",
            _ => {
                line.push(stream[at]);
                at += 1;
                continue;
            }
        };
        lines.push((std::mem::take(&mut line), end.to_vec()));
        at += end.len();
    }
    let (mut frames, mut frame) = (Vec::new(), Vec::new());
    let mut is_first = true;
    for (line, end) in lines {
        if !line.is_empty() {
            frame.extend(line);
            frame.extend(end);
            continue;
        }
        let mut done = std::mem::take(&mut frame);
        if std::mem::take(&mut is_first) && done.starts_with(b"\xef\xbb\xbf") {
            done.drain(..3);
        }
        if !done.is_empty() {
            frames.push(done);
        }
    }
    frames
}

proptest! {
    #[test]
    fn valid_objects_are_accepted_and_cut_up_rightly(protocol in protocol(), object in object(), is_pretty in any::<bool>()) {
        let value = Value::from(object.clone());
        let body = if is_pretty { format!("{value:#}") } else { value.to_string() };
        let found = peek(protocol, body.as_bytes()).unwrap();
        let read = |span: &wayproof_wire::Span| serde_json::from_slice::<Value>(span.of(body.as_bytes())).unwrap();
        let fields: Vec<_> = found.fields.iter().map(|field| (read(&field.name), read(&field.value))).collect();
        let expected: Vec<_> = object.iter().map(|(name, value)| (Value::from(name.as_str()), read_back(value))).collect();
        prop_assert_eq!(fields, expected);
        if let Some(Value::Array(items)) = object.get(protocol.conversation_field()) {
            let found: Vec<_> = found.items.iter().map(read).collect();
            prop_assert_eq!(found, items.iter().map(read_back).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_accepted_is_json_but_for_the_inside_of_strings(protocol in protocol(), object in object(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut body = Value::from(object).to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        let is_json = serde_json::from_slice::<Map<String, Value>>(&body);
        match peek(protocol, &body) {
            Ok(_) => {
                // Escapes, control characters, and numbers beyond a double are the provider's to judge.
                if let Err(error) = is_json {
                    let words = error.to_string();
                    let is_left = ["escape", "control character", "surrogate", "number out of range"].iter().any(|left| words.contains(left));
                    prop_assert!(is_left, "accepted in spite of: {}", words);
                }
            }
            Err(error) => prop_assert!(is_json.is_err(), "refused a valid body: {}", error),
        }
    }

    #[test]
    fn what_is_left_out_is_gone_and_the_rest_is_there(protocol in protocol(), object in object(), name in text(), other in text()) {
        let body = Value::from(object.clone()).to_string();
        let found = peek(protocol, body.as_bytes()).unwrap();
        let request = Request { body: body.as_bytes(), peek: &found };
        let left = leave_out(&request, &[name.as_str(), other.as_str()]);
        let mut expected = object;
        let gone = [expected.shift_remove(&name), expected.shift_remove(&other)];
        match left {
            None => prop_assert!(gone.iter().all(Option::is_none)),
            Some(left) => {
                prop_assert_eq!(String::from_utf8(left.body).unwrap(), Value::from(expected).to_string());
                prop_assert_eq!(left.losses.len(), gone.iter().flatten().count());
            }
        }
    }

    #[test]
    fn a_splice_changes_the_model_and_nothing_else(protocol in protocol(), object in object(), old in text(), new in text()) {
        let mut object = object;
        object.insert("model".to_owned(), Value::from(old.as_str()));
        let body = Bytes::from(Value::from(object.clone()).to_string());
        let found = peek(protocol, &body).unwrap();
        prop_assert_eq!(&found.model_name, &old);
        let spliced = splice_model(&body, &found, &new).concat();
        object.insert("model".to_owned(), Value::from(new.as_str()));
        prop_assert_eq!(String::from_utf8(spliced.clone()).unwrap(), Value::from(object).to_string());
        prop_assert_eq!(peek(protocol, &spliced).unwrap().model_name, new);
        prop_assert!(splice_model(&body, &found, &old).concat() == body);
    }

    #[test]
    fn nothing_panics_on_any_bytes(protocol in protocol(), bytes in vec(any::<u8>(), 0..200), stream in stream()) {
        drop(peek(protocol, &bytes));
        for form in [AnswerForm::Whole, AnswerForm::Stream] {
            for input in [&bytes, &stream] {
                let mut reader = AnswerReader::new(protocol, form);
                reader.push(input);
                drop(reader.finish());
            }
        }
    }

    #[test]
    fn nothing_panics_on_any_object(protocol in protocol(), object in object(), items in vec(json(), 0..6)) {
        let mut object = object;
        object.insert(protocol.conversation_field().to_owned(), Value::from(items));
        let body = Value::from(object).to_string();
        let found = peek(protocol, body.as_bytes()).unwrap();
        let request = Request { body: body.as_bytes(), peek: &found };
        let identity = identify(&HeaderMap::new(), &request);
        prop_assert_eq!(&identity, &identify(&HeaderMap::new(), &request));
        prop_assert!(!identity.session.is_empty());
        let mut agents = vec![identity.agent];
        agents.extend([Agent::ClaudeCode, Agent::Codex, Agent::Aider, Agent::Cline, Agent::MiniSwe]);
        for agent in agents {
            let asked = new_ask(agent, &request);
            let found = find_ask(agent, &request);
            if let Some(asked) = asked {
                let found = found.unwrap();
                prop_assert!(found.starts_turn);
                prop_assert_eq!(found.text, asked);
            } else {
                prop_assert!(found.is_none_or(|ask| !ask.starts_turn));
            }
            drop(outcomes(agent, &request));
        }
    }

    #[test]
    fn frames_do_not_depend_on_chunks(stream in stream(), cuts in vec(any::<proptest::sample::Index>(), 0..6)) {
        let whole = frames(&[&stream]);
        prop_assert_eq!(&whole, &frames_by_lines(&stream));
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&whole, &frames(&bytes));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&whole, &frames(&chunks));
    }

    #[test]
    fn answers_do_not_depend_on_chunks(protocol in protocol(), stream in stream()) {
        for form in [AnswerForm::Whole, AnswerForm::Stream] {
            let mut whole = AnswerReader::new(protocol, form);
            whole.push(&stream);
            let mut pieces = AnswerReader::new(protocol, form);
            for byte in &stream {
                pieces.push(std::slice::from_ref(byte));
            }
            prop_assert_eq!(whole.finish(), pieces.finish());
        }
    }
}

/// What a value is after a trip through text: numbers may lose what a double cannot hold.
fn read_back(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}
