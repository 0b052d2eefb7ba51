//! Hears answers of Anthropic Messages.

use super::{MOST_CALLS, beside, said, told};
use crate::answer::Stop;
use crate::json::Json;
use crate::translate::event::{CallBegun, CallKind, Event, Halt, Sink};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::seal::{Seal, SealKind};
use crate::translate::text::{Text, escape_into};
use crate::usage::Usage;

/// Blocks that are calls, by their index.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    calls: Vec<u64>,
}

impl Ear {
    pub(super) fn event(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [kind, index, block, delta, message, usage, error] = json.pick([
            "type",
            "index",
            "content_block",
            "delta",
            "message",
            "usage",
            "error",
        ]);
        let index = index.and_then(Json::integer).unwrap_or(0);
        match kind.and_then(Json::text).as_deref() {
            Some("message_start") => {
                if let Some(message) = message {
                    begin(message, sink);
                }
            }
            Some("content_block_start") => {
                if let Some(block) = block {
                    self.block(block, index, losses, sink);
                }
            }
            Some("content_block_delta") => {
                if let Some(delta) = delta {
                    beside("citations", delta.get("citation"), losses);
                    self.delta(delta, index, sink);
                }
            }
            Some("content_block_stop") => self.close(index, sink),
            Some("message_delta") => {
                if let Some(usage) = usage {
                    sink(Event::Usage(Usage::from_messages(usage)));
                }
                if let Some(halt) = delta.and_then(halt) {
                    sink(Event::Stop(halt));
                }
            }
            Some("message_stop") => sink(Event::End),
            Some("error") => sink(Event::Failed(told(error.unwrap_or(json), None))),
            _ => {}
        }
    }

    pub(super) fn whole(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        begin(json, sink);
        let content = json.get("content").into_iter().flat_map(Json::elements);
        for (index, block) in (0..).zip(content) {
            self.block(block, index, losses, sink);
            self.close(index, sink);
        }
        if let Some(halt) = halt(json) {
            sink(Event::Stop(halt));
        }
        sink(Event::End);
    }

    fn block(&mut self, block: Json<'_>, index: u64, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [kind, text, thinking, signature, data, id, name, input] = block.pick([
            "type",
            "text",
            "thinking",
            "signature",
            "data",
            "id",
            "name",
            "input",
        ]);
        let kind = kind.and_then(Json::text).unwrap_or_default();
        match &*kind {
            "text" => {
                beside("citations", block.get("citations"), losses);
                if let Some(text) = said(text) {
                    sink(Event::Text(text));
                }
            }
            "thinking" => {
                if let Some(text) = said(thinking) {
                    sink(Event::Thinking(text));
                }
                if let Some(signature) = said(signature) {
                    sink(sealed(SealKind::Signature, signature));
                }
            }
            "redacted_thinking" => {
                if let Some(data) = said(data) {
                    sink(sealed(SealKind::Redacted, data));
                }
            }
            "tool_use" if self.calls.len() < MOST_CALLS => {
                let (Some(id), Some(name)) = (said(id), said(name)) else {
                    return;
                };
                self.calls.push(index);
                sink(Event::Call(CallBegun {
                    key: index,
                    id,
                    name,
                    space: None,
                    kind: CallKind::Function,
                }));
                if let Some(input) = input.filter(|input| input.bytes() != b"{}") {
                    let mut quoted = Vec::new();
                    escape_into(input.bytes(), &mut quoted);
                    let fragment = Text::escaped(quoted);
                    sink(Event::Input {
                        key: index,
                        fragment,
                    });
                }
            }
            other => losses.add(LossKind::Part, other),
        }
    }

    fn delta(&self, delta: Json<'_>, index: u64, sink: &mut Sink<'_>) {
        let [text, thinking, signature, input] =
            delta.pick(["text", "thinking", "signature", "partial_json"]);
        if let Some(text) = said(text) {
            sink(Event::Text(text));
        }
        if let Some(text) = said(thinking) {
            sink(Event::Thinking(text));
        }
        if let Some(signature) = said(signature) {
            sink(sealed(SealKind::Signature, signature));
        }
        if let Some(fragment) = said(input).filter(|_| self.calls.contains(&index)) {
            sink(Event::Input {
                key: index,
                fragment,
            });
        }
    }

    fn close(&mut self, index: u64, sink: &mut Sink<'_>) {
        if let Some(place) = self.calls.iter().position(|key| *key == index) {
            self.calls.remove(place);
            sink(Event::CallEnd { key: index });
        }
    }
}

fn sealed(kind: SealKind, data: Text<'_>) -> Event<'_> {
    Event::Sealed(Seal {
        kind,
        id: Text::default(),
        data,
    })
}

fn begin(message: Json<'_>, sink: &mut Sink<'_>) {
    let [model, usage] = message.pick(["model", "usage"]);
    sink(Event::Begin { model: said(model) });
    if let Some(usage) = usage {
        sink(Event::Usage(Usage::from_messages(usage)));
    }
}

fn halt(delta: Json<'_>) -> Option<Halt<'_>> {
    let [reason, sequence] = delta.pick(["stop_reason", "stop_sequence"]);
    let stop = match &*reason?.text()? {
        "end_turn" | "stop_sequence" | "pause_turn" => Stop::End,
        "tool_use" => Stop::ToolUse,
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Refusal,
        _ => Stop::Other,
    };
    Some(Halt {
        stop,
        sequence: said(sequence),
    })
}
