//! Writes Anthropic Messages.
//!
//! Clients of other protocols expect caching to happen by itself, so two cache marks are set: behind the instructions
//! and behind the newest part of the conversation.

use super::{Writing, fit_id, kind_name, number};
use crate::translate::able::{ThinkingStyle, budget};
use crate::translate::item::{
    Choice, Conversation, Effort, Format, Media, MediaKind, Part, Settings, Source, Speaker,
    Thinking, ToolResult, Turn,
};
use crate::translate::loss::LossKind;
use crate::translate::out::Out;
use crate::translate::seal::SealKind;
use crate::translate::text::Text;

/// What an answer may have when the client says nothing; the protocol demands a limit.
const DEFAULT_MAX_TOKENS: u64 = 32_000;
const CACHE: &[u8] = br#"{"type":"ephemeral"}"#;

/// Whether a block ends a prefix that is to be cached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Cached,
    Plain,
}

pub(super) fn write(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    let (system, turns) = conversation.instructed();
    out.object(|out| {
        out.key("model").quoted(writing.aim.model.as_bytes());
        let settings = &conversation.settings;
        let limit = writing.max_tokens(settings);
        let default = writing
            .aim
            .able
            .output_limit
            .map_or(DEFAULT_MAX_TOKENS, |own| own.min(DEFAULT_MAX_TOKENS));
        let limit = limit.unwrap_or(default);
        out.key("max_tokens").number(limit);
        if let Some(system) = system {
            out.key("system");
            write_system(writing, system, out);
        }
        tools(writing, conversation, out);
        out.key("messages")
            .array(|out| messages(writing, turns, out));
        let thinking = asked_to_think(writing, settings, turns, limit);
        write_settings(writing, settings, thinking, out);
        if writing.aim.is_streaming {
            out.key("stream").boolean(true);
        }
    });
}

fn write_system(writing: &mut Writing<'_>, system: &Turn<'_>, out: &mut Out) {
    out.array(|out| {
        let last = system.parts.len().saturating_sub(1);
        for (index, part) in system.parts.iter().enumerate() {
            let mark = if writing.goes_on && index == last {
                Mark::Cached
            } else {
                Mark::Plain
            };
            if let Some(text) = writing.text_of(part) {
                text_block(text, mark, out);
            }
        }
    });
}

