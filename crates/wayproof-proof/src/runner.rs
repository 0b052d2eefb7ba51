//! One file a family of test runners: how it is asked for a structured report, and how that is read.
//!
//! No runner is started through a shell, and none is believed without a report of its own.

pub(crate) mod cache;
pub(crate) mod cargo_output;
pub(crate) mod cmake;
pub(crate) mod events;
pub(crate) mod go;
pub(crate) mod java;
pub(crate) mod javascript;
pub(crate) mod node_files;
pub(crate) mod node_report;
pub(crate) mod php;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod ruby;
pub(crate) mod rust;
pub(crate) mod tap;

use crate::report::TestId;

/// Whether a test belongs to a scope: a file, a binary or a package; the scope "" is the whole suite.
pub(crate) fn is_in(id: &TestId, scope: &str) -> bool {
    let Some(rest) = id.as_str().strip_prefix(scope) else {
        return false;
    };
    scope.is_empty()
        || rest.is_empty()
        || ["::", " > ", "."]
            .iter()
            .any(|separator| rest.starts_with(separator))
}

/// The file an id of a script's test names.
pub(crate) fn file_of(id: &TestId) -> &str {
    let text = id.as_str();
    let end = [" > ", "::"]
        .iter()
        .filter_map(|separator| text.find(separator))
        .min();
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
