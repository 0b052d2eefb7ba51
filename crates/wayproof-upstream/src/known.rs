//! Providers that are only data: one file each, with what differs from a plain server of its protocols.
//!
//! Nothing here acts. A provider at one of these addresses is asked as its file says, whatever name it has been given;
//! any other address is asked as its protocols say.

mod anthropic;
mod azure;
mod bedrock;
mod codestral;
mod deepseek;
mod fireworks;
mod github;
mod google;
mod groq;
mod mistral;
mod openai;
mod openrouter;
mod together;
mod vertex;
mod xai;

use http::Uri;
use http::uri::PathAndQuery;
use wayproof_wire::{ChatHabits, Protocol, Protocols};

/// What is known of a hosted provider.
#[derive(Debug)]
pub struct Known {
    /// Its usual name.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// Environment variables that usually hold a key of it; the first that is set counts.
    pub key_variables: &'static [&'static str],
    /// The protocols it speaks.
    pub protocols: Protocols,
    /// Whether agents sign in there by themselves, so that it is of use without a key of the gateway's.
    pub takes_sign_in: bool,
    /// The header that takes its key, and in which protocols; in any other it is a bearer token.
    pub(crate) key_header: Option<(&'static str, Protocols)>,
    /// Where it keeps to less than Chat.
    pub(crate) habits: ChatHabits,
    /// Paths that differ from those of the protocol; the first that fits counts.
    pub(crate) routes: &'static [Route],
}

/// Where a provider is.
#[derive(Debug)]
pub enum Place {
    /// Everybody finds it here.
    At(&'static str),
    /// In a cloud, at an address that is made of a region or a project.
    Cloud,
    /// Everybody has an address of their own.
    Own {
        /// The environment variable that usually holds it.
        variable: &'static str,
        /// What follows it before the path of a request.
        path: &'static str,
        /// The environment variable that may name a version to be asked for in the query.
        version_variable: &'static str,
        /// The domains that such addresses are in.
        domains: &'static [&'static str],
    },
}

/// How paths differ.
#[derive(Debug)]
pub(crate) struct Route {
    /// In these protocols.
    pub(crate) protocols: Protocols,
    /// Where the provider's address has this in its path.
    pub(crate) under: &'static str,
    /// What goes before the path.
    pub(crate) prefix: &'static str,
    /// Whether the path has no version.
    pub(crate) drops_version: bool,
}

/// Every provider that is known, in the order in which they are offered.
pub const KNOWN: [&Known; 17] = [
    &anthropic::KNOWN,
    &openai::KNOWN,
    &google::KNOWN,
    &vertex::GEMINI,
    &vertex::ANTHROPIC,
    &bedrock::ANTHROPIC,
    &bedrock::OPENAI,
    &azure::KNOWN,
    &openrouter::KNOWN,
    &github::KNOWN,
    &mistral::KNOWN,
    &codestral::KNOWN,
    &deepseek::KNOWN,
    &xai::KNOWN,
    &groq::KNOWN,
    &together::KNOWN,
    &fireworks::KNOWN,
];

/// No habits worth a word.
const PLAIN: ChatHabits = ChatHabits {
    refused: &[],
    has_short_ids: false,
    is_told_by_system: false,
    has_old_limit: false,
};

impl Known {
    /// The protocols that are spoken at an address; a door of its own may be for some of them only. `None` where nobody
    /// is known.
    pub fn protocols_at(base: &Uri) -> Option<Protocols> {
        let known = Self::at(base)?;
        let path = base.path().trim_end_matches('/');
        let mut doors = known.routes.iter();
        let door = doors.find(|door| !door.prefix.is_empty() && path.ends_with(door.prefix));
        Some(door.map_or(known.protocols, |door| door.protocols))
    }

