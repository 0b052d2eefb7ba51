//! What must be remembered of a request to translate its answer.

use crate::translate::item::{Conversation, ToolForm};

/// What must be remembered of a request to translate its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memo {
    /// Tools of namespaces.
    pub(crate) namespaced: Vec<Namespaced>,
    /// Tools that take free text and went out as functions.
    pub(crate) free: Vec<String>,
    /// Whether a Chat stream is to end with its usage.
    pub(crate) wants_usage: bool,
    /// Ollama: whether the answer is to be one of `/api/generate`.
    pub(crate) is_generated: bool,
}

/// A tool of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Namespaced {
    pub(crate) flat: String,
    pub(crate) space: String,
    pub(crate) name: String,
}

impl Memo {
    pub(crate) fn of(conversation: &Conversation<'_>, namespaced: Vec<Namespaced>) -> Self {
        let free = conversation
            .tools
            .iter()
            .filter(|tool| matches!(tool.form, ToolForm::Free(_)))
            .map(|tool| tool.name.spoken().into_owned())
            .collect();
        Self {
            namespaced,
            free,
            wants_usage: conversation.settings.wants_usage,
            is_generated: conversation.is_generated,
        }
    }
}
