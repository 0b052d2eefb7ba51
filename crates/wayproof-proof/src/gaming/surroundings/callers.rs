//! Source that reads the file of whoever calls it, where the expected answer stands beside the call.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::flow::Flow;
use crate::code::{Code, Kind};
use crate::gaming::finding;

/// Words by which a file is read.
const READS: &[&str] = &[
    "read",
    "readlines",
    "read_text",
    "open",
    "getline",
    "getlines",
    "getsource",
    "foreach",
    "file",
    "fopen",
    "file_get_contents",
    "readFileSync",
    "readFile",
    "ReadFile",
    "read_to_string",
    "readString",
    "readAllLines",
    "lines",
    "ifstream",
];
/// Words by which a caller is found.
const CALLERS: &[&str] = &[
    "caller",
    "caller_locations",
    "debug_backtrace",
    "getTrace",
    "getStackTrace",
    "StackWalker",
    "_getframe",
    "currentframe",
    "extract_stack",
    "Caller",
    "source_location",
    "stack",
];

/// What an added line reads of its caller's file.
pub(super) fn read(path: &str, code: &Code<'_>, added: &BTreeSet<u32>) -> Option<Finding> {
    let flow = Flow::of(code);
    if flow.is_quiet() {
        return None;
    }
    let is_of_caller = |origin: &usize| {
        code.slice(&(*origin..(origin + 4).min(code.tokens.len())))
            .iter()
            .any(|token| token.kind == Kind::Word && CALLERS.contains(&token.text))
    };
    let token = code.tokens.iter().enumerate().find(|(at, token)| {
        let is_read = token.kind == Kind::Word
            && READS.contains(&token.text)
            && added.contains(&token.line)
            && code.at(at + 1).is_some_and(|next| next.is("("));
        is_read && {
            let arguments = at + 2..code.closing(at + 1);
            flow.origins(&arguments).iter().any(is_of_caller)
        }
    });
    let (_, token) = token?;
    let what = "the source reads the file of whoever calls it";
    Some(finding("G8", Severity::High, path, Some(token.line), what))
}
