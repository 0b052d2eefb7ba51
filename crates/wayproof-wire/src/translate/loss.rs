//! What a translation could not carry over, by name.
//!
//! A loss is told once with how often it happened. It refuses to hold content: names of fields and kinds only.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many different losses are told apart; a request full of unknown things must not fill the ledger.
const MOST: usize = 32;
/// Longest name that is kept.
const NAME_BYTES: usize = 80;

/// Something that was left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What kind of thing.
    pub kind: LossKind,
    /// Which one, where it has a name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// How often.
    pub times: u32,
}

/// What kind of thing was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// A field of the request that the other protocol has no place for.
    Field,
    /// A header that asks for something in the client's protocol.
    Header,
    /// A part of a message of a kind that the other protocol has no place for.
    Part,
    /// A mark that says where a cached prefix ends.
    CacheMark,
    /// Reasoning that another provider or model made, or that cannot be shown to this one.
    Thinking,
    /// A tool that only its own provider runs.
    Tool,
    /// A tool left out because nothing has asked for it yet.
    DeferredTool,
    /// The grammar of a tool that takes free text.
    Grammar,
    /// The wish that arguments follow the schema exactly.
    Strict,
    /// Part of the tool choice.
    ToolChoice,
    /// The mark that a tool failed; its text is kept.
    ErrorMark,
    /// The place of instructions in the middle of a conversation; their text is kept in a user message.
    Position,
    /// Arguments that are not a JSON object; they are kept as text.
    Arguments,
    /// A call without a result, or a result without a call.
    Unpaired,
    /// Token counts that the provider did not report.
    Usage,
    /// A further answer of several that were asked for.
    Candidate,
    /// The effort that was asked for, where the model has another or none.
    Effort,
    /// The bare continuation of a text, which a conversation can only ask for in words.
    Continuation,
}

impl LossKind {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Field => "a field without a place",
            Self::Header => "a header without a place",
            Self::Part => "a part without a place",
            Self::CacheMark => "a cache mark",
            Self::Thinking => "reasoning of another origin",
            Self::Tool => "a tool its own provider runs",
            Self::DeferredTool => "a tool not yet asked for",
            Self::Grammar => "the grammar of a free-text tool",
            Self::Strict => "strict arguments",
            Self::ToolChoice => "part of the tool choice",
            Self::ErrorMark => "the error mark of a tool result",
            Self::Position => "the place of instructions",
            Self::Arguments => "the shape of arguments",
            Self::Unpaired => "a call or result without its other half",
            Self::Usage => "token counts",
            Self::Candidate => "a further answer",
            Self::Effort => "an effort the model does not have",
            Self::Continuation => "a bare continuation, asked for in words",
        }
    }
}

/// As a log line or `explain` says it: ``a field without a place `metadata` (2 times)``.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.sentence())?;
        if !self.name.is_empty() {
            write!(f, " `{}`", self.name)?;
        }
        if self.times > 1 {
            write!(f, " ({} times)", self.times)?;
        }
        Ok(())
    }
}

/// Losses, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Losses(Vec<Loss>);

impl Losses {
    pub(crate) fn add(&mut self, kind: LossKind, name: &str) {
        let name = name
            .get(..name.floor_char_boundary(NAME_BYTES))
            .unwrap_or_default();
        let known = self
            .0
            .iter_mut()
            .find(|loss| loss.kind == kind && loss.name == name);
        if let Some(loss) = known {
            loss.times = loss.times.saturating_add(1);
        } else if self.0.len() < MOST {
            self.0.push(Loss {
                kind,
                name: name.to_owned(),
                times: 1,
            });
        }
    }

    pub(crate) fn field(&mut self, name: &str) {
        self.add(LossKind::Field, name);
    }

    pub(crate) fn into_list(self) -> Vec<Loss> {
        self.0
    }

    /// Adds what others lost.
    pub(crate) fn merge(&mut self, others: Self) {
        for other in others.0 {
            self.add(other.kind, &other.name);
        }
    }
}
