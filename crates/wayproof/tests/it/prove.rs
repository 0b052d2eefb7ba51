//! `prove` on small repositories: verdicts, exit statuses, the object for machines.

use crate::environment::Environment;

const MANIFEST: &str = "[package]\nname = \"sum\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ndoctest = false\n\n[workspace]\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"sum\"\nversion = \"0.1.0\"\n";
const WRONG: &str = "pub fn sum(a: i32, b: i32) -> i32 {\n    a - b\n}\n";
const RIGHT: &str = "pub fn sum(a: i32, b: i32) -> i32 {\n    a + b\n}\n";
const TESTS: &str = "use sum::sum;\n\n#[test]\nfn nothing() {\n    assert_eq!(sum(0, 0), 0);\n}\n\n#[test]\nfn two_and_three() {\n    assert_eq!(sum(2, 3), 5);\n}\n";

pub(crate) fn repository(environment: &Environment) -> wayproof_testkit::Fixture {
    let mut fixture = environment.fixture();
    for (path, content) in [
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/lib.rs", WRONG),
        ("tests/sums.rs", TESTS),
        (".gitignore", "/target\n"),
    ] {
        fixture.write(path, content).unwrap();
    }
    fixture.commit("base").unwrap();
    fixture
}

#[test]
fn prove_says_proven_for_a_fix_in_a_dirty_tree() {
    let environment = Environment::new();
    let fixture = repository(&environment);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let said = environment.run(&["prove", "--task", "bug-fix", "--base", "HEAD", "--json"]);
    assert_eq!(said.status, 0, "{said:?}");
    let report = said.json();
    assert_eq!(report["verdict"], "PROVEN", "{report:#}");
    for field in ["checks", "fail_to_pass", "isolation"] {
        assert!(
            report[field]
                .as_array()
                .is_some_and(|list| !list.is_empty()),
            "{field}: {report:#}"
        );
    }
    for field in ["gaps", "findings"] {
        assert!(report[field].is_array(), "{field}: {report:#}");
    }
    for field in ["task", "base", "head", "receipt"] {
        assert!(report[field].is_string(), "{field}: {report:#}");
    }
    let receipt = report["receipt"].as_str().unwrap();
    let trust = environment.data().join("trust.txt");
    let verified = environment.run(&[
        "receipt",
        "verify",
        receipt,
        "--trust",
        trust.to_str().unwrap(),
    ]);
    assert_eq!(verified.status, 0, "{verified:?}");
    let status = fixture.git(&["status", "--porcelain"]).unwrap();
    assert_eq!(status, "M src/lib.rs", "the user's tree stays as it was");
}

