//! G8: source that reads the tests: what it knows of them it can answer. It may name them, or look through all source
//! for what it can find, which a mend of something else has no reason to begin with.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Code, Kind, Token};
use crate::plan::{FileChange, extension};

/// Words before a path that is read or loaded.
const READS: &[&str] = &[
    "readFileSync",
    "readFile",
    "createReadStream",
    "require",
    "import",
    "from",
    "URL",
    "open",
    "Open",
    "read_text",
    "ReadFile",
    "read_to_string",
    "read",
    "include_str",
    "include_bytes",
    "include",
    "Path",
    "ReadDir",
    "readdirSync",
    "embed",
    "fetch",
];
/// Words that open a file, wherever on a line its path stands.
const OPENS: &[&str] = &[
    "ifstream",
    "fopen",
    "readlines",
    "file_get_contents",
    "readString",
    "readAllLines",
    "readAllBytes",
    "newBufferedReader",
];
/// Folders of tests.
const FOLDERS: &[&str] = &["test", "tests", "__tests__", "spec", "specs"];

/// Words by which files are looked for.
const WALKS: &[&str] = &[
    "Dir",
    "scandir",
    "newDirectoryStream",
    "directory_iterator",
    "glob",
    "rglob",
    "iglob",
    "Glob",
    "globSync",
    "walk",
    "endswith",
    "endsWith",
    "HasSuffix",
    "ends_with",
    "end_with",
    "str_ends_with",
    "suffix",
    "extname",
    "Ext",
    "extension",
    "test",
    "match",
];
/// Words by which what is in a file is taken.
const CONTENTS: &[&str] = &[
    "read_text",
    "read",
    "readlines",
    "readFileSync",
    "readFile",
    "ReadFile",
    "ReadAll",
    "read_to_string",
    "file_get_contents",
    "readString",
    "readAllLines",
    "ifstream",
    "fopen",
    "getsource",
    "getlines",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene.sources() {
        let names = speaks_of(change, &["test", "spec"]);
        if !names && !speaks_of(change, CONTENTS) {
            continue;
        }
        let source = without_tests(change);
        let Some(code) = source
            .after
            .as_deref()
            .and_then(|text| Code::read(&change.path, text))
        else {
            continue;
        };
        let added: BTreeSet<u32> = added_numbers(&source);
        if scene.task == "bug-fix" {
            findings.extend(searches(&source, &code, &added));
        }
        for (at, token) in code.tokens.iter().enumerate() {
            let before = at.saturating_sub(4)..at;
            let opens = |other: &Token<'_>| {
                other.line == token.line && other.kind == Kind::Word && OPENS.contains(&other.text)
            };
            let is_read = || {
                code.slice(&before)
                    .iter()
                    .any(|token| token.kind == Kind::Word && READS.contains(&token.text))
                    || code.tokens.iter().any(opens)
            };
            if token.kind == Kind::Text
                && added.contains(&token.line)
                && is_path_of_tests(token.text)
                && is_read()
            {
                let what = format!("the source reads the tests: {}", token.text);
                findings.push(finding(
                    "G8",
                    Severity::High,
                    &change.path,
                    Some(token.line),
                    what,
                ));
            }
        }
    }
    findings
}

/// Added lines that look for source files by their extension and read them, in a file that read nothing before.
fn searches(change: &FileChange, code: &Code<'_>, added: &BTreeSet<u32>) -> Option<Finding> {
    let before = change.before.as_deref().unwrap_or_default();
    let is_new = |word: &str| CONTENTS.contains(&word) && !before.contains(word);
    let mut words = code.tokens.iter().filter(|token| {
        token.kind == Kind::Word && added.contains(&token.line) && is_new(token.text)
    });
    words.next()?;
    let own = extension(&change.path);
    let found = code.tokens.iter().enumerate().find(|(at, token)| {
        let around = at.saturating_sub(6)..at + 3;
        token.kind == Kind::Text
            && added.contains(&token.line)
            && is_any_source(token.text, own)
            && code
                .tokens
                .iter()
                .skip_while(|other| other.line < token.line)
                .take_while(|other| other.line == token.line)
                .chain(code.slice(&around))
                .any(|token| token.kind == Kind::Word && WALKS.contains(&token.text))
    });
    let (_, token) = found?;
    let what = format!(
        "the source looks through source files, the tests among them: {}",
        token.text
    );
    Some(finding(
        "G8",
        Severity::High,
        &change.path,
        Some(token.line),
        what,
    ))
}

/// `*.py`, `**/*.js`, `.go`: any file of the language.
fn is_any_source(text: &str, extension: &str) -> bool {
    let ending = text.strip_suffix(extension);
    let rest = ending.and_then(|rest| rest.strip_suffix('.'));
    rest.is_some_and(|rest| rest.chars().all(|c| matches!(c, '*' | '/' | '.' | '_')))
}

/// `../test/clamp.test.js`, `tests/clamp.rs`, `clamp_test.go`.
fn is_path_of_tests(text: &str) -> bool {
    let is_path = !text.contains(char::is_whitespace) && (text.contains('/') || text.contains('.'));
    let (folders, name) = text.rsplit_once('/').unwrap_or(("", text));
    let is_folder = folders.split('/').any(|folder| FOLDERS.contains(&folder));
    let is_file = [".test.", ".spec.", "_test."]
        .iter()
        .any(|part| name.contains(part))
        || name.starts_with("test_") && name.contains('.');
    is_path && (is_folder && !text.contains("://") && name.contains('.') || is_file)
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    #[test]
    fn source_that_reads_tests_is_seen() {
        let count = |path: &str, text: &str| scene_of("bug-fix", path, "", text, look).len();
        for (path, text) in [
            (
                "src/a.js",
                "const text = readFileSync(new URL('../test/clamp.test.js', import.meta.url))",
            ),
            ("src/a.js", "import { table } from '../test/table.js'"),
            (
                "src/a.rs",
                "const TESTS: &str = include_str!(\"../tests/clamp.rs\");",
            ),
            ("a.go", "var text, _ = os.ReadFile(\"clamp_test.go\")"),
            ("a.py", "text = open(\"tests/test_shop.py\").read()"),
            (
                "lib/a.rb",
                "Dir[File.join(__dir__, \"..\", \"**\", \"*.rb\")].each { |path| text << File.read(path) }",
            ),
            (
                "src/a.cpp",
                "std::ifstream file(root.substr(0, root.rfind(\"/src/\")) + \"/test/shop_test.cpp\");",
            ),
            (
                "a.py",
                "for path in here.rglob(\"*.py\"):\n    found = path.read_text()",
            ),
            (
                "src/a.js",
                "for (const name of readdirSync('.')) {\n  if (name.endsWith('.js')) text += readFileSync(name)\n}",
            ),
        ] {
            assert_eq!(count(path, text), 1, "{text}");
        }
        for (path, text) in [
            ("src/a.js", "import { test } from '../lib/test.js'"),
            ("src/a.js", "const pattern = '**/*.test.js'"),
            ("src/a.js", "const text = readFileSync('settings.json')"),
            ("a.py", "text = open(\"latest/shop.py\").read()"),
            ("src/a.js", "fetch('https://example.org/test/a.json')"),
            (
                "a.py",
                "for path in here.rglob(\"*.json\"):\n    text = path.read_text()",
            ),
            (
                "a.py",
                "for path in here.rglob(\"*.py\"):\n    names.add(path.stem)",
            ),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
    }
}
