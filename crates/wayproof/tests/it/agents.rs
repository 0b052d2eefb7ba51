//! Real agents in the proof loop, against scripted models, on a bug that a real release had: each on its own protocol
//! and on others.
//!
//! `xmltodict` 0.14.2 fixed what 0.14.1 did wrong, and published the tests that show it.

mod cast;

use std::{fs, path::Path, process::Command};

use wayproof_testkit::{Captured, Fixture, Persona, Play, Provider, Step};

use self::cast::{
    AIDER, CHAT, CLAUDE, CODEX, CODEX_ON_A_SOCKET, COPILOT, COPILOT_IN_MESSAGES,
    COPILOT_IN_RESPONSES, COPILOT_ON_A_SOCKET, GEMINI, GEMINI_CLI, MESSAGES, RESPONSES, Real, over,
};
use crate::{
    conformance,
    environment::{Environment, Said, path_with, tools},
};

/// The old source with the new release's tests: red, as its authors saw it before the fix.
fn historical_bug(root: &Path) -> Fixture {
    let fixture = Fixture::init(root).unwrap();
    let (old, new) = (
        tools().join("xmltodict-0.14.1"),
        tools().join("xmltodict-0.14.2"),
    );
    fixture
        .write(
            "xmltodict.py",
            &fs::read_to_string(old.join("xmltodict.py")).unwrap(),
        )
        .unwrap();
    for test in fs::read_dir(new.join("tests")).unwrap() {
        let test = test.unwrap();
        if test.path().extension().is_some_and(|kind| kind == "py") {
            let name = format!("tests/{}", test.file_name().to_string_lossy());
            fixture
                .write(&name, &fs::read_to_string(test.path()).unwrap())
                .unwrap();
        }
    }
    fixture
        .write(".gitignore", "__pycache__\n.pytest_cache\n.aider*\n")
        .unwrap();
    fixture
}

fn policy(agent: &Real) -> String {
    format!(
        "version = 1\n\n[class.fast]\ntargets = [\"{0}/{1}\"]\n\n[class.strong]\ntargets = [\"{0}/{2}\"]\n\n\
         [task.bug-fix]\nroute = \"fast\"\nescalate = [{{ on = \"proof-refuted\", to = \"strong\" }}]\n\
         proof = [\"failing-test-becomes-green\"]\ntries = 2\n",
        agent.provider, agent.fast, agent.strong
    )
}

/// A fast model that breaks more than it mends, and a strong one that knows the released fix.
fn honest_in_the_end(agent: &Real) -> Play {
    let fix = tools().join("xmltodict-0.14.2/xmltodict.py");
    let look = || Step::Shell("cat xmltodict.py | head -40; ls tests".to_owned());
    let wrong = "printf '\\ndef parse(*args, **kwargs):\\n    return None\\n' >> xmltodict.py";
    let right = format!("cp '{}' xmltodict.py", fix.display());
    Play::new(vec![
        Persona {
            model: agent.fast.to_owned(),
            steps: vec![
                look(),
                Step::Shell(wrong.to_owned()),
                Step::Say("Fixed. All tests pass now.".to_owned()),
            ],
        },
        Persona {
            model: agent.strong.to_owned(),
            steps: vec![
                look(),
                Step::Shell(right),
                Step::Say("The bug is fixed where it arises.".to_owned()),
            ],
        },
    ])
}

/// The same two for an agent that writes what it is answered.
fn honest_in_text(agent: &Real) -> Play {
    let source =
        |release: &str| fs::read_to_string(tools().join(release).join("xmltodict.py")).unwrap();
    let whole = |text: &str| Step::Say(format!("xmltodict.py\n```python\n{text}```\n"));
    let wrong = source("xmltodict-0.14.1") + "\ndef parse(*args, **kwargs):\n    return None\n";
    let persona = |model: &str, text: &str| Persona {
        model: model.to_owned(),
        steps: vec![whole(text)],
    };
    Play::new(vec![
        persona(agent.fast, &wrong),
        persona(agent.strong, &source("xmltodict-0.14.2")),
    ])
}

/// Models that only claim.
fn all_talk(agent: &Real) -> Play {
    let talk = |model: &str| Persona {
        model: model.to_owned(),
        steps: vec![Step::Say(
            "Done. I ran the suite and all 60 tests pass.".to_owned(),
        )],
    };
    Play::new(vec![talk(agent.fast), talk(agent.strong)])
}

