//! Mistral's own address for Codestral, with keys of its own.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "codestral",
    place: Place::At("https://codestral.mistral.ai"),
    key_variables: &["CODESTRAL_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Fim]),
    takes_sign_in: false,
    key_header: None,
    habits: super::mistral::HABITS,
    routes: &[],
};
