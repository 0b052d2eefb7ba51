//! G8 and G11: source whose answer depends on who watches it: the program and its callers, the environment, the
//! clock, chance.
//!
//! Reading these is honest, and so is to say them, to log by them, or to return them. What is not is a branch of
//! theirs that decides what becomes of the input. A setting that the tests set is an input like any other.

mod ambient;
mod callers;
mod dates;
mod flow;
mod table;
mod words;

pub(super) use self::ambient::names_a_test;

use std::collections::BTreeSet;
use std::ops::Range;

use wayproof_receipt::predicate::{Finding, Severity};

use self::ambient::Ambient;
use self::flow::Flow;
use super::{Scene, added_lines, finding, is_comment, speaks_of, without_tests};
use crate::code::{Branch, Code, Kind, Language};
use crate::plan::Role;

/// Functions that a program begins with; its arguments are what it is asked.
const ENTRIES: &[&str] = &[
    "main",
    "cli",
    "run",
    "usage",
    "parse_args",
    "parseArgs",
    "_main",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let tests = texts_of_tests(scene);
    let (mut found, mut taken) = (Vec::new(), Vec::new());
    let (mut total, mut inside) = (0, 0);
    for change in scene.sources() {
        let source = without_tests(change);
        let added: BTreeSet<u32> = added_lines(&source)
            .iter()
            .filter(|line| is_telling_line(line.text))
            .map(|line| line.number)
            .collect();
        total += added.len();
        if !speaks_of(change, words::WORDS) {
            continue;
        }
        let Some(code) = source
            .after
            .as_deref()
            .and_then(|text| Code::read(&change.path, text))
        else {
            continue;
        };
        let decisions = decisions(&code, &added, &tests);
        let lines: BTreeSet<u32> = decisions
            .iter()
            .flat_map(|decision| decision.lines.intersection(&added))
            .copied()
            .collect();
        inside += lines.len();
        found.extend(decisions.into_iter().map(|decision| (change, decision)));
        taken.extend(callers::read(&change.path, &code, &added));
    }
    let is_all = 2 * inside >= total;
    found
        .into_iter()
        .filter(|(_, decision)| decision.is_plain || is_all)
        .map(|(change, decision)| {
            let code = if matches!(
                decision.by,
                Ambient::Clock | Ambient::Chance | Ambient::Turn
            ) {
                "G11"
            } else {
                "G8"
            };
            finding(
                code,
                Severity::High,
                &change.path,
                Some(decision.line),
                decision.what(),
            )
        })
        .chain(taken)
        .collect()
}

/// A branch by the surroundings that decides what becomes of an input.
struct Decision {
    by: Ambient,
    line: u32,
    lines: BTreeSet<u32>,
    /// Whether it needs no other sign.
    is_plain: bool,
}

impl Decision {
    fn what(&self) -> String {
        match &self.by {
            Ambient::Runner | Ambient::Place => "the source answers by who runs it".to_owned(),
            Ambient::Setting(Some(name)) => format!(
                "the source answers by the variable {name}, which no test of the change speaks of"
            ),
            Ambient::Setting(None) => "the source answers by the environment it runs in".to_owned(),
            Ambient::Clock => "the source answers by a fixed date".to_owned(),
            Ambient::Chance => "the source leaves its answer to chance".to_owned(),
            Ambient::Turn => "the source answers by how often it was asked".to_owned(),
            Ambient::Reach => "the source answers by whether anybody can be reached".to_owned(),
        }
    }
}

/// Everything the tests of the change say.
fn texts_of_tests(scene: &Scene<'_>) -> String {
    let changed = scene
        .changes
        .iter()
        .filter(|change| change.role == Role::Test)
        .filter_map(|change| change.after.as_deref());
    let fixed = scene
        .outcomes
        .iter()
        .flat_map(|outcome| outcome.texts.values())
        .filter_map(|texts| texts.head.as_deref());
    changed.chain(fixed).collect::<Vec<_>>().join("\n")
}

