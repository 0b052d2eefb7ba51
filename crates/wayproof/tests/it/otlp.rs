//! What receivers of OpenTelemetry get: a scripted one, and a real one whose own interface is asked.

use std::{
    fs,
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use wayproof_testkit::{Provider, Reply};

use crate::{
    environment::{Environment, Said, tools},
    up::Up,
};

/// A ledger with the demonstration's job in it.
fn demo(environment: &Environment) -> String {
    let said = environment.demonstration();
    said["ledger"].as_str().unwrap().to_owned()
}

async fn run(environment: &Environment, args: &[&str]) -> Said {
    let mut command = environment.wayproof(args);
    command.env("TOKEN", "authorization=Basic%20c2VjcmV0,x-team=blue");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    Said::of(output.await.unwrap())
}

fn unpacked(body: &[u8]) -> String {
    let mut bytes = Vec::new();
    GzDecoder::new(body).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_gets_every_signal_once_and_the_headers_it_wants() {
    let environment = Environment::new();
    let data = demo(&environment);
    let receiver = Provider::start(|_| Reply::json(200, "{}")).await.unwrap();
    let url = receiver.url();
    let send = [
        "ledger",
        "send",
        "--otlp",
        &url,
        "--otlp-headers-env",
        "TOKEN",
        "--json",
        "--data",
        &data,
    ];
    let said = run(&environment, &send).await;
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.json()["batches"], 1, "{said:?}");
    let captured = receiver.captured();
    let paths: Vec<&str> = captured
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(paths, ["/v1/traces", "/v1/logs", "/v1/metrics"]);
    for request in &captured {
        assert_eq!(
            request.header("content-type"),
            Some("application/x-protobuf")
        );
        assert_eq!(request.header("authorization"), Some("Basic c2VjcmV0"));
        assert_eq!(request.header("x-team"), Some("blue"));
    }
    assert!(unpacked(&captured[0].body).contains("invoke_agent"));
    assert!(unpacked(&captured[1].body).contains("PROVEN"));
    // Nothing is new.
    let again = run(&environment, &send).await;
    assert_eq!(again.json()["events"], 0, "{again:?}");
    assert_eq!(receiver.captured().len(), 3);
    // Unless a day says so.
    let mut since = send.to_vec();
    since.extend(["--since", "2d"]);
    assert_eq!(run(&environment, &since).await.json()["batches"], 1);
    receiver.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_receiver_is_asked_again_and_a_refusal_is_told() {
    let environment = Environment::new();
    let data = demo(&environment);
    let asked = AtomicUsize::new(0);
    let receiver = Provider::start(move |request| {
        if request.path == "/v1/logs" {
            return Reply::json(404, "");
        }
        match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Reply::json(503, "").with_header("retry-after", "0"),
            _ => Reply::json(200, "{}"),
        }
    })
    .await
    .unwrap();
    let url = receiver.url();
    let said = run(
        &environment,
        &["ledger", "send", "--otlp", &url, "--data", &data],
    )
    .await;
    assert_eq!(said.status, 0, "{said:?}");
    let captured = receiver.captured();
    let paths: Vec<&str> = captured
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["/v1/traces", "/v1/traces", "/v1/logs", "/v1/metrics"]
    );
    receiver.stop().await;

    let receiver = Provider::start(|_| Reply::json(401, "no \u{1b}[31mtoken"))
        .await
        .unwrap();
    let url = receiver.url();
    let said = run(
        &environment,
        &["ledger", "send", "--otlp", &url, "--data", &data],
    )
    .await;
    assert_eq!(said.status, 20, "{said:?}");
    assert!(said.err.contains("/v1/traces answers 401"), "{said:?}");
    assert!(!said.err.contains('\u{1b}'), "{said:?}");
    // What was refused is sent another time.
    let kept = fs::read_dir(Path::new(&data).join("told")).unwrap().count();
    assert_eq!(kept, 1, "only the receiver that took something has a place");
    receiver.stop().await;
}

#[test]
fn wrong_receivers_are_named_in_a_sentence() {
    let environment = Environment::new();
    for (args, why) in [
        (&["ledger", "send"][..], "nobody to send to"),
        (&["ledger", "send", "--otlp", "ftp://x"], "neither http"),
        (
            &["up", "--otlp", "http://a:b@host"],
            "--otlp-headers-env takes it",
        ),
        (
            &[
                "up",
                "--otlp",
                "http://host",
                "--otlp-headers-env",
                "NOT_SET",
            ],
            "the variable is not set",
        ),
    ] {
        let said = environment.run(args);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.err.contains(why), "{said:?}");
    }
}

