//! Reports of the ledger, on what the demonstration leaves behind.

use crate::environment::Environment;

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
