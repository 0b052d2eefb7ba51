//! xAI.

use wayproof_wire::{ChatHabits, Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "xai",
    place: Place::At("https://api.x.ai"),
    key_variables: &["XAI_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Responses]),
    takes_sign_in: false,
    key_header: None,
    // It has no role `developer`.
    habits: ChatHabits {
        is_told_by_system: true,
        ..super::PLAIN
    },
    routes: &[],
};
