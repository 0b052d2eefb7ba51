//! Together.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "together",
    place: Place::At("https://api.together.xyz"),
    key_variables: &["TOGETHER_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Completions]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
