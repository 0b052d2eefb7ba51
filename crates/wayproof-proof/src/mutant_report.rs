//! Reads what mutation tools report: mutmut's names and differences, Stryker's report, cargo-mutants' list.
//!
//! Pure and tolerant: what cannot be read is left out, and nothing panics. What is read is an edit of a text; whoever
//! applies it compares what the edit takes away with what is there, so that a report about another text does nothing.

use serde::Deserialize;
use serde_json::Value;

/// A fault that a tool names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMutant {
    /// The file, as the tool names it.
    pub path: String,
    /// What the tool does, in its words.
    pub what: String,
    /// How the text changes.
    pub edit: Edit,
}

/// How a text changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// What is between two places, each a line and a column in UTF-16 units counting from 1, becomes another text.
    Span {
        /// Where it begins.
        from: (u32, u32),
        /// Where it ends.
        to: (u32, u32),
        /// What is put there.
        put: String,
    },
    /// Lines become other lines. A difference whose lines count from the start of a function may stand anywhere.
    Lines {
        /// The line of the file, where that is known.
        at: Option<u32>,
        /// The hunk: kept, removed and added lines.
        hunk: Vec<HunkLine>,
    },
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HunkLine {
    /// It stays.
    Kept(String),
    /// It goes.
    Removed(String),
    /// It comes.
    Added(String),
}

/// A fault of mutmut by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutmutName {
    /// As mutmut is asked for it.
    pub name: String,
    /// The function it is in.
    pub function: String,
}

/// What Stryker reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StrykerReport {
    /// The version of Stryker, where it says so.
    pub version: String,
    /// Its faults.
    pub mutants: Vec<ReadMutant>,
}

/// More faults than this are not read from one report.
const MOST: usize = 20_000;
/// What cargo-mutants writes beside its changes, and would tell of a fault.
const MARK: &str = " /* ~ changed by cargo-mutants ~ */";

/// The names of faults in a `.meta` file of mutmut.
pub fn mutmut_names(bytes: &[u8]) -> Vec<MutmutName> {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        return Vec::new();
    };
    let keys = value.get("exit_code_by_key").and_then(Value::as_object);
    let named = |name: &String| {
        let (before, number) = name.rsplit_once("__mutmut_")?;
        number.parse::<u32>().ok()?;
        let last = before.rsplit('.').next()?;
        // `x_function`, or `xǁClassǁmethod`.
        let function = match last.strip_prefix("x_") {
            Some(function) => function,
            None => last.strip_prefix('x')?.rsplit('ǁ').next()?,
        };
        (!function.is_empty()).then(|| MutmutName {
            name: name.clone(),
            function: function.to_owned(),
        })
    };
    keys.into_iter()
        .flat_map(|keys| keys.keys())
        .filter_map(named)
        .take(MOST)
        .collect()
}

/// The faults that mutmut shows: differences of functions, taken out of their class.
pub fn mutmut_shown(text: &str) -> Vec<ReadMutant> {
    let mut found = Vec::new();
    for part in text.split("\nwayproof-command ").take(MOST) {
        found.extend(unified(part).map(|(path, _, hunk)| read_lines(path, None, hunk)));
    }
    found
}

