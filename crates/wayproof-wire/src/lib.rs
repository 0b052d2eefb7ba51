#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod protocol;

mod json;
mod skim;

mod fit;
mod leave_out;
mod peek;
mod reword;
mod splice;

mod view;

mod ask;
mod client;
mod outcome;
mod tool;

mod answer;
mod sse;
mod usage;

mod cloud;
mod eventstream;

mod chain;

mod fault;
mod models;
mod most;
mod overflow;

mod translate;

pub use answer::{Answer, AnswerForm, AnswerReader, Stop};
pub use ask::{Ask, find_ask, new_ask};
pub use chain::{Chain, ChainStep, ChainTurn, chain_error};
pub use client::{Agent, Housekeeping, Identity, SessionSource, identify};
pub use cloud::{CloudAnswer, CloudRequest, MessagesCloud};
pub use eventstream::{EventMessage, EventStreamDecoder, EventStreamError, event_message};
pub use fault::{Fault, FaultKind, RenderedFault, render};
pub use fit::fit;
pub use leave_out::{LeftOut, leave_out};
pub use models::{
    ModelAbilities, ModelDialect, ModelEntry, render_model, render_models, render_shown,
};
pub use most::{MostTokens, most_tokens};
pub use outcome::{Exit, ToolKind, ToolOutcome, outcomes};
pub use overflow::is_context_overflow;
pub use peek::{Field, Peek, peek};
pub use protocol::{Protocol, Protocols, UnknownProtocol};
pub use reword::reword;
pub use skim::{Malformed, NESTING_LIMIT, Span};
pub use splice::splice_model;
pub use sse::{FRAME_LIMIT, SseDecoder, SseFrame};
pub use translate::{
    Able, Aim, AnswerTranslator, ChatHabits, Ended, Exchange, Loss, LossKind, Memo, Refuses,
    ThinkingStyle, TokenField, TranslatedRequest, Unsealed, Untranslatable, estimate_tokens,
    path_segment, translate_error, translate_request, unseal,
};
pub use usage::Usage;
pub use view::{Item, Part, Request, Role};
