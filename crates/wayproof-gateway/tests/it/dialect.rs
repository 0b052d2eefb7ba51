//! The same two turns of an agent in every dialect: it asks with a tool, the model calls it, the agent gives the result,
//! the model ends.

use serde_json::{Value, json};
use wayproof_testkit::{Captured, Frame, Reply};
use wayproof_wire::{AnswerForm, Protocol};

/// Those that clients speak.
pub(crate) const CLIENTS: [Protocol; 5] = [
    Protocol::Messages,
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Gemini,
    Protocol::Ollama,
];

/// What the tool gives back.
pub(crate) const RESULT: &str = "def login(): \"caf\u{e9}\"";
/// What the model says at the end.
pub(crate) const DONE: &str = "It is \u{1f600} \"fixed\".\n";
/// The arguments of the call.
pub(crate) fn arguments() -> Value {
    json!({"path": "src/a \"b\".py", "lines": [1, 2]})
}

pub(crate) fn path(client: Protocol, model: &str, form: AnswerForm) -> String {
    client.path(model, form == AnswerForm::Stream)
}

fn schema() -> Value {
    json!({"type": "object", "properties": {"path": {"type": "string"}, "lines": {"type": "array", "items": {"type": "integer"}}}, "required": ["path"]})
}

/// The first request of the agent, or the one after the call with this id.
#[expect(
    clippy::too_many_lines,
    reason = "one arm a protocol, read from top to bottom"
)]
pub(crate) fn request(
    client: Protocol,
    model: &str,
    form: AnswerForm,
    called: Option<&str>,
) -> String {
    let is_streaming = form == AnswerForm::Stream;
    let ask = "The login page crashes.";
    let body = match client {
        Protocol::Messages => {
            let mut messages = vec![json!({"role": "user", "content": ask})];
            if let Some(id) = called {
                messages.push(json!({"role": "assistant", "content": [{"type": "text", "text": "Reading."}, {"type": "tool_use", "id": id, "name": "read", "input": arguments()}]}));
                messages.push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": RESULT}]}));
            }
            json!({"model": model, "max_tokens": 900, "stream": is_streaming, "system": "Be brief.", "messages": messages,
                   "metadata": {"user_id": "u"}, "tools": [{"name": "read", "description": "Reads.", "input_schema": schema()}]})
        }
        Protocol::Chat => {
            let mut messages = vec![
                json!({"role": "system", "content": "Be brief."}),
                json!({"role": "user", "content": ask}),
            ];
            if let Some(id) = called {
                messages.push(json!({"role": "assistant", "content": "Reading.", "tool_calls": [{"id": id, "type": "function", "function": {"name": "read", "arguments": arguments().to_string()}}]}));
                messages.push(json!({"role": "tool", "tool_call_id": id, "content": RESULT}));
            }
            json!({"model": model, "max_tokens": 900, "stream": is_streaming, "stream_options": {"include_usage": true}, "messages": messages,
                   "logit_bias": {"1": 2}, "tools": [{"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": schema()}}]})
        }
        Protocol::Responses => {
            let mut input = vec![
                json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": ask}]}),
            ];
            if let Some(id) = called {
                input.push(json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Reading."}]}));
                input.push(json!({"type": "function_call", "call_id": id, "name": "read", "arguments": arguments().to_string()}));
                input
                    .push(json!({"type": "function_call_output", "call_id": id, "output": RESULT}));
            }
            json!({"model": model, "max_output_tokens": 900, "stream": is_streaming, "store": false, "instructions": "Be brief.", "input": input,
                   "client_metadata": {"a": "b"}, "tools": [{"type": "function", "name": "read", "description": "Reads.", "strict": false, "parameters": schema()}]})
        }
        Protocol::Gemini => {
            let mut contents = vec![json!({"role": "user", "parts": [{"text": ask}]})];
            if let Some(id) = called {
                contents.push(json!({"role": "model", "parts": [{"text": "Reading."}, {"functionCall": {"id": id, "name": "read", "args": arguments()}}]}));
                contents.push(json!({"role": "user", "parts": [{"functionResponse": {"id": id, "name": "read", "response": {"output": RESULT}}}]}));
            }
            json!({"contents": contents, "systemInstruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": {"maxOutputTokens": 900},
                   "safetySettings": [{"category": "x", "threshold": "y"}],
                   "tools": [{"functionDeclarations": [{"name": "read", "description": "Reads.", "parametersJsonSchema": schema()}]}]})
        }
        Protocol::Completions | Protocol::Fim => panic!("these hold no conversation"),
        Protocol::Ollama => {
            let mut messages = vec![
                json!({"role": "system", "content": "Be brief."}),
                json!({"role": "user", "content": ask}),
            ];
            if called.is_some() {
                messages.push(json!({"role": "assistant", "content": "Reading.", "tool_calls": [{"function": {"name": "read", "arguments": arguments()}}]}));
                messages.push(json!({"role": "tool", "tool_name": "read", "content": RESULT}));
            }
            json!({"model": model, "stream": is_streaming, "messages": messages, "options": {"num_predict": 900, "mirostat": 1}, "keep_alive": 0,
                   "tools": [{"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": schema()}}]})
        }
    };
    body.to_string()
}

