//! Jobs from opening to closing, through the admin pages.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::{Seen, get, post};
use crate::stage::{ADMIN, MESSAGE, Setting, Stage, asking};

fn token() -> String {
    format!("Bearer {ADMIN}")
}

pub(crate) async fn tell(stage: &Stage, path: &str, body: &Value) -> Seen {
    let token = token();
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    let path = format!("/wayproof/v1/{path}");
    post(stage.address, &path, &headers, body.to_string().as_bytes()).await
}

pub(crate) async fn read(stage: &Stage, path: &str) -> Value {
    let token = token();
    let headers = [("authorization", token.as_str())];
    let seen = get(stage.address, &format!("/wayproof/v1/{path}"), &headers).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    serde_json::from_str(&seen.text()).unwrap()
}

async fn open_job(stage: &Stage, wanted: Value) -> (String, String) {
    let seen = tell(stage, "jobs", &wanted).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let opened: Value = serde_json::from_str(&seen.text()).unwrap();
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    (text("job"), text("key"))
}

async fn ask(stage: &Stage, key: &str, body: &str) -> Seen {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    post(stage.address, "/v1/messages", &headers, body.as_bytes()).await
}

#[tokio::test]
async fn the_admin_pages_want_their_token() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    for shown in [None, Some("Bearer wp_admin_tesu"), Some("Bearer ")] {
        let headers: Vec<_> = shown
            .iter()
            .map(|shown| ("authorization", *shown))
            .collect();
        let seen = get(stage.address, "/wayproof/v1/health", &headers).await;
        assert_eq!(seen.status, 401);
        assert_eq!(seen.text(), r#"{"error":"the admin token is needed"}"#);
        assert_eq!(
            post(stage.address, "/wayproof/v1/jobs", &headers, b"{}")
                .await
                .status,
            401
        );
    }
    let health = read(&stage, "health").await;
    assert_eq!(health["providers"][0]["name"], "p");
    assert_eq!(health["providers"][0]["is_healthy"], true);
    stage.stop().await;
}

#[tokio::test]
async fn without_a_token_the_admin_pages_are_closed() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let mut setting = Setting::with(&scripted);
    setting.settings.admin_token = None;
    let stage = setting.open().await;
    assert_eq!(tell(&stage, "jobs", &json!({})).await.status, 401);
    stage.stop().await;
}

#[tokio::test]
async fn a_jobs_key_binds_every_exchange_to_the_job() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let wanted = json!({"task": "bug-fix", "repo": "demo", "base": "abc"});
    let (job, key) = open_job(&stage, wanted).await;
    assert!(key.starts_with(&format!("wp_job_{job}_")), "{key}");

    let mut exchanges = Vec::new();
    for (session, ask_text) in [
        ("s1", "what is this?"),
        ("s2", "rename x to y"),
        ("s1", "go on"),
    ] {
        let bearer = format!("Bearer {key}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-session-id", session),
        ];
        let body = asking("claude-opus-5-5", ask_text);
        let seen = post(stage.address, "/v1/messages", &headers, body.as_bytes()).await;
        assert_eq!(seen.header("x-wayproof-task"), Some("bug-fix"));
        assert_eq!(seen.header("x-wayproof-class"), Some("strong"));
        stage.settled(seen.exchange()).await;
        exchanges.push(seen.exchange().to_owned());
    }
    for captured in scripted.captured() {
        assert!(!format!("{captured:?}").contains("wp_job"), "{captured:?}");
    }
    let page = read(&stage, &format!("jobs/{job}")).await;
    assert_eq!(page["job"]["exchanges"], 3);
    assert_eq!(page["job"]["repo"], "demo");
    assert_eq!(page["job"]["task"], "bug-fix");
    let mut found: Vec<&str> = page["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    found.sort_unstable();
    exchanges.sort_unstable();
    assert_eq!(found, exchanges);
    let text = page.to_string();
    assert!(!text.contains(&key), "the key is kept");

    let page = read(&stage, &format!("exchanges/{}", exchanges[0])).await;
    assert_eq!(page["opened"]["decision"]["task"], "bug-fix");
    assert_eq!(page["settled"]["outcome"], "completed");
    stage.stop().await;
}

