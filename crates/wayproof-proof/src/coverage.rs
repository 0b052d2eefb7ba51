//! Which lines of the source tests run, where the language says so without anything installed: Python by our own
//! tracer, Go by its compiler, JavaScript by node. Elsewhere a command of the policy may write a report.
//!
//! It is told by the process that is judged, so it never proves anything alone: it says where to plant faults.

mod go;
mod node;
mod reports;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use wayproof_receipt::predicate::{Check, CheckKind};

use crate::code::Language;
use crate::kept;
use crate::plan::role::role_of;
use crate::plan::{Ecosystem, Role, Suite, join};
use crate::run::{Host, Mode, Selection, Tree, Trouble, run_suite};
use crate::runner::{node_files, program};

/// Lines of source files, by path inside the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    /// Lines that can be run.
    pub known: BTreeMap<String, BTreeSet<u32>>,
    /// Lines that were.
    pub hit: BTreeMap<String, BTreeSet<u32>>,
}

/// A file as a reader of coverage finds it.
#[derive(Debug, Default, Deserialize)]
struct Entry {
    known: BTreeSet<u32>,
    hit: BTreeSet<u32>,
}

impl Lines {
    /// The lines that were run and are not among those that another set of tests runs.
    pub(crate) fn beyond(&self, other: &Self) -> BTreeMap<String, BTreeSet<u32>> {
        let none = BTreeSet::new();
        let new = self.hit.iter().map(|(path, lines)| {
            let known = other.hit.get(path).unwrap_or(&none);
            (path.clone(), lines.difference(known).copied().collect())
        });
        new.filter(|(_, lines): &(_, BTreeSet<u32>)| !lines.is_empty())
            .collect()
    }

    fn take(&mut self, path: String, entry: Entry) {
        // A line that no file has is none that was run.
        let hit = entry.hit.intersection(&entry.known).copied();
        self.hit.entry(path.clone()).or_default().extend(hit);
        self.known.entry(path).or_default().extend(entry.known);
    }
}

/// Runs tests and reads which lines of source they ran; `None` where the language does not tell.
pub(crate) fn measure(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<Option<(Lines, Vec<Check>)>, Trouble> {
    let tells = matches!(
        suite.ecosystem,
        Ecosystem::Python | Ecosystem::Go | Ecosystem::JavaScript
    );
    let tells = match &suite.command {
        Some(argv) => program::tells_coverage(argv),
        None => tells,
    };
    if !tells {
        return Ok(None);
    }
    let what = format!("coverage {suite:?} {selection:?} {:?}", host.mode.shuffle);
    let measured = kept::or_run(host, tree, &what, || {
        measure_now(host, suite, tree, selection)
    })?;
    Ok(measured.map(|measured| (measured.lines, measured.checks)))
}

/// What was measured, and by which commands.
#[derive(Debug, Serialize, Deserialize)]
struct Measured {
    lines: Lines,
    checks: Vec<Check>,
}

impl kept::Outcome for Option<Measured> {
    fn checks(&mut self) -> Vec<&mut Check> {
        let measured = self.iter_mut();
        measured.flat_map(|one| &mut one.checks).collect()
    }

    fn is_settled(&self) -> bool {
        self.is_some()
    }
}

fn measure_now(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<Option<Measured>, Trouble> {
    let folder = host.fresh("coverage")?;
    let mode = Mode {
        coverage: Some(&folder),
        ..host.mode
    };
    let run = match run_suite(&Host { mode, ..*host }, suite, tree, selection) {
        Ok(run) => run,
        // The same tests ran without being watched; then they are not measured.
        Err(Trouble::Infra(_)) => return Ok(None),
        Err(other) => return Err(other),
    };
    let root = tree.path.join(&suite.dir);
    let read = match suite.ecosystem {
        _ if suite.command.is_some() => read_report(&folder, &root),
        Ecosystem::Python => read_python(&folder),
        Ecosystem::Go => go::read(&folder, &root),
        _ => node::read(&folder, &root),
    };
    let Some(entries) = read else { return Ok(None) };
    let mut lines = Lines::default();
    for (path, entry) in entries {
        let path = join(&suite.dir, &path);
        if role_of(&path) == Role::Source && Language::of(&path).is_some() {
            lines.take(path, entry);
        }
    }
    let mut checks = run.checks;
    for check in checks
        .iter_mut()
        .filter(|check| check.kind == CheckKind::Test)
    {
        check.kind = CheckKind::Coverage;
    }
    Ok(Some(Measured { lines, checks }))
}

/// What the policy's command wrote.
fn read_report(folder: &Path, root: &Path) -> Option<BTreeMap<String, Entry>> {
    let bytes = std::fs::read(folder.join(program::COVERED)).ok()?;
    let sources = node_files::walk(root).into_iter().collect();
    reports::read(&bytes, &root.to_string_lossy(), &sources)
}

fn read_python(folder: &Path) -> Option<BTreeMap<String, Entry>> {
    let bytes = std::fs::read(folder.join("python.json")).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Entry, Lines};

    fn lines(hit: &[u32]) -> Lines {
        let mut lines = Lines::default();
        lines.take(
            "a.py".to_owned(),
            Entry {
                known: (1..=9).collect(),
                hit: hit.iter().copied().collect(),
            },
        );
        lines
    }

    #[test]
    fn what_is_new_is_what_others_do_not_run() {
        let new = lines(&[1, 2, 3]).beyond(&lines(&[1, 2]));
        assert_eq!(new["a.py"], [3].into());
        assert!(lines(&[1]).beyond(&lines(&[1, 2])).is_empty());
        assert_eq!(lines(&[9, 10]).hit["a.py"], [9].into());
    }
}
