//! Says OpenAI Chat Completions. Seals have no place here, so what a provider signed does not come back to it.

use super::{Piece, Reply, Said, frame};
use crate::answer::Stop;
use crate::fault::render;
use crate::protocol::Protocol;
use crate::translate::event::{CallBegun, CallKind, Event};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::out::Out;
use crate::translate::seal::SealKind;
use crate::translate::text::Text;

#[derive(Debug, Default)]
pub(crate) struct Voice {
    is_begun: bool,
    calls: Vec<(u64, CallKind)>,
}

impl Voice {
    pub(super) fn say(
        &mut self,
        event: Event<'_>,
        said: &Said,
        losses: &mut Losses,
        out: &mut Vec<u8>,
    ) {
        if !matches!(event, Event::Usage(_) | Event::Failed(_)) {
            self.begin(said, out);
        }
        match event {
            Event::Begin { .. } | Event::Usage(_) | Event::Stop(_) | Event::CallEnd { .. } => {}
            Event::Text(text) => delta(said, out, |out| out.key("content").text(&text)),
            Event::Refusal(text) => delta(said, out, |out| out.key("refusal").text(&text)),
            Event::Thinking(text) => {
                delta(said, out, |out| out.key("reasoning_content").text(&text));
            }
            Event::Sealed(seal) => {
                if seal.kind != SealKind::Open {
                    losses.add(LossKind::Thinking, "sealed");
                }
            }
            Event::Call(call) => self.call(&call, said, out),
            Event::Input { key, fragment } => self.input(key, &fragment, said, out),
            Event::Failed(fault) => {
                out.extend_from_slice(b"data: ");
                out.extend(render(Protocol::Chat, &fault, &said.about.mint).body);
                out.extend_from_slice(b"\n\n");
            }
            Event::End => end(said, out),
        }
    }

    fn begin(&mut self, said: &Said, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            delta(said, out, |out| {
                out.pair("role", "assistant");
                out.pair("content", "");
            });
        }
    }

    fn call(&mut self, call: &CallBegun<'_>, said: &Said, out: &mut Vec<u8>) {
        let index = self.calls.len() as u64;
        self.calls.push((call.key, call.kind));
        tool_delta(index, said, out, |out| {
            out.key("id").text(&call.id);
            function(call.kind, out, |out| {
                out.key("name").text(&call.name);
                let field = argument_field(call.kind);
                out.pair(field, "");
            });
        });
    }

    fn input(&self, key: u64, fragment: &Text<'_>, said: &Said, out: &mut Vec<u8>) {
        let found = self.calls.iter().position(|(known, _)| *known == key);
        let Some((index, (_, kind))) = found.and_then(|at| Some((at, self.calls.get(at)?))) else {
            return;
        };
        tool_delta(index as u64, said, out, |out| {
            let name = if *kind == CallKind::Free {
                "custom"
            } else {
                "function"
            };
            out.key(name).object(|out| {
                out.key(argument_field(*kind)).text(fragment);
            });
        });
    }
}

const fn argument_field(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Function => "arguments",
        CallKind::Free => "input",
    }
}

fn function(kind: CallKind, out: &mut Out, fill: impl FnOnce(&mut Out)) {
    let name = match kind {
        CallKind::Function => "function",
        CallKind::Free => "custom",
    };
    out.pair("type", name);
    out.key(name).object(fill);
}

fn head(object: &str, said: &Said, out: &mut Out) {
    out.key("id")
        .quoted(format!("chatcmpl-{}", said.about.mint).as_bytes());
    out.pair("object", object);
    out.key("created").number(said.about.created_s);
    out.key("model").quoted(said.about.model.as_bytes());
}

fn delta(said: &Said, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    frame(None, out, |out| {
        head("chat.completion.chunk", said, out);
        out.key("choices").array(|out| {
            out.object(|out| {
                out.key("index").number(0);
                out.key("delta").object(fill);
                out.key("finish_reason").null();
            });
        });
    });
}

