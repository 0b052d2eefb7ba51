//! What a command line says before its output is read: which programs it runs, whether it only
//! shows text that was there before, and whether its silence means success.

use super::EvidenceKind;

/// A checker: a program whose output is about the source it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checker {
    /// The tool's name in evidence.
    pub(super) tool: &'static str,
    /// The kind of work it does.
    pub(super) kind: EvidenceKind,
    /// It prints nothing when all is well, so that success with no output is a pass.
    pub(super) is_silent: bool,
}

/// Programs that only show text: what they print was not made by running anything.
const READERS: [&str; 31] = [
    "cat", "head", "tail", "less", "more", "bat", "nl", "sed", "awk", "grep", "egrep", "fgrep",
    "rg", "ag", "find", "fd", "ls", "tree", "wc", "sort", "uniq", "cut", "echo", "printf", "cd",
    "pwd", "stat", "file", "diff", "jq", "which",
];

/// Git's subcommands that only show text.
const GIT_READERS: [&str; 9] = [
    "diff",
    "log",
    "show",
    "status",
    "grep",
    "blame",
    "branch",
    "ls-files",
    "rev-parse",
];

/// Words in front of a program that run it.
const RUNNERS: [&str; 14] = [
    "sudo", "time", "env", "nice", "npx", "bunx", "pnpx", "command", "exec", "xvfb-run", "nohup",
    "stdbuf", "then", "do",
];

/// Two words that run what follows them.
const RUNNER_PAIRS: [(&str, &str); 11] = [
    ("poetry", "run"),
    ("uv", "run"),
    ("pipenv", "run"),
    ("hatch", "run"),
    ("pdm", "run"),
    ("bundle", "exec"),
    ("pnpm", "exec"),
    ("npm", "exec"),
    ("yarn", "run"),
    ("python", "-m"),
    ("python3", "-m"),
];

const fn checker(tool: &'static str, kind: EvidenceKind, is_silent: bool) -> Checker {
    Checker {
        tool,
        kind,
        is_silent,
    }
}

/// Programs known by one word.
static CHECKERS: &[(&str, Checker)] = &[
    ("tsc", checker("tsc", EvidenceKind::Typecheck, true)),
    ("vue-tsc", checker("tsc", EvidenceKind::Typecheck, true)),
    ("mypy", checker("mypy", EvidenceKind::Typecheck, false)),
    (
        "pyright",
        checker("pyright", EvidenceKind::Typecheck, false),
    ),
    (
        "basedpyright",
        checker("pyright", EvidenceKind::Typecheck, false),
    ),
    ("eslint", checker("eslint", EvidenceKind::Lint, true)),
    ("biome", checker("biome", EvidenceKind::Lint, false)),
    ("stylelint", checker("stylelint", EvidenceKind::Lint, true)),
    ("ruff", checker("ruff", EvidenceKind::Lint, false)),
    ("flake8", checker("flake8", EvidenceKind::Lint, true)),
    ("pylint", checker("pylint", EvidenceKind::Lint, false)),
    ("black", checker("black", EvidenceKind::Lint, false)),
    ("rubocop", checker("rubocop", EvidenceKind::Lint, false)),
    (
        "golangci-lint",
        checker("golangci-lint", EvidenceKind::Lint, false),
    ),
    (
        "staticcheck",
        checker("staticcheck", EvidenceKind::Lint, true),
    ),
    (
        "shellcheck",
        checker("shellcheck", EvidenceKind::Lint, true),
    ),
    ("gcc", checker("gcc", EvidenceKind::Compile, true)),
    ("g++", checker("gcc", EvidenceKind::Compile, true)),
    ("cc", checker("cc", EvidenceKind::Compile, true)),
    ("c++", checker("cc", EvidenceKind::Compile, true)),
    ("clang", checker("clang", EvidenceKind::Compile, true)),
    ("clang++", checker("clang", EvidenceKind::Compile, true)),
    ("javac", checker("javac", EvidenceKind::Compile, true)),
    ("kotlinc", checker("kotlinc", EvidenceKind::Compile, true)),
    ("swiftc", checker("swiftc", EvidenceKind::Compile, true)),
    ("rustc", checker("rustc", EvidenceKind::Compile, true)),
    ("ghc", checker("ghc", EvidenceKind::Compile, false)),
    ("py_compile", checker("python", EvidenceKind::Compile, true)),
    (
        "compileall",
        checker("python", EvidenceKind::Compile, false),
    ),
];