/// The faults of a report in Stryker's JSON, which is that of the mutation-testing-report schema.
pub fn stryker_report(bytes: &[u8]) -> StrykerReport {
    let Ok(report) = serde_json::from_slice::<Value>(bytes) else {
        return StrykerReport::default();
    };
    let version = report
        .pointer("/framework/version")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut mutants = Vec::new();
    let files = report.get("files").and_then(Value::as_object);
    for (path, file) in files.into_iter().flatten() {
        let all = file.get("mutants").and_then(Value::as_array);
        for one in all.into_iter().flatten() {
            let Ok(one) = serde_json::from_value::<StrykerMutant>(one.clone()) else {
                continue;
            };
            // It said itself that this is none.
            if matches!(one.status.as_str(), "Ignored" | "CompileError") || mutants.len() >= MOST {
                continue;
            }
            let (start, end) = (one.location.start, one.location.end);
            mutants.push(ReadMutant {
                path: path.clone(),
                what: format!("{}: {}", one.mutator_name, in_a_line(&one.replacement)),
                edit: Edit::Span {
                    from: (start.line, start.column),
                    to: (end.line, end.column),
                    put: one.replacement,
                },
            });
        }
    }
    StrykerReport {
        version: in_a_line(version),
        mutants,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StrykerMutant {
    mutator_name: String,
    replacement: String,
    #[serde(default)]
    status: String,
    location: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Spot,
    end: Spot,
}

#[derive(Deserialize)]
struct Spot {
    line: u32,
    column: u32,
}

/// The faults of `cargo mutants --list --json --diff`.
pub fn cargo_mutants_list(bytes: &[u8]) -> Vec<ReadMutant> {
    let Ok(Value::Array(all)) = serde_json::from_slice::<Value>(bytes) else {
        return Vec::new();
    };
    let read = |one: &Value| {
        let path = one.get("file")?.as_str()?.to_owned();
        let diff = one.get("diff")?.as_str()?;
        let (_, at, mut hunk) = unified(diff)?;
        for line in &mut hunk {
            if let HunkLine::Added(text) = line {
                *text = text.replace(MARK, "");
            }
        }
        let mut read = read_lines(path, at, hunk);
        if let Some(name) = one.get("name").and_then(Value::as_str) {
            read.what = in_a_line(name);
        }
        Some(read)
    };
    all.iter().filter_map(read).take(MOST).collect()
}

fn read_lines(path: String, at: Option<u32>, hunk: Vec<HunkLine>) -> ReadMutant {
    let side = |wanted: fn(&HunkLine) -> Option<&String>| {
        let lines: Vec<&str> = hunk
            .iter()
            .filter_map(wanted)
            .map(|line| line.trim())
            .collect();
        in_a_line(&lines.join(" "))
    };
    let was = side(|line| match line {
        HunkLine::Removed(text) => Some(text),
        HunkLine::Kept(_) | HunkLine::Added(_) => None,
    });
    let now = side(|line| match line {
        HunkLine::Added(text) => Some(text),
        HunkLine::Kept(_) | HunkLine::Removed(_) => None,
    });
    ReadMutant {
        path,
        what: format!("`{was}` → `{now}`"),
        edit: Edit::Lines { at, hunk },
    }
}

/// The first file and the first hunk of a unified difference.
fn unified(text: &str) -> Option<(String, Option<u32>, Vec<HunkLine>)> {
    let mut lines = text.lines();
    let path = lines.find_map(|line| line.strip_prefix("--- "))?;
    let head = lines.find(|line| line.starts_with("@@ "))?;
    let at = head
        .strip_prefix("@@ -")
        .and_then(|rest| rest.split([',', ' ']).next())
        .and_then(|number| number.parse().ok());
    let mut hunk = Vec::new();
    for line in lines {
        hunk.push(match line.split_at_checked(1) {
            Some((" ", rest)) => HunkLine::Kept(rest.to_owned()),
            Some(("-", rest)) => HunkLine::Removed(rest.to_owned()),
            Some(("+", rest)) => HunkLine::Added(rest.to_owned()),
            None => HunkLine::Kept(String::new()),
            _ => break,
        });
    }
    // What a tool prints after its difference is none of it.
    while matches!(hunk.last(), Some(HunkLine::Kept(text)) if text.trim().is_empty()) {
        hunk.pop();
    }
    let changes = hunk.iter().any(|line| !matches!(line, HunkLine::Kept(_)));
    let path = path.split('\t').next().unwrap_or(path).trim();
    changes.then(|| (path.to_owned(), at, hunk))
}

fn in_a_line(text: &str) -> String {
    const MOST: usize = 120;
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MOST).collect()
}

/// A text after an edit, and the line the edit begins in; nothing where the edit does not fit.
pub fn apply(text: &str, edit: &Edit) -> Option<(u32, String)> {
    match edit {
        Edit::Span { from, to, put } => {
            let (start, end) = (offset(text, *from)?, offset(text, *to)?);
            let (before, after) = (text.get(..start)?, text.get(end..)?);
            (start <= end).then(|| (from.0, format!("{before}{put}{after}")))
        }
        Edit::Lines { at, hunk } => apply_lines(text, *at, hunk),
    }
}

/// Where a place of a text is.
fn offset(text: &str, (line, column): (u32, u32)) -> Option<usize> {
    let line = usize::try_from(line.checked_sub(1)?).ok()?;
    let wanted = usize::try_from(column.checked_sub(1)?).ok()?;
    let mut start = 0;
    for _ in 0..line {
        start += text.get(start..)?.find('\n')? + 1;
    }
    let rest = text.get(start..)?;
    let mut units = 0;
    for (at, character) in rest.char_indices() {
        if units >= wanted || character == '\n' {
            return (units == wanted).then_some(start + at);
        }
        units += character.len_utf16();
    }
    (units == wanted).then_some(text.len())
}

/// Puts a hunk where its old lines stand, by one indentation more for all of it.
fn apply_lines(text: &str, at: Option<u32>, hunk: &[HunkLine]) -> Option<(u32, String)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let old: Vec<&str> = hunk
        .iter()
        .filter_map(|line| match line {
            HunkLine::Kept(text) | HunkLine::Removed(text) => Some(text.as_str()),
            HunkLine::Added(_) => None,
        })
        .collect();
    let fits = |start: &usize| indent_at(&lines, *start, &old);
    let (start, indent) = if let Some(at) = at {
        let start = usize::try_from(at.checked_sub(1)?).ok()?;
        (start, fits(&start)?)
    } else {
        let mut places = (0..lines.len()).filter_map(|start| Some((start, fits(&start)?)));
        let first = places.next()?;
        // Of two places that read the same nobody can say which is meant.
        if places.next().is_some() {
            return None;
        }
        first
    };
    let mut out: String = lines.get(..start)?.concat();
    let (mut place, mut changed) = (start, None);
    for line in hunk {
        match line {
            HunkLine::Kept(_) => {
                out.push_str(lines.get(place)?);
                place += 1;
            }
            HunkLine::Removed(_) => {
                changed = changed.or(Some(place));
                place += 1;
            }
            HunkLine::Added(text) => {
                changed = changed.or(Some(place));
                out.extend([indent, text, "\n"]);
            }
        }
    }
    out.push_str(&lines.get(place..)?.concat());
    Some((u32::try_from(changed? + 1).ok()?, out))
}