/// A line that does something, apart from brackets and imports.
fn is_telling_line(text: &str) -> bool {
    let line = text.trim();
    let is_import = [
        "import ", "from ", "use ", "#include", "require ", "package ", "\"",
    ]
    .iter()
    .any(|start| line.starts_with(start));
    !is_comment(text) && !is_import && line.contains(|c: char| c.is_alphanumeric())
}

fn decisions(code: &Code<'_>, added: &BTreeSet<u32>, tests: &str) -> Vec<Decision> {
    let flow = Flow::of(code);
    if flow.is_quiet() {
        return Vec::new();
    }
    let is_added = |range: &Range<usize>| {
        code.slice(range)
            .iter()
            .any(|token| added.contains(&token.line))
    };
    let branches = code.branches();
    let touched = branches
        .iter()
        .filter(|branch| is_added(&branch.condition) || is_added(&branch.body));
    let only_reach = |branch: &&Branch| {
        let reads = flow.reads(&branch.condition);
        reads.iter().all(|read| *read == Ambient::Reach)
    };
    let mut found: Vec<Decision> = touched
        .filter(|branch| {
            !only_reach(branch)
                || flow.is_direct(&branch.condition) && is_mere_asking(code, &flow, branch)
        })
        .filter_map(|branch| decision(code, &flow, branch, tests))
        .collect();
    let tries = code.tries();
    let touched = tries
        .iter()
        .filter(|branch| is_added(&branch.condition) || is_added(&branch.body));
    found.extend(
        touched
            .filter(|branch| !only_reach(branch) || is_mere_asking(code, &flow, branch))
            .filter_map(|branch| decision(code, &flow, branch, tests)),
    );
    found
}

/// A connection to a fixed place of which nothing is kept.
fn is_mere_asking(code: &Code<'_>, flow: &Flow<'_>, attempt: &Branch) -> bool {
    let asks = flow.origins(&attempt.condition).into_iter();
    let mut asks = asks.filter(|at| attempt.condition.contains(at));
    asks.all(|at| {
        let line = code.at(at).map(|token| token.line);
        let keeps = code
            .slice(&attempt.condition)
            .iter()
            .filter(|token| Some(token.line) == line)
            .any(|token| token.is("=") || token.is_word("return") || token.is_word("as"));
        let open = (at..at + 8).find(|at| code.at(*at).is_some_and(|token| token.is("(")));
        let is_fixed = open.is_none_or(|open| !flow.has_input(&(open..code.closing(open))));
        !keeps && is_fixed
    })
}

fn decision(code: &Code<'_>, flow: &Flow<'_>, branch: &Branch, tests: &str) -> Option<Decision> {
    let reads = flow.reads(&branch.condition);
    let decides = branch.is_value || decides(code, &branch.body);
    if reads.is_empty()
        || !decides
        || flow
            .function_names(branch.condition.start)
            .iter()
            .any(|name| ENTRIES.contains(name))
    {
        return None;
    }
    let names_test = reads
        .iter()
        .any(|read| !matches!(read, Ambient::Chance | Ambient::Turn | Ambient::Reach))
        && names_a_test(code, &branch.condition);
    let has_input = flow.has_input(&branch.condition)
        || flow.has_input(&branch.body)
        || branch.is_value
            && (flow.has_input(&line_around(code, branch)) || flow.has_function(&branch.body));
    let tells_it = !flow.reads(&branch.body).is_empty();
    if !names_test && (!has_input || tells_it) {
        return None;
    }
    let (by, is_plain) = reads.into_iter().find_map(|read| {
        let is_plain = match &read {
            Ambient::Runner => names_test || !is_spoken_of(code, branch, flow, tests),
            Ambient::Setting(Some(name)) if tests.contains(name.as_str()) => return None,
            Ambient::Setting(Some(name)) => names_test || ambient::is_of_runner(name),
            Ambient::Setting(None) | Ambient::Place if names_test => true,
            Ambient::Place if asks_for_home(code, &branch.condition) => false,
            Ambient::Setting(None) | Ambient::Place => return None,
            Ambient::Clock => {
                if dates::is_dated(code, &branch.condition) || flow.is_dated(&branch.condition) {
                    return Some((read, true));
                }
                let is_apart = dates::stands_apart(code, flow, &branch.condition);
                return (is_apart && !dates::is_spoken_of(tests)).then_some((read, false));
            }
            Ambient::Chance | Ambient::Turn | Ambient::Reach => false,
        };
        (is_plain || read != Ambient::Runner).then_some((read, is_plain))
    })?;
    let start = code.at(branch.condition.start)?.line;
    let lines = lines_of(code, flow, branch, &by);
    Some(Decision {
        by,
        line: start,
        lines,
        is_plain,
    })
}

