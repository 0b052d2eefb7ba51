//! The wire dialects Wayproof speaks, by name.
//!
//! It names protocols and the top-level fields they keep things in. It refuses to know providers: the same
//! protocol is served by many.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One wire dialect of a language model service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Anthropic Messages.
    Messages,
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Gemini `generateContent`.
    Gemini,
    /// Ollama `/api/chat` and `/api/generate`.
    Ollama,
    /// OpenAI's legacy Completions, with or without a `suffix`.
    Completions,
    /// Mistral's fill-in-the-middle: a Completions request, answered like Chat.
    Fim,
}

impl Protocol {
    /// Every protocol, in declaration order.
    pub const ALL: [Self; 7] = [
        Self::Messages,
        Self::Chat,
        Self::Responses,
        Self::Gemini,
        Self::Ollama,
        Self::Completions,
        Self::Fim,
    ];

    /// The name used in settings, logs and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Chat => "chat",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            Self::Completions => "completions",
            Self::Fim => "fim",
        }
    }

    /// The top-level field that holds the conversation.
    pub const fn conversation_field(self) -> &'static str {
        match self {
            Self::Messages | Self::Chat | Self::Ollama => "messages",
            Self::Responses => "input",
            Self::Gemini => "contents",
            Self::Completions | Self::Fim => "prompt",
        }
    }

    /// Whether requests are texts to go on with instead of conversations: what an editor sends at every pause.
    pub const fn is_completion(self) -> bool {
        matches!(self, Self::Completions | Self::Fim)
    }

    /// Whether an answer streams when the body has no `stream` field.
    pub(crate) const fn streams_by_default(self) -> bool {
        match self {
            Self::Ollama => true,
            Self::Messages
            | Self::Chat
            | Self::Responses
            | Self::Gemini
            | Self::Completions
            | Self::Fim => false,
        }
    }
}

/// A set of protocols: what a provider speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Protocols(u8);

impl Protocols {
    /// Every protocol.
    pub const ALL: Self = Self::of(&Protocol::ALL);

    /// The set of these protocols.
    pub const fn of(protocols: &[Protocol]) -> Self {
        let (mut bits, mut rest) = (0, protocols);
        while let [first, more @ ..] = rest {
            bits |= 1 << *first as u8;
            rest = more;
        }
        Self(bits)
    }

    /// Whether the protocol is in the set.
    pub const fn contains(self, protocol: Protocol) -> bool {
        self.0 & (1 << protocol as u8) != 0
    }

    /// The set without this protocol.
    #[must_use]
    pub const fn without(self, protocol: Protocol) -> Self {
        Self(self.0 & !(1 << protocol as u8))
    }

    /// The protocol to ask in for a client of `client`: its own where that is in the set, else the one that loses
    /// least on the way; `None` where nobody translates.
    pub fn for_client(self, client: Protocol) -> Option<Protocol> {
        const BY_RICHNESS: [Protocol; 4] = [
            Protocol::Messages,
            Protocol::Responses,
            Protocol::Gemini,
            Protocol::Chat,
        ];
        if self.contains(client) {
            return Some(client);
        }
        let sibling = match client {
            Protocol::Completions => Some(Protocol::Fim),
            Protocol::Fim => Some(Protocol::Completions),
            Protocol::Messages
            | Protocol::Chat
            | Protocol::Responses
            | Protocol::Gemini
            | Protocol::Ollama => None,
        };
        let richest = BY_RICHNESS.into_iter();
        sibling
            .into_iter()
            .chain(richest)
            .find(|protocol| self.contains(*protocol) && protocol.takes_translations_of(client))
    }

    /// The protocols in the set, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        let all = Protocol::ALL.into_iter();
        all.filter(move |protocol| self.contains(*protocol))
    }
}

impl fmt::Debug for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// As a sentence lists them: `chat, responses`.
impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, protocol) in self.iter().enumerate() {
            let separator = if number == 0 { "" } else { ", " };
            write!(f, "{separator}{protocol}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A protocol name nobody speaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown protocol `{0}`; one of messages, chat, responses, gemini, ollama, completions, fim"
)]
pub struct UnknownProtocol(pub String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name() == name)
            .ok_or_else(|| UnknownProtocol(name.to_owned()))
    }
}
