//! Clouds as an operator names them: the environment's keys, judged by Amazon's own code, and mistakes told at once.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider, Reply};

use crate::{
    environment::{Environment, Said, tools},
    up::Up,
};

const MODEL: &str = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/a+b";

/// The names and values that keys of AWS have in an environment.
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    ),
    ("AWS_SESSION_TOKEN", "a-session-token"),
];

const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5}}"#;

/// What botocore signs a captured request with.
fn signed_by_botocore(captured: &Captured, region: &str) -> String {
    let headers: serde_json::Map<String, Value> = captured
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(String::from_utf8_lossy(value))))
        .collect();
    let request = json!({
        "method": captured.method, "path": captured.path, "headers": headers, "region": region,
        "body": String::from_utf8_lossy(&captured.body),
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clouds.py");
    let mut python = Command::new(tools().join("aws/bin/python"));
    python
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(request.to_string().as_bytes()).unwrap();
    drop(input);
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    said.out.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_the_environment_sign_as_amazons_own_code_does() {
    let environment = Environment::new();
    let provider = Provider::start(|_: &Captured| Reply::json(200, MESSAGE));
    let provider = provider.await.unwrap();
    let bedrock = format!("b={},as=bedrock,region=eu-west-1", provider.url());
    let up = Up::start_set(
        "p",
        &environment,
        &provider,
        &["--provider", &bedrock],
        &KEYS,
    )
    .await;
    let body = json!({"model": format!("b/{MODEL}"), "max_tokens": 9, "messages": [{"role": "user", "content": "ünï 😀"}]});
    let answer = up.post("/v1/messages", &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let captured = provider.captured().pop().unwrap();
    assert_eq!(
        captured.path,
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fa%2Bb/invoke"
    );
    let shown = captured.header("authorization").unwrap();
    let squeezed = |text: &str| text.replace(' ', "");
    assert_eq!(
        squeezed(shown),
        squeezed(&signed_by_botocore(&captured, "eu-west-1"))
    );
    // The date is now's.
    let date = captured.header("x-amz-date").unwrap();
    let read = Command::new("date")
        .args(["-u", "+%Y%m%d"])
        .output()
        .unwrap();
    let today = String::from_utf8(read.stdout).unwrap();
    assert!(date.starts_with(today.trim()), "{date}");
    assert_eq!(up.stop(), 0);
    let exchanges = environment.run(&["ledger", "exchanges", "--json"]);
    assert!(!exchanges.out.contains("wJalr") && !exchanges.out.contains("a-session-token"));
}

/// The same keys, and a region, in the files of AWS's own tools.
fn profile(environment: &Environment) -> [(&'static str, String); 3] {
    let keys = KEYS.map(|(name, value)| format!("{} = {value}\n", name.to_ascii_lowercase()));
    let credentials = format!(
        "[default]\naws_access_key_id = AKOTHER\n[work]\n{}",
        keys.concat()
    );
    let config = "[profile work]\nregion = eu-west-1\n[profile sso]\nsso_session = corp\nregion = eu-west-1\n";
    let lay = |name: &str, text: &str| {
        let place = environment.path(name);
        std::fs::write(&place, text).unwrap();
        place.to_str().unwrap().to_owned()
    };
    [
        (
            "AWS_SHARED_CREDENTIALS_FILE",
            lay("credentials", &credentials),
        ),
        ("AWS_CONFIG_FILE", lay("config", config)),
        ("AWS_PROFILE", "work".to_owned()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_has_keys_and_their_region() {
    let environment = Environment::new();
    let provider = Provider::start(|_: &Captured| Reply::json(200, MESSAGE));
    let provider = provider.await.unwrap();
    let bedrock = format!("b={},as=bedrock", provider.url());
    let profile = profile(&environment);
    let variables = profile
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let up = Up::start_set(
        "p",
        &environment,
        &provider,
        &["--provider", &bedrock],
        &variables,
    )
    .await;
    let body = json!({"model": format!("b/{MODEL}"), "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    let answer = up.post("/v1/messages", &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let captured = provider.captured().pop().unwrap();
    let squeezed = |text: &str| text.replace(' ', "");
    assert_eq!(
        squeezed(captured.header("authorization").unwrap()),
        squeezed(&signed_by_botocore(&captured, "eu-west-1"))
    );
    // Keys run out, and the tools that made them write others.
    let file = environment.path("credentials");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("AKIDEXAMPLE", "AKIDRENEWED")).unwrap();
    let is_renewed = || {
        let answer = up.post("/v1/messages", &body.to_string());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let captured = provider.captured().pop().unwrap();
        let shown = captured.header("authorization").unwrap();
        shown.contains("AKIDRENEWED/")
    };
    let mut tries = 0;
    while !is_renewed() {
        tries += 1;
        assert!(tries < 100, "the keys were not read again");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert_eq!(up.stop(), 0);
    // One that signs in elsewhere, half a key, and one that nobody has.
    for (name, word) in [
        ("sso", "aws configure export-credentials --profile sso"),
        ("default", "half a key"),
        ("nobody", "is neither in"),
    ] {
        let spec = "b=http://127.0.0.1:9,as=bedrock,region=eu-west-1";
        let mut command =
            environment.wayproof(&["up", "--listen", "127.0.0.1:0", "--provider", spec]);
        command.envs(variables).env("AWS_PROFILE", name);
        let said = Said::of(command.output().unwrap());
        assert_eq!(said.status, 2, "{said:?}");
        assert!(
            said.err.contains(word) && !said.err.contains("wJalr"),
            "{}",
            said.err
        );
        assert_eq!(said.err.trim().lines().count(), 1, "{}", said.err);
    }
}

#[test]
fn mistakes_in_the_line_of_a_cloud_are_told_at_once() {
    let environment = Environment::new();
    let listed = environment.path("key.json");
    std::fs::write(&listed, "{}").unwrap();
    let file = listed.to_str().unwrap();
    let vertex = "v=https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5";
    for (spec, variables, word) in [
        (
            "b=http://127.0.0.1:9,as=azure".to_owned(),
            vec![],
            "bedrock and vertex",
        ),
        (
            "b=http://127.0.0.1:9,as=bedrock".to_owned(),
            vec![],
            "AWS_REGION",
        ),
        (
            "b=http://127.0.0.1:9,region=r".to_owned(),
            vec![],
            "as=bedrock",
        ),
        (
            "b=http://127.0.0.1:9,as=bedrock,region=r,protocol=gemini".to_owned(),
            vec![],
            "messages",
        ),
        (
            "b=http://127.0.0.1:9,as=bedrock,region=r".to_owned(),
            vec![("AWS_ACCESS_KEY_ID", "half-a-key")],
            "AWS_BEARER_TOKEN_BEDROCK",
        ),
        (
            "b=http://127.0.0.1:9,as=bedrock,region=a/../b".to_owned(),
            vec![],
            "region",
        ),
        (vertex.to_owned(), vec![], "protocol=gemini"),
        (
            "v=https://aiplatform.googleapis.com,protocol=gemini".to_owned(),
            vec![],
            "/locations/",
        ),
        (
            format!("{vertex},protocol=messages"),
            vec![("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")],
            "/nowhere.json",
        ),
        (
            format!("{vertex},protocol=messages"),
            vec![("GOOGLE_APPLICATION_CREDENTIALS", file)],
            "service account",
        ),
    ] {
        let mut command =
            environment.wayproof(&["up", "--listen", "127.0.0.1:0", "--provider", &spec]);
        let said = Said::of(command.envs(variables).output().unwrap());
        assert_eq!(said.status, 2, "{spec}: {said:?}");
        assert!(said.err.contains(word), "{spec}: {}", said.err);
        assert_eq!(said.err.trim().lines().count(), 1, "{}", said.err);
    }
}