/// Runs the agent in the proof loop.
async fn run(environment: &Environment, agent: &Real, play: Play) -> (Said, Provider) {
    let mut fixture = historical_bug(&environment.repo());
    fixture.write("wayproof.toml", &policy(agent)).unwrap();
    fixture
        .commit("The release before, with the tests of the release after")
        .unwrap();
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    if agent.command[0] == "gemini" {
        // It does not start before a kind of sign-in is chosen, as its first start or `connect` does.
        let settings = environment.path("home/.gemini/settings.json");
        fs::create_dir_all(settings.parent().unwrap()).unwrap();
        let chosen = r#"{"security":{"auth":{"selectedType":"gemini-api-key"}}}"#;
        fs::write(settings, chosen).unwrap();
    }
    // The agent's own key is none for a provider of another protocol.
    let only = agent
        .only
        .map(|(protocol, _)| format!(",protocol={protocol},key-env=ELSEWHERE_KEY"));
    let only = only.unwrap_or_default();
    let spec = format!("{}={}{only}", agent.provider, provider.url());
    let ours = ["run", "--task", "bug-fix", "--provider", &spec, "--"];
    let mut command = environment.wayproof(&[ours.as_slice(), agent.command].concat());
    let bin = |folder: &str| tools().join(folder).join("node_modules/.bin");
    let node = tools().join("node24/node_modules/node/bin");
    let path = path_with(&[
        tools().join("python/bin"),
        node,
        bin("claude"),
        bin("codex"),
        bin("gemini"),
        bin("copilot"),
        tools().join("aider/bin"),
    ]);
    command
        .env("PATH", path)
        .env("ELSEWHERE_KEY", "sk-elsewhere")
        .envs(agent.env.iter().copied());
    quiet(&mut command);
    let said = tokio::task::spawn_blocking(move || Said::of(command.output().unwrap()))
        .await
        .unwrap();
    (said, provider)
}

/// Agents that phone home have nobody to call here.
fn quiet(command: &mut Command) {
    command
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
        .env("DISABLE_AUTOUPDATER", "1")
        .env("COPILOT_AUTO_UPDATE", "false")
        .env("COPILOT_OFFLINE", "true")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .env("IS_SANDBOX", "1");
}

async fn goes_from_red_to_proven(agent: &Real) -> Vec<Captured> {
    let environment = Environment::new();
    let play = match agent.command[0] {
        "aider" => honest_in_text(agent),
        _ => honest_in_the_end(agent),
    };
    let (said, provider) = run(&environment, agent, play).await;
    assert_eq!(said.status, 0, "{said:?}");
    if let Some((_, path)) = agent.only {
        let has_our_key = |request: &Captured| {
            request.header("authorization") == Some("Bearer sk-elsewhere")
                || request.header("x-goog-api-key") == Some("sk-elsewhere")
        };
        let elsewhere = provider
            .captured()
            .into_iter()
            .find(|request| !request.path.starts_with(path) || !has_our_key(request));
        assert!(elsewhere.is_none(), "{elsewhere:?}");
    }
    let asked: Vec<String> = provider.captured().iter().filter_map(model_of).collect();
    assert!(
        asked.contains(&agent.fast.to_owned()) && asked.contains(&agent.strong.to_owned()),
        "{asked:?}"
    );
    let jobs = environment.run(&["ledger", "jobs", "--json"]).json();
    assert_eq!(jobs[0]["verdict"], "PROVEN", "{jobs:#}");
    let job = jobs[0]["id"].as_str().unwrap().to_owned();
    let shown = environment.run(&["ledger", "show", &job, "--json"]).json();
    let causes: Vec<_> = shown["escalations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moved| moved["cause"].clone())
        .collect();
    assert_eq!(causes, ["proof-refuted"], "{shown:#}");
    let receipt = said
        .err
        .lines()
        .find_map(|line| line.strip_prefix("wayproof: receipt "))
        .unwrap()
        .to_owned();
    let trust = environment.data().join("trust.txt");
    let verified = environment.run(&[
        "receipt",
        "verify",
        &receipt,
        "--trust",
        trust.to_str().unwrap(),
    ]);
    assert_eq!(verified.status, 0, "{verified:?}");
    assert_eq!(environment.run(&["ledger", "verify"]).status, 0);
    let captured = provider.captured();
    provider.stop().await;
    conformance::record(agent.mark, agent.only.map(|(protocol, _)| protocol));
    captured
}

/// The model that a request is for; Gemini has it in the path.
fn model_of(request: &Captured) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    let named = body["model"].as_str().map(str::to_owned);
    named.or_else(|| {
        let (_, name) = request.path.split_once("/models/")?;
        Some(name.split_once(':')?.0.to_owned())
    })
}

