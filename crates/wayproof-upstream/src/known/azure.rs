//! Azure OpenAI and AI Foundry: an address of one's own, and a header of its own for the key.
//!
//! The version-one interface is asked, which takes model names in bodies. An address of the older one, which ends in a
//! deployment, works for that deployment: `https://NAME.openai.azure.com/openai/deployments/D?api-version=DATE`.

use wayproof_wire::{Protocol, Protocols};

use super::{Known, Place, Route};

pub(super) const KNOWN: Known = Known {
    name: "azure",
    place: Place::Own {
        variable: "AZURE_OPENAI_ENDPOINT",
        path: "/openai",
        version_variable: "AZURE_OPENAI_API_VERSION",
        domains: &[
            "openai.azure.com",
            "services.ai.azure.com",
            "cognitiveservices.azure.com",
        ],
    },
    key_variables: &["AZURE_OPENAI_API_KEY"],
    protocols: Protocols::of(&[Protocol::Chat, Protocol::Responses]),
    takes_sign_in: false,
    key_header: Some(("api-key", Protocols::ALL)),
    habits: super::PLAIN,
    routes: &[Route {
        protocols: Protocols::ALL,
        under: "/deployments/",
        prefix: "",
        drops_version: true,
    }],
};
