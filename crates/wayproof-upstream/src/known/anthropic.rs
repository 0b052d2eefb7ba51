//! Anthropic.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "anthropic",
    place: Place::At("https://api.anthropic.com"),
    key_variables: &["ANTHROPIC_API_KEY"],
    protocols: Protocols::of(&[Protocol::Messages]),
    takes_sign_in: true,
    key_header: Some(("x-api-key", Protocols::of(&[Protocol::Messages]))),
    habits: super::PLAIN,
    routes: &[],
};
