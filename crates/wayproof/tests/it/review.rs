//! `review`: only a listed person who did not make the change counts.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use wayproof_receipt::SigningKey;
use wayproof_testkit::Fixture;

use crate::environment::{Environment, Said};

const OPEN: &str = "def check(user, given):\n    return user.password == given\n";
pub(crate) const SAFE: &str = "import hmac\n\n\ndef check(user, given):\n    return hmac.compare_digest(user.password, given)\n";

/// Somebody with a key of their own.
pub(crate) struct Person {
    name: &'static str,
    key: PathBuf,
    line: String,
}

impl Person {
    pub(crate) fn new(environment: &Environment, name: &'static str) -> Self {
        let key = environment.path(name).join("id_ed25519");
        let line = SigningKey::load_or_create(&key)
            .unwrap()
            .public()
            .to_openssh();
        Self { name, key, line }
    }

    pub(crate) fn reviews(&self, contacts: &str) -> String {
        format!("@reviewer {} {} {contacts}\n", self.name, self.line)
    }

    pub(crate) fn key_file(&self) -> &str {
        self.key.to_str().unwrap()
    }

    pub(crate) fn says(&self, environment: &Environment, verb: &str, more: &[&str]) -> Said {
        let key = self.key.to_str().unwrap();
        let mut args = vec![
            "review",
            verb,
            "--base",
            "trunk",
            "--ssh-key",
            key,
            "--json",
        ];
        args.extend(more);
        environment.run(&args)
    }
}

/// A repository whose trunk trusts these lines, with a change to its sign-in on a branch.
pub(crate) fn changed(environment: &Environment, trust: &str, more: &[(&str, &str)]) -> Fixture {
    let mut fixture = environment.fixture();
    fixture.write("src/auth.py", OPEN).unwrap();
    fixture.write(".wayproof/trust", trust).unwrap();
    for (path, text) in more {
        fixture.write(path, text).unwrap();
    }
    fixture.commit("base").unwrap();
    fixture.git(&["branch", "trunk"]).unwrap();
    fixture.git(&["checkout", "--quiet", "-b", "work"]).unwrap();
    fixture.write("src/auth.py", SAFE).unwrap();
    fixture.commit("compare in constant time").unwrap();
    fixture
}

