//! Official SDKs against the gateway: what it says parses under their types, whoever answers.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use wayproof_testkit::{Captured, Persona, Play, Provider, Reply, Step};

use crate::{
    conformance,
    environment::{Environment, Said, tools},
};

/// What the scripted model says.
const SAID: &str = "It is \u{1f600} \"done\".";

fn answer(play: &Play, request: &Captured) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    if path.ends_with("/embeddings") {
        Reply::json(
            200,
            r#"{"object":"list","model":"e","data":[{"object":"embedding","index":0,"embedding":[0.5,-1]}],"usage":{"prompt_tokens":3,"total_tokens":3}}"#,
        )
    } else if path == "/api/embed" {
        Reply::json(
            200,
            r#"{"model":"e","embeddings":[[0.5,-1]],"prompt_eval_count":3}"#,
        )
    } else if path.ends_with(":batchEmbedContents") {
        Reply::json(200, r#"{"embeddings":[{"values":[0.5,-1]}]}"#)
    } else {
        play.answer(request)
    }
}

/// Runs a program that asks a gateway with a provider of each protocol, and says how many checks held.
async fn asks(
    environment: &Environment,
    program: impl FnOnce(&str) -> Command + Send + 'static,
) -> String {
    environment.fixture();
    let say = || Step::Say(SAID.to_owned());
    let persona = |model: &str, steps| Persona {
        model: model.to_owned(),
        steps,
    };
    let play = Play::new(vec![
        persona("m", vec![say()]),
        // One that calls the tool it is offered first.
        persona("t", vec![Step::Shell("ls".to_owned()), say()]),
    ]);
    let provider = Provider::start(move |request| answer(&play, request))
        .await
        .unwrap();
    let port_file = environment.path("port");
    let mut up = environment.wayproof(&["up", "--listen", "127.0.0.1:0"]);
    up.arg("--port-file").arg(&port_file);
    for protocol in ["chat", "messages", "responses", "ollama", "gemini"] {
        let spec = format!(
            "{protocol}={},protocol={protocol},key-env=KEY",
            provider.url()
        );
        up.args(["--provider", &spec]);
    }
    let mut gateway = up
        .env("KEY", "sk-scripted")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let port: u16 = loop {
        let port = fs::read_to_string(&port_file).unwrap_or_default();
        if let Ok(port) = port.trim().parse() {
            break port;
        }
        assert!(gateway.try_wait().unwrap().is_none(), "the gateway ended");
        tokio::task::yield_now().await;
    };
    let mut asking = program(&format!("http://127.0.0.1:{port}"));
    environment.clean(&mut asking);
    let said = tokio::task::spawn_blocking(move || Said::of(asking.output().unwrap()))
        .await
        .unwrap();
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    assert_eq!(said.status, 0, "{}\n{}", said.out, said.err);
    provider.stop().await;
    said.out
}

#[tokio::test(flavor = "multi_thread")]
async fn official_sdks_understand_the_gateway() {
    let environment = Environment::new();
    let said = asks(&environment, |gateway| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sdks.py");
        let mut python = Command::new(tools().join("sdks/bin/python"));
        python.args([script, gateway, SAID]);
        python
    });
    assert!(said.await.ends_with("74 checks hold\n"));
    conformance::understood("python");
}

#[tokio::test(flavor = "multi_thread")]
async fn official_sdks_for_node_understand_the_gateway() {
    let environment = Environment::new();
    let said = asks(&environment, |gateway| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sdks.mjs");
        let mut node = Command::new(tools().join("node24/node_modules/node/bin/node"));
        node.args([script, gateway, SAID])
            .arg(tools().join("sdks-js"));
        node
    });
    let said = said.await;
    assert!(said.ends_with("115 checks hold\n"), "{said}");
    conformance::understood("node");
}

/// The body of a request in a golden file, after what was lost on the way.
fn translated(file: &Path) -> Option<Value> {
    let text = fs::read_to_string(file).unwrap();
    let (_, body) = text.split_once("\n{")?;
    serde_json::from_str(&format!("{{{body}")).ok()
}

#[test]
fn translated_requests_parse_under_the_sdks_types() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wayproof-wire/testdata");
    let (mut folders, mut lines) = (vec![golden.clone()], String::new());
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let protocol = name
                .strip_prefix("to-")
                .and_then(|name| name.strip_suffix(".snap"));
            if path.is_dir() {
                folders.push(path);
            } else if let Some(protocol @ ("messages" | "chat" | "responses" | "gemini")) = protocol
                && let Some(body) = translated(&path)
            {
                let case = path.strip_prefix(&golden).unwrap();
                let line = json!({"case": case, "protocol": protocol, "body": body});
                writeln!(lines, "{line}").unwrap();
                count += 1;
            }
        }
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sdk_types.py");
    let mut python = Command::new(tools().join("sdks/bin/python"))
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    drop(input);
    let said = Said::of(python.wait_with_output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    let last = said.out.lines().last().unwrap();
    let read: usize = last
        .split(['=', ' '])
        .filter_map(|word| word.parse::<usize>().ok())
        .sum();
    assert!(read == count && count > 150, "{last}");
    assert_eq!(said.out.lines().count(), 1, "{}", said.out);
}
