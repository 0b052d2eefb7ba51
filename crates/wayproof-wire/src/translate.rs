//! Translates requests, answers, streams and errors from one protocol into another.
//!
//! There is one reader and one writer a protocol, and a shape of none in the middle. Strings are copied as they came,
//! escapes and all. What cannot be carried over is returned as a [`Loss`]; nothing is left behind in silence.

mod able;
mod answer;
mod balance;
mod error;
mod estimate;
mod event;
mod fill;
mod foreign;
mod hear;
mod item;
mod loss;
mod memo;
mod middle;
mod out;
mod pair;
mod read;
mod say;
mod schema;
mod seal;
mod text;
mod unseal;
mod write;

pub use able::{Able, Refuses, ThinkingStyle};
pub use answer::{AnswerTranslator, Ended, Exchange};
pub use error::translate_error;
pub use estimate::estimate_tokens;
pub use foreign::{Foreign, foreign, seals};
pub use loss::{Loss, LossKind};
pub use memo::Memo;
pub use unseal::{Unsealed, unseal};

use crate::protocol::Protocol;
use crate::view::Request;
use item::Choice;
pub(crate) use item::Effort;
pub(crate) use loss::Losses;
pub(crate) use out::Out;
use read::Reading;
use write::Writing;

pub(crate) use text::escape_into as escape;

/// Where a translated request goes.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    /// The protocol that the provider speaks.
    pub provider: Protocol,
    /// The model that is asked for there.
    pub model: &'a str,
    /// What names the maker of its reasoning: the provider with the model.
    pub origin: &'a str,
    /// Whether the client asked for a stream.
    pub is_streaming: bool,
    /// What is known of what the model can do.
    pub able: Able<'a>,
    /// The name of the limit in Chat.
    pub token_field: TokenField,
    /// How hard the model is to think, where the policy says so.
    pub effort: Option<&'a str>,
    /// Where a Chat provider keeps to less than the protocol.
    pub habits: ChatHabits,
}

/// Where a Chat provider keeps to less than OpenAI's protocol, and refuses a whole request for the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChatHabits {
    /// Fields that it refuses, of the request or of the model's messages in it.
    pub refused: &'static [&'static str],
    /// Whether the ids of calls must be nine letters and digits.
    pub has_short_ids: bool,
    /// Whether instructions are from `system` and `developer` is nobody.
    pub is_told_by_system: bool,
    /// Whether `max_completion_tokens` is unknown there, so that `max_tokens` has to say it.
    pub has_old_limit: bool,
}

/// The name that a Chat provider gives to the limit of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenField {
    /// `max_tokens`, as nearly everybody has it.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, as newer models of OpenAI demand it.
    MaxCompletionTokens,
}

/// A request in another protocol.
#[derive(Clone, Debug)]
pub struct TranslatedRequest {
    /// The body.
    pub body: Vec<u8>,
    /// What was left behind.
    pub losses: Vec<Loss>,
    /// What the answer's translation needs to know.
    pub memo: Memo,
}

/// Why a request cannot be said in another protocol at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untranslatable {
    /// Part of the conversation is with a provider that cannot be asked for it.
    #[error(
        "`{0}` refers to something that only the provider that has it can read; send the whole conversation instead"
    )]
    Stored(&'static str),
    /// A prompt is given as numbers of tokens.
    #[error(
        "a `prompt` of token numbers can only be read by the tokenizer it was made with; send it as text"
    )]
    Tokens,
    /// Nobody translates from or into this protocol.
    #[error("{0} is not translated")]
    Protocol(Protocol),
}

impl Protocol {
    /// Whether requests of a client's protocol can be said in this one, and its answers brought back.
    ///
    /// Whoever serves Ollama's own protocol speaks Chat as well. A text to go on with can be said as a conversation,
    /// but not the other way round.
    pub const fn takes_translations_of(self, client: Self) -> bool {
        match self {
            Self::Messages | Self::Chat | Self::Responses | Self::Gemini => true,
            Self::Completions | Self::Fim => client.is_completion(),
            Self::Ollama => false,
        }
    }

    /// The path and query of a request of this protocol.
    pub fn path(self, model: &str, is_streaming: bool) -> String {
        match (self, is_streaming) {
            (Self::Messages, _) => "/v1/messages".to_owned(),
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Gemini, true) => {
                let model = path_segment(model);
                format!("/v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
            (Self::Gemini, false) => {
                let model = path_segment(model);
                format!("/v1beta/models/{model}:generateContent")
            }
            (Self::Ollama, _) => "/api/chat".to_owned(),
            (Self::Completions, _) => "/v1/completions".to_owned(),
            (Self::Fim, _) => "/v1/fim/completions".to_owned(),
        }
    }
}

/// A name as it stands in a path, its slashes kept.
pub fn path_segment(name: &str) -> String {
    name.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~/@".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Says a request in the provider's protocol.
pub fn translate_request(
    request: &Request<'_>,
    aim: &Aim<'_>,
) -> Result<TranslatedRequest, Untranslatable> {
    if !aim.provider.takes_translations_of(request.peek.protocol) {
        return Err(Untranslatable::Protocol(aim.provider));
    }
    let mut reading = Reading::new(seal::origin_name(aim.origin));
    let mut conversation = reading.read(request)?;
    if let Some(effort) = aim.effort.and_then(Effort::of) {
        conversation.settings.effort = Some(effort);
    }
    let mut losses: Losses = reading.losses;
    let is_forced = matches!(
        conversation.settings.choice,
        Some(Choice::Any | Choice::Tool(_))
    );
    if is_forced && conversation.tools.is_empty() {
        losses.add(LossKind::ToolChoice, "");
    }
    aim.able
        .fit(aim.provider, &mut conversation.settings, &mut losses);
    let is_once = conversation.fill.is_some();
    if !aim.provider.is_completion() {
        fill::state(&mut conversation, &mut losses);
    }
    pair::pair(&mut conversation, &mut losses);
    let memo = Memo::of(&conversation, reading.namespaced);
    let mut writing = Writing {
        aim,
        losses: &mut losses,
        goes_on: !is_once,
    };
    let capacity = request.body.len() + request.body.len() / 8 + 512;
    let body = writing.write(&conversation, capacity);
    Ok(TranslatedRequest {
        body,
        losses: losses.into_list(),
        memo,
    })
}
