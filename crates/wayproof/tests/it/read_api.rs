//! What programs read, tried by a tester that knows nothing but the OpenAPI document, and by hand.

use std::process::Command;

use serde_json::Value;
use wayproof_testkit::{Provider, Reply};

use crate::{
    environment::{Environment, Said, tools},
    up::Up,
};

fn body(answer: &str) -> Value {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// A gateway over the demonstration's ledger.
async fn up(environment: &Environment) -> (Up, Provider) {
    let provider = Provider::start(|_| Reply::json(500, "{}")).await.unwrap();
    environment.demonstration();
    let data = environment.path("demo/data").to_string_lossy().into_owned();
    let budget = environment.run(&[
        "budgets",
        "set",
        "team:core",
        "5 USD",
        "--per",
        "month",
        "--data",
        &data,
    ]);
    assert_eq!(budget.status, 0, "{budget:?}");
    let up = Up::start_with("mock", environment, &provider, &["--data", &data]).await;
    (up, provider)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn the_figures_of_the_pages_are_read_as_json() {
    let environment = Environment::new();
    let (up, provider) = up(&environment).await;
    let get = |path: &str| up.get(path, "application/json");
    let jobs = body(&get("/read/v1/jobs?limit=1"));
    let id = jobs["rows"][0]["id"].as_str().unwrap().to_owned();
    assert!(jobs["next_before"].is_i64(), "{jobs:#}");
    let job = body(&get(&format!("/read/v1/jobs/{id}")));
    assert_eq!(job["job"]["id"], id.as_str());
    assert!(!job["story"].as_array().unwrap().is_empty(), "{job:#}");
    let exchange = job["exchanges"][0]["id"].as_str().unwrap();
    let exchange = body(&get(&format!("/read/v1/exchanges/{exchange}")));
    assert!(
        exchange["opened"].is_object() && exchange["settled"].is_object(),
        "{exchange:#}"
    );
    let receipts = body(&get("/read/v1/receipts"));
    let digest = receipts["rows"][0]["receipt_digest"].as_str().unwrap();
    let receipt = body(&get(&format!("/read/v1/receipts/{digest}")));
    assert!(
        receipt["bundle"].as_str().unwrap().contains("payload"),
        "{receipt:#}"
    );
    // The sums are those of the command line.
    let data = environment.path("demo/data").to_string_lossy().into_owned();
    let told = environment
        .run(&["ledger", "spend", "--json", "--data", &data])
        .json();
    let spend = body(&get("/read/v1/spend"));
    assert_eq!(
        spend["groups"][0]["listed_nano_usd"],
        told["total"]["money"]["listed_nano_usd"]
    );
    assert!(body(&get("/read/v1/spend?by=task,model"))["groups"][0]["group"]["model"].is_string());
    assert_eq!(
        body(&get("/read/v1/budgets"))["budgets"][0]["subject"],
        "team:core"
    );
    for wrong in [
        "jobs?limit=0",
        "jobs?limit=1&limit=2",
        "jobs?limit=x",
        "jobs?q=1",
        "spend?by=task,task",
        "spend?by=",
        "jobs?task=%00",
    ] {
        let answer = get(&format!("/read/v1/{wrong}"));
        assert!(answer.starts_with("HTTP/1.1 400"), "{wrong}: {answer}");
        assert!(body(&answer)["error"].is_string());
    }
    for (path, status) in [
        ("jobs/none", "404"),
        ("nothing", "404"),
        ("receipts/%ff", "400"),
    ] {
        let answer = get(&format!("/read/v1/{path}"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
        assert!(body(&answer)["error"].is_string(), "{answer}");
    }
    let posted = up.post("/read/v1/jobs", "{}");
    assert!(
        posted.starts_with("HTTP/1.1 405") && posted.contains("allow: GET"),
        "{posted}"
    );
    assert_eq!(up.stop(), 0);
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_what_the_document_says() {
    let environment = Environment::new();
    let (up, provider) = up(&environment).await;
    let data = environment.path("demo/data").to_string_lossy().into_owned();
    let made = environment.run(&["keys", "new", "reader", "--json", "--data", &data]);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let address = format!("http://127.0.0.1:{}", up.port);
    // Another process made the key; everybody needs one a moment later.
    let mut closed = String::new();
    for _ in 0..1_200 {
        closed = up.get("/read/v1/jobs", "application/json");
        if closed.starts_with("HTTP/1.1 401") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(closed.starts_with("HTTP/1.1 401"), "{closed}");
    assert!(body(&closed)["error"].is_string());
    let mut tester = Command::new(tools().join("schemathesis/bin/st"));
    environment.clean(&mut tester);
    tester.current_dir(environment.path("")).args([
        "run",
        &format!("{address}/read/v1/openapi.json"),
        "--header",
        &format!("Authorization: Bearer {key}"),
        "--max-examples",
        "25",
        "--seed",
        "1",
        "--generation-database",
        "none",
        "--workers",
        "2",
    ]);
    let said = tokio::task::spawn_blocking(move || Said::of(tester.output().unwrap()))
        .await
        .unwrap();
    assert_eq!(said.status, 0, "{}\n{}", said.out, said.err);
    assert!(
        said.out.contains("Selected: 14/14") && said.out.contains("No issues found"),
        "{}",
        said.out
    );
    assert_eq!(up.stop(), 0);
    provider.stop().await;
}
