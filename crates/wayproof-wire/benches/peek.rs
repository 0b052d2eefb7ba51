//! What a request and an answer cost here, on bodies like those agents send well into a session.
//!
//! Budgets, on a machine where `nginx` forwards the same body in 30 µs: `peek` 25 µs for 143 KB; who is calling, what is
//! new and what the tools said a few µs whatever the length of the conversation; 50 frames of an answer a few µs.

use std::fmt::Write as _;
use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::HeaderMap;
use serde_json::{Value, json};
use wayproof_wire::{
    Able, Agent, Aim, AnswerForm, AnswerReader, AnswerTranslator, ChatHabits, Exchange, Memo, Peek,
    Protocol, Request, TokenField, find_ask, identify, new_ask, outcomes, peek, splice_model,
    translate_request,
};

/// Deterministic words: benches compare runs.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    fn prose(&mut self, bytes: usize) -> String {
        let words = [
            "prefer",
            "absolute",
            "paths",
            "over",
            "relative",
            "ones",
            "and",
            "run",
            "the",
            "linter",
            "before",
            "reporting",
        ];
        let mut out = String::new();
        while out.len() < bytes {
            out.push_str(words[self.roll(words.len())]);
            out.push(' ');
        }
        out
    }

    fn code(&mut self, bytes: usize) -> String {
        let lines = [
            "\tpub async fn relay(&self, request: Request<Body>) -> Result<Response, Error> {",
            "\t\tlet span = tracing::info_span!(\"relay\", method = %request.method());",
            "\t\t// Prüfung: the header may be missing — fall back to \"default\"",
            "\t\tlet key = request.headers().get(\"x-key\").map_or(\"default\", |key| key);",
            "\t\tmatch self.routes.find(request.uri().path(), key) {",
            "\t\t\tNone => Err(Error::Missing { route: format!(\"{}\\n{:?}\", key, request.uri()) }),",
            "\t\t}",
        ];
        let mut out = String::new();
        while out.len() < bytes {
            let number = self.roll(900);
            let _ = writeln!(out, "{number:6}→{}", lines[self.roll(lines.len())]);
        }
        out
    }
}

fn tool(dice: &mut Dice, index: usize) -> Value {
    let mut properties = serde_json::Map::new();
    for field in 0..3 + dice.roll(4) {
        let description = dice.prose(90);
        properties.insert(
            format!("field_{field}"),
            json!({"type": "string", "description": description}),
        );
    }
    json!({"name": format!("tool_{index}"), "description": dice.prose(700), "input_schema": {
        "type": "object", "properties": properties, "required": ["field_0"], "additionalProperties": false}})
}

/// A conversation in Messages; 29 rounds make about 143 KB.
fn body(rounds: usize) -> Bytes {
    let mut dice = Dice(7);
    let mut messages = vec![json!({"role": "user", "content": [
        {"type": "text", "text": format!("<system-reminder>\n{}\n</system-reminder>", dice.prose(1500))},
        {"type": "text", "text": "Find out why the \"retry\" test is flaky and fix it."}]})];
    for round in 0..rounds {
        let id = format!("toolu_{round:020}");
        let input = match round % 4 {
            0 => {
                json!({"file_path": format!("/repo/src/mod_{round}.rs"), "old_string": dice.code(500), "new_string": dice.code(600)})
            }
            _ => {
                json!({"command": format!("cargo test -p gateway -- retry::{round} --nocapture 2>&1 | tail -{round}")})
            }
        };
        let name = if round % 4 == 0 { "Edit" } else { "Bash" };
        messages.push(json!({"role": "assistant", "content": [
            {"type": "text", "text": dice.prose(220)}, {"type": "tool_use", "id": id, "name": name, "input": input}]}));
        let size = [600, 1500, 2600, 4800][dice.roll(4)];
        messages.push(
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id,
            "is_error": round % 9 == 0, "content": [{"type": "text", "text": dice.code(size)}]}]}),
        );
    }
    let tools: Vec<Value> = (0..20).map(|index| tool(&mut dice, index)).collect();
    let body = json!({"model": "wayproof/auto", "max_tokens": 32000, "temperature": 1,
        "system": [{"type": "text", "text": dice.prose(300)}, {"type": "text", "text": dice.prose(8000)}],
        "tools": tools, "messages": messages,
        "metadata": {"user_id": "{\"device_id\":\"00\",\"session_id\":\"5f0c9d1e-0000-7000-8000-000000000000\"}"},
        "stream": true});
    Bytes::from(body.to_string())
}

#[expect(
    clippy::expect_used,
    reason = "without a body there is nothing to measure"
)]
fn look(body: &Bytes) -> Peek {
    peek(Protocol::Messages, body).expect("the body is made here")
}

