//! Request bodies of the benchmark: what a coding agent sends well into a session, in three protocols.
//!
//! Each body holds markers of twelve digits that the load generator overwrites in place,
//! so that no two requests are the same and nothing that remembers identical bodies looks fast.

use serde_json::{Value, json};

/// The digits after this mark change with every conversation.
pub(crate) const SESSION_MARK: &str = "sess-000000000000";
/// The digits after this mark change with every turn.
pub(crate) const TURN_MARK: &str = "turn-000000000000";
/// The conversation's number also stands in the session id of the agent.
pub(crate) const SESSION_ID: &str = "5f0c9d1e-0000-4000-8000-000000000000";

/// How large a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// About 1 KB, one message.
    Small,
    /// About 143 KB: 20 tools and 60 messages.
    Agentic,
    /// About 1 MB: the same session ten times as long.
    Huge,
}

/// Which protocol a body speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Messages,
    Chat,
    Responses,
}

impl Speech {
    /// The path of the protocol.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Messages => "/v1/messages",
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
        }
    }
}

const TOOLS: [&str; 20] = [
    "Bash",
    "Read",
    "Write",
    "Edit",
    "Glob",
    "Grep",
    "Agent",
    "WebFetch",
    "WebSearch",
    "Skill",
    "ToolSearch",
    "Workflow",
    "ListAgents",
    "NotebookEdit",
    "KillShell",
    "BashOutput",
    "mcp__tracker__find",
    "mcp__tracker__comment",
    "mcp__database__query",
    "ReportFindings",
];

const WORDS: [&str; 32] = [
    "read", "the", "file", "before", "changing", "it", "keep", "every", "edit", "small", "and",
    "run", "focused", "tests", "after", "each", "step", "never", "guess", "paths", "when",
    "output", "fails", "look", "at", "first", "error", "then", "explain", "what", "was", "proven",
];

const SOURCE: [&str; 8] = [
    "    /// Gibt den Schlüssel zurück — or the default when the header is absent.",
    "    fn caller(&self, headers: &HeaderMap) -> Result<&str, Refusal> {",
    "        let value = headers.get(\"x-caller\").and_then(|v| v.to_str().ok());",
    "        match value {",
    "            Some(name) if !name.is_empty() => Ok(name),",
    "            Some(_) => Err(Refusal::new(format!(\"empty caller\\n\\t{:?}\", headers))),",
    "\t\t\tNone => Ok(\"nobody\"),",
    "        }",
];

/// A small generator of repeatable numbers (xorshift), enough to vary text.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % below.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.roll(from.len())).copied().unwrap_or_default()
    }

    fn prose(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(self.pick(&WORDS));
            text.push(' ');
        }
        text
    }

    fn code(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 128);
        let mut line = self.roll(400);
        while text.len() < length {
            let source = SOURCE.get(line % SOURCE.len()).copied().unwrap_or_default();
            text.push_str(&format_args!("{line:>6}\u{2192}{source}\n").to_string());
            line += 1;
        }
        text
    }
}

/// One step of the session: what the model said and called, and what came back.
struct Round {
    id: String,
    tool: &'static str,
    said: String,
    input: Value,
    output: String,
    is_error: bool,
}

