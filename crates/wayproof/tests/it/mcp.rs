//! `wayproof mcp` with the official SDK as its client, and with clients that send nonsense.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::environment::{Environment, Said, tools};

/// A repository with a change in what is public, a symbol that is used, and a schema.
fn repository(environment: &Environment) {
    let mut fixture = environment.fixture();
    fixture
        .write(
            "src/lib.rs",
            "pub fn area(side: u32) -> u32 { side * side }\nfn twice() -> u32 { area(2) }\n",
        )
        .unwrap();
    fixture
        .write("db/migrations/0001_init.sql", "CREATE TABLE a (b INT);\n")
        .unwrap();
    fixture.commit("base").unwrap();
    fixture.git(&["branch", "trunk"]).unwrap();
    fixture.git(&["checkout", "--quiet", "-b", "work"]).unwrap();
    fixture
        .write("src/lib.rs", "pub fn area(side: u64) -> u64 { side * side }\nfn twice() -> u64 { area(2) }\npub fn new_one() {}\n")
        .unwrap();
    fixture.commit("change").unwrap();
    // What is not committed yet is seen, too.
    fixture
        .write("src/more.rs", "fn more() -> u64 { area(3) } // arealess\n")
        .unwrap();
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
fn the_official_sdk_calls_every_tool() {
    let environment = Environment::new();
    repository(&environment);
    let calls = json!([
        ["owes", {}], ["why", {}], ["references", {"symbol": "area"}],
        ["references", {"symbol": "area", "rev": "trunk"}], ["references", {"symbol": "-e x"}],
        ["api_diff", {"base": "trunk"}], ["schemas", {}], ["prove", {"task": "nothing", "base": "trunk"}],
        ["owes", {"job": "nope"}], ["references", {}], ["references", {"symbol": "a\nb"}], ["rm", {}],
        ["schemas", {"rev": "--help"}], ["owes", {"jobs": 1}],
    ]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/mcp_client.py");
    let mut client = Command::new(tools().join("mcp/bin/python"));
    client
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_wayproof"))
        .arg(environment.repo())
        .arg(environment.data())
        .arg(calls.to_string())
        .current_dir(environment.repo());
    environment.clean(&mut client);
    let said = Said::of(client.output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    let said = said.json();
    assert_eq!(
        said["tools"],
        json!(["owes", "prove", "why", "references", "api_diff", "schemas"])
    );
    let text = |call: &str| {
        said[call]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{call}: {said:#}"))
    };
    let references = text("references {\"symbol\": \"area\"}");
    assert!(
        references.starts_with("3 line(s) in 2 file(s)"),
        "{references}"
    );
    assert!(
        references.contains("src/more.rs:1: fn more()"),
        "{references}"
    );
    let before = text("references {\"symbol\": \"area\", \"rev\": \"trunk\"}");
    assert!(before.starts_with("2 line(s) in 1 file(s)"), "{before}");
    assert!(text("references {\"symbol\": \"-e x\"}").starts_with("nothing uses"));
    let api = text("api_diff {\"base\": \"trunk\"}");
    assert!(
        api.contains("~ pub fn area(side: u32) -> u32\n    now pub fn area(side: u64) -> u64"),
        "{api}"
    );
    assert!(api.contains("+ pub fn new_one()"), "{api}");
    assert!(
        text("schemas {}").contains("migration: db/migrations/0001_init.sql"),
        "{said:#}"
    );
    let owes = text("owes {}");
    assert!(
        owes.contains("no job of this repository")
            && owes.contains("bug-fix: failing-test-becomes-green"),
        "{owes}"
    );
    for (call, words) in [
        ("why {}", "no request has gone through the gateway yet"),
        ("owes {\"job\": \"nope\"}", "the ledger has no job nope"),
        (
            "prove {\"task\": \"nothing\", \"base\": \"trunk\"}",
            "there is no task `nothing`",
        ),
        ("references {\"symbol\": \"a\\nb\"}", "a symbol is one line"),
        ("schemas {\"rev\": \"--help\"}", "--help"),
    ] {
        assert_eq!(said[call]["failed"], true, "{call}: {said:#}");
        assert!(text(call).contains(words), "{call}: {said:#}");
    }
    for (call, words) in [
        ("references {}", "missing field `symbol`"),
        ("rm {}", "there is no tool `rm`; there are owes, prove"),
        ("owes {\"jobs\": 1}", "unknown field `jobs`"),
    ] {
        let error = said[call]["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{call}: {said:#}"));
        assert!(error.contains(words), "{call}: {error}");
    }
}

/// What the server says to lines, one JSON value a line.
fn answers(environment: &Environment, lines: &str) -> (Vec<Value>, i32) {
    answers_in(environment, &environment.repo(), lines)
}

fn answers_in(environment: &Environment, folder: &Path, lines: &str) -> (Vec<Value>, i32) {
    let mut server = environment
        .wayproof(&["mcp"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    server
        .stdin
        .take()
        .unwrap()
        .write_all(lines.as_bytes())
        .unwrap();
    let output = server.wait_with_output().unwrap();
    let said = Said::of(output);
    let lines = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (lines.collect(), said.status)
}

const BEGIN: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}\n{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

#[test]
fn nonsense_gets_a_protocol_error_and_the_server_goes_on() {
    let environment = Environment::new();
    repository(&environment);
    let (said, status) = answers(&environment, "");
    assert_eq!(
        (said.len(), status),
        (0, 0),
        "a client that leaves is no fault"
    );
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(5 << 20));
    let lines = format!(
        "{BEGIN}this is no json\n\n{long}[1,2]\n{{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/burn\"}}\n{{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{{\"name\":\"owes\",\"arguments\":[]}}}}\n{{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"tools/list\"}}\n"
    );
    let (said, status) = answers(&environment, &lines);
    assert_eq!(status, 0);
    let broken: Vec<&Value> = said
        .iter()
        .filter(|one| one["error"]["code"] == -32700)
        .collect();
    assert_eq!(broken.len(), 2, "{said:#?}");
    assert!(broken.iter().any(|one| {
        one["error"]["message"]
            .as_str()
            .unwrap()
            .contains("is no JSON")
    }));
    assert!(broken.iter().any(|one| {
        one["error"]["message"]
            .as_str()
            .unwrap()
            .contains("longer than 4 MiB")
    }));
    let by_id = |id: i64| said.iter().find(|one| one["id"] == id);
    assert!(by_id(7).unwrap()["error"]["code"].is_i64(), "{said:#?}");
    let listed = &by_id(9).unwrap()["result"]["tools"];
    assert_eq!(listed.as_array().unwrap().len(), 6, "{said:#?}");
    let bytes = listed.to_string().len();
    assert!(bytes <= 1_200, "{bytes} bytes of every prompt");
}

#[test]
fn outside_of_a_repository_it_says_so_when_asked() {
    let environment = Environment::new();
    let call = "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"schemas\",\"arguments\":{}}}\n";
    // The test's own place is inside this program's repository.
    let outside = tempfile::tempdir().unwrap();
    let (said, status) = answers_in(&environment, outside.path(), &format!("{BEGIN}{call}"));
    assert_eq!(status, 0);
    let result = &said.iter().find(|one| one["id"] == 2).unwrap()["result"];
    assert_eq!(result["isError"], true, "{said:#?}");
    assert!(
        result["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("git repository"),
        "{said:#?}"
    );
}
