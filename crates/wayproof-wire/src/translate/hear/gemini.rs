//! Hears answers of Gemini: every chunk has the shape of a whole answer, and the connection's end is the answer's.

use super::{MOST_CALLS, beside, lied, said, told};
use crate::answer::Stop;
use crate::json::Json;
use crate::translate::event::{CallBegun, CallKind, Event, Halt, Sink};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::seal::{Seal, SealKind};
use crate::translate::text::{Text, escape_into};
use crate::usage::Usage;

#[derive(Debug)]
pub(crate) struct Ear {
    mint: String,
    is_begun: bool,
    calls: u64,
    has_finish: bool,
}

impl Ear {
    pub(super) fn new(mint: &str) -> Self {
        Self {
            mint: mint.to_owned(),
            is_begun: false,
            calls: 0,
            has_finish: false,
        }
    }

    pub(super) fn chunk(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [model, candidates, usage, feedback, error] = json.pick([
            "modelVersion",
            "candidates",
            "usageMetadata",
            "promptFeedback",
            "error",
        ]);
        if let Some(error) = error {
            return sink(Event::Failed(told(error, None)));
        }
        if !std::mem::replace(&mut self.is_begun, true) {
            sink(Event::Begin { model: said(model) });
        }
        for (place, candidate) in candidates.into_iter().flat_map(Json::elements).enumerate() {
            if place > 0 {
                losses.add(LossKind::Candidate, "candidate");
                continue;
            }
            let [content, finish, grounding, citations, logprobs] = candidate.pick([
                "content",
                "finishReason",
                "groundingMetadata",
                "citationMetadata",
                "logprobsResult",
            ]);
            beside("groundingMetadata", grounding, losses);
            beside("citationMetadata", citations, losses);
            beside("logprobsResult", logprobs, losses);
            let parts = content.and_then(|content| content.get("parts"));
            for part in parts.into_iter().flat_map(Json::elements) {
                self.part(part, losses, sink);
            }
            if let Some(reason) = finish.and_then(Json::text) {
                self.finish(&reason, sink);
            }
        }
        if let Some(usage) = usage {
            sink(Event::Usage(Usage::from_gemini(usage)));
        }
        if feedback.is_some_and(|feedback| feedback.get("blockReason").is_some()) {
            self.stop(Stop::Refusal, sink);
        }
    }

    pub(super) fn whole(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        self.chunk(json, losses, sink);
        self.close(sink);
    }

    pub(super) fn close(&mut self, sink: &mut Sink<'_>) {
        if self.has_finish {
            sink(Event::End);
        }
    }

    fn part(&mut self, part: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [text, thought, signature, call] =
            part.pick(["text", "thought", "thoughtSignature", "functionCall"]);
        let is_thought = thought.and_then(Json::boolean) == Some(true);
        if let Some(text) = said(text).filter(|_| is_thought) {
            sink(Event::Thinking(text));
        }
        // The signature goes before what it signs.
        if let Some(data) = said(signature) {
            sink(Event::Sealed(Seal {
                kind: SealKind::Thought,
                id: Text::default(),
                data,
            }));
        }
        match (said(text), call) {
            (Some(text), _) if !is_thought => sink(Event::Text(text)),
            (_, Some(call)) => self.call(call, sink),
            _ if text.is_some() || signature.is_some() => {}
            _ => {
                let kind = part.fields().next().map(|(key, _)| key);
                losses.add(LossKind::Part, kind.as_deref().unwrap_or("part"));
            }
        }
    }

    fn call(&mut self, call: Json<'_>, sink: &mut Sink<'_>) {
        let [id, name, args] = call.pick(["id", "name", "args"]);
        let Some(name) = said(name) else { return };
        let key = self.calls;
        self.calls += 1;
        if key >= MOST_CALLS as u64 {
            return sink(Event::Failed(lied("made too many calls in one answer")));
        }
        let minted = || Text::plain(&format!("call_{}_{key}", self.mint));
        sink(Event::Call(CallBegun {
            key,
            id: said(id).unwrap_or_else(minted),
            name,
            space: None,
            kind: CallKind::Function,
        }));
        let mut quoted = Vec::new();
        escape_into(args.map_or(b"{}", Json::bytes), &mut quoted);
        let fragment = Text::escaped(quoted);
        sink(Event::Input { key, fragment });
        sink(Event::CallEnd { key });
    }

    fn finish(&mut self, reason: &str, sink: &mut Sink<'_>) {
        let stop = match reason {
            // Clients would take it for the end of the work; asked again, the model mostly does better.
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "MALFORMED_RESPONSE" => {
                let what = format!("ended with a call that nobody can read ({reason}); ask again");
                return sink(Event::Failed(lied(&what)));
            }
            "STOP" if self.calls > 0 => Stop::ToolUse,
            "STOP" => Stop::End,
            "MAX_TOKENS" => Stop::Length,
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => Stop::Refusal,
            _ => Stop::Other,
        };
        self.stop(stop, sink);
    }

    fn stop(&mut self, stop: Stop, sink: &mut Sink<'_>) {
        if !std::mem::replace(&mut self.has_finish, true) {
            sink(Event::Stop(Halt {
                stop,
                sequence: None,
            }));
        }
    }
}
