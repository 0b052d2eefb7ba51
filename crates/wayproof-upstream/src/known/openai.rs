//! OpenAI. Legacy Completions are there for the models that still have them.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "openai",
    place: Place::At("https://api.openai.com"),
    key_variables: &["OPENAI_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Responses, Protocol::Completions]),
    takes_sign_in: true,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
