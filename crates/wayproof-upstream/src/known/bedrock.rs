//! Amazon Bedrock: Anthropic's models by requests of Messages, signed or with a key of Bedrock's.
//!
//! How it is asked is in `cloud`; its address is one of a region, so nobody is here by an address alone.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

pub(super) const KNOWN: Known = Known {
    name: "bedrock",
    place: Place::Cloud,
    key_variables: &["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"],
    protocols: Protocols::of(&[Protocol::Messages]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
