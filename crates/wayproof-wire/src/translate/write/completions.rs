//! Writes legacy Completions and Mistral's fill-in-the-middle, which differ in two names.

use super::Writing;
use crate::protocol::Protocol;
use crate::translate::item::Conversation;
use crate::translate::out::Out;

pub(super) fn write(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    let is_fim = writing.aim.provider == Protocol::Fim;
    let settings = &conversation.settings;
    out.object(|out| {
        out.key("model").quoted(writing.aim.model.as_bytes());
        if let Some(fill) = &conversation.fill {
            out.key("prompt").text(&fill.before);
            if let Some(after) = &fill.after {
                out.key("suffix").text(after);
            }
        }
        let seed = if is_fim { "random_seed" } else { "seed" };
        let known = [
            ("max_tokens", settings.max_tokens),
            ("temperature", settings.temperature),
            ("top_p", settings.top_p),
            (seed, settings.seed),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                out.key(name).raw(value);
            }
        }
        let elsewhere = [
            ("top_k", settings.top_k),
            ("presence_penalty", settings.presence_penalty),
            ("frequency_penalty", settings.frequency_penalty),
        ];
        for (name, value) in elsewhere {
            match value {
                Some(value) if !is_fim => out.key(name).raw(value),
                value => writing.lose_setting(name, value),
            }
        }
        if !settings.stop.is_empty() {
            out.key("stop").array(|out| {
                for text in &settings.stop {
                    out.text(text);
                }
            });
        }
        if writing.aim.is_streaming {
            out.key("stream").boolean(true);
            if !is_fim {
                out.key("stream_options").raw(br#"{"include_usage":true}"#);
            }
        }
    });
}
