//! Signing in to the dashboard at an OpenID Connect provider: the way there and back, and every way in which it ends.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};
use wayproof_testkit::{Identity, Provider, Reply, Signing};

use crate::{environment::Environment, up::Up};

const KEY: &str = "wp_team_secret";

/// A gateway that knows an identity provider, and Ana.
struct House {
    up: Up,
    identity: Identity,
    model: Provider,
    environment: Environment,
}

impl House {
    async fn new(secret: Option<&str>) -> Self {
        let environment = Environment::new();
        let model = Provider::start(|_| Reply::json(200, "{}")).await.unwrap();
        let identity = Identity::start("wayproof", secret).await.unwrap();
        let set = environment.run(&["people", "set", "ana@example.org", "--role", "reviewer"]);
        assert_eq!(set.status, 0, "{set:?}");
        let issuer = identity.issuer();
        let mut args = vec![
            "--key-env",
            "TEAM_KEY",
            "--oidc-issuer",
            &issuer,
            "--oidc-client",
            "wayproof",
        ];
        if secret.is_some() {
            args.extend(["--oidc-secret-env", "CLIENT_SECRET"]);
        }
        let variables = [
            ("TEAM_KEY", KEY),
            ("CLIENT_SECRET", secret.unwrap_or_default()),
        ];
        let up = Up::start_set("mock", &environment, &model, &args, &variables).await;
        Self {
            up,
            identity,
            model,
            environment,
        }
    }

    /// Begins a sign-in: the cookie of the browser, and the way to the provider.
    fn begin(&self, to: &str) -> (String, String) {
        let began = self.up.get(&format!("/login/begin?to={to}"), "text/html");
        assert!(began.starts_with("HTTP/1.1 303"), "{began}");
        (
            cookie(&began, "wayproof_login"),
            value(&began, "location").to_owned(),
        )
    }

    /// Comes back from the provider.
    fn finish(&self, cookie: &str, path: &str) -> String {
        // As a browser does that follows a link of another site.
        let headers = format!(
            "accept: text/html\r\ncookie: {cookie}\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: navigate\r\nsec-fetch-dest: document\r\n"
        );
        self.up.get_with(path, &headers)
    }

    /// The whole way, with a user who agrees.
    fn sign_in(&self, to: &str) -> String {
        let (cookie, way) = self.begin(to);
        self.finish(&cookie, &agree(&way))
    }

    fn jobs(&self, cookie: &str) -> String {
        self.up.get_with(
            "/jobs",
            &format!("accept: text/html\r\ncookie: {cookie}\r\n"),
        )
    }

    async fn stop(self) {
        assert_eq!(self.up.stop(), 0);
        self.identity.stop().await;
        self.model.stop().await;
    }
}

/// Follows the way to the provider and agrees; the way back, without its host.
fn agree(way: &str) -> String {
    let (place, path) = way
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .unwrap();
    let port: u16 = place.strip_prefix("localhost:").unwrap().parse().unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        socket,
        "GET /{path} HTTP/1.1\r\nhost: {place}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut page = String::new();
    socket.read_to_string(&mut page).unwrap();
    let (_, link) = page
        .split_once("href=\"")
        .unwrap_or_else(|| panic!("{page}"));
    let link = link.split('"').next().unwrap().replace("&amp;", "&");
    let (_, query) = link.split_once("/login/callback").unwrap();
    format!("/login/callback{query}")
}

fn value<'a>(answer: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    let line = answer.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no {name}: {answer}"))
}

/// A cookie that was set, as it is sent back.
fn cookie(answer: &str, name: &str) -> String {
    let start = format!("set-cookie: {name}=");
    let line = answer.lines().find(|line| line.starts_with(&start));
    let line = line.unwrap_or_else(|| panic!("no {name}: {answer}"));
    let set = line.strip_prefix("set-cookie: ").unwrap();
    set.split(';').next().unwrap().to_owned()
}