fn tool_delta(index: u64, said: &Said, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    delta(said, out, |out| {
        out.key("tool_calls").array(|out| {
            out.object(|out| {
                out.key("index").number(index);
                fill(out);
            });
        });
    });
}

fn end(said: &Said, out: &mut Vec<u8>) {
    frame(None, out, |out| {
        head("chat.completion.chunk", said, out);
        out.key("choices").array(|out| {
            out.object(|out| {
                out.key("index").number(0);
                out.key("delta").object(|_| {});
                out.pair("finish_reason", reason(said.stop()));
            });
        });
    });
    if said.about.wants_usage && !said.usage.is_unknown() {
        frame(None, out, |out| {
            head("chat.completion.chunk", said, out);
            out.key("choices").array(|_| {});
            out.key("usage").object(|out| usage(said, out));
        });
    }
    out.extend_from_slice(b"data: [DONE]\n\n");
}

const fn reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Other => "stop",
        Stop::ToolUse => "tool_calls",
        Stop::Length => "length",
        Stop::Refusal => "content_filter",
    }
}

pub(super) fn usage(said: &Said, out: &mut Out) {
    let (prompt, completion) = (said.prompt_tokens(), said.output_tokens());
    out.key("prompt_tokens").number(prompt);
    out.key("completion_tokens").number(completion);
    out.key("total_tokens")
        .number(prompt.saturating_add(completion));
    let written = said.cache_written();
    if said.usage.cache_read.is_some() || written > 0 {
        out.key("prompt_tokens_details").object(|out| {
            out.key("cached_tokens")
                .number(said.usage.cache_read.unwrap_or(0));
            if written > 0 {
                out.key("cache_write_tokens").number(written);
            }
        });
    }
    if let Some(reasoning) = said.usage.reasoning {
        out.key("completion_tokens_details")
            .object(|out| out.key("reasoning_tokens").number(reasoning));
    }
}

pub(super) fn whole(reply: &Reply, said: &Said, losses: &mut Losses, out: &mut Out) {
    out.object(|out| {
        head("chat.completion", said, out);
        out.key("choices").array(|out| {
            out.object(|out| {
                out.key("index").number(0);
                out.key("message").object(|out| message(reply, losses, out));
                out.pair("finish_reason", reason(said.stop()));
            });
        });
        if !said.usage.is_unknown() {
            out.key("usage").object(|out| usage(said, out));
        }
    });
}

fn message(reply: &Reply, losses: &mut Losses, out: &mut Out) {
    let (mut texts, mut refusals, mut thoughts) = (Vec::new(), Vec::new(), Vec::new());
    let mut calls = Vec::new();
    for part in &reply.parts {
        match part {
            Piece::Text(text) => texts.push(text.as_slice()),
            Piece::Refusal(text) => refusals.push(text.as_slice()),
            Piece::Thinking(text, seal) => {
                thoughts.push(text.as_slice());
                if seal
                    .as_ref()
                    .is_some_and(|seal| seal.kind != SealKind::Open)
                {
                    losses.add(LossKind::Thinking, "sealed");
                }
            }
            Piece::Call(call, input) => calls.push((call, input)),
        }
    }
    out.pair("role", "assistant");
    out.key("content");
    if texts.is_empty() {
        out.null();
    } else {
        out.joined(&texts);
    }
    if !refusals.is_empty() {
        out.key("refusal").joined(&refusals);
    }
    if thoughts.iter().any(|text| !text.is_empty()) {
        out.key("reasoning_content").joined(&thoughts);
    }
    if calls.is_empty() {
        return;
    }
    out.key("tool_calls").array(|out| {
        for (call, input) in calls {
            out.object(|out| {
                out.key("id").text(&call.id);
                function(call.kind, out, |out| {
                    out.key("name").text(&call.name);
                    let empty = call.kind == CallKind::Function && input.is_empty();
                    out.key(argument_field(call.kind)).joined(&[if empty {
                        b"{}"
                    } else {
                        input.as_slice()
                    }]);
                });
            });
        }
    });
}
