//! The doctor and the status line: what they say of a gateway, its providers and connected agents.

use std::{
    fs,
    io::{Read as _, Write as _},
};

use serde_json::Value;
use wayproof_testkit::{Captured, Persona, Play, Provider, Reply, Step};

use crate::{
    connect::connect,
    environment::{Environment, Said},
    up::Up,
};

/// A model that calls whatever tool the doctor offers.
async fn provider() -> Provider {
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Shell("ready".into()), Step::Say("ready".into())],
    }]);
    Provider::start(move |request| play.answer(request))
        .await
        .unwrap()
}

const POLICY: &str =
    "version = 1\n[class.fast]\ntargets = [\"mock/m\"]\n[class.strong]\ntargets = [\"mock/m\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_goes_round_through_the_gateway() {
    let provider = provider().await;
    let environment = Environment::new();
    environment
        .fixture()
        .write("wayproof.toml", POLICY)
        .unwrap();
    let up = Up::start(&environment, &provider).await;
    for agent in ["claude-code", "codex", "gemini-cli", "aider"] {
        let said = connect(&environment, agent);
        assert!(said.out.contains("checked: "), "{said:?}");
    }
    let said = environment.run(&["doctor", "--json"]);
    let findings = said.json();
    let trips: Vec<&Value> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["check"] == "round-trip")
        .collect();
    assert_eq!(trips.len(), 4, "{findings:#}");
    for trip in trips {
        assert!(
            trip["fact"].as_str().unwrap().contains("mock/m"),
            "{trip:#}"
        );
    }
    let sockets: Vec<&Value> = findings["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["check"] == "websocket")
        .collect();
    assert_eq!(sockets.len(), 1, "{findings:#}");
    assert_eq!(sockets[0]["agent"], "codex");
    let fact = sockets[0]["fact"].as_str().unwrap();
    assert!(
        fact.starts_with("a turn and one that said only what was new on a WebSocket in "),
        "{fact}"
    );
    assert_eq!(
        (said.status, &findings["ok"]),
        (0, &Value::Bool(true)),
        "{findings:#}"
    );
    let paths: Vec<String> = provider
        .captured()
        .iter()
        .map(|one| one.path.clone())
        .collect();
    for part in [
        "/messages",
        "/responses",
        "/chat/completions",
        ":streamGenerateContent",
    ] {
        assert!(paths.iter().any(|path| path.contains(part)), "{paths:?}");
    }
    assert_eq!(up.stop(), 0);
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_what_is_wrong_and_how_to_mend_it() {
    let provider = provider().await;
    let environment = Environment::new();
    environment
        .fixture()
        .write("wayproof.toml", POLICY)
        .unwrap();
    let up = Up::start(&environment, &provider).await;
    connect(&environment, "claude-code");
    connect(&environment, "aider");
    // Settings that drifted, a missing hook and a broken policy are told with their fix.
    let file = environment.path("home/.claude/settings.json");
    let text = fs::read_to_string(&file)
        .unwrap()
        .replace("\"Stop\"", "\"Start\"");
    fs::write(&file, text).unwrap();
    fs::write(environment.repo().join("wayproof.toml"), "version = 9\n").unwrap();
    let said = environment.run(&["doctor", "claude"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("the stop hook is missing"), "{said:?}");
    assert!(
        said.out
            .contains("fix: wayproof connect claude-code --gateway"),
        "{said:?}"
    );
    assert!(said.out.contains("fix: wayproof policy check"), "{said:?}");
    // The provider goes away.
    provider.stop().await;
    let said = environment.run(&["doctor", "aider"]);
    assert!(
        said.status == 1 && said.out.contains("mock cannot be reached"),
        "{said:?}"
    );
    assert_eq!(up.stop(), 0);
    let said = environment.run(&["doctor", "aider"]);
    assert!(
        said.status == 1 && said.out.contains("nobody listens at"),
        "{said:?}"
    );
}

/// A front that lets no upgrade through, as some proxies do not.
async fn without_upgrades(port: u16) -> Provider {
    Provider::start(move |request| {
        if request.header("upgrade").is_some() {
            return Reply::json(426, r#"{"error":{"message":"no sockets here"}}"#);
        }
        // What it asks runs in this process, too.
        tokio::task::block_in_place(|| relayed(port, request))
    })
    .await
    .unwrap()
}

/// What the gateway behind the front says.
fn relayed(port: u16, request: &Captured) -> Reply {
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "{} {} HTTP/1.0\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        request.method,
        request.path,
        request.body.len()
    )
    .unwrap();
    stream.write_all(&request.body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        panic!("{answer:?}")
    };
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply::json(status, body.to_owned());
    for line in head.lines().skip(1) {
        let (name, value) = line.split_once(':').unwrap();
        let value = value.trim();
        if name.starts_with("x-wayproof") {
            reply = reply.with_header(name, value);
        }
    }
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_behind_a_proxy_without_sockets_is_told_and_works() {
    let provider = provider().await;
    let environment = Environment::new();
    environment
        .fixture()
        .write("wayproof.toml", POLICY)
        .unwrap();
    let up = Up::start(&environment, &provider).await;
    let front = without_upgrades(up.port).await;
    connect(&environment, "codex");
    let said = environment.run(&["doctor", "codex", "--gateway", &front.url(), "--json"]);
    let found = said.json();
    let findings = found["findings"].as_array().unwrap();
    let socket = findings.iter().find(|one| one["check"] == "websocket");
    let socket = socket.unwrap();
    assert_eq!(socket["health"], "warning", "{found:#}");
    assert!(
        socket["fact"]
            .as_str()
            .unwrap()
            .contains("426: no sockets here"),
        "{socket:#}"
    );
    assert!(
        socket["fix"].as_str().unwrap().contains("Upgrade"),
        "{socket:#}"
    );
    let trip = findings.iter().find(|one| one["check"] == "round-trip");
    assert_eq!(trip.unwrap()["health"], "ok", "{found:#}");
    assert_eq!(up.stop(), 0);
}

#[test]
fn a_port_that_another_program_has_is_told() {
    let environment = Environment::new();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    // It listens and hangs up on everybody.
    let hangs_up = std::thread::spawn(move || {
        for stream in other.incoming().take(4) {
            drop(stream);
        }
    });
    let said = environment.run(&["doctor", "--gateway", &url]);
    assert!(
        said.status == 1 && said.out.contains("another program listens at"),
        "{said:?}"
    );
    drop(hangs_up);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_line_tells_of_the_session() {
    let provider = provider().await;
    let environment = Environment::new();
    environment
        .fixture()
        .write("wayproof.toml", POLICY)
        .unwrap();
    let line = |input: &str| {
        let mut command = environment.wayproof(&["statusline"]);
        command.stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        Said::of(child.wait_with_output().unwrap())
    };
    let session = "3f8f1c52-0000-4000-8000-1c52de1f0000";
    let input = format!("{{\"session_id\":\"{session}\"}}");
    let said = line(&input);
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (0, "wayproof: no gateway\n", "")
    );
    let up = Up::start(&environment, &provider).await;
    let said = line(&input);
    assert_eq!(
        (said.status, said.out.as_str()),
        (0, "wayproof: ready\n"),
        "{said:?}"
    );
    let body = "{\"model\":\"claude-wayproof-auto\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"fix the crash in the parser, the test fails\"}]}";
    let header = format!(
        "x-claude-code-session-id: {session}\r\nuser-agent: claude-cli/2.1.330 (external, cli)\r\n"
    );
    let answer = up.post_with("/v1/messages", &header, body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let said = line(&input);
    assert!(
        said.out.contains("mock/m") && said.out.contains("bug-fix"),
        "{said:?}"
    );
    for hostile in [
        "",
        "{",
        "[]",
        "{\"session_id\":\"../jobs\"}",
        "{\"session_id\":7}",
    ] {
        let said = line(hostile);
        assert!(
            said.status == 0 && said.err.is_empty(),
            "{hostile}: {said:?}"
        );
    }
    assert_eq!(up.stop(), 0);
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_wants_a_key_is_shown_it() {
    const KEY: (&str, &str) = ("GATE_KEY", "a-key-of-the-gateway");
    let provider = provider().await;
    let environment = Environment::new();
    environment
        .fixture()
        .write("wayproof.toml", POLICY)
        .unwrap();
    let more = ["--key-env", "GATE_KEY"];
    let up = Up::start_set("mock", &environment, &provider, &more, &[KEY]).await;
    let run = |args: &[&str], key: Option<(&str, &str)>| {
        let mut command = environment.wayproof(args);
        Said::of(command.envs(key).output().unwrap())
    };
    let said = run(&["connect", "codex"], None);
    assert!(said.status == 1 && said.err.contains("401"), "{said:?}");
    for agent in ["codex", "claude-code"] {
        let said = run(&["connect", agent, "--key-env", "GATE_KEY"], Some(KEY));
        assert_eq!(said.status, 0, "{said:?}");
        assert!(said.out.contains("checked: "), "{said:?}");
    }
    let said = run(&["doctor"], Some(KEY));
    assert!(said.out.contains("on a WebSocket in"), "{said:?}");
    assert!(!said.out.contains(KEY.1), "{said:?}");
    let said = run(&["doctor", "codex"], None);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("fix: export GATE_KEY"), "{said:?}");
    assert_eq!(up.stop(), 0);
    provider.stop().await;
}
