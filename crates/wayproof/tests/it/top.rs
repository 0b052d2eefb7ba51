//! `wayproof top`: once for pipes, live in a real terminal that is given back however it ends.

use std::process::{Command, Stdio};

use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::environment::{Environment, Said};
use crate::up::Up;

/// Runs a command line in a terminal of its own.
fn in_a_terminal(environment: &Environment, line: &str, keys: &str) -> Said {
    let mut script = Command::new("sh");
    script.args([
        "-c",
        &format!(
            "(sleep 2; printf '{keys}') | script -qec \"stty rows 24 cols 120; {line}\" /dev/null"
        ),
    ]);
    environment.clean(&mut script);
    script
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .current_dir(environment.repo())
        .stdin(Stdio::null());
    let output = script.output().unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

const ENTERS: &str = "\u{1b}[?1049h";
const LEAVES: &str = "\u{1b}[?1049l";

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_budgets_are_shown_once_and_live() {
    let play = Play::new(vec![Persona {
        model: "claude-opus-5-5".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let up = Up::start_as("anthropic", &environment, &provider).await;
    let ask = r#"{"model":"claude-opus-5-5","max_tokens":64,"messages":[{"role":"user","content":"fix the crash in the parser"}]}"#;
    up.post("/v1/messages", ask);
    environment.run(&["budgets", "set", "everyone", "200 USD"]);
    assert_eq!(up.stop(), 0);
    let said = environment.run(&["top", "--once", "--json"]);
    assert_eq!(said.status, 0, "{said:?}");
    let seen = said.json();
    let job = &seen["jobs"][0];
    assert_eq!(job["task"], "bug-fix", "{seen:#}");
    assert_eq!(job["model"], "anthropic/claude-opus-5-5", "{seen:#}");
    assert!(
        job["listed_nano_usd"].is_i64() || job["listed_unknown"].is_i64(),
        "{seen:#}"
    );
    assert_eq!(seen["budgets"][0]["subject"], "everyone", "{seen:#}");
    let table = environment.run(&["top", "--once", "--sort", "spend", "--filter", "BUG"]);
    assert!(
        table.out.contains("not proven yet") && table.out.contains("$200"),
        "{table:?}"
    );
    assert!(!table.out.contains('\u{1b}'), "{table:?}");
    let none = environment.run(&["top", "--once", "--filter", "nobody"]);
    assert!(none.out.contains("no job is being worked on"), "{none:?}");

    let program = env!("CARGO_BIN_EXE_wayproof");
    let live = in_a_terminal(&environment, &format!("{program} top"), "sq");
    assert_eq!(live.status, 0, "{live:?}");
    assert!(
        live.out.contains(ENTERS) && live.out.contains("bug-fix"),
        "{live:?}"
    );
    assert!(
        live.out.rfind(LEAVES) > live.out.rfind(ENTERS),
        "the terminal is given back: {live:?}"
    );
    let told = format!("{program} top < /dev/tty & sleep 2; kill -TERM $!; wait $!");
    let ended = in_a_terminal(&environment, &told.replace('$', "\\$"), "");
    assert!(ended.out.contains(ENTERS), "{ended:?}");
    assert!(
        ended.out.rfind(LEAVES) > ended.out.rfind(ENTERS),
        "{ended:?}"
    );
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let environment = Environment::new();
    let said = environment.run(&["top"]);
    assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    assert!(
        said.err.contains("`wayproof top --once`") && said.err.lines().count() == 1,
        "{said:?}"
    );
    let said = environment.run(&["top", "--json"]);
    assert_eq!(said.status, 2, "{said:?}");
    let said = environment.run(&["top", "--once", "--json"]);
    assert_eq!(said.json()["jobs"], serde_json::json!([]));
}
