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
mod seal_mark;
mod sse;
mod usage;

mod cloud;
mod eventstream;

mod chain;
mod charge;

mod fault;
mod models;
mod most;
mod needs;
mod overflow;
mod refused_seal;
mod unknown_address;

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
pub use needs::Kept;
pub use outcome::{Exit, ToolKind, ToolOutcome, outcomes};
pub use overflow::{is_context_overflow, is_overflow_inside};
pub use peek::{Field, Peek, peek};
pub use protocol::{Protocol, Protocols, UnknownProtocol};
pub use refused_seal::is_seal_refused;
pub use reword::reword;
pub use seal_mark::{NoMark, SealMark};
pub use skim::{Malformed, NESTING_LIMIT, Span};
pub use splice::{Edit, model_edits, splice, splice_model};
pub use sse::{FRAME_LIMIT, SseDecoder, SseFrame};
pub use translate::{
    Able, Aim, AnswerTranslator, ChatHabits, Ended, Exchange, Foreign, Loss, LossKind, Memo,
    Refuses, ThinkingStyle, TokenField, TranslatedRequest, Unsealed, Untranslatable,
    estimate_tokens, foreign, path_segment, seals, translate_error, translate_request, unseal,
};
pub use unknown_address::is_address_unknown;
pub use usage::Usage;
pub use view::{Item, Part, Request, Role};