/// Neighbours of one side make one message; instructions on the way become reminders of the user's side.
fn messages(writing: &mut Writing<'_>, turns: &[Turn<'_>], out: &mut Out) {
    let is_model = |turn: &Turn<'_>| turn.speaker == Speaker::Model;
    let mut groups = turns
        .chunk_by(|one, next| is_model(one) == is_model(next))
        .peekable();
    if groups
        .peek()
        .is_some_and(|group| group.first().is_some_and(is_model))
    {
        // The user has to speak first.
        out.raw(br#"{"role":"user","content":"Go on."}"#);
    }
    while let Some(group) = groups.next() {
        let is_last = groups.peek().is_none();
        let Some(first) = group.first() else { continue };
        if is_model(first) {
            let parts = group.iter().flat_map(|turn| &turn.parts);
            let parts: Vec<_> = parts.filter(|part| is_said(writing, part)).collect();
            if parts.is_empty() {
                continue;
            }
            out.object(|out| {
                out.pair("role", "assistant");
                out.key("content").array(|out| {
                    for part in parts {
                        model_block(writing, part, out);
                    }
                });
            });
        } else {
            user(writing, group, is_last, out);
        }
    }
}

fn user(writing: &mut Writing<'_>, group: &[Turn<'_>], is_last: IsLast, out: &mut Out) {
    let mut blocks: Vec<(&Part<'_>, Speaker)> = Vec::new();
    for turn in group {
        blocks.extend(turn.parts.iter().map(|part| (part, turn.speaker)));
    }
    // Results come first, whatever was said between them.
    blocks.sort_by_key(|(part, _)| !matches!(part, Part::Result(_)));
    let last = blocks.len().saturating_sub(1);
    out.object(|out| {
        out.pair("role", "user");
        out.key("content").array(|out| {
            for (index, (part, speaker)) in blocks.into_iter().enumerate() {
                let mark = if writing.goes_on && is_last && index == last {
                    Mark::Cached
                } else {
                    Mark::Plain
                };
                if speaker == Speaker::System {
                    reminder(writing, part, mark, out);
                } else {
                    user_block(writing, part, mark, out);
                }
            }
        });
    });
}

/// Whether a group of turns is the last.
type IsLast = bool;

fn reminder(writing: &mut Writing<'_>, part: &Part<'_>, mark: Mark, out: &mut Out) {
    let Some(text) = writing.text_of(part) else {
        return;
    };
    writing.lose(LossKind::Position, "system");
    let mut wrapped = Text::word("<system-reminder>\\n").owned();
    wrapped.push(text.bytes());
    wrapped.push(b"\\n</system-reminder>");
    text_block(&wrapped, mark, out);
}

fn text_block(text: &Text<'_>, mark: Mark, out: &mut Out) {
    out.object(|out| {
        out.pair("type", "text");
        out.key("text").text(text);
        put_mark(mark, out);
    });
}

fn put_mark(mark: Mark, out: &mut Out) {
    if mark == Mark::Cached {
        out.key("cache_control").raw(CACHE);
    }
}

fn user_block(writing: &mut Writing<'_>, part: &Part<'_>, mark: Mark, out: &mut Out) {
    match part {
        Part::Text(text) | Part::Refusal(text) => text_block(text, mark, out),
        Part::Media(media) => media_block(writing, media, mark, out),
        Part::Result(result) => result_block(writing, result, mark, out),
        Part::Thinking(_) | Part::Call(_) => {}
    }
}

fn result_block(writing: &mut Writing<'_>, result: &ToolResult<'_>, mark: Mark, out: &mut Out) {
    out.object(|out| {
        out.pair("type", "tool_result");
        out.key("tool_use_id").text(&fit_id(&result.id));
        out.key("content");
        if let [Part::Text(text)] = result.parts.as_slice() {
            out.text(text);
        } else {
            out.array(|out| {
                for part in &result.parts {
                    user_block(writing, part, Mark::Plain, out);
                }
            });
        }
        if result.is_error {
            out.key("is_error").boolean(true);
        }
        put_mark(mark, out);
    });
}

fn media_block(writing: &mut Writing<'_>, media: &Media<'_>, mark: Mark, out: &mut Out) {
    let is_readable = match &media.source {
        Source::Data { mime, .. } if media.kind == MediaKind::Document => {
            mime.is("application/pdf")
        }
        _ => media.kind != MediaKind::Audio,
    };
    if !is_readable {
        writing.lose(LossKind::Part, kind_name(media.kind));
        return;
    }
    writing.detail_is_lost(media);
    out.object(|out| {
        out.pair("type", kind_name(media.kind));
        out.key("source").object(|out| match &media.source {
            Source::Url(url) => {
                out.pair("type", "url");
                out.key("url").text(url);
            }
            Source::Data { mime, base64 } => {
                out.pair("type", "base64");
                out.key("media_type").text(mime);
                out.key("data").text(base64);
            }
            Source::Plain(text) => {
                out.pair("type", "text");
                out.pair("media_type", "text/plain");
                out.key("data").text(text);
            }
        });
        if let Some(name) = media
            .name
            .as_ref()
            .filter(|_| media.kind == MediaKind::Document)
        {
            out.key("title").text(name);
        }
        put_mark(mark, out);
    });
}

/// Whether something of a part can go out; reasoning of others cannot.
fn is_said(writing: &mut Writing<'_>, part: &Part<'_>) -> bool {
    match part {
        Part::Thinking(thinking) => {
            let is_ours = is_ours(thinking);
            if !is_ours {
                writing.lose_thinking(thinking);
            }
            is_ours
        }
        Part::Text(text) | Part::Refusal(text) => !text.is_empty(),
        Part::Call(_) => true,
        Part::Media(media) => {
            writing.lose(LossKind::Part, kind_name(media.kind));
            false
        }
        Part::Result(_) => false,
    }
}

/// Whether it comes back to where it was sealed.
fn is_ours(thinking: &Thinking<'_>) -> bool {
    let seal = thinking.seal.as_ref();
    seal.is_some_and(|seal| matches!(seal.kind, SealKind::Signature | SealKind::Redacted))
}

fn model_block(writing: &mut Writing<'_>, part: &Part<'_>, out: &mut Out) {
    match part {
        Part::Text(text) | Part::Refusal(text) => text_block(text, Mark::Plain, out),
        Part::Thinking(thinking) => thinking_block(thinking, out),
        Part::Call(call) => out.object(|out| {
            out.pair("type", "tool_use");
            out.key("id").text(&fit_id(&call.id));
            out.key("name").text(&call.name);
            let input = writing.object(&call.input);
            out.key("input").raw(&input);
        }),
        Part::Media(_) | Part::Result(_) => {}
    }
}

fn thinking_block(thinking: &Thinking<'_>, out: &mut Out) {
    let Some(seal) = &thinking.seal else { return };
    out.object(|out| {
        if seal.kind == SealKind::Redacted {
            out.pair("type", "redacted_thinking");
            out.key("data").text(&seal.data);
        } else {
            out.pair("type", "thinking");
            out.key("thinking").text(&thinking.text);
            out.key("signature").text(&seal.data);
        }
    });
}

fn tools(writing: &mut Writing<'_>, conversation: &Conversation<'_>, out: &mut Out) {
    if conversation.tools.is_empty() {
        return;
    }
    out.key("tools").array(|out| {
        for tool in &conversation.tools {
            out.object(|out| writing.lax_tool(tool, "input_schema", out));
        }
    });
    let settings = &conversation.settings;
    let is_alone = settings.parallel == Some(false);
    if settings.choice.is_none() && !is_alone {
        return;
    }
    out.key("tool_choice").object(|out| {
        match settings.choice.as_ref().unwrap_or(&Choice::Auto) {
            Choice::Auto => out.pair("type", "auto"),
            Choice::Never => return out.pair("type", "none"),
            Choice::Any => out.pair("type", "any"),
            Choice::Tool(name) => {
                out.pair("type", "tool");
                out.key("name").text(name);
            }
        }
        if is_alone {
            out.key("disable_parallel_tool_use").boolean(true);
        }
    });
}

/// How the model is asked to think.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// Not at all, so it does as it is used to.
    Nothing,
    /// To leave it.
    Off,
    /// As much as the effort is worth.
    Adaptively(Effort),
    /// So many tokens, and an effort where it has those too.
    Tokens(u64, Option<Effort>),
}

