//! The gateway as a process: it finds a port, answers, explains, drains.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
};

use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::environment::Environment;

/// A gateway process that is ended with the test.
pub(crate) struct Up {
    child: Child,
    pub(crate) port: u16,
}

impl Up {
    pub(crate) async fn start(environment: &Environment, provider: &Provider) -> Self {
        Self::start_as("mock", environment, provider).await
    }

    /// With the provider under this name.
    pub(crate) async fn start_as(
        name: &str,
        environment: &Environment,
        provider: &Provider,
    ) -> Self {
        Self::start_with(name, environment, provider, &[]).await
    }

    /// With more arguments.
    pub(crate) async fn start_with(
        name: &str,
        environment: &Environment,
        provider: &Provider,
        more: &[&str],
    ) -> Self {
        Self::start_set(name, environment, provider, more, &[]).await
    }

    /// With more arguments and variables.
    pub(crate) async fn start_set(
        name: &str,
        environment: &Environment,
        provider: &Provider,
        more: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        if !environment.repo().join(".git").exists() {
            environment.fixture();
        }
        let port_file = environment.path("port");
        // What an earlier gateway of the test wrote.
        drop(fs::remove_file(&port_file));
        let (port_argument, spec) = (
            port_file.to_string_lossy().into_owned(),
            format!("{name}={}", provider.url()),
        );
        let args = [
            "up",
            "--listen",
            "127.0.0.1:0",
            "--port-file",
            &port_argument,
            "--provider",
            &spec,
        ];
        let mut child = environment
            .wayproof(&args)
            .args(more)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
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

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        self.post_with(path, "", body)
    }

