//! Nothing that is written anywhere holds a secret: planted in prompts, tool outputs, headers, errors, logs of agents and
//! a change that is proven, and looked for in every byte that was written.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::json;
use wayproof_testkit::{Provider, Reply};

use crate::{
    environment::{Environment, Said},
    prove,
};

/// Secrets, put together here so that no scanner takes them for somebody's.
fn secret(seed: &str) -> String {
    format!("{}_{}{seed}W7e8R9t0Y1u2I3o4P5a6S7d8", "ghp", "A1b2C3d4E5f6")
}

/// A gateway whose log goes to a file.
struct Logged {
    child: Child,
    port: u16,
}

impl Logged {
    async fn start(environment: &Environment, provider: &Provider, capture: &str) -> Self {
        let port_file = environment.path("port");
        let log = fs::File::create(environment.path("gateway.log")).unwrap();
        let (port_text, spec) = (
            port_file.to_string_lossy().into_owned(),
            format!("anthropic={}", provider.url()),
        );
        let mut child = environment
            .wayproof(&[
                "up",
                "--listen",
                "127.0.0.1:0",
                "--port-file",
                &port_text,
                "--provider",
                &spec,
                "--capture",
                capture,
            ])
            .env("WAYPROOF_LOG", "debug")
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        loop {
            if let Ok(port) = fs::read_to_string(&port_file)
                .unwrap_or_default()
                .trim()
                .parse()
            {
                return Self { child, port };
            }
            assert!(child.try_wait().unwrap().is_none(), "the gateway ended");
            tokio::task::yield_now().await;
        }
    }

    fn post(&self, headers: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            socket,
            "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Every file below a folder that holds a text, but for those in `besides`.
fn holding(folder: &Path, text: &str, besides: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if besides.iter().any(|besides| name.ends_with(besides)) {
            continue;
        }
        if path.is_dir() {
            found.extend(holding(&path, text, besides));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        {
            found.push(name);
        }
    }
    found
}

fn stream(secret: &str) -> Reply {
    let mut events = vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": [], "stop_reason": null, "usage": {"input_tokens": 9, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    ];
    for piece in secret.as_bytes().chunks(5) {
        let piece = std::str::from_utf8(piece).unwrap();
        events.push(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}));
    }
    events.push(json!({"type": "content_block_stop", "index": 0}));
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}));
    events.push(json!({"type": "message_stop"}));
    Reply::events(events.into_iter().map(|event| {
        let kind = event["type"].as_str().unwrap().to_owned();
        format!("event: {kind}\ndata: {event}\n\n")
    }))
}

fn request(secrets: &[String], is_streaming: bool) -> String {
    let tool = format!(
        "running 1 test\ntest login ... FAILED\n\nfailures:\n\n---- login stdout ----\nthread 'login' panicked at src/lib.rs:3:5:\nassertion failed: {}\n\nfailures:\n    login\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n",
        secrets[1]
    );
    json!({
        "model": "claude-opus-5-5", "max_tokens": 64, "stream": is_streaming,
        "system": format!("You work in the shell. DB_PASSWORD={}", secrets[2]),
        "tools": [{"name": "Bash", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": format!("fix the crash; the token is {}", secrets[0])},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": format!("TOKEN={} cargo test", secrets[3])}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": tool}]},
        ]
    })
    .to_string()
}

