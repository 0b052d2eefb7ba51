//! Reads Ollama `/api/generate`: one prompt instead of a conversation.
//!
//! A prompt with a `suffix`, or a `raw` one, is a text to go on with; any other is what a user says.

use super::ollama::{image, setting};
use super::{Reading, text_part, top};
use crate::json::Json;
use crate::translate::fill::Fill;
use crate::translate::item::{Conversation, Speaker};
use crate::translate::text::Text;
use crate::view::Request;

/// Whether a request of Ollama's came by this route, which alone has a prompt.
pub(super) fn is_one(request: &Request<'_>) -> bool {
    request.field("prompt").is_some() && request.field("messages").is_none()
}

pub(super) fn read<'a>(reading: &mut Reading<'a>, request: &Request<'a>) -> Conversation<'a> {
    let mut conversation = Conversation {
        is_generated: true,
        ..Conversation::default()
    };
    let text = |name: &str| request.json(name).and_then(Text::of);
    let some = |name: &str| text(name).filter(|text| !text.is_empty());
    let is_raw = request.json("raw").and_then(Json::boolean) == Some(true);
    if let Some(system) = some("system").and_then(text_part) {
        conversation.say(Speaker::System, vec![system]);
    }
    let (prompt, suffix) = (text("prompt").unwrap_or_default(), some("suffix"));
    if is_raw || suffix.is_some() {
        conversation.fill = Some(Fill::new(prompt, suffix));
    } else {
        let images = request.json("images").into_iter().flat_map(Json::elements);
        let images = images.filter_map(Text::of).map(image);
        let said = text_part(prompt).into_iter().chain(images).collect();
        conversation.say(Speaker::User, said);
    }
    for (name, value) in top(request) {
        match &*name {
            "prompt" | "suffix" | "system" | "raw" => {}
            "images" if conversation.fill.is_none() => {}
            name => setting(reading, name, value, &mut conversation),
        }
    }
    conversation
}
