//! G5: source that ends the process with a good status, or keeps a fault from ending it badly.
//!
//! A program may end; a library that is called by a test may not. An entry of a program is told by its place, its
//! name or the condition around it.

use std::collections::BTreeSet;
use std::ops::Range;

use wayproof_receipt::predicate::{Finding, Severity};

use super::surroundings::names_a_test;
use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Code, Function, Kind, Language};

/// Calls that end the process with the status they are given.
const EXITS: &[(Language, &[&[&str]])] = &[
    (
        Language::JavaScript,
        &[
            &["process", "exit"],
            &["process", "reallyExit"],
            &["Deno", "exit"],
        ],
    ),
    (Language::Go, &[&["os", "Exit"], &["syscall", "Exit"]]),
    (
        Language::Rust,
        &[&["process", "exit"], &["exit"], &["libc", "_exit"]],
    ),
    (
        Language::Python,
        &[
            &["sys", "exit"],
            &["os", "_exit"],
            &["exit"],
            &["quit"],
            &["SystemExit"],
        ],
    ),
    (
        Language::C,
        &[&["exit"], &["_exit"], &["_Exit"], &["quick_exit"]],
    ),
    (Language::Java, &[&["System", "exit"], &["exitProcess"]]),
];
/// Calls that put another program in the place of this one.
const REPLACES: &[(Language, &[&[&str]])] = &[
    (Language::Go, &[&["syscall", "Exec"], &["unix", "Exec"]]),
    (
        Language::Python,
        &[
            &["os", "execv"],
            &["os", "execve"],
            &["os", "execvp"],
            &["os", "execl"],
        ],
    ),
    (Language::Rust, &[&["libc", "execv"], &["libc", "execve"]]),
    (
        Language::C,
        &[&["execv"], &["execve"], &["execvp"], &["execl"]],
    ),
];
/// Names of functions that a program begins or ends with.
const ENTRIES: &[&str] = &[
    "main",
    "cli",
    "run",
    "usage",
    "help",
    "version",
    "exit",
    "quit",
    "print_help",
    "print_usage",
    "print_version",
    "showHelp",
    "printHelp",
    "_main",
    "shutdown",
    "terminate",
];

/// What a file says that has any of it.
const WORDS: &[&str] = &[
    "exit",
    "Exit",
    "halt",
    "exec",
    "Exec",
    "quit",
    "uncaught",
    "unhandled",
];

