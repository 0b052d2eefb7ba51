//! Mistral.

use wayproof_wire::{ChatHabits, Protocol, Protocols};

use super::{Known, Place};

/// A field that it does not know is an error, and so is the id of a call that it would not have made itself. Usage
/// comes at the end of every stream unasked.
pub(super) const HABITS: ChatHabits = ChatHabits {
    refused: &[
        "seed",
        "store",
        "stream_options",
        "verbosity",
        "prompt_cache_key",
        "reasoning_content",
    ],
    has_short_ids: true,
    is_told_by_system: true,
    has_old_limit: true,
};

pub(super) const KNOWN: Known = Known {
    name: "mistral",
    place: Place::At("https://api.mistral.ai"),
    key_variables: &["MISTRAL_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Fim]),
    takes_sign_in: false,
    key_header: None,
    habits: HABITS,
    routes: &[],
};
