//! What clients of every dialect make of an answer.

use serde_json::Value;
use wayproof_wire::{Answer, AnswerForm, AnswerReader, Protocol};

use crate::dialect::{list, parsed, string, text};

/// What a client made of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) text: String,
    /// Id, name and arguments.
    pub(crate) call: Option<(String, String, Value)>,
}

/// Reads an answer as a client does.
pub(crate) fn heard(client: Protocol, form: AnswerForm, body: &str) -> Heard {
    match form {
        AnswerForm::Whole => heard_whole(client, &serde_json::from_str(body).unwrap()),
        AnswerForm::Stream => heard_stream(client, body),
    }
}

fn heard_whole(client: Protocol, body: &Value) -> Heard {
    let mut heard = Heard::default();
    match client {
        Protocol::Messages => {
            for block in list(&body["content"]) {
                heard
                    .text
                    .push_str(block["text"].as_str().unwrap_or_default());
                if block["type"] == "tool_use" {
                    let named = (string(&block["id"]), string(&block["name"]));
                    heard.call = Some((named.0, named.1, block["input"].clone()));
                }
            }
        }
        Protocol::Chat => {
            let message = &body["choices"][0]["message"];
            heard.text = string(&message["content"]);
            heard.call = list(&message["tool_calls"]).first().map(|call| {
                let function = &call["function"];
                let arguments = parsed(&function["arguments"]);
                (string(&call["id"]), string(&function["name"]), arguments)
            });
        }
        Protocol::Responses => {
            for item in list(&body["output"]) {
                heard.text.push_str(&text(&item["content"]));
                if item["type"] == "function_call" {
                    let arguments = parsed(&item["arguments"]);
                    heard.call = Some((string(&item["call_id"]), string(&item["name"]), arguments));
                }
            }
        }
        Protocol::Gemini => {
            for part in list(&body["candidates"][0]["content"]["parts"]) {
                heard
                    .text
                    .push_str(part["text"].as_str().unwrap_or_default());
                if let Some(call) = part.get("functionCall") {
                    heard.call = Some((
                        string(&call["id"]),
                        string(&call["name"]),
                        call["args"].clone(),
                    ));
                }
            }
        }
        Protocol::Completions | Protocol::Fim => panic!("these hold no conversation"),
        Protocol::Ollama => {
            let message = &body["message"];
            heard.text = string(&message["content"]);
            heard.call = list(&message["tool_calls"]).first().map(|call| {
                let function = &call["function"];
                let arguments = function["arguments"].clone();
                (string(&call["id"]), string(&function["name"]), arguments)
            });
        }
    }
    heard
}

/// The data of the events of a stream; what is no JSON is the end of Chat.
pub(crate) fn data(body: &str) -> Vec<Value> {
    // Ollama has nothing around its lines.
    let lines = body.lines().filter_map(|line| {
        line.strip_prefix("data: ")
            .or(line.starts_with('{').then_some(line))
    });
    lines
        .filter(|line| *line != "[DONE]")
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn heard_stream(client: Protocol, body: &str) -> Heard {
    let mut heard = Heard::default();
    let (mut named, mut arguments) = (None, String::new());
    for event in data(body) {
        match client {
            Protocol::Messages => {
                let block = &event["content_block"];
                if block["type"] == "tool_use" {
                    named = Some((string(&block["id"]), string(&block["name"])));
                }
                heard.text.push_str(&string(&event["delta"]["text"]));
                arguments.push_str(&string(&event["delta"]["partial_json"]));
            }
            Protocol::Chat => {
                let delta = &event["choices"][0]["delta"];
                heard.text.push_str(&string(&delta["content"]));
                let call = &delta["tool_calls"][0];
                if call["id"].is_string() {
                    named = Some((string(&call["id"]), string(&call["function"]["name"])));
                }
                arguments.push_str(&string(&call["function"]["arguments"]));
            }
            Protocol::Responses => match event["type"].as_str() {
                Some("response.output_text.delta") => heard.text.push_str(&string(&event["delta"])),
                Some("response.function_call_arguments.delta") => {
                    arguments.push_str(&string(&event["delta"]));
                }
                Some("response.output_item.added") if event["item"]["type"] == "function_call" => {
                    let item = &event["item"];
                    named = Some((string(&item["call_id"]), string(&item["name"])));
                }
                _ => {}
            },
            Protocol::Completions | Protocol::Fim => panic!("these hold no conversation"),
            Protocol::Gemini | Protocol::Ollama => {
                let more = heard_whole(client, &event);
                heard.text.push_str(&more.text);
                heard.call = heard.call.or(more.call);
            }
        }
    }
    if let Some((id, name)) = named {
        heard.call = Some((id, name, serde_json::from_str(&arguments).unwrap()));
    }
    heard
}

/// What the gateway's own reader makes of an answer in the client's dialect.
pub(crate) fn read(client: Protocol, form: AnswerForm, body: &str) -> Answer {
    let mut reader = AnswerReader::new(client, form);
    reader.push(body.as_bytes());
    reader.finish()
}

/// The text of the events in one chunk.
pub(crate) fn texts(client: Protocol, chunk: &[u8]) -> String {
    heard(
        client,
        AnswerForm::Stream,
        std::str::from_utf8(chunk).unwrap(),
    )
    .text
}
