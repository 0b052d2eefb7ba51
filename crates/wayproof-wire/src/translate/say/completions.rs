//! Says OpenAI's legacy Completions: text and nothing else.

use super::chat::usage;
use super::{Piece, Reply, Said, frame};
use crate::answer::Stop;
use crate::fault::render;
use crate::protocol::Protocol;
use crate::translate::event::Event;
use crate::translate::loss::{LossKind, Losses};
use crate::translate::out::Out;
use crate::translate::text::Text;

#[derive(Debug)]
pub(crate) struct Voice;

impl Voice {
    #[expect(
        clippy::unused_self,
        reason = "a voice like the others, without a memory"
    )]
    pub(super) fn say(
        &self,
        event: Event<'_>,
        said: &Said,
        losses: &mut Losses,
        out: &mut Vec<u8>,
    ) {
        match event {
            Event::Begin { .. }
            | Event::Usage(_)
            | Event::Stop(_)
            | Event::Sealed(_)
            | Event::Input { .. }
            | Event::CallEnd { .. } => {}
            Event::Text(text) | Event::Refusal(text) => chunk(said, &text, None, out),
            Event::Thinking(_) => losses.add(LossKind::Part, "thinking"),
            Event::Call(call) => losses.add(LossKind::Part, &call.name.spoken()),
            Event::Failed(fault) => {
                out.extend_from_slice(b"data: ");
                out.extend(render(Protocol::Completions, &fault, &said.about.mint).body);
                out.extend_from_slice(b"\n\n");
            }
            Event::End => end(said, out),
        }
    }
}

/// There are no tools here to stop for.
const fn reason(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::ToolUse | Stop::Other => "stop",
        Stop::Length => "length",
        Stop::Refusal => "content_filter",
    }
}

fn head(said: &Said, out: &mut Out) {
    out.key("id")
        .quoted(format!("cmpl-{}", said.about.mint).as_bytes());
    out.pair("object", "text_completion");
    out.key("created").number(said.about.created_s);
    out.key("model").quoted(said.about.model.as_bytes());
}

fn choices(texts: &[&[u8]], reason: Option<&str>, out: &mut Out) {
    out.key("choices").array(|out| {
        out.object(|out| {
            out.key("text").joined(texts);
            out.key("index").number(0);
            out.key("logprobs").null();
            match reason {
                Some(reason) => out.pair("finish_reason", reason),
                None => out.key("finish_reason").null(),
            }
        });
    });
}

fn chunk(said: &Said, text: &Text<'_>, reason: Option<&str>, out: &mut Vec<u8>) {
    frame(None, out, |out| {
        head(said, out);
        choices(&[text.bytes()], reason, out);
    });
}

fn end(said: &Said, out: &mut Vec<u8>) {
    chunk(said, &Text::default(), Some(reason(said.stop())), out);
    if said.about.wants_usage && !said.usage.is_unknown() {
        frame(None, out, |out| {
            head(said, out);
            out.key("choices").array(|_| {});
            out.key("usage").object(|out| usage(said, out));
        });
    }
    out.extend_from_slice(b"data: [DONE]\n\n");
}

pub(super) fn whole(reply: &Reply, said: &Said, losses: &mut Losses, out: &mut Out) {
    let mut texts = Vec::new();
    for part in &reply.parts {
        match part {
            Piece::Text(text) | Piece::Refusal(text) => texts.push(text.as_slice()),
            Piece::Thinking(..) => losses.add(LossKind::Part, "thinking"),
            Piece::Call(call, _) => losses.add(LossKind::Part, &call.name.spoken()),
        }
    }
    out.object(|out| {
        head(said, out);
        choices(&texts, Some(reason(said.stop())), out);
        if !said.usage.is_unknown() {
            out.key("usage").object(|out| usage(said, out));
        }
    });
}
