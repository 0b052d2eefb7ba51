//! The proof loop around agents that are no real ones: what the loop itself promises.

use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::{
    environment::{Environment, Said},
    prove::repository,
};

const POLICY: &str = "version = 1\n\n[class.strong]\ntargets = [\"mock/strong-1\"]\n\n[class.max]\ntargets = [\"mock/max-1\"]\n\n[class.fast]\ntargets = [\"mock/fast-1\"]\n\n[class.reviewer]\ntargets = [\"mock/reviewer-1\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_a_prompt_has_its_obligation_frozen_before_its_first_answer() {
    let environment = Environment::new();
    let mut fixture = repository(&environment);
    fixture.write("wayproof.toml", POLICY).unwrap();
    fixture.commit("policy").unwrap();
    let play = Play::new(vec![Persona {
        model: "strong-1".to_owned(),
        steps: vec![
            Step::Shell("sed -i 's/a - b/a + b/' src/lib.rs".to_owned()),
            Step::Say("It adds now.".to_owned()),
        ],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let spec = format!("mock={}", provider.url());
    // One word is no prompt, so the task shows only in what the agent asks the gateway.
    let program = env!("CARGO_BIN_EXE_wayproof");
    let args = [
        "run",
        "--provider",
        &spec,
        "--",
        program,
        "demo-agent",
        "crash",
    ];
    let mut command = environment.wayproof(&args);
    let said = tokio::task::spawn_blocking(move || Said::of(command.output().unwrap()))
        .await
        .unwrap();
    assert_eq!(said.status, 0, "{said:?}");
    let jobs = environment.run(&["ledger", "jobs", "--json"]).json();
    assert_eq!(jobs[0]["task"], "bug-fix", "{jobs:#}");
    let job = jobs[0]["id"].as_str().unwrap().to_owned();
    let shown = environment.run(&["ledger", "show", &job, "--json"]).json();
    let events = shown["events"].as_array().unwrap();
    let frozen = events
        .iter()
        .find(|event| event["type"] == "obligation-frozen")
        .unwrap_or_else(|| panic!("{shown:#}"));
    assert_eq!(frozen["data"]["task"], "bug-fix", "{frozen:#}");
    let exchanges = shown["exchanges"].as_array().unwrap();
    let time = |value: &serde_json::Value| value.as_i64().unwrap();
    let ends = exchanges
        .iter()
        .map(|exchange| time(&exchange["opened_us"]) + time(&exchange["total_us"]));
    let first_end = ends.min().unwrap();
    assert!(time(&frozen["at_us"]) < first_end, "{shown:#}");
    provider.stop().await;
}
