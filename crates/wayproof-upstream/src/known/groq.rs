//! Groq.

use wayproof_wire::{ChatHabits, Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "groq",
    place: Place::At("https://api.groq.com/openai"),
    key_variables: &["GROQ_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Responses]),
    takes_sign_in: false,
    key_header: None,
    habits: ChatHabits {
        refused: &["reasoning_content"],
        ..super::PLAIN
    },
    routes: &[],
};
