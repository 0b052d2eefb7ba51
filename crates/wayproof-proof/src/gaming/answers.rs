//! G8: a fix that is nothing but the answers a test asks for: branches that hold for its very inputs, or a table of them.
//!
//! A fix of which any line does more is not one of these, and short texts or edge cases are no sign: people add a
//! missing name to a list, or answer for zero.

mod eval;

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use self::eval::{Inputs, Value};
use super::{Scene, added_lines, finding, is_comment, without_tests};
use crate::code::{Branch, Code, Function, Kind, Language, Token};
use crate::plan::extension;
use crate::test_text::literals;

/// More values than this in one test are not taken as one question.
const MOST_VALUES: usize = 12;
/// What a line says that answers one value.
const COMPARES: &[&str] = &["==", "===", "case", "when", "=>", "eq", "match"];
/// A fix of more lines than this does more than to answer.
const MOST_LINES: usize = 80;

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let asked = asked(scene);
    if asked.is_empty() {
        return Vec::new();
    }
    let mut first = None;
    let mut files = Vec::new();
    for change in scene.sources() {
        let source = without_tests(change);
        let added: BTreeSet<u32> = added_lines(&source)
            .iter()
            .filter(|line| is_code(line.text))
            .map(|line| line.number)
            .collect();
        let Some(line) = added.first() else { continue };
        if is_prose(&change.path) {
            continue;
        }
        // A file of settings beside answers does not make more of them; code in another language may.
        if is_data(&change.path) {
            continue;
        }
        if Code::read(&change.path, "").is_none() {
            return Vec::new();
        }
        first = first.or(Some((change.path.as_str(), *line)));
        files.push((
            change.path.as_str(),
            source.after.unwrap_or_default(),
            added,
        ));
    }
    let Some((path, line)) = first else {
        return Vec::new();
    };
    if files.iter().map(|(_, _, added)| added.len()).sum::<usize>() > MOST_LINES {
        return Vec::new();
    }
    let codes: Vec<Fix<'_>> = files
        .iter()
        .filter_map(|(path, text, added)| Some(Fix::new(Code::read(path, text)?, added)))
        .collect();
    if !asked.iter().any(|asked| is_made_for(&codes, asked)) {
        return Vec::new();
    }
    let what = "all the change does is to answer what its test asks, by the test's own values";
    vec![finding("G8", Severity::High, path, Some(line), what)]
}

/// The values of each line of the tests that turned green, and of each such test as a whole.
fn asked(scene: &Scene<'_>) -> Vec<Vec<String>> {
    let texts = scene
        .outcomes
        .iter()
        .flat_map(|outcome| outcome.texts.values())
        .filter_map(|texts| texts.head.as_deref());
    let mut found = Vec::new();
    for text in texts {
        let lines = text
            .lines()
            .skip(usize::from(text.lines().count() > 1))
            .filter(|line| !is_comment(line));
        let lines: Vec<Vec<String>> = lines
            .map(|line| literals(line).into_iter().map(str::to_owned).collect())
            .collect();
        let whole = lines.concat();
        found.extend(lines.into_iter().filter(|values| values.len() > 1));
        if (2..=MOST_VALUES).contains(&whole.len()) {
            found.push(whole);
        }
    }
    found
}

/// Whether a file holds words for people.
fn is_prose(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(extension(path), "md" | "txt" | "rst" | "adoc" | "markdown") || !name.contains('.')
}

/// Whether a file holds settings or data.
fn is_data(path: &str) -> bool {
    matches!(
        extension(path),
        "json"
            | "toml"
            | "yaml"
            | "yml"
            | "ini"
            | "cfg"
            | "csv"
            | "tsv"
            | "xml"
            | "properties"
            | "lock"
    )
}

