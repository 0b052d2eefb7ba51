//! Which request is which.
//!
//! The paths that agents call are matched here by hand, because every exchange pays for it;
//! everything else goes to the router of the cold pages.

use http::{HeaderMap, Method, header};
use wayproof_upstream::GOOGLE_KEY_HEADER;
use wayproof_wire::Protocol;

use crate::gemini::{self, GeminiPath, GeminiVerb};

/// What a request wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// An answer of a model.
    Answer(Protocol),
    /// The number of tokens of a request.
    CountTokens(Protocol),
    /// Vectors for texts.
    Embed(Protocol),
    /// The list of models.
    Models,
    /// One model of the list.
    Model,
    /// Something that only a client of Ollama asks.
    Ollama(OllamaPage),
    /// A Responses conversation over a WebSocket.
    WebSocket,
    /// A sign of life.
    Root,
    /// A path of those above with a method it does not have.
    WrongMethod {
        /// The method it has.
        allowed: &'static str,
    },
    /// The cold pages.
    Page,
}

/// What clients of Ollama ask besides answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OllamaPage {
    /// The list of models.
    Tags,
    /// One model.
    Show,
    /// The models in memory.
    Running,
    /// The version of the server.
    Version,
}

impl Route {
    /// Tells what a request wants by its method and path.
    pub(crate) fn of(method: &Method, path: &str, headers: &HeaderMap) -> Self {
        match path {
            "/v1/messages" => posted(method, Self::Answer(Protocol::Messages)),
            "/v1/messages/count_tokens" => posted(method, Self::CountTokens(Protocol::Messages)),
            "/v1/chat/completions" => posted(method, Self::Answer(Protocol::Chat)),
            "/v1/responses" if *method == Method::GET && headers.contains_key(header::UPGRADE) => {
                Self::WebSocket
            }
            "/v1/responses" => posted(method, Self::Answer(Protocol::Responses)),
            "/v1/completions" => posted(method, Self::Answer(Protocol::Completions)),
            "/v1/fim/completions" => posted(method, Self::Answer(Protocol::Fim)),
            "/v1/embeddings" => posted(method, Self::Embed(Protocol::Chat)),
            "/v1/models" | "/v1beta/models" | "/v1alpha/models" => read(method, Self::Models),
            "/" => read(method, Self::Root),
            "/api/chat" => posted(method, Self::Answer(Protocol::Ollama)),
            "/api/generate" => posted(method, Self::Answer(Protocol::Ollama)),
            "/api/embed" | "/api/embeddings" => posted(method, Self::Embed(Protocol::Ollama)),
            "/api/tags" => read(method, Self::Ollama(OllamaPage::Tags)),
            "/api/show" => posted(method, Self::Ollama(OllamaPage::Show)),
            "/api/ps" => read(method, Self::Ollama(OllamaPage::Running)),
            "/api/version" => read(method, Self::Ollama(OllamaPage::Version)),
            _ => match GeminiPath::of(path).map(|path| path.verb) {
                None if is_model(method, path) => Self::Model,
                None => Self::Page,
                Some(GeminiVerb::Embed | GeminiVerb::EmbedAll) => {
                    posted(method, Self::Embed(Protocol::Gemini))
                }
                Some(GeminiVerb::Count) => posted(method, Self::CountTokens(Protocol::Gemini)),
                Some(GeminiVerb::Generate | GeminiVerb::Stream) => {
                    posted(method, Self::Answer(Protocol::Gemini))
                }
            },
        }
    }
}

/// The protocol whose words a client understands that asked for something outside an exchange.
pub(crate) fn dialect(path: &str, headers: &HeaderMap) -> Protocol {
    if headers.contains_key("anthropic-version") || path.starts_with("/v1/messages") {
        Protocol::Messages
    } else if path.starts_with("/v1/responses") {
        Protocol::Responses
    } else if path.starts_with("/v1beta/")
        || path.starts_with("/v1alpha/")
        || headers.contains_key(GOOGLE_KEY_HEADER)
        || GeminiPath::of(path).is_some()
    {
        Protocol::Gemini
    } else if path.starts_with("/api/") {
        Protocol::Ollama
    } else {
        Protocol::Chat
    }
}

/// Whether a path names a model that is to be shown; names may hold slashes.
fn is_model(method: &Method, path: &str) -> bool {
    (*method == Method::GET || *method == Method::HEAD) && gemini::model_of(path).is_some()
}

fn posted(method: &Method, route: Route) -> Route {
    if *method == Method::POST {
        route
    } else {
        Route::WrongMethod { allowed: "POST" }
    }
}

fn read(method: &Method, route: Route) -> Route {
    if *method == Method::GET || *method == Method::HEAD {
        route
    } else {
        Route::WrongMethod {
            allowed: "GET, HEAD",
        }
    }
}
