//! The pieces that Responses repeats: items, parts, and the response around them.

use super::{Kind, Open};
use crate::answer::Stop;
use crate::fault::FaultKind;
use crate::translate::event::{CallBegun, CallKind};
use crate::translate::out::Out;
use crate::translate::say::Said;
use crate::translate::text::Text;

/// What clients act on. An overload has no code of its own on purpose: Codex takes that as final.
pub(super) const fn code(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::ContextOverflow => "context_length_exceeded",
        FaultKind::RateLimited => "rate_limit_exceeded",
        FaultKind::BudgetExhausted => "insufficient_quota",
        FaultKind::BadRequest | FaultKind::TooLarge | FaultKind::UnknownPacking => "invalid_prompt",
        _ => "server_error",
    }
}

pub(super) fn item_id(kind: Kind, index: usize, said: &Said) -> String {
    let prefix = match kind {
        Kind::Text | Kind::Refusal => "msg",
        Kind::Thinking => "rs",
        Kind::Call => "fc",
    };
    format!("{prefix}_{}_{index}", said.about.mint)
}

pub(super) fn place(kind: Kind, index: usize, said: &Said, out: &mut Out) {
    out.key("item_id").word(&item_id(kind, index, said));
    out.key("output_index").number(index as u64);
    let field = if kind == Kind::Thinking {
        "summary_index"
    } else {
        "content_index"
    };
    out.key(field).number(0);
}

/// The event and the type of the one part that an item has.
pub(super) fn part_names(kind: Kind, stage: &str) -> (&'static str, &'static str) {
    let is_added = stage == "added";
    match kind {
        Kind::Thinking | Kind::Call if is_added => {
            ("response.reasoning_summary_part.added", "summary_text")
        }
        Kind::Thinking | Kind::Call => ("response.reasoning_summary_part.done", "summary_text"),
        Kind::Text if is_added => ("response.content_part.added", "output_text"),
        Kind::Text => ("response.content_part.done", "output_text"),
        Kind::Refusal if is_added => ("response.content_part.added", "refusal"),
        Kind::Refusal => ("response.content_part.done", "refusal"),
    }
}

pub(super) fn part_fields(part: &str, text: &[u8], out: &mut Out) {
    out.pair("type", part);
    match part {
        "refusal" => out.key("refusal").joined(&[text]),
        _ => out.key("text").joined(&[text]),
    }
    if part == "output_text" {
        out.key("annotations").array(|_| {});
    }
}

/// Arguments of a function without any are an empty object.
pub(super) fn arguments<'t>(call: &CallBegun<'_>, text: &'t [u8]) -> &'t [u8] {
    if text.is_empty() && call.kind == CallKind::Function {
        b"{}"
    } else {
        text
    }
}

pub(super) fn call_head(call: &CallBegun<'_>, status: &str, out: &mut Out) {
    let kind = match call.kind {
        CallKind::Function => "function_call",
        CallKind::Free => "custom_tool_call",
    };
    out.pair("type", kind);
    out.pair("status", status);
    out.key("call_id").text(&call.id);
    out.key("name").text(&call.name);
    if let Some(space) = &call.space {
        out.key("namespace").text(space);
    }
}

pub(super) fn call_fields(call: &CallBegun<'_>, text: &[u8], status: &str, out: &mut Out) {
    call_head(call, status, out);
    let field = match call.kind {
        CallKind::Function => "arguments",
        CallKind::Free => "input",
    };
    out.key(field).joined(&[arguments(call, text)]);
}

pub(super) fn item_fields(open: &Open, seal: Option<Text<'_>>, out: &mut Out) {
    if open.kind == Kind::Thinking {
        out.pair("type", "reasoning");
        out.key("summary").array(|out| {
            if !open.text.is_empty() {
                out.object(|out| part_fields("summary_text", &open.text, out));
            }
        });
        if let Some(seal) = seal {
            out.key("encrypted_content").text(&seal);
        }
        return;
    }
    let part = if open.kind == Kind::Refusal {
        "refusal"
    } else {
        "output_text"
    };
    out.pair("type", "message");
    out.pair("status", "completed");
    out.pair("role", "assistant");
    out.key("content")
        .array(|out| out.object(|out| part_fields(part, &open.text, out)));
}

pub(super) fn head(said: &Said, status: &str, out: &mut Out) {
    out.key("id")
        .quoted(format!("resp_{}", said.about.mint).as_bytes());
    out.pair("object", "response");
    out.key("created_at").number(said.about.created_s);
    out.pair("status", status);
    out.key("model").quoted(said.about.model.as_bytes());
}

pub(super) fn response(said: &Said, out: &mut Out, output: impl FnOnce(&mut Out)) {
    let reason = match said.stop() {
        Stop::Length => Some("max_output_tokens"),
        Stop::Refusal | Stop::End | Stop::ToolUse | Stop::Other => None,
    };
    let status = if reason.is_some() {
        "incomplete"
    } else {
        "completed"
    };
    head(said, status, out);
    out.key("error").null();
    match reason {
        Some(reason) => out
            .key("incomplete_details")
            .object(|out| out.pair("reason", reason)),
        None => out.key("incomplete_details").null(),
    }
    out.key("output").array(output);
    out.key("parallel_tool_calls").boolean(true);
    if said.usage.is_unknown() {
        return;
    }
    out.key("usage").object(|out| {
        let (input, output) = (said.prompt_tokens(), said.output_tokens());
        out.key("input_tokens").number(input);
        out.key("input_tokens_details").object(|out| {
            out.key("cached_tokens")
                .number(said.usage.cache_read.unwrap_or(0));
            let written = said.cache_written();
            if written > 0 {
                out.key("cache_write_tokens").number(written);
            }
        });
        out.key("output_tokens").number(output);
        out.key("output_tokens_details").object(|out| {
            out.key("reasoning_tokens")
                .number(said.usage.reasoning.unwrap_or(0));
        });
        out.key("total_tokens").number(input.saturating_add(output));
    });
}
