//! The demonstration: everything real but the models, and its object for machines.

use std::process::Stdio;

use crate::environment::{Environment, Said};

#[test]
fn demo_proves_refutes_and_counts() {
    let environment = Environment::new();
    let report = environment.demonstration();
    assert_eq!(report["verdict"], "PROVEN", "{report:#}");
    let attempts: Vec<_> = report["attempts"].as_array().unwrap().iter().collect();
    let classes: Vec<_> = attempts
        .iter()
        .map(|attempt| attempt["class"].as_str().unwrap())
        .collect();
    assert_eq!(classes, ["fast", "strong"]);
    assert_eq!(
        (&attempts[0]["verdict"], &attempts[1]["verdict"]),
        (&"REFUTED".into(), &"PROVEN".into())
    );
    let costs: Vec<i64> = attempts
        .iter()
        .map(|attempt| attempt["cost_nano_usd"].as_i64().unwrap())
        .collect();
    assert!(costs.iter().all(|cost| *cost > 0), "{costs:?}");
    assert_eq!(
        report["cost_per_proven_change_nano_usd"].as_i64(),
        Some(costs.iter().sum())
    );
    assert_eq!(report["escalations"][0]["cause"], "proof-refuted");
    assert_eq!(report["forged"]["verdict"], "REFUTED");

    receipt_verifies(&environment, &report);

    let data = environment.path("demo/data");
    let data = data.to_str().unwrap();
    assert_eq!(
        environment
            .run(&["ledger", "verify", "--data", data])
            .status,
        0
    );
    let jobs = environment
        .run(&["ledger", "jobs", "--json", "--data", data])
        .json();
    assert!(
        jobs.as_array().is_some_and(|jobs| !jobs.is_empty()),
        "{jobs:#}"
    );
    traces_name_the_models(&environment, data);
}

/// What the Agent Trace schema of version 0.1 asks of a record, in our words.
fn trace_schema() -> serde_json::Value {
    serde_json::json!({
        "type": "object",
        "required": ["version", "id", "timestamp", "files"],
        "properties": {
            "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+$"},
            "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
            "timestamp": {"type": "string", "pattern": "^[0-9-]{10}T[0-9:.]+Z$"},
            "vcs": {"type": "object", "required": ["type", "revision"]},
            "files": {"type": "array", "minItems": 1, "items": {
                "type": "object",
                "required": ["path", "conversations"],
                "properties": {"conversations": {"type": "array", "items": {
                    "type": "object",
                    "required": ["ranges"],
                    "properties": {
                        "contributor": {"type": "object", "required": ["type"], "properties": {
                            "type": {"enum": ["human", "ai", "mixed", "unknown"]},
                            "model_id": {"type": "string", "maxLength": 250}
                        }},
                        "ranges": {"type": "array", "minItems": 1, "items": {
                            "type": "object",
                            "required": ["start_line", "end_line"],
                            "properties": {
                                "start_line": {"type": "integer", "minimum": 1},
                                "end_line": {"type": "integer", "minimum": 1}
                            }
                        }}
                    }
                }}}
            }}
        }
    })
}

/// The demonstration's change is traced to models, in records that the specification's schema takes.
fn traces_name_the_models(environment: &Environment, data: &str) {
    let export = [
        "ledger",
        "export",
        "--format",
        "agent-trace",
        "--data",
        data,
    ];
    let said = environment.run(&export);
    assert_eq!(said.status, 0, "{said:?}");
    let schema = jsonschema::validator_for(&trace_schema()).unwrap();
    let mut proven = 0;
    for line in said.out.lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&record), "{record:#}");
        let about = &record["metadata"]["dev.wayproof"];
        proven += usize::from(about["verdict"] == "PROVEN");
        let contributor = &record["files"][0]["conversations"][0]["contributor"];
        assert_eq!(contributor["type"], "ai", "{record:#}");
    }
    assert_eq!(proven, 1, "{}", said.out);

    let nowhere = environment.path("nowhere");
    std::fs::create_dir_all(&nowhere).unwrap();
    let elsewhere = [&export[..], &["--repo", nowhere.to_str().unwrap()]].concat();
    let said = environment.run(&elsewhere);
    assert_eq!((said.status, said.out.trim()), (0, ""), "{said:?}");
    assert!(said.err.contains("left out:"), "{said:?}");
    let odd = [
        "ledger", "export", "--format", "csv", "--repo", ".", "--data", data,
    ];
    assert_eq!(environment.run(&odd).status, 2);
}

/// Good with its trust file, not pinned without, invalid once a bit is flipped.
fn receipt_verifies(environment: &Environment, report: &serde_json::Value) {
    let (receipt, trust) = (
        report["receipt"].as_str().unwrap(),
        report["trust"].as_str().unwrap(),
    );
    assert_eq!(
        environment
            .run(&["receipt", "verify", receipt, "--trust", trust])
            .status,
        0
    );
    assert_eq!(environment.run(&["receipt", "verify", receipt]).status, 3);
    let damaged = environment.path("damaged.jsonl");
    let mut bytes = std::fs::read(receipt).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    std::fs::write(&damaged, bytes).unwrap();
    assert_eq!(
        environment
            .run(&[
                "receipt",
                "verify",
                damaged.to_str().unwrap(),
                "--trust",
                trust
            ])
            .status,
        4
    );
}

#[test]
fn demo_says_plainly_that_its_models_are_scripted() {
    let environment = Environment::new();
    let output = environment
        .wayproof(&["demo"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = Said::of(output);
    assert_eq!(said.status, 0, "{said:?}");
    let all = format!("{}{}", said.out, said.err);
    for word in [
        "scripted",
        "REFUTED",
        "PROVEN",
        "receipt",
        "cost per proven change",
    ] {
        assert!(all.contains(word), "lacks {word}: {all}");
    }
}
