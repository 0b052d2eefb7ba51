//! Builds of every suite from nothing.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Check, Side};

use crate::artefact::{self, Artefact, Built};
use crate::plan::Suite;
use crate::request::Step;
use crate::row::Work;
use crate::run::{Tree, Trouble};

/// How the builds ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Build {
    pub(crate) error: Option<String>,
    pub(crate) is_broken_by_change: bool,
    pub(crate) gaps: BTreeSet<&'static str>,
    pub(crate) needs_own_control: bool,
    pub(crate) checks: Vec<Check>,
    pub(crate) artefacts: Vec<(Tree, Artefact)>,
}

/// Builds every suite from nothing, with the base's control surface and, where only that works, with the head's own.
pub(crate) fn build_all(work: &Work<'_>) -> Result<Build, Trouble> {
    let case = &work.case;
    let argv = work.request.commands.build.as_deref();
    let mut build = Build::default();
    case.progress.step(&Step::Checking {
        what: "a build from nothing",
    });
    let suites: Vec<&Suite> = if argv.is_some() {
        work.suites.iter().take(1).collect()
    } else {
        work.suites.iter().collect()
    };
    let tree = artefact::copy(&case.trees.head, "built", case.host)?;
    for suite in suites {
        let mut built = artefact::build(case, suite, &tree, argv)?;
        let mut place = tree.clone();
        if let (Some(error), Some((as_is, _))) = (&built.error, &case.trees.as_is) {
            let own = artefact::copy(
                as_is,
                &format!("built-as-is-{}", suite.ecosystem.name()),
                case.host,
            )?;
            let again = artefact::build(case, suite, &own, argv)?;
            if again.error.is_none() {
                set_aside(&mut built);
                build.checks.append(&mut built.checks);
                build.needs_own_control = true;
                (built, place) = (again, own);
            } else {
                built.error = Some(error.clone());
            }
        }
        if let Some(error) = built.error.take() {
            let base = artefact::copy(
                &case.trees.base,
                &format!("built-base-{}", suite.ecosystem.name()),
                case.host,
            )?;
            let before = artefact::build(case, suite, &base, argv)?;
            build.is_broken_by_change = before.error.is_none();
            build.checks.extend(before.checks);
            build.error = Some(error);
        }
        build.checks.append(&mut built.checks);
        build.gaps.append(&mut built.gaps);
        build
            .artefacts
            .extend(built.artefact.map(|artefact| (place, artefact)));
    }
    Ok(build)
}

/// A check that failed and was replaced by another is evidence, and none that the head has to pass.
fn set_aside(built: &mut Built) {
    for check in &mut built.checks {
        check.side = Side::Other;
    }
}
