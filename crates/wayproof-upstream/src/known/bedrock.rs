//! Amazon Bedrock: Anthropic's models by requests of Messages, all others by Chat, signed or with a key of Bedrock's.
//!
//! The two are two providers here, since whoever asks for a model has to know by which protocol it is served. How it is
//! asked is in `cloud`; its address is one of a region, so nobody is here by an address alone.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

const VARIABLES: &[&str] = &["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"];

pub(super) const ANTHROPIC: Known = Known {
    name: "bedrock",
    place: Place::Cloud,
    key_variables: VARIABLES,
    protocols: Protocols::of(&[Protocol::Messages]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};

/// Not every model there is served by Responses, so only an operator says that one is.
pub(super) const OPENAI: Known = Known {
    name: "bedrock-openai",
    place: Place::Cloud,
    key_variables: VARIABLES,
    protocols: Protocols::of(&[Protocol::Chat]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