pub(crate) fn gate(environment: &Environment) -> Said {
    environment.run(&[
        "gate",
        "--base",
        "trunk",
        "--task",
        "security-review",
        "--json",
    ])
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from its start to its end")]
fn a_listed_person_opens_the_gate_until_the_next_edit() {
    let environment = Environment::new();
    let (alice, author) = (
        Person::new(&environment, "alice"),
        Person::new(&environment, "author"),
    );
    let stranger = Person::new(&environment, "stranger");
    let machine = SigningKey::load_or_create(&environment.data().join("keys/receipt")).unwrap();
    let trust = format!(
        "ci {}\n{}{}",
        machine.public(),
        alice.reviews("alice@example.org @alice"),
        author.reviews("fixture@example.invalid")
    );
    let mut fixture = changed(&environment, &trust, &[]);

    let said = gate(&environment);
    assert_eq!(said.status, 1, "{said:?}");
    let owed = &said.json()["owed"][0];
    assert_eq!(owed["task"], "security-review", "{owed:#}");
    let why = owed["why"].as_str().unwrap();
    assert!(why.contains("surface `auth`"), "{why}");
    let missing = owed["review"]["missing"].to_string();
    assert!(missing.contains("0 of 1"), "{missing}");
    let said = environment.run(&[
        "prove",
        "--task",
        "security-review",
        "--base",
        "trunk",
        "--head",
        "HEAD",
        "--json",
    ]);
    assert_eq!(said.status, 11, "{said:?}");
    assert!(
        said.json()["gaps"]
            .to_string()
            .contains("HUMAN_REVIEW_MISSING"),
        "{said:?}"
    );
    assert!(said.json()["fact"].as_str().unwrap().contains("0 of 1"));

    for (who, word) in [(&stranger, "not on the list"), (&author, "made the change")] {
        let said = who.says(&environment, "approve", &[]);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.err.contains(word), "{said:?}");
    }
    let key = environment.data().join("keys/receipt");
    let machine = [
        "review",
        "approve",
        "--base",
        "trunk",
        "--ssh-key",
        key.to_str().unwrap(),
    ];
    assert_eq!(environment.run(&machine).status, 2);
    assert_eq!(gate(&environment).status, 1);

    let said = alice.says(
        &environment,
        "approve",
        &["--comment", "constant time is right"],
    );
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.json()["standing"]["missing"], json!([]));
    let said = gate(&environment);
    assert_eq!(said.status, 0, "{said:?}");
    let listed = environment.run(&["review", "list", "--json"]).json();
    assert_eq!(listed[0]["reviewer"], "alice", "{listed:#}");
    let shown = environment.run(&["review", "show", "--base", "trunk"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(shown.out.starts_with("APPROVED"), "{shown:?}");

    // A proof keeps the review, says so on its receipt, and verifies by the base's list.
    let said = environment.run(&[
        "prove",
        "--task",
        "security-review",
        "--base",
        "trunk",
        "--head",
        "HEAD",
        "--json",
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    let receipt = said.json()["receipt"].as_str().unwrap().to_owned();
    let pinned = environment.path("trust");
    fs::write(&pinned, &trust).unwrap();
    let verify = [
        "receipt",
        "verify",
        &receipt,
        "--trust",
        pinned.to_str().unwrap(),
        "--json",
    ];
    let verified = environment.run(&verify);
    assert_eq!(verified.status, 0, "{verified:?}");
    assert_eq!(verified.json()["verdict"], "PROVEN");
    // Without the review's line nothing is proven any more.
    let text = fs::read_to_string(&receipt).unwrap();
    let is_kept = |line: &&str| {
        let one = environment.path("line");
        fs::write(&one, line).unwrap();
        let said = environment
            .run(&["receipt", "show", one.to_str().unwrap(), "--json"])
            .json();
        !said["statements"][0]["statement"]["predicateType"]
            .to_string()
            .contains("review")
    };
    let cut: Vec<&str> = text.lines().filter(is_kept).collect();
    fs::write(environment.path("cut"), cut.join("\n")).unwrap();
    let cut = environment.path("cut");
    let verified = environment.run(&[
        "receipt",
        "verify",
        cut.to_str().unwrap(),
        "--trust",
        pinned.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(verified.json()["verdict"], "UNPROVEN", "{verified:?}");

    assert_eq!(gate(&environment).status, 0);
    fixture
        .git(&["commit", "--quiet", "--amend", "-m", "other words"])
        .unwrap();
    assert_eq!(gate(&environment).status, 0, "the tree is the same");
    fixture
        .write("src/auth.py", OPEN.replace("==", "is").as_str())
        .unwrap();
    fixture.commit("one more thing").unwrap();
    let said = gate(&environment);
    assert_eq!(said.status, 1, "{said:?}");
    assert_eq!(said.json()["owed"][0]["review"]["reviews"], json!([]));
    let ledger = environment.run(&["ledger", "verify"]);
    assert_eq!(ledger.status, 0, "{ledger:?}");
}

#[test]
fn a_review_comes_on_top_of_the_changes_own_proof() {
    let environment = Environment::new();
    let alice = Person::new(&environment, "alice");
    changed(&environment, &alice.reviews("alice@example.org"), &[]);
    assert_eq!(alice.says(&environment, "approve", &[]).status, 0);
    let said = environment.run(&["gate", "--base", "trunk", "--json"]);
    assert_eq!(said.status, 1, "{said:?}");
    let ruling = said.json();
    assert!(ruling["owed"][0]["paid_by"].is_string(), "{ruling:#}");
    assert_eq!(ruling["owed"][1]["paid_by"], Value::Null, "{ruling:#}");
}

#[test]
fn two_reviews_are_of_two_people_and_a_rejection_stands() {
    let environment = Environment::new();
    let [alice, again, bob] =
        ["alice", "alice-at-home", "bob"].map(|name| Person::new(&environment, name));
    let trust = format!(
        "{}{}{}",
        alice.reviews("alice@example.org"),
        again.reviews("alice@home.example alice@example.org"),
        bob.reviews("bob@example.org")
    );
    let policy =
        "version = 1\n\n[task.security-review]\nreview = { by = \"anyone\", at_least = 2 }\n";
    changed(&environment, &trust, &[("wayproof.toml", policy)]);
    for who in [&alice, &alice, &again] {
        assert_eq!(who.says(&environment, "approve", &[]).status, 0);
        let said = gate(&environment);
        assert_eq!(said.status, 1, "one person is one signature: {said:?}");
    }
    assert_eq!(
        bob.says(&environment, "reject", &["--comment", "no test"])
            .status,
        0
    );
    let said = gate(&environment);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("bob rejected the change"), "{said:?}");
    assert_eq!(bob.says(&environment, "approve", &[]).status, 0);
    assert_eq!(gate(&environment).status, 0);
}

#[test]
fn owners_are_those_of_the_base_and_so_are_reviewers_and_checklist() {
    let environment = Environment::new();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| Person::new(&environment, name));
    let trust = format!(
        "{}{}",
        alice.reviews("alice@example.org @acme/security"),
        bob.reviews("bob@example.org")
    );
    let owners = "* @bob\n/src/auth* @acme/security\n";
    let mut fixture = changed(&environment, &trust, &[("CODEOWNERS", owners)]);
    let said = bob.says(&environment, "approve", &[]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("owns nothing"), "{said:?}");

    // The change names owners, reviewers and a shorter checklist of its own.
    fixture.write("CODEOWNERS", "* @carol\n").unwrap();
    fixture
        .write(".wayproof/checklist.md", "1. Fine.\n")
        .unwrap();
    let own = format!("{trust}{}", carol.reviews("carol@example.org"));
    fixture.write(".wayproof/trust", &own).unwrap();
    fixture.commit("help myself").unwrap();
    assert_eq!(carol.says(&environment, "approve", &[]).status, 2);
    assert_eq!(alice.says(&environment, "approve", &[]).status, 0);
    let said = gate(&environment);
    assert_eq!(said.status, 1, "CODEOWNERS itself is bob's: {said:?}");
    assert!(
        said.out
            .contains("no code owner of .wayproof/checklist.md and 2 more"),
        "{said:?}"
    );
    assert_eq!(bob.says(&environment, "approve", &[]).status, 0);
    assert_eq!(gate(&environment).status, 0);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story from its start to its end")]
fn what_is_signed_is_the_merge_and_strangers_lines_do_no_harm() {
    let environment = Environment::new();
    let [alice, stranger] = ["alice", "stranger"].map(|name| Person::new(&environment, name));
    let mut fixture = changed(
        &environment,
        &alice.reviews("alice@example.org"),
        &[("notes.txt", "a\n")],
    );
    assert_eq!(alice.says(&environment, "approve", &[]).status, 0);
    assert_eq!(gate(&environment).status, 0);
    // The trunk moves on: another tree comes out of merging, and nobody has looked at that.
    fixture.git(&["checkout", "--quiet", "trunk"]).unwrap();
    fixture.write("notes.txt", "b\n").unwrap();
    fixture.commit("trunk goes on").unwrap();
    fixture.git(&["checkout", "--quiet", "work"]).unwrap();
    assert_eq!(gate(&environment).status, 1);
    assert_eq!(alice.says(&environment, "approve", &[]).status, 0);
    assert_eq!(gate(&environment).status, 0);
    fixture
        .git(&["merge", "--quiet", "--no-edit", "trunk"])
        .unwrap();
    let said = gate(&environment);
    assert_eq!(said.status, 0, "the merge is what was looked at: {said:?}");

    // A stranger who can push notes adds a rejection to them.
    let listed = format!(
        "{}{}",
        alice.reviews("alice@example.org"),
        stranger.reviews("s@example.org")
    );
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]).unwrap();
    let before = fixture
        .git(&["notes", "--ref=refs/notes/wayproof", "show", &tree])
        .unwrap();
    fixture
        .git(&["checkout", "--quiet", "-b", "theirs", "trunk"])
        .unwrap();
    fixture.write(".wayproof/trust", &listed).unwrap();
    fixture.commit("list the stranger").unwrap();
    fixture.git(&["checkout", "--quiet", "work"]).unwrap();
    let key = stranger.key.to_str().unwrap();
    let said = environment.run(&[
        "review",
        "reject",
        "--base",
        "theirs",
        "--ssh-key",
        key,
        "--json",
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    let theirs = said.json()["tree"].as_str().unwrap().to_owned();
    let line = fixture
        .git(&["notes", "--ref=refs/notes/wayproof", "show", &theirs])
        .unwrap();
    let note = environment.path("note");
    fs::write(&note, format!("{before}\n{line}\n")).unwrap();
    fixture
        .git(&[
            "notes",
            "--ref=refs/notes/wayproof",
            "add",
            "--force",
            "--file",
            note.to_str().unwrap(),
            &tree,
        ])
        .unwrap();
    assert_eq!(gate(&environment).status, 0);
}

#[test]
fn wrong_calls_get_one_sentence() {
    let environment = Environment::new();
    let alice = Person::new(&environment, "alice");
    let fixture = changed(
        &environment,
        "ci ed25519:6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=\n",
        &[],
    );
    let said = alice.says(&environment, "approve", &[]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("not on the list"), "{said:?}");
    let said = environment.run(&["review", "show", "--base", "trunk"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("lists no reviewer"), "{said:?}");
    for args in [
        vec!["review", "show", "--base", "HEAD"],
        vec!["review", "show", "--base", "nowhere"],
        vec!["review", "show", "--base", "trunk", "--task", "bug-fix"],
        vec!["review", "approve", "--base", "trunk"],
        vec!["review", "redo"],
        vec!["review", "redo", "--job", "none"],
    ] {
        let said = environment.run(&args);
        assert_eq!(said.status, 2, "{args:?}: {said:?}");
        assert_eq!(said.err.lines().count(), 1, "{args:?}: {said:?}");
    }
    fixture.git(&["checkout", "--quiet", "trunk"]).unwrap();
    let said = environment.run(&["review", "list"]);
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn a_change_that_contradicts_its_trunk_cannot_be_reviewed() {
    let environment = Environment::new();
    let alice = Person::new(&environment, "alice");
    let mut fixture = changed(&environment, &alice.reviews("alice@example.org"), &[]);
    fixture.git(&["checkout", "--quiet", "trunk"]).unwrap();
    fixture
        .write("src/auth.py", "def check(user, given):\n    return False\n")
        .unwrap();
    fixture.commit("another way").unwrap();
    fixture.git(&["checkout", "--quiet", "work"]).unwrap();
    let said = alice.says(&environment, "approve", &[]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("without conflicts"), "{said:?}");
    let said = gate(&environment);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("without conflicts"), "{said:?}");
}