/// What Claude Code would have written down.
fn write_log(environment: &Environment, secret: &str) {
    let folder = environment.path("home/.claude/projects/-repo");
    fs::create_dir_all(&folder).unwrap();
    let lines = [
        json!({"type": "user", "sessionId": "past", "cwd": "/repo", "timestamp": "2026-11-20T10:00:00.000Z", "version": "2.1.0", "message": {"role": "user", "content": format!("use {secret}")}, "uuid": "u1"}),
        json!({"type": "assistant", "sessionId": "past", "cwd": "/repo", "timestamp": "2026-11-20T10:00:05.000Z", "version": "2.1.0", "requestId": "req_1", "uuid": "u2", "gitBranch": format!("with-{secret}"),
            "message": {"id": "msg_past", "type": "message", "role": "assistant", "model": "claude-opus-4-8", "stop_reason": "end_turn", "content": [{"type": "text", "text": format!("done with {secret}")}], "usage": {"input_tokens": 11, "output_tokens": 5}}}),
        json!({"type": "user", "sessionId": "past", "cwd": "/repo", "timestamp": "2026-11-20T10:00:09.000Z", "message": "broken"}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let file = folder.join("past.jsonl");
    fs::write(&file, text).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_790_000_000);
    fs::File::options()
        .append(true)
        .open(&file)
        .unwrap()
        .set_modified(old)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn planted_secrets_are_written_nowhere() {
    let secrets: Vec<String> = ["Aa", "Bb", "Cc", "Dd", "Ee", "Ff", "Gg", "Hh", "Ii"]
        .iter()
        .map(|seed| secret(seed))
        .collect();
    let (said, refused) = (secrets[4].clone(), secrets[5].clone());
    let provider = Provider::start(move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if body.contains("please fail") {
            let error = json!({"type": "error", "error": {"type": "invalid_request_error", "message": format!("the key {refused} is wrong")}});
            return Reply::json(400, error.to_string());
        }
        stream(&said)
    })
    .await
    .unwrap();
    let environment = Environment::new();
    let mut fixture = prove::repository(&environment);
    let gateway = Logged::start(&environment, &provider, "redacted").await;
    let headers = format!(
        "x-api-key: {}\r\nauthorization: Bearer {}\r\nx-claude-code-session-id: session-1\r\nx-wayproof-repo: https://ana:{}@example.org/repo.git\r\nuser-agent: claude-cli/2.1.0\r\n",
        secrets[6], secrets[6], secrets[7]
    );
    let answer = gateway.post(&headers, &request(&secrets, true));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let failed = gateway.post(
        &headers,
        &request(&secrets, false).replace("fix the crash", "please fail"),
    );
    assert!(failed.starts_with("HTTP/1.1 400"), "{failed}");
    let wrong = gateway.post(
        &headers,
        &format!("{{\"model\": \"{}\", \"messages\": 3", secrets[0]),
    );
    assert!(wrong.starts_with("HTTP/1.1 4"), "{wrong}");
    gateway.stop();
    let exchange = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-wayproof-exchange: "))
        .unwrap()
        .to_owned();
    // An agent's log is imported, and a change is proven whose test fails with a secret.
    write_log(&environment, &secrets[8]);
    let mut told = vec![environment.run(&["import", "claude-code"])];
    fixture
        .write(
            "tests/leak.rs",
            &format!(
                "#[test]\nfn leaks() {{\n    assert_eq!(sum::sum(1, 1), 2, \"token {}\");\n}}\n",
                secrets[0]
            ),
        )
        .unwrap();
    fixture.commit("a test").unwrap();
    told.push(environment.run(&[
        "prove", "--task", "bug-fix", "--base", "HEAD~1", "--head", "HEAD",
    ]));
    told.push(environment.run(&["receipt", "show", "--markdown"]));
    told.push(environment.run(&["ledger", "show", &secrets[0]]));
    told.push(environment.run(&["ledger", "captured", &exchange]));
    told.push(environment.run(&["ledger", "export", "--format", "jsonl"]));
    told.push(environment.run(&["ledger", "exchanges", "--json"]));
    let verified = environment.run(&["ledger", "verify"]);
    assert_eq!(verified.status, 0, "{verified:?}");
    let captured = &told[4];
    assert!(
        captured.status == 0 && captured.out.contains("[redacted:github-token]"),
        "{captured:?}"
    );
    let notes = fixture
        .git(&["notes", "--ref", "refs/notes/wayproof", "list"])
        .unwrap_or_default();
    for secret in &secrets {
        // The repository and the agent's log are where they were planted, and not ours.
        let found = holding(&environment.path(""), secret, &["/repo", "/.claude"]);
        assert!(found.is_empty(), "{secret}: {found:?}");
        for said in &told {
            assert!(
                !said.out.contains(secret) && !said.err.contains(secret),
                "{secret}: {said:?}"
            );
        }
        assert!(!notes.contains(secret));
    }
    forgotten(&environment, &exchange);
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_has_less_kept_and_never_more() {
    let said = secret("Aa");
    let told = said.clone();
    let provider = Provider::start(move |_| stream(&told)).await.unwrap();
    // What the operator says, what the policy says, and what becomes of the secret.
    for (operator, policy, kept) in [
        ("full", "none", None),
        ("full", "redacted", Some("[redacted:github-token]")),
        ("redacted", "full", Some("[redacted:github-token]")),
        ("none", "full", None),
        ("full", "full", Some(said.as_str())),
    ] {
        let environment = Environment::new();
        prove::repository(&environment);
        let text = format!("version = 1\ncapture = \"{policy}\"\n");
        fs::write(environment.repo().join("wayproof.toml"), text).unwrap();
        let gateway = Logged::start(&environment, &provider, operator).await;
        let secrets: Vec<String> = vec![said.clone(); 4];
        let answer = gateway.post("", &request(&secrets, true));
        gateway.stop();
        let exchange = answer
            .lines()
            .find_map(|line| line.strip_prefix("x-wayproof-exchange: "))
            .unwrap();
        let captured = environment.run(&["ledger", "captured", exchange]);
        let fits = kept.map_or(captured.status != 0, |kept| captured.out.contains(kept));
        assert!(fits, "{operator} {policy}: {captured:?}");
    }
    provider.stop().await;
}

#[test]
fn receipts_that_name_somebody_go_and_notes_are_named() {
    let environment = Environment::new();
    let fixture = prove::repository(&environment);
    let folder = environment.data().join("receipts");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("theirs.intoto.jsonl"),
        "{\"reviewer\": \"bo\"}\n",
    )
    .unwrap();
    fs::write(
        folder.join("others.intoto.jsonl"),
        "{\"reviewer\": \"bob\"}\n",
    )
    .unwrap();
    // What is signed stands in base64: {"reviewer":"bo"}.
    let note = r#"{"payload":"eyJyZXZpZXdlciI6ImJvIn0="}"#;
    let add = ["notes", "--ref", "refs/notes/wayproof", "add", "-m", note];
    fixture.git(&add).unwrap();
    let head = fixture.git(&["rev-parse", "HEAD"]).unwrap();
    environment.run(&["people", "set", "bo", "--team", "core"]);
    let dry = environment.run(&["ledger", "forget", "--person", "bo", "--dry-run", "--json"]);
    assert_eq!(dry.status, 0, "{dry:?}");
    assert_eq!(dry.json()["receipt_files"], 1, "{dry:?}");
    assert_eq!(dry.json()["notes"][0]["objects"][0], head.trim());
    assert!(folder.join("theirs.intoto.jsonl").exists());
    let done = environment.run(&["ledger", "forget", "--person", "bo"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert!(
        done.out
            .contains("took 1 receipt(s) of the data directory away"),
        "{done:?}"
    );
    let command = format!("git notes --ref refs/notes/wayproof remove {}", head.trim());
    assert!(done.err.contains(&command), "{done:?}");
    assert!(!folder.join("theirs.intoto.jsonl").exists());
    assert!(folder.join("others.intoto.jsonl").exists());
    let nowhere = environment.run(&["ledger", "forget", "--person", "bo", "--repo", "/"]);
    assert_eq!(nowhere.status, 2, "{nowhere:?}");
}

/// What was captured goes with its conversation.
fn forgotten(environment: &Environment, exchange: &str) {
    let dry = environment.run(&[
        "ledger",
        "forget",
        "--session",
        "session-1",
        "--dry-run",
        "--json",
    ]);
    assert_eq!(dry.status, 0, "{dry:?}");
    assert_eq!(dry.json()["dry_run"], true);
    let done = environment.run(&["ledger", "forget", "--session", "session-1", "--json"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(done.json()["contents"], dry.json()["contents"]);
    assert!(done.json()["report"]["problem"].is_null(), "{done:?}");
    let captured = environment.run(&["ledger", "captured", exchange]);
    assert!(captured.out.contains("forgotten"), "{captured:?}");
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
    let again: Said = environment.run(&["ledger", "forget", "--session", "session-1"]);
    assert_eq!(again.status, 2, "{again:?}");
    for wrong in [
        &["ledger", "forget"][..],
        &["ledger", "forget", "--person", ""],
        &["ledger", "forget", "--session", "a", "--person", "b"],
    ] {
        assert_eq!(environment.run(wrong).status, 2, "{wrong:?}");
    }
}
