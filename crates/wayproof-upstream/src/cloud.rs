//! Providers in clouds: requests whose path and body are made anew for them, and what shows who asks.
//!
//! A cloud is recognised by its address, or named by the operator where the address is a private one. Bodies are the
//! wire crate's business; here is where they go and which headers go along.

mod betas;
#[cfg(feature = "google")]
mod google;
#[cfg(not(feature = "google"))]
#[path = "cloud/no_google.rs"]
mod google;
mod place;
#[cfg(feature = "aws")]
mod sign;
mod token;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request};
use secrecy::ExposeSecret;
use wayproof_wire::{CloudAnswer, Malformed, MessagesCloud, Protocol};

pub use betas::Fitted;
pub use google::{google_account, google_default};
pub use place::Cloud;
pub use token::{AwsKeys, AwsPair, GoogleError, TokenError, TokenSource};

use crate::attempt::{Attempt, AttemptError};
use crate::body::Segments;
use crate::provider::{Credential, Provider};

/// What is asked for, read from the path that clients of the protocol use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish<'p> {
    Messages,
    CountMessages,
    Chat,
    Responses,
    /// The verb of a path of Gemini, such as `:generateContent`.
    Gemini(&'p str),
}

impl<'p> Wish<'p> {
    fn of(protocol: Protocol, path: &'p str) -> Option<Self> {
        match (protocol, path) {
            (Protocol::Messages, "/v1/messages") => Some(Self::Messages),
            (Protocol::Messages, "/v1/messages/count_tokens") => Some(Self::CountMessages),
            (Protocol::Chat, "/v1/chat/completions") => Some(Self::Chat),
            (Protocol::Responses, "/v1/responses") => Some(Self::Responses),
            (Protocol::Gemini, _) => {
                let verb = path.rfind(':').and_then(|at| path.get(at..))?;
                let known = [":generateContent", ":streamGenerateContent", ":countTokens"];
                known.contains(&verb).then_some(Self::Gemini(verb))
            }
            _ => None,
        }
    }
}

/// A request for a cloud, and how its answer is to be read.
pub(crate) struct Shaped {
    pub(crate) path: PathAndQuery,
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) reading: Reading,
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is one of the protocol already.
    Plain,
    /// One of Messages, in plain words; errors may have another shape.
    Messages,
    /// One of Messages, in frames.
    Frames,
    /// A number of tokens in Bedrock's words.
    Count,
}

impl Reading {
    /// What reads an answer with this head, if anything has to; the status may be another one for the client.
    pub(crate) fn begin(self, head: &mut http::response::Parts) -> Option<CloudAnswer> {
        if self == Self::Plain {
            return None;
        }
        if !head.status.is_success() {
            // A model's failure is the provider's; agents take any other 4xx for a mistake of their own.
            if head.status == http::StatusCode::FAILED_DEPENDENCY {
                head.status = http::StatusCode::INTERNAL_SERVER_ERROR;
            }
            return Some(CloudAnswer::error(head.status.as_u16()));
        }
        match self {
            Self::Plain | Self::Messages => None,
            Self::Count => Some(CloudAnswer::count()),
            Self::Frames => Some(CloudAnswer::frames()),
        }
    }
}

impl Cloud {
    /// Makes a request for this cloud of one of the protocol.
    pub(crate) fn shape(
        &self,
        provider: &Provider,
        attempt: &Attempt<'_>,
    ) -> Result<Shaped, AttemptError> {
        let path = attempt.path_and_query.path();
        let wish = Wish::of(attempt.protocol, path);
        let unserved = || {
            AttemptError::Unsayable(format!(
                "`{}` serves no {} at {path}",
                provider.name, attempt.protocol
            ))
        };
        let wish = wish.ok_or_else(unserved)?;
        let model = place::segment(attempt.model)
            .ok_or_else(|| AttemptError::Unsayable("a model needs a name".to_owned()))?;
        let (path, pieces, reading) = match (self, wish) {
            (Self::Bedrock { .. }, Wish::Messages | Wish::CountMessages) => {
                at_bedrock(&model, wish == Wish::CountMessages, attempt)
            }
            // The same address has a door of OpenAI's protocols, which wants the model in the body.
            (Self::Bedrock { .. }, Wish::Chat | Wish::Responses) => {
                let path = path.trim_start_matches("/v1");
                let pieces = attempt.segments.clone();
                Ok((format!("/openai/v1{path}"), pieces, Reading::Plain))
            }
            (Self::Vertex, Wish::Messages) => messages_at_vertex(&model, attempt),
            (Self::Vertex, Wish::CountMessages) => counted_at_vertex(attempt),
            (Self::Vertex, Wish::Gemini(verb)) => Ok(gemini_at_vertex(&model, verb, attempt)),
            (Self::Bedrock { .. }, Wish::Gemini(_))
            | (Self::Vertex, Wish::Chat | Wish::Responses) => return Err(unserved()),
        }
        .map_err(|error| AttemptError::Unsayable(error.to_string()))?;
        let base = provider.base.path().trim_end_matches('/');
        let path = PathAndQuery::try_from(format!("{base}{path}"))
            .map_err(|_| AttemptError::Path(provider.name.clone()))?;
        Ok(Shaped {
            path,
            pieces,
            reading,
        })
    }

