//! Says OpenAI Responses. The protocol repeats every finished item and at the end the whole answer, so the items are
//! kept until then, within a limit.

mod shape;

use super::{Piece, REPLY_BYTES, Reply, Said, frame};
use crate::answer::Stop;
use crate::fault::Fault;
use crate::translate::event::{CallBegun, CallKind, Event};
use crate::translate::hear::lied;
use crate::translate::loss::Losses;
use crate::translate::out::Out;
use crate::translate::seal::Seal;
use crate::translate::text::Text;
use shape::{
    arguments, call_fields, call_head, code, head, item_fields, item_id, part_fields, part_names,
    place, response,
};

#[derive(Debug, Default)]
pub(crate) struct Voice {
    is_begun: bool,
    sequence: u64,
    /// Finished items as JSON, by their place in the output.
    done: Vec<Option<Vec<u8>>>,
    open: Option<Open>,
    calls: Vec<Open>,
    bytes: usize,
}

/// An item that still grows.
#[derive(Debug)]
struct Open {
    index: usize,
    kind: Kind,
    text: Vec<u8>,
    call: Option<CallBegun<'static>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Refusal,
    Thinking,
    Call,
}

impl Voice {
    pub(super) fn say(
        &mut self,
        event: Event<'_>,
        said: &mut Said,
        _losses: &mut Losses,
        out: &mut Vec<u8>,
    ) {
        if !matches!(event, Event::Usage(_) | Event::Failed(_)) {
            self.begin(said, out);
        }
        match event {
            Event::Begin { .. } | Event::Usage(_) | Event::Stop(_) => {}
            Event::Text(text) => self.grow(Kind::Text, &text, said, out),
            Event::Refusal(text) => self.grow(Kind::Refusal, &text, said, out),
            Event::Thinking(text) => self.grow(Kind::Thinking, &text, said, out),
            Event::Sealed(seal) => {
                self.opened(Kind::Thinking, said, out);
                self.close(Some(&seal), said, out);
            }
            Event::Call(call) => self.call(&call, said, out),
            Event::Input { key, fragment } => self.input(key, &fragment, said, out),
            Event::CallEnd { key } => {
                let place = self.calls.iter().position(|open| open.key() == Some(key));
                if let Some(place) = place {
                    let open = self.calls.remove(place);
                    self.finish(&open, None, said, out);
                }
            }
            Event::Failed(fault) => self.failed(&fault, said, out),
            Event::End => {
                self.close(None, said, out);
                for open in std::mem::take(&mut self.calls) {
                    self.finish(&open, None, said, out);
                }
                let name = match said.stop() {
                    Stop::Length => "response.incomplete",
                    _ => "response.completed",
                };
                let done = std::mem::take(&mut self.done);
                self.event(name, out, |out| {
                    out.key("response").object(|out| {
                        response(said, out, |out| {
                            for item in done.iter().flatten() {
                                out.raw(item);
                            }
                        });
                    });
                });
            }
        }
        if self.bytes > REPLY_BYTES && !said.is_over {
            let fault = lied("sent an answer that is too long");
            said.is_over = true;
            self.failed(&fault, said, out);
            said.fault = Some(fault);
        }
    }

    fn event(&mut self, name: &str, out: &mut Vec<u8>, fill: impl FnOnce(&mut Out)) {
        let sequence = self.sequence;
        self.sequence += 1;
        frame(Some(name), out, |out| {
            out.pair("type", name);
            out.key("sequence_number").number(sequence);
            fill(out);
        });
    }

    fn begin(&mut self, said: &Said, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        for name in ["response.created", "response.in_progress"] {
            self.event(name, out, |out| {
                out.key("response").object(|out| {
                    head(said, "in_progress", out);
                    out.key("output").array(|_| {});
                });
            });
        }
    }

    fn grow(&mut self, kind: Kind, text: &Text<'_>, said: &Said, out: &mut Vec<u8>) {
        let index = self.opened(kind, said, out);
        self.bytes += text.bytes().len();
        if let Some(open) = &mut self.open {
            open.text.extend_from_slice(text.bytes());
        }
        let name = match kind {
            Kind::Text => "response.output_text.delta",
            Kind::Refusal => "response.refusal.delta",
            Kind::Thinking | Kind::Call => "response.reasoning_summary_text.delta",
        };
        self.event(name, out, |out| {
            place(kind, index, said, out);
            out.key("delta").text(text);
        });
    }

    /// The place of the open item of this kind; another one is finished for it.
    fn opened(&mut self, kind: Kind, said: &Said, out: &mut Vec<u8>) -> usize {
        if let Some(open) = self.open.as_ref().filter(|open| open.kind == kind) {
            return open.index;
        }
        self.close(None, said, out);
        let index = self.reserve();
        self.open = Some(Open {
            index,
            kind,
            text: Vec::new(),
            call: None,
        });
        self.event("response.output_item.added", out, |out| {
            out.key("output_index").number(index as u64);
            out.key("item").object(|out| {
                out.key("id").word(&item_id(kind, index, said));
                if kind == Kind::Thinking {
                    out.pair("type", "reasoning");
                    out.key("summary").array(|_| {});
                } else {
                    out.pair("type", "message");
                    out.pair("status", "in_progress");
                    out.pair("role", "assistant");
                    out.key("content").array(|_| {});
                }
            });
        });
        let (name, part) = part_names(kind, "added");
        self.event(name, out, |out| {
            place(kind, index, said, out);
            out.key("part").object(|out| part_fields(part, &[], out));
        });
        index
    }