#[test]
fn prove_attaches_the_receipt_to_a_commit() {
    let environment = Environment::new();
    let mut fixture = repository(&environment);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    fixture.commit("fix").unwrap();
    let said = environment.run(&["prove", "--base", "HEAD~1", "--head", "HEAD"]);
    assert_eq!(said.status, 0, "{said:?}");
    let shown = environment.run(&["receipt", "show", "--markdown"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    assert!(
        shown.out.contains("PROVEN") && shown.out.contains("two_and_three"),
        "{}",
        shown.out
    );

    let trailers = environment.run(&["receipt", "show", "--trailers"]);
    assert_eq!(trailers.status, 0, "{trailers:?}");
    let before = fixture.git(&["log", "-1", "--format=%B"]).unwrap();
    let message = format!("{before}\n\n{}", trailers.out);
    fixture.git(&["commit", "--amend", "-m", &message]).unwrap();
    let format = "--format=%(trailers:key=Wayproof-Verdict,key=Wayproof-Task,key=Wayproof-Receipt)";
    let read = fixture.git(&["log", "-1", format]).unwrap();
    assert!(
        read.contains("Wayproof-Verdict: PROVEN") && read.contains("Wayproof-Receipt: sha256:"),
        "{read}"
    );
    let again = environment.run(&["receipt", "show", "--trailers"]);
    assert_eq!(again.out, trailers.out, "the receipt is about the tree");
}

#[test]
fn prove_says_refuted_when_a_test_is_lost() {
    let environment = Environment::new();
    let fixture = repository(&environment);
    fixture
        .write(
            "src/lib.rs",
            "pub fn sum(_: i32, _: i32) -> i32 {\n    5\n}\n",
        )
        .unwrap();
    let said = environment.run(&["prove", "--base", "HEAD", "--json"]);
    assert_eq!(
        (said.status, &said.json()["verdict"]),
        (12, &"REFUTED".into()),
        "{said:?}"
    );
}

#[test]
fn prove_says_unproven_for_no_change() {
    let environment = Environment::new();
    repository(&environment);
    let said = environment.run(&["prove", "--base", "HEAD", "--json"]);
    assert_eq!(
        (said.status, &said.json()["verdict"]),
        (11, &"UNPROVEN".into()),
        "{said:?}"
    );
}

#[test]
fn a_task_of_the_policys_own_is_judged_by_what_it_owes() {
    let environment = Environment::new();
    let mut fixture = repository(&environment);
    let policy = "version = 1\n\n[task.refactor]\nroute = \"fast\"\nproof = [\"api-unchanged\"]\n";
    fixture.write("wayproof.toml", policy).unwrap();
    fixture.write("src/lib.rs", RIGHT).unwrap();
    fixture.commit("right").unwrap();
    let prove = || environment.run(&["prove", "--task", "refactor", "--base", "HEAD", "--json"]);
    fixture
        .write("src/lib.rs", &RIGHT.replace("a + b", "b + a"))
        .unwrap();
    let kept = prove();
    assert_eq!(
        (kept.status, &kept.json()["verdict"]),
        (0, &"PROVEN".into()),
        "{kept:?}"
    );
    assert_eq!(kept.json()["public_api"]["items"], 1, "{kept:?}");
    let renamed = RIGHT.replace("fn sum", "fn add") + "pub(crate) use add as sum;\n";
    fixture.write("src/lib.rs", &renamed).unwrap();
    fixture
        .write(
            "tests/sums.rs",
            &TESTS.replace("use sum::sum", "use sum::add as sum"),
        )
        .unwrap();
    let gone = prove();
    assert_eq!(
        (gone.status, &gone.json()["verdict"]),
        (12, &"REFUTED".into()),
        "{gone:?}"
    );
    assert_eq!(gone.json()["gaps"][0], "API_CHANGED", "{gone:?}");
}

#[test]
fn prove_blames_the_machine_for_a_missing_toolchain() {
    let environment = Environment::new();
    let fixture = repository(&environment);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let git = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .find(|folder| folder.join("git").is_file());
    let only_git = environment.path("only-git");
    std::fs::create_dir(&only_git).unwrap();
    std::os::unix::fs::symlink(git.unwrap().join("git"), only_git.join("git")).unwrap();
    let mut command = environment.wayproof(&["prove", "--base", "HEAD", "--json"]);
    command
        .env("PATH", &only_git)
        .env_remove("CARGO_HOME")
        .env_remove("RUSTUP_HOME");
    let said = crate::environment::Said::of(command.output().unwrap());
    assert_eq!(said.status, 20, "{said:?}");
    assert!(
        said.err.contains("cargo") || said.out.contains("cargo"),
        "{said:?}"
    );
}

#[test]
fn what_was_proven_is_not_proven_again_and_cannot_be_made_up() {
    let environment = Environment::new();
    let mut fixture = repository(&environment);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let prove = |more: &[&str]| {
        let args = [&["prove", "--base", "HEAD", "--json"], more].concat();
        let report = environment.run(&args).json();
        (report["verdict"].clone(), report["reused"].clone(), report)
    };
    let (verdict, reused, first) = prove(&[]);
    assert_eq!(
        (verdict, reused.is_null()),
        ("PROVEN".into(), true),
        "{first:#}"
    );
    let (verdict, reused, second) = prove(&[]);
    assert_eq!(verdict, "PROVEN", "{second:#}");
    assert!(
        reused["from"].is_string() && reused["key"].is_string(),
        "{second:#}"
    );
    assert_eq!(first["checks"], second["checks"]);
    let receipt = second["receipt"].as_str().unwrap();
    let trust = environment.data().join("trust.txt");
    let verified = environment.run(&[
        "receipt",
        "verify",
        receipt,
        "--trust",
        trust.to_str().unwrap(),
    ]);
    assert_eq!(verified.status, 0, "{verified:?}");
    assert!(prove(&["--no-cache"]).1.is_null());
    // A file that somebody wrote is no proof.
    let folder = environment.data().join("proofs");
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        std::fs::write(entry.path(), text.replace("two_and_three", "two_and_four")).unwrap();
    }
    assert!(prove(&[]).1.is_null());
    // The same trees under another commit are the same proof; another tree is not.
    fixture.commit("right").unwrap();
    let again = environment
        .run(&["prove", "--base", "HEAD~1", "--head", "HEAD", "--json"])
        .json();
    assert!(again["reused"].is_object(), "{again:#}");
    fixture
        .write("src/lib.rs", &RIGHT.replace("a + b", "b + a"))
        .unwrap();
    let other = environment
        .run(&["prove", "--base", "HEAD~1", "--json"])
        .json();
    assert!(other["reused"].is_null(), "{other:#}");
    let told = environment.run(&["prove", "--base", "HEAD~1"]);
    assert!(told.out.contains("--no-cache"), "{told:?}");
}

#[test]
fn a_migration_is_judged_by_the_policys_residue_and_smoke() {
    let environment = Environment::new();
    let mut fixture = repository(&environment);
    let policy = "version = 1\n\n[task.migration]\nresidue = [\"sum::plus\"]\n\n[task.migration.checks]\nsmoke = [\"sh\", \"smoke.sh\", \"{artefact}\"]\n";
    fixture.write("wayproof.toml", policy).unwrap();
    fixture
        .write(
            "smoke.sh",
            "ls \"$1\"/libsum.rlib >/dev/null && echo ok 1 - built && echo 1..1\n",
        )
        .unwrap();
    fixture
        .write(
            "src/lib.rs",
            &format!("{RIGHT}pub fn plus(a: i32, b: i32) -> i32 {{ sum(a, b) }}\n"),
        )
        .unwrap();
    fixture.commit("old").unwrap();
    let prove = || environment.run(&["prove", "--task", "migration", "--base", "HEAD", "--json"]);
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let said = prove();
    assert_eq!(
        (said.status, &said.json()["verdict"]),
        (0, &"PROVEN".into()),
        "{said:?}"
    );
    fixture
        .write(
            "tests/more.rs",
            "use sum::plus;\n\n#[test]\nfn more() {\n    assert_eq!(plus(1, 1), 2);\n}\n",
        )
        .unwrap();
    fixture
        .write(
            "src/lib.rs",
            &format!("{RIGHT}pub fn plus(a: i32, b: i32) -> i32 {{ sum(a, b) }}\n\n"),
        )
        .unwrap();
    let said = prove();
    assert_eq!(
        (said.status, &said.json()["gaps"][0]),
        (12, &"RESIDUE_LEFT".into()),
        "{said:?}"
    );
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
fn an_edited_head_does_not_make_the_base_run_again() {
    let environment = Environment::new();
    let fixture = repository(&environment);
    let prove = |more: &[&str]| {
        let args = ["prove", "--task", "bug-fix", "--base", "HEAD", "--json"];
        let said = environment.run(&[&args[..], more].concat());
        assert_eq!(said.status, 0, "{said:?}");
        said.json()
    };
    // What was taken over, and what ran, by side.
    let sides = |report: &serde_json::Value, is_reused: bool| {
        let checks = report["checks"].as_array().unwrap().iter();
        let some = checks.filter(|check| check["reused"].is_object() == is_reused);
        let sides: std::collections::BTreeSet<String> = some
            .map(|check| check["side"].as_str().unwrap().to_owned())
            .collect();
        sides
    };
    fixture.write("src/lib.rs", RIGHT).unwrap();
    let first = prove(&[]);
    assert!(sides(&first, true).is_empty(), "{first:#}");

    let otherwise = RIGHT.replace("a + b", "b + a");
    assert_ne!(otherwise, RIGHT);
    fixture.write("src/lib.rs", &otherwise).unwrap();
    let second = prove(&[]);
    assert!(second["reused"].is_null(), "{second:#}");
    assert!(sides(&second, true).contains("base"), "{second:#}");
    assert!(!sides(&second, false).contains("base"), "{second:#}");
    assert!(!sides(&second, true).contains("head"), "{second:#}");
    // Names of checks stay apart, and every one that was taken over says from when.
    let checks = second["checks"].as_array().unwrap();
    let ids: std::collections::BTreeSet<_> =
        checks.iter().map(|check| check["id"].as_str()).collect();
    assert_eq!(ids.len(), checks.len());
    let reused = checks
        .iter()
        .find(|check| check["reused"].is_object())
        .unwrap();
    assert!(
        reused["reused"]["from"].as_str().unwrap().ends_with('Z'),
        "{reused}"
    );
    assert!(
        reused["reused"]["key"]
            .as_str()
            .unwrap()
            .starts_with("check-")
    );
    let receipt = second["receipt"].as_str().unwrap();
    let verified = environment.run(&["receipt", "verify", receipt]);
    assert_eq!(verified.status, 0, "{verified:?}");

    // A file that somebody touched is no file, and nobody's word is taken with --no-cache.
    let folder = environment.data().join("checks");
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let place = entry.unwrap().path();
        let text = std::fs::read_to_string(&place).unwrap();
        let bent = text.replace("Passed", "Failed").replace("passed", "failed");
        if bent != text {
            std::fs::write(&place, bent).unwrap();
            count += 1;
        }
    }
    assert!(count > 0);
    std::fs::remove_dir_all(environment.data().join("proofs")).unwrap();
    let third = prove(&[]);
    assert!(!sides(&third, true).contains("head"), "{third:#}");
    let fresh = prove(&["--no-cache"]);
    assert!(sides(&fresh, true).is_empty(), "{fresh:#}");
}

/// Whether a process with these words in its command line is there.
fn is_running(words: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap();
    processes.filter_map(Result::ok).any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line)
            .replace('\0', " ")
            .contains(words)
    })
}

