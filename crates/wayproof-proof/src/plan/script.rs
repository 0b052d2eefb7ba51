//! Reads a package's test script without a shell and says which test runner it would start.
//!
//! It never runs the script: operators such as `|| true` and wrappers that measure coverage fall away, and a
//! script it does not understand yields nothing.

use std::collections::BTreeMap;

/// A JavaScript test runner with the arguments its script gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScriptCommand {
    /// Which runner.
    pub runner: ScriptRunner,
    /// The runner's own arguments, without its name.
    pub args: Vec<String>,
}

/// The runners that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScriptRunner {
    /// `vitest run`
    Vitest,
    /// `jest`
    Jest,
    /// `mocha`
    Mocha,
    /// `ava`
    Ava,
    /// `node --test`
    NodeTest,
    /// `tape` files, each a program that prints TAP.
    Tape,
    /// `tap` (node-tap) files, each a program that prints TAP.
    Tap,
    /// `node file.js`: a program that prints TAP or only ends well.
    Program,
}

/// The test commands of the script `name`, following `npm run` references.
pub(crate) fn commands(scripts: &BTreeMap<String, String>, name: &str) -> Vec<ScriptCommand> {
    let mut found = Vec::new();
    follow(scripts, name, 0, &mut found);
    found
}

fn follow(
    scripts: &BTreeMap<String, String>,
    name: &str,
    depth: u8,
    found: &mut Vec<ScriptCommand>,
) {
    let Some(script) = scripts.get(name) else {
        return;
    };
    if depth > 5 {
        return;
    }
    for words in simple_commands(script) {
        match understand(&words) {
            Some(Step::Script(other)) => follow(scripts, &other, depth + 1, found),
            Some(Step::Runner(command)) => found.push(command),
            None => {}
        }
    }
}

enum Step {
    Script(String),
    Runner(ScriptCommand),
}

fn understand(words: &[String]) -> Option<Step> {
    let mut words = words;
    loop {
        let (first, rest) = words.split_first()?;
        let program = first.rsplit('/').next().unwrap_or(first);
        let is_setting = first
            .split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
        if is_setting || matches!(program, "npx" | "cross-env" | "env" | "dotenv" | "--") {
            words = rest;
            continue;
        }
        let runner = match program {
            "nyc" | "c8" | "istanbul" => {
                words = skip_options(rest);
                continue;
            }
            "npm" | "yarn" | "pnpm" | "bun" => return script_reference(rest),
            "vitest" => ScriptRunner::Vitest,
            "jest" => ScriptRunner::Jest,
            "mocha" | "_mocha" => ScriptRunner::Mocha,
            "ava" => ScriptRunner::Ava,
            "tape" => ScriptRunner::Tape,
            "tap" => ScriptRunner::Tap,
            "node" => return Some(Step::Runner(node_command(rest)?)),
            _ => return None,
        };
        return Some(Step::Runner(ScriptCommand {
            runner,
            args: rest.to_vec(),
        }));
    }
}

/// Skips a coverage wrapper's options, which may take values, up to a program that is known.
fn skip_options(words: &[String]) -> &[String] {
    const PROGRAMS: &[&str] = &[
        "vitest", "jest", "mocha", "_mocha", "ava", "tape", "tap", "node", "npm", "yarn", "pnpm",
    ];
    let is_program = |word: &String| PROGRAMS.contains(&word.rsplit('/').next().unwrap_or(word));
    let at = words.iter().position(is_program).unwrap_or(words.len());
    words.get(at..).unwrap_or_default()
}

fn script_reference(words: &[String]) -> Option<Step> {
    let mut words = words.iter().filter(|word| !word.starts_with('-'));
    let first = words.next()?;
    let name = match first.as_str() {
        "run" | "run-script" => words.next()?,
        "exec" | "install" | "ci" => return None,
        _ => first,
    };
    Some(Step::Script(name.clone()))
}

fn node_command(args: &[String]) -> Option<ScriptCommand> {
    if args.iter().any(|arg| arg == "--test") {
        let args = args
            .iter()
            .filter(|arg| *arg != "--test" && !arg.starts_with("--test-reporter"))
            .cloned()
            .collect();
        return Some(ScriptCommand {
            runner: ScriptRunner::NodeTest,
            args,
        });
    }
    let script = args.iter().find(|arg| !arg.starts_with('-'))?;
    let tool = script.rsplit('/').next().unwrap_or(script);
    let runner = match tool {
        "mocha" | "_mocha" | "mocha.js" => ScriptRunner::Mocha,
        "jest" | "jest.js" if script.contains("node_modules") => ScriptRunner::Jest,
        "tape" if script.contains("node_modules") => ScriptRunner::Tape,
        _ => {
            return Some(ScriptCommand {
                runner: ScriptRunner::Program,
                args: args.to_vec(),
            });
        }
    };
    let after = args
        .iter()
        .skip_while(|arg| *arg != script)
        .skip(1)
        .cloned()
        .collect();
    Some(ScriptCommand {
        runner,
        args: after,
    })
}

/// Splits a script at its operators into the words of each simple command.
fn simple_commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = script.chars().peekable();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\n') => end_word(&mut commands, &mut word),
            (None, '&' | '|' | ';') => {
                end_word(&mut commands, &mut word);
                commands.push(Vec::new());
            }
            (None, '>') => {
                // A redirection hides output from people, not from us.
                end_word(&mut commands, &mut word);
                while letters
                    .next_if(|next| *next == ' ' || *next == '&' || *next == '>')
                    .is_some()
                {}
                while letters
                    .next_if(|next| !next.is_whitespace() && !"&|;".contains(*next))
                    .is_some()
                {}
            }
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    end_word(&mut commands, &mut word);
    commands.retain(|command| !command.is_empty());
    commands
}

fn end_word(commands: &mut [Vec<String>], word: &mut Option<String>) {
    if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
        command.push(word);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ScriptCommand, ScriptRunner, commands};

    fn read(script: &str) -> Vec<ScriptCommand> {
        let scripts = [
            ("test", script),
            ("unit", "cross-env NODE_ENV=test mocha 'test/**/*.js'"),
            ("lint", "eslint ."),
        ];
        commands(
            &scripts
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into_iter()
                .collect::<BTreeMap<_, _>>(),
            "test",
        )
    }

    #[test]
    fn scripts_are_understood_without_a_shell() {
        let table = [
            ("tape 'test/*.js'", ScriptRunner::Tape, vec!["test/*.js"]),
            (
                "npm run lint && npm run unit",
                ScriptRunner::Mocha,
                vec!["test/**/*.js"],
            ),
            (
                "nyc --reporter lcov tap test.js || true",
                ScriptRunner::Tap,
                vec!["test.js"],
            ),
            (
                "eslint . && node --test test/ > out.txt",
                ScriptRunner::NodeTest,
                vec!["test/"],
            ),
            (
                "NODE_ENV=test ./node_modules/.bin/jest --ci",
                ScriptRunner::Jest,
                vec!["--ci"],
            ),
            ("node test.js", ScriptRunner::Program, vec!["test.js"]),
            (
                "vitest run \"a b\"",
                ScriptRunner::Vitest,
                vec!["run", "a b"],
            ),
        ];
        for (script, runner, args) in table {
            let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
            assert_eq!(read(script), [ScriptCommand { runner, args }], "{script}");
        }
    }

    #[test]
    fn a_script_that_runs_nothing_is_nothing() {
        assert!(
            read("true").is_empty()
                && read("npm run missing").is_empty()
                && read("npm run test").is_empty()
        );
    }
}