    /// Posts a form as one of the gateway's own pages does.
    pub(crate) fn post_form(&self, path: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let own = format!("127.0.0.1:{}", self.port);
        write!(
            socket,
            "POST {path} HTTP/1.1\r\nhost: {own}\r\norigin: http://{own}\r\naccept: text/html\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Posts with more headers, each with its line end.
    pub(crate) fn post_with(&self, path: &str, headers: &str, body: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            socket,
            "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn get(&self, path: &str, accept: &str) -> String {
        self.get_with(path, &format!("accept: {accept}\r\n"))
    }

    /// Gets with more headers, each with its line end.
    pub(crate) fn get_with(&self, path: &str, headers: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            socket,
            "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n{headers}\r\n",
            self.port
        )
        .unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks it to drain and waits for the end.
    pub(crate) fn stop(mut self) -> i32 {
        let id = i32::try_from(self.child.id()).unwrap();
        let status = std::process::Command::new("kill")
            .args(["-TERM", &id.to_string()])
            .status()
            .unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // A test that stopped at a surprise leaves no gateway behind; one that has ended cannot be killed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    answer
        .lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .unwrap_or_else(|| panic!("no {name}: {answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_is_answered_explained_and_in_the_ledger() {
    let play = Play::new(vec![Persona {
        model: "some-model".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let up = Up::start(&environment, &provider).await;
    let body = r#"{"model":"some-model","messages":[{"role":"user","content":"fix the crash in the parser"}]}"#;
    let answer = up.post("/v1/messages", body);
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("hello"),
        "{answer}"
    );
    let exchange = header(&answer, "x-wayproof-exchange").trim().to_owned();
    assert_eq!(
        header(&answer, "x-wayproof-target").trim(),
        "mock/some-model"
    );
    assert_eq!(up.stop(), 0);
    let explained = environment.run(&["explain", &exchange]);
    assert_eq!(explained.status, 0, "{explained:?}");
    assert!(
        explained.out.contains("mock/some-model") && explained.out.lines().count() <= 16,
        "{}",
        explained.out
    );
    let exchanges = environment.run(&["ledger", "exchanges", "--json"]).json();
    assert_eq!(exchanges.as_array().map(Vec::len), Some(1), "{exchanges:#}");
    assert_eq!(exchanges[0]["id"], exchange.as_str());
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_loses_nothing_that_was_answered() {
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let mut up = Up::start(&environment, &provider).await;
    let mut answered = Vec::new();
    for number in 0..20 {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"question {number}"}}]}}"#
        );
        answered.push(
            header(&up.post("/v1/messages", &body), "x-wayproof-exchange")
                .trim()
                .to_owned(),
        );
    }
    up.child.kill().unwrap();
    up.child.wait().unwrap();
    let verified = environment.run(&["ledger", "verify"]);
    assert_eq!(verified.status, 0, "{verified:?}");
    let kept = environment
        .run(&["ledger", "exchanges", "--json", "--limit", "100"])
        .json();
    let kept: Vec<&str> = kept
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["id"].as_str())
        .collect();
    for exchange in &answered {
        assert!(
            kept.contains(&exchange.as_str()),
            "{exchange} is lost; kept {kept:?}"
        );
    }
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_pages_at_the_same_address_and_they_let_go_when_it_stops() {
    let play = Play::new(vec![Persona {
        model: "some-model".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let up = Up::start(&environment, &provider).await;
    let first = up.get("/", "text/html");
    assert!(
        first.starts_with("HTTP/1.1 200") && first.contains("Nothing has happened yet"),
        "{first}"
    );
    assert!(
        first.contains("content-security-policy: default-src 'none'"),
        "{first}"
    );
    assert!(up.get("/", "*/*").contains(r#"{"status":"ok"}"#));
    let body = r#"{"model":"some-model","messages":[{"role":"user","content":"fix the crash in the parser"}]}"#;
    let answer = up.post("/v1/messages", body);
    let exchange = header(&answer, "x-wayproof-exchange").trim().to_owned();
    let page = up.get(&format!("/exchanges/{exchange}"), "text/html");
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("mock/some-model"),
        "{page}"
    );
    let settings = up.get("/settings", "text/html");
    assert!(
        settings.contains("none; keys may have been given out"),
        "{settings}"
    );
    let mut live = TcpStream::connect(("127.0.0.1", up.port)).unwrap();
    write!(live, "GET /live HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
    let mut beginning = [0; 15];
    live.read_exact(&mut beginning).unwrap();
    assert_eq!(&beginning, b"HTTP/1.1 200 OK");
    assert_eq!(up.stop(), 0, "a page that stays open does not hold it up");
    let mut rest = Vec::new();
    live.read_to_end(&mut rest).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_holds_at_once_and_policies_are_tried_on_the_ledger() {
    let play = Play::new(vec![Persona {
        model: "some-model".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let up = Up::start(&environment, &provider).await;
    let body = r#"{"model":"some-model","messages":[{"role":"user","content":"write unit tests for the \"date\" parser"}]}"#;
    let answer = up.post("/v1/messages", body);
    assert_eq!(header(&answer, "x-wayproof-task").trim(), "test-generation");
    let shown = environment.run(&["task", "show"]);
    assert!(shown.out.contains("test-generation"), "{shown:?}");
    let wrong = environment.run(&["task", "set", "nonsense"]);
    assert_ne!(wrong.status, 0, "{wrong:?}");
    assert!(wrong.err.contains("nonsense"), "{wrong:?}");
    let set = environment.run(&["task", "set", "bug-fix"]);
    assert_eq!(set.status, 0, "{set:?}");
    assert!(
        set.out.contains("[[test]]") && set.out.contains(r#"the \"date\" parser"#),
        "{}",
        set.out
    );
    assert_eq!(up.stop(), 0);
    let gone = environment.run(&["task", "show"]);
    assert_eq!(gone.status, 2, "{gone:?}");

    let file = environment.repo().join("other.toml");
    let other = "version = 1\n[class.strong]\ntargets = [\"mock/other\"]\n";
    fs::write(&file, other).unwrap();
    let file = file.to_string_lossy().into_owned();
    let replayed = environment
        .run(&["policy", "replay", "--policy", &file, "--json"])
        .json();
    assert_eq!(replayed["changed"], 1, "{replayed:#}");
    let job = &replayed["jobs"][0];
    assert_eq!(
        (job["from"].as_str(), job["to"].as_str()),
        (Some("mock/some-model"), Some("mock/other"))
    );
    assert_eq!(job["outcome"], "unknown", "{replayed:#}");
    let said = environment.run(&[
        "policy",
        "replay",
        "--policy",
        &file,
        "--since",
        "yesterday",
    ]);
    assert_eq!(said.status, 2, "{said:?}");
    let advised = environment.run(&["policy", "advise", "--json"]).json();
    let all = advised.as_array().unwrap();
    assert!(
        !all.is_empty() && all.iter().all(|one| one["advice"] == "not enough data"),
        "{advised:#}"
    );
    provider.stop().await;
}