/// A receiver that others wrote.
struct Phoenix {
    child: Child,
    url: String,
}

impl Phoenix {
    async fn start(environment: &Environment) -> Self {
        let (port, grpc) = (free_port(), free_port());
        let folder = environment.path("phoenix");
        fs::create_dir(&folder).unwrap();
        let mut command = Command::new(tools().join("phoenix/bin/phoenix"));
        environment.clean(&mut command);
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = command
            .arg("serve")
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", port.to_string())
            .env("PHOENIX_GRPC_PORT", grpc.to_string())
            .env("PHOENIX_WORKING_DIR", &folder)
            .env("PHOENIX_TELEMETRY_ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut phoenix = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
        };
        while phoenix.get("/healthz").await.is_none() {
            let ended = phoenix.child.try_wait().unwrap();
            let log = || fs::read_to_string(folder.join("log")).unwrap();
            assert!(ended.is_none(), "{}", log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        phoenix
    }

    /// The body of a page that is there.
    async fn get(&self, path: &str) -> Option<String> {
        let authority = self.url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(authority).await.ok()?;
        let asked = format!("GET {path} HTTP/1.0\r\nhost: {authority}\r\n\r\n");
        socket.write_all(asked.as_bytes()).await.ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn phoenix_shows_spans_with_tokens_cost_and_verdicts() {
    let environment = Environment::new();
    let data = demo(&environment);
    let phoenix = Phoenix::start(&environment).await;
    let said = run(
        &environment,
        &["ledger", "send", "--otlp", &phoenix.url, "--data", &data],
    )
    .await;
    assert_eq!(said.status, 0, "{said:?}");
    // It answers before it has stored them.
    let spans = loop {
        let page = phoenix.get("/v1/projects/wayproof/spans?limit=100").await;
        let page: Value = serde_json::from_str(&page.unwrap_or_else(|| "{}".to_owned())).unwrap();
        let spans = page["data"].as_array().cloned().unwrap_or_default();
        if spans.iter().any(|span| span["span_kind"] == "AGENT") {
            break spans;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let of = |kind: &str| -> Vec<&Value> {
        spans
            .iter()
            .filter(|span| span["span_kind"] == kind)
            .collect()
    };
    let calls = of("LLM");
    assert_eq!(calls.len(), 6, "{spans:#?}");
    for call in &calls {
        let attributes = &call["attributes"];
        assert!(
            attributes["llm.token_count.total"].as_i64().unwrap() > 0,
            "{call:#}"
        );
        assert!(
            attributes["llm.cost.total"].as_f64().unwrap() > 0.0,
            "{call:#}"
        );
    }
    let mut verdicts: Vec<&str> = of("EVALUATOR")
        .iter()
        .map(|proof| proof["attributes"]["wayproof.verdict"].as_str().unwrap())
        .collect();
    verdicts.sort_unstable();
    assert_eq!(verdicts, ["PROVEN", "REFUTED"]);
    let [job] = of("AGENT")[..] else {
        panic!("not one job: {spans:#?}")
    };
    assert_eq!(job["status_code"], "OK", "{job:#}");
    let trace = &job["context"]["trace_id"];
    assert!(
        spans
            .iter()
            .all(|span| &span["context"]["trace_id"] == trace)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_gateway_tells_what_happens() {
    let environment = Environment::new();
    let model = Provider::start(|_| {
        Reply::json(
            200,
            r#"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
        )
    })
    .await
    .unwrap();
    let receiver = Provider::start(|_| Reply::json(200, "{}")).await.unwrap();
    let url = receiver.url();
    let up = Up::start_with("m", &environment, &model, &["--otlp", &url]).await;
    tokio::task::block_in_place(|| {
        let answer = up.post(
            "/v1/chat/completions",
            r#"{"model":"m/m","messages":[{"role":"user","content":"hi"}]}"#,
        );
        assert!(answer.contains("hello"), "{answer}");
    });
    // What has not been told yet is told at the end.
    assert_eq!(tokio::task::block_in_place(|| up.stop()), 0);
    let captured = receiver.captured();
    let traces: Vec<String> = captured
        .iter()
        .filter(|request| request.path == "/v1/traces")
        .map(|request| unpacked(&request.body))
        .collect();
    assert!(
        traces.iter().any(|trace| trace.contains("chat m")),
        "{traces:?}"
    );
    receiver.stop().await;
    model.stop().await;
}