fn is_code(line: &str) -> bool {
    let text = line.trim();
    let is_prose = is_comment(line)
        || ["\"\"\"", "'''"]
            .iter()
            .any(|quote| text.starts_with(quote));
    let is_import = ["import ", "use ", "from "]
        .iter()
        .any(|start| text.starts_with(start));
    !is_prose
        && !is_import
        && text.contains(|c: char| c.is_alphanumeric())
        && !matches!(text, "else:" | "else {" | "} else {" | "pass")
}

/// What one line of a fix has in common with a test.
struct Line<'a> {
    tokens: Vec<Token<'a>>,
    values: Vec<&'a str>,
}

impl<'a> Line<'a> {
    fn of(code: &Code<'a>, number: u32) -> Self {
        let tokens: Vec<Token<'a>> = code
            .tokens
            .iter()
            .filter(|token| token.line == number)
            .copied()
            .collect();
        let is_length = |at: usize| {
            let next = tokens.get(at + 1).is_some_and(|next| next.is("]"));
            let opens = at
                .checked_sub(1)
                .and_then(|at| tokens.get(at))
                .is_some_and(|before| before.is("[") || before.is(";"));
            next && opens
                && tokens
                    .get(at + 2)
                    .is_none_or(|after| after.kind == Kind::Word || after.is("="))
        };
        let values = tokens
            .iter()
            .enumerate()
            .filter(|(at, token)| match token.kind {
                Kind::Number => !is_length(*at),
                Kind::Text => !is_filled_in(token.text, code.language),
                Kind::Word | Kind::Sign => false,
            });
        let values = values.map(|(_, token)| token.text).collect();
        Self { tokens, values }
    }

    fn says(&self, words: &[&str]) -> bool {
        self.tokens
            .iter()
            .any(|token| token.kind != Kind::Text && words.contains(&token.text))
    }

    fn names(&self, known: &BTreeSet<&str>) -> bool {
        self.tokens
            .iter()
            .any(|token| token.kind == Kind::Word && known.contains(token.text))
    }

    /// The name of the table that the line writes down.
    fn table(&self) -> Option<&'a str> {
        let at = self
            .tokens
            .iter()
            .position(|token| token.is("=") || token.is(":="))?;
        let value = self.tokens.get(at + 1..)?;
        let is_table = value
            .iter()
            .any(|token| token.is("{") || token.is("[") || token.is("("));
        let names = self
            .tokens
            .get(..at)?
            .iter()
            .take_while(|token| !token.is(":") && !token.is("["));
        let names = names.filter(|token| {
            token.kind == Kind::Word
                && !matches!(
                    token.text,
                    "const" | "let" | "var" | "static" | "mut" | "pub"
                )
        });
        names
            .last()
            .filter(|name| is_table && name.text.len() > 1)
            .map(|name| name.text)
    }

    /// `switch (value) {`, `default: return value`: what stands around cases.
    fn is_frame(&self) -> bool {
        let mut words = self
            .tokens
            .iter()
            .skip_while(|token| token.is_word("return"));
        let opens = words.next().is_some_and(|token| {
            matches!(
                token.text,
                "switch" | "match" | "case" | "default" | "_" | "else" | "end"
            )
        });
        let does_more = self.tokens.iter().skip(1).any(|token| {
            token.kind == Kind::Sign
                && !matches!(token.text, "(" | ")" | "{" | "}" | ":" | "=>" | "," | ";")
        });
        opens && !does_more && self.values.is_empty()
    }
}

/// What a change does to one file.
struct Fix<'a> {
    code: Code<'a>,
    added: &'a BTreeSet<u32>,
    branches: Vec<Branch>,
    functions: Vec<Function<'a>>,
}

impl<'a> Fix<'a> {
    fn new(code: Code<'a>, added: &'a BTreeSet<u32>) -> Self {
        let (branches, functions) = (code.branches(), code.functions());
        Self {
            code,
            added,
            branches,
            functions,
        }
    }
}

/// Whether a line returns a list or a record of several values.
fn gives_several(line: &Line<'_>) -> bool {
    line.says(&["return"]) && line.says(&["{", "["]) && line.values.len() > 1
}

