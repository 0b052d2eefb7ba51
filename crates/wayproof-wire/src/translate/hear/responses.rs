//! Hears answers of OpenAI Responses. What the last events repeat is used only where the fragments were left out.

use super::{MOST_CALLS, beside, said, told};
use crate::answer::Stop;
use crate::json::Json;
use crate::translate::event::{CallBegun, CallKind, Event, Halt, Sink};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::seal::{Seal, SealKind};
use crate::translate::text::Text;
use crate::usage::Usage;

#[derive(Debug, Default)]
pub(crate) struct Ear {
    is_begun: bool,
    items: Vec<Known>,
    has_calls: bool,
    has_refusal: bool,
}

/// An output item that was heard of.
#[derive(Debug, Default)]
struct Known {
    index: u64,
    is_call: bool,
    has_content: bool,
    is_done: bool,
}

impl Ear {
    pub(super) fn event(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [kind, index, delta, item, response, part] = json.pick([
            "type",
            "output_index",
            "delta",
            "item",
            "response",
            "summary_index",
        ]);
        let index = index.and_then(Json::integer).unwrap_or(0);
        let kind = kind.and_then(Json::text).unwrap_or_default();
        match &*kind {
            "response.created" => self.begin(response.unwrap_or(json), sink),
            "response.output_item.added" => {
                if let Some(item) = item {
                    self.added(item, index, losses, sink);
                }
            }
            "response.reasoning_summary_part.added" => {
                if part.and_then(Json::integer::<u64>).unwrap_or(0) > 0 {
                    sink(Event::Thinking(Text::word("\\n\\n")));
                }
            }
            "response.output_item.done" => {
                if let Some(item) = item {
                    self.done(item, index, losses, sink);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.over(response.unwrap_or(json), sink);
            }
            "error" => {
                let error = json.get("error").filter(|error| error.is_object());
                sink(Event::Failed(told(error.unwrap_or(json), None)));
            }
            _ => {
                if let Some(fragment) = said(delta) {
                    self.fragment(&kind, fragment, index, sink);
                }
            }
        }
    }

    pub(super) fn whole(&mut self, json: Json<'_>, losses: &mut Losses, sink: &mut Sink<'_>) {
        self.begin(json, sink);
        let output = json.get("output").into_iter().flat_map(Json::elements);
        for (index, item) in (0..).zip(output) {
            self.added(item, index, losses, sink);
            self.done(item, index, losses, sink);
        }
        self.over(json, sink);
    }

    fn begin(&mut self, response: Json<'_>, sink: &mut Sink<'_>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            let model = said(response.get("model"));
            sink(Event::Begin { model });
        }
    }

    fn known(&mut self, index: u64) -> Option<&mut Known> {
        if !self.items.iter().any(|known| known.index == index) && self.items.len() < MOST_CALLS {
            self.items.push(Known {
                index,
                ..Known::default()
            });
        }
        self.items.iter_mut().find(|known| known.index == index)
    }

    fn added(&mut self, item: Json<'_>, index: u64, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [kind, id, name, space] = item.pick(["type", "call_id", "name", "namespace"]);
        let kind = kind.and_then(Json::text).unwrap_or_default();
        let call = match &*kind {
            "function_call" => CallKind::Function,
            "custom_tool_call" => CallKind::Free,
            "message" | "reasoning" => return,
            other => return losses.add(LossKind::Part, other),
        };
        let Some(known) = self.known(index) else {
            return;
        };
        let (Some(id), Some(name)) = (said(id), said(name)) else {
            return;
        };
        if !std::mem::replace(&mut known.is_call, true) {
            self.has_calls = true;
            sink(Event::Call(CallBegun {
                key: index,
                id,
                name,
                space: said(space),
                kind: call,
            }));
        }
    }

