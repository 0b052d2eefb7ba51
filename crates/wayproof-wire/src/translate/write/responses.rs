//! Writes OpenAI Responses. Nothing is stored: the reasoning comes back sealed, and goes out again with the next turn.

use super::{NO_ARGUMENTS, Writing, data_url, fit_id, kind_name, number, quoted};
use crate::translate::item::{
    Call, Choice, Conversation, Effort, Format, Input, Media, MediaKind, Part, Settings, Source,
    Speaker, Thinking, Tool, ToolForm, ToolResult, Turn,
};
use crate::translate::loss::LossKind;
use crate::translate::out::Out;
use crate::translate::seal::SealKind;
use crate::translate::text::Text;

pub(super) fn write(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    let (system, turns) = conversation.instructed();
    let mut items = Items {
        writing,
        free: Vec::new(),
    };
    out.object(|out| {
        out.key("model").quoted(items.writing.aim.model.as_bytes());
        if let Some(system) = system {
            out.key("instructions");
            items.writing.joined_texts(&system.parts, b"\\n\\n", out);
        }
        out.key("input").array(|out| {
            for turn in turns {
                items.turn(turn, out);
            }
        });
        tools(conversation, out);
        settings(items.writing, &conversation.settings, out);
        out.key("store").boolean(false);
        if items.writing.aim.is_streaming {
            out.key("stream").boolean(true);
        }
    });
}

struct Items<'i, 'w> {
    writing: &'i mut Writing<'w>,
    /// Calls with free text, whose results are of another type.
    free: Vec<Text<'static>>,
}

impl Items<'_, '_> {
    fn turn(&mut self, turn: &Turn<'_>, out: &mut Out) {
        match turn.speaker {
            Speaker::System => message("developer", out, |out| {
                for part in &turn.parts {
                    self.content(part, out);
                }
            }),
            Speaker::User => self.user(&turn.parts, out),
            Speaker::Model => {
                for part in &turn.parts {
                    self.model(part, out);
                }
            }
        }
    }

