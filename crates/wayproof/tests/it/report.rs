//! Reports of the ledger, on what the demonstration leaves behind.

use wayproof_ledger::{About, Clock, Event, EventBody, Ledger, Location, ReceiptIssued};
use wayproof_receipt::Verdict;
use wayproof_testkit::Provider;

use crate::{environment::Environment, replicas, up::Up};

#[test]
fn reports_tell_what_a_proven_change_cost() {
    let environment = Environment::new();
    let demo = environment.demonstration();
    let data = environment.path("demo/data").to_string_lossy().into_owned();
    let cost = demo["cost_per_proven_change_nano_usd"].as_i64().unwrap();

    let spend = environment.run(&[
        "ledger",
        "spend",
        "--by",
        "class,model",
        "--json",
        "--data",
        &data,
    ]);
    let spend = spend.json();
    assert_eq!(spend["listed_per_proven_nano_usd"], cost, "{spend:#}");
    let rows = spend["rows"].as_array().unwrap();
    let classes: Vec<_> = rows.iter().map(|row| &row["group"]["class"]).collect();
    assert!(
        classes.contains(&&"fast".into()) && classes.contains(&&"strong".into()),
        "{spend:#}"
    );
    assert!(
        rows.iter().all(|row| row["group"]["model"] != ""),
        "{spend:#}"
    );
    let sum: i64 = rows
        .iter()
        .map(|row| row["money"]["listed_nano_usd"].as_i64().unwrap())
        .sum();
    assert_eq!(spend["total"]["money"]["listed_nano_usd"], sum);
    assert_eq!(
        spend["total"]["money"]["billed_nano_usd"],
        serde_json::Value::Null
    );

    let outcomes = environment.run(&["ledger", "outcomes", "--data", &data]);
    assert!(
        outcomes.out.starts_with("cost per proven change: $"),
        "{}",
        outcomes.out
    );
    assert!(outcomes.out.contains("bug-fix"), "{}", outcomes.out);
    let quality = environment
        .run(&[
            "ledger", "quality", "--by", "day", "--since", "1d", "--json", "--data", &data,
        ])
        .json();
    assert_eq!(quality["rows"][0]["escalated_proven"], 1, "{quality:#}");
    assert_eq!(quality["rows"][0]["proven_at_first"], 0, "{quality:#}");

    let later = environment.run(&["ledger", "spend", "--since", "2999-01-01", "--data", &data]);
    assert_eq!(later.out, "nothing is recorded since 2999-01-01\n");
}

#[test]
fn a_report_of_no_day_or_no_dimension_is_a_mistake() {
    let environment = Environment::new();
    for args in [
        ["--since", "yesterday"],
        ["--since", "-7d"],
        ["--until", "2026-02-30"],
        ["--by", "weather"],
        ["--limit", "-1"],
    ] {
        let said = environment.run(&[["ledger", "spend"].as_slice(), &args].concat());
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    }
    let empty = environment.run(&["ledger", "quality", "--json"]).json();
    assert_eq!(empty["rows"], serde_json::json!([]));
    assert_eq!(empty["listed_per_proven_nano_usd"], serde_json::Value::Null);
}

#[tokio::test]
async fn proven_changes_that_were_taken_back_are_counted() {
    const DAY_US: i64 = 86_400_000_000;
    let environment = Environment::new();
    let mut fixture = environment.fixture();
    fixture.write("a", "1").unwrap().write("b", "1").unwrap();
    fixture.commit("begin").unwrap();
    // All in the first minutes of 2026.
    let proven: Vec<String> = ["2", "3", "4"]
        .map(|text| {
            fixture.write("a", text).unwrap();
            fixture.commit("change").unwrap().trim().to_owned()
        })
        .into();
    fixture
        .git(&["revert", "--no-edit", "--no-commit", &proven[2]])
        .unwrap();
    let message = format!("Take it back\n\nThis reverts commit {}.\n", proven[2]);
    fixture.git(&["commit", "--quiet", "-m", &message]).unwrap();

    let location = Location::Sqlite(environment.data());
    let ledger = Ledger::open(location, Clock::system(), None).await.unwrap();
    let first_us = 1_767_225_600_000_000;
    // Of the last one it is known twice; one is not on the branch; one was proven long before it was taken back.
    for (commit, at_us) in [
        (proven[0].as_str(), first_us),
        (&proven[1], first_us),
        (&proven[2], first_us - 20 * DAY_US),
        (&proven[2], first_us),
        (&"0".repeat(40), first_us),
    ] {
        let issued = ReceiptIssued {
            receipt_digest: wayproof_receipt::sha256_hex(format!("{commit}{at_us}").as_bytes()),
            verdict: Verdict::Proven,
            commit: Some(commit.to_owned()),
            tree: None,
            key_id: None,
        };
        let event = ledger.event(About::default(), EventBody::ReceiptIssued(issued));
        ledger.append(&Event { at_us, ..event }).await.unwrap();
    }
    ledger.close().await.unwrap();
    let quality = environment.run(&["ledger", "quality", "--json"]).json();
    assert_eq!(
        quality["reverted"],
        serde_json::json!({"branch": "main", "spans": [
            {"within_days": 14, "reverted": 0, "of": 3},
            {"within_days": 30, "reverted": 1, "of": 3},
        ]}),
        "{quality:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_subscription_paid_for_is_told_apart() {
    let provider = Provider::start(replicas::answer).await.unwrap();
    let environment = Environment::new();
    let up = Up::start_as("anthropic", &environment, &provider).await;
    let body = r#"{"model":"claude-haiku-5-5","max_tokens":64,"messages":[{"role":"user","content":"fix the crash"}]}"#;
    let ask = |up: &Up, credential: &str, status: &str| {
        let answer = up.post_with("/v1/messages", &format!("{credential}\r\n"), body);
        let begin = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begin), "{credential}: {answer}");
    };
    let plan = "authorization: Bearer sk-ant-oat01-somebody";
    let key = "x-api-key: sk-ant-api03-somebody";
    ask(&up, plan, "200");
    ask(&up, key, "200");
    assert_eq!(up.stop(), 0);
    // Nobody is billed for what a subscription pays, so no budget is drawn on.
    let set = ["budgets", "set", "everyone", "0.000001 USD"];
    assert_eq!(environment.run(&set).status, 0);
    let up = Up::start_as("anthropic", &environment, &provider).await;
    ask(&up, key, "402");
    ask(&up, plan, "200");
    assert_eq!(up.stop(), 0);
    let exchanges = environment.run(&["ledger", "exchanges", "--json"]).json();
    let money = |at: usize| {
        let number = |name: &str| exchanges[at][name].as_i64();
        (number("listed_nano_usd"), number("subscription_nano_usd"))
    };
    let (by_key, by_plan, last) = (money(2), money(3), money(0));
    assert!(by_key.0.is_some() && by_key.1.is_none(), "{exchanges:#}");
    assert_eq!(by_plan, (by_key.0, by_key.0), "{exchanges:#}");
    assert_eq!(last, by_plan, "{exchanges:#}");
    provider.stop().await;
}
