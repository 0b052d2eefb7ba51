//! What source can read that is no input of its own: who started it, with what, when, and what chance says.

use std::ops::Range;

use super::table::{CHANCE, CLOCK, PLACE, Paths, REACH, RUNNER, SETTING};
use crate::code::{Code, Kind, Language};

/// Where a value comes from that nobody passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ambient {
    /// The program, its arguments, its callers, its parent, how it was built.
    Runner,
    /// Where it lies or runs, which people need to find files.
    Place,
    /// A variable of the environment, by its name where one is written.
    Setting(Option<String>),
    /// The clock.
    Clock,
    /// Chance.
    Chance,
    /// How often something was asked.
    Turn,
    /// Whether anybody can be reached.
    Reach,
}

/// What the token at `at` begins to read from the surroundings.
pub(super) fn at(code: &Code<'_>, at: usize) -> Option<Ambient> {
    let token = code.at(at)?;
    match token.kind {
        Kind::Text => {
            let is_process = token.text.starts_with("/proc/") || token.text.starts_with("/dev/fd");
            return (is_process || names_a_framework(token.text)).then_some(Ambient::Runner);
        }
        Kind::Number => return None,
        Kind::Sign => return is_turn(code, at).then_some(Ambient::Turn),
        Kind::Word => {}
    }
    if code.language == Language::Ruby
        && matches!(token.text, "sample" | "shuffle")
        && code.is_member(at)
    {
        return Some(Ambient::Chance);
    }
    if is_counter(code, at) {
        return Some(Ambient::Turn);
    }
    if is_of_who_runs(code, at) {
        return Some(Ambient::Runner);
    }
    if matches!(
        token.text,
        "isTTY" | "isatty" | "IsTerminal" | "is_terminal"
    ) {
        return Some(Ambient::Setting(Some(token.text.to_owned())));
    }
    if code.language == Language::Java && token.text.starts_with("getResource") {
        return Some(Ambient::Place);
    }
    if is_of_another(code, at) {
        return None;
    }
    if starts(RUNNER, code, at) {
        return Some(Ambient::Runner);
    }
    if starts(PLACE, code, at) {
        return Some(Ambient::Place);
    }
    if starts(REACH, code, at) {
        return Some(Ambient::Reach);
    }
    if starts(SETTING, code, at) && is_setting(code, at) {
        return Some(Ambient::Setting(setting_name(code, at)));
    }
    if starts(CLOCK, code, at) && is_now(code, at) {
        return Some(Ambient::Clock);
    }
    let is_used = code
        .at(at + 1)
        .is_some_and(|next| next.is(".") || next.is("::") || next.is("("));
    (is_used && starts(CHANCE, code, at)).then_some(Ambient::Chance)
}

/// Whether a token by itself speaks of the program, its callers or its framework.
fn is_of_who_runs(code: &Code<'_>, at: usize) -> bool {
    let is_name = code
        .at(at)
        .is_some_and(|token| matches!(token.text, "Minitest" | "RSpec" | "PHPUnit"));
    is_name
        || is_thread_name(code, at)
        || is_stack(code, at)
        || is_framework(code, at)
        || is_trace(code, at)
        || loads_framework(code, at)
        || is_assertion_mark(code, at)
        || is_condition_of_build(code, at)
}

/// `std::env::args` is found at `env`, `a.env.b` is somebody's own.
fn is_of_another(code: &Code<'_>, at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| code.at(at));
    let is_member = before(1).is_some_and(|token| token.is(".") || token.is("?."));
    let is_of_global = before(2).is_some_and(|token| {
        let is_package = matches!(token.text, "time" | "util" | "lang" | "io" | "file" | "net");
        matches!(token.text, "globalThis" | "global" | "datetime")
            || is_package && code.language == Language::Java
    });
    is_member && !is_of_global
}

fn starts(table: &[(Language, Paths)], code: &Code<'_>, at: usize) -> bool {
    table
        .iter()
        .filter(|(language, _)| *language == code.language)
        .flat_map(|(_, paths)| *paths)
        .any(|path| code.has_path(path, at))
}

/// `error.stack` of a script, and what a function knows of its caller. Other things have a stack as well.
fn is_stack(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    if code.language != Language::JavaScript || !code.is_member(at) {
        return false;
    }
    if matches!(token.text, "caller" | "callee") {
        return true;
    }
    let Some(before) = at.checked_sub(2).and_then(|at| code.at(at)) else {
        return false;
    };
    let lower = before.text.to_ascii_lowercase();
    let is_error =
        lower.contains("err") || matches!(lower.as_str(), "e" | "ex" | "exception" | "trace");
    let is_made = || {
        let mut places = (0..code.tokens.len()).filter(|place| {
            code.at(*place)
                .is_some_and(|token| token.text == before.text)
        });
        places.any(|place| {
            let follows = place + 1..place + 5;
            let is_given = code.at(place + 1).is_some_and(|token| token.is("="))
                && code
                    .slice(&follows)
                    .iter()
                    .any(|token| token.text.ends_with("Error"));
            let is_captured = place
                .checked_sub(2)
                .and_then(|at| code.at(at))
                .is_some_and(|token| token.text == "captureStackTrace");
            is_given || is_captured
        })
    };
    let is_new = before.is(")")
        && code.opening(at - 2).is_some_and(|open| {
            code.at(open.saturating_sub(1))
                .is_some_and(|name| name.text.ends_with("Error"))
        });
    token.text == "stack" && (is_new || before.kind == Kind::Word && (is_error || is_made()))
}

