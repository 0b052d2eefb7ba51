//! Fits a request to a model that its client did not have in mind, where their protocol is the same.
//!
//! Only what the model is known to refuse the whole request for is changed, each a loss; every other byte stays as it
//! came and where it was. A wish that is not known to be refused is nobody's business here.

use crate::json::Json;
use crate::leave_out::{Change, LeftOut, alter};
use crate::protocol::Protocol;
use crate::translate::{Able, Effort, Loss, LossKind, Losses, Out, ThinkingStyle};
use crate::view::Request;

/// Changes what the model refuses, if there is something.
pub fn fit(request: &Request<'_>, able: &Able<'_>) -> Option<LeftOut> {
    let mut fitting = Fitting {
        able,
        losses: Losses::default(),
    };
    let protocol = request.peek.protocol;
    let body = alter(request, |name, value| fitting.field(protocol, name, value))?;
    let losses: Vec<Loss> = fitting.losses.into_list();
    Some(LeftOut { body, losses })
}

struct Fitting<'f> {
    able: &'f Able<'f>,
    losses: Losses,
}

impl Fitting<'_> {
    fn field(&mut self, protocol: Protocol, name: &str, value: Json<'_>) -> Change {
        let refuses = self.able.refuses;
        match (protocol, name) {
            (_, "temperature" | "top_p" | "top_k") if refuses.sampling => {
                self.losses.field(name);
                Change::LeaveOut
            }
            (_, "max_tokens" | "max_completion_tokens" | "max_output_tokens") => {
                self.limit(name, value)
            }
            (_, "tool_choice") if refuses.forced_tool => self.choice(protocol, value),
            (Protocol::Messages, "thinking") => self.thinking(value),
            (Protocol::Messages, "output_config") | (Protocol::Responses, "reasoning") => {
                self.inside(value)
            }
            (Protocol::Chat, "reasoning_effort") => self.effort(value),
            _ => Change::Keep,
        }
    }

    fn limit(&mut self, name: &str, value: Json<'_>) -> Change {
        let own = self.able.output_limit;
        let own = own.filter(|own| value.integer::<u64>().is_some_and(|asked| asked > *own));
        own.map_or(Change::Keep, |own| {
            self.losses.field(name);
            Change::Put(own.to_string().into_bytes())
        })
    }

    fn choice(&mut self, protocol: Protocol, value: Json<'_>) -> Change {
        let kind = value.text().or_else(|| value.get("type")?.text());
        let is_free = kind.is_none_or(|kind| matches!(&*kind, "auto" | "none"));
        if is_free {
            return Change::Keep;
        }
        self.losses
            .add(LossKind::ToolChoice, "that a tool is called");
        let auto: &[u8] = if protocol == Protocol::Messages {
            br#"{"type":"auto"}"#
        } else {
            br#""auto""#
        };
        Change::Put(auto.to_vec())
    }

    fn thinking(&mut self, value: Json<'_>) -> Change {
        let kind = value.get("type").and_then(Json::text);
        let style = self.able.thinking;
        match kind.as_deref() {
            Some("disabled") if self.able.refuses.no_thinking => {
                self.losses.add(LossKind::Effort, Effort::Off.word());
                Change::LeaveOut
            }
            Some("enabled" | "adaptive") if style == ThinkingStyle::Never => self.unthought(),
            // With tokens instead, it would have to have thought in this very way before.
            Some("adaptive") if style == ThinkingStyle::Budget => self.unthought(),
            Some("enabled") if style == ThinkingStyle::Adaptive => {
                self.losses
                    .add(LossKind::Effort, "budget_tokens, as adaptive");
                Change::Put(br#"{"type":"adaptive"}"#.to_vec())
            }
            _ => Change::Keep,
        }
    }

    fn unthought(&mut self) -> Change {
        self.losses.add(LossKind::Effort, "thinking");
        Change::LeaveOut
    }

    /// An object with an effort in it.
    fn inside(&mut self, value: Json<'_>) -> Change {
        let effort = value.get("effort");
        let change = effort.map_or(Change::Keep, |effort| self.effort(effort));
        let kept: Vec<_> = value
            .fields()
            .filter(|(name, _)| name != "effort")
            .collect();
        let put = match change {
            Change::Keep | Change::Rename(_) => return Change::Keep,
            Change::LeaveOut if kept.is_empty() => return Change::LeaveOut,
            Change::LeaveOut => None,
            Change::Put(word) => Some(word),
        };
        let mut out = Out::with_capacity(value.bytes().len());
        out.object(|out| {
            if let Some(word) = put {
                out.key("effort").raw(&word);
            }
            for (name, value) in kept {
                out.key(&name).raw(value.bytes());
            }
        });
        Change::Put(out.into_bytes())
    }

    /// A word for an effort. Of a model that thinks by tokens it is known that it has no others than those listed.
    fn effort(&mut self, value: Json<'_>) -> Change {
        let Some(wish) = value.text().and_then(|word| Effort::of(&word)) else {
            return Change::Keep;
        };
        let has_none = match self.able.thinking {
            ThinkingStyle::Never => true,
            ThinkingStyle::Budget => self.able.efforts.is_empty(),
            ThinkingStyle::Adaptive | ThinkingStyle::Untold => false,
        };
        if has_none {
            self.losses.add(LossKind::Effort, wish.word());
            return Change::LeaveOut;
        }
        match self.able.known_for(wish) {
            Some(near) if near != wish => {
                let name = format!("{}, as {}", wish.word(), near.word());
                self.losses.add(LossKind::Effort, &name);
                Change::Put(format!("\"{}\"", near.word()).into_bytes())
            }
            _ => Change::Keep,
        }
    }
}
