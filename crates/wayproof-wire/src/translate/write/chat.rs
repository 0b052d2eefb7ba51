//! Writes OpenAI Chat Completions, in the words that every compatible server knows.

use super::{Writing, data_url, kind_name, number, quoted, result_media, result_texts};
use crate::translate::item::{
    Choice, Conversation, Format, MediaKind, Part, Settings, Source, Speaker, Tool, ToolResult,
};
use crate::translate::loss::LossKind;
use crate::translate::out::Out;
use crate::translate::seal::SealKind;
use crate::translate::text::Text;

/// Where reasoning stands in a message of the model's.
const REASONING: &str = "reasoning_content";

pub(super) fn write(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    out.object(|out| {
        out.key("model").quoted(writing.aim.model.as_bytes());
        out.key("messages").array(|out| {
            for turn in &conversation.turns {
                match turn.speaker {
                    Speaker::System => {
                        out.object(|out| {
                            out.pair("role", "system");
                            out.key("content");
                            writing.joined_texts(&turn.parts, b"\\n\\n", out);
                        });
                    }
                    Speaker::User => user(writing, &turn.parts, out),
                    Speaker::Model => model(writing, &turn.parts, out),
                }
            }
        });
        tools(writing, conversation, out);
        settings(writing, &conversation.settings, out);
        if writing.aim.is_streaming {
            out.key("stream").boolean(true);
            if writing.takes("stream_options") {
                out.key("stream_options").raw(br#"{"include_usage":true}"#);
            }
        }
    });
}

fn user(writing: &mut Writing<'_>, parts: &[Part<'_>], out: &mut Out) {
    let mut shown: Vec<&Part<'_>> = Vec::new();
    for part in parts {
        match part {
            Part::Result(result) => {
                tool_result(writing, result, out);
                shown.extend(result_media(&result.parts));
            }
            other => shown.push(other),
        }
    }
    if shown.is_empty() {
        return;
    }
    out.object(|out| {
        out.pair("role", "user");
        out.key("content");
        if let [Part::Text(text)] = shown.as_slice() {
            out.text(text);
            return;
        }
        out.array(|out| {
            for part in shown {
                user_part(writing, part, out);
            }
        });
    });
}

fn tool_result(writing: &mut Writing<'_>, result: &ToolResult<'_>, out: &mut Out) {
    if result.is_error {
        writing.lose(LossKind::ErrorMark, "");
    }
    let has_media = result_media(&result.parts).next().is_some();
    out.object(|out| {
        out.pair("role", "tool");
        out.key("tool_call_id").text(&writing.call_id(&result.id));
        out.key("content");
        let texts = result_texts(&result.parts);
        if texts.is_empty() && has_media {
            out.word("The result is in the next message.");
        } else {
            out.joined(&texts);
        }
    });
}

fn user_part(writing: &mut Writing<'_>, part: &Part<'_>, out: &mut Out) {
    let media = match part {
        Part::Text(text) | Part::Refusal(text) => return text_part(text, out),
        Part::Media(media) => media,
        Part::Thinking(_) | Part::Call(_) | Part::Result(_) => return,
    };
    match (&media.source, media.kind) {
        (Source::Plain(text), _) => text_part(text, out),
        (source, MediaKind::Image) => out.object(|out| {
            out.pair("type", "image_url");
            out.key("image_url").object(|out| {
                out.key("url");
                match source {
                    Source::Url(url) | Source::Plain(url) => out.text(url),
                    Source::Data { mime, base64 } => data_url(mime, base64, out),
                }
                if let Some(detail) = &media.detail {
                    out.key("detail").text(detail);
                }
            });
        }),
        (Source::Data { mime, base64 }, MediaKind::Audio) => out.object(|out| {
            let mime = mime.spoken();
            let format = mime.split_once('/').map_or("wav", |(_, format)| format);
            out.pair("type", "input_audio");
            out.key("input_audio").object(|out| {
                out.key("data").text(base64);
                out.key("format").quoted(format.as_bytes());
            });
        }),
        (Source::Data { mime, base64 }, MediaKind::Document) => out.object(|out| {
            out.pair("type", "file");
            out.key("file").object(|out| {
                let name = Text::word("document");
                out.key("filename")
                    .text(media.name.as_ref().unwrap_or(&name));
                out.key("file_data");
                data_url(mime, base64, out);
            });
        }),
        (Source::Url(_), kind) => writing.lose(LossKind::Part, kind_name(kind)),
    }
}