impl Asked {
    const fn effort(self) -> Option<Effort> {
        match self {
            Self::Nothing | Self::Off => None,
            Self::Adaptively(effort) => Some(effort),
            Self::Tokens(_, effort) => effort,
        }
    }
}

fn asked_to_think(
    writing: &mut Writing<'_>,
    settings: &Settings<'_>,
    turns: &[Turn<'_>],
    limit: u64,
) -> Asked {
    let Some(effort) = settings.effort else {
        return Asked::Nothing;
    };
    if effort == Effort::Off {
        return Asked::Off;
    }
    // A forced tool and thinking exclude each other.
    if matches!(settings.choice, Some(Choice::Any | Choice::Tool(_))) {
        writing.lose(LossKind::Field, "effort");
        return Asked::Nothing;
    }
    let able = writing.aim.able;
    if able.thinking != ThinkingStyle::Budget {
        return Asked::Adaptively(effort);
    }
    match budget(effort, limit) {
        Some(tokens) if !calls_unthinking(turns) => Asked::Tokens(tokens, able.known_for(effort)),
        _ => {
            writing.lose(LossKind::Effort, effort.word());
            Asked::Nothing
        }
    }
}

/// Whether the model's last words call tools and have no thinking of its own before them, after which a model that
/// thinks by tokens refuses to.
fn calls_unthinking(turns: &[Turn<'_>]) -> bool {
    let is_model = |turn: &Turn<'_>| turn.speaker == Speaker::Model;
    let mut groups = turns.chunk_by(|one, next| is_model(one) == is_model(next));
    let last = groups.rfind(|group| group.first().is_some_and(is_model));
    let parts = || last.into_iter().flatten().flat_map(|turn| &turn.parts);
    let is_own = |part: &Part<'_>| matches!(part, Part::Thinking(thinking) if is_ours(thinking));
    parts().any(|part| matches!(part, Part::Call(_))) && !parts().any(is_own)
}

fn write_settings(
    writing: &mut Writing<'_>,
    settings: &Settings<'_>,
    thinking: Asked,
    out: &mut Out,
) {
    sampling(writing, settings, thinking, out);
    let effort = thinking.effort();
    writing.lose_setting("seed", settings.seed);
    writing.lose_setting("presence_penalty", settings.presence_penalty);
    writing.lose_setting("frequency_penalty", settings.frequency_penalty);
    writing.lose_setting("verbosity", settings.verbosity.as_ref().map(Text::bytes));
    writing.lose_setting(
        "prompt_cache_key",
        settings.cache_key.as_ref().map(Text::bytes),
    );
    if !settings.stop.is_empty() {
        out.key("stop_sequences").array(|out| {
            for stop in &settings.stop {
                out.text(stop);
            }
        });
    }
    let schema = match &settings.format {
        Some(Format::Schema { schema, .. }) => Some(schema),
        Some(Format::Object) => {
            writing.lose(LossKind::Field, "json_object");
            None
        }
        None => None,
    };
    if effort.is_none() && schema.is_none() {
        return;
    }
    out.key("output_config").object(|out| {
        if let Some(effort) = effort {
            out.pair("effort", effort.word());
        }
        if let Some(schema) = schema {
            out.key("format").object(|out| {
                out.pair("type", "json_schema");
                out.key("schema").raw(schema);
            });
        }
    });
}

/// How to think, or how to sample: while it thinks, the model chooses the latter by itself.
fn sampling(writing: &mut Writing<'_>, settings: &Settings<'_>, thinking: Asked, out: &mut Out) {
    let kind = match thinking {
        Asked::Nothing => None,
        Asked::Off => Some("disabled"),
        Asked::Adaptively(_) => Some("adaptive"),
        Asked::Tokens(..) => Some("enabled"),
    };
    if let Some(kind) = kind {
        out.key("thinking").object(|out| {
            out.pair("type", kind);
            if let Asked::Tokens(tokens, _) = thinking {
                out.key("budget_tokens").number(tokens);
            }
            if settings.shows_thinking == Some(true) && matches!(thinking, Asked::Adaptively(_)) {
                out.pair("display", "summarized");
            }
        });
    }
    if matches!(thinking, Asked::Adaptively(_) | Asked::Tokens(..)) {
        writing.lose_setting("temperature", settings.temperature);
        writing.lose_setting("top_p", settings.top_p);
        writing.lose_setting("top_k", settings.top_k);
        return;
    }
    number("temperature", settings.temperature, out);
    if settings.temperature.is_some() {
        // Newer models take one of the two.
        writing.lose_setting("top_p", settings.top_p);
    } else {
        number("top_p", settings.top_p, out);
    }
    number("top_k", settings.top_k, out);
}
