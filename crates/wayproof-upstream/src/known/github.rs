//! GitHub Models: the paths of OpenAI without a version.
//!
//! A `GITHUB_TOKEN` is in many environments for other reasons, so only a variable of its own counts.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place, Route};

pub(super) const KNOWN: Known = Known {
    name: "github-models",
    place: Place::At("https://models.github.ai/inference"),
    key_variables: &["GITHUB_MODELS_TOKEN"],
    protocols: Protocols::of(&[Protocol::Chat]),
    takes_sign_in: false,
    key_header: None,
    habits: super::PLAIN,
    routes: &[Route {
        protocols: Protocols::ALL,
        under: "",
        prefix: "",
        drops_version: true,
    }],
};
