//! Trying what was built, with the base's text of what tries it.

use wayproof_receipt::predicate::{Check, Side};

use super::build::Build;
use crate::artefact::{self, Smoked};
use crate::request::Step;
use crate::row::{Case, Work};
use crate::run::{Tree, Trouble};

/// How trying what was built ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Smoke {
    /// Nobody asks.
    Unasked,
    /// Nobody says how.
    Unnamed,
    /// So many things held.
    Held { assertions: u64, is_counted: bool },
    /// Something does not hold; whether it did before.
    Failed {
        why: String,
        is_broken_by_change: bool,
    },
    /// It only holds as the change has it.
    OnlyAsEdited(String),
}

/// Tries what was built, by the policy's command or by what the ecosystem offers.
pub(crate) fn try_all(
    work: &Work<'_>,
    build: &Build,
    checks: &mut Vec<Check>,
) -> Result<Smoke, Trouble> {
    let (case, argv) = (&work.case, work.request.commands.smoke.as_deref());
    case.progress.step(&Step::Checking {
        what: "what was built, tried",
    });
    let (mut assertions, mut is_counted, mut is_named) = (0, true, false);
    let artefacts = build
        .artefacts
        .iter()
        .take(if argv.is_some() { 1 } else { usize::MAX });
    for (tree, artefact) in artefacts {
        let edited = argv.map_or_else(Vec::new, |argv| smoke_files(case, argv));
        lay(tree, &edited, Which::Base)?;
        let Some(tried) = artefact::smoke(case.host, tree, artefact, argv)? else {
            continue;
        };
        is_named = true;
        let Smoked {
            failed: Some(why), ..
        } = &tried
        else {
            assertions += tried.assertions;
            is_counted &= tried.is_counted;
            checks.extend(tried.checks);
            continue;
        };
        let mut failed = tried.checks.clone();
        if !edited.is_empty() {
            lay(tree, &edited, Which::Head)?;
            let again = artefact::smoke(case.host, tree, artefact, argv)?;
            if again.as_ref().is_some_and(|again| again.failed.is_none()) {
                failed.iter_mut().for_each(|check| check.side = Side::Other);
                checks.extend(failed);
                checks.extend(again.into_iter().flat_map(|again| again.checks));
                return Ok(Smoke::OnlyAsEdited(why.clone()));
            }
        }
        checks.extend(failed);
        return Ok(Smoke::Failed {
            why: why.clone(),
            is_broken_by_change: passes_at_base(work, argv, checks)?,
        });
    }
    if !is_named {
        return Ok(Smoke::Unnamed);
    }
    Ok(Smoke::Held {
        assertions,
        is_counted,
    })
}

fn passes_at_base(
    work: &Work<'_>,
    argv: Option<&[String]>,
    checks: &mut Vec<Check>,
) -> Result<bool, Trouble> {
    let case = &work.case;
    let mut passes = true;
    for suite in work.suites {
        let tree = artefact::copy(
            &case.trees.base,
            &format!("smoke-base-{}", suite.ecosystem.name()),
            case.host,
        )?;
        let built = artefact::build(case, suite, &tree, work.request.commands.build.as_deref())?;
        let Some(artefact) = built.artefact.filter(|_| built.error.is_none()) else {
            return Ok(false);
        };
        let tried = artefact::smoke(case.host, &tree, &artefact, argv)?;
        passes &= tried.as_ref().is_none_or(|tried| tried.failed.is_none());
        checks.extend(
            tried
                .into_iter()
                .flat_map(|tried| tried.checks)
                .map(|check| Check {
                    side: Side::Base,
                    ..check
                }),
        );
    }
    Ok(passes)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Base,
    Head,
}

/// A changed file that the smoke command runs: its path with its text on both sides.
type Edited = (String, Option<String>, Option<String>);

/// The changed files that the smoke command names, or that lie beside one it names.
fn smoke_files(case: &Case<'_>, argv: &[String]) -> Vec<Edited> {
    let words: Vec<&str> = argv
        .iter()
        .map(|word| word.trim_start_matches("./"))
        .filter(|word| !word.is_empty())
        .collect();
    let is_one = |path: &str| {
        words.iter().any(|word| {
            let folder = word.rsplit_once('/').map_or("", |(folder, _)| folder);
            path == *word
                || path.starts_with(&format!("{}/", word.trim_end_matches('/')))
                || !folder.is_empty()
                    && !folder.starts_with('/')
                    && path.starts_with(&format!("{folder}/"))
        })
    };
    let tests = case
        .changes
        .iter()
        .filter(|change| change.old_blob.is_some());
    tests
        .filter(|change| is_one(&change.path))
        .map(|change| {
            (
                change.path.clone(),
                change.before.clone(),
                change.after.clone(),
            )
        })
        .collect()
}

fn lay(tree: &Tree, edited: &[Edited], which: Which) -> Result<(), Trouble> {
    for (path, before, after) in edited {
        let place = tree.path.join(path);
        let text = if which == Which::Base { before } else { after };
        let doing = || Trouble::io(format!("write {path}"));
        if place.symlink_metadata().is_ok() {
            std::fs::remove_file(&place).map_err(doing())?;
        }
        if let Some(text) = text {
            std::fs::create_dir_all(place.parent().unwrap_or(&tree.path)).map_err(doing())?;
            std::fs::write(&place, text).map_err(doing())?;
        }
    }
    Ok(())
}
