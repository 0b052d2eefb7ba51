//! The procedure for migrations: the head builds from nothing as its lock files say, every test passes as before, what
//! was built is tried, nothing of the old interface is left, every package that moved has a reason, and data goes up,
//! down and up again.
//!
//! What can be told without running anything comes first: most of what is wrong is wrong there.

mod build;
mod data;
mod ground;
mod residue;
mod smoke;

use std::path::Path;

use wayproof_engine::ProofRequirement;
use wayproof_receipt::predicate::{Check, Finding, Severity};

use super::{Outcome, Row, Work, bug_fix};
use crate::artefact;
use crate::code::Language;
use crate::dependencies::{self, Moves};
use crate::plan::Role;
use crate::prove::{Evidence, checks_of};
use crate::request::Step;
use crate::run::Trouble;
use crate::verdict::{self, Judgment};

pub(super) use build::{Build, build_all};
use data::Moved;
pub(super) use ground::Ground;
use residue::{Left, Pattern};
use smoke::{Smoke, try_all};

/// How many files are looked through for what is left, and how large each may be.
const MOST_FILES: usize = 20_000;
const LARGEST: usize = 1 << 20;

/// Everything the verdict rests on.
struct Shown<'a> {
    outcomes: &'a [Outcome],
    findings: &'a [Finding],
    moves: &'a Moves,
    residue: &'a Residue,
    build: &'a Build,
    smoke: &'a Smoke,
    data: &'a Moved,
    /// Whether files that move data changed.
    touches_data: bool,
    /// What the tests can be held against.
    ground: &'a Ground,
}

/// What of the old interface was looked for and found.
#[derive(Clone, Debug, Default)]
struct Residue {
    left: Vec<Left>,
    /// How many patterns were looked for.
    looked_for: usize,
    /// A pattern that names nothing.
    unreadable: Option<String>,
    /// Whether there was more than was looked through.
    is_cut: bool,
}

/// Judges the change.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let case = &work.case;
    let asks_smoke = work
        .groups(Row::Migration)
        .flatten()
        .any(|one| *one == ProofRequirement::Smoke);
    let moves = moves(work);
    let residue = look_for(work, &moves);
    let mut findings = early(work, &moves);
    let is_settled = findings.iter().any(|one| one.severity == Severity::High)
        || residue.left.iter().any(|left| !left.is_doubtful);
    let (mut outcomes, mut checks) = (Vec::new(), Vec::new());
    let (mut build, mut smoke, mut data) = (Build::default(), Smoke::Unasked, Moved::Unnamed);
    if !is_settled {
        for suite in work.suites {
            if let Some(sentence) = artefact::disagreement(case, suite, &moves.said.moved)? {
                return Ok(Evidence {
                    findings,
                    dependencies: Some(moves.said),
                    ..Evidence::of(Judgment::infra(sentence))
                });
            }
        }
        build = build_all(work)?;
        checks.append(&mut build.checks);
        if build.error.is_none() {
            if asks_smoke {
                smoke = try_all(work, &build, &mut checks)?;
            }
            data = move_data(work, &mut checks)?;
            outcomes = suites(work)?;
            checks.extend(outcomes.iter().flat_map(checks_of));
            findings = bug_fix::findings(work, &outcomes);
            findings.extend(moves.findings.iter().cloned());
        }
    }
    let ground = Ground::of(work, &outcomes, &moves);
    let judgment = judge(&Shown {
        outcomes: &outcomes,
        findings: &findings,
        moves: &moves,
        residue: &residue,
        build: &build,
        smoke: &smoke,
        data: &data,
        touches_data: case.changes.iter().any(|change| moves_data(&change.path)),
        ground: &ground,
    });
    Ok(Evidence {
        outcomes,
        findings,
        checks,
        dependencies: Some(moves.said),
        ..Evidence::of(judgment)
    })
}

/// What can be found without running anything.
pub(super) fn early(work: &Work<'_>, moves: &Moves) -> Vec<Finding> {
    let mut findings = bug_fix::findings(work, &[]);
    findings.extend(moves.findings.iter().cloned());
    findings
}

/// What moved among the dependencies.
pub(super) fn moves(work: &Work<'_>) -> Moves {
    let head = &work.case.trees.head.path;
    let at_head = |path: &str| std::fs::read_to_string(head.join(path)).ok();
    let registry = work
        .case
        .host
        .machine
        .folder("CARGO_HOME", ".cargo")
        .join("registry/src");
    let sources: Vec<_> = std::fs::read_dir(registry)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let runs = |name: &str, version: &str| {
        sources
            .iter()
            .any(|source| source.join(format!("{name}-{version}/build.rs")).is_file())
    };
    dependencies::moves(work.case.changes, &at_head, &runs)
}

