//! DeepSeek: Messages and fill-in-the-middle each have a door of their own.

use wayproof_wire::{ChatHabits, Protocol, Protocols};

use super::{Known, Place, Route};

pub(super) const KNOWN: Known = Known {
    name: "deepseek",
    place: Place::At("https://api.deepseek.com"),
    key_variables: &["DEEPSEEK_API_KEY"],
    protocols: Protocols::of(&[Protocol::Messages, Protocol::Chat, Protocol::Completions]),
    takes_sign_in: false,
    key_header: None,
    // Its list of roles ends with `tool`, and another one is an error.
    habits: ChatHabits {
        is_told_by_system: true,
        ..super::PLAIN
    },
    routes: &[
        Route {
            protocols: Protocols::of(&[Protocol::Messages]),
            under: "",
            prefix: "/anthropic",
            drops_version: false,
        },
        Route {
            protocols: Protocols::of(&[Protocol::Completions]),
            under: "",
            prefix: "/beta",
            drops_version: true,
        },
    ],
};
