//! Hears answers of OpenAI Chat Completions, of the many servers that speak nearly that, and of legacy Completions.

use super::{MOST_CALLS, beside, lied, said, told};
use crate::answer::Stop;
use crate::json::Json;
use crate::translate::balance::Balance;
use crate::translate::event::{CallBegun, CallKind, Event, Halt, Sink};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::text::Text;
use crate::usage::Usage;

/// How much of a call may come before its name.
const NAMELESS_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Ear {
    mint: String,
    is_begun: bool,
    has_finish: bool,
    is_ended: bool,
    calls: Vec<Known>,
}

/// A call that was heard of.
#[derive(Debug)]
struct Known {
    index: u64,
    id: Option<Text<'static>>,
    is_told: bool,
    /// Arguments that came before the name.
    early: Vec<u8>,
    balance: Balance,
    is_ended: bool,
}

impl Known {
    fn new(index: u64) -> Self {
        Self {
            index,
            id: None,
            is_told: false,
            early: Vec::new(),
            balance: Balance::default(),
            is_ended: false,
        }
    }

    /// Tells fragments of arguments; what belongs to a call that is over is not told.
    fn input(&mut self, fragment: Text<'_>, sink: &mut Sink<'_>) {
        self.balance.push(&fragment);
        if !self.is_ended {
            sink(Event::Input {
                key: self.index,
                fragment,
            });
        }
    }

    fn end(&mut self, sink: &mut Sink<'_>) {
        if self.is_told && !std::mem::replace(&mut self.is_ended, true) {
            sink(Event::CallEnd { key: self.index });
        }
    }

    /// Keeps arguments until the name is known.
    fn hold(&mut self, fragment: Option<&Text<'_>>) {
        let early = fragment.map(Text::bytes).unwrap_or_default();
        if self.early.len() + early.len() <= NAMELESS_BYTES {
            self.early.extend_from_slice(early);
        }
    }
}

impl Ear {
    pub(super) fn new(mint: &str) -> Self {
        Self {
            mint: mint.to_owned(),
            is_begun: false,
            has_finish: false,
            is_ended: false,
            calls: Vec::new(),
        }
    }

    pub(super) fn chunk(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [model, choices, usage, error] = json.pick(["model", "choices", "usage", "error"]);
        if let Some(error) = error {
            return sink(Event::Failed(told(error, None)));
        }
        if !std::mem::replace(&mut self.is_begun, true) {
            sink(Event::Begin { model: said(model) });
        }
        for choice in choices.into_iter().flat_map(Json::elements) {
            let [index, delta, message, text, finish, logprobs] = choice.pick([
                "index",
                "delta",
                "message",
                "text",
                "finish_reason",
                "logprobs",
            ]);
            if index.and_then(Json::integer::<u64>).unwrap_or(0) > 0 {
                losses.add(LossKind::Candidate, "choice");
                continue;
            }
            beside("logprobs", logprobs, losses);
            if let Some(delta) = delta.or(message) {
                beside("annotations", delta.get("annotations"), losses);
                self.delta(delta, sink);
            }
            if let Some(text) = said(text) {
                sink(Event::Text(text));
            }
            if let Some(finish) = finish.and_then(Json::text) {
                self.finish(&finish, sink);
            }
        }
        if let Some(usage) = usage {
            sink(Event::Usage(Usage::from_chat(usage)));
        }
    }

    pub(super) fn whole(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        self.chunk(json, losses, sink);
        if self.has_finish {
            self.end(sink);
        }
    }

    /// The stream says that it is over.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        if !std::mem::replace(&mut self.is_ended, true) {
            sink(Event::End);
        }
    }

    /// The connection is over; some servers leave the last line out.
    pub(super) fn close(&mut self, sink: &mut Sink<'_>) {
        if self.has_finish {
            self.end(sink);
        }
    }

    fn delta(&mut self, delta: Json<'_>, sink: &mut Sink<'_>) {
        let [content, thought, other, refusal, calls] = delta.pick([
            "content",
            "reasoning_content",
            "reasoning",
            "refusal",
            "tool_calls",
        ]);
        if let Some(text) = said(thought).or_else(|| said(other)) {
            sink(Event::Thinking(text));
        }
        if let Some(text) = said(content) {
            sink(Event::Text(text));
        }
        // Some servers answer with parts.
        for part in content.into_iter().flat_map(Json::elements) {
            if let Some(text) = said(part.get("text")) {
                sink(Event::Text(text));
            }
        }
        if let Some(text) = said(refusal) {
            sink(Event::Refusal(text));
        }
        for (place, call) in (0..).zip(calls.into_iter().flat_map(Json::elements)) {
            self.call(call, place, sink);
        }
    }

    fn call(&mut self, call: Json<'_>, place: u64, sink: &mut Sink<'_>) {
        let [index, id, function, custom] = call.pick(["index", "id", "function", "custom"]);
        let Some(inner) = function.or(custom) else {
            return;
        };
        let [name, arguments, input] = inner.pick(["name", "arguments", "input"]);
        let key = index.and_then(Json::integer).unwrap_or(place);
        if !self.calls.iter().any(|known| known.index == key) {
            if self.calls.len() >= MOST_CALLS {
                return sink(Event::Failed(lied("began too many calls in one answer")));
            }
            // Calls come one after the other, unless arguments are still missing when the next one begins.
            for known in self
                .calls
                .iter_mut()
                .filter(|known| known.balance.is_whole())
            {
                known.end(sink);
            }
            self.calls.push(Known::new(key));
        }
        let known = self.calls.iter_mut().find(|known| known.index == key);
        let Some(known) = known else { return };
        if known.id.is_none() {
            known.id = said(id).map(|id| id.owned());
        }
        let fragment = said(arguments.or(input));
        if !known.is_told {
            let Some(name) = said(name) else {
                return known.hold(fragment.as_ref());
            };
            let minted = || Text::plain(&format!("call_{}_{key}", self.mint));
            let kind = if custom.is_some() {
                CallKind::Free
            } else {
                CallKind::Function
            };
            sink(Event::Call(CallBegun {
                key,
                id: known.id.clone().unwrap_or_else(minted),
                name,
                space: None,
                kind,
            }));
            known.is_told = true;
            let early = std::mem::take(&mut known.early);
            if !early.is_empty() {
                known.input(Text::escaped(early), sink);
            }
        }
        if let Some(fragment) = fragment {
            known.input(fragment, sink);
        }
    }

    fn finish(&mut self, reason: &str, sink: &mut Sink<'_>) {
        if std::mem::replace(&mut self.has_finish, true) {
            return;
        }
        let has_calls = self.calls.iter().any(|known| known.is_told);
        for known in &mut self.calls {
            known.end(sink);
        }
        let stop = match reason {
            // Some servers say that they are done when they want tools to run.
            "stop" if has_calls => Stop::ToolUse,
            "stop" => Stop::End,
            "tool_calls" | "function_call" => Stop::ToolUse,
            "length" => Stop::Length,
            "content_filter" => Stop::Refusal,
            _ => Stop::Other,
        };
        sink(Event::Stop(Halt {
            stop,
            sequence: None,
        }));
    }
}
