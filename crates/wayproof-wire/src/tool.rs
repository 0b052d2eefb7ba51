//! What a tool call is about: its kind, the command it runs, the files it names.
//!
//! It refuses to know any tool's full schema; a handful of field names covers the agents in use.

use crate::json::{Json, unescape};
use crate::outcome::{Exit, ToolKind, ToolOutcome};

const SHELL: [&str; 14] = [
    "bash",
    "shell",
    "shell_command",
    "local_shell",
    "exec",
    "exec_command",
    "execute",
    "execute_command",
    "powershell",
    "run_command",
    "run_commands",
    "run_shell_command",
    "run_terminal_cmd",
    "terminal",
];
const EDIT: [&str; 17] = [
    "apply_patch",
    "create",
    "edit",
    "edit_file",
    "editor",
    "multiedit",
    "multi_edit",
    "notebookedit",
    "patch",
    "replace",
    "replace_in_file",
    "search_replace",
    "str_replace",
    "str_replace_editor",
    "write",
    "write_file",
    "write_to_file",
];
const READ: [&str; 12] = [
    "glob",
    "grep",
    "list",
    "ls",
    "read",
    "read_file",
    "read_files",
    "read_many_files",
    "search_file_content",
    "search_files",
    "view",
    "view_image",
];

/// Reads a call; how it ended is still to be filled in.
pub(crate) fn read_call(name: &str, input: &str) -> ToolOutcome {
    let mut outcome = ToolOutcome {
        call_id: String::new(),
        tool: name.to_owned(),
        kind: kind(name),
        command: None,
        paths: Vec::new(),
        exit: Exit::Unknown,
        text: String::new(),
    };
    let json = Json::new(input.as_bytes());
    if json.is_object() {
        read_arguments(json, &mut outcome);
    } else if outcome.kind == ToolKind::Shell {
        // Freeform code: the command is an argument of a call in it.
        outcome.command = Some(script_command(input).unwrap_or_else(|| input.to_owned()));
    }
    let patch = match &outcome.command {
        Some(command) => command.as_str(),
        None => input,
    };
    let may_patch = matches!(outcome.kind, ToolKind::Shell | ToolKind::Edit);
    if may_patch && patch.contains("*** Begin Patch") {
        outcome.paths.extend(patch_paths(patch));
        outcome.kind = ToolKind::Edit;
    }
    outcome
}

fn kind(name: &str) -> ToolKind {
    let name = name.to_ascii_lowercase();
    let is_in = |table: &[&str]| table.contains(&name.as_str());
    if is_in(&SHELL) {
        ToolKind::Shell
    } else if is_in(&EDIT) {
        ToolKind::Edit
    } else if is_in(&READ) {
        ToolKind::Read
    } else {
        ToolKind::Other
    }
}

fn read_arguments(arguments: Json<'_>, outcome: &mut ToolOutcome) {
    for (key, value) in arguments.fields() {
        match &*key {
            "command" | "cmd" | "script" | "commands" | "commandLine"
                if matches!(outcome.kind, ToolKind::Shell | ToolKind::Other) =>
            {
                outcome.command = command(value);
                outcome.kind = ToolKind::Shell;
            }
            "file_path" | "filePath" | "path" | "absolute_path" | "filename" | "target_file"
            | "notebook_path" => outcome.paths.extend(value.owned_text()),
            "paths" | "files" => outcome.paths.extend(value.elements().filter_map(|entry| {
                entry
                    .owned_text()
                    .or_else(|| entry.get("path")?.owned_text())
            })),
            // A patch, or an edit by a tool that takes the whole change as text.
            "input" | "patch" | "patchText" | "patch_text" => {
                if let Some(patch) = value.text() {
                    outcome.paths.extend(patch_paths(&patch));
                }
            }
            _ => {}
        }
    }
}

/// A command line, or an argument vector whose shell wrapper says nothing.
fn command(value: Json<'_>) -> Option<String> {
    if let Some(text) = value.owned_text() {
        return Some(text);
    }
    let words: Vec<String> = value.elements().filter_map(Json::owned_text).collect();
    let line = match words.as_slice() {
        [shell, flag, script] if is_shell(shell) && flag.starts_with('-') => script.clone(),
        _ => words.join(" "),
    };
    (!line.is_empty()).then_some(line)
}

fn is_shell(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    ["bash", "sh", "zsh"].contains(&name)
}

/// The string that a script such as `tools.exec_command({cmd: "…"})` gives as the command, in any kind of quotes.
fn script_command(script: &str) -> Option<String> {
    let (_, rest) = script.split_once("cmd")?;
    let rest = rest.trim_start_matches(['"', '\'']).trim_start();
    let rest = rest.strip_prefix(':')?.trim_start();
    let quote = rest
        .chars()
        .next()
        .filter(|first| "\"'`".contains(*first))?;
    let inner = rest.get(1..)?;
    let mut is_escaped = false;
    let end = inner.find(|next: char| {
        let is_end = next == quote && !is_escaped;
        is_escaped = next == '\\' && !is_escaped;
        is_end
    })?;
    Some(unescape(inner.get(..end)?.as_bytes()).into_owned())
}

fn patch_paths(patch: &str) -> Vec<String> {
    let marks = [
        "*** Update File: ",
        "*** Add File: ",
        "*** Delete File: ",
        "*** Move to: ",
    ];
    let path = |line: &str| {
        let found = marks.iter().find_map(|mark| line.strip_prefix(mark));
        found.map(|path| path.trim().to_owned())
    };
    patch.lines().filter_map(path).collect()
}
