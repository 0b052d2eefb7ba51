//! A policy file over the built-in matrix, key by key: what a table of the file names wins, the rest stays.
//! Tasks of the file come first, in its order; classes keep a single ladder.

use indexmap::IndexMap;

use super::document::{ClassTable, Document, TaskTable};

/// The document that `file` makes of `base`.
pub(crate) fn merge(base: &Document, file: Document) -> Document {
    let mut checks = base.checks.clone();
    checks.extend(file.checks);
    Document {
        version: file.version,
        // The merged document holds all that the preset says.
        preset: None,
        route_unknown: file.route_unknown.or(base.route_unknown),
        min_confidence: file.min_confidence.or(base.min_confidence),
        judge: file.judge.or(base.judge.clone()),
        capture: file.capture.or(base.capture),
        switching: file.switching.or(base.switching.clone()),
        class: classes(&base.class, file.class),
        task: tasks(&base.task, file.task),
        checks,
        // The tests of the built-in matrix are about the built-in matrix.
        test: file.test,
    }
}

fn tasks(
    base: &IndexMap<String, TaskTable>,
    file: IndexMap<String, TaskTable>,
) -> IndexMap<String, TaskTable> {
    let mut merged: IndexMap<String, TaskTable> = file
        .into_iter()
        .map(|(name, mine)| {
            let table = match base.get(&name) {
                Some(base) => task(base.clone(), mine),
                None => mine,
            };
            (name, table)
        })
        .collect();
    for (name, table) in base {
        if !merged.contains_key(name) {
            merged.insert(name.clone(), table.clone());
        }
    }
    merged
}

fn task(base: TaskTable, mine: TaskTable) -> TaskTable {
    TaskTable {
        route: mine.route.or(base.route),
        matches: mine.matches.or(base.matches),
        owed: mine.owed.or(base.owed),
        escalate: mine.escalate.or(base.escalate),
        proof: mine.proof.or(base.proof),
        tries: mine.tries.or(base.tries),
        min_coverage: mine.min_coverage.or(base.min_coverage),
        residue: mine.residue.or(base.residue),
        budget: mine.budget.or(base.budget),
        review: mine.review.or(base.review),
        sources: mine.sources.or(base.sources),
        checks: mine.checks.or(base.checks),
    }
}

/// One ladder: the file's own order where it names classes, each other class right above the one it stood above.
fn classes(
    base: &IndexMap<String, ClassTable>,
    file: IndexMap<String, ClassTable>,
) -> IndexMap<String, ClassTable> {
    let mut merged: IndexMap<String, ClassTable> = file
        .into_iter()
        .map(|(name, mine)| {
            let base = base.get(&name).cloned().unwrap_or_default();
            let table = ClassTable {
                targets: mine.targets.or(base.targets),
                effort: mine.effort.or(base.effort),
            };
            (name, table)
        })
        .collect();
    let mut place = 0;
    for (name, table) in base {
        if let Some(index) = merged.get_index_of(name) {
            place = index + 1;
        } else {
            merged.shift_insert(place, name.clone(), table.clone());
            place += 1;
        }
    }
    merged
}
