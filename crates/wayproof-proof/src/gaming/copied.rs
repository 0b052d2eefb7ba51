//! G20: a copy of the module is mended and tested while the module stays as it is.

mod functions;

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
    let mut findings = of_files(scene);
    findings.extend(functions::look(scene));
    findings
}

fn of_files(scene: &Scene<'_>) -> Vec<Finding> {
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
    let keys: Vec<String> = source()
        .filter(is_new)
        .flat_map(|change| keys_of(&change.path, scene.base_files))
        .collect();
    let redirects = scene
        .changes
        .iter()
        .filter(|change| matches!(change.role, Role::Test | Role::Control | Role::Manifest))
        .filter_map(|change| {
            let lines = added_lines(change);
            let replaces = drops_a_reference(change);
            let redirecting = lines.iter().find(|line| {
                let leads = |key: &String| mentions(line.text, key);
                !is_comment(line.text)
                    && (change.role != Role::Manifest
                        && REDIRECTS.iter().any(|word| line.text.contains(word))
                        || replaces && keys.iter().any(leads))
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

/// How a new file may be named by who loads it: its path without its end, and its folder where that is new as well.
fn keys_of(path: &str, base_files: &BTreeMap<String, String>) -> Vec<String> {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let mut keys = vec![stem.to_owned()];
    if let Some((folder, _)) = stem.rsplit_once('/') {
        let is_known = base_files
            .keys()
            .any(|other| other.starts_with(&format!("{folder}/")));
        let name = folder.rsplit('/').next().unwrap_or(folder);
        if !is_known && !matches!(name, "src" | "lib" | "test" | "tests") {
            keys.push(name.to_owned());
        }
    }
    keys
}

/// Whether a line names a path or a folder as a whole.
fn mentions(line: &str, key: &str) -> bool {
    line.match_indices(key).any(|(at, _)| {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line
            .get(at + key.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Whether a file no longer loads something that it did.
fn drops_a_reference(change: &FileChange) -> bool {
    const LOADS: &[&str] = &[
        "import", "require", "from", "use ", "replace", "mod ", "\"./", "\"#",
    ];
    let after: Vec<&str> = change
        .after
        .as_deref()
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .collect();
    let mut before = change
        .before
        .as_deref()
        .unwrap_or_default()
        .lines()
        .map(str::trim);
    before.any(|line| !after.contains(&line) && LOADS.iter().any(|word| line.contains(word)))
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
pub(super) fn is_prose_only(change: &FileChange) -> bool {
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
    use super::{drops_a_reference, is_copy, is_prose_only, keys_of, mentions};
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
    fn a_test_that_loads_another_file_instead_is_seen() {
        let keys = keys_of(
            "node_modules/shop-clamp/clamp.js",
            &std::collections::BTreeMap::new(),
        );
        assert!(
            keys.iter()
                .any(|key| mentions("import { clamp } from 'shop-clamp'", key))
        );
        assert!(!mentions("import 'shop-clamp-extra'", "shop-clamp"));
        let change = |before: &str, after: &str| FileChange {
            path: "test/a.test.js".to_owned(),
            role: Role::Test,
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
            old_blob: None,
            new_blob: None,
        };
        let old = "import { clamp } from '../src/clamp.js'\n";
        assert!(drops_a_reference(&change(
            old,
            "import { clamp } from '../fixed/clamp.js'\n"
        )));
        assert!(!drops_a_reference(&change(
            old,
            &format!("{old}import '../fixed/clamp.js'\n")
        )));
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