    /// Makes the headers fit: what is said in the body or in the path is not said there, too.
    pub(crate) fn fit(&self, headers: &mut HeaderMap, reading: Reading) {
        const ELSEWHERE: [&str; 2] = ["anthropic-beta", "anthropic-version"];
        // Bodies are made of what was unpacked.
        let encoding = [CONTENT_ENCODING];
        let elsewhere = ELSEWHERE.map(HeaderName::from_static);
        let dropped = match self {
            Self::Bedrock { .. } => [&elsewhere[..], &encoding[..]].concat(),
            Self::Vertex if reading == Reading::Messages => {
                [&elsewhere[1..], &encoding[..]].concat()
            }
            Self::Vertex => Vec::new(),
        };
        let mut kept = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers.iter() {
            if !dropped.contains(name) {
                kept.append(name, value.clone());
            }
        }
        if !kept.contains_key(CONTENT_TYPE) {
            kept.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if reading == Reading::Frames {
            let frames = HeaderValue::from_static("application/vnd.amazon.eventstream");
            kept.insert(ACCEPT, frames);
        }
        // Frames are read here; nobody packs them, and nobody shall.
        if reading != Reading::Plain {
            kept.remove(http::header::ACCEPT_ENCODING);
        }
        *headers = kept;
    }
}

type Parts = (String, Vec<Bytes>, Reading);

fn at_bedrock(model: &str, is_count: bool, attempt: &Attempt<'_>) -> Result<Parts, Malformed> {
    let (cloud, body) = (MessagesCloud::Bedrock, attempt.segments.concat());
    if is_count {
        let path = format!("/model/{model}/count-tokens");
        return Ok((path, cloud.count(&body)?, Reading::Count));
    }
    let made = cloud.request(&body, &betas::list(attempt.headers))?;
    let (verb, reading) = if made.is_streaming {
        ("invoke-with-response-stream", Reading::Frames)
    } else {
        ("invoke", Reading::Messages)
    };
    Ok((format!("/model/{model}/{verb}"), made.pieces, reading))
}

fn messages_at_vertex(model: &str, attempt: &Attempt<'_>) -> Result<Parts, Malformed> {
    let made = MessagesCloud::Vertex.request(&attempt.segments.concat(), &[])?;
    let verb = if made.is_streaming {
        "streamRawPredict"
    } else {
        "rawPredict"
    };
    let path = format!("/publishers/anthropic/models/{model}:{verb}");
    Ok((path, made.pieces, Reading::Messages))
}

fn counted_at_vertex(attempt: &Attempt<'_>) -> Result<Parts, Malformed> {
    let pieces = MessagesCloud::Vertex.count(&attempt.segments.concat())?;
    let path = "/publishers/anthropic/models/count-tokens:rawPredict".to_owned();
    Ok((path, pieces, Reading::Messages))
}

fn gemini_at_vertex(model: &str, verb: &str, attempt: &Attempt<'_>) -> Parts {
    let query = attempt.path_and_query.query();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("/publishers/google/models/{model}{verb}{query}");
    (path, attempt.segments.clone(), Reading::Plain)
}

/// Shows a cloud who asks, where that is no plain key: with a token that has been fetched, or a signature.
pub(crate) async fn authorize(
    provider: &Provider,
    request: &mut Request<Segments>,
    pieces: &[Bytes],
) -> Result<(), AttemptError> {
    match &provider.credential {
        Credential::Tokens(source) => {
            let token = source.token().await;
            let unshown = |reason: String| AttemptError::Credential {
                provider: provider.name.clone(),
                reason,
            };
            let token = token.map_err(|error| unshown(error.to_string()))?;
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
            let mut value =
                value.map_err(|_| unshown("the token cannot stand in a header".to_owned()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
            Ok(())
        }
        Credential::Aws(keys) => signed(provider, keys, request, pieces),
        Credential::PassThrough | Credential::Key(_) | Credential::Nothing => Ok(()),
    }
}

#[cfg(feature = "aws")]
fn signed(
    provider: &Provider,
    keys: &AwsKeys,
    request: &mut Request<Segments>,
    pieces: &[Bytes],
) -> Result<(), AttemptError> {
    sign::sign(provider, keys, request, pieces).map_err(|reason| AttemptError::Credential {
        provider: provider.name.clone(),
        reason,
    })
}

#[cfg(not(feature = "aws"))]
fn signed(
    provider: &Provider,
    _keys: &AwsKeys,
    _request: &mut Request<Segments>,
    _pieces: &[Bytes],
) -> Result<(), AttemptError> {
    Err(AttemptError::Credential {
        provider: provider.name.clone(),
        reason: "this build cannot sign for AWS; a bearer token works".to_owned(),
    })
}

/// Clouds are only ever asked to make something.
pub(crate) const METHOD: Method = Method::POST;