async fn ends_unproven(agent: &Real) {
    let environment = Environment::new();
    let (said, provider) = run(&environment, agent, all_talk(agent)).await;
    assert_eq!(said.status, 11, "{said:?}");
    assert!(said.err.contains("UNPROVEN"), "{}", said.err);
    let jobs = environment.run(&["ledger", "jobs", "--json"]).json();
    assert_eq!(jobs[0]["verdict"], "UNPROVEN", "{jobs:#}");
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_goes_from_red_to_proven_with_one_escalation() {
    goes_from_red_to_proven(&CLAUDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_with_one_escalation() {
    goes_from_red_to_proven(&CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_on_a_socket() {
    let captured = goes_from_red_to_proven(&CODEX_ON_A_SOCKET).await;
    // A turn on a socket is put together by the gateway, which writes the conversation first.
    let made = |request: &Captured| request.body.starts_with(br#"{"stream":true,"input":["#);
    assert!(captured.iter().all(made), "{captured:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_on_a_socket_over_messages() {
    goes_from_red_to_proven(&over(CODEX_ON_A_SOCKET, MESSAGES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_on_a_socket_over_chat() {
    goes_from_red_to_proven(&over(CODEX_ON_A_SOCKET, CHAT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_in_messages_goes_from_red_to_proven() {
    let captured = goes_from_red_to_proven(&COPILOT_IN_MESSAGES).await;
    let is_own = |one: &Captured| one.path.starts_with("/v1/messages");
    assert!(captured.iter().all(is_own), "{captured:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_in_messages_goes_from_red_to_proven_over_chat() {
    goes_from_red_to_proven(&over(COPILOT_IN_MESSAGES, CHAT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_in_messages_goes_from_red_to_proven_over_responses() {
    goes_from_red_to_proven(&over(COPILOT_IN_MESSAGES, RESPONSES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_in_responses_goes_from_red_to_proven() {
    let captured = goes_from_red_to_proven(&COPILOT_IN_RESPONSES).await;
    let is_own = |one: &Captured| one.path.starts_with("/v1/responses");
    assert!(captured.iter().all(is_own), "{captured:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_in_responses_goes_from_red_to_proven_over_messages() {
    goes_from_red_to_proven(&over(COPILOT_IN_RESPONSES, MESSAGES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_in_responses_goes_from_red_to_proven_over_chat() {
    goes_from_red_to_proven(&over(COPILOT_IN_RESPONSES, CHAT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_goes_from_red_to_proven_on_a_socket() {
    goes_from_red_to_proven(&COPILOT_ON_A_SOCKET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_goes_from_red_to_proven_over_chat() {
    goes_from_red_to_proven(&over(CLAUDE, CHAT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_goes_from_red_to_proven_over_responses() {
    goes_from_red_to_proven(&over(CLAUDE, RESPONSES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_over_chat() {
    goes_from_red_to_proven(&over(CODEX, CHAT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_over_messages() {
    goes_from_red_to_proven(&over(CODEX, MESSAGES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_codes_claim_without_a_proof_ends_unproven() {
    ends_unproven(&CLAUDE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codexs_claim_without_a_proof_ends_unproven() {
    ends_unproven(&CODEX).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_goes_from_red_to_proven_with_one_escalation() {
    goes_from_red_to_proven(&GEMINI_CLI).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_goes_from_red_to_proven_over_chat() {
    goes_from_red_to_proven(&over(GEMINI_CLI, CHAT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_goes_from_red_to_proven_over_messages() {
    goes_from_red_to_proven(&over(GEMINI_CLI, MESSAGES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gemini_cli_goes_from_red_to_proven_over_responses() {
    goes_from_red_to_proven(&over(GEMINI_CLI, RESPONSES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_goes_from_red_to_proven_with_one_escalation() {
    goes_from_red_to_proven(&COPILOT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_goes_from_red_to_proven_over_messages() {
    goes_from_red_to_proven(&over(COPILOT, MESSAGES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_goes_from_red_to_proven_over_responses() {
    goes_from_red_to_proven(&over(COPILOT, RESPONSES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copilot_cli_goes_from_red_to_proven_over_gemini() {
    goes_from_red_to_proven(&over(COPILOT, GEMINI)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aider_goes_from_red_to_proven_with_one_escalation() {
    goes_from_red_to_proven(&AIDER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aider_goes_from_red_to_proven_over_messages() {
    goes_from_red_to_proven(&over(AIDER, MESSAGES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aider_goes_from_red_to_proven_over_responses() {
    goes_from_red_to_proven(&over(AIDER, RESPONSES)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn aider_goes_from_red_to_proven_over_gemini() {
    goes_from_red_to_proven(&over(AIDER, GEMINI)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claude_code_goes_from_red_to_proven_over_gemini() {
    goes_from_red_to_proven(&over(CLAUDE, GEMINI)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codex_goes_from_red_to_proven_over_gemini() {
    goes_from_red_to_proven(&over(CODEX, GEMINI)).await;
}
