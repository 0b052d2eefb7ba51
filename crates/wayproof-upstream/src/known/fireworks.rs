//! Fireworks.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "fireworks",
    place: Place::At("https://api.fireworks.ai/inference"),
    key_variables: &["FIREWORKS_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Responses, Protocol::Completions]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