/// What a provider got: the model, the tool, and the id and text of the result with the id of its call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) model: String,
    pub(crate) system: String,
    pub(crate) tools: Vec<String>,
    pub(crate) call: Option<(String, Value)>,
    pub(crate) result: Option<(String, String)>,
}

pub(crate) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A text that may be in parts.
pub(crate) fn text(value: &Value) -> String {
    let parts = value.as_array().cloned().unwrap_or_default();
    let joined: String = parts.iter().map(|part| string(&part["text"])).collect();
    value.as_str().map_or(joined, ToOwned::to_owned)
}

pub(crate) fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

pub(crate) fn parsed(arguments: &Value) -> Value {
    serde_json::from_str(arguments.as_str().unwrap()).unwrap()
}

/// Reads a request as its provider does.
#[expect(
    clippy::too_many_lines,
    reason = "one arm a protocol, read from top to bottom"
)]
pub(crate) fn got(provider: Protocol, captured: &Captured) -> Got {
    let body: Value = serde_json::from_slice(&captured.body).unwrap();
    let mut got = Got {
        model: string(&body["model"]),
        ..Got::default()
    };
    match provider {
        Protocol::Messages => {
            got.system = text(&body["system"]);
            got.tools = list(&body["tools"])
                .iter()
                .map(|tool| string(&tool["name"]))
                .collect();
            for block in list(&body["messages"])
                .iter()
                .flat_map(|message| list(&message["content"]))
            {
                match block["type"].as_str() {
                    Some("tool_use") => {
                        got.call = Some((string(&block["id"]), block["input"].clone()));
                    }
                    Some("tool_result") => {
                        got.result = Some((string(&block["tool_use_id"]), text(&block["content"])));
                    }
                    _ => {}
                }
            }
        }
        Protocol::Chat => {
            got.system = text(&body["messages"][0]["content"]);
            got.tools = list(&body["tools"])
                .iter()
                .map(|tool| string(&tool["function"]["name"]))
                .collect();
            for message in list(&body["messages"]) {
                if let Some(call) = list(&message["tool_calls"]).first() {
                    let arguments = parsed(&call["function"]["arguments"]);
                    got.call = Some((string(&call["id"]), arguments));
                }
                if message["role"] == "tool" {
                    got.result =
                        Some((string(&message["tool_call_id"]), text(&message["content"])));
                }
            }
        }
        Protocol::Responses => {
            got.system = string(&body["instructions"]);
            got.tools = list(&body["tools"])
                .iter()
                .map(|tool| string(&tool["name"]))
                .collect();
            for item in list(&body["input"]) {
                match item["type"].as_str() {
                    Some("function_call") => {
                        got.call = Some((string(&item["call_id"]), parsed(&item["arguments"])));
                    }
                    Some("function_call_output") => {
                        got.result = Some((string(&item["call_id"]), text(&item["output"])));
                    }
                    _ => {}
                }
            }
        }
        Protocol::Gemini => {
            let model = captured.path.split(['/', ':']).nth(3);
            got.model = model.unwrap_or_default().to_owned();
            got.system = text(&body["systemInstruction"]["parts"]);
            got.tools = list(&body["tools"][0]["functionDeclarations"])
                .iter()
                .map(|tool| string(&tool["name"]))
                .collect();
            for part in list(&body["contents"])
                .iter()
                .flat_map(|content| list(&content["parts"]))
            {
                if let Some(call) = part.get("functionCall") {
                    got.call = Some((string(&call["id"]), call["args"].clone()));
                }
                if let Some(response) = part.get("functionResponse") {
                    let output = string(&response["response"]["output"]);
                    got.result = Some((string(&response["id"]), output));
                }
            }
        }
        Protocol::Ollama | Protocol::Completions | Protocol::Fim => {
            panic!("nobody here speaks it")
        }
    }
    got
}

