//! Test Anything Protocol with subtests. It refuses a run without a plan, a plan that does not fit, and a bail-out.

use super::builder::{BYTE_LIMIT, Builder, passed, place, quiet, red, relative, tidy};
use super::junit::{is_script, reason_of};
use super::reason::classify;
use super::{Location, Status, TestResult, TestRun, junit_place};

/// The deepest nesting of subtests.
const DEPTH_LIMIT: usize = 32;
/// What is no name of a group although it stands in a comment.
const TOTALS: &[&str] = &[
    "tests ",
    "suites ",
    "pass ",
    "fail ",
    "cancelled ",
    "skipped ",
    "skip ",
    "todo ",
    "duration_ms ",
];

/// One `ok` or `not ok` line with what belongs to it.
#[derive(Debug)]
struct Point {
    is_ok: bool,
    number: Option<u64>,
    name: String,
    directive: Directive,
    notes: String,
    group: Option<String>,
    children: Vec<Self>,
}

/// What a point says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Directive {
    None,
    Skip(String),
    Todo(String),
}

/// Reads a stream.
pub(super) fn read(root: &str, bytes: &[u8]) -> TestRun {
    let mut run = Builder::new(bytes);
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTE_LIMIT)).unwrap_or_default());
    let lines: Vec<&str> = text.lines().collect();
    // Who writes subtests names groups by them, and prints the program's own output as comments.
    let has_subtests = lines
        .iter()
        .any(|line| line.trim_start().starts_with("# Subtest:"));
    let mut parser = Parser {
        lines: &lines,
        next: 0,
        problems: Vec::new(),
        has_subtests,
    };
    let points = parser.block(0);
    for problem in parser.problems {
        run.broken(problem);
    }
    for point in &points {
        emit(root, point, &mut Vec::new(), &mut run);
    }
    run.finish()
}

/// Adds a point, or what is below it.
fn emit<'p>(root: &str, point: &'p Point, outer: &mut Vec<&'p str>, run: &mut Builder) {
    let depth = outer.len();
    outer.extend(point.group.as_deref());
    outer.push(&point.name);
    let id = outer
        .iter()
        .map(|part| relative(root, part))
        .collect::<Vec<_>>()
        .join(" > ");
    let is_red_below = point.children.iter().any(|child| !child.is_ok);
    if is_script(&point.name) && point.is_ok && point.children.is_empty() {
        run.broken(format!("{id} ended without reporting a test"));
    } else if point.children.is_empty() || (!point.is_ok && !is_red_below) {
        run.add(&id, result(root, point));
    }
    for child in &point.children {
        emit(root, child, outer, run);
    }
    outer.truncate(depth);
}

/// Gives the result of a point.
fn result(root: &str, point: &Point) -> TestResult {
    match (&point.directive, point.is_ok) {
        (Directive::Skip(why), _) => quiet(Status::Skipped, why),
        (Directive::Todo(why), false) => quiet(Status::XFail, why),
        (Directive::Todo(_) | Directive::None, true) => passed(),
        (Directive::None, false) => {
            let kind = ["name", "code", "failureType"]
                .map(|key| field(&point.notes, key))
                .join(" ");
            let said = field(&point.notes, "error");
            let message = if said.is_empty() {
                tidy(&point.notes)
            } else {
                said
            };
            let operator = field(&point.notes, "operator");
            // An operator is what assertions compare with; nothing else reports one.
            let kind = if operator.is_empty() {
                kind
            } else {
                format!("AssertionError {kind}")
            };
            let is_file = is_script(&point.name);
            let status = if is_file || kind.contains("hookFailed") {
                Status::Error
            } else {
                Status::Failed
            };
            red(
                status,
                reason_of(is_file, classify(&kind, &message)),
                &message,
                find_place(root, &point.notes),
            )
        }
    }
}

/// Finds where a point failed: its stack first, then where the test stands.
fn find_place(root: &str, notes: &str) -> Option<Location> {
    let stack = field(notes, "stack");
    let frames = stack
        .lines()
        .map(|line| format!("at {line}"))
        .collect::<Vec<_>>()
        .join("\n");
    junit_place::stack(root, &frames)
        .or_else(|| junit_place::stack(root, notes))
        .or_else(|| place(root, field(notes, "location").trim_matches('\'')))
}

/// Gives a field of the notes, which are YAML as simple as it gets.
fn field(notes: &str, key: &str) -> String {
    let mut lines = notes.lines();
    let found = lines.by_ref().find_map(|line| {
        line.trim_start()
            .strip_prefix(key)?
            .strip_prefix(':')
            .map(str::trim)
    });
    match found {
        None => String::new(),
        Some("|-" | "|" | ">-" | ">") => {
            // The block goes on while its lines are indented deeper than the key.
            let block = lines.take_while(|line| line.starts_with("  ") || line.trim().is_empty());
            block
                .map(str::trim)
                .collect::<Vec<_>>()
                .join("\n")
                .trim()
                .to_owned()
        }
        Some(value) => unquoted(value).to_owned(),
    }
}

/// Takes one pair of quotes off.
fn unquoted(value: &str) -> &str {
    let pair = |quote: char| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    pair('\'').or_else(|| pair('"')).unwrap_or(value)
}

/// Goes through the lines.
struct Parser<'a> {
    lines: &'a [&'a str],
    next: usize,
    problems: Vec<String>,
    has_subtests: bool,
}

