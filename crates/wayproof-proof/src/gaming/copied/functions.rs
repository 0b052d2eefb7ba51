//! A function that is mended in a copy of another name, while nothing that was there before does anything new.

use std::collections::BTreeMap;

use wayproof_receipt::predicate::{Finding, Severity};

use super::super::{Scene, finding, without_tests};
use crate::code::{Code, Function, Kind};
use crate::plan::{FileChange, Role};

/// A function's lines without brackets, and where it stands.
#[derive(Clone, Debug)]
struct Body {
    lines: Vec<String>,
    line: u32,
}

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let sources: Vec<FileChange> = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source)
        .map(without_tests)
        .collect();
    let mut old: BTreeMap<String, Body> = BTreeMap::new();
    let mut new: Vec<(&str, String, Body)> = Vec::new();
    for change in &sources {
        let before = change
            .before
            .as_deref()
            .map(|text| bodies(&change.path, text))
            .unwrap_or_default();
        let after = change
            .after
            .as_deref()
            .map(|text| bodies(&change.path, text))
            .unwrap_or_default();
        let is_kept = |(name, body): (&String, &Body)| {
            after.get(name).is_some_and(|now| now.lines == body.lines)
        };
        if !before.iter().all(is_kept) {
            return Vec::new();
        }
        let added = after
            .into_iter()
            .filter(|(name, _)| !before.contains_key(name));
        new.extend(added.map(|(name, body)| (change.path.as_str(), name, body)));
        old.extend(before);
    }
    if new.is_empty() {
        return Vec::new();
    }
    for (path, text) in scene.base_files {
        for (name, body) in bodies(path, text) {
            old.entry(name).or_insert(body);
        }
    }
    let copies = new.iter().filter_map(|(path, name, body)| {
        let (original, _) = old.iter().find(|(other, was)| {
            let is_whole =
                was.lines.len() > 3 && was.lines.iter().all(|line| body.lines.contains(line));
            (is_kin(name, other) || is_whole) && is_mended(&was.lines, &body.lines)
        })?;
        let what = format!("{name} is a mended copy of {original}, which stays as it is");
        Some(finding("G20", Severity::High, path, Some(body.line), what))
    });
    copies.collect()
}

/// The functions of a file by name; of two of one name none.
fn bodies(path: &str, text: &str) -> BTreeMap<String, Body> {
    let mut found = BTreeMap::new();
    let Some(code) = Code::read(path, text) else {
        return found;
    };
    let mut doubled = Vec::new();
    for function in code
        .functions()
        .iter()
        .filter(|function| function.name.len() > 2)
    {
        let body = Body {
            lines: lines(&code, function),
            line: code.at(function.body.start).map_or(0, |token| token.line),
        };
        if found.insert(function.name.to_owned(), body).is_some() {
            doubled.push(function.name);
        }
    }
    for name in doubled {
        found.remove(name);
    }
    found
}

fn lines(code: &Code<'_>, function: &Function<'_>) -> Vec<String> {
    let mut lines: BTreeMap<u32, String> = BTreeMap::new();
    for token in code.slice(&function.body) {
        if !(token.kind == Kind::Sign && matches!(token.text, "{" | "}" | ";")) {
            let line = lines.entry(token.line).or_default();
            line.push_str(token.text);
            line.push(' ');
        }
    }
    lines.into_values().collect()
}

/// `clamp` and `clampFixed`, `clamp_v2` and `clamp`.
fn is_kin(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    one.contains(&other) || other.contains(&one)
}

/// Whether a body is another with something more in it.
fn is_mended(was: &[String], now: &[String]) -> bool {
    let mut rest: Vec<&String> = now.iter().collect();
    let kept = was.iter().filter(|line| {
        let at = rest.iter().position(|other| other == line);
        at.map(|at| rest.swap_remove(at)).is_some()
    });
    let kept = kept.count();
    was.len() > 1 && kept > 1 && 4 * kept >= 3 * was.len() && !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    const CLAMP: &str = "pub fn clamp(value: i64, low: i64, high: i64) -> i64 {\n    if value < low {\n        return low;\n    }\n    let _ = high;\n    value\n}\n";
    const FIXED: &str = "(value: i64, low: i64, high: i64) -> i64 {\n    if value < low {\n        return low;\n    }\n    if value > high {\n        return high;\n    }\n    value\n}\n";

    fn count(after: &str) -> usize {
        scene_of("bug-fix", "src/a.rs", CLAMP, after, look).len()
    }

    #[test]
    fn a_mended_copy_is_told_from_a_helper() {
        assert_eq!(count(&format!("{CLAMP}\npub fn clamp_fixed{FIXED}")), 1);
        // The function itself is mended.
        assert_eq!(count(&format!("pub fn clamp{FIXED}")), 0);
        // It is mended by another that it calls.
        let calls = CLAMP.replace(
            "    let _ = high;\n    value\n",
            "    capped(value, high)\n",
        );
        assert_eq!(count(&format!("{calls}\nfn capped{FIXED}")), 0);
        // Something new that is like nothing that was there.
        assert_eq!(
            count(&format!(
                "{CLAMP}\npub fn clamp_all(values: &mut [i64]) {{\n    values.sort();\n}}\n"
            )),
            0
        );
    }
}