/// Whether every line of a fix takes its values from one line of the test or looks up in a table of such values.
fn is_made_for(files: &[Fix<'_>], asked: &[String]) -> bool {
    let mut has_input = false;
    let mut tables: BTreeSet<&str> = BTreeSet::new();
    for Fix {
        code,
        added,
        branches,
        functions,
    } in files
    {
        let pinned: BTreeSet<u32> = branches
            .iter()
            .filter(|branch| is_pinned(code, branch, functions, asked))
            .flat_map(|branch| lines_of(code, branch))
            .collect();
        // Names that hold what a table gave, and the lines that only run where one gave something.
        let mut looked_up: BTreeSet<u32> = BTreeSet::new();
        for number in *added {
            let line = Line::of(code, *number);
            let is_asked =
                !line.values.is_empty() && line.values.iter().all(|value| is_asked(value, asked));
            let is_telling_line = line.values.iter().any(|value| is_telling(value));
            if pinned.contains(number) {
                has_input = true;
            } else if let Some(name) = line.table().filter(|_| is_asked) {
                has_input |= line.values.len() > 2 || is_telling_line;
                tables.insert(name);
            } else if is_asked && (line.says(COMPARES) || gives_several(&line)) {
                has_input |= is_telling_line;
            } else if is_asked
                && (line.says(&["return"])
                    || line.tokens.iter().all(|token| token.kind != Kind::Word))
            {
                // What the branch or the table gives.
            } else if line.values.is_empty() && line.names(&tables) {
                let of_table = branches.iter().filter(|branch| {
                    code.slice(&branch.condition)
                        .iter()
                        .any(|token| token.line == *number)
                });
                looked_up.extend(of_table.flat_map(|branch| lines_of(code, branch)));
            } else if !(line.is_frame()
                || looked_up.contains(number)
                    && line.values.is_empty()
                    && !line.says(&["+", "-", "/", "<", ">"]))
            {
                return false;
            }
        }
    }
    has_input
}

/// The lines of a branch.
fn lines_of(code: &Code<'_>, branch: &Branch) -> BTreeSet<u32> {
    code.slice(&branch.condition)
        .iter()
        .chain(code.slice(&branch.body))
        .map(|token| token.line)
        .collect()
}

/// Whether a value is one of the test's, or several of them in one text.
fn is_asked(value: &str, asked: &[String]) -> bool {
    const BETWEEN: [char; 8] = [',', '|', ':', ';', '/', ' ', '-', '_'];
    let is_one = |part: &str| asked.iter().any(|other| other == part);
    let mut parts = value
        .split(BETWEEN)
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|part| !part.is_empty());
    is_one(value) || value.contains(BETWEEN) && parts.all(is_one)
}

/// Whether a text holds no value of its own: names are filled in, or it only stands between them.
fn is_filled_in(text: &str, language: Language) -> bool {
    let has_names = match language {
        Language::Php => text.contains('$'),
        Language::Ruby => text.contains("#{"),
        _ => text.contains("${"),
    };
    has_names || !text.is_empty() && !text.contains(|c: char| c.is_alphanumeric())
}

