//! mini-swe-agent: one shell tool, results as JSON, the issue inside a template.

use std::borrow::Cow;

use crate::json::Json;
use crate::outcome::Exit;
use crate::view::{Request, Role};

const OPENING: &str = "Please solve this issue:";

/// Whether the conversation opens the way mini-swe-agent opens one.
pub(super) fn speaks(request: &Request<'_>) -> bool {
    (0..request.len().min(3))
        .filter(|index| request.role(*index) == Some(Role::User))
        .filter_map(|index| request.item(index))
        .any(|item| item.text().trim_start().starts_with(OPENING))
}

/// Unwraps `{"returncode":…,"output":…}`.
pub(crate) fn unwrap_result(text: Cow<'_, str>) -> (Exit, Cow<'_, str>) {
    let json = Json::new(text.as_bytes());
    let Some(code) = json.get("returncode").and_then(Json::integer) else {
        return (Exit::Unknown, text);
    };
    let output = json.get("output").and_then(Json::text);
    let output = output.map(Cow::into_owned).unwrap_or_default();
    (Exit::Code(code), Cow::Owned(output))
}

/// The issue stands between the opening words and the first blank line.
pub(crate) fn strip_ask(text: &str) -> &str {
    let Some(issue) = text.trim_start().strip_prefix(OPENING) else {
        return text;
    };
    let issue = issue.trim_start();
    issue.split_once("\n\n").map_or(issue, |(issue, _)| issue)
}
