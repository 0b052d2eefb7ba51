//! What readers may see and do: keys given out, roles, proxies that sign people in.

use axum::body::Body;
use axum::http::Request;
use rstest::rstest;
use wayproof_dashboard::TrustedProxy;
use wayproof_ledger::{Clock, FormerDigest, Key, Person, Role};

use crate::door::with;
use crate::stage::{NOON_US, Stage, form, request};
use crate::story::{Words, tell};

/// A key as operators give one out, kept in the books of a stage.
async fn give_key(stage: &Stage, name: &str, role: Option<Role>) -> String {
    let secret = format!("wp_key_{name}_0123456789abcdef");
    let books = stage.ledger.books();
    if let Some(role) = role {
        let person = Person {
            name: name.to_owned(),
            teams: [].into(),
            role,
        };
        books.put_person(person).await.unwrap();
    }
    let key = Key {
        id: name.to_owned(),
        name: format!("{name}-laptop"),
        digest: digest(&secret),
        former: None,
        person: role.map(|_| name.to_owned()),
        teams: [].into(),
        scope: wayproof_engine::Scope::default(),
        requests_per_minute: None,
        tokens_per_minute: None,
        made_us: NOON_US,
        expires_us: None,
        revoked_us: None,
    };
    books.put_key(key).await.unwrap();
    secret
}

fn digest(secret: &str) -> String {
    wayproof_receipt::sha256_hex(secret.as_bytes())
}

/// A stage whose callers need one of the keys that were given out, and a clock that moves.
async fn keyed() -> Stage {
    Stage::with(|house| house.wants_key = true, Clock::fixed(NOON_US)).await
}

async fn sign_in(stage: &Stage, key: &str) -> String {
    let csrf = stage.get("/login").await.csrf();
    let seen = stage
        .ask(form("/login", "", &[("csrf", &csrf), ("key", key)]))
        .await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    seen.cookie()
}

