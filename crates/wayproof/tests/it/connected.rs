//! Real agents with nothing but what `connect` wrote: each finds the gateway, calls a tool through it, and ends.
//!
//! The model is whatever the agent's settings ask for; the policy sends all of them to one scripted model.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use wayproof_testkit::{Captured, Persona, Play, Provider, Reply, Step};

use crate::{
    conformance,
    environment::{Environment, Said, path_with, tools},
    up::Up,
};

pub(crate) const ASK: &str =
    "Make a file named made.txt in this repository and say when you are done.";

const POLICY: &str = "version = 1\n[class.fast]\ntargets = [\"mock/m\"]\n[class.strong]\ntargets = [\"mock/m\"]\n\
    [class.max]\ntargets = [\"mock/m\"]\n[class.reviewer]\ntargets = [\"mock/m\"]\n";

/// The agent's name for `connect`, where it is installed, and how it is started.
pub(crate) struct Connected {
    pub(crate) name: &'static str,
    pub(crate) folder: &'static str,
    pub(crate) command: &'static [&'static str],
    /// The path it asks at.
    pub(crate) path: &'static str,
}

fn play() -> Play {
    Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![
            Step::Shell("echo made > made.txt".into()),
            Step::Say("It is made.".into()),
        ],
    }])
}

/// Starts the agent in a fresh home that only `connect` has written to, and waits for its end.
pub(crate) async fn launch(
    environment: &Environment,
    agent: &Connected,
    provider: &Provider,
) -> Said {
    let mut fixture = environment.fixture();
    fixture.write("wayproof.toml", POLICY).unwrap();
    fixture.write("README.md", "# here\n").unwrap();
    fixture.commit("begin").unwrap();
    let up = Up::start(environment, provider).await;
    let said = environment.run(&["connect", agent.name, "--no-check"]);
    assert_eq!(said.status, 0, "{said:?}");
    let mut command = Command::new(agent.command[0]);
    command
        .args(&agent.command[1..])
        .current_dir(environment.repo())
        .stdin(Stdio::null());
    environment.clean(&mut command);
    let node = tools().join("node24/node_modules/node/bin");
    let bin = tools().join(agent.folder).join("node_modules/.bin");
    let path = path_with(&[bin, tools().join(agent.folder).join("bin"), node]);
    command
        .env("PATH", path)
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("IS_SANDBOX", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("COPILOT_AUTO_UPDATE", "false")
        // Ten tries with growing waits are three minutes.
        .env("CLAUDE_CODE_MAX_RETRIES", "4")
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    if agent.name == "copilot-cli" {
        // What the step that `connect` prints puts into a shell's profile.
        let text = fs::read_to_string(environment.path("home/.copilot/wayproof.env")).unwrap();
        command.envs(text.lines().filter_map(|line| line.split_once('=')));
    }
    let said = tokio::task::spawn_blocking(move || Said::of(command.output().unwrap()))
        .await
        .unwrap();
    if agent.name == "cline" {
        end_background(&environment.repo());
    }
    assert_eq!(up.stop(), 0);
    said
}

/// The agent calls its tool, and ends.
async fn runs(
    agent: &Connected,
    answer: impl Fn(&Captured) -> Reply + Send + Sync + 'static,
) -> Vec<Captured> {
    let environment = Environment::new();
    let provider = Provider::start(answer).await.unwrap();
    let said = launch(&environment, agent, &provider).await;
    let captured = provider.captured();
    let paths: Vec<&str> = captured.iter().map(|one| one.path.as_str()).collect();
    assert!(
        environment.repo().join("made.txt").is_file(),
        "{}: {paths:?} {said:?}",
        agent.name
    );
    assert!(
        paths.iter().any(|path| path.contains(agent.path)),
        "{}: {paths:?}",
        agent.name
    );
    assert_eq!(said.status, 0, "{}: {said:?}", agent.name);
    let exchanges = environment.run(&["ledger", "exchanges", "--json"]).json();
    let answered = exchanges
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["model"] == "m" && one["outcome"] == "completed");
    assert!(answered.count() > 1, "{exchanges:#}");
    provider.stop().await;
    conformance::connected(agent.command[0]);
    captured
}

