//! Every case in every other protocol, with what was lost on the way.
//!
//! The cases are those that are read elsewhere, and `testdata/translate/<protocol>/<case>/`, where each is about one
//! thing. What becomes of a request stands in `to-<protocol>.snap` beside it, of an answer in `answer-to-<protocol>.snap`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wayproof_wire::{
    Able, Aim, AnswerForm, AnswerTranslator, ChatHabits, Exchange, Memo, Protocol, Request,
    TokenField, peek, translate_request,
};

use rstest::rstest;

pub(crate) const TRANSLATED: [Protocol; 4] = [
    Protocol::Messages,
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Gemini,
];

/// Those whose clients are answered in words of their own.
const CLIENTS: [Protocol; 6] = [
    Protocol::Messages,
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Gemini,
    Protocol::Ollama,
    Protocol::Completions,
];

fn cases(protocol: Protocol) -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut cases = Vec::new();
    for folder in [
        data.join(protocol.name()),
        data.join("translate").join(protocol.name()),
    ] {
        let entries = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        cases.extend(entries.map(|entry| entry.unwrap().path()));
    }
    cases.sort();
    cases
}

pub(crate) fn aim(provider: Protocol) -> Aim<'static> {
    Aim {
        provider,
        model: "elsewhere-1",
        origin: "there/elsewhere-1",
        is_streaming: true,
        able: Able::default(),
        token_field: TokenField::MaxTokens,
        effort: None,
        habits: ChatHabits::default(),
    }
}

pub(crate) fn exchange(
    client: Protocol,
    provider: Protocol,
    form: AnswerForm,
) -> Exchange<'static> {
    Exchange {
        client,
        provider,
        wanted: form,
        form,
        id: "0001",
        model: "elsewhere-1",
        origin: "there/elsewhere-1",
        created_s: 1_700_000_000,
    }
}

fn pretty(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(body)));
    serde_json::to_string_pretty(&value).unwrap()
}

fn snapshot(case: &Path, name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => case,
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Chat)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
#[case(Protocol::Ollama)]
#[case(Protocol::Completions)]
#[case(Protocol::Fim)]
fn requests(#[case] client: Protocol) {
    for case in cases(client) {
        let Ok(body) = std::fs::read(case.join("request.json")) else {
            continue;
        };
        let found = peek(client, &body).unwrap();
        let request = Request {
            body: &body,
            peek: &found,
        };
        let providers = Protocol::ALL.into_iter();
        let able = |other: &Protocol| *other != client && other.takes_translations_of(client);
        for provider in providers.filter(able) {
            let mut text = String::new();
            match translate_request(&request, &aim(provider)) {
                Ok(translated) => {
                    for loss in &translated.losses {
                        writeln!(text, "lost: {loss}").unwrap();
                    }
                    writeln!(text, "{}", pretty(&translated.body)).unwrap();
                }
                Err(error) => writeln!(text, "refused: {error}").unwrap(),
            }
            snapshot(&case, &format!("to-{provider}"), &text);
        }
    }
}

/// What a client gets for an answer that arrives in these pieces.
pub(crate) fn answer(exchange: &Exchange<'_>, memo: &Memo, pieces: &[&[u8]]) -> (Vec<u8>, String) {
    let mut translator = AnswerTranslator::new(exchange, memo.clone());
    let mut bytes = Vec::new();
    for piece in pieces {
        bytes.extend(translator.push(piece));
    }
    let ended = translator.finish();
    bytes.extend(ended.bytes);
    let mut told = String::new();
    if let Some(fault) = ended.fault {
        writeln!(told, "fault: {:?}: {}", fault.kind, fault.message).unwrap();
    }
    for loss in ended.losses {
        writeln!(told, "lost: {loss}").unwrap();
    }
    (bytes, told)
}

fn memo_of(case: &Path, client: Protocol, provider: Protocol) -> Memo {
    // What was asked for is a request of Responses, which has tools that nobody else has.
    if client != Protocol::Responses {
        return Memo::default();
    }
    let Ok(body) = std::fs::read(case.join("asked.json")) else {
        return Memo::default();
    };
    let found = peek(client, &body).unwrap();
    let request = Request {
        body: &body,
        peek: &found,
    };
    translate_request(&request, &aim(provider)).unwrap().memo
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Chat)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
fn answers(#[case] provider: Protocol) {
    for case in cases(provider) {
        let files = [
            ("answer.json", AnswerForm::Whole),
            ("stream.sse", AnswerForm::Stream),
        ];
        for (file, form) in files {
            let Ok(bytes) = std::fs::read(case.join(file)) else {
                continue;
            };
            let others = CLIENTS.into_iter().filter(|other| *other != provider);
            for client in others {
                let memo = memo_of(&case, client, provider);
                let exchange = exchange(client, provider, form);
                let (said, mut told) = answer(&exchange, &memo, &[&bytes]);
                match form {
                    AnswerForm::Whole => told.push_str(&pretty(&said)),
                    AnswerForm::Stream => told.push_str(&String::from_utf8(said).unwrap()),
                }
                snapshot(&case, &format!("answer-to-{client}"), &told);
            }
        }
    }
}

#[rstest]
#[case(Protocol::Messages)]
#[case(Protocol::Chat)]
#[case(Protocol::Responses)]
#[case(Protocol::Gemini)]
fn a_stream_cut_anywhere_says_the_same(#[case] provider: Protocol) {
    for case in cases(provider) {
        let Ok(bytes) = std::fs::read(case.join("stream.sse")) else {
            continue;
        };
        for client in TRANSLATED.into_iter().filter(|other| *other != provider) {
            let memo = memo_of(&case, client, provider);
            let exchange = exchange(client, provider, AnswerForm::Stream);
            let whole = answer(&exchange, &memo, &[&bytes]);
            for cut in 0..bytes.len() {
                let (first, second) = bytes.split_at(cut);
                let said = answer(&exchange, &memo, &[first, second]);
                assert_eq!(said, whole, "{} cut at {cut} for {client}", case.display());
            }
            let singly: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(answer(&exchange, &memo, &singly), whole);
        }
    }
}