    fn fragment(&mut self, kind: &str, fragment: Text<'_>, index: u64, sink: &mut Sink<'_>) {
        let Some(known) = self.known(index) else {
            return;
        };
        let event = match kind {
            "response.output_text.delta" => Event::Text(fragment),
            "response.refusal.delta" => Event::Refusal(fragment),
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                Event::Thinking(fragment)
            }
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta"
                if known.is_call =>
            {
                Event::Input {
                    key: index,
                    fragment,
                }
            }
            _ => return,
        };
        known.has_content = true;
        self.has_refusal |= matches!(event, Event::Refusal(_));
        sink(event);
    }

    /// A finished item repeats everything; what was not heard before is told now.
    fn done(&mut self, item: Json<'_>, index: u64, losses: &mut Losses, sink: &mut Sink<'_>) {
        let [kind, id, content, summary, sealed, arguments, input] = item.pick([
            "type",
            "id",
            "content",
            "summary",
            "encrypted_content",
            "arguments",
            "input",
        ]);
        let kind = kind.and_then(Json::text).unwrap_or_default();
        if matches!(&*kind, "function_call" | "custom_tool_call") {
            self.added(item, index, losses, sink);
        }
        let Some(known) = self.known(index) else {
            return;
        };
        if std::mem::replace(&mut known.is_done, true) {
            return;
        }
        let (is_call, has_content) = (known.is_call, known.has_content);
        match &*kind {
            "message" => {
                for part in content.into_iter().flat_map(Json::elements) {
                    let [annotations, logprobs] = part.pick(["annotations", "logprobs"]);
                    beside("annotations", annotations, losses);
                    beside("logprobs", logprobs, losses);
                }
                if !has_content {
                    self.message(content, sink);
                }
            }
            "reasoning" => {
                if !has_content {
                    reasoning([summary, content], sink);
                }
                if let Some(data) = said(sealed) {
                    sink(Event::Sealed(Seal {
                        kind: SealKind::Encrypted,
                        id: said(id).unwrap_or_default(),
                        data,
                    }));
                }
            }
            _ if is_call => {
                if let Some(fragment) = said(arguments.or(input)).filter(|_| !has_content) {
                    sink(Event::Input {
                        key: index,
                        fragment,
                    });
                }
                sink(Event::CallEnd { key: index });
            }
            _ => {}
        }
    }

    fn message(&mut self, content: Option<Json<'_>>, sink: &mut Sink<'_>) {
        for part in content.into_iter().flat_map(Json::elements) {
            let [text, refusal] = part.pick(["text", "refusal"]);
            if let Some(text) = said(text) {
                sink(Event::Text(text));
            }
            if let Some(text) = said(refusal) {
                self.has_refusal = true;
                sink(Event::Refusal(text));
            }
        }
    }

    fn over(&mut self, response: Json<'_>, sink: &mut Sink<'_>) {
        self.begin(response, sink);
        let [status, error, details, usage] =
            response.pick(["status", "error", "incomplete_details", "usage"]);
        if let Some(usage) = usage {
            sink(Event::Usage(Usage::from_responses(usage)));
        }
        let status = status.and_then(Json::text).unwrap_or_default();
        if let Some(error) = error {
            return sink(Event::Failed(told(error, None)));
        }
        let reason = details.and_then(|details| details.get("reason")?.text());
        let stop = match (&*status, reason.as_deref()) {
            ("completed", _) if self.has_calls => Stop::ToolUse,
            ("completed", _) if self.has_refusal => Stop::Refusal,
            ("completed", _) => Stop::End,
            ("incomplete", Some("max_output_tokens")) => Stop::Length,
            ("incomplete", Some("content_filter")) => Stop::Refusal,
            _ => Stop::Other,
        };
        sink(Event::Stop(Halt {
            stop,
            sequence: None,
        }));
        sink(Event::End);
    }
}

fn reasoning(lists: [Option<Json<'_>>; 2], sink: &mut Sink<'_>) {
    let parts = lists.into_iter().flatten().flat_map(Json::elements);
    for (place, text) in parts.filter_map(|part| said(part.get("text"))).enumerate() {
        if place > 0 {
            sink(Event::Thinking(Text::word("\\n\\n")));
        }
        sink(Event::Thinking(text));
    }
}
