//! Prints the reference pages from what the program knows of itself, so that they cannot drift.

use std::{fmt::Write, process::ExitCode};

use anyhow::Result;
use clap::{Arg, Command, CommandFactory};

use crate::{
    cli::{Cli, ReferencePage},
    terminal::print,
};

/// Prints a page.
pub(crate) fn run(page: ReferencePage) -> Result<ExitCode> {
    let text = match page {
        ReferencePage::Cli => cli()?,
        ReferencePage::Policy => policy(),
        ReferencePage::Openapi => serde_json::to_string_pretty(&wayproof_dashboard::read_api())?,
    };
    print(text.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn cli() -> Result<String> {
    let mut page = String::from(
        "# Command line\n\nGenerated from the program. `wayproof <command> --help` says the same.\n",
    );
    let mut root = Cli::command();
    root.build();
    for command in root
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        section(
            &mut page,
            &format!("wayproof {}", command.get_name()),
            command,
        )?;
    }
    Ok(page)
}

fn section(page: &mut String, name: &str, command: &Command) -> Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let about = command.get_long_about().or_else(|| command.get_about());
    writeln!(
        page,
        "\n## `{name}`\n\n{}",
        about.map(ToString::to_string).unwrap_or_default()
    )?;
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
        })
        .collect();
    if !arguments.is_empty() {
        writeln!(page, "\n| argument | meaning |\n|---|---|")?;
    }
    for argument in arguments {
        let help = argument.get_long_help().or_else(|| argument.get_help());
        let help = help
            .map(ToString::to_string)
            .unwrap_or_default()
            .replace('\n', " ")
            .replace('|', "\\|");
        let default: Vec<_> = argument
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy())
            .collect();
        let takes_value = argument.get_action().takes_values();
        let default = if default.is_empty() || !takes_value {
            String::new()
        } else {
            format!(" Default: `{}`.", default.join(" "))
        };
        writeln!(
            page,
            "| `{}` | {help}{default} |",
            spelling(argument).replace('|', "\\|")
        )?;
    }
    for nested in command
        .get_subcommands()
        .filter(|nested| !nested.is_hide_set())
    {
        section(page, &format!("{name} {}", nested.get_name()), nested)?;
    }
    Ok(())
}

fn spelling(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let value = values
        .iter()
        .map(|value| format!("<{value}>"))
        .collect::<Vec<_>>()
        .join(" ");
    match argument.get_long() {
        Some(long) if argument.get_action().takes_values() => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    }
}

/// The policy's page is the commented matrix itself.
fn policy() -> String {
    format!(
        "# Policy file\n\nGenerated from the program. Without a `wayproof.toml` this built-in matrix holds; a file changes it key by key.\n\
         The JSON Schema is in [schema/policy.schema.json](../../schema/policy.schema.json).\n\n```toml\n{}\n```\n",
        wayproof_engine::Policy::builtin_text().trim_end()
    )
}
