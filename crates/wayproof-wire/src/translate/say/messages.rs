//! Says Anthropic Messages. Blocks of text and thinking follow each other; calls stay open as long as they grow.

use super::{Piece, Reply, Said, frame, object_of};
use crate::answer::Stop;
use crate::fault::render;
use crate::protocol::Protocol;
use crate::translate::event::{CallBegun, Event};
use crate::translate::loss::Losses;
use crate::translate::out::Out;
use crate::translate::seal::{Seal, SealKind};
use crate::translate::text::Text;

#[derive(Debug, Default)]
pub(crate) struct Voice {
    is_begun: bool,
    next: u64,
    open: Option<(Kind, u64)>,
    /// Calls that may still grow: key and block.
    calls: Vec<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
}

impl Voice {
    pub(super) fn say(
        &mut self,
        event: Event<'_>,
        said: &Said,
        _losses: &mut Losses,
        out: &mut Vec<u8>,
    ) {
        if !matches!(event, Event::Usage(_) | Event::Failed(_)) {
            self.begin(said, out);
        }
        match event {
            Event::Begin { .. } | Event::Usage(_) | Event::Stop(_) => {}
            Event::Text(text) | Event::Refusal(text) => {
                let index = self.block(Kind::Text, said, out);
                delta(index, out, |out| {
                    out.pair("type", "text_delta");
                    out.key("text").text(&text);
                });
            }
            Event::Thinking(text) => {
                let index = self.block(Kind::Thinking, said, out);
                delta(index, out, |out| {
                    out.pair("type", "thinking_delta");
                    out.key("thinking").text(&text);
                });
            }
            Event::Sealed(seal) => self.sealed(&seal, said, out),
            Event::Call(call) => self.call(&call, said, out),
            Event::Input { key, fragment } => {
                let found = self.calls.iter().find(|(known, _)| *known == key);
                if let Some((_, index)) = found {
                    delta(*index, out, |out| {
                        out.pair("type", "input_json_delta");
                        out.key("partial_json").text(&fragment);
                    });
                }
            }
            Event::CallEnd { key } => {
                if let Some(place) = self.calls.iter().position(|(known, _)| *known == key) {
                    let (_, index) = self.calls.remove(place);
                    stop_block(index, out);
                }
            }
            Event::Failed(fault) => {
                let body = render(Protocol::Messages, &fault, &said.about.mint).body;
                out.extend_from_slice(b"event: error\ndata: ");
                out.extend(body);
                out.extend_from_slice(b"\n\n");
            }
            Event::End => self.end(said, out),
        }
    }

    fn begin(&mut self, said: &Said, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        frame(Some("message_start"), out, |out| {
            out.pair("type", "message_start");
            out.key("message").object(|out| {
                head(said, out);
                out.key("content").array(|_| {});
                out.key("stop_reason").null();
                out.key("stop_sequence").null();
                out.key("usage").object(|out| usage(said, out));
            });
        });
    }

    /// The open block of this kind; another one is closed for it.
    fn block(&mut self, kind: Kind, said: &Said, out: &mut Vec<u8>) -> u64 {
        if let Some((open, index)) = self.open
            && open == kind
        {
            return index;
        }
        self.close(said, out);
        let index = self.start(out, |out| match kind {
            Kind::Text => {
                out.pair("type", "text");
                out.pair("text", "");
            }
            Kind::Thinking => {
                out.pair("type", "thinking");
                out.pair("thinking", "");
                out.pair("signature", "");
            }
        });
        self.open = Some((kind, index));
        index
    }

    fn start(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) -> u64 {
        let index = self.next;
        self.next += 1;
        frame(Some("content_block_start"), out, |out| {
            out.pair("type", "content_block_start");
            out.key("index").number(index);
            out.key("content_block").object(fill);
        });
        index
    }

    fn close(&mut self, said: &Said, out: &mut Vec<u8>) {
        match self.open.take() {
            None => {}
            Some((Kind::Text, index)) => stop_block(index, out),
            Some((Kind::Thinking, index)) => sign(index, &said.open_seal(), out),
        }
    }

    fn sealed(&mut self, seal: &Seal<'_>, said: &Said, out: &mut Vec<u8>) {
        let packed = seal.pack(&said.about.origin);
        if seal.kind == SealKind::Redacted {
            self.close(said, out);
            let index = self.start(out, |out| {
                out.pair("type", "redacted_thinking");
                out.key("data").text(&packed);
            });
            return stop_block(index, out);
        }
        let index = self.block(Kind::Thinking, said, out);
        self.open = None;
        sign(index, &packed, out);
    }

