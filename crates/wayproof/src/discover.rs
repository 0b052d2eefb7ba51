//! Finds providers without a settings file: keys in the environment, local servers on their usual ports.

use std::{collections::BTreeSet, net::SocketAddr};

use anyhow::Result;
use futures_util::future::join_all;
use hyper::Uri;
use secrecy::SecretString;
use wayproof_upstream::{Credential, KNOWN, Known, Place, Provider};
use wayproof_wire::{Protocol, Protocols};

use crate::{clouds, exit::Mistake, local, settings::variable};

/// A provider that was found, with the reason it is there.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) provider: Provider,
    pub(crate) because: String,
    /// The models it lists, where it was asked.
    pub(crate) models: Option<BTreeSet<String>>,
}

/// Local servers answer Messages too.
const LOCAL_PROTOCOLS: Protocols = Protocols::of(&[
    Protocol::Messages,
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Completions,
]);
/// Ollama speaks its own protocol besides.
const OLLAMA: Protocols = Protocols::of(&[
    Protocol::Messages,
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Completions,
    Protocol::Ollama,
]);

/// Local servers by their usual port; each speaks the protocols of OpenAI or more.
const LOCAL: [(&str, u16, Protocols); 4] = [
    ("ollama", 11434, OLLAMA),
    ("lmstudio", 1234, LOCAL_PROTOCOLS),
    ("llamacpp", 8080, LOCAL_PROTOCOLS),
    ("vllm", 8000, LOCAL_PROTOCOLS),
];

/// Looks in the environment and on the local ports.
///
/// Without any key, Anthropic and OpenAI are offered with the client's own sign-in passed through.
pub(crate) async fn discover() -> Result<Vec<Found>> {
    let mut found = hosted(&|name| variable(name))?;
    let asked = LOCAL.map(|(name, port, protocols)| async move {
        let base = format!("http://{}", SocketAddr::from(([127, 0, 0, 1], port))).parse()?;
        let provider = Provider::new(name, base, protocols, Credential::Nothing)?;
        Ok(local::listed(&provider).await.map(|models| Found {
            provider,
            because: format!("a server on port {port} lists {} models", models.len()),
            models: Some(models),
        }))
    });
    for answer in join_all(asked).await {
        let answer: Result<Option<Found>> = answer;
        found.extend(answer?);
    }
    Ok(found)
}

/// The hosted providers that the environment has keys for; those that agents sign in to come without one, too.
fn hosted(variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Found>> {
    let (mut keyed, mut signed) = (Vec::new(), Vec::new());
    for known in KNOWN {
        if matches!(known.place, Place::Cloud) {
            keyed.extend(clouds::offered(known, variable)?);
            continue;
        }
        let Some(base) = address(known, variable)? else {
            continue;
        };
        let key = known
            .key_variables
            .iter()
            .find_map(|name| Some((name, variable(name)?)));
        let found = |credential, because| -> Result<Found> {
            let provider = Provider::new(known.name, base.clone(), known.protocols, credential)?;
            Ok(Found {
                provider,
                because,
                models: None,
            })
        };
        if let Some((name, key)) = key {
            let credential = Credential::Key(SecretString::from(key));
            keyed.push(found(credential, format!("{name} is set"))?);
        } else if known.takes_sign_in {
            let names = known.key_variables.join(" and ");
            let because = format!("{names} is not set: the agent's own sign-in is passed through");
            signed.push(found(Credential::PassThrough, because)?);
        }
    }
    keyed.append(&mut signed);
    Ok(keyed)
}

/// Where a provider is; one of one's own address is nowhere until that is named.
fn address(known: &Known, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Uri>> {
    let text = match known.place {
        Place::At(address) => address.to_owned(),
        Place::Cloud => return Ok(None),
        Place::Own {
            variable: name,
            path,
            version_variable,
            ..
        } => {
            let Some(endpoint) = variable(name) else {
                return Ok(None);
            };
            // A dated version is one of the older interface, which has other paths.
            let version = variable(version_variable)
                .filter(|version| !version.starts_with(|first: char| first.is_ascii_digit()))
                .map(|version| format!("?api-version={version}"))
                .unwrap_or_default();
            format!("{}{path}{version}", endpoint.trim_end_matches('/'))
        }
    };
    let parsed = text.parse();
    let parsed = parsed.map_err(|_| Mistake(format!("{text} is not an address")))?;
    Ok(Some(parsed))
}

#[cfg(test)]
mod tests {
    use super::hosted;

    fn names(set: &[(&str, &str)]) -> Vec<(String, String)> {
        let variable = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name)?;
            Some(found.1.to_owned())
        };
        let found = hosted(&variable).unwrap();
        let found = found.into_iter().map(|found| found.provider);
        found
            .map(|provider| (provider.name.clone(), provider.base.to_string()))
            .collect()
    }

    #[test]
    fn keys_in_the_environment_are_providers() {
        let found = names(&[
            ("GOOGLE_API_KEY", "k"),
            ("GROQ_API_KEY", "k"),
            ("OPENAI_API_KEY", "k"),
        ]);
        let found: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, ["openai", "google", "groq", "anthropic"]);
    }

    #[test]
    fn azure_is_where_its_owner_says() {
        let key = ("AZURE_OPENAI_API_KEY", "k");
        assert_eq!(names(&[key]).len(), 2);
        let endpoint = ("AZURE_OPENAI_ENDPOINT", "https://team.openai.azure.com/");
        for (version, query) in [("preview", "?api-version=preview"), ("2024-10-21", "")] {
            let found = names(&[key, endpoint, ("AZURE_OPENAI_API_VERSION", version)]);
            let base = format!("https://team.openai.azure.com/openai{query}");
            assert_eq!(found[0], ("azure".to_owned(), base));
        }
    }
}