/// `Class.forName("org." + "junit.Test")`, or a name that is decoded: a class that nobody is to see by its name.
fn loads_framework(code: &Code<'_>, at: usize) -> bool {
    if code.language != Language::Java || !code.has_path(&["Class", "forName"], at) {
        return false;
    }
    let arguments = at + 4..code.closing(at + 3);
    let tokens = code.slice(&arguments);
    let texts = tokens.iter().filter(|token| token.kind == Kind::Text);
    let name: String = texts.map(|token| token.text).collect();
    let is_decoded = tokens.iter().any(|token| token.text == "decode");
    names_a_framework(&name) || is_decoded && !name.is_empty()
}

/// `assert checked = true`: a mark that is only set where assertions are switched on.
fn is_assertion_mark(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at).filter(|_| code.language == Language::Java) else {
        return false;
    };
    let is_set_in_assertion = || {
        code.tokens.windows(3).any(|three| {
            matches!(three, [assert, name, sign]
                if assert.is_word("assert") && name.text == token.text && sign.is("="))
        })
    };
    token.text == "desiredAssertionStatus"
        || token.kind == Kind::Word && !code.is_member(at) && is_set_in_assertion()
}

/// What an exception of Java or PHP knows of its callers.
fn is_trace(code: &Code<'_>, at: usize) -> bool {
    matches!(code.language, Language::Java | Language::Php)
        && code.at(at).is_some_and(|token| {
            matches!(
                token.text,
                "getStackTrace" | "getTrace" | "getTraceAsString"
            )
        })
}

/// `typeof describe`, `globalThis.it`: a test framework among the globals.
fn is_framework(code: &Code<'_>, at: usize) -> bool {
    const GLOBALS: &[&str] = &[
        "describe",
        "it",
        "test",
        "jest",
        "vi",
        "vitest",
        "mocha",
        "expect",
        "suite",
        "beforeEach",
        "afterEach",
        "before",
        "jasmine",
        "QUnit",
    ];
    let Some(token) = code.at(at) else {
        return false;
    };
    if code.language != Language::JavaScript || !GLOBALS.contains(&token.text) {
        return false;
    }
    let before = at.checked_sub(1).and_then(|at| code.at(at));
    let root = at.checked_sub(2).and_then(|at| code.at(at));
    before.is_some_and(|before| before.is_word("typeof"))
        || before.is_some_and(|before| before.is(".") || before.is("?."))
            && root.is_some_and(|root| {
                matches!(root.text, "globalThis" | "global" | "window" | "self")
            })
}

/// `cfg!(debug_assertions)` and other conditions that are neither a system nor a feature, but a mode of building.
fn is_condition_of_build(code: &Code<'_>, at: usize) -> bool {
    const MODES: &[&str] = &["debug_assertions", "overflow_checks", "test", "fuzzing"];
    if code.language != Language::Rust
        || !code.at(at).is_some_and(|token| token.is_word("cfg"))
        || !code.at(at + 1).is_some_and(|token| token.is("!"))
    {
        return false;
    }
    let inside = at + 3..code.closing(at + 2);
    let mut words = code.slice(&inside).iter();
    words.any(|token| token.kind == Kind::Word && MODES.contains(&token.text))
}

/// `thread::current().name()`; its number is of use.
fn is_thread_name(code: &Code<'_>, at: usize) -> bool {
    code.language == Language::Rust
        && code
            .path_end(&["thread", "current"], at)
            .is_some_and(|end| code.at(end + 3).is_some_and(|token| token.text == "name"))
}

/// A counter that steps, or a mark that is set, while it is asked.
fn is_counter(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    let counts = token.text == "fetch_add"
        || token.text.starts_with("AddInt")
        || token.text.starts_with("AddUint")
        || code.language == Language::Rust
            && matches!(
                token.text,
                "swap" | "compare_exchange" | "fetch_xor" | "fetch_or"
            )
            && code.is_member(at);
    counts && code.is_called(at)
}

/// A counter that steps and wraps in one expression.
fn is_turn(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    matches!(token.text, "++" | "--")
        && (at + 1..at + 4).any(|next| {
            code.at(next)
                .is_some_and(|token| token.is("%") || token.is("&"))
        })
}

/// Whether `env` is the macro and not the module.
fn is_setting(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    if code.language != Language::Rust {
        // `std::getenv` is the one it looks like.
        return !matches!(token.text, "environ" | "getenv")
            || !code.is_member(at)
            || code.language == Language::C;
    }
    match token.text {
        "env" if code.at(at + 1).is_some_and(|next| next.is("!")) => {
            // What cargo tells of the package itself is no secret of the build.
            !setting_name(code, at).is_some_and(|name| name.starts_with("CARGO_PKG_"))
        }
        "env" => code
            .at(at + 2)
            .is_some_and(|next| next.text.starts_with("var")),
        _ => true,
    }
}