    fn call(&mut self, call: &CallBegun<'_>, said: &Said, out: &mut Vec<u8>) {
        self.close(said, out);
        let index = self.start(out, |out| {
            out.pair("type", "tool_use");
            out.key("id").text(&call.id);
            out.key("name").text(&call.name);
            out.key("input").object(|_| {});
        });
        self.calls.push((call.key, index));
    }

    fn end(&mut self, said: &Said, out: &mut Vec<u8>) {
        self.close(said, out);
        for (_, index) in self.calls.drain(..) {
            stop_block(index, out);
        }
        frame(Some("message_delta"), out, |out| {
            out.pair("type", "message_delta");
            out.key("delta").object(|out| stop(said, out));
            out.key("usage").object(|out| usage(said, out));
        });
        frame(Some("message_stop"), out, |out| {
            out.pair("type", "message_stop");
        });
    }
}

fn delta(index: u64, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
    frame(Some("content_block_delta"), out, |out| {
        out.pair("type", "content_block_delta");
        out.key("index").number(index);
        out.key("delta").object(fill);
    });
}

fn stop_block(index: u64, out: &mut Vec<u8>) {
    frame(Some("content_block_stop"), out, |out| {
        out.pair("type", "content_block_stop");
        out.key("index").number(index);
    });
}

fn sign(index: u64, packed: &Text<'_>, out: &mut Vec<u8>) {
    delta(index, out, |out| {
        out.pair("type", "signature_delta");
        out.key("signature").text(packed);
    });
    stop_block(index, out);
}

fn head(said: &Said, out: &mut Out) {
    out.key("id")
        .quoted(format!("msg_{}", said.about.mint).as_bytes());
    out.pair("type", "message");
    out.pair("role", "assistant");
    out.key("model").quoted(said.about.model.as_bytes());
}

fn stop(said: &Said, out: &mut Out) {
    let sequence = said.halt.as_ref().and_then(|halt| halt.sequence.as_ref());
    let reason = match said.stop() {
        Stop::End if sequence.is_some() => "stop_sequence",
        Stop::End | Stop::Other => "end_turn",
        Stop::ToolUse => "tool_use",
        Stop::Length => "max_tokens",
        Stop::Refusal => "refusal",
    };
    out.pair("stop_reason", reason);
    match sequence {
        Some(sequence) => out.key("stop_sequence").text(sequence),
        None => out.key("stop_sequence").null(),
    }
}

fn usage(said: &Said, out: &mut Out) {
    let counted = &said.usage;
    out.key("input_tokens").number(counted.input.unwrap_or(0));
    if counted.cache_write_5m.or(counted.cache_write_1h).is_some() {
        out.key("cache_creation_input_tokens")
            .number(said.cache_written());
    }
    if let Some(read) = counted.cache_read {
        out.key("cache_read_input_tokens").number(read);
    }
    out.key("output_tokens").number(said.output_tokens());
}

pub(super) fn whole(reply: &Reply, said: &Said, losses: &mut Losses, out: &mut Out) {
    out.object(|out| {
        head(said, out);
        out.key("content").array(|out| {
            for part in &reply.parts {
                piece(part, said, losses, out);
            }
        });
        stop(said, out);
        out.key("usage").object(|out| usage(said, out));
    });
}

fn piece(part: &Piece, said: &Said, losses: &mut Losses, out: &mut Out) {
    out.object(|out| match part {
        Piece::Text(text) | Piece::Refusal(text) => {
            out.pair("type", "text");
            out.key("text").joined(&[text]);
        }
        Piece::Thinking(_, Some(seal)) if seal.kind == SealKind::Redacted => {
            out.pair("type", "redacted_thinking");
            out.key("data").text(&seal.pack(&said.about.origin));
        }
        Piece::Thinking(text, seal) => {
            let packed = match seal {
                Some(seal) => seal.pack(&said.about.origin),
                None => said.open_seal(),
            };
            out.pair("type", "thinking");
            out.key("thinking").joined(&[text]);
            out.key("signature").text(&packed);
        }
        Piece::Call(call, input) => {
            out.pair("type", "tool_use");
            out.key("id").text(&call.id);
            out.key("name").text(&call.name);
            out.key("input").raw(&object_of(call, input, losses));
        }
    });
}
