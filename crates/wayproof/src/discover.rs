//! Finds providers without a settings file: keys in the environment, local servers on their usual ports.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use secrecy::SecretString;
use tokio::net::TcpStream;
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{Protocol, Protocols};

use crate::settings::variable;

/// A provider that was found, with the reason it is there.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) provider: Provider,
    pub(crate) because: String,
}

/// What servers speak that took over the ways of OpenAI.
const OPEN_AI: Protocols = Protocols::of(&[Protocol::Chat, Protocol::Responses]);
/// Local servers and OpenRouter answer Messages too.
const BOTH: Protocols = Protocols::of(&[Protocol::Messages, Protocol::Chat, Protocol::Responses]);

/// Hosted providers: name, base, protocols, and the variable that holds the key.
const HOSTED: [(&str, &str, Protocols, &str); 6] = [
    (
        "anthropic",
        "https://api.anthropic.com",
        Protocols::of(&[Protocol::Messages]),
        "ANTHROPIC_API_KEY",
    ),
    (
        "openai",
        "https://api.openai.com",
        OPEN_AI,
        "OPENAI_API_KEY",
    ),
    (
        "openrouter",
        "https://openrouter.ai/api",
        BOTH,
        "OPENROUTER_API_KEY",
    ),
    (
        "deepseek",
        "https://api.deepseek.com",
        Protocols::of(&[Protocol::Chat]),
        "DEEPSEEK_API_KEY",
    ),
    (
        "mistral",
        "https://api.mistral.ai",
        Protocols::of(&[Protocol::Chat]),
        "MISTRAL_API_KEY",
    ),
    (
        "google",
        "https://generativelanguage.googleapis.com",
        Protocols::of(&[Protocol::Gemini]),
        "GEMINI_API_KEY",
    ),
];

/// Local servers by their usual port; each speaks the protocols of OpenAI or more.
const LOCAL: [(&str, u16); 4] = [
    ("ollama", 11434),
    ("lmstudio", 1234),
    ("llamacpp", 8080),
    ("vllm", 8000),
];

/// A local server answers within this time or is not there.
const PATIENCE: Duration = Duration::from_millis(60);

/// Looks in the environment and on the local ports.
///
/// Without any key, Anthropic and OpenAI are offered with the client's own sign-in passed through.
pub(crate) async fn discover() -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for (name, base, protocols, key) in HOSTED {
        if let Some(value) = variable(key) {
            let credential = Credential::Key(SecretString::from(value));
            let provider = Provider::new(name, base.parse()?, protocols, credential)?;
            found.push(Found {
                provider,
                because: format!("{key} is set"),
            });
        }
    }
    for (name, base, protocols, key) in HOSTED.into_iter().take(2) {
        if variable(key).is_none() {
            let provider = Provider::new(name, base.parse()?, protocols, Credential::PassThrough)?;
            let because = format!("{key} is not set: the agent's own sign-in is passed through");
            found.push(Found { provider, because });
        }
    }
    for (name, port) in LOCAL {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let answers = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
        if matches!(answers, Ok(Ok(_))) {
            let base = format!("http://{address}").parse()?;
            let provider = Provider::new(name, base, BOTH, Credential::Nothing)?;
            found.push(Found {
                provider,
                because: format!("a server listens on port {port}"),
            });
        }
    }
    Ok(found)
}