/// The variable that is read: the first text or member soon after.
fn setting_name(code: &Code<'_>, at: usize) -> Option<String> {
    // `'CI' in process.env`
    let before = |back: usize| at.checked_sub(back).and_then(|at| code.at(at));
    let asked = before(2).filter(|token| token.kind == Kind::Text);
    if let Some(name) = asked.filter(|_| before(1).is_some_and(|token| token.is_word("in"))) {
        return Some(name.text.to_owned());
    }
    let near = at + 1..at + 9;
    let mut tokens = code.slice(&near).iter();
    let mut last = "";
    tokens.find_map(|token| {
        let is_member = token.kind == Kind::Word
            && last == "."
            && !matches!(
                token.text,
                "env"
                    | "environ"
                    | "get"
                    | "Getenv"
                    | "LookupEnv"
                    | "getenv"
                    | "Environ"
                    | "copy"
                    | "items"
                    | "keys"
                    | "var"
            );
        last = token.text;
        (token.kind == Kind::Text || is_member).then(|| token.text.to_owned())
    })
}

/// `new Date()` tells the time, `new Date(1999)` does not.
fn is_now(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    if token.text.starts_with("DateTime") && code.language == Language::Php {
        let argument = code.at(at + 2).map_or(")", |argument| argument.text);
        return code.at(at + 1).is_some_and(|next| next.is("(")) && matches!(argument, ")" | "now");
    }
    if code.language != Language::JavaScript {
        return true;
    }
    if token.text != "Date" || code.at(at + 1).is_some_and(|next| next.is(".")) {
        return token.text != "Date" || code.at(at + 2).is_some_and(|next| next.text == "now");
    }
    let is_made = at
        .checked_sub(1)
        .and_then(|at| code.at(at))
        .is_some_and(|token| token.is_word("new"));
    let is_empty = !code.at(at + 1).is_some_and(|next| next.is("("))
        || code.at(at + 2).is_some_and(|next| next.is(")"));
    is_made && is_empty
}

/// Whether a variable is one that a runner, a builder or a mode of work sets.
pub(super) fn is_of_runner(name: &str) -> bool {
    const PARTS: &[&str] = &[
        "TEST",
        "SPEC",
        "CARGO",
        "RUST",
        "NODE",
        "NPM",
        "JEST",
        "VITEST",
        "MOCHA",
        "AVA",
        "TAP",
        "PYTEST",
        "TOX",
        "NOX",
        "CI",
        "GITHUB",
        "GITLAB",
        "ENV",
        "MODE",
        "STAGE",
        "PROFILE",
        "BUILD",
        "GOFLAGS",
        "GOCOVERDIR",
        "GOPATH",
        "PWD",
        "OUT",
        "WAYPROOF",
        "SANDBOX",
        "RUNNER",
        "COVERAGE",
        "DEV",
        "DEVELOPMENT",
        "PROD",
        "PRODUCTION",
        "RACK",
        "RAILS",
        "APP",
    ];
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| PARTS.contains(&part.to_ascii_uppercase().as_str()))
}

/// A text that is the name of a class of a test framework, as one asks for it by name.
fn names_a_framework(text: &str) -> bool {
    const NAMES: &[&str] = &[
        "PHPUnit\\",
        "org.junit.",
        "org.testng.",
        "Minitest",
        "RSpec",
    ];
    NAMES.iter().any(|name| text.starts_with(name)) && !text.contains(char::is_whitespace)
}

/// Whether a range holds a text that speaks of tests.
pub(in crate::gaming) fn names_a_test(code: &Code<'_>, range: &Range<usize>) -> bool {
    let mut texts = code
        .slice(range)
        .iter()
        .filter(|token| token.kind == Kind::Text);
    texts.any(|token| speaks_of_tests(token.text))
}

/// `test`, `_test.go`, `pytest`, `--nocapture`; `latest` is something else.
fn speaks_of_tests(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "test",
        "tests",
        "testing",
        "spec",
        "specs",
        "pytest",
        "unittest",
        "jest",
        "mocha",
        "vitest",
        "ava",
        "tape",
        "tap",
        "jasmine",
        "junit",
        "surefire",
        "phpunit",
        "minitest",
        "rspec",
        "nextest",
        "libtest",
        "trunner",
        "nocapture",
        "deps",
        "exact",
        "wayproof",
    ];
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        let lower = word.to_ascii_lowercase();
        WORDS.contains(&lower.as_str())
            || word.starts_with("Test")
                && word
                    .get(4..)
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
            || ["Test", "Tests", "TestCase"].iter().any(|end| {
                let stem = word.strip_suffix(end);
                stem.is_some_and(|stem| stem.ends_with(|c: char| c.is_ascii_lowercase()))
            })
    })
}