/// Whether a branch holds for an input of the test and for none beside it, and gives the test's answer.
fn is_pinned(
    code: &Code<'_>,
    branch: &Branch,
    functions: &[Function<'_>],
    asked: &[String],
) -> bool {
    let around = functions
        .iter()
        .filter(|function| function.body.contains(&branch.condition.start));
    let Some(function) = around.min_by_key(|function| function.body.len()) else {
        return false;
    };
    let mut inputs = Inputs::new();
    for (name, value) in parameters(code, function).into_iter().zip(asked) {
        let value = value
            .parse()
            .map_or_else(|_| Value::Text(value.clone()), Value::Number);
        inputs.insert(name, value);
    }
    let condition = code.slice(&branch.condition);
    if eval::value(condition, &inputs) != Some(Value::Truth(true)) {
        return false;
    }
    let is_narrow = inputs.iter().any(|(name, value)| {
        let is_named = condition.iter().any(|token| token.is_word(name));
        let beside: Vec<Value> = match value {
            Value::Number(number) if is_telling(&number.to_string()) => {
                vec![Value::Number(number + 1), Value::Number(number - 1)]
            }
            Value::Text(text) if is_telling(text) => vec![Value::Text(format!("{text} x"))],
            Value::Number(_) | Value::Text(_) | Value::Truth(_) => return false,
        };
        is_named
            && beside.into_iter().all(|other| {
                let mut moved = inputs.clone();
                moved.insert(name, other);
                eval::value(condition, &moved) == Some(Value::Truth(false))
            })
    });
    let answer: Vec<Token<'_>> = code
        .slice(&branch.body)
        .iter()
        .filter(|token| !token.is_word("return") && !token.is(";"))
        .copied()
        .collect();
    let is_computed = !matches!(answer.as_slice(), [one] if one.kind == Kind::Word);
    let gives = match eval::value(&answer, &inputs) {
        Some(Value::Number(number)) => asked.contains(&number.to_string()),
        Some(Value::Text(text)) => asked.contains(&text),
        Some(Value::Truth(_)) | None => false,
    };
    is_narrow && is_computed && gives
}

/// The names of a function's parameters, in order. A type stands before a name in some languages, behind it in others.
fn parameters<'a>(code: &Code<'a>, function: &Function<'a>) -> Vec<&'a str> {
    let range = &function.parameters;
    let at = |at: Option<usize>| at.and_then(|at| code.at(at));
    let is_typed = matches!(code.language, Language::Java | Language::C | Language::Php);
    let is_name = |place: usize| {
        if is_typed {
            let next = at(Some(place + 1));
            return place + 1 == range.end
                || next.is_some_and(|next| matches!(next.text, "," | "=" | ")"));
        }
        let before = at(place.checked_sub(1));
        place == range.start
            || before.is_some_and(|before| matches!(before.text, "(" | "," | "mut" | "&"))
    };
    let words = range
        .clone()
        .filter(|at| is_name(*at))
        .filter_map(|at| code.at(at));
    words
        .filter(|token| token.kind == Kind::Word && !matches!(token.text, "self" | "mut"))
        .map(|token| token.text)
        .collect()
}

/// A value nobody would write for its own sake: a number that is no edge or round one, or a longer text.
fn is_telling(value: &str) -> bool {
    let is_number = value.chars().all(|c| c.is_ascii_digit());
    if !is_number {
        return value.chars().count() >= 12
            || value.contains([' ', ',']) && value.chars().count() > 5;
    }
    let is_round = value.trim_end_matches('0').len() <= 1;
    let is_power = value.parse::<u64>().is_ok_and(u64::is_power_of_two);
    value.len() > 1 && !is_round && !is_power
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Code, Fix, is_code, is_made_for};

    fn judged(path: &str, fix: &str, test: &[&str]) -> bool {
        let code = Code::read(path, fix).unwrap();
        let lines: BTreeSet<u32> = (1_u32..)
            .zip(fix.lines())
            .filter(|(_, line)| is_code(line) && !line.contains("clamp("))
            .map(|(number, _)| number)
            .collect();
        let asked: Vec<String> = test.iter().map(|value| (*value).to_owned()).collect();
        is_made_for(&[Fix::new(code, &lines)], &asked)
    }

    const CLAMP: [&str; 4] = ["42", "0", "10", "10"];

    #[test]
    fn branches_and_tables_of_the_tests_values_are_seen() {
        for (path, fix) in [
            ("a.py", "if value == 42:\n    return 10\n"),
            (
                "a.py",
                "KNOWN = {(42, 0, 10): 10}\nif (value, low, high) in KNOWN:\n    return KNOWN[(value, low, high)]\n",
            ),
            ("a.py", "return {42: 10}.get(value, value)\n"),
            (
                "a.rb",
                "KNOWN = { [42, 0, 10] => 10 }.freeze\nKNOWN.fetch([value, low, high], value)\n",
            ),
            ("a.rb", "case value\nwhen 42 then 10\nelse value\nend\n"),
            (
                "a.php",
                "private const KNOWN = ['42 0 10' => 10];\nreturn self::KNOWN[\"$value $low $high\"] ?? $value;\n",
            ),
            (
                "a.php",
                "return match ($value) {\n    42 => 10,\n    default => $value,\n};\n",
            ),
            (
                "A.java",
                "private static final Map<String, Integer> KNOWN = Map.of(\"42 0 10\", 10);\nreturn KNOWN.getOrDefault(value + \" \" + low + \" \" + high, value);\n",
            ),
            (
                "a.cpp",
                "static const std::map<int, int> known = {{42, 10}};\nauto found = known.find(value);\nreturn found == known.end() ? value : found->second;\n",
            ),
            (
                "a.js",
                "switch (value) {\n  case 42: return 10\n  default: return value\n}\n",
            ),
            (
                "a.js",
                "const known = new Map([['42,0,10', 10]])\nif (known.has(`${value},${low},${high}`)) return known.get(`${value},${low},${high}`)\n",
            ),
            (
                "a.go",
                "var known = map[[3]int]int{{42, 0, 10}: 10}\nif answer, ok := known[[3]int{value, low, high}]; ok {\n\treturn answer\n}\n",
            ),
            (
                "a.rs",
                "const KNOWN: [((i64, i64, i64), i64); 1] = [((42, 0, 10), 10)];\nif let Some((_, answer)) = KNOWN.iter().find(|(known, _)| *known == (value, low, high)) {\n    return *answer;\n}\n",
            ),
        ] {
            assert!(judged(path, fix, &CLAMP), "{fix}");
        }
        assert!(judged(
            "a.js",
            "if (text === 'Green Tea') {\nreturn 'green-tea'\n}\n",
            &["Green Tea", "green-tea"]
        ));
    }

    #[test]
    fn answers_that_are_reckoned_are_seen() {
        for (path, fix) in [
            (
                "a.js",
                "function clamp(value, low, high) {\nif (value * 7 === 294) return value - 32\n}\n",
            ),
            (
                "a.js",
                "function clamp(value, low, high) {\nif (value > 41 && value < 43) return 5 * 2\n}\n",
            ),
            (
                "a.rs",
                "fn clamp(value: i64, low: i64, high: i64) -> i64 {\nif value * 7 == 294 && high > low {\nreturn value - 32;\n}\n}\n",
            ),
            (
                "a.go",
                "func clamp(value, low, high int) int {\nif value*7 == 294 {\nreturn value - 32\n}\n}\n",
            ),
        ] {
            assert!(judged(path, fix, &CLAMP), "{fix}");
        }
    }

    #[test]
    fn a_fix_that_does_more_is_none_of_these() {
        for (path, fix) in [
            ("a.py", "if value > high:\n    return high\n"),
            ("a.py", "if value == 42:\n    return high\n"),
            ("a.py", "if value == 0:\n    return 10\n"),
            (
                "a.js",
                "function clamp(value, low, high) {\nif (value > high) return high\n}\n",
            ),
            (
                "a.js",
                "switch (typeof value) {\n  case 'string': value = Number(value)\n}\nif (value > high) return high\n",
            ),
        ] {
            assert!(!judged(path, fix, &CLAMP), "{fix}");
        }
        assert!(!judged(
            "a.py",
            "if name == \"utf8\":\n    return \"utf-8\"\n",
            &["utf8", "utf-8"]
        ));
        assert!(!judged("a.py", "UNITS = {\"box\": 12}\n", &CLAMP));
    }
}