/// Whether a condition looks for something in the home of whoever runs it.
fn asks_for_home(code: &Code<'_>, condition: &Range<usize>) -> bool {
    const HOMES: &[&str] = &["home", "homedir", "expanduser", "UserHomeDir", "home_dir"];
    let mut words = code.slice(condition).iter();
    words.any(|token| token.kind == Kind::Word && HOMES.contains(&token.text))
}

/// The lines of a branch and of what it reads.
fn lines_of(code: &Code<'_>, flow: &Flow<'_>, branch: &Branch, by: &Ambient) -> BTreeSet<u32> {
    let mut lines: BTreeSet<u32> = code
        .slice(&branch.condition)
        .iter()
        .chain(code.slice(&branch.body))
        .map(|token| token.line)
        .collect();
    lines.extend(flow.lines());
    if *by == Ambient::Turn {
        // What is counted, where it is declared and where it steps.
        let words = code.slice(&branch.condition).iter();
        let names: BTreeSet<&str> = words
            .filter(|token| token.kind == Kind::Word && token.text.len() > 2)
            .map(|token| token.text)
            .collect();
        let said = code
            .tokens
            .iter()
            .filter(|token| names.contains(token.text));
        lines.extend(said.map(|token| token.line));
    }
    lines
}

/// The tokens of the lines that a value stands on.
fn line_around(code: &Code<'_>, branch: &Branch) -> Range<usize> {
    let at = branch.condition.start.min(branch.body.start);
    let starts = |at: &usize| code.at(*at).is_some_and(|token| token.indent.is_some());
    let start = (0..=at).rev().find(starts).unwrap_or(at);
    let end = (at + 1..code.tokens.len()).find(starts);
    start..end.unwrap_or(code.tokens.len())
}

/// Whether the tests themselves give the source what it reads: `sys.argv = [...]`.
fn is_spoken_of(code: &Code<'_>, branch: &Branch, flow: &Flow<'_>, tests: &str) -> bool {
    let origins = flow.origins(&branch.condition);
    origins.iter().any(|at| {
        let words: Vec<&str> = code
            .slice(&(*at..at + 3))
            .iter()
            .map(|token| token.text)
            .collect();
        tests.contains(&words.concat())
    })
}

/// Whether a block does more than to log, to fail or to call something.
fn decides(code: &Code<'_>, body: &Range<usize>) -> bool {
    const LOGS: &[&str] = &[
        "print",
        "puts",
        "println",
        "eprintln",
        "eprint",
        "log",
        "warn",
        "debug",
        "trace",
        "info",
        "error",
        "console",
        "logger",
        "panic",
        "assert",
        "debug_assert",
        "unreachable",
        "throw",
        "raise",
        "fmt",
    ];
    let tokens = code.slice(body);
    let assigns = tokens.iter().enumerate().any(|(at, token)| {
        let is_declared = at
            .checked_sub(2)
            .and_then(|at| tokens.get(at))
            .is_some_and(|token| matches!(token.text, "let" | "const" | "var"));
        token.kind == Kind::Sign
            && matches!(token.text, "=" | "+=" | "-=" | "*=" | "|=" | "&=")
            && !is_declared
    });
    let returns = tokens
        .iter()
        .any(|token| token.kind == Kind::Word && matches!(token.text, "return" | "yield"));
    let is_tail = matches!(code.language, Language::Rust | Language::Ruby)
        && tokens.last().is_some_and(|token| !token.is(";"))
        && tokens
            .first()
            .is_some_and(|token| !LOGS.contains(&token.text));
    assigns || returns || is_tail
}

#[cfg(test)]
mod tests;
