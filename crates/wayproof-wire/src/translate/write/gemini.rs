//! Writes Gemini `generateContent`. The model and the wish for a stream stand in the path.

use super::{Writing, kind_name, number, result_media, result_texts};
use crate::translate::able::{ThinkingStyle, budget};
use crate::translate::item::{
    Choice, Conversation, Effort, Format, Media, MediaKind, Part, Settings, Source, Speaker,
    ToolResult, Turn,
};
use crate::translate::loss::LossKind;
use crate::translate::out::Out;
use crate::translate::seal::SealKind;
use crate::translate::text::Text;

/// What Google tells callers to send with calls that some other model made; newer models refuse calls without one.
pub(crate) const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Twice the tokens that the smaller models think at most.
const MOST_THINKING: u64 = 2 * 24_576;

pub(super) fn write(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    let (system, turns) = conversation.instructed();
    out.object(|out| {
        if let Some(system) = system {
            out.key("systemInstruction").object(|out| {
                out.key("parts").array(|out| {
                    for part in &system.parts {
                        if let Some(text) = writing.text_of(part) {
                            text_part(text, out);
                        }
                    }
                });
            });
        }
        out.key("contents")
            .array(|out| contents(writing, turns, out));
        tools(writing, conversation, out);
        out.key("generationConfig")
            .object(|out| settings(writing, &conversation.settings, out));
    });
}

fn contents(writing: &mut Writing<'_>, turns: &[Turn<'_>], out: &mut Out) {
    let is_model = |turn: &Turn<'_>| turn.speaker == Speaker::Model;
    let mut names: Vec<(&Text<'_>, &Text<'_>)> = Vec::new();
    for group in turns.chunk_by(|one, next| is_model(one) == is_model(next)) {
        let by_model = group.first().is_some_and(is_model);
        out.object(|out| {
            out.pair("role", if by_model { "model" } else { "user" });
            out.key("parts").array(|out| {
                if by_model {
                    let parts: Vec<&Part<'_>> = group.iter().flat_map(|turn| &turn.parts).collect();
                    model(writing, &parts, out);
                    names.clear();
                    names.extend(parts.iter().filter_map(|part| match part {
                        Part::Call(call) => Some((&call.id, &call.name)),
                        _ => None,
                    }));
                    return;
                }
                for turn in group {
                    for part in &turn.parts {
                        if turn.speaker == Speaker::System {
                            reminder(writing, part, out);
                        } else {
                            user(writing, part, &names, out);
                        }
                    }
                }
            });
        });
    }
}

fn reminder(writing: &mut Writing<'_>, part: &Part<'_>, out: &mut Out) {
    let Some(text) = writing.text_of(part) else {
        return;
    };
    writing.lose(LossKind::Position, "system");
    let mut wrapped = Text::word("<system-reminder>\\n").owned();
    wrapped.push(text.bytes());
    wrapped.push(b"\\n</system-reminder>");
    text_part(&wrapped, out);
}

fn text_part(text: &Text<'_>, out: &mut Out) {
    out.object(|out| out.key("text").text(text));
}

/// The model's parts; the signature before a part is a field of that part.
fn model(writing: &mut Writing<'_>, parts: &[&Part<'_>], out: &mut Out) {
    let mut signature: Option<&Text<'_>> = None;
    let mut has_called = false;
    for part in parts {
        match part {
            Part::Thinking(thinking) => match &thinking.seal {
                Some(seal) if seal.kind == SealKind::Thought => signature = Some(&seal.data),
                _ => writing.lose_thinking(thinking),
            },
            Part::Text(text) | Part::Refusal(text) => out.object(|out| {
                out.key("text").text(text);
                if let Some(signature) = signature.take() {
                    out.key("thoughtSignature").text(signature);
                }
            }),
            Part::Call(call) => out.object(|out| {
                let input = writing.object(&call.input);
                out.key("functionCall").object(|out| {
                    out.key("id").text(&call.id);
                    out.key("name").text(&call.name);
                    out.key("args").raw(&input);
                });
                let own = signature.take();
                // Of calls side by side only the first is signed.
                if let Some(signature) = own {
                    out.key("thoughtSignature").text(signature);
                } else if !has_called {
                    out.pair("thoughtSignature", NO_SIGNATURE);
                }
                has_called = true;
            }),
            Part::Media(media) => media_part(writing, media, out),
            Part::Result(_) => {}
        }
    }
}

fn user(
    writing: &mut Writing<'_>,
    part: &Part<'_>,
    names: &[(&Text<'_>, &Text<'_>)],
    out: &mut Out,
) {
    match part {
        Part::Text(text) | Part::Refusal(text) => text_part(text, out),
        Part::Media(media) => media_part(writing, media, out),
        Part::Result(result) => result_part(writing, result, names, out),
        Part::Thinking(_) | Part::Call(_) => {}
    }
}

