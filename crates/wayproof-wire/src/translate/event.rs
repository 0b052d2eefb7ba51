//! What happens in an answer, in no protocol's shape: whole answers and streams are told in the same events.

use crate::answer::Stop;
use crate::fault::Fault;
use crate::translate::seal::Seal;
use crate::translate::text::Text;
use crate::usage::Usage;

/// One thing that happens in an answer. Texts are fragments, escaped as they came.
#[derive(Debug)]
pub(crate) enum Event<'e> {
    Begin {
        model: Option<Text<'e>>,
    },
    Text(Text<'e>),
    Refusal(Text<'e>),
    Thinking(Text<'e>),
    /// Ends the thinking so far, if there was any.
    Sealed(Seal<'e>),
    Call(CallBegun<'e>),
    /// A fragment of the arguments of a call: a piece of the string that holds their JSON, or of free text.
    Input {
        key: u64,
        fragment: Text<'e>,
    },
    CallEnd {
        key: u64,
    },
    Usage(Usage),
    Stop(Halt<'e>),
    Failed(Fault),
    End,
}

/// The beginning of a call.
#[derive(Clone, Debug)]
pub(crate) struct CallBegun<'e> {
    /// What its fragments are known by.
    pub(crate) key: u64,
    pub(crate) id: Text<'e>,
    pub(crate) name: Text<'e>,
    pub(crate) space: Option<Text<'e>>,
    pub(crate) kind: CallKind,
}

/// What a call takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallKind {
    Function,
    Free,
}

/// Why the model stopped.
#[derive(Clone, Debug)]
pub(crate) struct Halt<'e> {
    pub(crate) stop: Stop,
    /// The stop sequence that was met.
    pub(crate) sequence: Option<Text<'e>>,
}

/// Where events go.
pub(crate) type Sink<'s> = dyn FnMut(Event<'_>) + 's;