#[tokio::test]
async fn a_refuted_proof_routes_the_next_turn() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (job, key) = open_job(&stage, json!({"task": "bug-fix"})).await;
    let first = ask(
        &stage,
        &key,
        &asking("claude-opus-5-5", "the parser crashes"),
    )
    .await;
    assert_eq!(first.header("x-wayproof-target"), Some("p/strong-1"));

    let proof = json!({
        "verdict": "REFUTED", "task": "bug-fix",
        "one_fact": "test_empty still fails: expected 0, got 1",
        "receipt": {"bundle": "{\"payload\":\"\"}\n", "tree": "t1"},
    });
    let seen = tell(&stage, &format!("jobs/{job}/proof"), &proof).await;
    assert_eq!(seen.status, 204, "{}", seen.text());

    let turn = r#"{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user","content":"the parser crashes"},{"role":"assistant","content":"done"},{"role":"user","content":"Wayproof: test_empty still fails"}]}"#;
    let next = ask(&stage, &key, turn).await;
    assert_eq!(next.header("x-wayproof-class"), Some("max"));
    assert_eq!(next.header("x-wayproof-target"), Some("p/max-1"));
    assert_eq!(next.header("x-wayproof-cause"), Some("proof-refuted"));

    stage.settled(next.exchange()).await;
    let page = read(&stage, &format!("jobs/{job}")).await;
    assert_eq!(page["job"]["escalations"], 1);
    assert_eq!(page["job"]["proofs"], 1);
    assert_eq!(page["job"]["verdict"], "REFUTED");
    let digest = page["job"]["receipt_digest"].as_str().unwrap();
    let kept = stage.ledger.kept(digest).await.unwrap();
    assert_eq!(kept.as_deref(), Some("{\"payload\":\"\"}\n"));
    let kinds: Vec<&str> = page["story"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for kind in [
        "job-opened",
        "evidence-noted",
        "escalated",
        "proof-finished",
        "receipt-issued",
    ] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn evidence_that_comes_before_the_first_request_waits_for_it() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (job, key) = open_job(&stage, json!({"task": "bug-fix"})).await;
    let proof = json!({"verdict": "REFUTED", "task": "bug-fix"});
    assert_eq!(
        tell(&stage, &format!("jobs/{job}/proof"), &proof)
            .await
            .status,
        204
    );
    let seen = ask(
        &stage,
        &key,
        &asking("claude-opus-5-5", "the parser crashes"),
    )
    .await;
    assert_eq!(seen.header("x-wayproof-class"), Some("max"));
    stage.stop().await;
}

#[tokio::test]
async fn no_answer_goes_out_before_it_is_fixed_what_the_job_owes() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (job, key) = open_job(&stage, json!({"freezes": true})).await;
    let obligation = format!("jobs/{job}/obligation");
    let is_answered = AtomicBool::new(false);
    let agent = async {
        let body = asking("claude-opus-5-5", "the parser crashes on empty input");
        let seen = ask(&stage, &key, &body).await;
        is_answered.store(true, Ordering::SeqCst);
        seen
    };
    let run = async {
        let owed = read(&stage, &obligation).await;
        assert_eq!(owed, json!({"obligation": "due", "task": "bug-fix"}));
        while scripted.captured().is_empty() {
            tokio::task::yield_now().await;
        }
        read(&stage, "health").await;
        assert!(!is_answered.load(Ordering::SeqCst));
        let frozen = json!({
            "task": "bug-fix", "requirements": [["failing-test-becomes-green"]],
            "policy_digest": "00", "obligation_digest": "11",
        });
        assert_eq!(tell(&stage, &obligation, &frozen).await.status, 204);
    };
    let (seen, ()) = tokio::join!(agent, run);
    assert_eq!(seen.status, 200);
    let settled = json!({"obligation": "settled"});
    assert_eq!(read(&stage, &obligation).await, settled);
    stage.settled(seen.exchange()).await;
    let page = read(&stage, &format!("jobs/{job}")).await;
    let story = page["story"].as_array().unwrap();
    assert!(
        story
            .iter()
            .any(|event| event["type"] == "obligation-frozen"),
        "{page:#}"
    );
    stage.stop().await;
}

#[tokio::test]
async fn housekeeping_before_the_first_ask_waits_for_nobody() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (_, key) = open_job(&stage, json!({"freezes": true})).await;
    let title = r#"{"model":"claude-opus-5-5","max_tokens":9,"system":"You are naming a coding session","output_config":{"format":{"type":"json_schema","schema":{"properties":{"title":{}}}}},"messages":[{"role":"user","content":"the parser crashes"}]}"#;
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("user-agent", "claude-cli/2.1.330 (external, cli)"),
        ("x-claude-code-session-id", "s1"),
    ];
    let seen = post(stage.address, "/v1/messages", &headers, title.as_bytes()).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    assert_eq!(seen.header("x-wayproof-task"), Some("housekeeping"));
    stage.stop().await;
}

