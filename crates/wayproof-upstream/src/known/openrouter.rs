//! OpenRouter.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "openrouter",
    place: Place::At("https://openrouter.ai/api"),
    key_variables: &["OPENROUTER_API_KEY"],
    protocols: Protocols::of(&[
        Protocol::Messages,
        Protocol::Chat,
        Protocol::Responses,
        Protocol::Completions,
    ]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