fn result_part(
    writing: &mut Writing<'_>,
    result: &ToolResult<'_>,
    names: &[(&Text<'_>, &Text<'_>)],
    out: &mut Out,
) {
    let called = names.iter().find(|(id, _)| **id == result.id);
    let name = called
        .map(|(_, name)| *name)
        .or(result.name.as_ref())
        .unwrap_or(&result.id);
    out.object(|out| {
        out.key("functionResponse").object(|out| {
            out.key("id").text(&result.id);
            out.key("name").text(name);
            out.key("response").object(|out| {
                out.key(if result.is_error { "error" } else { "output" })
                    .joined(&result_texts(&result.parts));
            });
        });
    });
    for part in result_media(&result.parts) {
        if let Part::Media(media) = part {
            media_part(writing, media, out);
        }
    }
}

fn media_part(writing: &mut Writing<'_>, media: &Media<'_>, out: &mut Out) {
    writing.detail_is_lost(media);
    match &media.source {
        Source::Plain(text) => text_part(text, out),
        Source::Data { mime, base64 } => out.object(|out| {
            out.key("inlineData").object(|out| {
                out.key("mimeType").text(mime);
                out.key("data").text(base64);
            });
        }),
        Source::Url(url) if media.kind != MediaKind::Audio => out.object(|out| {
            out.key("fileData").object(|out| {
                out.key("fileUri").text(url);
            });
        }),
        Source::Url(_) => writing.lose(LossKind::Part, kind_name(media.kind)),
    }
}

fn tools(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    if conversation.tools.is_empty() {
        return;
    }
    out.key("tools").array(|out| {
        out.object(|out| {
            out.key("functionDeclarations").array(|out| {
                for tool in &conversation.tools {
                    out.object(|out| writing.lax_tool(tool, "parametersJsonSchema", out));
                }
            });
        });
    });
    let settings = &conversation.settings;
    if settings.parallel == Some(false) {
        writing.lose(LossKind::ToolChoice, "one call at a time");
    }
    let Some(choice) = &settings.choice else {
        return;
    };
    out.key("toolConfig").object(|out| {
        out.key("functionCallingConfig").object(|out| match choice {
            Choice::Auto => out.pair("mode", "AUTO"),
            Choice::Never => out.pair("mode", "NONE"),
            Choice::Any => out.pair("mode", "ANY"),
            Choice::Tool(name) => {
                out.pair("mode", "ANY");
                out.key("allowedFunctionNames").array(|out| out.text(name));
            }
        });
    });
}

fn settings(writing: &mut Writing<'_>, settings: &Settings<'_>, out: &mut Out) {
    if let Some(limit) = writing.max_tokens(settings) {
        out.key("maxOutputTokens").number(limit);
    }
    number("temperature", settings.temperature, out);
    number("topP", settings.top_p, out);
    number("topK", settings.top_k, out);
    number("seed", settings.seed, out);
    number("presencePenalty", settings.presence_penalty, out);
    number("frequencyPenalty", settings.frequency_penalty, out);
    writing.lose_setting("verbosity", settings.verbosity.as_ref().map(Text::bytes));
    writing.lose_setting(
        "prompt_cache_key",
        settings.cache_key.as_ref().map(Text::bytes),
    );
    if !settings.stop.is_empty() {
        out.key("stopSequences").array(|out| {
            for stop in &settings.stop {
                out.text(stop);
            }
        });
    }
    thinking(writing, settings, out);
    match &settings.format {
        None => {}
        Some(Format::Object) => out.pair("responseMimeType", "application/json"),
        Some(Format::Schema { schema, .. }) => {
            out.pair("responseMimeType", "application/json");
            out.key("responseJsonSchema").raw(schema);
        }
    }
}

/// Models before the third generation take a number of tokens instead of a level.
fn thinking(writing: &mut Writing<'_>, settings: &Settings<'_>, out: &mut Out) {
    let able = &writing.aim.able;
    let shows = settings.shows_thinking == Some(true) && able.thinking != ThinkingStyle::Never;
    if settings.effort.is_none() && !shows {
        return;
    }
    out.key("thinkingConfig").object(|out| {
        if shows {
            out.key("includeThoughts").boolean(true);
        }
        match settings.effort {
            Some(effort) if able.thinking == ThinkingStyle::Budget => {
                out.key("thinkingBudget")
                    .number(budget(effort, MOST_THINKING).unwrap_or_default());
            }
            Some(effort) => out.pair("thinkingLevel", effort.min(Effort::High).word()),
            None => {}
        }
    });
}