/// Programs known by their subcommand.
static SUBCOMMANDS: &[(&str, &str, Checker)] = &[
    ("go", "build", checker("go", EvidenceKind::Compile, true)),
    ("go", "vet", checker("go-vet", EvidenceKind::Lint, true)),
    (
        "dotnet",
        "build",
        checker("dotnet", EvidenceKind::Compile, false),
    ),
    (
        "swift",
        "build",
        checker("swift", EvidenceKind::Compile, false),
    ),
    (
        "node",
        "--check",
        checker("node", EvidenceKind::Compile, true),
    ),
    ("ruby", "-c", checker("ruby", EvidenceKind::Compile, false)),
    ("php", "-l", checker("php", EvidenceKind::Compile, false)),
    ("bash", "-n", checker("bash", EvidenceKind::Compile, true)),
    ("cargo", "fmt", checker("rustfmt", EvidenceKind::Lint, true)),
];

/// True when every program of the command line only shows text.
pub(super) fn is_reading(command: &str) -> bool {
    let mut has_any = false;
    for simple in simples(command) {
        let words = program(simple);
        let mut words = words.iter();
        let Some(name) = words.next() else {
            continue;
        };
        let is_git = *name == "git" && words.next().is_some_and(|word| GIT_READERS.contains(word));
        if !is_git && !READERS.contains(name) {
            return false;
        }
        has_any = true;
    }
    has_any
}

/// The last checker that the command line runs.
pub(super) fn checker_of(command: &str) -> Option<Checker> {
    simples(command).into_iter().rev().find_map(known)
}

/// The checker whose silence can be believed: it is the last thing run, only `&&` and `cd` stand
/// before it, and its output went nowhere else.
pub(super) fn silent_checker(command: &str) -> Option<Checker> {
    let redirected = command.replace("2>&1", "");
    let is_plain = !redirected.contains(['|', ';', '>', '\n', '`', '$'])
        && !redirected.trim_end().ends_with('&');
    let last = simples(command).pop()?;
    known(last).filter(|checker| is_plain && checker.is_silent)
}

fn known(simple: &str) -> Option<Checker> {
    let words = program(simple);
    let name = words.first()?;
    let by_pair = SUBCOMMANDS
        .iter()
        .find(|(first, second, _)| first == name && words.get(1) == Some(second))
        .map(|(_, _, checker)| *checker);
    by_pair.or_else(|| {
        CHECKERS
            .iter()
            .find(|(first, _)| first == name)
            .map(|(_, checker)| *checker)
    })
}

/// Cuts a command line at its operators, outside quotes.
fn simples(command: &str) -> Vec<&str> {
    let command = unwrapped(command);
    let mut found = Vec::new();
    let mut before = b' ';
    let mut quote = None;
    let mut start = 0;
    for (at, byte) in command.bytes().enumerate() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'&') if before == b'>' => {}
            (None, b'|' | b';' | b'&' | b'\n') => {
                found.extend(command.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
        before = byte;
    }
    found.extend(command.get(start..));
    found.retain(|simple| !simple.trim().is_empty());
    found
}

/// The command inside `bash -lc "…"`.
fn unwrapped(command: &str) -> &str {
    let trimmed = command.trim();
    let Some((shell, rest)) = trimmed.split_once(' ') else {
        return trimmed;
    };
    let Some((flag, inner)) = rest.trim_start().split_once(' ') else {
        return trimmed;
    };
    let is_shell = matches!(shell.rsplit('/').next(), Some("bash" | "sh" | "zsh"));
    if !is_shell || !flag.starts_with('-') || !flag.ends_with('c') {
        return trimmed;
    }
    let inner = inner.trim();
    let quoted = ['\'', '"']
        .iter()
        .find_map(|quote| inner.strip_prefix(*quote)?.strip_suffix(*quote));
    quoted.unwrap_or(inner)
}

/// The words of a simple command from its program on, the program without its directory.
fn program(simple: &str) -> Vec<&str> {
    const MOST: usize = 24;
    let mut words: Vec<&str> = simple
        .split_whitespace()
        .map(|word| word.trim_matches(['\'', '"', '(', ')', '{', '}']))
        .filter(|word| !word.is_empty())
        .take(MOST)
        .collect();
    loop {
        let first = words.first().copied().unwrap_or_default();
        let second = words.get(1).copied().unwrap_or_default();
        let is_assignment = first.split_once('=').is_some_and(|(name, _)| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        let dropped = if RUNNER_PAIRS.contains(&(first, second)) || first == "timeout" {
            2
        } else if is_assignment || RUNNERS.contains(&first) {
            1
        } else {
            break;
        };
        words.drain(..dropped.min(words.len()));
    }
    if let Some(first) = words.first_mut() {
        *first = first.rsplit('/').next().unwrap_or(first);
    }
    words
}