    fn user(&mut self, parts: &[Part<'_>], out: &mut Out) {
        let mut has_more = false;
        for part in parts {
            match part {
                Part::Result(result) => self.result(result, out),
                _ => has_more = true,
            }
        }
        if has_more {
            message("user", out, |out| {
                for part in parts {
                    self.content(part, out);
                }
            });
        }
    }

    fn content(&mut self, part: &Part<'_>, out: &mut Out) {
        match part {
            Part::Text(text) | Part::Refusal(text) => text_part("input_text", text, out),
            Part::Media(media) => self.media(media, out),
            Part::Thinking(_) | Part::Call(_) | Part::Result(_) => {}
        }
    }

    fn media(&mut self, media: &Media<'_>, out: &mut Out) {
        if let Source::Plain(text) = &media.source {
            return text_part("input_text", text, out);
        }
        if media.kind == MediaKind::Audio {
            return self.writing.lose(LossKind::Part, kind_name(media.kind));
        }
        out.object(|out| {
            if media.kind == MediaKind::Image {
                out.pair("type", "input_image");
                out.key("image_url");
            } else {
                out.pair("type", "input_file");
            }
            match &media.source {
                Source::Url(url) | Source::Plain(url) if media.kind == MediaKind::Image => {
                    out.text(url);
                }
                Source::Url(url) | Source::Plain(url) => out.key("file_url").text(url),
                Source::Data { mime, base64 } => {
                    if media.kind == MediaKind::Document {
                        let name = Text::word("document");
                        out.key("filename")
                            .text(media.name.as_ref().unwrap_or(&name));
                        out.key("file_data");
                    }
                    data_url(mime, base64, out);
                }
            }
            if media.kind == MediaKind::Image {
                let auto = Text::word("auto");
                out.key("detail")
                    .text(media.detail.as_ref().unwrap_or(&auto));
            }
        });
    }

    fn result(&mut self, result: &ToolResult<'_>, out: &mut Out) {
        if result.is_error {
            self.writing.lose(LossKind::ErrorMark, "");
        }
        let id = fit_id(&result.id);
        let kind = if self.free.contains(&id) {
            "custom_tool_call_output"
        } else {
            "function_call_output"
        };
        out.object(|out| {
            out.pair("type", kind);
            out.key("call_id").text(&id);
            out.key("output");
            match result.parts.as_slice() {
                [] => out.word(""),
                [Part::Text(text)] => out.text(text),
                parts => out.array(|out| {
                    for part in parts {
                        self.content(part, out);
                    }
                }),
            }
        });
    }

    fn model(&mut self, part: &Part<'_>, out: &mut Out) {
        match part {
            Part::Text(text) | Part::Refusal(text) => said(text, out),
            Part::Call(call) => self.call(call, out),
            Part::Thinking(thinking) => self.thinking(thinking, out),
            Part::Media(media) => self.writing.lose(LossKind::Part, kind_name(media.kind)),
            Part::Result(_) => {}
        }
    }

    fn call(&mut self, call: &Call<'_>, out: &mut Out) {
        let id = fit_id(&call.id);
        out.object(|out| {
            if let Input::Free(input) = &call.input {
                out.pair("type", "custom_tool_call");
                out.key("input").text(input);
                self.free.push(id.owned());
            } else {
                out.pair("type", "function_call");
                out.key("arguments");
                quoted(&call.input, out);
            }
            out.key("call_id").text(&id);
            out.key("name").text(&call.name);
        });
    }

    fn thinking(&mut self, thinking: &Thinking<'_>, out: &mut Out) {
        let seal = thinking.seal.as_ref();
        let Some(seal) = seal.filter(|seal| seal.kind == SealKind::Encrypted) else {
            return self.writing.lose_thinking(thinking);
        };
        out.object(|out| {
            out.pair("type", "reasoning");
            if !seal.id.is_empty() {
                out.key("id").text(&seal.id);
            }
            out.key("summary").array(|out| {
                if !thinking.text.is_empty() {
                    text_part("summary_text", &thinking.text, out);
                }
            });
            out.key("encrypted_content").text(&seal.data);
        });
    }
}

fn message(role: &str, out: &mut Out, fill: impl FnOnce(&mut Out)) {
    out.object(|out| {
        out.pair("type", "message");
        out.pair("role", role);
        out.key("content").array(fill);
    });
}

/// What the model said. Parts of an answer would need the id that its provider gave it; a text needs none.
fn said(text: &Text<'_>, out: &mut Out) {
    out.object(|out| {
        out.pair("type", "message");
        out.pair("role", "assistant");
        out.key("content").text(text);
    });
}

fn text_part(kind: &str, text: &Text<'_>, out: &mut Out) {
    out.object(|out| {
        out.pair("type", kind);
        out.key("text").text(text);
    });
}

fn tools(conversation: &Conversation<'_>, out: &mut Out) {
    if conversation.tools.is_empty() {
        return;
    }
    out.key("tools").array(|out| {
        for tool in &conversation.tools {
            out.object(|out| write_tool(tool, out));
        }
    });
    let settings = &conversation.settings;
    if let Some(choice) = &settings.choice {
        out.key("tool_choice");
        match choice {
            Choice::Auto => out.word("auto"),
            Choice::Never => out.word("none"),
            Choice::Any => out.word("required"),
            Choice::Tool(name) => out.object(|out| {
                let is_free = conversation
                    .tools
                    .iter()
                    .any(|tool| tool.name == *name && matches!(tool.form, ToolForm::Free(_)));
                out.pair("type", if is_free { "custom" } else { "function" });
                out.key("name").text(name);
            }),
        }
    }
    if settings.parallel == Some(false) {
        out.key("parallel_tool_calls").boolean(false);
    }
}

fn write_tool(tool: &Tool<'_>, out: &mut Out) {
    let is_free = matches!(tool.form, ToolForm::Free(_));
    out.pair("type", if is_free { "custom" } else { "function" });
    out.key("name").text(&tool.name);
    if let Some(description) = &tool.description {
        out.key("description").text(description);
    }
    match &tool.form {
        ToolForm::Schema(schema) => {
            out.key("parameters")
                .raw(schema.as_deref().unwrap_or(NO_ARGUMENTS));
            // Left out, it would be taken for true.
            out.key("strict").boolean(tool.is_strict);
        }
        ToolForm::Free(Some(format)) => out.key("format").raw(format),
        ToolForm::Free(None) => {}
    }
}

fn settings(writing: &mut Writing<'_>, settings: &Settings<'_>, out: &mut Out) {
    if let Some(limit) = writing.max_tokens(settings) {
        out.key("max_output_tokens").number(limit);
    }
    number("temperature", settings.temperature, out);
    number("top_p", settings.top_p, out);
    writing.lose_setting("top_k", settings.top_k);
    writing.lose_setting("seed", settings.seed);
    writing.lose_setting("presence_penalty", settings.presence_penalty);
    writing.lose_setting("frequency_penalty", settings.frequency_penalty);
    if !settings.stop.is_empty() {
        writing.lose(LossKind::Field, "stop");
    }
    if let Some(effort) = settings.effort {
        out.key("reasoning").object(|out| {
            out.pair("effort", effort.word());
            if settings.shows_thinking == Some(true) && effort != Effort::Off {
                out.pair("summary", "auto");
            }
        });
    }
    if settings.effort.is_some_and(|effort| effort != Effort::Off) {
        // Models that do not reason refuse to be asked for this.
        out.key("include")
            .raw(br#"["reasoning.encrypted_content"]"#);
    }
    if let Some(key) = &settings.cache_key {
        out.key("prompt_cache_key").text(key);
    }
    if settings.format.is_none() && settings.verbosity.is_none() {
        return;
    }
    out.key("text").object(|out| {
        if let Some(verbosity) = &settings.verbosity {
            out.key("verbosity").text(verbosity);
        }
        match &settings.format {
            None => {}
            Some(Format::Object) => out.key("format").raw(br#"{"type":"json_object"}"#),
            Some(Format::Schema {
                name,
                schema,
                is_strict,
            }) => out.key("format").object(|out| {
                let unnamed = Text::word("answer");
                out.pair("type", "json_schema");
                out.key("name").text(name.as_ref().unwrap_or(&unnamed));
                out.key("schema").raw(schema);
                out.key("strict").boolean(*is_strict);
            }),
        }
    });
}