fn requests(c: &mut Criterion) {
    for (name, rounds) in [("143KB", 33), ("1MB", 250)] {
        let body = body(rounds);
        let found = look(&body);
        let request = Request {
            body: &body,
            peek: &found,
        };
        let unnamed = Bytes::from(String::from_utf8_lossy(&body).replace("metadata", "mmetadata"));
        let unnamed_found = look(&unnamed);
        let anonymous = Request {
            body: &unnamed,
            peek: &unnamed_found,
        };
        let mut headers = HeaderMap::new();
        headers.insert(
            "user-agent",
            http::HeaderValue::from_static("claude-cli/2.1.330 (external, cli)"),
        );
        headers.insert(
            "x-claude-code-session-id",
            http::HeaderValue::from_static("5f0c9d1e-0000-7000-8000-000000000000"),
        );
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("peek", |b| {
            b.iter(|| peek(Protocol::Messages, black_box(&body)));
        });
        group.bench_function("splice", |b| {
            b.iter(|| splice_model(black_box(&body), &found, "fast-1"));
        });
        group.bench_function("identify", |b| {
            b.iter(|| identify(&headers, black_box(&request)));
        });
        group.bench_function("identify_by_fingerprint", |b| {
            b.iter(|| identify(&HeaderMap::new(), black_box(&anonymous)));
        });
        group.bench_function("new_ask", |b| {
            b.iter(|| new_ask(Agent::ClaudeCode, black_box(&request)));
        });
        group.bench_function("outcomes", |b| {
            b.iter(|| outcomes(Agent::ClaudeCode, black_box(&request)));
        });
        group.bench_function("find_ask", |b| {
            b.iter(|| find_ask(Agent::ClaudeCode, black_box(&request)));
        });
        for provider in [Protocol::Chat, Protocol::Responses, Protocol::Gemini] {
            let aim = aim(provider);
            group.bench_function(format!("translate_to_{provider}"), |b| {
                b.iter(|| translate_request(black_box(&request), &aim));
            });
        }
        group.finish();
    }
}

fn aim(provider: Protocol) -> Aim<'static> {
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

fn messages_stream() -> Vec<String> {
    let mut frames = vec!["event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":900,\"output_tokens\":1}}}\n\n".to_owned()];
    frames.extend((0..47).map(|index| format!("event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"piece {index} of what is said\"}}}}\n\n")));
    frames.push("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":40}}\n\n".to_owned());
    frames.push("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned());
    frames
}

fn chat_stream() -> Vec<String> {
    let head = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1795356568,\"model\":\"m\",";
    let mut frames: Vec<String> = (0..48).map(|index| format!("{head}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"piece {index} of what is said\"}},\"finish_reason\":null}}]}}\n\n")).collect();
    frames.push(format!(
        "{head}\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n"
    ));
    frames.push(format!("{head}\"choices\":[],\"usage\":{{\"prompt_tokens\":10,\"completion_tokens\":40,\"total_tokens\":50}}}}\n\ndata: [DONE]\n\n"));
    frames
}

fn responses_stream() -> Vec<String> {
    let response = |status: &str| {
        format!(
            "\"response\":{{\"id\":\"resp_1\",\"model\":\"m\",\"status\":\"{status}\",\"output\":[],\"usage\":{{\"input_tokens\":10,\"output_tokens\":40}}}}"
        )
    };
    let mut frames = vec![format!(
        "event: response.created\ndata: {{\"type\":\"response.created\",{}}}\n\n",
        response("in_progress")
    )];
    frames.extend((0..48).map(|index| format!("event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"delta\":\"piece {index} of what is said\"}}\n\n")));
    frames.push(format!(
        "event: response.completed\ndata: {{\"type\":\"response.completed\",{}}}\n\n",
        response("completed")
    ));
    frames
}

fn answers(c: &mut Criterion) {
    let mut group = c.benchmark_group("stream_of_50");
    let streams = [
        (Protocol::Messages, messages_stream()),
        (Protocol::Chat, chat_stream()),
        (Protocol::Responses, responses_stream()),
    ];
    for (protocol, frames) in streams {
        group.bench_function(protocol.name(), |b| {
            b.iter(|| {
                let mut reader = AnswerReader::new(protocol, AnswerForm::Stream);
                for frame in &frames {
                    reader.push(black_box(frame.as_bytes()));
                }
                let answer = reader.finish();
                assert!(answer.is_complete);
                answer
            });
        });
        let client = match protocol {
            Protocol::Messages => Protocol::Chat,
            _ => Protocol::Messages,
        };
        let exchange = Exchange {
            client,
            provider: protocol,
            wanted: AnswerForm::Stream,
            form: AnswerForm::Stream,
            id: "0001",
            model: "elsewhere-1",
            origin: "there/elsewhere-1",
            created_s: 1_700_000_000,
        };
        group.bench_function(format!("{protocol}_to_{client}"), |b| {
            b.iter(|| {
                let mut translator = AnswerTranslator::new(&exchange, Memo::default());
                let said: usize = frames
                    .iter()
                    .map(|frame| translator.push(black_box(frame.as_bytes())).len())
                    .sum();
                let ended = translator.finish();
                assert!(ended.fault.is_none());
                said
            });
        });
    }
    group.finish();
}

criterion_group!(benches, requests, answers);
criterion_main!(benches);