/// Every suite on both sides, those with tests.
pub(super) fn suites(work: &Work<'_>) -> Result<Vec<Outcome>, Trouble> {
    let mut outcomes = Vec::new();
    for suite in work.suites {
        outcomes.push(bug_fix::kept(&work.case, suite)?);
    }
    if outcomes.iter().any(Outcome::has_tests) {
        outcomes.retain(Outcome::has_tests);
    }
    Ok(outcomes)
}

/// What is left of the old interface: by the policy's patterns, and of packages that are no longer asked for.
fn look_for(work: &Work<'_>, moves: &Moves) -> Residue {
    let mut found = Residue::default();
    let mut patterns: Vec<(String, Pattern, Option<Language>)> = Vec::new();
    for text in &work.request.residue {
        match Pattern::read(text) {
            Some(pattern) => patterns.push((text.clone(), pattern, None)),
            None => found.unreadable = Some(text.clone()),
        }
    }
    for (name, manifest) in &moves.dropped {
        let (language, module) = match manifest.rsplit('/').next().unwrap_or_default() {
            "package.json" => (Language::JavaScript, name.clone()),
            "go.mod" => (Language::Go, name.clone()),
            "Cargo.toml" | "composer.json" | "Gemfile" => continue,
            _ => (Language::Python, name.replace('-', "_")),
        };
        patterns.push((
            format!("\"{module}\""),
            Pattern::Module(module),
            Some(language),
        ));
    }
    found.looked_for = patterns.len();
    if patterns.is_empty() {
        return found;
    }
    let entries = work
        .sources
        .repo
        .ls_tree(work.sources.head)
        .unwrap_or_default();
    let code: Vec<_> = entries
        .into_iter()
        .filter(|entry| Language::of(&entry.path).is_some())
        .collect();
    found.is_cut = code.len() > MOST_FILES;
    // As it is, and not under the base's control surface: what is left there is left.
    let root = work
        .case
        .trees
        .as_is
        .as_ref()
        .map_or(&work.case.trees.head.path, |(head, _)| &head.path);
    for entry in code.into_iter().take(MOST_FILES) {
        let place = root.join(&entry.path);
        let is_plain = place.symlink_metadata().is_ok_and(|data| data.is_file());
        let Some(text) = read(&place).filter(|_| is_plain) else {
            found.is_cut |= is_plain;
            continue;
        };
        for (written, pattern, language) in &patterns {
            if language.is_none_or(|language| Language::of(&entry.path) == Some(language)) {
                found
                    .left
                    .extend(residue::find(&entry.path, &text, written, pattern));
            }
        }
    }
    found
}

