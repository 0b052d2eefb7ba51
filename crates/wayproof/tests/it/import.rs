//! Imports of what real agents wrote down, through the gateway and past it, and exports of what came in.

use std::{fs, path::Path, process::Command};

use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::environment::{Environment, Said, path_with, tools};

const ASK: &str = "Run the tests and say what you see.";

/// A model that looks around, edits and says so.
fn play(model: &str) -> Play {
    Play::new(vec![Persona {
        model: model.to_owned(),
        steps: vec![
            Step::Shell("ls; false".to_owned()),
            Step::Shell("printf 'x\\n' >> notes.txt".to_owned()),
            Step::Say("Done.".to_owned()),
        ],
    }])
}

fn agent(environment: &Environment, command: &mut Command) {
    let bin = |folder: &str| tools().join(folder).join("node_modules/.bin");
    let node = tools().join("node24/node_modules/node/bin");
    let path = path_with(&[node, bin("claude"), bin("codex")]);
    command
        .env("PATH", path)
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("IS_SANDBOX", "1")
        .current_dir(environment.repo());
}

async fn said(mut command: Command) -> Said {
    tokio::task::spawn_blocking(move || Said::of(command.output().unwrap()))
        .await
        .unwrap()
}

/// What was written a moment ago is left for the next import, so a moment has to pass.
async fn a_moment() {
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
}

fn repo(environment: &Environment) {
    let mut fixture = environment.fixture();
    fixture.write("README.md", "# A place\n").unwrap();
    fixture.commit("Begin").unwrap();
}

