//! Whether an ask starts new work, goes on with the work in hand or rejects it.
//! Short, fixed phrases only: what cannot be told apart surely is new work.

use super::{JobState, OWN_VOICE};
use crate::facts::Facts;

/// What an ask does to the job in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskKind {
    /// It is the ask that opened the job or the one heard last, sent again.
    Replayed,
    /// A helper of the agent is told what to do, inside the job.
    Delegated,
    /// It goes on with the job.
    Continued,
    /// It rejects or corrects what the job did.
    Rejected,
    /// It starts another job.
    New,
}

/// How an agent's own stop hook starts what it hands back.
const HOOK_VOICE: &str = "Stop hook feedback";

/// Asks that are nothing but assent.
const ASSENT: &[&str] = &[
    "carry on",
    "continue",
    "do it",
    "do that",
    "go ahead",
    "go for it",
    "go on",
    "keep going",
    "next",
    "ok",
    "okay",
    "please continue",
    "please proceed",
    "proceed",
    "resume",
    "sounds good",
    "sure",
    "y",
    "yes",
    "yep",
    "yes please",
];

/// The most words an ask may have that starts with assent and is still nothing else.
const MAX_ASSENT_WORDS: usize = 6;

/// Openings of a rejection.
const REJECTS: &[&str] = &[
    "incorrect",
    "it still",
    "no dont",
    "no it",
    "no please",
    "no that",
    "no thats",
    "no this",
    "no wait",
    "no you",
    "nope",
    "not quite",
    "not right",
    "please revert",
    "please undo",
    "put it back",
    "put that back",
    "revert all",
    "revert everything",
    "revert it",
    "revert that",
    "revert this",
    "revert your",
    "roll back your",
    "roll it back",
    "roll that back",
    "still broken",
    "still fails",
    "still failing",
    "still not",
    "stop that",
    "that broke",
    "that did not work",
    "that didnt",
    "that does not work",
    "that doesnt",
    "that is not",
    "that is wrong",
    "thats not",
    "thats wrong",
    "the fix is wrong",
    "this is wrong",
    "try again",
    "undo",
    "wrong",
    "you broke",
    "you forgot",
    "you missed",
    "your change",
    "your fix",
];

/// Parts of a rejection that may stand anywhere near the start.
const REJECTS_INSIDE: &[&str] = &[
    "not what i asked",
    "not what i meant",
    "not what i wanted",
    "still failing",
    "still fails",
];

/// How much of an ask is read for this.
const MAX_TEXT: usize = 300;

/// What an ask does to the job in hand.
pub(crate) fn read(job: &JobState, facts: &Facts<'_>, ask: &str) -> AskKind {
    if job.has_heard(ask) {
        return AskKind::Replayed;
    }
    // A helper's instructions are the agent's words, not the user's.
    if facts.is_subagent {
        return AskKind::Delegated;
    }
    if ask.starts_with(OWN_VOICE) || ask.starts_with(HOOK_VOICE) {
        return AskKind::Continued;
    }
    let plain = plain(ask);
    if is_rejection(&plain, ask) {
        return AskKind::Rejected;
    }
    if facts.new_job_id == job.id || is_assent(&plain) {
        return AskKind::Continued;
    }
    AskKind::New
}

/// Whether a tool's result says that the user refused the call.
pub(crate) fn is_refused_tool(text: &str) -> bool {
    let head = super::job::cut(text, MAX_TEXT);
    head.contains("user doesn't want to proceed with this tool use")
        || head.contains("[Request interrupted by user")
}

/// Lower case words with single spaces and no punctuation.
fn plain(ask: &str) -> String {
    let head = super::job::cut(ask, MAX_TEXT).to_lowercase();
    let kept: String = head
        .chars()
        .filter(|c| !matches!(c, '\'' | '\u{2019}'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_rejection(plain: &str, ask: &str) -> bool {
    let opens = |phrase: &&str| {
        plain
            .strip_prefix(*phrase)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    // "No, …" turns something down; "no tests cover this" does not.
    let ask = ask.trim_start().to_lowercase();
    let is_no = plain == "no"
        || ["no,", "no.", "no!", "no -", "no;"]
            .iter()
            .any(|no| ask.starts_with(no));
    is_no
        || plain == "stop"
        || REJECTS.iter().any(opens)
        || REJECTS_INSIDE.iter().any(|phrase| plain.contains(phrase))
}

fn is_assent(plain: &str) -> bool {
    ASSENT.contains(&plain)
        || plain.split(' ').count() <= MAX_ASSENT_WORDS
            && ASSENT.iter().any(|word| {
                plain
                    .strip_prefix(word)
                    .is_some_and(|rest| rest.starts_with(' '))
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejections_and_assent_are_told_from_new_work() {
        for text in [
            "No, use the other parser",
            "that didn't work",
            "It still fails on Windows",
            "undo that",
            "please revert all of it",
            "Roll that back.",
            "no",
            "that’s wrong",
        ] {
            assert!(is_rejection(&plain(text), text), "{text}");
        }
        for text in [
            "no tests cover the parser",
            "the login page doesn't work",
            "note the change in the changelog",
            "stop the server on SIGTERM",
        ] {
            assert!(!is_rejection(&plain(text), text), "{text}");
        }
        for text in ["go on", "Yes.", "ok, go ahead", "continue with step two"] {
            assert!(is_assent(&plain(text)), "{text}");
        }
        for text in [
            "next.js fails to build on the server since yesterday",
            "yesterday the build broke",
        ] {
            assert!(!is_assent(&plain(text)), "{text}");
        }
    }
}
