//! Says Ollama `/api/chat` and `/api/generate`: a line of JSON an event. A call is said in one piece, since the protocol has no halves.

use super::{Gathered, Piece, Reply, Said, object_of};
use crate::answer::Stop;
use crate::fault::render;
use crate::models::timestamp;
use crate::protocol::Protocol;
use crate::translate::event::{CallBegun, Event};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::out::Out;
use crate::translate::seal::{Seal, SealKind};

#[derive(Debug, Default)]
pub(crate) struct Voice {
    calls: Gathered,
}

impl Voice {
    pub(super) fn say(
        &mut self,
        event: Event<'_>,
        said: &mut Said,
        losses: &mut Losses,
        out: &mut Vec<u8>,
    ) {
        match event {
            Event::Begin { .. } | Event::Usage(_) | Event::Stop(_) => {}
            Event::Text(text) | Event::Refusal(text) => {
                line(said, out, |out| out.key(content(said)).text(&text));
            }
            Event::Thinking(text) => line(said, out, |out| {
                out.pair(content(said), "");
                out.key("thinking").text(&text);
            }),
            Event::Sealed(seal) => lose(&seal, losses),
            Event::Call(call) => self.calls.begin(&call),
            Event::Input { key, fragment } => {
                if let Err(fault) = self.calls.grow(key, &fragment) {
                    failed(&fault, said, out);
                    said.fail(fault);
                }
            }
            Event::CallEnd { key } => {
                if let Some((call, input)) = self.calls.end(key) {
                    call_line(&call, &input, said, losses, out);
                }
            }
            Event::Failed(fault) => failed(&fault, said, out),
            Event::End => {
                for (call, input) in self.calls.rest() {
                    call_line(&call, &input, said, losses, out);
                }
                document(said, out, |out| {
                    message(said, out, |out| out.pair(content(said), ""));
                    done(said, out);
                });
            }
        }
    }
}

/// Seals have no place here, so what a provider signed does not come back to it.
fn lose(seal: &Seal<'_>, losses: &mut Losses) {
    if seal.kind != SealKind::Open {
        losses.add(LossKind::Thinking, "sealed");
    }
}

fn failed(fault: &crate::fault::Fault, said: &Said, out: &mut Vec<u8>) {
    out.extend(render(Protocol::Ollama, fault, &said.about.mint).body);
    out.push(b'\n');
}

fn head(said: &Said, out: &mut Out) {
    let created = i64::try_from(said.about.created_s).unwrap_or(i64::MAX);
    out.key("model").quoted(said.about.model.as_bytes());
    out.key("created_at").word(&timestamp(created));
}

fn document(said: &Said, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    let mut json = Out::after(std::mem::take(out));
    json.object(|out| {
        head(said, out);
        fill(out);
    });
    *out = json.into_bytes();
    out.push(b'\n');
}

fn line(said: &Said, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    document(said, out, |out| {
        message(said, out, fill);
        out.key("done").boolean(false);
    });
}

/// What is said stands in a message, or beside the rest in an answer to a prompt.
fn message(said: &Said, out: &mut Out, fill: impl FnOnce(&mut Out)) {
    if said.about.is_generated {
        return fill(out);
    }
    out.key("message").object(|out| {
        out.pair("role", "assistant");
        fill(out);
    });
}

/// The name of the text in it.
const fn content(said: &Said) -> &'static str {
    if said.about.is_generated {
        "response"
    } else {
        "content"
    }
}

fn call_line(
    call: &CallBegun<'_>,
    input: &[u8],
    said: &Said,
    losses: &mut Losses,
    out: &mut Vec<u8>,
) {
    let arguments = object_of(call, input, losses);
    line(said, out, |out| {
        out.pair(content(said), "");
        out.key("tool_calls")
            .array(|out| tool_call(call, &arguments, out));
    });
}

fn tool_call(call: &CallBegun<'_>, arguments: &[u8], out: &mut Out) {
    out.object(|out| {
        out.key("id").text(&call.id);
        out.key("function").object(|out| {
            out.key("name").text(&call.name);
            out.key("arguments").raw(arguments);
        });
    });
}

fn done(said: &Said, out: &mut Out) {
    out.key("done").boolean(true);
    let reason = match said.stop() {
        Stop::Length => "length",
        Stop::End | Stop::ToolUse | Stop::Refusal | Stop::Other => "stop",
    };
    out.pair("done_reason", reason);
    if !said.usage.is_unknown() {
        out.key("prompt_eval_count").number(said.prompt_tokens());
        out.key("eval_count").number(said.output_tokens());
    }
}

pub(super) fn whole(reply: &Reply, said: &Said, losses: &mut Losses, out: &mut Out) {
    let (mut texts, mut thoughts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    for part in &reply.parts {
        match part {
            Piece::Text(text) | Piece::Refusal(text) => texts.push(text.as_slice()),
            Piece::Thinking(text, seal) => {
                thoughts.push(text.as_slice());
                if let Some(seal) = seal {
                    lose(seal, losses);
                }
            }
            Piece::Call(call, input) => calls.push((call, object_of(call, input, losses))),
        }
    }
    out.object(|out| {
        head(said, out);
        message(said, out, |out| {
            out.key(content(said)).joined(&texts);
            if thoughts.iter().any(|text| !text.is_empty()) {
                out.key("thinking").joined(&thoughts);
            }
            if !calls.is_empty() {
                out.key("tool_calls").array(|out| {
                    for (call, arguments) in &calls {
                        tool_call(call, arguments, out);
                    }
                });
            }
        });
        done(said, out);
    });
}