async fn as_reader(stage: &Stage, cookie: &str, path: &str) -> crate::stage::Seen {
    let asked = request("GET", path).header("cookie", cookie);
    stage.ask(asked.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_reader_sees_what_their_role_is_for() {
    let stage = keyed().await;
    let keys = [
        (give_key(&stage, "ci", None).await, "ci-laptop", "viewer"),
        (
            give_key(&stage, "ana", Some(Role::Viewer)).await,
            "ana",
            "viewer",
        ),
        (
            give_key(&stage, "bo", Some(Role::Reviewer)).await,
            "bo",
            "reviewer",
        ),
        (
            give_key(&stage, "cy", Some(Role::Admin)).await,
            "cy",
            "admin",
        ),
    ];
    for (key, name, role) in keys {
        let cookie = sign_in(&stage, &key).await;
        let jobs = as_reader(&stage, &cookie, "/jobs").await;
        assert_eq!(jobs.status, 200, "{name}");
        let signed = format!("Sign out {name} <span class=\"soft\">({role})</span>");
        assert!(jobs.text.contains(&signed), "{name}: {}", jobs.text);
        let is_reviewer = role != "viewer";
        assert_eq!(
            jobs.text.contains("href=\"/review\""),
            is_reviewer,
            "{name}"
        );
        assert_eq!(
            jobs.text.contains("href=\"/settings\""),
            role == "admin",
            "{name}"
        );
        let settings = as_reader(&stage, &cookie, "/settings").await;
        let wanted = if role == "admin" { 200 } else { 403 };
        assert_eq!(settings.status, wanted, "{name}");
        if role != "admin" {
            let told = format!("This page is for the role admin; yours is {role}.");
            assert!(settings.text.contains(&told), "{}", settings.text);
        }
        let review = as_reader(&stage, &cookie, "/review").await;
        assert_eq!(
            review.status == 403,
            !is_reviewer,
            "{name}: {}",
            review.text
        );
    }
}

#[tokio::test]
async fn a_gateway_that_asks_for_a_key_says_where_it_goes() {
    let stage = keyed().await;
    let key = give_key(&stage, "ana", Some(Role::Viewer)).await;
    let cookie = sign_in(&stage, &key).await;
    let page = as_reader(&stage, &cookie, "/connect").await.text;
    for words in [
        "wayproof keys new NAME",
        "WAYPROOF_API_KEY=KEY codex",
        "x-wayproof-key: KEY",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(&key), "{page}");
    let open = Stage::new().await.get("/connect").await.text;
    assert!(!open.contains("wayproof keys new"), "{open}");
}

#[tokio::test]
async fn what_was_said_is_for_those_who_decide() {
    let stage = keyed().await;
    let mut words = Words::plain("job-of-a-story");
    words.output = "the words of the ask".to_owned();
    let left = tell(&stage.ledger, &words).await;
    let exchange = format!("/exchanges/{}", left.exchange);
    for (name, role) in [("ana", Role::Viewer), ("bo", Role::Reviewer)] {
        let cookie = sign_in(&stage, &give_key(&stage, name, Some(role)).await).await;
        let may_read = role == Role::Reviewer;
        let page = as_reader(&stage, &cookie, &exchange).await.text;
        assert_eq!(
            page.contains("the words of the ask</code>"),
            may_read,
            "{page}"
        );
        assert_eq!(
            page.contains("reviewers and admins see it here"),
            !may_read,
            "{page}"
        );
        let page = as_reader(&stage, &cookie, "/jobs/job-of-a-story")
            .await
            .text;
        assert_eq!(
            page.contains("asked: the words of the ask"),
            may_read,
            "{page}"
        );
    }
}

#[tokio::test]
async fn from_elsewhere_a_given_out_key_signs_in() {
    let stage = keyed().await;
    let key = give_key(&stage, "ana", Some(Role::Viewer)).await;
    let away = with(&[("host", "wayproof.example")]);
    let away = stage.ask_from([203, 0, 113, 9], away).await;
    assert_eq!(
        (away.status.as_u16(), away.header("location")),
        (303, "/login?to=%2Fjobs")
    );
    let login = Request::get("/login").header("host", "wayproof.example");
    let login = stage
        .ask_from([203, 0, 113, 9], login.body(Body::empty()).unwrap())
        .await;
    let csrf = login.csrf();
    let mut entering = form("/login", "", &[("csrf", &csrf), ("key", &key)]);
    entering
        .headers_mut()
        .insert("host", "wayproof.example".parse().unwrap());
    entering
        .headers_mut()
        .insert("origin", "https://wayproof.example".parse().unwrap());
    let inside = stage.ask_from([203, 0, 113, 9], entering).await;
    assert_eq!(inside.status, 303, "{}", inside.text);
    assert!(inside.header("set-cookie").contains("; Secure"));
}

#[tokio::test]
async fn what_becomes_of_a_key_becomes_of_its_session() {
    let stage = keyed().await;
    let key = give_key(&stage, "ana", Some(Role::Admin)).await;
    let cookie = sign_in(&stage, &key).await;
    assert_eq!(as_reader(&stage, &cookie, "/settings").await.status, 200);
    give_key(&stage, "ana", Some(Role::Viewer)).await;
    stage.clock.set(NOON_US + 2_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/settings").await.status,
        403,
        "a role that was taken is gone"
    );
    let known = stage
        .ledger
        .books()
        .register()
        .key_named("ana-laptop")
        .unwrap()
        .clone();
    let rotated = Key {
        digest: digest("another"),
        former: Some(FormerDigest {
            digest: known.digest.clone(),
            until_us: NOON_US + 60_000_000,
        }),
        ..known
    };
    stage.ledger.books().put_key(rotated.clone()).await.unwrap();
    stage.clock.set(NOON_US + 59_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/jobs").await.status,
        200,
        "the grace of a rotation"
    );
    stage.clock.set(NOON_US + 61_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/jobs").await.status,
        303,
        "the grace is over"
    );
    stage.clock.set(NOON_US + 130_000_000);
    let cookie = sign_in(&stage, "another").await;
    let revoked = Key {
        revoked_us: Some(NOON_US + 131_000_000),
        ..rotated
    };
    stage.ledger.books().put_key(revoked).await.unwrap();
    stage.clock.set(NOON_US + 133_000_000);
    assert_eq!(
        as_reader(&stage, &cookie, "/jobs").await.status,
        303,
        "a revoked key is nobody's"
    );
    assert_eq!(as_reader(&stage, &cookie, "/live").await.status, 401);
}

/// A stage behind a proxy at 10.0.0.0/24 that names people.
async fn proxied() -> Stage {
    let proxy = TrustedProxy::new(&["10.0.0.0/24".to_owned()], "x-forwarded-user").unwrap();
    let stage = Stage::with(|house| house.proxy = Some(proxy), Clock::fixed(NOON_US)).await;
    let person = Person {
        name: "bo@example.org".to_owned(),
        teams: [].into(),
        role: Role::Reviewer,
    };
    stage.ledger.books().put_person(person).await.unwrap();
    stage.clock.set(NOON_US + 2_000_000);
    stage
}

#[rstest]
#[case::named([10, 0, 0, 7], &[("x-forwarded-user", "bo@example.org")], 200, "bo@example.org (reviewer)")]
#[case::stranger([10, 0, 0, 7], &[("x-forwarded-user", "eve@example.org")], 403, "does not have you")]
#[case::hostile([10, 0, 0, 7], &[("x-forwarded-user", "<script>alert(1)</script>")], 403, "&lt;script&gt;")]
#[case::twice([10, 0, 0, 7], &[("x-forwarded-user", "bo@example.org"), ("x-forwarded-user", "root")], 403, "names nobody clearly")]
#[case::no_name([10, 0, 0, 7], &[], 403, "No key of this gateway is good")]
#[case::another_proxy([10, 0, 1, 7], &[("x-forwarded-user", "bo@example.org")], 403, "No key of this gateway is good")]
#[case::this_machine([127, 0, 0, 1], &[("x-forwarded-user", "bo@example.org"), ("x-forwarded-for", "203.0.113.9")], 403, "No key")]
#[tokio::test]
async fn a_trusted_proxy_says_who_asks(
    #[case] peer: [u8; 4],
    #[case] headers: &[(&str, &str)],
    #[case] status: u16,
    #[case] words: &str,
) {
    let stage = proxied().await;
    let mut all = vec![("host", "wayproof.example")];
    all.extend(headers);
    let seen = stage.ask_from(peer, with(&all)).await;
    assert_eq!(seen.status, status, "{}", seen.text);
    assert!(seen.text.contains(words), "{}", seen.text);
}

#[tokio::test]
async fn a_proxy_on_this_machine_does_not_make_everybody_local() {
    let proxy = TrustedProxy::new(&["127.0.0.1".to_owned()], "x-forwarded-user").unwrap();
    let stage = Stage::with(|house| house.proxy = Some(proxy), Clock::fixed(NOON_US)).await;
    // A proxy may rewrite the host and say nothing of whom it serves.
    let seen = stage.ask(with(&[("host", "127.0.0.1:4417")])).await;
    assert_eq!(seen.status, 403, "{}", seen.text);
}

#[tokio::test]
async fn a_form_behind_a_proxy_is_its_readers_own() {
    let stage = proxied().await;
    let person = Person {
        name: "ana".to_owned(),
        teams: [].into(),
        role: Role::Viewer,
    };
    stage.ledger.books().put_person(person).await.unwrap();
    stage.clock.set(NOON_US + 4_000_000);
    let page = stage
        .ask_from(
            [10, 0, 0, 7],
            with(&[
                ("host", "inner:4417"),
                ("x-forwarded-host", "wayproof.example"),
                ("x-forwarded-user", "ana"),
            ]),
        )
        .await;
    let csrf = page.csrf();
    let send = |user: &'static str, origin: &'static str| {
        let mut sent = form("/theme", "", &[("csrf", &csrf), ("theme", "dark")]);
        let headers = sent.headers_mut();
        headers.insert("host", "inner:4417".parse().unwrap());
        headers.insert("x-forwarded-host", "wayproof.example".parse().unwrap());
        headers.insert("origin", origin.parse().unwrap());
        headers.insert("x-forwarded-user", user.parse().unwrap());
        sent
    };
    let own = stage
        .ask_from([10, 0, 0, 7], send("ana", "https://wayproof.example"))
        .await;
    assert_eq!(own.status, 303, "{}", own.text);
    let other = stage
        .ask_from(
            [10, 0, 0, 7],
            send("bo@example.org", "https://wayproof.example"),
        )
        .await;
    assert_eq!(other.status, 403, "a token of one reader is not another's");
    let foreign = stage
        .ask_from([10, 0, 0, 7], send("ana", "https://evil.example"))
        .await;
    assert_eq!(foreign.status, 403);
}
