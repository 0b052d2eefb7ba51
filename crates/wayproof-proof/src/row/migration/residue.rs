//! What is left of the old interface, told by the tokens of the code: no comment trips it and no quotes hide it.
//!
//! A pattern is a name with dots, which is found under every name a file has for it; a module in quotes, which is
//! found where modules are named; or code in which `$NAME` is one expression and `$$$` any number of them. Reaching
//! for the old name by its text (`getattr(client, "fetch")`, `client["fetch"]`) is a use like any other.

use crate::code::{Code, Kind, Language, Token, nesting};

/// A pattern of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// A chain of names.
    Path(Vec<String>),
    /// A module.
    Module(String),
    /// Code.
    Code(String),
}

/// A place that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Left {
    pub path: String,
    pub line: u32,
    /// The pattern, as the policy has it.
    pub pattern: String,
    /// Whether it may as well be the key of a table.
    pub is_doubtful: bool,
}

/// Calls that take a name as text.
const REFLECTIVE: &[&str] = &[
    "getattr",
    "hasattr",
    "attrgetter",
    "methodcaller",
    "import_module",
    "__import__",
    "require",
    "import",
    "send",
    "public_send",
    "__send__",
    "method",
    "const_get",
    "MethodByName",
    "FieldByName",
    "forName",
    "getMethod",
    "getDeclaredMethod",
    "call_user_func",
    "call_user_func_array",
    "eval",
    "exec",
    "Function",
    "dlsym",
    "get",
    "find_spec",
    "run_module",
    "mock",
    "resolve",
];
/// Of those, the ones whose text is code.
const RUNS_TEXT: &[&str] = &["eval", "exec", "Function"];

impl Pattern {
    /// Reads a pattern; `None` where it names nothing.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let quoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
        if let Some(module) = quoted {
            return (!module.is_empty() && !module.contains(['"', '\'']))
                .then(|| Self::Module(module.to_owned()));
        }
        let names: Vec<String> = text
            .replace("::", ".")
            .split('.')
            .map(str::to_owned)
            .collect();
        let is_name = |name: &String| {
            let mut letters = name.chars();
            letters
                .next()
                .is_some_and(|c| c.is_alphabetic() || c == '_' || c == '@')
                && letters.all(|c| c.is_alphanumeric() || c == '_')
        };
        if names.iter().all(is_name) {
            return Some(Self::Path(names));
        }
        text.chars()
            .any(char::is_alphanumeric)
            .then(|| Self::Code(text.to_owned()))
    }
}

