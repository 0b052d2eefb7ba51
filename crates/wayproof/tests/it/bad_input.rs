//! Bad input gets one clear sentence, the right status, and loses nothing.

use std::{fs, net::TcpListener};

use crate::environment::{Environment, Said};

#[test]
fn a_port_in_use_is_named() {
    let environment = Environment::new();
    environment.fixture();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = environment.run(&[
        "up",
        "--listen",
        &address,
        "--provider",
        "mock=http://127.0.0.1:9",
    ]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(
        said.err.contains(&address) && said.err.contains("in use"),
        "{}",
        said.err
    );
}

#[test]
fn an_open_address_needs_a_key() {
    let environment = Environment::new();
    environment.fixture();
    let said = environment.run(&[
        "up",
        "--listen",
        "0.0.0.0:0",
        "--provider",
        "mock=http://127.0.0.1:9",
    ]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("key"), "{}", said.err);
}

#[test]
fn a_wrong_provider_is_explained() {
    let environment = Environment::new();
    for (spec, word) in [
        ("mock", "NAME=URL"),
        ("mock=ftp://x", "http"),
        ("mock=http://127.0.0.1:9,protocol=smtp", "smtp"),
        (
            "mock=http://127.0.0.1:9,key-env=NOT_SET_ANYWHERE",
            "NOT_SET_ANYWHERE",
        ),
    ] {
        let said = environment.run(&["up", "--listen", "127.0.0.1:0", "--provider", spec]);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.err.contains(word), "{spec}: {}", said.err);
        assert_eq!(said.err.trim().lines().count(), 1, "{}", said.err);
    }
}

#[test]
fn a_folder_without_a_repository_cannot_be_proven() {
    let environment = Environment::new();
    // The test's own place is inside the repository of the program.
    let outside = tempfile::tempdir().unwrap();
    let mut command = environment.wayproof(&["prove", "--json"]);
    let said = Said::of(command.current_dir(outside.path()).output().unwrap());
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("git repository"), "{}", said.err);
}

#[test]
fn a_repository_without_commits_cannot_be_proven() {
    let environment = Environment::new();
    environment.fixture();
    let said = environment.run(&["prove", "--json"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("commit"), "{}", said.err);
}

#[test]
fn an_unknown_task_lists_the_known_ones() {
    let environment = Environment::new();
    let mut fixture = environment.fixture();
    fixture.write("a", "a").unwrap();
    fixture.commit("a").unwrap();
    let said = environment.run(&["prove", "--task", "bugfix"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("bug-fix"), "{}", said.err);
}

#[test]
fn an_unknown_revision_is_named() {
    let environment = Environment::new();
    let mut fixture = environment.fixture();
    fixture.write("a", "a").unwrap();
    fixture.commit("a").unwrap();
    let said = environment.run(&["prove", "--base", "nowhere"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("nowhere"), "{}", said.err);
}

#[test]
fn a_corrupt_ledger_is_named_and_left_alone() {
    let environment = Environment::new();
    environment.fixture();
    let data = environment.data();
    fs::create_dir_all(&data).unwrap();
    assert_eq!(environment.run(&["ledger", "jobs"]).status, 0);
    let file = fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            path.extension()
                .is_some_and(|kind| kind == "db" || kind == "sqlite")
        })
        .unwrap();
    let damaged = vec![0x5a; 16 * 1024];
    for old in fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if old.is_file()
            && old != file
            && old.to_string_lossy().starts_with(&*file.to_string_lossy())
        {
            fs::remove_file(old).unwrap();
        }
    }
    fs::write(&file, &damaged).unwrap();
    let said = environment.run(&["ledger", "jobs"]);
    assert_ne!(said.status, 0, "{said:?}");
    assert!(said.err.contains("ledger"), "{}", said.err);
    assert_eq!(
        fs::read(&file).unwrap(),
        damaged,
        "nothing may be overwritten"
    );
}

#[test]
fn a_missing_agent_is_named() {
    let environment = Environment::new();
    let mut fixture = environment.fixture();
    fixture.write("a", "a").unwrap();
    fixture.commit("a").unwrap();
    let said = environment.run(&[
        "run",
        "--task",
        "bug-fix",
        "--provider",
        "mock=http://127.0.0.1:9",
        "--",
        "no-such-agent",
        "fix it please",
    ]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("no-such-agent"), "{}", said.err);
}

#[test]
fn a_receipt_that_is_none_is_invalid() {
    let environment = Environment::new();
    let file = environment.path("receipt.jsonl");
    fs::write(&file, "{\"not\": \"a receipt\"}\n").unwrap();
    let said = environment.run(&["receipt", "verify", file.to_str().unwrap()]);
    assert_eq!(said.status, 4, "{said:?}");
    let said = environment.run(&["receipt", "verify", "/nowhere/receipt.jsonl"]);
    assert_eq!(said.status, 2, "{said:?}");
}
