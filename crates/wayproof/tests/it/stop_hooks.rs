//! Real agents with the stop hook that `connect` wrote: one that says it is done while a test is red is sent back with
//! the one fact, mends it, and is let go.

use std::{
    fs,
    process::{Command, Stdio},
};

use serde_json::Value;
use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::{
    environment::{Environment, Said, path_with, tools},
    prove::repository,
    up::Up,
};

const ASK: &str = "fix the bug: the test two_and_three fails";

const POLICY: &str = "version = 1\n[class.fast]\ntargets = [\"mock/m\"]\n[class.strong]\ntargets = [\"mock/m\"]\n\
    [class.max]\ntargets = [\"mock/m\"]\n[class.reviewer]\ntargets = [\"mock/m\"]\n\
    [task.bug-fix]\nroute = \"strong\"\n[task.general]\nroute = \"strong\"\nproof = [\"failing-test-becomes-green\"]\n\
    [task.small-edit]\nroute = \"strong\"\nproof = [\"failing-test-becomes-green\"]\n";

fn source(sign: char) -> String {
    format!("printf 'pub fn sum(a: i32, b: i32) -> i32 {{\\n    a {sign} b\\n}}\\n' > src/lib.rs")
}

/// A model that makes it worse, says that it is done, and mends it once it is sent back.
async fn provider() -> Provider {
    let plays = |steps: Vec<Step>| {
        Play::new(vec![Persona {
            model: "m".into(),
            steps,
        }])
    };
    // What a model does next is told by the calls it made, so the one that was sent back has another play.
    let first = plays(vec![
        Step::Shell(source('*')),
        Step::Say("It is done.".into()),
    ]);
    let second = plays(vec![
        Step::Shell(source('*')),
        Step::Shell(source('+')),
        Step::Say("Now it is done.".into()),
    ]);
    Provider::start(move |request| {
        let body = String::from_utf8_lossy(&request.body);
        if body.contains("came out REFUTED") {
            second.answer(request)
        } else {
            first.answer(request)
        }
    })
    .await
    .unwrap()
}

/// Starts an agent that first makes it worse and says that it is done.
async fn is_sent_back(name: &str, folder: &str, command: &[&str]) {
    let environment = Environment::new();
    let mut fixture = repository(&environment);
    fixture.write("wayproof.toml", POLICY).unwrap();
    fixture.commit("policy").unwrap();
    let provider = provider().await;
    let up = Up::start(&environment, &provider).await;
    let said = environment.run(&["connect", name, "--no-check"]);
    assert_eq!(said.status, 0, "{said:?}");
    let mut agent = Command::new(command[0]);
    agent
        .args(&command[1..])
        .arg(ASK)
        .current_dir(environment.repo())
        .stdin(Stdio::null());
    environment.clean(&mut agent);
    let bin = tools().join(folder).join("node_modules/.bin");
    let node = tools().join("node24/node_modules/node/bin");
    agent
        .env("PATH", path_with(&[bin, node]))
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("IS_SANDBOX", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("COPILOT_AUTO_UPDATE", "false");
    if name == "copilot-cli" {
        let text = fs::read_to_string(environment.path("home/.copilot/wayproof.env")).unwrap();
        agent.envs(text.lines().filter_map(|line| line.split_once('=')));
    }
    let said = tokio::task::spawn_blocking(move || Said::of(agent.output().unwrap()))
        .await
        .unwrap();
    let requests: Vec<String> = provider
        .captured()
        .iter()
        .map(|one| String::from_utf8_lossy(&one.body).into_owned())
        .collect();
    // The fact came from the proof: the test that was there and fails now.
    let told = requests
        .iter()
        .find(|body| body.contains("two_and_three") && body.contains("REFUTED"));
    assert!(
        told.is_some(),
        "{name}: {} requests, {said:?}",
        requests.len()
    );
    let text = fs::read_to_string(environment.repo().join("src/lib.rs")).unwrap();
    assert!(text.contains("a + b"), "{name}: {text} {said:?}");
    assert_eq!(said.status, 0, "{name}: {said:?}");
    // A gateway that runs carries its newest events over a moment later.
    assert_eq!(up.stop(), 0);
    is_one_proven_job(&environment, name);
    provider.stop().await;
}

/// The agent's own job has both proofs, the receipt and what the model's turns cost, and nobody else's has.
fn is_one_proven_job(environment: &Environment, name: &str) {
    let said = environment.run(&["ledger", "jobs", "--json"]);
    let jobs = said.json();
    let proven: Vec<&Value> = jobs
        .as_array()
        .unwrap()
        .iter()
        .filter(|job| job["proofs"] != 0)
        .collect();
    let [job] = proven.as_slice() else {
        panic!("{name}: {jobs:#}");
    };
    assert_eq!(job["verdict"], "PROVEN", "{name}: {job:#}");
    assert_eq!(job["proofs"], 2, "{name}: {job:#}");
    assert!(job["closed_us"].is_i64(), "{name}: {job:#}");
    assert!(job["receipt_digest"].is_string(), "{name}: {job:#}");
    assert!(job["exchanges"].as_i64() >= Some(4), "{name}: {job:#}");
    let id = job["id"].as_str().unwrap();
    let story = environment.run(&["ledger", "show", id, "--json"]);
    let story = story.json();
    let events = story["events"].as_array().unwrap();
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    let count = |kind: &str| kinds.iter().filter(|one| **one == kind).count();
    // What was refuted is evidence for the next turn.
    assert_eq!(count("evidence-noted"), 2, "{name}: {story:#}");
    assert_eq!(count("receipt-issued"), 2, "{name}: {story:#}");
    assert_eq!(count("job-closed"), 1, "{name}: {story:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_is_sent_back() {
    is_sent_back(
        "claude-code",
        "claude",
        &["claude", "--dangerously-skip-permissions", "-p"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_is_sent_back() {
    is_sent_back(
        "gemini-cli",
        "gemini",
        &["gemini", "--yolo", "--skip-trust", "-p"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn qwen_code_is_sent_back() {
    is_sent_back("qwen-code", "qwen", &["qwen", "--yolo", "-p"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_is_sent_back() {
    is_sent_back(
        "copilot-cli",
        "copilot",
        &["copilot", "--allow-all-tools", "--allow-all-paths", "-p"],
    )
    .await;
}