fn text_part(text: &Text<'_>, out: &mut Out) {
    out.object(|out| {
        out.pair("type", "text");
        out.key("text").text(text);
    });
}

fn model(writing: &mut Writing<'_>, parts: &[Part<'_>], out: &mut Out) {
    let mut thoughts: Vec<&[u8]> = Vec::new();
    for part in parts {
        let Part::Thinking(thinking) = part else {
            continue;
        };
        match &thinking.seal {
            Some(seal) if seal.kind == SealKind::Open && writing.takes(REASONING) => {
                thoughts.push(thinking.text.bytes());
            }
            _ => writing.lose_thinking(thinking),
        }
    }
    let has_text = parts
        .iter()
        .any(|part| matches!(part, Part::Text(_) | Part::Refusal(_) | Part::Media(_)));
    let calls: Vec<_> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Call(call) => Some(call),
            _ => None,
        })
        .collect();
    if !has_text && calls.is_empty() {
        return;
    }
    out.object(|out| {
        out.pair("role", "assistant");
        out.key("content");
        if has_text {
            writing.joined_texts(parts, b"\\n\\n", out);
        } else {
            out.null();
        }
        if !thoughts.is_empty() {
            out.key(REASONING).joined(&thoughts);
        }
        if calls.is_empty() {
            return;
        }
        out.key("tool_calls").array(|out| {
            for call in calls {
                out.object(|out| {
                    out.key("id").text(&writing.call_id(&call.id));
                    out.pair("type", "function");
                    out.key("function").object(|out| {
                        out.key("name").text(&call.name);
                        out.key("arguments");
                        quoted(&call.input, out);
                    });
                });
            }
        });
    });
}

fn tools(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    if conversation.tools.is_empty() {
        return;
    }
    out.key("tools").array(|out| {
        for tool in &conversation.tools {
            out.object(|out| {
                out.pair("type", "function");
                out.key("function")
                    .object(|out| function(writing, tool, out));
            });
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
                out.pair("type", "function");
                out.key("function").object(|out| out.key("name").text(name));
            }),
        }
    }
    if settings.parallel == Some(false) {
        out.key("parallel_tool_calls").boolean(false);
    }
}

fn function(writing: &mut Writing<'_>, tool: &Tool<'_>, out: &mut Out) {
    writing.tool(tool, "parameters", out);
    if tool.is_strict {
        out.key("strict").boolean(true);
    }
}

fn settings(writing: &mut Writing<'_>, settings: &Settings<'_>, out: &mut Out) {
    if let Some(limit) = writing.max_tokens(settings) {
        out.key(writing.token_field()).number(limit);
    }
    number("temperature", settings.temperature, out);
    number("top_p", settings.top_p, out);
    writing.lose_setting("top_k", settings.top_k);
    writing.number("seed", settings.seed, out);
    writing.number("presence_penalty", settings.presence_penalty, out);
    writing.number("frequency_penalty", settings.frequency_penalty, out);
    if !settings.stop.is_empty() {
        out.key("stop").array(|out| {
            for stop in &settings.stop {
                out.text(stop);
            }
        });
    }
    if let Some(effort) = settings.effort {
        out.pair("reasoning_effort", effort.word());
    }
    writing.text("verbosity", settings.verbosity.as_ref(), out);
    writing.text("prompt_cache_key", settings.cache_key.as_ref(), out);
    match &settings.format {
        None => {}
        Some(Format::Object) => out.key("response_format").raw(br#"{"type":"json_object"}"#),
        Some(Format::Schema {
            name,
            schema,
            is_strict,
        }) => out.key("response_format").object(|out| {
            out.pair("type", "json_schema");
            out.key("json_schema").object(|out| {
                let unnamed = Text::word("answer");
                out.key("name").text(name.as_ref().unwrap_or(&unnamed));
                out.key("schema").raw(schema);
                out.key("strict").boolean(*is_strict);
            });
        }),
    }
}
