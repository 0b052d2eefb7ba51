//! `gate`: what the base asks for is what counts, and nothing of the change has a say in it.

use std::fs;

use wayproof_testkit::Fixture;

use crate::environment::{Environment, Said};
use crate::prove::repository;

const RIGHT: &str = "pub fn sum(a: i32, b: i32) -> i32 {\n    a + b\n}\n";

/// A repository whose main branch trusts this machine's key, with a fix on a branch.
fn fixed(environment: &Environment) -> Fixture {
    let mut fixture = repository(environment);
    // The key is made, and its owner pinned, by the first proof.
    let said = environment.run(&["prove", "--base", "HEAD", "--head", "HEAD"]);
    assert!(said.status != 0, "nothing was changed: {said:?}");
    let trust = fs::read_to_string(environment.data().join("trust.txt")).unwrap();
    fixture.write(".wayproof/trust", &trust).unwrap();
    fixture.commit("trust this machine").unwrap();
    fixture.git(&["branch", "trunk"]).unwrap();
    fixture.write("src/lib.rs", RIGHT).unwrap();
    fixture.commit("fix the sum").unwrap();
    fixture
}

fn gate(environment: &Environment, more: &[&str]) -> Said {
    let mut args = vec!["gate", "--base", "trunk", "--json"];
    args.extend(more);
    environment.run(&args)
}

#[test]
fn a_proof_opens_the_gate_and_the_reports_say_so() {
    let environment = Environment::new();
    let fixture = fixed(&environment);
    let said = gate(&environment, &[]);
    assert_eq!(said.status, 1, "nothing is proven yet: {said:?}");
    assert_eq!(said.json()["receipts"], serde_json::json!([]));

    let said = environment.run(&["prove", "--base", "trunk", "--head", "HEAD"]);
    assert_eq!(said.status, 0, "{said:?}");
    let (summary, junit, sarif) = (
        environment.path("summary.md"),
        environment.path("junit.xml"),
        environment.path("sarif.json"),
    );
    let said = gate(
        &environment,
        &[
            "--pages",
            "https://ai.example.org/",
            "--summary",
            summary.to_str().unwrap(),
            "--junit",
            junit.to_str().unwrap(),
            "--sarif",
            sarif.to_str().unwrap(),
        ],
    );
    assert_eq!(said.status, 0, "{said:?}");
    let ruling = said.json();
    assert_eq!(ruling["owed"][0]["task"], "bug-fix");
    assert_eq!(ruling["receipts"][0]["grade"], "tree");
    let page = format!(
        "https://ai.example.org/receipts/{}",
        ruling["receipts"][0]["digest"].as_str().unwrap()
    );
    assert_eq!(ruling["receipts"][0]["page"], page.as_str());
    let summary = fs::read_to_string(summary).unwrap();
    for words in [
        "## Wayproof: satisfied",
        &format!("]({page}): **PROVEN** about this tree"),
        "- tests: ",
        "1 went from red to green",
    ] {
        assert!(summary.contains(words), "{words}: {summary}");
    }
    let wrong = gate(&environment, &["--pages", "javascript:alert(1)"]);
    assert_eq!(wrong.status, 2, "{wrong:?}");
    assert!(wrong.err.contains("--pages: it takes"), "{wrong:?}");
    assert!(
        fs::read_to_string(junit)
            .unwrap()
            .contains("failures=\"0\"")
    );
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(sarif).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));

    // Amending the message keeps the tree, and so the proof.
    fixture
        .git(&["commit", "--quiet", "--amend", "-m", "other words"])
        .unwrap();
    assert_eq!(gate(&environment, &[]).status, 0);
    // Another task's proof does not pay.
    let said = gate(&environment, &["--task", "small-edit"]);
    assert_eq!(said.status, 1, "{said:?}");
}

#[test]
fn what_is_changed_after_the_proof_or_on_another_base_is_not_proven() {
    let environment = Environment::new();
    let mut fixture = fixed(&environment);
    let said = environment.run(&["prove", "--base", "trunk", "--head", "HEAD"]);
    assert_eq!(said.status, 0, "{said:?}");
    fixture.git(&["branch", "fix"]).unwrap();
    fixture
        .write(
            "src/lib.rs",
            "pub fn sum(a: i32, b: i32) -> i32 {\n    b + a\n}\n",
        )
        .unwrap();
    fixture.commit("one more thing").unwrap();
    let said = gate(&environment, &[]);
    assert_eq!(said.status, 1, "{said:?}");
    assert_eq!(said.json()["receipts"], serde_json::json!([]));

    // The trunk goes on; the fix is put on top of it: the same change in another tree.
    fixture.git(&["checkout", "--quiet", "trunk"]).unwrap();
    fixture.write("README.md", "sums\n").unwrap();
    fixture.commit("describe").unwrap();
    fixture.git(&["checkout", "--quiet", "fix"]).unwrap();
    fixture.git(&["rebase", "--quiet", "trunk"]).unwrap();
    let said = gate(&environment, &[]);
    assert_eq!(said.status, 1, "{said:?}");
    let receipt = &said.json()["receipts"][0];
    assert_eq!(receipt["grade"], "change");
    let objections = receipt["objections"].to_string();
    assert!(objections.contains("in another tree"), "{objections}");
    // It can be proven on the spot, and only that counts.
    let said = gate(&environment, &["--prove"]);
    assert_eq!(said.status, 0, "{said:?}");
}

#[test]
fn neither_a_strangers_key_nor_the_changes_own_trust_counts() {
    let environment = Environment::new();
    let mut fixture = fixed(&environment);
    let stranger = environment.path("stranger");
    let data = stranger.to_str().unwrap();
    let prove = ["prove", "--base", "trunk", "--head", "HEAD", "--data", data];
    assert_eq!(environment.run(&prove).status, 0);
    let said = gate(&environment, &[]);
    assert_eq!(said.status, 1, "{said:?}");
    let objections = said.json()["receipts"][0]["objections"].to_string();
    assert!(objections.contains("does not trust"), "{objections}");

    // The change itself says that the stranger is to be trusted.
    let trust = fs::read_to_string(stranger.join("trust.txt")).unwrap();
    fixture.write(".wayproof/trust", &trust).unwrap();
    fixture.commit("trust me").unwrap();
    assert_eq!(environment.run(&prove).status, 0);
    assert_eq!(gate(&environment, &[]).status, 1);
}

#[test]
fn a_policy_lowered_by_the_change_is_not_asked() {
    let environment = Environment::new();
    let mut fixture = fixed(&environment);
    fixture
        .write(
            "wayproof.toml",
            "version = 1\n\n[task.bug-fix]\nproof = []\n",
        )
        .unwrap();
    fixture.commit("ask for nothing").unwrap();
    let said = gate(&environment, &["--task", "bug-fix"]);
    assert_eq!(said.status, 1, "{said:?}");
}

#[test]
fn a_base_without_trusted_signers_is_a_mistake() {
    let environment = Environment::new();
    let _fixture = repository(&environment);
    let said = environment.run(&["gate", "--base", "HEAD"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains(".wayproof/trust"), "{said:?}");
}
