//! Keys, budgets and people by the command line, while a gateway runs.

use std::{fs, path::Path};

use serde_json::Value;
use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::environment::Environment;
use crate::up::Up;

const ASK: &str = r#"{"model":"claude-opus-5-5","max_tokens":64,"messages":[{"role":"user","content":"fix the crash in the parser"}]}"#;

async fn provider() -> Provider {
    let persona = |model: &str| Persona {
        model: model.into(),
        steps: vec![Step::Say("hello".into())],
    };
    let play = Play::new(vec![
        persona("claude-opus-5-5"),
        persona("claude-haiku-5-5"),
    ]);
    Provider::start(move |request| play.answer(request))
        .await
        .unwrap()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// Asks until the answer has a status: what another process sets is heeded a moment later.
async fn asked_until(up: &Up, wanted: &str, headers: &str, body: &str) -> String {
    let mut last = String::new();
    for _ in 0..600 {
        last = up.post_with("/v1/messages", headers, body);
        if status(&last) == wanted {
            return last;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("never {wanted}: {last}");
}

/// A budget that another process sets holds for the key of somebody in the team.
async fn a_budget_of_its_team_stops_it(environment: &Environment, up: &Up, shown: &str) {
    let set = environment.run(&[
        "budgets",
        "set",
        "team:core",
        "0.01 USD",
        "--per",
        "day",
        "--soft",
        "80%",
    ]);
    assert_eq!(set.status, 0, "{set:?}");
    assert!(
        set.err.contains(
            "team:core may spend $0.01 (day), new jobs start a class lower from $0.008 on"
        ),
        "{set:?}"
    );
    let long = ASK.replace("64", "32000");
    let answer = asked_until(up, "402", shown, &long).await;
    assert!(
        answer.contains("the budget of team:core") && answer.contains("of its $0.01 (day)"),
        "{answer}"
    );
    let listed = environment.run(&["budgets", "list", "--json"]).json();
    assert_eq!(listed[0]["subject"], "team:core", "{listed:#}");
    assert_eq!(listed[0]["limit_nano_usd"], 10_000_000);
}

/// Whose key was shown is in the reports.
fn it_is_told_who_spent(environment: &Environment) {
    let spend = environment.run(&["ledger", "spend", "--by", "person,team,key", "--json"]);
    let groups = spend.json()["rows"].as_array().unwrap().clone();
    let ana = serde_json::json!({"person": "ana", "team": "core", "key": "ci"});
    let hers = groups.iter().find(|row| row["group"] == ana);
    assert!(
        hers.is_some_and(|row| row["exchanges"].as_i64() >= Some(1)),
        "{groups:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_the_door_until_it_is_revoked() {
    let provider = provider().await;
    let environment = Environment::new();
    let up = Up::start_as("anthropic", &environment, &provider).await;
    assert_eq!(status(&up.post_with("/v1/messages", "", ASK)), "200");
    environment.run(&["people", "set", "ana", "--team", "core"]);
    let made = environment.run(&[
        "keys", "new", "ci", "--person", "ana", "--task", "bug-fix", "--json",
    ]);
    assert_eq!(made.status, 0, "{made:?}");
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("wp_key_") && key.len() > 70, "{key}");
    // Another process made it; everybody needs one a moment later.
    asked_until(&up, "401", "", ASK).await;
    let shown = format!("x-api-key: {key}\r\n");
    let answer = up.post_with("/v1/messages", &shown, ASK);
    assert_eq!(status(&answer), "200", "{answer}");
    a_budget_of_its_team_stops_it(&environment, &up, &shown).await;
    let revoked = environment.run(&["keys", "revoke", "ci"]);
    assert_eq!(revoked.status, 0, "{revoked:?}");
    let answer = asked_until(&up, "401", &shown, ASK).await;
    assert!(answer.contains("was revoked"), "{answer}");
    // Its end opens no door.
    assert_eq!(status(&up.post_with("/v1/messages", "", ASK)), "401");
    let good = environment.run(&["keys", "new", "good"]);
    assert_eq!(good.status, 0, "{good:?}");
    let refused = environment.run(&["keys", "remove", "good"]);
    assert!(refused.err.contains("revoke it first"), "{refused:?}");
    for command in ["revoke", "remove"] {
        let said = environment.run(&["keys", command, "good"]);
        assert_eq!(said.status, 0, "{said:?}");
    }
    assert_eq!(up.stop(), 0);
    let listed = environment.run(&["keys", "list"]);
    assert!(
        listed.out.contains("revoked") && !listed.out.contains(&key),
        "{listed:?}"
    );
    let removed = environment.run(&["keys", "remove", "ci"]);
    assert!(removed.err.contains("there is none left"), "{removed:?}");
    // What was done is in the ledger, and the key is nowhere.
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
    it_is_told_who_spent(&environment);
    assert_nowhere(&environment.data(), key.rsplit('_').next().unwrap());
    provider.stop().await;
}

/// No file below a folder holds a text.
fn assert_nowhere(folder: &Path, text: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_nowhere(&path, text);
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let environment = Environment::new();
    for (args, words) in [
        (vec!["keys", "new", ""], "is no name for a key"),
        (vec!["keys", "new", "a*"], "is no name for a key"),
        (
            vec!["keys", "new", "a", "--expires", "soon"],
            "write 90s, 30m, 12h or 7d",
        ),
        (vec!["keys", "revoke", "nobody"], "there is no key `nobody`"),
        (vec!["keys", "rotate", "nobody"], "there is no key `nobody`"),
        (vec!["budgets", "set", "core", "4 USD"], "team:NAME"),
        (
            vec!["budgets", "set", "team:core", "4 EUR"],
            "write an amount and the currency",
        ),
        (
            vec!["budgets", "set", "team:core", "4 USD", "--per", "fortnight"],
            "hour, day, week, month and total",
        ),
        (
            vec!["budgets", "set", "team:core", "4 USD", "--soft", "5 USD"],
            "is not below the limit",
        ),
        (
            vec!["budgets", "remove", "team:core"],
            "has no budget for a month",
        ),
        (
            vec!["people", "remove", "nobody"],
            "nobody is called `nobody`",
        ),
        (vec!["people", "read", "missing.toml"], "cannot be read"),
    ] {
        let said = environment.run(&args);
        assert_eq!(said.status, 2, "{args:?} {said:?}");
        assert!(said.err.contains(words), "{args:?} {said:?}");
    }
    let twice = || environment.run(&["keys", "new", "twin"]);
    assert_eq!(twice().status, 0);
    let said = twice();
    assert_eq!(said.status, 2);
    assert!(
        said.err.contains("there is a key `twin` already"),
        "{said:?}"
    );
}

#[test]
fn people_come_from_a_file() {
    let environment = Environment::new();
    let file = environment.path("people.toml");
    let path = file.to_string_lossy().into_owned();
    fs::write(&file, "[people.ana]\nteams = [\"core\"]\n[people.eve]\n").unwrap();
    let read = environment.run(&["people", "read", &path]);
    assert!(
        read.err.contains("2 set, 0 forgotten, 2 in all"),
        "{read:?}"
    );
    fs::write(&file, "[people.ana]\nteams = [\"core\", \"web\"]\n").unwrap();
    let read = environment.run(&["people", "read", &path]);
    assert!(
        read.err.contains("1 set, 1 forgotten, 1 in all"),
        "{read:?}"
    );
    let people: Value = environment.run(&["people", "list", "--json"]).json();
    assert_eq!(
        people,
        serde_json::json!([{ "name": "ana", "teams": ["core", "web"] }])
    );
    fs::write(&file, "[people.ana]\nteam = [\"core\"]\n").unwrap();
    let read = environment.run(&["people", "read", &path]);
    assert_eq!(read.status, 2);
    assert!(read.err.contains("unknown field `team`"), "{read:?}");
}

#[test]
fn every_change_is_told_as_json() {
    let environment = Environment::new();
    let run = |args: &[&str]| environment.run(&[args, &["--json"]].concat()).json();
    let made = run(&["keys", "new", "ci"]);
    let rotated = run(&["keys", "rotate", "ci", "--grace", "1h"]);
    assert_eq!(rotated["id"], made["id"]);
    assert_ne!(rotated["key"], made["key"]);
    assert!(rotated["former_good_until_us"].is_i64(), "{rotated:#}");
    assert_eq!(run(&["keys", "revoke", "ci"])["is_good"], false);
    let removed = run(&["keys", "remove", "ci"]);
    assert_eq!(
        (&removed["removed"], &removed["callers_need_a_key"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    let set = run(&["budgets", "set", "everyone", "2 USD", "--per", "day"]);
    assert_eq!(set["limit_nano_usd"], 2_000_000_000_i64);
    let lifted = run(&["budgets", "remove", "everyone", "--per", "day"]);
    assert_eq!(lifted["removed"], true);
    let ana = run(&["people", "set", "ana", "--team", "core"]);
    assert_eq!(ana["teams"][0], "core");
    let file = environment.path("people.toml");
    fs::write(&file, "[people.bo]\nrole = \"admin\"\n").unwrap();
    let read = run(&["people", "read", &file.to_string_lossy()]);
    assert_eq!(
        (&read["set"][0]["name"], &read["forgotten"][0]),
        (&"bo".into(), &"ana".into())
    );
    assert_eq!(run(&["people", "remove", "bo"])["removed"], true);
}
