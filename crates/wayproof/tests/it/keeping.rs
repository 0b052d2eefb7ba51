//! What keeps a ledger: verifying it broken, pruning, copying, witnesses, and tables for other programs.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::environment::{Environment, copy_folder, tools};

/// The directory of a ledger with what the demonstration leaves behind.
fn demo(environment: &Environment) -> String {
    environment.demonstration();
    environment.path("demo/data").to_string_lossy().into_owned()
}

/// Asks DuckDB about a file; the answer is one number.
fn duckdb(sql: &str) -> i64 {
    let python = tools().join("duckdb/bin/python");
    let script = format!("import duckdb; print(duckdb.sql(\"\"\"{sql}\"\"\").fetchall()[0][0])");
    let output = Command::new(python).args(["-c", &script]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let failed = String::from_utf8_lossy(&output.stderr).into_owned();
    said.parse().unwrap_or_else(|_| panic!("{said}{failed}"))
}

#[test]
fn tables_add_up_to_what_was_spent() {
    let environment = Environment::new();
    let data = demo(&environment);
    let spend = environment
        .run(&["ledger", "spend", "--json", "--data", &data])
        .json();
    let total = &spend["total"];
    for (format, money) in [("parquet", "listed_usd"), ("focus-parquet", "ListCost")] {
        let file = environment.path(&format!("{format}.parquet"));
        let place = file.to_string_lossy().into_owned();
        let said = environment.run(&[
            "ledger", "export", "--format", format, "--out", &place, "--data", &data,
        ]);
        assert_eq!(said.status, 0, "{said:?}");
        let nano = duckdb(&format!(
            "SELECT SUM(CAST(CAST({money} AS DECIMAL(38, 9)) * 1000000000 AS BIGINT)) FROM '{place}'"
        ));
        assert_eq!(
            Value::from(nano),
            total["money"]["listed_nano_usd"],
            "{format}"
        );
    }
    let place = environment
        .path("parquet.parquet")
        .to_string_lossy()
        .into_owned();
    let rows = duckdb(&format!("SELECT COUNT(*) FROM '{place}'"));
    assert_eq!(Value::from(rows), total["exchanges"], "{spend:#}");
    // Times are times, and what is unknown is null.
    let sensible =
        format!("SELECT COUNT(*) FROM '{place}' WHERE year(opened) >= 2024 AND billed_usd IS NULL");
    assert_eq!(duckdb(&sensible), rows);
    let place = environment
        .path("focus-parquet.parquet")
        .to_string_lossy()
        .into_owned();
    let days = format!(
        "SELECT COUNT(*) FROM '{place}' WHERE ChargePeriodEnd - ChargePeriodStart <> INTERVAL 1 DAY"
    );
    assert_eq!(duckdb(&days), 0);
    // Nothing to tell is a table without rows.
    let empty = environment
        .path("empty.parquet")
        .to_string_lossy()
        .into_owned();
    let said = environment.run(&[
        "ledger",
        "export",
        "--format",
        "parquet",
        "--since",
        "2999-01-01",
        "--out",
        &empty,
        "--data",
        &data,
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(duckdb(&format!("SELECT COUNT(*) FROM '{empty}'")), 0);
}

/// A witness that ends with the test.
struct Witness {
    child: Child,
    url: String,
    key: String,
}

impl Witness {
    fn start(environment: &Environment, log: &str) -> Self {
        let port_file = environment.path("witness.port");
        let (port, data) = (
            port_file.to_string_lossy().into_owned(),
            environment.path("witness").to_string_lossy().into_owned(),
        );
        drop(fs::remove_file(&port_file));
        let args = [
            "witness",
            "--listen",
            "127.0.0.1:0",
            "--port-file",
            &port,
            "--log",
            log,
            "--data",
            &data,
            "--name",
            "witness.example",
        ];
        let mut child = environment
            .wayproof(&args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let url = loop {
            if let Ok(port) = fs::read_to_string(&port_file)
                && !port.is_empty()
            {
                break format!("http://127.0.0.1:{port}");
            }
            assert!(child.try_wait().unwrap().is_none(), "the witness ended");
            std::thread::yield_now();
        };
        let mut shown = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut shown).unwrap();
        let key = shown.strip_prefix("key").unwrap().trim().to_owned();
        Self { child, url, key }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one history, read from top to bottom"
)]
fn a_witness_refuses_a_history_that_was_rewritten() {
    let environment = Environment::new();
    let data = demo(&environment);
    let tlog = environment.path("log").to_string_lossy().into_owned();
    let log = environment
        .run(&[
            "ledger", "export", "--format", "tlog", "--out", &tlog, "--data", &data,
        ])
        .json();
    let witness = Witness::start(&environment, log["verifier_key"].as_str().unwrap());
    let cosign = |data: &str| {
        environment.run(&[
            "ledger",
            "cosign",
            "--witness",
            &witness.url,
            "--key",
            &witness.key,
            "--json",
            "--data",
            data,
        ])
    };
    let verify = |data: &str| {
        environment.run(&[
            "ledger",
            "verify",
            "--witness",
            &witness.key,
            "--json",
            "--data",
            data,
        ])
    };
    let change = |data: &str, team: &str| {
        let said = environment.run(&["budgets", "set", team, "4 USD", "--data", data]);
        assert_eq!(said.status, 0, "{said:?}");
    };
    let before = verify(&data);
    assert_eq!(before.status, 4, "nobody cosigned it yet: {before:?}");

    let [short, fork] = ["short", "fork"].map(|name| environment.path(name));
    copy_folder(Path::new(&data), &short);
    let first = cosign(&data);
    assert_eq!(first.status, 0, "{first:?}");
    let size = first.json()["size"].as_i64().unwrap();
    assert_eq!(verify(&data).json()["witnesses"][0]["size"], size);
    copy_folder(Path::new(&data), &fork);

    // It grows, and is cosigned again, also by a witness that was started anew.
    change(&data, "team:web");
    let second = cosign(&data);
    assert_eq!(second.status, 0, "{second:?}");
    assert!(second.json()["size"].as_i64().unwrap() > size);
    assert_eq!(verify(&data).status, 0);

    // The same log with another past is refused: another event, and events that are gone.
    let fork = fork.to_string_lossy().into_owned();
    change(&fork, "team:other");
    let refused = cosign(&fork);
    assert_eq!(refused.status, 1, "{refused:?}");
    assert!(
        refused.json()["problem"]
            .as_str()
            .unwrap()
            .contains("rewritten"),
        "{refused:?}"
    );
    change(&fork, "team:another");
    assert!(
        cosign(&fork).json()["problem"]
            .as_str()
            .unwrap()
            .contains("rewritten")
    );
    let refused = cosign(&short.to_string_lossy());
    assert!(
        refused.json()["problem"]
            .as_str()
            .unwrap()
            .contains("events are gone"),
        "{refused:?}"
    );

    // Its key must be one, and the right one.
    for args in [
        vec!["ledger", "verify", "--witness", "nonsense", "--data", &data],
        vec!["witness", "--log", "nonsense"],
    ] {
        let said = environment.run(&args);
        assert_eq!(said.status, 2, "{said:?}");
    }
}

#[test]
fn a_provider_s_export_is_set_beside_the_ledger() {
    let environment = Environment::new();
    let data = demo(&environment);
    let spend = environment
        .run(&[
            "ledger",
            "spend",
            "--by",
            "day,model",
            "--json",
            "--data",
            &data,
        ])
        .json();
    // An export that says what the ledger says of each model, and of one of them 7 tokens more.
    let mut results = Vec::new();
    let rows = spend["rows"].as_array().unwrap();
    for (at, row) in rows.iter().enumerate() {
        let tokens: Vec<i64> = row["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|count| count.as_i64().unwrap_or(0))
            .collect();
        let more = if at == 0 { 7 } else { 0 };
        results.push(
            serde_json::json!({"uncached_input_tokens": tokens[0] + more,
            "cache_read_input_tokens": tokens[1], "cache_creation_input_tokens": tokens[2],
            "output_tokens": tokens[3] + tokens[4], "model": row["group"]["model"]}),
        );
    }
    let day = rows[0]["group"]["day"].as_str().unwrap();
    let page = serde_json::json!({"data": [{"starting_at": format!("{day}T00:00:00Z"), "results": results}]});
    let file = environment.path("usage.json");
    fs::write(&file, page.to_string()).unwrap();
    let file = file.to_string_lossy().into_owned();
    let said = environment
        .run(&["ledger", "reconcile", &file, "--json", "--data", &data])
        .json();
    assert_eq!(said["different"], 1, "{said:#}");
    assert_eq!(said["equal"], rows.len() - 1, "{said:#}");
    let line = said["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["is_equal"] == false);
    let why = line.unwrap()["why"].as_str().unwrap();
    assert!(why.starts_with("7 tokens "), "{why}");
    fs::write(environment.path("nonsense.json"), "{\"data\": 3}").unwrap();
    for wrong in ["missing.json", "nonsense.json"] {
        let place = environment.path(wrong).to_string_lossy().into_owned();
        let said = environment.run(&["ledger", "reconcile", &place, "--data", &data]);
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    }
}

#[test]
fn old_events_are_pruned_by_the_day() {
    let environment = Environment::new();
    let data = demo(&environment);
    let prune = |before: &str, more: &[&str]| {
        let args = [
            "ledger", "prune", "--before", before, "--json", "--data", &data,
        ];
        environment.run(&[args.as_slice(), more].concat())
    };
    let none = prune("1d", &[]).json();
    assert_eq!(
        (&none["events"], &none["report"]),
        (&0.into(), &Value::Null),
        "{none:#}"
    );
    let would = prune("0d", &["--dry-run"]).json();
    assert_eq!(
        (&would["events"], &would["dry_run"]),
        (&0.into(), &true.into())
    );
    for wrong in ["2999-01-01", "yesterday", "-3d"] {
        let said = prune(wrong, &[]);
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    }
    let verified = environment.run(&["ledger", "verify", "--data", &data]);
    assert!(verified.out.starts_with("whole: "), "{verified:?}");
}

#[test]
fn a_ledger_is_copied_whole_to_an_empty_place() {
    let environment = Environment::new();
    let data = demo(&environment);
    let to = environment.path("copied").to_string_lossy().into_owned();
    let copy = || environment.run(&["ledger", "copy", "--from", &data, "--to", &to, "--json"]);
    let first = copy();
    assert_eq!(first.status, 0, "{first:?}");
    let verified = environment
        .run(&["ledger", "verify", "--json", "--data", &data])
        .json();
    assert_eq!(first.json()["root"], verified["root"]);
    let again = copy();
    assert_eq!(again.status, 20, "{again:?}");
    assert!(
        again.err.contains("a copy goes to an empty place"),
        "{again:?}"
    );
    for args in [
        ["--from", "nowhere", "--to", "elsewhere"],
        ["--from", &data, "--to", &data],
        ["--from", "mysql://x/y", "--to", &data],
    ] {
        let said = environment.run(&[["ledger", "copy"].as_slice(), &args].concat());
        assert_eq!(said.status, 2, "{said:?}");
    }
}

#[test]
fn a_damaged_file_is_a_finding_and_not_a_failure() {
    let environment = Environment::new();
    let data = demo(&environment);
    let file = Path::new(&data).join("ledger.db");
    let bytes = fs::read(&file).unwrap();
    // The first page, a page in the middle, and no database at all.
    let middle = bytes.len() / 8192 / 2 * 8192;
    let damages: [(usize, usize); 2] = [(0, 200), (middle, 8192)];
    for (at, length) in damages {
        let mut damaged = bytes.clone();
        damaged[at..at + length].fill(0x5a);
        fs::write(&file, &damaged).unwrap();
        let said = environment.run(&["ledger", "verify", "--json", "--data", &data]);
        assert_eq!(said.status, 4, "{said:?}");
        assert!(said.json()["problem"]["what"].is_string(), "{said:?}");
    }
    fs::write(&file, &bytes).unwrap();
    let said = environment.run(&["ledger", "verify", "--data", &data]);
    assert_eq!(said.status, 0, "{said:?}");
}
