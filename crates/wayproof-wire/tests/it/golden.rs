//! Everything that is read from a request or an answer, case by case.
//!
//! A case is a folder `testdata/<protocol>/<case>/` with `request.json`, maybe `headers.txt`, maybe the `answer.json` or
//! `stream.sse` that came back. What is read stands in `reading.snap` beside them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use rstest::rstest;
use wayproof_wire::{
    AnswerForm, AnswerReader, Protocol, Request, find_ask, identify, new_ask, outcomes, peek,
    splice_model,
};

fn cases(protocol: Protocol) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(protocol.name());
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case for {protocol}");
    cases
}

fn headers(case: &Path) -> HeaderMap {
    let text = std::fs::read_to_string(case.join("headers.txt")).unwrap_or_default();
    text.lines()
        .map(|line| line.split_once(": ").expect("a header a line"))
        .map(|(name, value)| {
            let name: HeaderName = name.to_ascii_lowercase().parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect()
}

fn read_request(protocol: Protocol, case: &Path) -> String {
    let body = Bytes::from(std::fs::read(case.join("request.json")).unwrap());
    let found = peek(protocol, &body).unwrap_or_else(|error| panic!("{}: {error}", case.display()));
    let request = Request {
        body: &body,
        peek: &found,
    };
    let identity = identify(&headers(case), &request);
    let agent = identity.agent;
    let roles: Vec<_> = (0..request.len())
        .filter_map(|index| request.role(index))
        .collect();
    let mut out = String::new();
    writeln!(
        out,
        "model: {:?} in {} places",
        found.model_name,
        found.model.len()
    )
    .unwrap();
    writeln!(
        out,
        "streaming: {}, missing: {:?}",
        found.is_streaming,
        found.missing()
    )
    .unwrap();
    writeln!(out, "roles: {roles:?}, new from {}", request.first_new()).unwrap();
    writeln!(out, "{identity:#?}").unwrap();
    writeln!(out, "new ask: {:?}", new_ask(agent, &request)).unwrap();
    writeln!(out, "ask: {:?}", find_ask(agent, &request)).unwrap();
    writeln!(out, "outcomes: {:#?}", outcomes(agent, &request)).unwrap();

    let spliced = splice_model(&body, &found, &found.model_name).concat();
    if found.model.len() < 2 {
        assert!(
            spliced == body,
            "{}: the same name changes nothing",
            case.display()
        );
    }
    out
}

fn read_answer(protocol: Protocol, case: &Path) -> Option<String> {
    let files = [
        ("answer.json", AnswerForm::Whole),
        ("stream.sse", AnswerForm::Stream),
    ];
    let (bytes, form) = files
        .into_iter()
        .find_map(|(name, form)| Some((std::fs::read(case.join(name)).ok()?, form)))?;
    let mut reader = AnswerReader::new(protocol, form);
    reader.push(&bytes);
    let answer = reader.finish();
    for cut in 0..bytes.len() {
        let (first, second) = bytes.split_at(cut);
        let mut reader = AnswerReader::new(protocol, form);
        reader.push(first);
        reader.push(second);
        assert_eq!(reader.finish(), answer, "{} cut at {cut}", case.display());
    }
    let mut reader = AnswerReader::new(protocol, form);
    for byte in &bytes {
        reader.push(std::slice::from_ref(byte));
    }
    assert_eq!(reader.finish(), answer, "{} byte by byte", case.display());
    Some(format!("{answer:#?}\n"))
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Chat)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
#[case(Protocol::Ollama)]
#[case(Protocol::Completions)]
#[case(Protocol::Fim)]
fn reads(#[case] protocol: Protocol) {
    for case in cases(protocol) {
        let mut reading = read_request(protocol, &case);
        if let Some(answer) = read_answer(protocol, &case) {
            reading.push_str(&answer);
        }
        insta::with_settings!({
            snapshot_path => &case,
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("reading", reading);
        });
    }
}