    fn reserve(&mut self) -> usize {
        self.done.push(None);
        self.done.len() - 1
    }

    fn close(&mut self, seal: Option<&Seal<'_>>, said: &Said, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        let (kind, index) = (open.kind, open.index);
        let name = match kind {
            Kind::Text => "response.output_text.done",
            Kind::Refusal => "response.refusal.done",
            Kind::Thinking | Kind::Call => "response.reasoning_summary_text.done",
        };
        let field = if kind == Kind::Refusal {
            "refusal"
        } else {
            "text"
        };
        self.event(name, out, |out| {
            place(kind, index, said, out);
            out.key(field).joined(&[&open.text]);
        });
        let (name, part) = part_names(kind, "done");
        self.event(name, out, |out| {
            place(kind, index, said, out);
            out.key("part")
                .object(|out| part_fields(part, &open.text, out));
        });
        let packed = seal.map(|seal| seal.pack(&said.about.origin));
        self.finish(&open, packed, said, out);
    }

    /// Says that an item is finished, and keeps it for the end.
    fn finish(&mut self, open: &Open, seal: Option<Text<'_>>, said: &Said, out: &mut Vec<u8>) {
        let index = open.index;
        if let Some(call) = &open.call {
            let (name, field) = match call.kind {
                CallKind::Function => ("response.function_call_arguments.done", "arguments"),
                CallKind::Free => ("response.custom_tool_call_input.done", "input"),
            };
            let text = arguments(call, &open.text);
            self.event(name, out, |out| {
                out.key("item_id").word(&item_id(Kind::Call, index, said));
                out.key("output_index").number(index as u64);
                out.key(field).joined(&[text]);
            });
        }
        let mut json = Out::default();
        json.object(|out| {
            out.key("id").word(&item_id(open.kind, index, said));
            match &open.call {
                Some(call) => call_fields(call, &open.text, "completed", out),
                None => item_fields(open, seal.or_else(|| Some(said.open_seal())), out),
            }
        });
        let item = json.into_bytes();
        self.event("response.output_item.done", out, |out| {
            out.key("output_index").number(index as u64);
            out.key("item").raw(&item);
        });
        if let Some(slot) = self.done.get_mut(index) {
            *slot = Some(item);
        }
    }

    fn call(&mut self, call: &CallBegun<'_>, said: &Said, out: &mut Vec<u8>) {
        self.close(None, said, out);
        let index = self.reserve();
        self.event("response.output_item.added", out, |out| {
            out.key("output_index").number(index as u64);
            out.key("item").object(|out| {
                out.key("id").word(&item_id(Kind::Call, index, said));
                call_head(call, "in_progress", out);
                let field = match call.kind {
                    CallKind::Function => "arguments",
                    CallKind::Free => "input",
                };
                out.pair(field, "");
            });
        });
        self.calls.push(Open {
            index,
            kind: Kind::Call,
            text: Vec::new(),
            call: Some(call.owned()),
        });
    }

    fn input(&mut self, key: u64, fragment: &Text<'_>, said: &Said, out: &mut Vec<u8>) {
        let found = self.calls.iter_mut().find(|open| open.key() == Some(key));
        let Some(open) = found else { return };
        open.text.extend_from_slice(fragment.bytes());
        let index = open.index;
        let is_free = open
            .call
            .as_ref()
            .is_some_and(|call| call.kind == CallKind::Free);
        self.bytes += fragment.bytes().len();
        let name = if is_free {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        self.event(name, out, |out| {
            out.key("item_id").word(&item_id(Kind::Call, index, said));
            out.key("output_index").number(index as u64);
            out.key("delta").text(fragment);
        });
    }

    fn failed(&mut self, fault: &Fault, said: &Said, out: &mut Vec<u8>) {
        self.begin(said, out);
        self.event("response.failed", out, |out| {
            out.key("response").object(|out| {
                head(said, "failed", out);
                out.key("error").object(|out| {
                    out.pair("code", code(fault.kind));
                    out.key("message").quoted(fault.message.as_bytes());
                });
                out.key("output").array(|_| {});
            });
        });
    }
}

impl Open {
    fn key(&self) -> Option<u64> {
        self.call.as_ref().map(|call| call.key)
    }
}

pub(super) fn whole(reply: &Reply, said: &Said, _losses: &mut Losses, out: &mut Out) {
    out.object(|out| {
        response(said, out, |out| {
            for (index, part) in reply.parts.iter().enumerate() {
                out.object(|out| whole_item(part, index, said, out));
            }
        });
    });
}

fn whole_item(part: &Piece, index: usize, said: &Said, out: &mut Out) {
    let (kind, text, seal, call) = match part {
        Piece::Text(text) => (Kind::Text, text, None, None),
        Piece::Refusal(text) => (Kind::Refusal, text, None, None),
        Piece::Thinking(text, seal) => (Kind::Thinking, text, seal.as_ref(), None),
        Piece::Call(call, input) => (Kind::Call, input, None, Some(call)),
    };
    out.key("id").word(&item_id(kind, index, said));
    if let Some(call) = call {
        return call_fields(call, text, "completed", out);
    }
    let seal = seal.map_or_else(|| said.open_seal(), |seal| seal.pack(&said.about.origin));
    let open = Open {
        index,
        kind,
        text: text.clone(),
        call: None,
    };
    item_fields(&open, Some(seal), out);
}
