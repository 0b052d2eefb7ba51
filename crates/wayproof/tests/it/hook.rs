//! The stop hook that stands in an agent's own settings: it proves what the conversation owes, and is silent otherwise.

use std::{io::Write, process::Stdio};

use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::{
    environment::{Environment, Said},
    prove::repository,
    up::Up,
};

const SESSION: &str = "3f8f1c52-0000-4000-8000-1c52de1f0000";

fn stop(environment: &Environment, input: &str, variable: Option<(&str, &str)>) -> Said {
    let mut command = environment.wayproof(&["hook", "stop", "--standing"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .envs(variable);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A hook that says nothing may not even read.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    Said::of(child.wait_with_output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_broke_more_is_sent_back_once() {
    let environment = Environment::new();
    let fixture = repository(&environment);
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Say("done".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let cwd = environment.repo();
    let input = format!(
        "{{\"session_id\":\"{SESSION}\",\"cwd\":\"{}\",\"stop_hook_active\":false}}",
        cwd.display()
    );
    let silent = |said: Said| assert_eq!((said.status, said.out.as_str()), (0, ""), "{said:?}");
    // Nobody to ask.
    silent(stop(&environment, &input, None));
    let up = Up::start(&environment, &provider).await;
    // A conversation that the gateway does not know.
    silent(stop(&environment, &input, None));
    let body = "{\"model\":\"mock/m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"fix the bug: the test two_and_three fails\"}]}";
    let headers = format!(
        "x-claude-code-session-id: {SESSION}\r\nx-wayproof-task: bug-fix\r\nuser-agent: claude-cli/2.1.330 (external, cli)\r\n"
    );
    let answer = up.post_with("/v1/messages", &headers, body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // Nothing was changed.
    silent(stop(&environment, &input, None));
    fixture
        .write(
            "src/lib.rs",
            "pub fn sum(a: i32, b: i32) -> i32 {\n    a * b\n}\n",
        )
        .unwrap();
    let said = stop(&environment, &input, None);
    assert_eq!(
        (said.status, &said.json()["decision"]),
        (0, &"block".into()),
        "{said:?}"
    );
    // Under a run, the run answers; and nobody is held twice.
    silent(stop(
        &environment,
        &input,
        Some(("WAYPROOF_RUN_SOCKET", "/nowhere")),
    ));
    silent(stop(&environment, &input.replace("false", "true"), None));
    fixture
        .write(
            "src/lib.rs",
            "pub fn sum(a: i32, b: i32) -> i32 {\n    a + b\n}\n",
        )
        .unwrap();
    silent(stop(&environment, &input, None));
    assert_eq!(up.stop(), 0);
    provider.stop().await;
    let jobs = environment.run(&["ledger", "jobs", "--json"]).json();
    let verdicts: Vec<_> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["verdict"].clone())
        .collect();
    assert!(verdicts.contains(&"PROVEN".into()), "{jobs:#}");
}