/// The indentation by which lines of a text are those of a hunk; nothing where they are others.
fn indent_at<'a>(lines: &[&'a str], start: usize, old: &[&str]) -> Option<&'a str> {
    let there = lines.get(start..start.checked_add(old.len())?)?;
    let bare = |line: &'a str| line.trim_end_matches(['\n', '\r']);
    let mut pairs = there.iter().zip(old);
    let (first, wanted) = pairs.find(|(_, old)| !old.trim().is_empty())?;
    let indent = bare(first).strip_suffix(*wanted)?;
    if !indent.chars().all(|c| c == ' ' || c == '\t') {
        return None;
    }
    let is_same = |(line, old): (&&'a str, &&str)| {
        let line = bare(line);
        line.trim().is_empty() && old.trim().is_empty() || line.strip_prefix(indent) == Some(*old)
    };
    there.iter().zip(old).all(is_same).then_some(indent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHOP: &str = "class Cart:\n    def total(self, rate):\n        if self.items and rate:\n            return 2\n        return 1\n";

    #[test]
    fn mutmuts_names_and_differences_are_read() {
        let meta = r#"{"exit_code_by_key": {"shop.cart.xǁCartǁtotal__mutmut_2": null, "shop.x_clamp__mutmut_1": 0, "odd": 1, "shop.x___mutmut_x": 1}, "durations_by_key": {}}"#;
        let names = mutmut_names(meta.as_bytes());
        let functions: Vec<&str> = names.iter().map(|found| found.function.as_str()).collect();
        assert_eq!(functions, ["total", "clamp"]);
        let shown = "wayproof-command show a\n# a: not checked\n--- cart.py\n+++ cart.py\n@@ -1,4 +1,4 @@\n def total(self, rate):\n-    if self.items and rate:\n+    if self.items or rate:\n         return 2\n     return 1\n\nwayproof-command show b\nwayproof-error KeyError\n";
        let read = mutmut_shown(shown);
        assert_eq!(read.len(), 1, "{read:?}");
        let (line, text) = apply(SHOP, &read[0].edit).unwrap();
        assert_eq!(line, 3);
        assert_eq!(text, SHOP.replace("and rate", "or rate"));
        assert_eq!(
            read[0].what,
            "`if self.items and rate:` → `if self.items or rate:`"
        );
        // Of two functions that read the same, none; of another text, none.
        assert_eq!(apply(&format!("{SHOP}{SHOP}"), &read[0].edit), None);
        assert_eq!(apply(&SHOP.replace("items", "things"), &read[0].edit), None);
    }

    #[test]
    fn strykers_report_is_read_by_units_of_utf_16() {
        let source = "export const f = (ü) => '😀' + ü > 3\n";
        let report = r#"{"schemaVersion":"1.0","framework":{"name":"StrykerJS","version":"8.7.1"},"files":{"lib/f.js":{"language":"javascript","source":"","mutants":[
            {"id":"0","mutatorName":"EqualityOperator","replacement":"'😀' + ü <= 3","status":"Survived","location":{"start":{"line":1,"column":25},"end":{"line":1,"column":37}}},
            {"id":"1","mutatorName":"X","replacement":"","status":"Ignored","location":{"start":{"line":1,"column":1},"end":{"line":1,"column":2}}},
            {"id":"2","mutatorName":"X","replacement":"a","status":"Killed","location":{"start":{"line":9,"column":1},"end":{"line":1,"column":2}}},
            {"id":"3"}]}}}"#;
        let read = stryker_report(report.as_bytes());
        assert_eq!((read.version.as_str(), read.mutants.len()), ("8.7.1", 2));
        let (line, text) = apply(source, &read.mutants[0].edit).unwrap();
        assert_eq!(
            (line, text.as_str()),
            (1, "export const f = (ü) => '😀' + ü <= 3\n")
        );
        assert_eq!(apply(source, &read.mutants[1].edit), None);
    }

    #[test]
    fn cargo_mutants_list_is_read_without_its_mark() {
        let source = "pub fn is_even(n: u32) -> bool {\n    n % 2 == 0\n}\n";
        let list = serde_json::json!([{
            "package": "numbers", "file": "src/lib.rs", "genre": "BinaryOperator",
            "name": "src/lib.rs:2:11: replace == with != in is_even",
            "diff": "--- src/lib.rs\n+++ replace == with != in is_even\n@@ -1,3 +1,3 @@\n pub fn is_even(n: u32) -> bool {\n-    n % 2 == 0\n+    n % 2 != /* ~ changed by cargo-mutants ~ */ 0\n }\n",
        }, {"file": "src/lib.rs"}, 7]);
        let read = cargo_mutants_list(list.to_string().as_bytes());
        assert_eq!(read.len(), 1);
        let (line, text) = apply(source, &read[0].edit).unwrap();
        assert_eq!((line, text), (2, source.replace("==", "!=")));
        assert!(read[0].what.contains("replace =="));
    }

    /// What cargo-mutants 27.1.0 wrote of the source beside it.
    #[test]
    fn every_fault_of_a_real_list_can_be_planted() {
        let source = include_str!("mutant_report/cargo_mutants_27.1.0.rs.txt");
        let read = cargo_mutants_list(include_bytes!("mutant_report/cargo_mutants_27.1.0.json"));
        assert_eq!(read.len(), 12);
        let mut texts = std::collections::BTreeSet::new();
        for one in &read {
            assert_eq!(one.path, "src/lib.rs");
            let (line, text) = apply(source, &one.edit).unwrap();
            // Its name says the line, as in `src/lib.rs:3:14: replace > with == in clamp`.
            let named = one.what.split(':').nth(1).unwrap();
            assert_eq!(line.to_string(), named, "{}", one.what);
            assert!(!text.contains("cargo-mutants"), "{text}");
            assert!(text != source && texts.insert(text), "{}", one.what);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_panics(text in ".{0,400}", other in ".{0,200}", line in 0_u32..9, column in 0_u32..40) {
            drop((mutmut_names(text.as_bytes()), stryker_report(text.as_bytes()), cargo_mutants_list(text.as_bytes())));
            let edit = Edit::Span { from: (line, column), to: (column, line), put: other.clone() };
            drop(apply(&text, &edit));
            for read in mutmut_shown(&format!("--- a\n@@ -{line} @@\n{other}")) {
                drop(apply(&text, &read.edit));
            }
        }
    }
}
