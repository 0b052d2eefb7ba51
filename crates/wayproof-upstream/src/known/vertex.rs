//! Google's Vertex, which serves Google's models by Gemini and Anthropic's by Messages.
//!
//! The two are two providers here, since whoever asks for a model has to know by which protocol it is served. How it is
//! asked is in `cloud`.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place};

const VARIABLES: &[&str] = &[
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
];

pub(super) const GEMINI: Known = Known {
    name: "vertex",
    place: Place::Cloud,
    key_variables: VARIABLES,
    protocols: Protocols::of(&[Protocol::Gemini]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};

pub(super) const ANTHROPIC: Known = Known {
    name: "vertex-anthropic",
    place: Place::Cloud,
    key_variables: VARIABLES,
    protocols: Protocols::of(&[Protocol::Messages]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[],
};
