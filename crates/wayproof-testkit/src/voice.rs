//! Says one line of a play in the protocol of the request, streamed or whole.

use serde_json::{Value, json};

use crate::{
    provider::Reply,
    transcript::{Speech, Transcript},
};

/// What a scripted model answers: a text that ends the turn, or one tool call.
#[derive(Debug, Clone)]
pub(crate) enum Line {
    Text(String),
    Call {
        id: String,
        tool: String,
        arguments: Value,
    },
}

/// An error in a shape that every client reads.
pub(crate) fn fault(status: u16, message: &str) -> Reply {
    let body = json!({"type": "error", "error": {"type": "not_found_error", "message": message}});
    Reply::json(status, body.to_string())
}

/// The answer of a token count.
pub(crate) fn count_tokens(input_tokens: usize) -> Reply {
    Reply::json(200, json!({"input_tokens": input_tokens}).to_string())
}

/// Tokens of one answer: nine tenths of a running conversation come from the cache.
struct Tokens {
    fresh: usize,
    cached: usize,
    output: usize,
}

impl Tokens {
    fn of(transcript: &Transcript, line: &Line) -> Self {
        let cached = if transcript.call_ids.is_empty() {
            0
        } else {
            transcript.input_tokens * 9 / 10
        };
        let said = match line {
            Line::Text(text) => text.len(),
            Line::Call { arguments, .. } => arguments.to_string().len(),
        };
        Self {
            fresh: transcript.input_tokens - cached,
            cached,
            output: said / 4 + 20,
        }
    }
}

/// Renders a line as the answer to a request.
pub(crate) fn speak(transcript: &Transcript, line: &Line) -> Reply {
    let tokens = Tokens::of(transcript, line);
    let (whole, stream) = match transcript.speech {
        Speech::Messages | Speech::CountTokens => messages(transcript, line, &tokens),
        Speech::Chat => chat(transcript, line, &tokens),
        Speech::Responses => responses(transcript, line, &tokens),
        Speech::Gemini => gemini(transcript, line, &tokens),
    };
    if transcript.is_streaming {
        Reply::events(stream)
    } else {
        Reply::json(200, whole.to_string())
    }
}

fn event(value: &Value) -> String {
    format!(
        "event: {}\ndata: {value}\n\n",
        value["type"].as_str().unwrap_or("message")
    )
}

fn messages(transcript: &Transcript, line: &Line, tokens: &Tokens) -> (Value, Vec<String>) {
    let usage = json!({
        "input_tokens": tokens.fresh, "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": 0, "output_tokens": tokens.output,
    });
    let (block, opened, delta, stop) = match line {
        Line::Text(text) => (
            json!({"type": "text", "text": text}),
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": text}),
            "end_turn",
        ),
        Line::Call {
            id,
            tool,
            arguments,
        } => (
            json!({"type": "tool_use", "id": id, "name": tool, "input": arguments}),
            json!({"type": "tool_use", "id": id, "name": tool, "input": {}}),
            json!({"type": "input_json_delta", "partial_json": arguments.to_string()}),
            "tool_use",
        ),
    };
    let mut message = json!({
        "id": format!("msg_{}", transcript.call_ids.len()), "type": "message", "role": "assistant",
        "model": transcript.model, "content": [block], "stop_reason": stop, "stop_sequence": null,
        "usage": usage,
    });
    let whole = message.clone();
    message["content"] = json!([]);
    message["stop_reason"] = Value::Null;
    let stream = [
        json!({"type": "message_start", "message": message}),
        json!({"type": "content_block_start", "index": 0, "content_block": opened}),
        json!({"type": "content_block_delta", "index": 0, "delta": delta}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null},
               "usage": {"output_tokens": tokens.output}}),
        json!({"type": "message_stop"}),
    ];
    (whole, stream.iter().map(event).collect())
}