    /// The provider at an address, if it is one of these.
    pub(crate) fn at(base: &Uri) -> Option<&'static Self> {
        let host = base.host()?.to_ascii_lowercase();
        let is_in = |domain: &str| {
            let prefix = host.strip_suffix(domain);
            prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        };
        KNOWN.into_iter().find(|known| match known.place {
            Place::At(address) => {
                let address = address.trim_start_matches("https://");
                is_in(address.split('/').next().unwrap_or_default())
            }
            Place::Cloud => false,
            Place::Own { domains, .. } => domains.iter().any(|domain| is_in(domain)),
        })
    }

    /// The header that takes its key in a protocol, where that is no bearer token.
    pub(crate) fn key_header(&self, protocol: Protocol) -> Option<&'static str> {
        let (name, protocols) = self.key_header?;
        protocols.contains(protocol).then_some(name)
    }

    /// The path of a request as it is here; `base` is the path of the provider's address.
    pub(crate) fn path(
        &self,
        protocol: Protocol,
        base: &str,
        asked: &PathAndQuery,
    ) -> Option<PathAndQuery> {
        let route = self
            .routes
            .iter()
            .find(|route| route.protocols.contains(protocol) && base.contains(route.under))
            // An address may name the door already.
            .filter(|route| route.prefix.is_empty() || !base.ends_with(route.prefix))?;
        let asked = asked.as_str();
        let rest = if route.drops_version {
            asked.strip_prefix("/v1").unwrap_or(asked)
        } else {
            asked
        };
        PathAndQuery::try_from(format!("{}{rest}", route.prefix)).ok()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::uri::PathAndQuery;
    use rstest::rstest;
    use wayproof_wire::Protocol;

    use super::{KNOWN, Known, Place};
    use crate::headers::{self, CallerCredential};
    use crate::provider::{Credential, Provider};

    fn provider(base: &str, protocols: wayproof_wire::Protocols) -> Provider {
        let key = Credential::Key("k-1".to_owned().into());
        Provider::new("p", base.parse().unwrap(), protocols, key).unwrap()
    }

    /// Host and path of a request, with the header that shows the key.
    fn asked(base: &str, protocol: Protocol, path: &str) -> String {
        let provider = provider(base, wayproof_wire::Protocols::ALL);
        let path = PathAndQuery::try_from(path).unwrap();
        let path = provider.join(protocol, &path).unwrap();
        let caller = CallerCredential::Own;
        let headers = headers::outgoing(&provider, protocol, caller, &HeaderMap::new());
        let key = headers
            .iter()
            .find(|(_, value)| value.to_str().unwrap().contains("k-1"));
        let (name, value) = key.unwrap();
        let host = headers["host"].to_str().unwrap();
        format!("{host}{path} {name}: {}", value.to_str().unwrap())
    }

    #[test]
    fn every_known_provider_is_asked_where_its_own_pages_say() {
        let mut out = String::new();
        for known in KNOWN {
            let base = match known.place {
                Place::At(address) => address.to_owned(),
                Place::Cloud => continue,
                Place::Own { path, domains, .. } => format!("https://team.{}{path}", domains[0]),
            };
            for protocol in known.protocols.iter() {
                let path = protocol.path("m", false);
                let line = format!(
                    "{} {protocol}: {}\n",
                    known.name,
                    asked(&base, protocol, &path)
                );
                out.push_str(&line);
            }
        }
        insta::assert_snapshot!(out);
    }

    #[rstest]
    #[case::version_said(
        "https://api.groq.com/openai/v1",
        Protocol::Chat,
        "/v1/chat/completions",
        "api.groq.com/openai/v1/chat/completions authorization: Bearer k-1"
    )]
    #[case::door_said(
        "https://api.deepseek.com/anthropic",
        Protocol::Messages,
        "/v1/messages?beta=true",
        "api.deepseek.com/anthropic/v1/messages?beta=true authorization: Bearer k-1"
    )]
    #[case::old_azure(
        "https://t.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
        Protocol::Chat,
        "/v1/chat/completions",
        "t.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21 api-key: k-1"
    )]
    #[case::new_azure(
        "https://t.services.ai.azure.com/openai?api-version=preview",
        Protocol::Responses,
        "/v1/responses?x=1",
        "t.services.ai.azure.com/openai/v1/responses?x=1&api-version=preview api-key: k-1"
    )]
    #[case::embeddings(
        "https://models.github.ai/inference",
        Protocol::Chat,
        "/v1/embeddings",
        "models.github.ai/inference/embeddings authorization: Bearer k-1"
    )]
    #[case::unknown(
        "https://llm.example/api",
        Protocol::Messages,
        "/v1/messages",
        "llm.example/api/v1/messages authorization: Bearer k-1"
    )]
    #[case::looks_known(
        "https://api.openai.com.example",
        Protocol::Chat,
        "/v1/chat/completions",
        "api.openai.com.example/v1/chat/completions authorization: Bearer k-1"
    )]
    #[case::vertex(
        "https://us-east5-aiplatform.googleapis.com",
        Protocol::Gemini,
        "/v1/x",
        "us-east5-aiplatform.googleapis.com/v1/x authorization: Bearer k-1"
    )]
    #[case::gemini(
        "https://llm.example",
        Protocol::Gemini,
        "/v1/x",
        "llm.example/v1/x x-goog-api-key: k-1"
    )]
    fn an_address_decides_how_it_is_asked(
        #[case] base: &str,
        #[case] protocol: Protocol,
        #[case] path: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(asked(base, protocol, path), expected);
    }

    #[test]
    fn habits_go_with_the_address() {
        let all = wayproof_wire::Protocols::ALL;
        let habits = provider("https://api.mistral.ai/v1", all).habits();
        assert!(habits.has_short_ids && habits.refused.contains(&"stream_options"));
        let habits = provider("https://api.groq.com/openai", all).habits();
        assert_eq!(habits.refused, ["reasoning_content"]);
        let habits = provider("https://llm.example", all).habits();
        assert_eq!(habits, wayproof_wire::ChatHabits::default());
    }

    #[test]
    fn an_address_speaks_what_is_known_of_it() {
        let spoken = |base: &str| {
            let protocols = Known::protocols_at(&base.parse().unwrap())?;
            let names: Vec<String> = protocols.iter().map(|one| one.to_string()).collect();
            Some(names.join(" "))
        };
        let is = |base: &str, expected: &str| assert_eq!(spoken(base).unwrap(), expected, "{base}");
        is("https://api.groq.com/openai", "chat responses");
        is("https://api.mistral.ai/v1", "chat fim");
        is("https://api.deepseek.com", "messages chat completions");
        is("https://api.deepseek.com/anthropic", "messages");
        assert_eq!(spoken("https://llm.example"), None);
    }

    #[test]
    fn names_are_told_apart() {
        let names: std::collections::BTreeSet<&str> =
            KNOWN.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), KNOWN.len());
        for known in KNOWN {
            assert!(!known.key_variables.is_empty(), "{}", known.name);
        }
    }
}
