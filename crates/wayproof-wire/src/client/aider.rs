//! aider: no tools and no ids; edits are text, and what a command printed comes as a message of the user.

use super::{Clues, Housekeeping, Identity};

/// What aider says in the user's name.
const OWN_WORDS: [&str; 5] = [
    "Here are summaries of some files",
    "I have *added these files to the chat*",
    "I am not sharing",
    "# Fix any errors below",
    "I ran this command:",
];

pub(super) fn identify(clues: &Clues<'_>, identity: &mut Identity) {
    // Its user agent is that of a library.
    identity.agent_version = None;
    let is_commit =
        clues.request.field("stream").is_none() && clues.system_head().contains("commit message");
    identity.housekeeping = is_commit.then_some(Housekeeping::CommitMessage);
}

/// The ask without the rules that are repeated after it; empty when aider itself is speaking.
pub(crate) fn strip_ask(text: &str) -> &str {
    if OWN_WORDS.iter().any(|words| text.starts_with(words)) {
        return "";
    }
    text.split_once("# *SEARCH/REPLACE block* Rules:")
        .map_or(text, |(ask, _)| ask)
}

/// The command and its output when the text is a report of one.
pub(crate) fn command_report(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("I ran this command:")?;
    let (command, output) = rest.split_once("And got this output:")?;
    Some((command.trim(), output.trim()))
}