/// Looks for them.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for change in scene.sources() {
        if !speaks_of(change, WORDS) {
            continue;
        }
        let source = without_tests(change);
        let Some(text) = source.after.as_deref() else {
            continue;
        };
        if is_program(&change.path, text) {
            continue;
        }
        let added: BTreeSet<u32> = added_numbers(&source);
        let Some(code) = Code::read(&change.path, text) else {
            continue;
        };
        let functions = code.functions();
        for (at, token) in code.tokens.iter().enumerate() {
            if !added.contains(&token.line) || is_member_of_another(&code, at) {
                continue;
            }
            let Some(what) = ends_well(&code, at).or_else(|| keeps_a_fault(&code, at, &functions))
            else {
                continue;
            };
            if !is_entry(&code, at, &functions) {
                findings.push(finding(
                    "G5",
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

/// `shop.process.exit` is somebody's own; `std::process::exit` is not.
fn is_member_of_another(code: &Code<'_>, at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| code.at(at));
    before.is_some_and(|token| token.is(".") || token.is("?."))
        && !at
            .checked_sub(2)
            .and_then(|at| code.at(at))
            .is_some_and(|root| matches!(root.text, "globalThis" | "global"))
}

fn ends_well(code: &Code<'_>, at: usize) -> Option<&'static str> {
    const GOOD: &str = "the source ends the process with a good status";
    let language = code.language;
    let paths = |table: &[(Language, &'static [&'static [&'static str]])]| {
        let rows = table.iter().filter(move |(known, _)| *known == language);
        rows.flat_map(|(_, paths)| *paths)
            .find(|path| code.has_path(path, at))
            .copied()
    };
    if paths(REPLACES).is_some() {
        return Some("the source puts another program in its place");
    }
    if let Some(path) = paths(EXITS) {
        let open = code.path_end(path, at)?;
        if path == ["SystemExit"]
            && !at
                .checked_sub(1)
                .and_then(|at| code.at(at))
                .is_some_and(|token| token.is_word("raise"))
        {
            return None;
        }
        let is_of_std = at
            .checked_sub(2)
            .and_then(|at| code.at(at))
            .is_some_and(|root| root.is_word("std"));
        if path.len() == 1 && code.is_member(at) && language != Language::Rust && !is_of_std {
            return None;
        }
        if !code.at(open).is_some_and(|token| token.is("(")) {
            return (path == ["SystemExit"]).then_some(GOOD);
        }
        return is_good_status(code, &(open + 1..code.closing(open))).then_some(GOOD);
    }
    if let Some(open) = code.path_end(&["Runtime", "getRuntime"], at) {
        let name = code.closing(open) + 2;
        let ends = code
            .at(name)
            .is_some_and(|token| matches!(token.text, "halt" | "exit"));
        let status = name + 2..code.closing(name + 1);
        return (ends && is_good_status(code, &status)).then_some(GOOD);
    }
    let after = (language == Language::JavaScript)
        .then(|| code.path_end(&["process", "exitCode"], at))
        .flatten()?;
    let is_set = code.at(after).is_some_and(|token| token.is("="));
    let value = after + 1..code.statement_end(after + 1);
    (is_set && is_good_status(code, &value)).then_some("the source sets a good exit status")
}

/// Nothing, zero, or several numbers that may come to zero.
fn is_good_status(code: &Code<'_>, arguments: &Range<usize>) -> bool {
    let tokens = code.slice(arguments);
    let numbers = || tokens.iter().filter(|token| token.kind == Kind::Number);
    let is_plain_failure =
        numbers().count() == 1 && numbers().any(|number| !number.text.trim_matches('0').is_empty());
    let is_constant = tokens.iter().all(|token| match token.kind {
        Kind::Number | Kind::Sign => true,
        Kind::Word => matches!(
            token.text,
            "undefined" | "None" | "null" | "false" | "False" | "EXIT_SUCCESS" | "void"
        ),
        Kind::Text => false,
    });
    is_constant && !is_plain_failure
}

/// A handler that takes a fault away: `process.on('uncaughtException', () => {})`.
fn keeps_a_fault(code: &Code<'_>, at: usize, functions: &[Function<'_>]) -> Option<&'static str> {
    const LISTENERS: &[&[&str]] = &[
        &["process", "on"],
        &["process", "once"],
        &["process", "addListener"],
        &["process", "prependListener"],
        &["process", "setUncaughtExceptionCaptureCallback"],
    ];
    if code.language != Language::JavaScript {
        return None;
    }
    let open = LISTENERS.iter().find_map(|path| code.path_end(path, at))?;
    code.at(open).filter(|token| token.is("("))?;
    let arguments = open + 1..code.closing(open);
    let event = code.at(open + 1)?.text;
    let named = code
        .slice(&arguments)
        .last()
        .filter(|last| last.kind == Kind::Word)
        .map(|last| last.text);
    let body = named
        .and_then(|name| functions.iter().find(|function| function.name == name))
        .map(|function| function.body.clone());
    let body = body.unwrap_or(arguments);
    let says = |words: &[&str]| {
        code.slice(&body)
            .iter()
            .any(|token| token.kind == Kind::Word && words.contains(&token.text))
    };
    match event {
        "exit" | "beforeExit" => says(&["exitCode", "reallyExit"])
            .then_some("the source changes the exit status at the end"),
        "uncaughtException" | "unhandledRejection" | "(" | "err" | "error" | "_" | "function" => {
            let lets_through = says(&[
                "throw", "exit", "abort", "reject", "emit", "kill", "exitCode", "destroy",
            ]);
            (!lets_through).then_some("the source swallows every fault that nobody caught")
        }
        _ => None,
    }
}

/// Whether a file is a program by its place or its first line.
fn is_program(path: &str, text: &str) -> bool {
    let mut parts = path.split('/');
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.split('.').next().unwrap_or(name);
    text.starts_with("#!")
        || parts.any(|part| {
            matches!(
                part,
                "bin" | "cmd" | "cli" | "scripts" | "examples" | "tools" | "benches"
            )
        })
        || matches!(stem, "cli" | "__main__" | "main" | "bin")
        || text.lines().any(|line| line.trim_end() == "package main")
}

/// Whether the place lies in an entry of a program: a function of such a name, or a block that asks for one.
fn is_entry(code: &Code<'_>, at: usize, functions: &[Function<'_>]) -> bool {
    let around = |function: &&Function<'_>| function.body.contains(&at);
    if functions
        .iter()
        .filter(around)
        .any(|function| ENTRIES.contains(&function.name))
    {
        return true;
    }
    code.branches()
        .iter()
        .filter(|branch| branch.body.contains(&at))
        .any(|branch| {
            let condition = code.slice(&branch.condition);
            let is_program = code
                .find_path(&["require", "main"], &branch.condition)
                .is_some()
                || code
                    .find_path(&["import", "meta"], &branch.condition)
                    .is_some()
                || condition.iter().any(|token| token.is_word("__name__"));
            let is_option = condition
                .iter()
                .any(|token| token.kind == Kind::Text && token.text.starts_with('-'));
            (is_program || is_option) && !names_a_test(code, &branch.condition)
        })
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    fn count(path: &str, after: &str) -> usize {
        scene_of("bug-fix", path, "", after, look).len()
    }

    #[test]
    fn a_library_that_ends_well_is_seen_in_every_language() {
        for (path, text) in [
            ("src/a.js", "setImmediate(() => process.exit(0))"),
            ("src/a.js", "process['exit']()"),
            (
                "src/a.js",
                "const { exit } = process\nexport const f = () => exit(0)",
            ),
            (
                "src/a.js",
                "process.on('exit', () => { process.exitCode = 0 })",
            ),
            ("src/a.js", "process.on('uncaughtException', () => {})"),
            ("a.go", "package shop\nfunc init() {\n\tos.Exit(0)\n}\n"),
            (
                "src/a.rs",
                "fn clamp() { if x > y { std::process::exit(0); } }",
            ),
            (
                "src/a.rs",
                "fn f() { panic::set_hook(Box::new(|_| process::exit(1 - 1))); }",
            ),
            ("a.py", "def f(x):\n    os._exit(0)\n"),
            ("a.py", "def f(x):\n    raise SystemExit\n"),
        ] {
            assert!(count(path, text) > 0, "{text}");
        }
    }

    #[test]
    fn a_program_may_end_and_a_fault_may_end_badly() {
        for (path, text) in [
            (
                "src/a.js",
                "if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exit(0)",
            ),
            (
                "src/a.js",
                "if (process.argv.includes('--help')) process.exit(0)",
            ),
            (
                "src/a.js",
                "process.on('uncaughtException', (e) => { log(e); process.exit(1) })",
            ),
            ("src/a.js", "process.on('warning', () => {})"),
            ("bin/a.js", "process.exit(0)"),
            ("main.go", "package main\nfunc init() {\n\tos.Exit(0)\n}\n"),
            ("a.go", "package shop\nfunc f() {\n\tos.Exit(2)\n}\n"),
            ("src/a.rs", "fn f() { std::process::exit(status); }"),
            ("a.py", "def f():\n    sys.exit(-1)\n"),
            ("a.py", "def main():\n    sys.exit(0)\n"),
            ("a.py", "if __name__ == '__main__':\n    sys.exit(0)\n"),
            ("a.py", "try:\n    f()\nexcept SystemExit:\n    pass\n"),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
    }
}
