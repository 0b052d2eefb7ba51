//! Models: what is known of them, offline, synced and by the operator's own rows, and how they did here.

use std::fs;

use serde_json::Value;
use wayproof_testkit::{Persona, Play, Provider, Reply, Step};

use crate::{environment::Environment, up::Up};

const PUBLISHED: &str = r#"{"anthropic": {"name": "Anthropic", "models": {
    "claude-haiku-4-5": {"tool_call": true, "reasoning": true, "knowledge": "2025-02",
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "reasoning_options": [{"type": "effort", "values": ["low", "high"]}],
        "limit": {"context": 200000, "output": 64000},
        "cost": {"input": 0.9, "output": 4.5, "cache_read": 0.09}},
    "bad\u001b[2J": {}}},
    "mock": {"models": {"m": {"limit": {"context": 1000}, "cost": {"input": 1000, "output": 2000}}}}}"#;

fn priced(shown: &Value) -> &Value {
    &shown["price"]["steps"][0]["input"]
}

#[test]
fn the_built_in_catalog_needs_nothing() {
    let environment = Environment::new();
    let listed = environment.run(&["models", "list", "--json"]);
    assert_eq!(listed.status, 0, "{listed:?}");
    let listed = listed.json();
    assert!(listed["models"].as_array().unwrap().len() > 3, "{listed:#}");
    assert_eq!(listed["catalog"]["digest"].as_str().unwrap().len(), 64);
    let shown = environment.run(&["models", "show", "anthropic/claude-haiku-4-5"]);
    for word in [
        "window     200000",
        "output     64000",
        "knowledge  ?",
        "$",
        "as of 20",
        "catalog ",
    ] {
        assert!(
            shown.out.contains(word.trim_start_matches('$')),
            "{word}: {shown:?}"
        );
    }
    let diff = environment.run(&["models", "diff"]);
    assert_eq!(diff.out, "0 model(s) differ\n", "{diff:?}");
    assert!(!environment.data().exists(), "looking makes nothing");
    for args in [
        &["models", "show", "claude"] as &[&str],
        &["models", "show", "nobody/nothing"],
        &["models", "list", "--provider", "nobody"],
        &["models", "sync"],
        &["models", "sync", "--file", "/nowhere"],
        &["models", "sync", "--file", "/dev/null"],
        &["models", "sync", "--url", "no address"],
        &["models", "diff", "--file", "/dev/null"],
    ] {
        let said = environment.run(args);
        assert_eq!(said.status, 2, "{args:?}: {said:?}");
        assert_eq!(said.err.trim().lines().count(), 1, "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synced_list_is_what_the_gateway_prices_by() {
    let environment = Environment::new();
    let list = Provider::start(|_| Reply::json(200, PUBLISHED.to_owned()))
        .await
        .unwrap();
    let built_in = environment.run(&["models", "list", "--json"]).json();
    let url = format!("{}/api.json", list.url());
    let said = environment.run(&["models", "sync", "--url", &url]);
    assert!(
        said.status == 0 && said.out.contains("left out"),
        "{said:?}"
    );
    assert!(!said.out.contains('\u{1b}'), "{said:?}");
    list.stop().await;
    let shown = environment
        .run(&["models", "show", "anthropic/claude-haiku-4-5", "--json"])
        .json();
    assert_eq!(priced(&shown), 900_000_000, "{shown:#}");
    assert_eq!(shown["facts"]["output"], 64_000);
    assert_eq!(
        shown["facts"]["efforts"],
        serde_json::json!(["low", "high"])
    );
    assert_ne!(shown["catalog"]["digest"], built_in["catalog"]["digest"]);
    assert_eq!(shown["catalog"]["synced"]["place"], url.as_str());
    let diff = environment.run(&["models", "diff"]);
    assert!(
        diff.out
            .contains("anthropic/claude-haiku-4-5  price 1/5 → 0.9/4.5"),
        "{diff:?}"
    );
    let digest = shown["catalog"]["digest"].clone();
    the_gateway_prices_by(&environment, &digest).await;
}

/// What the gateway charges, and by which catalog.
async fn the_gateway_prices_by(environment: &Environment, digest: &Value) {
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let up = Up::start(environment, &provider).await;
    let body =
        r#"{"model":"mock/m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}"#;
    let answer = up.post("/v1/messages", body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(up.stop(), 0);
    provider.stop().await;
    let exchanges = environment.run(&["ledger", "exchanges", "--json"]).json();
    assert!(
        exchanges[0]["listed_nano_usd"].as_i64().unwrap() > 0,
        "{exchanges:#}"
    );
    let id = exchanges[0]["id"].as_str().unwrap();
    let explained = environment.run(&["explain", id, "--json"]).json();
    assert_eq!(
        &explained["settled"]["catalog_digest"], digest,
        "{explained:#}"
    );
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
    // How the model did here.
    let listed = environment.run(&["models", "list", "--json"]).json();
    let seen = listed["models"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["model"] == "m");
    assert_eq!(seen.unwrap()["pace"]["completed"], 1, "{listed:#}");
}

#[test]
fn the_operators_rows_hold_and_wrong_ones_are_told() {
    let environment = Environment::new();
    fs::create_dir_all(environment.data()).unwrap();
    let own = environment.data().join("models.toml");
    fs::write(
        &own,
        "[[model]]\nprovider = \"anthropic\"\nid = \"claude-haiku-4-5\"\nprice = { input = \"0.50\", output = 2.5 }\n",
    )
    .unwrap();
    let show = ["models", "show", "anthropic/claude-haiku-4-5", "--json"];
    assert_eq!(priced(&environment.run(&show).json()), 500_000_000);
    fs::write(&own, "[[model]]\nprovider = \"a\"\nid = \"b\"\nprise = 1\n").unwrap();
    for args in [&show as &[&str], &["up", "--listen", "127.0.0.1:0"]] {
        let said = environment.run(args);
        assert!(
            said.status == 2 && said.err.contains("models.toml: line 4"),
            "{said:?}"
        );
    }
}