fn chat(transcript: &Transcript, line: &Line, tokens: &Tokens) -> (Value, Vec<String>) {
    let prompt = tokens.fresh + tokens.cached;
    let usage = json!({
        "prompt_tokens": prompt, "completion_tokens": tokens.output,
        "total_tokens": prompt + tokens.output,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
    });
    let (message, stop) = match line {
        Line::Text(text) => (json!({"role": "assistant", "content": text}), "stop"),
        Line::Call {
            id,
            tool,
            arguments,
        } => (
            json!({"role": "assistant", "content": null, "tool_calls": [{"index": 0, "id": id,
                   "type": "function",
                   "function": {"name": tool, "arguments": arguments.to_string()}}]}),
            "tool_calls",
        ),
    };
    let id = format!("chatcmpl-{}", transcript.call_ids.len());
    let head =
        |object: &str| json!({"id": id, "object": object, "created": 0, "model": transcript.model});
    let mut whole = head("chat.completion");
    whole["choices"] = json!([{"index": 0, "message": message, "finish_reason": stop}]);
    whole["usage"] = usage.clone();
    let chunk = |choices: Value| {
        let mut chunk = head("chat.completion.chunk");
        chunk["choices"] = choices;
        chunk
    };
    let mut last = chunk(json!([]));
    last["usage"] = usage;
    let mut stream: Vec<String> = [
        chunk(json!([{"index": 0, "delta": message, "finish_reason": null}])),
        chunk(json!([{"index": 0, "delta": {}, "finish_reason": stop}])),
        last,
    ]
    .iter()
    .map(|chunk| format!("data: {chunk}\n\n"))
    .collect();
    stream.push("data: [DONE]\n\n".to_owned());
    (whole, stream)
}

fn gemini(transcript: &Transcript, line: &Line, tokens: &Tokens) -> (Value, Vec<String>) {
    let part = match line {
        Line::Text(text) => json!({"text": text}),
        Line::Call {
            id,
            tool,
            arguments,
        } => json!({"functionCall": {"id": id, "name": tool, "args": arguments}}),
    };
    let prompt = tokens.fresh + tokens.cached;
    let whole = json!({
        "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": [part]}}],
        "usageMetadata": {
            "promptTokenCount": prompt, "cachedContentTokenCount": tokens.cached,
            "candidatesTokenCount": tokens.output, "totalTokenCount": prompt + tokens.output,
        },
        "modelVersion": transcript.model, "responseId": format!("resp_{}", transcript.call_ids.len()),
    });
    let event = format!("data: {whole}\n\n");
    (whole, vec![event])
}

fn responses(transcript: &Transcript, line: &Line, tokens: &Tokens) -> (Value, Vec<String>) {
    let number = transcript.call_ids.len();
    let usage = json!({
        "input_tokens": tokens.fresh + tokens.cached,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.output, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": tokens.fresh + tokens.cached + tokens.output,
    });
    let item = match line {
        Line::Text(text) => json!({
            "type": "message", "id": format!("msg_{number}"), "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }),
        Line::Call {
            id,
            tool,
            arguments,
        } => json!({
            "type": "function_call", "id": format!("fc_{number}"), "call_id": id, "name": tool,
            "arguments": arguments.to_string(), "status": "completed",
        }),
    };
    let response = |status: &str, output: Value, usage: Value| {
        json!({"id": format!("resp_{number}"), "object": "response", "created_at": 0,
               "status": status, "model": transcript.model, "output": output, "usage": usage})
    };
    let whole = response("completed", json!([item]), usage);
    let mut events = vec![json!({"type": "response.created",
               "response": response("in_progress", json!([]), Value::Null)})];
    events.extend(item_events(&item));
    events.push(json!({"type": "response.completed", "response": whole}));
    for (sequence, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(sequence);
    }
    (whole.clone(), events.iter().map(event).collect())
}

fn item_events(item: &Value) -> Vec<Value> {
    let id = &item["id"];
    let mut opened = item.clone();
    opened["status"] = json!("in_progress");
    let mut events = Vec::new();
    if item["type"] == "message" {
        let part = &item["content"][0];
        let text = &part["text"];
        opened["content"] = json!([]);
        let at = |kind: &str| json!({"type": kind, "item_id": id, "output_index": 0, "content_index": 0});
        let mut added = at("response.content_part.added");
        added["part"] = json!({"type": "output_text", "text": "", "annotations": []});
        let mut delta = at("response.output_text.delta");
        delta["delta"] = text.clone();
        let mut done = at("response.output_text.done");
        done["text"] = text.clone();
        let mut closed = at("response.content_part.done");
        closed["part"] = part.clone();
        events.extend([added, delta, done, closed]);
    } else {
        opened["arguments"] = json!("");
        let arguments = &item["arguments"];
        events.push(
            json!({"type": "response.function_call_arguments.delta", "item_id": id,
                           "output_index": 0, "delta": arguments}),
        );
        events.push(
            json!({"type": "response.function_call_arguments.done", "item_id": id,
                           "output_index": 0, "arguments": arguments}),
        );
    }
    events.insert(
        0,
        json!({"type": "response.output_item.added", "output_index": 0, "item": opened}),
    );
    events.push(json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
    events
}
