//! The README stays true: every command in it is understood, and the ones that need nothing are run.

use std::fs;

use crate::environment::Environment;

fn commands() -> Vec<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let text = fs::read_to_string(format!("{root}/README.md")).unwrap();
    let blocks = text
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks
        .flat_map(str::lines)
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect()
}

/// Splits a line as a shell would split the simple quoting that the README uses.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, piece) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_two_commands_that_do_everything_are_there() {
    let commands = commands();
    assert!(
        commands.contains(&"cargo run --release -- demo".to_owned()),
        "{commands:?}"
    );
    assert!(
        commands.contains(&"cargo xtask test".to_owned()),
        "{commands:?}"
    );
}

#[test]
fn every_command_of_ours_is_understood() {
    let environment = Environment::new();
    for line in commands() {
        let words = words(&line);
        if words.first().is_none_or(|word| word != "wayproof") {
            assert!(
                line.starts_with("cargo "),
                "unknown command in the README: {line}"
            );
            continue;
        }
        // Everything up to the agent's own command line, with help asked for, goes through the real parser.
        let ours: Vec<&str> = words
            .iter()
            .skip(1)
            .map(String::as_str)
            .take_while(|word| *word != "--")
            .collect();
        let said = environment.run(&[ours.as_slice(), &["--help"]].concat());
        assert_eq!(said.status, 0, "{line}: {}", said.err);
    }
}

#[test]
fn the_policy_commands_do_what_it_says() {
    let environment = Environment::new();
    let fixture = environment.fixture();
    for line in commands()
        .iter()
        .filter(|line| line.starts_with("wayproof policy"))
    {
        let words = words(line);
        let said = environment.run(&words[1..]);
        assert_eq!(said.status, 0, "{line}: {}", said.err);
    }
    assert!(fixture.root().join("wayproof.toml").is_file());
}
