//! Reads legacy Completions and Mistral's fill-in-the-middle.

use super::{Reading, is_idle, texts, top};
use crate::json::Json;
use crate::translate::Untranslatable;
use crate::translate::fill::Fill;
use crate::translate::item::{Conversation, Settings};
use crate::translate::loss::LossKind;
use crate::translate::text::Text;
use crate::view::Request;

pub(super) fn read<'a>(
    reading: &mut Reading<'a>,
    request: &Request<'a>,
) -> Result<Conversation<'a>, Untranslatable> {
    let mut conversation = Conversation::default();
    let (mut before, mut after) = (Text::default(), None);
    for (name, value) in top(request) {
        match &*name {
            "model" | "stream" => {}
            "prompt" => before = prompt(reading, value)?,
            "suffix" => after = Text::of(value).filter(|text| !text.is_empty()),
            name => setting(reading, name, value, &mut conversation.settings),
        }
    }
    conversation.fill = Some(Fill::new(before, after));
    Ok(conversation)
}

/// The first of several prompts; numbers of tokens say nothing to anybody else.
fn prompt<'a>(reading: &mut Reading<'a>, value: Json<'a>) -> Result<Text<'a>, Untranslatable> {
    if let Some(text) = Text::of(value) {
        return Ok(text);
    }
    let mut prompts = value.elements();
    let Some(first) = prompts.next() else {
        return Ok(Text::default());
    };
    for _ in prompts {
        reading.losses.add(LossKind::Candidate, "prompt");
    }
    Text::of(first).ok_or(Untranslatable::Tokens)
}

fn setting<'a>(
    reading: &mut Reading<'a>,
    name: &str,
    value: Json<'a>,
    settings: &mut Settings<'a>,
) {
    match name {
        "max_tokens" => settings.max_tokens = Some(value.bytes()),
        "temperature" => settings.temperature = Some(value.bytes()),
        "top_p" => settings.top_p = Some(value.bytes()),
        "top_k" => settings.top_k = Some(value.bytes()),
        "seed" | "random_seed" => settings.seed = Some(value.bytes()),
        "presence_penalty" => settings.presence_penalty = Some(value.bytes()),
        "frequency_penalty" => settings.frequency_penalty = Some(value.bytes()),
        "stop" => settings.stop = texts(value),
        "stream_options" => {
            let asked = value.get("include_usage").and_then(Json::boolean);
            settings.wants_usage = asked == Some(true);
        }
        "n" | "best_of" if value.bytes() == b"1" => {}
        "n" | "best_of" => reading.losses.add(LossKind::Candidate, name),
        _ if is_idle(value) => {}
        other => reading.field(other),
    }
}