/// The session in no protocol.
struct Session {
    system: String,
    tools: Vec<(&'static str, String, Value)>,
    reminder: String,
    rounds: Vec<Round>,
}

const ASK: &str = "Find out why the \"retry\" test is flaky and fix it.";

fn session(rounds: usize) -> Session {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let tools = TOOLS.iter().map(|name| tool(&mut dice, name)).collect();
    let rounds = (1..=rounds)
        .map(|number| {
            let output_length = *[450, 1100, 2000, 3700].get(dice.roll(4)).unwrap_or(&450);
            Round {
                id: format!("toolu_{number:06}benchmark"),
                tool: dice.pick(&TOOLS[..6]),
                said: dice.prose(220),
                input: if number % 4 == 0 {
                    json!({"file_path": format!("/repo/src/part_{number}.rs"),
                           "old_string": dice.code(500), "new_string": dice.code(600)})
                } else {
                    json!({"command": format!("cargo test -p part -- retry::{number} 2>&1 | tail -40"),
                           "description": dice.prose(60)})
                },
                output: dice.code(output_length),
                is_error: number % 9 == 0,
            }
        })
        .collect();
    Session {
        system: format!("You are a coding agent. {}", dice.prose(8_300)),
        tools,
        reminder: format!(
            "<system-reminder>\n{}\n</system-reminder>",
            dice.prose(1_500)
        ),
        rounds,
    }
}

fn tool(dice: &mut Dice, name: &'static str) -> (&'static str, String, Value) {
    let mut properties = serde_json::Map::new();
    for number in 0..4 + dice.roll(3) {
        let kind = dice.pick(&["string", "integer", "boolean", "array"]);
        let mut property = json!({"type": kind, "description": dice.prose(90)});
        if kind == "array" {
            property["items"] = json!({"type": "object", "properties": {"text": {"type": "string"}},
                                       "required": ["text"], "additionalProperties": false});
        }
        properties.insert(format!("argument_{number}"), property);
    }
    let schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    (name, dice.prose(700), schema)
}

/// Builds a body; `stream` asks for a streamed answer.
pub(crate) fn build(speech: Speech, size: Size, is_streaming: bool) -> String {
    let mut body = match (size, speech) {
        (Size::Small, _) => small(speech),
        (Size::Agentic | Size::Huge, _) => {
            let session = session(if size == Size::Huge { 312 } else { 29 });
            match speech {
                Speech::Messages => messages(&session),
                Speech::Chat => chat(&session),
                Speech::Responses => responses(&session),
            }
        }
    };
    if is_streaming {
        body["stream"] = json!(true);
        if speech == Speech::Chat {
            body["stream_options"] = json!({"include_usage": true});
        }
    }
    body.to_string()
}

fn small(speech: Speech) -> Value {
    let text = format!("{}({SESSION_MARK}) ({TURN_MARK})", Dice(7).prose(860));
    match speech {
        Speech::Messages => json!({"model": "mock-model", "max_tokens": 1024,
            "messages": [{"role": "user", "content": text}]}),
        Speech::Chat => {
            json!({"model": "mock-model", "messages": [{"role": "user", "content": text}]})
        }
        Speech::Responses => json!({"model": "mock-model", "input": text}),
    }
}

fn messages(session: &Session) -> Value {
    let mut turns = vec![json!({"role": "user", "content": [
        {"type": "text", "text": session.reminder},
        {"type": "text", "text": format!("{ASK} ({SESSION_MARK})")}]})];
    for round in &session.rounds {
        turns.push(
            json!({"role": "assistant", "content": [{"type": "text", "text": round.said},
            {"type": "tool_use", "id": round.id, "name": round.tool, "input": round.input}]}),
        );
        turns.push(
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": round.id,
            "is_error": round.is_error, "content": [{"type": "text", "text": round.output}]}]}),
        );
    }
    turns.push(json!({"role": "assistant", "content": [{"type": "text", "text": "It is fixed."}]}));
    turns.push(
        json!({"role": "user", "content": [{"type": "text", "text": format!("Go on ({TURN_MARK})"),
        "cache_control": {"type": "ephemeral"}}]}),
    );
    let tools: Vec<Value> = session
        .tools
        .iter()
        .map(|(name, text, schema)| json!({"name": name, "description": text, "input_schema": schema}))
        .collect();
    let user = json!({"device_id": "0".repeat(64), "account_uuid": "", "session_id": SESSION_ID});
    json!({"model": "mock-model", "max_tokens": 32000,
        "system": [{"type": "text", "text": session.system, "cache_control": {"type": "ephemeral"}}],
        "tools": tools, "messages": turns, "metadata": {"user_id": user.to_string()}})
}

fn chat(session: &Session) -> Value {
    let mut turns = vec![
        json!({"role": "system", "content": session.system}),
        json!({"role": "user", "content": format!("{}\n{ASK} ({SESSION_MARK})", session.reminder)}),
    ];
    for round in &session.rounds {
        turns.push(json!({"role": "assistant", "content": round.said, "tool_calls": [{"id": round.id,
            "type": "function", "function": {"name": round.tool, "arguments": round.input.to_string()}}]}));
        turns.push(json!({"role": "tool", "tool_call_id": round.id, "content": round.output}));
    }
    turns.push(json!({"role": "assistant", "content": "It is fixed."}));
    turns.push(json!({"role": "user", "content": format!("Go on ({TURN_MARK})")}));
    let tools: Vec<Value> = session
        .tools
        .iter()
        .map(|(name, text, schema)| {
            json!({"type": "function",
                   "function": {"name": name, "description": text, "parameters": schema}})
        })
        .collect();
    json!({"model": "mock-model", "messages": turns, "tools": tools})
}

fn responses(session: &Session) -> Value {
    let text = |role: &str, kind: &str, text: String| json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]});
    let mut input = vec![
        text("developer", "input_text", session.system.clone()),
        text(
            "user",
            "input_text",
            format!("{}\n{ASK} ({SESSION_MARK})", session.reminder),
        ),
    ];
    for round in &session.rounds {
        input.push(text("assistant", "output_text", round.said.clone()));
        input.push(
            json!({"type": "function_call", "call_id": round.id, "name": round.tool,
            "arguments": round.input.to_string()}),
        );
        input.push(
            json!({"type": "function_call_output", "call_id": round.id, "output": round.output}),
        );
    }
    input.push(text("assistant", "output_text", "It is fixed.".to_owned()));
    input.push(text("user", "input_text", format!("Go on ({TURN_MARK})")));
    let tools: Vec<Value> = session
        .tools
        .iter()
        .map(|(name, text, schema)| {
            json!({"type": "function", "name": name, "description": text, "parameters": schema})
        })
        .collect();
    json!({"model": "mock-model", "input": input, "tools": tools, "prompt_cache_key": SESSION_ID})
}

#[cfg(test)]
mod tests {
    use super::{SESSION_MARK, Size, Speech, TURN_MARK, build};

    #[test]
    fn bodies_have_their_size_and_their_marks() {
        for speech in [Speech::Messages, Speech::Chat, Speech::Responses] {
            for (size, least, most) in [
                (Size::Small, 900, 1_200),
                (Size::Agentic, 138_000, 150_000),
                (Size::Huge, 950_000, 1_050_000),
            ] {
                let body = build(speech, size, false);
                assert!(
                    (least..most).contains(&body.len()),
                    "{speech:?} {size:?}: {}",
                    body.len()
                );
                assert!(body.contains(SESSION_MARK) && body.contains(TURN_MARK));
            }
        }
    }
}