fn is_refused(answer: &str, sentence: &str) {
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains(sentence), "{sentence}: {answer}");
    assert!(!answer.contains("set-cookie: wayproof_session"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_at_the_provider() {
    let house = House::new(Some("a secret / with signs")).await;
    let away = house.up.get("/jobs?task=a", "text/html");
    assert_eq!(value(&away, "location"), "/login?to=%2Fjobs%3Ftask%3Da");
    let login = house.up.get("/login?to=%2Fjobs%3Ftask%3Da", "text/html");
    let link = "href=\"/login/begin?to=%2Fjobs%3Ftask%3Da\"";
    assert!(
        login.contains(link) && login.contains("Sign in at localhost:"),
        "{login}"
    );
    assert!(login.contains("name=\"key\""), "{login}");

    let (first, way) = house.begin("%2Fjobs%3Ftask%3Da");
    let began = house.up.get("/login/begin", "text/html");
    let set = value(&began, "set-cookie");
    assert!(
        set.contains("HttpOnly; SameSite=Lax") && set.contains("Path=/login;"),
        "{set}"
    );
    let back = agree(&way);
    let entered = house.finish(&format!("{first}; wayproof_session=stolen"), &back);
    assert!(entered.starts_with("HTTP/1.1 200"), "{entered}");
    assert!(
        entered.contains("content=\"0; url=/jobs?task=a\""),
        "{entered}"
    );
    assert!(!entered.contains("stolen"), "{entered}");
    let session = cookie(&entered, "wayproof_session");
    assert!(entered.contains("SameSite=Strict"), "{entered}");
    let jobs = house.jobs(&session);
    let signed = "Sign out ana@example.org <span class=\"soft\">(reviewer)</span>";
    assert!(
        jobs.starts_with("HTTP/1.1 200") && jobs.contains(signed),
        "{jobs}"
    );

    // Taken out of the register, a person's session ends.
    let gone = house
        .environment
        .run(&["people", "remove", "ana@example.org"]);
    assert_eq!(gone.status, 0, "{gone:?}");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    house.jobs(&session);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(house.jobs(&session).starts_with("HTTP/1.1 303"));
    is_refused(
        &house.sign_in(""),
        "the register of people does not have you",
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_counts_once_in_the_browser_that_began_it() {
    let house = House::new(None).await;
    let (first, way) = house.begin("");
    let back = agree(&way);
    assert!(house.finish(&first, &back).starts_with("HTTP/1.1 200"));
    // The same return again, the same code in another sign-in, another browser's, another state, another provider's.
    let over = "was not begun in this browser, is over or was used already";
    is_refused(&house.finish(&first, &back), over);
    let (second, way) = house.begin("");
    let fresh = agree(&way);
    let code = back
        .split(['?', '&'])
        .find(|part| part.starts_with("code="))
        .unwrap();
    let own = fresh
        .split(['?', '&'])
        .find(|part| part.starts_with("code="))
        .unwrap();
    is_refused(&house.finish("", &fresh), over);
    is_refused(&house.finish(&first, &fresh), over);
    is_refused(
        &house.finish(&second, &fresh.replace("state=", "state=0")),
        over,
    );
    is_refused(
        &house.finish(&second, &fresh.replace(own, code)),
        "does not take the code of this sign-in",
    );
    let (third, way) = house.begin("");
    let elsewhere = agree(&way).replace("iss=http", "iss=https");
    is_refused(
        &house.finish(&third, &elsewhere),
        "Another identity provider",
    );
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_count_lets_nobody_in() {
    let house = House::new(None).await;
    let claim = |name: &'static str, value: Value| {
        house
            .identity
            .bend(move |claims| claims[name] = value.clone());
    };
    for (name, value, why) in [
        ("nonce", json!("another"), "it belongs to another sign-in"),
        ("aud", json!("another"), "it is meant for somebody else"),
        ("azp", json!("another"), "it is meant for somebody else"),
        (
            "iss",
            json!("https://id.example.org"),
            "somebody else issued it",
        ),
        ("exp", json!(1_000_000_000), "it is over"),
        (
            "email_verified",
            json!(false),
            "its address of e-mail is not verified",
        ),
    ] {
        claim(name, value);
        is_refused(&house.sign_in(""), why);
    }
    house.identity.bend(|_| {});
    for signing in [Signing::Nobody, Signing::SharedKey, Signing::Stranger] {
        house.identity.sign_by(signing);
        is_refused(&house.sign_in(""), "no key of the issuer signed it");
    }
    house.identity.sign_by(Signing::Es256);
    let entered = house.sign_in("https://evil.example/");
    assert!(entered.contains("content=\"0; url=/\""), "{entered}");
    // Ten tries a minute.
    let often = house.up.get("/login/begin", "text/html");
    assert!(often.starts_with("HTTP/1.1 429"), "{often}");
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_looked_up_once_and_a_provider_that_is_away_says_so() {
    let house = House::new(None).await;
    assert!(house.sign_in("").starts_with("HTTP/1.1 200"));
    assert!(house.sign_in("").starts_with("HTTP/1.1 200"));
    assert_eq!(house.identity.asked("/keys"), 1);
    house.identity.change_keys().unwrap();
    assert!(house.sign_in("").starts_with("HTTP/1.1 200"));
    assert_eq!(house.identity.asked("/keys"), 2);
    house.identity.sign_by(Signing::Stranger);
    is_refused(&house.sign_in(""), "no key of the issuer signed it");
    assert_eq!(house.identity.asked("/keys"), 3);
    let (cookie, way) = house.begin("");
    let back = agree(&way);
    let denied = back.replace("code=", "error=access_denied&other=");
    is_refused(
        &house.finish(&cookie, &denied),
        "did not sign you in: access_denied.",
    );
    let (cookie, way) = house.begin("");
    let back = agree(&way);
    let House {
        up,
        identity,
        model,
        environment,
    } = house;
    identity.stop().await;
    let headers = format!("accept: text/html\r\ncookie: {cookie}\r\n");
    let away = up.get_with(&back, &headers);
    assert!(away.starts_with("HTTP/1.1 502"), "{away}");
    assert!(
        away.contains("The identity provider does not answer as it should."),
        "{away}"
    );
    assert_eq!(up.stop(), 0);
    model.stop().await;
    drop(environment);
}

#[test]
fn a_provider_that_cannot_be_asked_is_a_mistake() {
    let environment = Environment::new();
    let client = ["--oidc-client", "wayproof"];
    let issuer = ["--oidc-issuer", "https://id.example.org"];
    for (args, words) in [
        (&issuer[..], "--oidc-client"),
        (&client[..], "--oidc-issuer"),
        (
            &[
                "--oidc-issuer",
                "http://id.example.org",
                "--oidc-client",
                "w",
            ],
            "neither https nor http on this machine",
        ),
        (
            &[&issuer[..], &client, &["--oidc-secret-env", "NOWHERE"]].concat(),
            "--oidc-secret-env NOWHERE: the variable is not set",
        ),
        (
            &[
                &issuer[..],
                &client,
                &["--oidc-callback", "https://w.example.org/x"],
            ]
            .concat(),
            "ends with /login/callback",
        ),
        (
            &[&issuer[..], &client, &["--oidc-scope", "email"]].concat(),
            "without `openid`",
        ),
    ] {
        let said = environment.run(&[&["up"][..], args].concat());
        assert_eq!(said.status, 2, "{args:?} {said:?}");
        assert!(said.err.contains(words), "{args:?} {said:?}");
    }
}