/// What a provider answers: the call, or the end once it has the result. 100 tokens in, 60 of them from a cache, 9 out.
pub(crate) fn answer(provider: Protocol, captured: &Captured) -> Reply {
    let body: Value = serde_json::from_slice(&captured.body).unwrap();
    let is_streaming = body["stream"] == true || captured.path.contains(":streamGenerateContent");
    let has_result = got(provider, captured).result.is_some();
    if is_streaming {
        Reply::events(events(provider, has_result))
    } else {
        Reply::json(200, whole(provider, has_result).to_string())
    }
}

fn whole(provider: Protocol, has_result: bool) -> Value {
    let arguments = arguments();
    match provider {
        Protocol::Messages => {
            let usage =
                json!({"input_tokens": 40, "cache_read_input_tokens": 60, "output_tokens": 9});
            let content = if has_result {
                json!([{"type": "text", "text": DONE}])
            } else {
                json!([{"type": "text", "text": "Reading."}, {"type": "tool_use", "id": "toolu_1", "name": "read", "input": arguments}])
            };
            let stop = if has_result { "end_turn" } else { "tool_use" };
            json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": content, "stop_reason": stop, "stop_sequence": null, "usage": usage})
        }
        Protocol::Chat => {
            let message = if has_result {
                json!({"role": "assistant", "content": DONE})
            } else {
                json!({"role": "assistant", "content": "Reading.", "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "read", "arguments": arguments.to_string()}}]})
            };
            let finish = if has_result { "stop" } else { "tool_calls" };
            json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m-1", "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                   "usage": {"prompt_tokens": 100, "completion_tokens": 9, "total_tokens": 109, "prompt_tokens_details": {"cached_tokens": 60}}})
        }
        Protocol::Responses => {
            let text = if has_result { DONE } else { "Reading." };
            let mut output = vec![
                json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]}),
            ];
            if !has_result {
                output.push(json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read", "arguments": arguments.to_string(), "status": "completed"}));
            }
            json!({"id": "resp_1", "object": "response", "status": "completed", "model": "m-1", "output": output,
                   "usage": {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 60}, "output_tokens": 9, "total_tokens": 109}})
        }
        Protocol::Gemini => {
            let parts = if has_result {
                json!([{"text": DONE}])
            } else {
                json!([{"text": "Reading."}, {"functionCall": {"name": "read", "args": arguments}}])
            };
            json!({"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}], "modelVersion": "m-1",
                   "usageMetadata": {"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 9, "totalTokenCount": 109}})
        }
        Protocol::Ollama | Protocol::Completions | Protocol::Fim => {
            panic!("nobody here speaks it")
        }
    }
}

/// The answer as events, the text and the arguments in pieces.
#[expect(
    clippy::too_many_lines,
    reason = "one arm a protocol, read from top to bottom"
)]
pub(crate) fn events(provider: Protocol, has_result: bool) -> Vec<String> {
    let whole = whole(provider, has_result);
    let named = |event: Value| format!("event: {}\ndata: {event}\n\n", string(&event["type"]));
    let plain = |event: Value| format!("data: {event}\n\n");
    let said = if has_result { DONE } else { "Reading." };
    let pieces: Vec<String> = said.chars().map(String::from).collect();
    let arguments = arguments().to_string();
    let (left, right) = arguments.split_at(9);
    let mut events = Vec::new();
    match provider {
        Protocol::Messages => {
            let mut start = whole.clone();
            start["content"] = json!([]);
            start["stop_reason"] = Value::Null;
            start["usage"]["output_tokens"] = json!(1);
            events.push(named(json!({"type": "message_start", "message": start})));
            events.push(named(json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})));
            events.extend(pieces.iter().map(|text| named(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}))));
            events.push(named(json!({"type": "content_block_stop", "index": 0})));
            if !has_result {
                events.push(named(json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {}}})));
                events.extend([left, right].map(|part| named(json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": part}}))));
                events.push(named(json!({"type": "content_block_stop", "index": 1})));
            }
            events.push(named(json!({"type": "message_delta", "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": null}, "usage": {"output_tokens": 9}})));
            events.push(named(json!({"type": "message_stop"})));
        }
        Protocol::Chat => {
            let chunk = |delta: Value, finish: Value| {
                plain(
                    json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}),
                )
            };
            events.push(chunk(
                json!({"role": "assistant", "content": ""}),
                Value::Null,
            ));
            events.extend(
                pieces
                    .iter()
                    .map(|text| chunk(json!({"content": text}), Value::Null)),
            );
            if !has_result {
                events.push(chunk(json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "read", "arguments": ""}}]}), Value::Null));
                events.extend([left, right].map(|part| {
                    chunk(
                        json!({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}),
                        Value::Null,
                    )
                }));
            }
            events.push(chunk(
                json!({}),
                whole["choices"][0]["finish_reason"].clone(),
            ));
            events.push(plain(json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": [], "usage": whole["usage"]})));
            events.push("data: [DONE]\n\n".to_owned());
        }
        Protocol::Responses => {
            events.push(named(json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "model": "m-1", "output": []}})));
            for (index, item) in list(&whole["output"]).iter().enumerate() {
                let mut added = item.clone();
                added["status"] = json!("in_progress");
                if item["type"] == "message" {
                    added["content"] = json!([]);
                } else {
                    added["arguments"] = json!("");
                }
                events.push(named(json!({"type": "response.output_item.added", "output_index": index, "item": added})));
                if item["type"] == "message" {
                    events.extend(pieces.iter().map(|text| named(json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": index, "content_index": 0, "delta": text}))));
                } else {
                    events.extend([left, right].map(|part| named(json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": index, "delta": part}))));
                }
                events.push(named(json!({"type": "response.output_item.done", "output_index": index, "item": item})));
            }
            events.push(named(
                json!({"type": "response.completed", "response": whole}),
            ));
        }
        Protocol::Gemini => {
            let chunk = |part: Value| {
                plain(
                    json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}], "modelVersion": "m-1"}),
                )
            };
            events.extend(pieces.iter().map(|text| chunk(json!({"text": text}))));
            if !has_result {
                events.push(chunk(whole["candidates"][0]["content"]["parts"][1].clone()));
            }
            let mut last = whole;
            last["candidates"][0]["content"]["parts"] = json!([{"text": ""}]);
            events.push(plain(last));
        }
        Protocol::Ollama | Protocol::Completions | Protocol::Fim => {
            panic!("nobody here speaks it")
        }
    }
    events
}

/// Events that break off in the middle of the text.
pub(crate) fn broken(provider: Protocol, end: Option<Frame>) -> Reply {
    let mut reply = Reply::events(events(provider, true).into_iter().take(5));
    reply.frames.extend(end);
    reply
}
