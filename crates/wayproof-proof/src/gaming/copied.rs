//! G20: a copy of the module is mended and tested while the module stays as it is.

use std::collections::BTreeMap;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_lines, finding, is_comment};
use crate::checkout::changes_source;
use crate::plan::{FileChange, Role, extension};

/// The share of a file's lines that make another its copy.
const SHARE: f64 = 0.6;
/// Fewer lines than this are no module.
const FEWEST_LINES: usize = 6;

/// Ways to make a name lead to another file.
const REDIRECTS: &[&str] = &[
    "sys.path.insert",
    "sys.path.append",
    "sys.path[",
    "sys.path =",
    "sys.modules[",
    "spec_from_file_location",
    "require.cache",
    "_resolveFilename",
    "moduleNameMapper",
    "NODE_PATH",
    "#[path",
];

/// Looks for them, where nothing that was there before is changed.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let source = || scene.changes.iter().filter(|change| changes_source(change));
    let is_new = |change: &&FileChange| change.old_blob.is_none() && change.after.is_some();
    let leaves_the_rest = source().filter(|change| !is_new(change)).all(is_prose_only);
    if !leaves_the_rest || !source().any(|change| is_new(&change)) {
        return Vec::new();
    }
    let copies = source().filter(is_new).filter_map(|change| {
        let original = original(change, scene.base_files)?;
        Some(finding(
            "G20",
            Severity::High,
            &change.path,
            None,
            format!("the change is made to a copy of {original}, which stays as it is"),
        ))
    });
    let redirects = scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Test | Role::Control))
        .filter_map(|change| {
            let lines = added_lines(change);
            let redirecting = lines.iter().find(|line| {
                !is_comment(line.text) && REDIRECTS.iter().any(|word| line.text.contains(word))
            });
            let at = redirecting.map(|line| line.number);
            at.map(|at| {
                let what =
                    "tests are led to new files while the source that was there stays as it is";
                finding("G20", Severity::High, &change.path, Some(at), what)
            })
        });
    copies.chain(redirects).collect()
}

/// The file of the base that a new one repeats.
fn original<'a>(change: &FileChange, base_files: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let after = change.after.as_deref()?;
    let mut files = base_files
        .iter()
        .filter(|(path, _)| extension(path) == extension(&change.path) && **path != change.path);
    files
        .find(|(_, text)| is_copy(text, after))
        .map(|(path, _)| path.as_str())
}

fn is_copy(original: &str, copy: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| line.len() > 2 && !is_comment(line))
            .map(str::to_owned)
            .collect()
    };
    let (original, mut copy) = (lines(original), lines(copy));
    let total = original.len();
    let kept = original.iter().filter(|line| {
        let at = copy.iter().position(|other| other == *line);
        at.map(|at| copy.swap_remove(at)).is_some()
    });
    let kept = u32::try_from(kept.count()).unwrap_or(u32::MAX);
    let total_lines = u32::try_from(total).unwrap_or(u32::MAX);
    total >= FEWEST_LINES && f64::from(kept) >= SHARE * f64::from(total_lines)
}

/// Whether only comments and texts of documentation differ.
fn is_prose_only(change: &FileChange) -> bool {
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return false;
    };
    let code = |text: &str| -> Vec<String> {
        let is_prose = |line: &&str| {
            line.is_empty()
                || is_comment(line)
                || ["\"\"\"", "'''", "#"]
                    .iter()
                    .any(|quote| line.starts_with(quote))
        };
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !is_prose(line))
            .map(str::to_owned)
            .collect()
    };
    code(before) == code(after)
}

#[cfg(test)]
mod tests {
    use super::{is_copy, is_prose_only};
    use crate::plan::{FileChange, Role};

    const MODULE: &str = "def a(x):\n    if x < 0:\n        return 0\n    return x\n\ndef b(y):\n    return y * 2\n\ndef c(z):\n    return z\n";

    #[test]
    fn a_copy_is_told_from_another_module() {
        assert!(is_copy(
            MODULE,
            &MODULE.replace("return x", "return min(x, 10)")
        ));
        assert!(!is_copy(
            MODULE,
            "def cap(x, high):\n    return min(x, high)\n"
        ));
    }

    #[test]
    fn prose_is_told_from_code() {
        let change = |after: &str| FileChange {
            path: "a.py".to_owned(),
            role: Role::Source,
            before: Some("def a():\n    \"\"\"One.\"\"\"\n    return 1\n".to_owned()),
            after: Some(after.to_owned()),
            old_blob: Some(String::new()),
            new_blob: Some(String::new()),
        };
        assert!(is_prose_only(&change(
            "def a():\n    \"\"\"Two.\"\"\"\n    # why\n    return 1\n"
        )));
        assert!(!is_prose_only(&change(
            "def a():\n    \"\"\"One.\"\"\"\n    return 2\n"
        )));
    }
}