impl Parser<'_> {
    /// Reads the lines of one depth, and deeper ones as children of the point after them.
    fn block(&mut self, depth: usize) -> Vec<Point> {
        let indent = " ".repeat(depth * 4);
        let (mut points, mut children, mut plan, mut group) =
            (Vec::<Point>::new(), Vec::new(), None, None);
        while let Some(line) = self.lines.get(self.next).copied() {
            let Some(content) = line.strip_prefix(indent.as_str()) else {
                if line.trim().is_empty() {
                    self.next += 1;
                    continue;
                }
                break;
            };
            if content.starts_with("    ") && depth < DEPTH_LIMIT && Self::opens_subtest(content) {
                children = self.block(depth + 1);
                continue;
            }
            self.next += 1;
            if let Some(reason) = content.strip_prefix("Bail out!") {
                self.problems
                    .push(format!("the run bailed out: {}", tidy(reason)));
            } else if let Some(count) = plan_of(content) {
                plan = Some(count);
            } else if let Some(comment) = content.strip_prefix("# ") {
                group = group_of(comment).filter(|_| !self.has_subtests).or(group);
            } else if let Some(mut point) = point_of(content) {
                point.children = std::mem::take(&mut children);
                point.group.clone_from(&group);
                point.notes = self.notes(depth);
                points.push(point);
            }
        }
        self.check(depth, &points, plan);
        points
    }

    /// Tells whether a deeper line starts a subtest rather than being a note of what came before.
    fn opens_subtest(content: &str) -> bool {
        let inner = content.trim_start_matches(' ');
        let is_aligned = (content.len() - inner.len()).is_multiple_of(4);
        is_aligned
            && (inner.starts_with("# Subtest:")
                || point_of(inner).is_some()
                || plan_of(inner).is_some())
    }

    /// Reads the notes behind a point: a YAML block, or deeper lines as they are.
    fn notes(&mut self, depth: usize) -> String {
        let indent = " ".repeat(depth * 4 + 2);
        let mut notes = Vec::new();
        let mut is_yaml = false;
        while let Some(line) = self.lines.get(self.next).copied() {
            let Some(content) = line.strip_prefix(indent.as_str()) else {
                if line.trim().is_empty() && !notes.is_empty() {
                    self.next += 1;
                    continue;
                }
                break;
            };
            if notes.is_empty() && !is_yaml && content.trim() == "---" {
                is_yaml = true;
            } else if is_yaml && content.trim() == "..." {
                self.next += 1;
                break;
            } else if !is_yaml && Self::opens_subtest(line) {
                break;
            } else {
                notes.push(content);
            }
            self.next += 1;
        }
        notes.join("\n")
    }

    /// Compares the points of one depth with their plan.
    fn check(&mut self, depth: usize, points: &[Point], plan: Option<u64>) {
        let found = points.len() as u64;
        match plan {
            Some(count) if count != found => {
                self.problems
                    .push(format!("a plan announces {count} tests and {found} follow"));
            }
            None if depth == 0 || !points.is_empty() => {
                self.problems.push("a plan is missing".to_owned());
            }
            Some(_) | None => {}
        }
        // Node counts each file from one and numbers only the last of them right; the plan is what binds it.
        let is_in_order = points
            .iter()
            .zip(1_u64..)
            .all(|(point, expected)| point.number.is_none_or(|number| number == expected));
        if !is_in_order && !self.has_subtests {
            self.problems
                .push("the tests are not numbered in order".to_owned());
        }
    }
}

/// Gives the count of a `1..N` line.
fn plan_of(line: &str) -> Option<u64> {
    line.strip_prefix("1..")?.split(' ').next()?.parse().ok()
}

/// Gives the group a comment opens for those who write no subtests.
fn group_of(comment: &str) -> Option<String> {
    let is_group =
        !comment.starts_with("Subtest:") && !TOTALS.iter().any(|total| comment.starts_with(total));
    is_group.then(|| comment.trim().to_owned())
}

/// Reads an `ok` or `not ok` line.
fn point_of(line: &str) -> Option<Point> {
    let (is_ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !(rest.is_empty() || rest.starts_with(' ')) {
        return None;
    }
    let rest = rest.trim_start();
    let digits = rest.len()
        - rest
            .trim_start_matches(|character: char| character.is_ascii_digit())
            .len();
    let (number, rest) = rest.split_at(digits);
    let rest = rest.trim_start().trim_start_matches("- ");
    let (name, directive) = split_directive(rest);
    let name = name.replace("\\#", "#").replace("\\\\", "\\");
    let name = if name.is_empty() {
        format!("test {number}")
    } else {
        name
    };
    let number = number.parse().ok();
    Some(Point {
        is_ok,
        number,
        name,
        directive,
        notes: String::new(),
        group: None,
        children: Vec::new(),
    })
}

/// Splits the name of a point from its directive.
fn split_directive(text: &str) -> (&str, Directive) {
    let Some((name, comment)) = text
        .rsplit_once(" # ")
        .or_else(|| text.strip_prefix("# ").map(|rest| ("", rest)))
    else {
        return (text.trim(), Directive::None);
    };
    let (word, why) = comment.split_once(' ').unwrap_or((comment, ""));
    match word.trim_end_matches(':').to_ascii_uppercase().as_str() {
        "SKIP" | "SKIPPED" => (name.trim(), Directive::Skip(why.trim().to_owned())),
        "TODO" => (name.trim(), Directive::Todo(why.trim().to_owned())),
        _ => (text.trim(), Directive::None),
    }
}
