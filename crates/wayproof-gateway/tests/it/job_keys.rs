//! Jobs that were opened with a key that was given out: whose account they go on, and who may see them.

use serde_json::{Value, json};
use wayproof_engine::{Budget, Scope, Window};
use wayproof_gateway::{KeyDigest, mint_key};
use wayproof_ledger::{Key, Person};
use wayproof_testkit::{Provider as Scripted, Reply};

use crate::client::{Seen, get, post};
use crate::stage::{ADMIN, MESSAGE, Setting, Stage, asking, keyed};

async fn stage(scripted: &Scripted) -> Stage {
    let mut setting = Setting::at(vec![keyed("anthropic", &scripted.url())]);
    setting.policy = wayproof_engine::Policy::parse("version = 1\n", "wayproof.toml")
        .unwrap()
        .policy;
    setting.open().await
}

async fn answering() -> Scripted {
    Scripted::start(|_| Reply::json(200, MESSAGE))
        .await
        .unwrap()
}

/// Gives ana of team core a key of this name.
async fn give(stage: &Stage, name: &str, change: impl FnOnce(&mut Key)) -> (Key, String) {
    let books = stage.ledger.books();
    let ana = Person {
        name: "ana".to_owned(),
        teams: ["core".to_owned()].into(),
        role: wayproof_ledger::Role::Viewer,
    };
    books.put_person(ana).await.unwrap();
    let (id, secret) = mint_key().unwrap();
    let mut key = Key {
        id,
        name: name.to_owned(),
        digest: KeyDigest::of(secret.as_bytes()).to_hex(),
        former: None,
        person: Some("ana".to_owned()),
        teams: std::collections::BTreeSet::new(),
        scope: Scope::default(),
        requests_per_minute: None,
        tokens_per_minute: None,
        made_us: 0,
        expires_us: None,
        revoked_us: None,
    };
    change(&mut key);
    books.put_key(key.clone()).await.unwrap();
    (key, secret)
}

async fn tell(stage: &Stage, key: &str, path: &str, body: &Value) -> Seen {
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let path = format!("/wayproof/v1/{path}");
    post(stage.address, &path, &headers, body.to_string().as_bytes()).await
}

async fn look(stage: &Stage, key: &str, path: &str) -> u16 {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/wayproof/v1/{path}");
    get(stage.address, &path, &headers).await.status
}

async fn open_job(stage: &Stage, key: &str) -> (String, String) {
    let wanted = json!({"task": "bug-fix", "repo": "/srv/shop"});
    let seen = tell(stage, key, "jobs", &wanted).await;
    assert_eq!(seen.status, 200, "{}", seen.text());
    let opened: Value = serde_json::from_str(&seen.text()).unwrap();
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    (text("job"), text("key"))
}

async fn ask(stage: &Stage, key: &str, more: &[(&str, &str)]) -> Seen {
    let mut headers = vec![("x-api-key", key)];
    headers.extend(more);
    let sent = asking("claude-opus-5-5", "the login page crashes");
    post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await
}

async fn set(stage: &Stage, subject: &str, limit_nano_usd: i64) {
    let budget = Budget {
        subject: subject.parse().unwrap(),
        window: Window::Month,
        limit_nano_usd,
        soft_nano_usd: None,
    };
    stage.ledger.books().put_budget(budget).await.unwrap();
}

async fn lift(stage: &Stage, subject: &str) {
    let subject = subject.parse().unwrap();
    let books = stage.ledger.books();
    books.remove_budget(&subject, Window::Month).await.unwrap();
}

#[tokio::test]
async fn a_job_draws_on_what_its_opener_draws_on() {
    let scripted = answering().await;
    let stage = stage(&scripted).await;
    let (_, secret) = give(&stage, "ana-laptop", |_| {}).await;
    let (_, job_key) = open_job(&stage, &secret).await;
    assert_eq!(ask(&stage, &job_key, &[]).await.status, 200);
    for subject in [
        "person:ana",
        "team:core",
        "key:ana-laptop",
        "repo:/srv/shop",
    ] {
        set(&stage, subject, 1).await;
        // Naming another repository takes the job out of none of them.
        let seen = ask(&stage, &job_key, &[("x-wayproof-repo", "elsewhere")]).await;
        assert_eq!(seen.status, 402, "{subject}: {}", seen.text());
        assert!(
            seen.text().contains(&format!("the budget of {subject}")),
            "{}",
            seen.text()
        );
        lift(&stage, subject).await;
    }
    assert_eq!(ask(&stage, &job_key, &[]).await.status, 200);
    stage.stop().await;
}

