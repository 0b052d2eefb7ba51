//! A request in no protocol's shape: what readers make and writers take.
//!
//! Everything borrows from the request. It refuses to be a fifth protocol: there is one way to say each thing.

use std::borrow::Cow;

use crate::translate::fill::Fill;
use crate::translate::seal::Seal;
use crate::translate::text::Text;

/// A conversation with what is asked of the model.
#[derive(Debug, Default)]
pub(crate) struct Conversation<'a> {
    pub(crate) turns: Vec<Turn<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) settings: Settings<'a>,
    /// The text to go on with, where that is what is asked for.
    pub(crate) fill: Option<Fill<'a>>,
    /// Ollama: whether this came by `/api/generate`.
    pub(crate) is_generated: bool,
}

/// What one side says.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) speaker: Speaker,
    pub(crate) parts: Vec<Part<'a>>,
}

/// Who speaks. Results of tools are said by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    System,
    User,
    Model,
}

#[derive(Debug)]
pub(crate) enum Part<'a> {
    Text(Text<'a>),
    Media(Media<'a>),
    Call(Call<'a>),
    Result(ToolResult<'a>),
    Thinking(Thinking<'a>),
    Refusal(Text<'a>),
}

/// An image, a document or a sound.
#[derive(Debug)]
pub(crate) struct Media<'a> {
    pub(crate) kind: MediaKind,
    pub(crate) source: Source<'a>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) detail: Option<Text<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Image,
    Document,
    Audio,
}

#[derive(Debug)]
pub(crate) enum Source<'a> {
    Url(Text<'a>),
    Data { mime: Text<'a>, base64: Text<'a> },
    Plain(Text<'a>),
}

/// A wish of the model to run a tool.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) id: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) input: Input<'a>,
}

/// The arguments of a call.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// A JSON value.
    Object(Cow<'a, [u8]>),
    /// JSON inside a string.
    Quoted(Text<'a>),
    /// Free text.
    Free(Text<'a>),
}

#[derive(Debug)]
pub(crate) struct ToolResult<'a> {
    pub(crate) id: Text<'a>,
    /// The tool, where the protocol names it.
    pub(crate) name: Option<Text<'a>>,
    pub(crate) is_error: bool,
    pub(crate) parts: Vec<Part<'a>>,
}

/// Reasoning of the model.
#[derive(Debug)]
pub(crate) struct Thinking<'a> {
    pub(crate) text: Text<'a>,
    /// What its maker wants to see again; `None` when it has none, or it is somebody else's.
    pub(crate) seal: Option<Seal<'a>>,
}

#[derive(Debug)]
pub(crate) struct Tool<'a> {
    pub(crate) name: Text<'a>,
    pub(crate) description: Option<Text<'a>>,
    pub(crate) form: ToolForm<'a>,
    pub(crate) is_strict: bool,
    pub(crate) is_deferred: bool,
}

/// What a tool takes.
#[derive(Debug)]
pub(crate) enum ToolForm<'a> {
    /// Arguments by a JSON Schema.
    Schema(Option<Cow<'a, [u8]>>),
    /// Free text, maybe in a format (JSON, as Responses writes it).
    Free(Option<Cow<'a, [u8]>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    Auto,
    Never,
    Any,
    Tool(Text<'a>),
}

/// What is asked of the model beyond the conversation. Raw values are JSON.
#[derive(Debug, Default)]
pub(crate) struct Settings<'a> {
    pub(crate) max_tokens: Option<&'a [u8]>,
    /// Whether the client's protocol demands a limit, so that a high one is no wish of anybody's.
    pub(crate) has_to_limit: bool,
    pub(crate) temperature: Option<&'a [u8]>,
    pub(crate) top_p: Option<&'a [u8]>,
    pub(crate) top_k: Option<&'a [u8]>,
    pub(crate) seed: Option<&'a [u8]>,
    pub(crate) presence_penalty: Option<&'a [u8]>,
    pub(crate) frequency_penalty: Option<&'a [u8]>,
    pub(crate) stop: Vec<Text<'a>>,
    pub(crate) choice: Option<Choice<'a>>,
    /// Whether several calls at once are allowed.
    pub(crate) parallel: Option<bool>,
    pub(crate) effort: Option<Effort>,
    /// Whether the model is to show its reasoning, where that is said.
    pub(crate) shows_thinking: Option<bool>,
    pub(crate) format: Option<Format<'a>>,
    pub(crate) verbosity: Option<Text<'a>>,
    pub(crate) cache_key: Option<Text<'a>>,
    /// Chat: whether a stream is to end with its usage.
    pub(crate) wants_usage: bool,
}

/// How hard the model is to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    Off,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

/// The shape an answer must have.
#[derive(Debug)]
pub(crate) enum Format<'a> {
    /// Any JSON object.
    Object,
    Schema {
        name: Option<Text<'a>>,
        schema: Cow<'a, [u8]>,
        is_strict: bool,
    },
}

impl Effort {
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "none" | "off" => Self::Off,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// The effort that spends about so many tokens on thinking.
    pub(crate) const fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::Off,
            1..=1_024 => Self::Minimal,
            1_025..=4_096 => Self::Low,
            4_097..=12_288 => Self::Medium,
            12_289..=32_768 => Self::High,
            _ => Self::XHigh,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Off => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }
}

impl<'a> Conversation<'a> {
    /// The instructions before everything else, and what follows them. Where nothing follows, they are said as well.
    pub(crate) fn instructed(&self) -> (Option<&Turn<'a>>, &[Turn<'a>]) {
        match self.turns.split_first() {
            Some((first, rest)) if first.speaker == Speaker::System && !rest.is_empty() => {
                (Some(first), rest)
            }
            _ => (None, &self.turns),
        }
    }

    pub(crate) fn say(&mut self, speaker: Speaker, parts: Vec<Part<'a>>) {
        if parts.is_empty() {
            return;
        }
        match self.turns.last_mut() {
            // What the user says in several messages stays apart, since each may be an ask of its own.
            Some(last) if last.speaker == speaker && speaker != Speaker::User => {
                last.parts.extend(parts);
            }
            _ => self.turns.push(Turn { speaker, parts }),
        }
    }
}
