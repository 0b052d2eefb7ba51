//! The review desk of a real gateway: a decision is signed with `ssh-keygen`, pasted, verified, kept, and opens the gate.

use std::process::Command;

use wayproof_receipt::SigningKey;
use wayproof_testkit::{Persona, Play, Provider, Step};

use crate::environment::Environment;
use crate::review::{Person, changed, gate};
use crate::up::Up;

struct Page {
    status: String,
    text: String,
}

impl Page {
    fn between(&self, before: &str, after: &str) -> String {
        let (_, rest) = self
            .text
            .split_once(before)
            .unwrap_or_else(|| panic!("no {before}: {}", self.text));
        let (found, _) = rest.split_once(after).unwrap();
        found
            .replace("&amp;", "&")
            .replace("&#39;", "'")
            .replace("&quot;", "\"")
    }

    fn csrf(&self) -> String {
        self.between("name=\"csrf\" value=\"", "\"")
    }
}

fn get(up: &Up, path: &str) -> Page {
    page(up.get(path, "text/html"))
}

fn page(answer: String) -> Page {
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    Page {
        status,
        text: answer,
    }
}

fn post(up: &Up, path: &str, fields: &[(&str, &str)]) -> Page {
    let body = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect::<Vec<_>>()
        .join("&");
    page(up.post_form(path, &body))
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Runs the command that a page shows, with another key.
fn signature(page: &Page, key: &str) -> String {
    let command = page.between("<pre tabindex=\"0\"><code>", "</code>");
    assert!(
        command.contains("ssh-keygen -Y sign -n wayproof"),
        "{command}"
    );
    let command = command.replace("~/.ssh/id_ed25519", key);
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn a_pasted_signature_opens_the_gate() {
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let alice = Person::new(&environment, "alice");
    let author = Person::new(&environment, "author");
    let stranger = Person::new(&environment, "stranger");
    let machine = SigningKey::load_or_create(&environment.data().join("keys/receipt")).unwrap();
    let trust = format!(
        "ci {}\n{}{}",
        machine.public(),
        alice.reviews("alice@example.org"),
        author.reviews("fixture@example.invalid")
    );
    let fixture = changed(&environment, &trust, &[]);
    let up = Up::start(&environment, &provider).await;
    let list = get(&up, "/review");
    assert_eq!(list.status, "200", "{}", list.text);
    assert!(
        list.text.contains("compare in constant time"),
        "{}",
        list.text
    );
    let address = format!(
        "/review/change?{}",
        list.between("href=\"/review/change?", "\"")
    );
    let change = get(&up, &address);
    assert_eq!(change.status, "200", "{}", change.text);
    assert!(
        change
            .text
            .contains("hmac.compare_digest(user.password, given)"),
        "{}",
        change.text
    );
    assert!(change.text.contains("0 of 1 approvals"), "{}", change.text);
    assert!(
        change.text.contains("No receipt comes with this change"),
        "{}",
        change.text
    );
    let proven = environment.run(&["prove", "--task", "security-review", "--base", "trunk"]);
    assert_eq!(proven.status, 11, "{proven:?}");
    let change = get(&up, &address);
    for words in [
        "does not count for the gate, signed by ci",
        "href=\"/receipts/",
    ] {
        assert!(change.text.contains(words), "{words}: {}", change.text);
    }
    let list = get(&up, "/review");
    assert!(list.text.contains("</span> UNPROVEN"), "{}", list.text);
    let (csrf, repo) = (
        change.csrf(),
        change.between("name=\"repo\" value=\"", "\""),
    );
    let (base, head) = (
        change.between("name=\"base\" value=\"", "\""),
        change.between("name=\"head\" value=\"", "\""),
    );
    let fields = |reviewer: &'static str, comment: &'static str| {
        [
            ("csrf", csrf.clone()),
            ("repo", repo.clone()),
            ("base", base.clone()),
            ("head", head.clone()),
            ("task", "security-review".to_owned()),
            ("reviewer", reviewer.to_owned()),
            ("comment", comment.to_owned()),
            ("decision", "approve".to_owned()),
        ]
    };
    let send = |path: &str, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        post(&up, path, &fields)
    };
    let keep = |reviewer: &'static str, comment: &'static str, at: String, signed: String| {
        let mut all = fields(reviewer, comment).to_vec();
        all.extend([("at", at), ("signature", signed)]);
        send("/review/keep", &all)
    };
    let signing = send("/review/sign", &fields("alice", "it's \"fine\" $(true)"));
    assert_eq!(signing.status, "200", "{}", signing.text);
    let at = signing.between("name=\"at\" value=\"", "\"");
    let alices = signature(&signing, alice.key_file());

    let strange = keep(
        "alice",
        "it's \"fine\" $(true)",
        at.clone(),
        signature(&signing, stranger.key_file()),
    );
    assert_eq!(strange.status, "422", "{}", strange.text);
    assert!(
        strange.text.contains("and the decision is that of alice"),
        "{}",
        strange.text
    );
    let other = keep("alice", "another remark", at.clone(), alices.clone());
    assert_eq!(other.status, "422");
    assert!(
        other
            .text
            .contains("covers something else than this decision"),
        "{}",
        other.text
    );
    let own = send("/review/sign", &fields("author", "mine"));
    let made = own.between("name=\"at\" value=\"", "\"");
    let own = keep("author", "mine", made, signature(&own, author.key_file()));
    assert_eq!(own.status, "422");
    assert!(own.text.contains("would not count"), "{}", own.text);
    assert_eq!(
        gate(&environment).status,
        1,
        "nothing of that opened the gate"
    );

    let kept = keep("alice", "it's \"fine\" $(true)", at, alices);
    assert_eq!(kept.status, "303", "{}", kept.text);
    let after = get(&up, &address);
    assert!(after.text.contains("> approved</span>"), "{}", after.text);
    let list = get(&up, "/review");
    assert!(list.text.contains("Approved, not merged"), "{}", list.text);
    let said = gate(&environment);
    assert_eq!(said.status, 0, "{said:?}");
    let listed = environment.run(&["review", "list", "--json"]).json();
    assert_eq!(listed[0]["reviewer"], "alice", "{listed:#}");
    let shown = environment
        .run(&["review", "show", "--base", "trunk", "--json"])
        .json();
    assert_eq!(shown["satisfied"], true, "{shown:#}");
    let notes = fixture
        .git(&["notes", "--ref=refs/notes/wayproof", "list"])
        .unwrap();
    assert!(!notes.is_empty());
    // Commits that are not there, and repositories that nobody offered.
    let foreign = get(&up, &address.replace(&repo, "000000000000"));
    assert_eq!(foreign.status, "422");
    assert!(
        foreign.text.contains("no such repository"),
        "{}",
        foreign.text
    );
    let unknown = get(&up, &address.replace(&head, &"0".repeat(40)));
    assert_eq!(unknown.status, "422", "{}", unknown.text);
    assert_eq!(up.stop(), 0);
}

/// Everything that was given to the gateway to keep, and that no page may show.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, read from top to bottom")]
async fn no_page_shows_a_secret() {
    const PROVIDERS: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    const GATEWAYS: &str = "gk-5b1d9e77a0c34f21";
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let second = format!(
        "other={},key-env=OTHER_KEY",
        provider.url().replace("://", "://user:pw-3e8a71@")
    );
    let up = Up::start_set(
        "mock",
        &environment,
        &provider,
        &[
            "--provider",
            &second,
            "--key-env",
            "GATEWAY_KEY",
            "--capture",
            "redacted",
        ],
        &[("OTHER_KEY", PROVIDERS), ("GATEWAY_KEY", GATEWAYS)],
    )
    .await;
    let given = environment.run(&["keys", "new", "ana-laptop", "--json"]);
    let given = given.json()["key"].as_str().unwrap().to_owned();
    let key = format!("x-wayproof-key: {GATEWAYS}\r\n");
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"why is {PROVIDERS} refused?"}}]}}"#
    );
    let answer = up.post_with("/v1/messages", &key, &body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let named = |header: &str| {
        let (_, rest) = answer.split_once(&format!("{header}: ")).unwrap();
        rest.split("\r\n").next().unwrap().to_owned()
    };
    let page = named("x-wayproof-page");
    let (_, job) = page.split_once("://127.0.0.1").unwrap();
    let exchange = format!("/exchanges/{}", named("x-wayproof-exchange"));
    let csrf = get(&up, "/login").csrf();
    let inside = post(&up, "/login", &[("csrf", &csrf), ("key", GATEWAYS)]);
    assert_eq!(inside.status, "303", "{}", inside.text);
    let (_, cookie) = inside.text.split_once("set-cookie: ").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    for path in [
        "/",
        job,
        &exchange,
        "/jobs",
        "/receipts",
        "/review",
        "/spend",
        "/policy",
        "/models",
        "/status",
        "/settings",
        "/connect",
        "/docs",
        "/nothing",
    ] {
        let seen = up.get_with(path, &format!("accept: text/html\r\ncookie: {cookie}\r\n"));
        let found = if path == "/nothing" { "404" } else { "200" };
        assert!(
            seen.starts_with(&format!("HTTP/1.1 {found}")),
            "{path}: {seen}"
        );
        for secret in [PROVIDERS, GATEWAYS, "pw-3e8a71", &given] {
            assert!(!seen.contains(secret), "{path} shows {secret}: {seen}");
        }
    }
    assert_eq!(up.stop(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_given_out_signs_in_with_its_role() {
    let play = Play::new(vec![Persona {
        model: "m".into(),
        steps: vec![Step::Say("hello".into())],
    }]);
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .unwrap();
    let environment = Environment::new();
    let up = Up::start(&environment, &provider).await;
    assert_eq!(get(&up, "/jobs").status, "200", "nobody needs a key yet");
    let wrong = environment.run(&["people", "set", "ana", "--role", "boss"]);
    assert_eq!(wrong.status, 2, "{wrong:?}");
    assert!(wrong.err.contains("viewer, reviewer or admin"), "{wrong:?}");
    let set = environment.run(&["people", "set", "ana", "--role", "reviewer"]);
    assert_eq!(set.status, 0, "{set:?}");
    // Another set without a role keeps it.
    environment.run(&["people", "set", "ana", "--team", "core"]);
    let listed = environment.run(&["people", "list", "--json"]).json();
    assert_eq!(listed[0]["role"], "reviewer", "{listed:#}");
    let made = environment.run(&["keys", "new", "ana-laptop", "--person", "ana", "--json"]);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    let mut away = get(&up, "/jobs");
    for _ in 0..1_200 {
        if away.status == "303" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        away = get(&up, "/jobs");
    }
    assert_eq!(away.status, "303", "{}", away.text);
    let login = get(&up, "/login");
    let csrf = login.csrf();
    let refused = post(&up, "/login", &[("csrf", &csrf), ("key", "wp_key_0_0")]);
    assert_eq!(refused.status, "401", "{}", refused.text);
    let inside = post(
        &up,
        "/login",
        &[("csrf", &csrf), ("key", &key), ("to", "/review")],
    );
    assert_eq!(inside.status, "303", "{}", inside.text);
    assert!(
        inside.text.contains("wayproof_session=") && !inside.text.contains(&key),
        "{}",
        inside.text
    );
    assert_eq!(up.stop(), 0);
}