#[tokio::test]
async fn a_job_is_as_good_as_the_key_that_opened_it() {
    let scripted = answering().await;
    let stage = stage(&scripted).await;
    let narrow = |key: &mut Key| key.scope.tasks = ["documentation".to_owned()].into();
    let (_, secret) = give(&stage, "docs", narrow).await;
    let (_, job_key) = open_job(&stage, &secret).await;
    let seen = ask(&stage, &job_key, &[]).await;
    assert_eq!(seen.status, 403, "{}", seen.text());
    assert!(seen.text().contains("only for documentation"));

    let (_, secret) = give(&stage, "slow", |key| key.requests_per_minute = Some(2)).await;
    let (_, job_key) = open_job(&stage, &secret).await;
    let mut statuses = Vec::new();
    for key in [&job_key, &secret, &job_key] {
        statuses.push(ask(&stage, key, &[]).await.status);
    }
    assert_eq!(
        statuses,
        [200, 200, 429],
        "one pace for the key and its jobs"
    );

    let (key, secret) = give(&stage, "gone", |_| {}).await;
    let (job, job_key) = open_job(&stage, &secret).await;
    assert_eq!(ask(&stage, &job_key, &[]).await.status, 200);
    let revoked = Key {
        revoked_us: Some(1),
        ..key
    };
    stage.ledger.books().put_key(revoked).await.unwrap();
    let seen = ask(&stage, &job_key, &[]).await;
    assert_eq!(seen.status, 401, "{}", seen.text());
    assert!(seen.text().contains("key `gone` was revoked"));
    assert_eq!(look(&stage, &secret, &format!("jobs/{job}")).await, 401);
    assert_eq!(look(&stage, ADMIN, &format!("jobs/{job}")).await, 200);
    stage.stop().await;
}

#[tokio::test]
async fn a_key_opens_only_jobs_of_its_own() {
    let scripted = answering().await;
    let stage = stage(&scripted).await;
    let (_, hers) = give(&stage, "hers", |_| {}).await;
    let (_, his) = give(&stage, "his", |_| {}).await;
    let (job, job_key) = open_job(&stage, &hers).await;
    let (admins, _) = open_job(&stage, ADMIN).await;
    assert_eq!(ask(&stage, &job_key, &[]).await.status, 200);
    assert_eq!(look(&stage, &hers, "health").await, 200);
    for (key, job, expected) in [(&hers, &job, 200), (&his, &job, 404), (&hers, &admins, 404)] {
        for page in ["", "/obligation", "/task"] {
            let status = look(&stage, key, &format!("jobs/{job}{page}")).await;
            assert_eq!(status, expected, "{page}");
        }
    }
    let closed = json!({"verdict": null, "why": "done"});
    for page in ["obligation", "proof", "proof/step", "task", "close"] {
        let seen = tell(&stage, &his, &format!("jobs/{job}/{page}"), &closed).await;
        assert_eq!(seen.status, 404, "{page}");
    }
    for page in ["jobs", "sessions/s", "exchanges/e"] {
        assert_eq!(look(&stage, &hers, page).await, 403, "{page}");
    }
    let review = json!({"reviewer": "ana", "decision": "approved"});
    let seen = tell(&stage, &hers, &format!("jobs/{job}/review"), &review).await;
    assert_eq!(seen.status, 403, "nobody reviews their own work so");
    let seen = tell(&stage, &hers, &format!("jobs/{job}/close"), &closed).await;
    assert!(seen.status < 300, "{}", seen.text());
    stage.ledger.flush().await.unwrap();
    assert_eq!(look(&stage, &hers, &format!("jobs/{job}")).await, 200);
    assert_eq!(look(&stage, &his, &format!("jobs/{job}")).await, 404);
    assert_eq!(look(&stage, "wp_key_nobody_00", "health").await, 401);
    stage.stop().await;
}

#[tokio::test]
async fn what_an_agent_says_of_its_folder_is_its_repository() {
    let scripted = answering().await;
    let stage = stage(&scripted).await;
    set(&stage, "repo:/srv/shop", 1).await;
    let asked = async |system: &str, session: &str| {
        let sent = format!(
            r#"{{"model":"claude-opus-5-5","max_tokens":64,"system":"You are opencode.\nWorking directory: {system}\n","messages":[{{"role":"user","content":"the page crashes"}}]}}"#
        );
        let headers = [("user-agent", "opencode/1.0.0"), ("x-session-id", session)];
        post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await
    };
    let seen = asked("/srv/shop/api", "s").await;
    assert_eq!(seen.status, 402, "{}", seen.text());
    assert!(seen.text().contains("the budget of repo:/srv/shop"));
    // What belongs to the conversation belongs to its repository, also where the folder is not said again.
    let sent = asking("claude-opus-5-5", "go on");
    let headers = [("user-agent", "opencode/1.0.0"), ("x-session-id", "s")];
    let seen = post(stage.address, "/v1/messages", &headers, sent.as_bytes()).await;
    assert_eq!(seen.status, 402, "{}", seen.text());
    assert_eq!(asked("/srv/shopping", "t").await.status, 200);
    stage.stop().await;
}
