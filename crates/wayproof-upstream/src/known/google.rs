//! Google AI Studio. Its other door is Vertex.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "google",
    place: Place::At("https://generativelanguage.googleapis.com"),
    key_variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    protocols: Protocols::of(&[Protocol::Gemini]),
    takes_sign_in: false,
    key_header: Some(("x-goog-api-key", Protocols::of(&[Protocol::Gemini]))),
    habits: super::PLAIN,
    routes: &[],
};