#[tokio::test]
async fn a_closed_jobs_key_is_worth_nothing() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (job, key) = open_job(&stage, json!({})).await;
    let body = asking("claude-opus-5-5", "the parser crashes");
    let forged = format!("{}0", key.strip_suffix(|_: char| true).unwrap());
    let forged = if forged == key {
        forged.replace('0', "1")
    } else {
        forged
    };
    assert_eq!(ask(&stage, &forged, &body).await.status, 401);
    assert_eq!(ask(&stage, &key, &body).await.status, 200);
    let obligation = json!({
        "task": "bug-fix", "requirements": [["failing-test-becomes-green"]],
        "policy_digest": "00", "obligation_digest": "11",
    });
    assert_eq!(
        tell(&stage, &format!("jobs/{job}/obligation"), &obligation)
            .await
            .status,
        204
    );
    let closed = json!({"verdict": "UNPROVEN", "why": "out of tries"});
    assert_eq!(
        tell(&stage, &format!("jobs/{job}/close"), &closed)
            .await
            .status,
        204
    );
    assert_eq!(ask(&stage, &key, &body).await.status, 401);
    let again = tell(&stage, &format!("jobs/{job}/close"), &closed).await;
    assert_eq!(again.status, 404);
    assert_eq!(
        read(&stage, &format!("jobs/{job}")).await["job"]["verdict"],
        "UNPROVEN"
    );
    stage.stop().await;
}

#[tokio::test]
async fn a_job_outlives_its_gateway() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (job, key) = open_job(&stage, json!({"task": "bug-fix"})).await;
    let data = stage.stop().await;
    let stage = Stage::open(Setting::with(&scripted), data).await;
    let seen = ask(&stage, &key, &asking("claude-opus-5-5", "go on")).await;
    assert_eq!(
        seen.header("x-wayproof-task"),
        Some("bug-fix"),
        "{}",
        seen.text()
    );
    let detail = stage.settled(seen.exchange()).await;
    assert_eq!(detail.exchange.job.as_deref(), Some(job.as_str()));
    stage.stop().await;
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_one_clear_sentence() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    for (path, body, status, words) in [
        (
            "jobs",
            json!({"task": "nonsense"}),
            400,
            "there is no task `nonsense`",
        ),
        (
            "jobs",
            json!({"tusk": "bug-fix"}),
            422,
            "unknown field `tusk`",
        ),
        (
            "jobs/none/proof",
            json!({"verdict": "REFUTED", "task": "x"}),
            404,
            "there is no open job none",
        ),
        (
            "jobs/none/proof",
            json!({"verdict": "GREAT", "task": "x"}),
            422,
            "GREAT",
        ),
        (
            "jobs/none/proof/step",
            json!({"step": "cargo on head: run 1 of 3"}),
            404,
            "there is no open job none",
        ),
        (
            "jobs/none/proof/step",
            json!({"steps": []}),
            422,
            "unknown field `steps`",
        ),
    ] {
        let seen = tell(&stage, path, &body).await;
        assert_eq!(seen.status, status, "{}", seen.text());
        assert!(seen.text().contains(words), "{}", seen.text());
    }
    stage.stop().await;
}

#[tokio::test]
async fn the_users_correction_routes_the_next_turn() {
    let scripted = Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap();
    let stage = Setting::with(&scripted).open().await;
    let (job, key) = open_job(&stage, json!({})).await;

    let early = tell(
        &stage,
        &format!("jobs/{job}/task"),
        &json!({"task": "bug-fix"}),
    )
    .await;
    assert_eq!(early.status, 409, "{}", early.text());

    let text = "write unit tests for the date parser";
    let first = ask(&stage, &key, &asking("claude-opus-5-5", text)).await;
    assert_eq!(first.header("x-wayproof-task"), Some("test-generation"));
    let page = read(&stage, &format!("jobs/{job}/task")).await;
    assert_eq!(
        (page["task"].as_str(), page["ask"].as_str()),
        (Some("test-generation"), Some(text))
    );

    let wrong = tell(
        &stage,
        &format!("jobs/{job}/task"),
        &json!({"task": "nonsense"}),
    )
    .await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let nobody = tell(&stage, "jobs/none/task", &json!({"task": "bug-fix"})).await;
    assert_eq!(nobody.status, 404, "{}", nobody.text());
    let seen = tell(
        &stage,
        &format!("jobs/{job}/task"),
        &json!({"task": "bug-fix"}),
    )
    .await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let page: Value = serde_json::from_str(&seen.text()).unwrap();
    assert_eq!(
        (page["task"].as_str(), page["was"].as_str()),
        (Some("bug-fix"), Some("test-generation"))
    );

    let turn = r#"{"model":"claude-opus-5-5","max_tokens":9,"messages":[{"role":"user","content":"write unit tests for the date parser"},{"role":"assistant","content":"done"},{"role":"user","content":"go on"}]}"#;
    let next = ask(&stage, &key, turn).await;
    assert_eq!(next.header("x-wayproof-task"), Some("bug-fix"));
    assert_eq!(next.header("x-wayproof-class"), Some("strong"));
    stage.settled(next.exchange()).await;
    let page = read(&stage, &format!("jobs/{job}")).await;
    assert_eq!(page["job"]["task"], "bug-fix");
    // The ledger keeps what was heard of the ask, and not the ask.
    let story = page["story"].to_string();
    assert!(
        story.contains("\"heard\"") && story.contains("test-generation"),
        "{story}"
    );
    assert!(!story.contains("date parser"), "{story}");
    stage.stop().await;
}