fn read(place: &Path) -> Option<String> {
    let bytes = std::fs::read(place).ok()?;
    (bytes.len() <= LARGEST).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn move_data(work: &Work<'_>, checks: &mut Vec<Check>) -> Result<Moved, Trouble> {
    let (case, commands) = (&work.case, &work.request.commands.data);
    if commands.up.is_none() {
        return Ok(Moved::Unnamed);
    }
    case.progress.step(&Step::Checking {
        what: "data, up and down and up",
    });
    let base = artefact::copy(&case.trees.base, "data-base", case.host)?;
    let head = artefact::copy(&case.trees.head, "data-head", case.host)?;
    data::run(case.host, (&base, &head), commands, checks)
}

/// Whether a file moves data from one schema to another.
fn moves_data(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let is_code = matches!(crate::plan::role::role_of(path), Role::Source);
    let in_folder = lower.split('/').rev().skip(1).any(|part| {
        matches!(
            part,
            "migrations" | "migrate" | "alembic" | "versions" | "flyway" | "liquibase"
        )
    });
    is_code
        && (in_folder && !lower.contains("node_modules")
            || lower.ends_with(".sql")
            || lower.ends_with("schema.prisma"))
}

/// The verdict. Pure.
fn judge(shown: &Shown<'_>) -> Judgment {
    let unproven = |gap: &str, fact: String| Judgment::unproven(gap, fact);
    if let Some(judgment) = verdict::infrastructure(shown.outcomes)
        .or_else(|| verdict::refuted(shown.outcomes, shown.findings))
    {
        return judgment;
    }
    if let Some(judgment) = residue_left(shown.residue).or_else(|| wrong(shown)) {
        return judgment;
    }
    if let Some(pattern) = &shown.residue.unreadable {
        return unproven(
            "RESIDUE_PATTERN",
            format!("the policy's residue `{pattern}` names nothing that could be looked for"),
        );
    }
    if let Some(judgment) = verdict::new_red(shown.outcomes) {
        return judgment;
    }
    let kept = match shown.ground.words() {
        Ok(words) => words,
        Err(judgment) => return judgment,
    };
    let tried = match tried(shown.smoke) {
        Ok(words) => words,
        Err(judgment) => return judgment,
    };
    let gone = match shown.residue.looked_for {
        0 => String::new(),
        many => format!(", nothing is left of {many} old names"),
    };
    verdict::shown(
        gaps(shown),
        &format!("it builds from nothing, {kept}{tried}{gone}"),
    )
}

/// What trying it showed, in words, or why nothing is shown by that.
fn tried(smoke: &Smoke) -> Result<String, Judgment> {
    Ok(match smoke {
        Smoke::Unnamed => {
            let fact = "nothing says how to try what was built; name a command in the policy: `smoke = [...]` under `[checks]`";
            return Err(Judgment::unproven("SMOKE_UNNAMED", fact.to_owned()));
        }
        Smoke::Held {
            assertions: 0,
            is_counted: true,
        } => {
            return Err(Judgment::unproven(
                "SMOKE_ASSERTS_NOTHING",
                "the smoke command holds nothing to be true; print TAP, or write JUnit to {report}"
                    .to_owned(),
            ));
        }
        Smoke::Held {
            assertions,
            is_counted: true,
        } => format!(", {assertions} things hold of what was built"),
        Smoke::Held { .. } => ", and the smoke command ends well".to_owned(),
        Smoke::Unasked | Smoke::Failed { .. } | Smoke::OnlyAsEdited(_) => String::new(),
    })
}

fn residue_left(residue: &Residue) -> Option<Judgment> {
    let mut sure = residue.left.iter().filter(|left| !left.is_doubtful);
    let first = sure.next()?;
    let more = match sure.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(Judgment::wrong(
        "RESIDUE_LEFT",
        format!(
            "{} is still used ({}:{}){more}",
            first.pattern, first.path, first.line
        ),
    ))
}

/// What the runs show to be wrong.
fn wrong(shown: &Shown<'_>) -> Option<Judgment> {
    if let Some(error) = &shown.build.error {
        return Some(if shown.build.is_broken_by_change {
            Judgment::wrong(
                "BUILD_FAILS",
                format!("the change does not build from nothing: {error}"),
            )
        } else {
            Judgment::unproven(
                "BUILD_FAILS",
                format!("it does not build from nothing, and did not before: {error}"),
            )
        });
    }
    match shown.smoke {
        Smoke::Failed {
            why,
            is_broken_by_change: true,
        } => {
            return Some(Judgment::wrong(
                "SMOKE_FAILS",
                format!("what was built does not do what it did: {why}"),
            ));
        }
        Smoke::Failed {
            why,
            is_broken_by_change: false,
        } => {
            return Some(Judgment::unproven(
                "SMOKE_FAILS",
                format!("what was built does not hold, and did not before: {why}"),
            ));
        }
        Smoke::OnlyAsEdited(why) => {
            let fact =
                format!("the smoke command passes only as the change edits it; as it was: {why}");
            return Some(Judgment::unproven("SMOKE_EDITED", fact));
        }
        Smoke::Unasked | Smoke::Unnamed | Smoke::Held { .. } => {}
    }
    match shown.data {
        Moved::Fails(what, why) => Some(Judgment::wrong(
            "DATA_MIGRATION_FAILS",
            format!("moving the data {what} fails: {why}"),
        )),
        Moved::Differs(line) => Some(Judgment::wrong(
            "DATA_NOT_REPEATABLE",
            format!("up, down and up again leads elsewhere: {line}"),
        )),
        Moved::Empty => Some(Judgment::unproven(
            "DATA_DUMP_EMPTY",
            "the dump of the data is empty, so nothing can be compared".to_owned(),
        )),
        Moved::Unnamed | Moved::Lossy(_) | Moved::Whole => None,
    }
}

fn gaps(shown: &Shown<'_>) -> Vec<String> {
    let mut gaps = verdict::gaps_of(shown.outcomes, shown.findings);
    gaps.extend(shown.build.gaps.iter().map(|gap| (*gap).to_owned()));
    let mut add = |is_so: bool, code: &str| gaps.extend(is_so.then(|| code.to_owned()));
    add(shown.build.needs_own_control, "CONTROL_SURFACE_CHANGED");
    add(shown.ground.is_blind, ground::UNKNOWN);
    add(shown.residue.looked_for == 0, "RESIDUE_UNNAMED");
    add(shown.residue.is_cut, "RESIDUE_UNREAD");
    add(
        shown.residue.left.iter().any(|left| left.is_doubtful),
        "RESIDUE_BY_NAME",
    );
    add(shown.moves.is_refreshed, "DEPENDENCIES_REFRESHED");
    add(
        matches!(
            shown.smoke,
            Smoke::Held {
                is_counted: false,
                ..
            }
        ),
        "SMOKE_WITHOUT_ASSERTIONS",
    );
    add(matches!(shown.data, Moved::Lossy(_)), "LOSSY_DOWN");
    add(
        shown.touches_data && *shown.data == Moved::Unnamed,
        "DATA_MIGRATION_UNTRIED",
    );
    gaps
}

#[cfg(test)]
mod tests;