async fn works(agent: Connected) {
    let play = play();
    let captured = runs(&agent, move |request| play.answer(request)).await;
    let has_tools = matches!(
        agent.name,
        "claude-code" | "codex" | "gemini-cli" | "copilot-cli" | "opencode" | "qwen-code"
    );
    // Each names a server's tools in its own way; some show names alone until one is wanted.
    let is_offered = captured.iter().any(|one| {
        let body = String::from_utf8_lossy(&one.body);
        body.contains("wayproof") && body.contains("api_diff")
    });
    assert_eq!(is_offered, has_tools, "{}", agent.name);
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_works_once_connected() {
    works(Connected {
        name: "claude-code",
        folder: "claude",
        command: &["claude", "--dangerously-skip-permissions", "-p", ASK],
        path: "/v1/messages",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_works_once_connected() {
    works(Connected {
        name: "codex",
        folder: "codex",
        command: &[
            "codex",
            "exec",
            "--dangerously-bypass-approvals-and-sandbox",
            ASK,
        ],
        path: "/v1/responses",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_works_once_connected() {
    works(Connected {
        name: "gemini-cli",
        folder: "gemini",
        command: &["gemini", "--yolo", "--skip-trust", "-p", ASK],
        path: ":streamGenerateContent",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_works_once_connected() {
    works(Connected {
        name: "copilot-cli",
        folder: "copilot",
        command: &[
            "copilot",
            "--allow-all-tools",
            "--allow-all-paths",
            "-p",
            ASK,
        ],
        path: "/chat/completions",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opencode_works_once_connected() {
    works(Connected {
        name: "opencode",
        folder: "opencode",
        command: &["opencode", "run", ASK],
        path: "/chat/completions",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qwen_code_works_once_connected() {
    works(Connected {
        name: "qwen-code",
        folder: "qwen",
        command: &["qwen", "--yolo", "-p", ASK],
        path: "/chat/completions",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pi_works_once_connected() {
    works(Connected {
        name: "pi",
        folder: "pi",
        command: &["pi", "-p", ASK],
        path: "/chat/completions",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cline_works_once_connected() {
    works(Connected {
        name: "cline",
        folder: "cline",
        command: &["cline", ASK],
        path: "/chat/completions",
    })
    .await;
}

/// Ends what Cline leaves running for its next start in this repository.
fn end_background(repo: &Path) {
    let repo = repo.to_string_lossy().into_owned();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let said = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).into_owned();
        if said.contains("--cline-hub-daemon") && said.contains(&repo) {
            let id = entry.file_name();
            assert!(Command::new("kill").arg(id).status().unwrap().success());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn continue_works_once_connected() {
    works(Connected {
        name: "continue",
        folder: "continue",
        command: &["cn", "--auto", "-p", ASK],
        path: "/chat/completions",
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aider_works_once_connected() {
    let agent = Connected {
        name: "aider",
        folder: "aider",
        command: &[
            "aider",
            "--edit-format",
            "diff",
            "--yes-always",
            "--no-check-update",
            "--no-show-release-notes",
            "--no-gitignore",
            "--no-pretty",
            "--analytics-disable",
            "--message",
            ASK,
            "made.txt",
        ],
        path: "/chat/completions",
    };
    // aider has no tools: it edits by text, and asks for the words of the commit besides.
    let block = "made.txt\n```\n<<<<<<< SEARCH\n=======\nmade\n>>>>>>> REPLACE\n```\n";
    let says = |text: &str| {
        Play::new(vec![Persona {
            model: "m".into(),
            steps: vec![Step::Say(text.to_owned())],
        }])
    };
    let (edit, commit) = (says(block), says("feat: make a file"));
    runs(&agent, move |request| {
        let asks_for_words = String::from_utf8_lossy(&request.body).contains("commit message");
        if asks_for_words {
            commit.answer(request)
        } else {
            edit.answer(request)
        }
    })
    .await;
}