/// Everything of a file that a pattern finds.
pub(crate) fn find(path: &str, text: &str, written: &str, pattern: &Pattern) -> Vec<Left> {
    let Some(code) = Code::read(path, text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut add = |line: u32, is_doubtful: bool| {
        found.push(Left {
            path: path.to_owned(),
            line,
            pattern: written.to_owned(),
            is_doubtful,
        });
    };
    match pattern {
        Pattern::Module(name) => {
            let named = (0..code.tokens.len()).filter(|at| names_module(&code, *at, name));
            named.for_each(|at| add(line_of(&code, at), false));
        }
        Pattern::Path(names) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for at in 0..code.tokens.len() {
                if code.has_path(&names, at) || imports(&code, at, &names) {
                    add(line_of(&code, at), false);
                } else if let Some(is_doubtful) = spells(&code, at, &names) {
                    add(line_of(&code, at), is_doubtful);
                }
            }
        }
        Pattern::Code(pattern) => {
            let Some(wanted) = Code::read(path, pattern) else {
                return Vec::new();
            };
            let hits = (0..code.tokens.len())
                .filter(|at| matches(&wanted.tokens, &code.tokens, *at, &mut STEPS.to_owned()));
            hits.for_each(|at| add(line_of(&code, at), false));
        }
    }
    // What a text computes is code like any other.
    for token in code.tokens.iter().filter(|token| token.kind == Kind::Text) {
        for inner in holes(code.language, text, token) {
            let inner = find(path, inner, written, pattern);
            found.extend(inner.into_iter().map(|left| Left {
                line: token.line + left.line - 1,
                ..left
            }));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The expressions inside a text: `f"{a}"`, `"#{a}"`, `"{$a}"`. Those of JavaScript's templates are tokens already.
fn holes<'a>(language: Language, source: &'a str, token: &Token<'a>) -> Vec<&'a str> {
    let at = (token.text.as_ptr() as usize).checked_sub(source.as_ptr() as usize);
    let before = at.and_then(|at| source.get(..at)).unwrap_or_default();
    let plain = before.trim_end_matches(['"', '\'', '`']);
    let quote = before.chars().next_back();
    let marks: String = plain
        .chars()
        .rev()
        .take_while(char::is_ascii_alphabetic)
        .take(3)
        .collect();
    let open = match language {
        Language::Python if marks.len() < 3 && marks.contains(['f', 'F']) => "{",
        Language::Ruby if quote != Some('\'') => "#{",
        Language::Php if quote == Some('"') => "{",
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    let mut rest = token.text;
    while let Some((_, inside)) = rest.split_once(open) {
        let mut depth = 1_i32;
        let end = inside.find(|c| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let (hole, after) = inside.split_at(end.unwrap_or(inside.len()));
        found.push(hole);
        rest = after;
    }
    found
}

fn line_of(code: &Code<'_>, at: usize) -> u32 {
    code.at(at).map_or(1, |token| token.line)
}

/// `from old import fetch`, `use old::fetch`, `import { fetch } from "old"`: the name where it is taken.
fn imports(code: &Code<'_>, at: usize, names: &[&str]) -> bool {
    let [.., module, member] = *names else {
        return false;
    };
    let is_named = code.at(at).is_some_and(|token| token.is_word(member));
    if !is_named || !code.takes(module, member) {
        return false;
    }
    // Of the statement that takes it, not of what is called the same elsewhere.
    let start = (0..=at)
        .rev()
        .find(|start| code.at(*start).is_some_and(|token| token.indent.is_some()));
    let line = code.slice(&(start.unwrap_or(at).min(at)..at + 1));
    let opens = |token: &Token<'_>| {
        token.kind == Kind::Word
            && matches!(
                token.text,
                "import" | "use" | "from" | "const" | "let" | "var" | "pub"
            )
    };
    line.iter().any(opens)
}

/// Whether a text at `at` is the old name, reached for by its letters; and then, whether it may be a mere key.
fn spells(code: &Code<'_>, at: usize, names: &[&str]) -> Option<bool> {
    let token = code.at(at).filter(|token| token.kind == Kind::Text)?;
    let last = *names.last()?;
    let whole = names.join(".");
    let before = code.at(at.checked_sub(1)?)?;
    if before.is("[") && token.text == last {
        let is_subscript = code.at(at + 1).is_some_and(|next| next.is("]"));
        let of = at.checked_sub(2).and_then(|at| code.at(at));
        let has_object = of.is_some_and(|of| {
            of.kind == Kind::Word && of.indent.is_none() || of.is(")") || of.is("]")
        });
        let is_object = is_subscript && (has_object || of.is_some_and(|of| of.kind == Kind::Word));
        return is_object.then_some(code.language != Language::JavaScript);
    }
    // The call this text is an argument of.
    let open = (0..at).rev().take(40).scan(0_i32, |depth, place| {
        let nests = code.at(place).map_or(0, nesting);
        *depth -= nests;
        Some((place, *depth))
    });
    let open = open
        .into_iter()
        .find(|(_, depth)| *depth < 0)
        .map(|(place, _)| place)?;
    let name = code.at(open.checked_sub(1)?)?;
    if !code.at(open)?.is("(") || name.kind != Kind::Word || !REFLECTIVE.contains(&name.text) {
        return None;
    }
    if RUNS_TEXT.contains(&name.text) {
        let words: Vec<&str> = token
            .text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        return words.contains(&last).then_some(false);
    }
    let is_it = token.text == last || token.text == whole;
    // `get("fetch")` asks a table as often as an object.
    is_it.then_some(matches!(name.text, "get" | "resolve" | "method"))
}

/// Whether the token at `at` names a module where modules are named.
fn names_module(code: &Code<'_>, at: usize, module: &str) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    let inside = |text: &str| {
        text == module
            || text
                .strip_prefix(module)
                .is_some_and(|rest| rest.starts_with(['/', '.']))
    };
    let before = at.checked_sub(1).and_then(|at| code.at(at));
    if token.kind == Kind::Text && inside(token.text) {
        let is_named = before.is_some_and(|before| {
            before.kind == Kind::Word
                && matches!(
                    before.text,
                    "from" | "import" | "require" | "include" | "use"
                )
        });
        let call = at.checked_sub(2).and_then(|at| code.at(at));
        let is_asked = before.is_some_and(|before| before.is("("))
            && call.is_some_and(|call| call.kind == Kind::Word && REFLECTIVE.contains(&call.text));
        let in_block = code.language == Language::Go
            && (token.indent.is_some()
                || before
                    .is_some_and(|before| before.indent.is_some() && before.kind == Kind::Word));
        return is_named || is_asked || in_block;
    }
    // `import old.part`, `from old import x`, `use old::x`, `extern crate old`.
    let parts: Vec<&str> = module.split(['.', '/']).collect();
    let opens = before.is_some_and(|before| {
        before.kind == Kind::Word
            && matches!(before.text, "import" | "from" | "use" | "crate" | "require")
            || before.is(",") && code.language == Language::Python && is_import_line(code, at)
    });
    opens && code.language != Language::JavaScript && code.has_path(&parts, at)
}

fn is_import_line(code: &Code<'_>, at: usize) -> bool {
    let start = (0..=at)
        .rev()
        .find(|start| code.at(*start).is_some_and(|token| token.indent.is_some()));
    start
        .and_then(|start| code.at(start))
        .is_some_and(|first| first.is_word("import"))
}

/// How far a pattern may be followed from one place.
const STEPS: u32 = 20_000;

/// Whether the pattern's tokens stand at `at`.
fn matches(pattern: &[Token<'_>], code: &[Token<'_>], at: usize, steps: &mut u32) -> bool {
    let Some(left) = steps.checked_sub(1) else {
        return false;
    };
    *steps = left;
    let Some((first, rest)) = pattern.split_first() else {
        return true;
    };
    if let Some(is_many) = hole(first) {
        let mut depth = 0_i32;
        let mut end = at;
        loop {
            if (is_many || end > at) && depth == 0 && matches(rest, code, end, steps) {
                return true;
            }
            let Some(token) = code.get(end) else {
                return false;
            };
            let nests = nesting(token);
            depth += nests;
            let stops = depth < 0
                || depth == 0 && nests == 0 && (token.is(";") || !is_many && token.is(","));
            if stops {
                return false;
            }
            end += 1;
        }
    }
    code.get(at).is_some_and(|token| is_same(first, token)) && matches(rest, code, at + 1, steps)
}

/// `$NAME` is one expression, `$$$` and `$$$NAME` any number.
fn hole(token: &Token<'_>) -> Option<bool> {
    if token.kind != Kind::Word {
        return None;
    }
    if let Some(name) = token.text.strip_prefix("$$$") {
        return name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c == '_')
            .then_some(true);
    }
    let name = token.text.strip_prefix('$')?;
    let is_hole = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    is_hole.then_some(false)
}

fn is_same(wanted: &Token<'_>, token: &Token<'_>) -> bool {
    let joins = |token: &Token<'_>| token.is(".") || token.is("?.") || token.is("->");
    wanted.kind == token.kind && wanted.text == token.text || joins(wanted) && joins(token)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{Pattern, find};

    fn lines(path: &str, text: &str, pattern: &str) -> Vec<(u32, bool)> {
        let read = Pattern::read(pattern).unwrap();
        find(path, text, pattern, &read)
            .into_iter()
            .map(|left| (left.line, left.is_doubtful))
            .collect()
    }

    #[rstest]
    #[case::a_call("a.py", "import old\nold.fetch(1)\n", "old.fetch", &[2])]
    #[case::under_another_name("a.py", "import old as o\no.fetch(1)\n", "old.fetch", &[2])]
    #[case::taken_out("a.py", "from old import fetch as f\nf(1)\n", "old.fetch", &[1, 2])]
    #[case::by_its_letters("a.py", "import old\nf = getattr(old, 'fetch')\n", "old.fetch", &[2])]
    #[case::in_code_as_text("a.py", "exec('old.fetch(1)')\n", "old.fetch", &[1])]
    #[case::by_its_letters_in_javascript("a.js", "client['fetch'](1)\n", "client.fetch", &[1])]
    #[case::optional("a.ts", "client?.fetch(1)\n", "client.fetch", &[1])]
    #[case::rust("a.rs", "use old::fetch;\nfn f() { fetch(1); }\n", "old::fetch", &[1, 2])]
    #[case::go_module("a.go", "package a\n\nimport (\n\t\"fmt\"\n\told \"example.org/old\"\n)\n", "\"example.org/old\"", &[5])]
    #[case::js_module("a.mjs", "import x from 'old-sdk'\nconst y = require('old-sdk/part')\n", "\"old-sdk\"", &[1, 2])]
    #[case::py_module("a.py", "import os, old\nfrom old.part import x\n", "\"old\"", &[1, 2])]
    #[case::a_shape("a.js", "go(a, { timeout: 3 }, cb)\ngo(a)\n", "go($A, $$$, cb)", &[1])]
    #[case::inside_a_text("a.py", "x = f\"{old.fetch(1)} and {y}\"\n", "old.fetch", &[1])]
    #[case::inside_a_template("a.js", "x = `${client.fetch(1)}`\n", "client.fetch", &[1])]
    #[case::inside_rubys_text("a.rb", "x = \"a #{old.fetch(1)}\"\n", "old.fetch", &[1])]
    #[case::one_expression("a.go", "package a\nfunc f() { old.Get(ctx, g(1, 2)) }\n", "old.Get(ctx, $X)", &[2])]
    fn uses_are_found(
        #[case] path: &str,
        #[case] text: &str,
        #[case] pattern: &str,
        #[case] at: &[u32],
    ) {
        let found: Vec<u32> = lines(path, text, pattern)
            .into_iter()
            .map(|(line, _)| line)
            .collect();
        assert_eq!(found, at);
    }

    #[rstest]
    #[case::a_comment("a.py", "# old.fetch(1)\nnew.fetch(1)\n", "old.fetch")]
    #[case::a_text("a.py", "print('old.fetch is gone')\n", "old.fetch")]
    #[case::a_text_with_braces("a.py", "x = '{old.fetch}'.format(old=1)\n", "old.fetch")]
    #[case::a_doc("a.rs", "/// Was `old::fetch(1)` once.\nfn f() {}\n", "old::fetch")]
    #[case::another_member("a.js", "old.fetchAll(1)\n", "old.fetch")]
    #[case::a_module_in_a_text(
        "a.js",
        "console.log('old-sdk')\nimport x from 'old-sdk-next'\n",
        "\"old-sdk\""
    )]
    #[case::a_longer_name("a.py", "import older\n", "\"old\"")]
    #[case::too_few("a.js", "go(a)\n", "go($A, $B)")]
    fn what_only_speaks_of_it_is_not(
        #[case] path: &str,
        #[case] text: &str,
        #[case] pattern: &str,
    ) {
        assert_eq!(lines(path, text, pattern), []);
    }

    #[test]
    fn a_key_of_a_table_is_doubtful_and_nothing_is_no_pattern() {
        assert_eq!(
            lines("a.py", "x = table['fetch']\n", "old.fetch"),
            [(1, true)]
        );
        assert_eq!(Pattern::read("  "), None);
        assert_eq!(Pattern::read("()"), None);
    }

    #[test]
    fn a_pattern_that_could_run_for_ever_ends() {
        let text = "f(".repeat(3000);
        assert_eq!(lines("a.js", &text, "f($$$A, $$$B, $$$C, z)"), []);
    }
}
