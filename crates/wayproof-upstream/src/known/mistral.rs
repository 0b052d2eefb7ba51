//! Mistral.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "mistral",
    place: Place::At("https://api.mistral.ai"),
    key_variables: &["MISTRAL_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Fim]),
    takes_sign_in: false,
    key_header: None,
    routes: &[],
};
