//! A promise that is broken by the way of another fix.

use wayproof_receipt::predicate::{Finding, Severity};

use super::super::assertions::may_hold_tests;
use super::super::{Scene, finding};
use super::of;
use crate::code::{Code, Kind, Token};
use crate::plan::{FileChange, Role};
use crate::report::TestId;

/// A promise that is broken by the way: what the test is about only loses something, the edit agrees with that, and
/// none of the tests that the change made green asks for it.
pub(super) fn broken(scene: &Scene<'_>, id: &TestId) -> Option<Finding> {
    let edited = scene.changes.iter().filter(|change| may_hold_tests(change));
    let text = edited
        .filter_map(|change| change.after.as_deref())
        .flat_map(|text| of(text, id))
        .next()?;
    let others: Vec<&str> = scene
        .outcomes
        .iter()
        .flat_map(|outcome| {
            outcome
                .texts
                .iter()
                .filter(|(other, _)| !outcome.contradicted.contains_key(*other))
        })
        .filter_map(|(_, texts)| texts.head.as_deref())
        .collect();
    let names = |line: &str, name: &str| {
        line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .any(|word| word == name)
    };
    let speaks_of = |name: &str| text.lines.iter().any(|line| names(line, name));
    if others.is_empty() {
        return None;
    }
    let sources = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Source);
    let touched: Vec<(String, bool)> = sources
        .flat_map(changed_functions)
        .filter(|(name, _)| speaks_of(name))
        .collect();
    let is_aside = |name: &str| !others.iter().any(|other| names(other, name));
    let (name, _) = touched.first()?;
    let only_loses = touched.iter().all(|(name, loses)| *loses && is_aside(name));
    let what = format!(
        "as it was, {id} fails with the change, which takes something from {name} that its other tests do not ask for"
    );
    only_loses.then(|| {
        finding(
            "G2",
            Severity::High,
            id_path(scene, id),
            Some(text.line),
            what,
        )
    })
}

fn id_path<'a>(scene: &'a Scene<'_>, id: &TestId) -> &'a str {
    let mut edited = scene.changes.iter().filter(|change| may_hold_tests(change));
    let holds = edited.find(|change| {
        change
            .after
            .as_deref()
            .is_some_and(|text| !of(text, id).is_empty())
    });
    holds.map_or("", |change| change.path.as_str())
}

/// The functions of a file that changed, each with whether it only lost something: it is no longer than it was, and
/// has no branch or value that it had not.
fn changed_functions(change: &FileChange) -> Vec<(String, bool)> {
    let (Some(before), Some(after)) = (change.before.as_deref(), change.after.as_deref()) else {
        return Vec::new();
    };
    let (Some(before), Some(after)) = (
        Code::read(&change.path, before),
        Code::read(&change.path, after),
    ) else {
        return Vec::new();
    };
    let old = before.functions();
    let mut found = Vec::new();
    for function in after
        .functions()
        .iter()
        .filter(|function| function.name.len() > 2)
    {
        let Some(was) = old.iter().find(|other| other.name == function.name) else {
            continue;
        };
        let (was, now) = (before.slice(&was.body), after.slice(&function.body));
        let same = was.len() == now.len()
            && was
                .iter()
                .zip(now)
                .all(|(one, other)| one.text == other.text);
        let knows = |text: &str| was.iter().any(|token| token.text == text);
        let is_new = |token: &&Token<'_>| match token.kind {
            Kind::Number | Kind::Text | Kind::Sign => !knows(token.text),
            Kind::Word => {
                matches!(
                    token.text,
                    "if" | "match" | "switch" | "for" | "while" | "return" | "else"
                ) && !knows(token.text)
            }
        };
        if !same {
            found.push((
                function.name.to_owned(),
                now.len() <= was.len() && !now.iter().any(|token| is_new(&token)),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::changed_functions;
    use crate::plan::{FileChange, Role};

    #[test]
    fn a_function_that_only_loses_something_is_told_from_one_that_is_mended() {
        let judged = |path: &str, before: &str, after: &str| {
            let change = FileChange {
                path: path.to_owned(),
                role: Role::Source,
                before: Some(before.to_owned()),
                after: Some(after.to_owned()),
                old_blob: None,
                new_blob: None,
            };
            changed_functions(&change)
        };
        let slug =
            "export function slug(text) {\n  return text.toLowerCase().split(' ').join('-')\n}\n";
        assert_eq!(
            judged("a.js", slug, &slug.replace(".toLowerCase()", "")),
            [("slug".to_owned(), true)]
        );
        assert_eq!(
            judged("a.js", slug, &slug.replace("'-'", "'_'")),
            [("slug".to_owned(), false)]
        );
        assert_eq!(
            judged("a.js", slug, &slug.replace("return", "if (text) return")),
            [("slug".to_owned(), false)]
        );
        assert!(judged("a.js", slug, slug).is_empty());
        let rust = "fn slug(text: &str) -> String {\n    text.split(' ').map(str::to_lowercase).collect()\n}\n";
        assert_eq!(
            judged("a.rs", rust, &rust.replace("to_lowercase", "to_owned")),
            [("slug".to_owned(), true)]
        );
    }
}