#[test]
fn a_proof_that_is_told_to_end_leaves_nothing() {
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let environment = Environment::new();
        let fixture = repository(&environment);
        fixture.write("src/lib.rs", RIGHT).unwrap();
        let marker = format!("60{}", std::process::id());
        let slow = TESTS.replace(
            "assert_eq!(sum(2, 3), 5);",
            &format!(
                "std::process::Command::new(\"sleep\").arg(\"{marker}\").status().unwrap();\n    assert_eq!(sum(2, 3), 5);"
            ),
        );
        fixture.write("tests/sums.rs", &slow).unwrap();
        let scratch = environment.path("scratch");
        std::fs::create_dir(&scratch).unwrap();
        let mut prove = environment.wayproof(&["prove", "--task", "bug-fix", "--base", "HEAD"]);
        prove.env("TMPDIR", &scratch);
        let child = prove
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let sleeping = format!("sleep {marker}");
        while !is_running(&sleeping) {
            std::thread::yield_now();
        }
        let pid = child.id().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-s", signal, &pid])
            .status()
            .unwrap();
        assert!(killed.success());
        let said = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(status), "{signal}: {told}");
        assert!(
            told.contains(&format!("ended by SIG{signal}")),
            "{signal}: {told}"
        );
        assert!(!is_running(&sleeping), "{signal}");
        let left: Vec<_> = std::fs::read_dir(&scratch).unwrap().collect();
        assert!(left.is_empty(), "{signal}: {left:?}");
        let worktrees = fixture.git(&["worktree", "list"]).unwrap();
        assert_eq!(worktrees.lines().count(), 1, "{signal}: {worktrees}");
        let jobs = environment.run(&["ledger", "jobs", "--json"]);
        assert_eq!(jobs.json().as_array().map(Vec::len), Some(0), "{jobs:?}");
    }
}