fn tokens(row: &serde_json::Value) -> i64 {
    let counts = row["tokens"].as_array().unwrap();
    counts.iter().filter_map(serde_json::Value::as_i64).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_codes_own_log_is_imported_when_it_went_past_the_gateway() {
    let environment = Environment::new();
    repo(&environment);
    let script = play("claude-opus-4-8");
    let provider = Provider::start(move |request| script.answer(request))
        .await
        .unwrap();
    let mut claude = Command::new(tools().join("claude/node_modules/.bin/claude"));
    environment.clean(&mut claude);
    agent(&environment, &mut claude);
    claude
        .args([
            "--dangerously-skip-permissions",
            "--model",
            "claude-opus-4-8",
            "-p",
            ASK,
        ])
        .env("ANTHROPIC_BASE_URL", provider.url())
        .env("ANTHROPIC_AUTH_TOKEN", "sk-test")
        .stdin(std::process::Stdio::null());
    let told = said(claude).await;
    assert_eq!(told.status, 0, "{told:?}");
    let asked = provider.captured().len();
    provider.stop().await;
    a_moment().await;

    let first = environment.run(&["import", "claude-code", "--json"]).json();
    let counts = &first["agents"]["claude-code"];
    assert_eq!(
        (&counts["gaps"], &counts["proxied"]),
        (&0.into(), &0.into()),
        "{first:#}"
    );
    let imported = counts["imported"].as_u64().unwrap();
    assert!(
        imported >= 3 && imported <= asked as u64,
        "{first:#} of {asked}"
    );
    let spend = environment
        .run(&["ledger", "spend", "--by", "agent,provider,model", "--json"])
        .json();
    let row = &spend["rows"][0];
    assert_eq!(row["group"]["agent"], "claude-code", "{spend:#}");
    assert_eq!(row["group"]["model"], "claude-opus-4-8", "{spend:#}");
    assert!(
        tokens(row) > 0 && row["money"]["listed_nano_usd"].as_i64().unwrap() > 0,
        "{spend:#}"
    );
    let quality = environment.run(&["ledger", "quality", "--json"]).json();
    let did = &quality["activity"][0];
    assert!(
        did["tool_calls"].as_i64().unwrap() >= 2 && did["tool_failures"].as_i64().unwrap() >= 1,
        "{quality:#}"
    );
    let again = environment.run(&["import", "all"]);
    assert_eq!((again.status, again.out.as_str()), (0, "nothing is new\n"));
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
}

/// Runs an agent through the gateway and imports its log: every answer is the gateway's already.
async fn is_recognized(command: &[&str], provider_name: &str, model: &str, name: &str) {
    let environment = Environment::new();
    repo(&environment);
    fs::write(
        environment.repo().join("wayproof.toml"),
        format!("version = 1\n[class.fast]\ntargets = [\"{provider_name}/{model}\"]\n[class.strong]\ntargets = [\"{provider_name}/{model}\"]\n"),
    )
    .unwrap();
    let script = play(model);
    let provider = Provider::start(move |request| script.answer(request))
        .await
        .unwrap();
    let spec = format!("{provider_name}={}", provider.url());
    let ours = [
        "run",
        "--task",
        "documentation",
        "--tries",
        "1",
        "--provider",
        &spec,
        "--",
    ];
    let mut run = environment.wayproof(&[ours.as_slice(), command].concat());
    agent(&environment, &mut run);
    let told = said(run).await;
    provider.stop().await;
    a_moment().await;
    let spent = |environment: &Environment| {
        environment.run(&["ledger", "spend", "--json"]).json()["total"].clone()
    };
    let before = spent(&environment);
    assert!(
        before["exchanges"].as_i64().unwrap() >= 3,
        "{before:#} {told:?}"
    );
    let imported = environment.run(&["import", name, "--json"]).json();
    let counts = &imported["agents"][name];
    assert!(counts["proxied"].as_u64().unwrap() >= 3, "{imported:#}");
    assert_eq!(
        (&counts["imported"], &counts["gaps"]),
        (&0.into(), &0.into()),
        "{imported:#}"
    );
    assert_eq!(spent(&environment), before, "not a token twice");
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_claude_code_asked_through_the_gateway_is_recognized() {
    let command = ["claude", "--dangerously-skip-permissions", "-p", ASK];
    is_recognized(&command, "anthropic", "claude-opus-4-8", "claude-code").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_codex_asked_through_the_gateway_is_recognized() {
    let command = [
        "codex",
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        ASK,
    ];
    is_recognized(&command, "openai", "gpt-5.5", "codex").await;
}

fn write_log(environment: &Environment, text: &str) {
    let folder = environment.path("home/.claude/projects/p");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("s.jsonl"), text).unwrap();
}

fn answer(id: &str, model: &str) -> String {
    format!(
        "{{\"type\":\"assistant\",\"sessionId\":\"s\",\"timestamp\":\"2026-11-20T10:00:00Z\",\"cwd\":\"=HYPERLINK(1)\",\
         \"message\":{{\"id\":\"{id}\",\"model\":\"{model}\",\"stop_reason\":\"end_turn\",\"usage\":{{\"input_tokens\":1000000,\"output_tokens\":0}}}}}}\n"
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
fn exports_are_harmless_and_whole() {
    let environment = Environment::new();
    write_log(
        &environment,
        &(answer("m1", "=cmd|' /C calc'!A0") + &answer("m2", "claude-opus-4-8")),
    );
    assert_eq!(environment.run(&["import", "claude-code"]).status, 0);
    let csv = environment
        .run(&["ledger", "export", "--format", "csv"])
        .out;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.contains("\"'=cmd|' /C calc'!A0\""), "{csv}");
    let focus = environment
        .run(&["ledger", "export", "--format", "focus"])
        .out;
    assert!(focus.starts_with("BilledCost,BillingAccountId,"), "{focus}");
    assert!(
        focus.contains("2026-11-20T00:00:00Z") && focus.contains("2026-12-01T00:00:00Z"),
        "{focus}"
    );
    assert!(
        focus
            .lines()
            .skip(1)
            .all(|line| !line.starts_with(['=', '0'])),
        "unknown is not zero: {focus}"
    );
    let jsonl = environment
        .run(&["ledger", "export", "--format", "jsonl"])
        .out;
    let kinds: Vec<_> = jsonl
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            "exchange-imported",
            "exchange-imported",
            "session-started",
            "log-read"
        ]
    );
    let later = environment.run(&[
        "ledger",
        "export",
        "--format",
        "jsonl",
        "--since",
        "2026-11-21",
    ]);
    assert_eq!((later.status, later.out.as_str()), (0, ""));
    let out = environment.path("log");
    let tiles = environment.run(&[
        "ledger",
        "export",
        "--format",
        "tlog",
        "--out",
        out.to_str().unwrap(),
    ]);
    assert_eq!(tiles.json()["events"], 4);
    assert!(out.join("checkpoint").is_file() && out.join("tile/entries/000.p/4").is_file());
    for args in [
        ["--format", "tlog", "--since", "1d"].as_slice(),
        &[
            "--format",
            "tlog",
            "--out",
            out.to_str().unwrap(),
            "--since",
            "1d",
        ],
        &["--format", "xml"],
        &["--format", "csv", "--since", "x"],
    ] {
        let said = environment.run(&[["ledger", "export"].as_slice(), args].concat());
        assert_eq!(said.status, 2, "{said:?}");
    }
}

#[test]
fn a_backup_is_restored_elsewhere() {
    let environment = Environment::new();
    write_log(&environment, &answer("m1", "claude-opus-4-8"));
    environment.run(&["import", "claude-code"]);
    let file = environment.path("copy").to_string_lossy().into_owned();
    let made = environment.run(&["ledger", "backup", &file]);
    assert_eq!(made.status, 0, "{made:?}");
    assert!(made.out.contains("whole: 3 event(s)"), "{made:?}");
    assert_eq!(environment.run(&["ledger", "backup", &file]).status, 2);
    let other = environment.path("other").to_string_lossy().into_owned();
    let back = environment.run(&["ledger", "restore", &file, "--data", &other]);
    assert_eq!(back.status, 0, "{back:?}");
    assert_eq!(
        environment
            .run(&["ledger", "restore", &file, "--data", &other])
            .status,
        2
    );
    assert_eq!(
        environment
            .run(&["ledger", "restore", "/nowhere", "--data", &other])
            .status,
        2
    );
    let spend = environment
        .run(&["ledger", "spend", "--json", "--data", &other])
        .json();
    assert_eq!(spend["total"]["exchanges"], 1, "{spend:#}");
    fs::write(Path::new(&file), b"SQLite format 3\0 and nothing").unwrap();
    let broken = environment.run(&[
        "ledger",
        "restore",
        &file,
        "--data",
        &environment.path("third").to_string_lossy(),
    ]);
    assert_ne!(broken.status, 0, "{broken:?}");
}

#[test]
fn an_import_of_nothing_or_of_nobody() {
    let environment = Environment::new();
    let nothing = environment.run(&["import", "all"]);
    assert_eq!(
        (nothing.status, nothing.out.as_str()),
        (0, "nothing is new\n"),
        "{nothing:?}"
    );
    for args in [
        ["import", "cursor"].as_slice(),
        &["import"],
        &["import", "codex", "--home", "/nowhere/at/all"],
        &["import", "codex", "--since", "soon"],
        &["import", "codex", "--watch", "--dry-run"],
    ] {
        assert_eq!(environment.run(args).status, 2, "{args:?}");
    }
}
