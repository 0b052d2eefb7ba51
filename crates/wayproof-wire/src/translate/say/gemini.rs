//! Says Gemini `generateContent`. A call is said in one piece, since the protocol has no way to say half of one.

use super::{Gathered, Piece, Reply, Said, frame, object_of};
use crate::answer::Stop;
use crate::fault::render;
use crate::protocol::Protocol;
use crate::translate::event::{CallBegun, Event};
use crate::translate::loss::Losses;
use crate::translate::out::Out;
use crate::translate::text::Text;

#[derive(Debug, Default)]
pub(crate) struct Voice {
    calls: Gathered,
    /// A packed seal that goes with the next part.
    seal: Option<Text<'static>>,
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
                let seal = self.seal.take();
                chunk(said, out, |out| text_part(text.bytes(), seal.as_ref(), out));
            }
            Event::Thinking(text) => chunk(said, out, |out| thought(text.bytes(), out)),
            Event::Sealed(seal) => self.seal = Some(seal.pack(&said.about.origin)),
            Event::Call(call) => self.calls.begin(&call),
            Event::Input { key, fragment } => {
                if let Err(fault) = self.calls.grow(key, &fragment) {
                    failed(&fault, said, out);
                    said.fail(fault);
                }
            }
            Event::CallEnd { key } => {
                if let Some((call, input)) = self.calls.end(key) {
                    let args = object_of(&call, &input, losses);
                    let seal = self.seal.take();
                    chunk(said, out, |out| call_part(&call, &args, seal.as_ref(), out));
                }
            }
            Event::Failed(fault) => failed(&fault, said, out),
            Event::End => {
                for (call, input) in self.calls.rest() {
                    let args = object_of(&call, &input, losses);
                    let seal = self.seal.take();
                    chunk(said, out, |out| call_part(&call, &args, seal.as_ref(), out));
                }
                let seal = self.seal.take();
                frame(None, out, |out| {
                    out.key("candidates").array(|out| {
                        out.object(|out| {
                            content(out, |out| {
                                if let Some(seal) = &seal {
                                    text_part(b"", Some(seal), out);
                                }
                            });
                            out.pair("finishReason", reason(said.stop()));
                            out.key("index").number(0);
                        });
                    });
                    tail(said, out);
                });
            }
        }
    }
}

fn failed(fault: &crate::fault::Fault, said: &Said, out: &mut Vec<u8>) {
    out.extend_from_slice(b"data: ");
    out.extend(render(Protocol::Gemini, fault, &said.about.mint).body);
    out.extend_from_slice(b"\n\n");
}

fn content(out: &mut Out, fill: impl FnOnce(&mut Out)) {
    out.key("content").object(|out| {
        out.key("parts").array(fill);
        out.pair("role", "model");
    });
}

fn chunk(said: &Said, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    frame(None, out, |out| {
        out.key("candidates").array(|out| {
            out.object(|out| {
                content(out, fill);
                out.key("index").number(0);
            });
        });
        out.key("modelVersion").quoted(said.about.model.as_bytes());
        out.key("responseId").quoted(said.about.mint.as_bytes());
    });
}

fn text_part(text: &[u8], seal: Option<&Text<'_>>, out: &mut Out) {
    out.object(|out| {
        out.key("text").joined(&[text]);
        if let Some(seal) = seal {
            out.key("thoughtSignature").text(seal);
        }
    });
}

fn thought(text: &[u8], out: &mut Out) {
    out.object(|out| {
        out.key("text").joined(&[text]);
        out.key("thought").boolean(true);
    });
}

fn call_part(call: &CallBegun<'_>, args: &[u8], seal: Option<&Text<'_>>, out: &mut Out) {
    out.object(|out| {
        out.key("functionCall").object(|out| {
            out.key("id").text(&call.id);
            out.key("name").text(&call.name);
            out.key("args").raw(args);
        });
        if let Some(seal) = seal {
            out.key("thoughtSignature").text(seal);
        }
    });
}

const fn reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::ToolUse => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
        Stop::Other => "OTHER",
    }
}

fn tail(said: &Said, out: &mut Out) {
    if !said.usage.is_unknown() {
        out.key("usageMetadata").object(|out| {
            let prompt = said.prompt_tokens();
            out.key("promptTokenCount").number(prompt);
            out.key("candidatesTokenCount")
                .number(said.usage.output.unwrap_or(0));
            if let Some(read) = said.usage.cache_read {
                out.key("cachedContentTokenCount").number(read);
            }
            if let Some(thoughts) = said.usage.reasoning {
                out.key("thoughtsTokenCount").number(thoughts);
            }
            out.key("totalTokenCount")
                .number(prompt.saturating_add(said.output_tokens()));
        });
    }
    out.key("modelVersion").quoted(said.about.model.as_bytes());
    out.key("responseId").quoted(said.about.mint.as_bytes());
}

pub(super) fn whole(reply: &Reply, said: &Said, losses: &mut Losses, out: &mut Out) {
    let mut seal: Option<Text<'_>> = None;
    out.object(|out| {
        out.key("candidates").array(|out| {
            out.object(|out| {
                content(out, |out| {
                    for part in &reply.parts {
                        match part {
                            Piece::Text(text) | Piece::Refusal(text) => {
                                text_part(text, seal.take().as_ref(), out);
                            }
                            Piece::Thinking(text, own) => {
                                if !text.is_empty() {
                                    thought(text, out);
                                }
                                seal = own
                                    .as_ref()
                                    .map(|own| own.pack(&said.about.origin))
                                    .or(seal.take());
                            }
                            Piece::Call(call, input) => {
                                let args = object_of(call, input, losses);
                                call_part(call, &args, seal.take().as_ref(), out);
                            }
                        }
                    }
                    if let Some(seal) = seal.take() {
                        text_part(b"", Some(&seal), out);
                    }
                });
                out.pair("finishReason", reason(said.stop()));
                out.key("index").number(0);
            });
        });
        tail(said, out);
    });
}
