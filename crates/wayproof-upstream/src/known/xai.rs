//! xAI.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "xai",
    place: Place::At("https://api.x.ai"),
    key_variables: &["XAI_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Responses]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
