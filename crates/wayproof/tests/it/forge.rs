//! `gate --publish`: what a forge is told, in shapes that it takes, once, and by nobody's comment but our own.

mod fake;

use std::fs;

use wayproof_testkit::{Fixture, Reply};

use self::fake::{Forge, Kind, REPO, TOKEN, add};
use crate::environment::{Environment, Said};

/// A repository whose `trunk` trusts this machine, with a change on top that nobody proved.
fn unproven(environment: &Environment) -> Fixture {
    let mut fixture = environment.fixture();
    fixture.write("README.md", "sums\n").unwrap();
    fixture.commit("begin").unwrap();
    // The key is made, and its owner pinned, by the first proof.
    environment.run(&["prove", "--base", "HEAD", "--head", "HEAD"]);
    let trust = fs::read_to_string(environment.data().join("trust.txt")).unwrap();
    fixture.write(".wayproof/trust", &trust).unwrap();
    fixture.commit("trust this machine").unwrap();
    fixture.git(&["branch", "trunk"]).unwrap();
    fixture.write("sum.txt", "1 + 1 = 2\n").unwrap();
    fixture.commit("sum").unwrap();
    fixture
}

struct Call<'a> {
    environment: &'a Environment,
    url: String,
    variables: Vec<(&'static str, &'static str)>,
}

impl<'a> Call<'a> {
    fn new(environment: &'a Environment, forge: &Forge) -> Self {
        Self {
            environment,
            url: format!("{}/api", forge.provider.url()),
            variables: vec![("FORGE_TOKEN", TOKEN), ("RUST_LOG", "debug")],
        }
    }

    fn gate(&self, kind: &str, more: &[&str]) -> Said {
        let mut args = vec![
            "gate",
            "--json",
            "--publish",
            kind,
            "--forge-url",
            &self.url,
            "--token-env",
            "FORGE_TOKEN",
        ];
        args.extend(more);
        let mut command = self.environment.wayproof(&args);
        command.envs(self.variables.iter().copied());
        let said = tokio::task::block_in_place(|| Said::of(command.output().unwrap()));
        assert!(
            !said.out.contains(TOKEN) && !said.err.contains(TOKEN),
            "the token is told: {said:?}"
        );
        said
    }
}

const ALL: [&str; 6] = ["--forge-repo", REPO, "--change", "9", "--base", "trunk"];
const SATISFIED: [&str; 6] = ["--forge-repo", REPO, "--change", "9", "--base", "HEAD"];

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
async fn github_gets_a_status_a_check_run_and_one_comment() {
    let environment = Environment::new();
    let fixture = unproven(&environment);
    let head = fixture.git(&["rev-parse", "HEAD"]).unwrap();
    let forge = Forge::start(Kind::Github).await;
    let call = Call::new(&environment, &forge);
    // Others talk, too; one repeats the marker, and one is more than a page away.
    forge.with(|kept| {
        add(
            kept,
            "mallory",
            false,
            "<!-- wayproof-gate: wayproof -->\n## Wayproof: satisfied",
        );
        add(
            kept,
            "gate",
            false,
            "> <!-- wayproof-gate: wayproof -->\nwhat is this?",
        );
        for _ in 0..120 {
            add(kept, "eve", false, "hello");
        }
    });
    let said = call.gate("github", &ALL);
    assert_eq!(said.status, 1, "{said:?}");
    let published = &said.json()["published"];
    assert_eq!(published[0]["part"], "status", "{published}");
    assert_eq!(published[1]["part"], "check");
    assert_eq!(published[2]["outcome"], "created");
    forge.with(|kept| {
        assert_eq!(kept.wrong, [""; 0]);
        let (sha, status) = &kept.statuses[0];
        assert_eq!(sha, head.trim());
        assert_eq!(
            (&status["state"], &status["context"]),
            (&"failure".into(), &"wayproof".into())
        );
        assert_eq!(kept.checks[0]["conclusion"], "failure");
        let (_, _, _, body) = kept.comments.last().unwrap();
        assert!(
            body.starts_with("<!-- wayproof-gate: wayproof -->\n## Wayproof: not satisfied"),
            "{body}"
        );
    });
    // Said again it stays one comment, and what is not changed is left alone.
    let said = call.gate("github", &ALL);
    assert_eq!(
        said.json()["published"][2]["outcome"],
        "unchanged",
        "{said:?}"
    );
    let said = call.gate("github", &SATISFIED);
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.json()["published"][2]["outcome"], "updated");
    forge.with(|kept| {
        assert_eq!(kept.wrong, [""; 0]);
        assert_eq!(kept.comments.len(), 123);
        assert!(
            kept.comments[0].3.contains("Wayproof: satisfied"),
            "a stranger's words stay"
        );
        assert_eq!(kept.statuses.last().unwrap().1["state"], "success");
    });
    // A gate of another name has its own; a second comment of ours goes.
    forge.with(|kept| {
        add(
            kept,
            "gate",
            false,
            "<!-- wayproof-gate: wayproof -->\ntwice",
        )
    });
    let api = [
        &ALL[..],
        &["--publish-name", "api", "--publish-parts", "comment"],
    ]
    .concat();
    assert_eq!(
        call.gate("github", &api).json()["published"][0]["outcome"],
        "created"
    );
    assert_eq!(call.gate("github", &ALL).status, 1);
    forge.with(|kept| {
        let ours = |name: &str| {
            let marker = format!("<!-- wayproof-gate: {name} -->\n");
            let all = kept
                .comments
                .iter()
                .filter(|one| one.1 == "gate" && one.3.starts_with(&marker));
            all.count()
        };
        assert_eq!((ours("wayproof"), ours("api")), (1, 1));
        assert_eq!(kept.wrong, [""; 0]);
    });
    forge.provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_gets_a_status_and_one_note() {
    let environment = Environment::new();
    let _fixture = unproven(&environment);
    let forge = Forge::start(Kind::Gitlab).await;
    let call = Call::new(&environment, &forge);
    for outcome in ["created", "unchanged"] {
        let said = call.gate("gitlab", &ALL);
        assert_eq!(said.status, 1, "{said:?}");
        assert_eq!(said.json()["published"][0]["outcome"], outcome, "{said:?}");
        assert_eq!(said.json()["published"][1]["outcome"], outcome);
    }
    let details = [
        &SATISFIED[..],
        &["--details-url", "https://ci.example/jobs/1"],
    ]
    .concat();
    let said = call.gate("gitlab", &details);
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.json()["published"][1]["outcome"], "updated");
    forge.with(|kept| {
        assert_eq!(kept.wrong, [""; 0]);
        assert_eq!(kept.comments.len(), 1);
        assert!(
            kept.comments[0]
                .3
                .contains("[The job](https://ci.example/jobs/1)")
        );
        let states: Vec<_> = kept
            .statuses
            .iter()
            .map(|told| told.1["state"].clone())
            .collect();
        assert_eq!(states, ["failed", "success"]);
    });
    let said = call.gate(
        "gitlab",
        &[&ALL[..], &["--publish-parts", "check"]].concat(),
    );
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("no check runs"), "{said:?}");
    forge.provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_and_whom_ci_runs_for_is_read_from_its_variables() {
    let environment = Environment::new();
    let _fixture = unproven(&environment);
    let forge = Forge::start(Kind::Github).await;
    // The token of Actions is an app's, which is no user and comments as a bot.
    forge.with(|kept| kept.is_app = true);
    let mut call = Call::new(&environment, &forge);
    call.variables.extend([
        ("GITHUB_REPOSITORY", REPO),
        ("GITHUB_REF", "refs/pull/9/merge"),
        ("GITHUB_SERVER_URL", "https://forge.example"),
        ("GITHUB_RUN_ID", "77"),
    ]);
    for outcome in ["created", "unchanged"] {
        let said = call.gate("github", &["--base", "trunk"]);
        assert_eq!(said.json()["published"][2]["outcome"], outcome, "{said:?}");
    }
    forge.with(|kept| {
        assert_eq!(kept.wrong, [""; 0]);
        let url = "https://forge.example/octo/sums/actions/runs/77";
        assert_eq!(kept.statuses[0].1["target_url"], url);
    });
    // In a merge queue there is no pull request, and so no comment.
    call.variables
        .push(("GITHUB_REF", "refs/heads/gh-readonly-queue/trunk/pr-9-abc"));
    let said = call.gate("github", &["--base", "trunk"]);
    assert_eq!(
        said.json()["published"].as_array().unwrap().len(),
        2,
        "{said:?}"
    );
    // An ill-judged change takes back what was said of the commit.
    let said = call.gate("github", &["--base", "trunk", "--trust", "nowhere"]);
    assert_eq!(said.status, 2, "{said:?}");
    forge.with(|kept| assert_eq!(kept.statuses.last().unwrap().1["state"], "error"));
    forge.provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
async fn refusals_say_what_to_do_and_passing_ones_are_waited_for() {
    let environment = Environment::new();
    let _fixture = unproven(&environment);
    let forge = Forge::start(Kind::Github).await;
    let call = Call::new(&environment, &forge);
    let one = [&SATISFIED[..], &["--publish-parts", "status"]].concat();
    let refused = |status: u16, body: &str| Reply::json(status, body.to_owned());
    let echo = format!(r#"{{"message":"Bad credentials {TOKEN} \u001b[31m"}}"#);
    let cases: [(Reply, i32, &[&str]); 7] = [
        (refused(401, &echo), 2, &["does not accept", "FORGE_TOKEN"]),
        (
            refused(
                403,
                r#"{"message":"Resource not accessible by integration"}"#,
            ),
            2,
            &["statuses: write", "not accessible"],
        ),
        (
            refused(404, r#"{"message":"Not Found"}"#),
            2,
            &["octo/sums", "may not see"],
        ),
        (
            refused(
                422,
                r#"{"message":"Validation Failed","errors":[{"field":"sha"}]}"#,
            ),
            2,
            &["422", "sha"],
        ),
        (
            refused(301, "{}").with_header("location", "https://elsewhere.example/"),
            2,
            &["elsewhere", "redirect"],
        ),
        (
            refused(403, "{}")
                .with_header("x-ratelimit-remaining", "0")
                .with_header("retry-after", "3600"),
            20,
            &["rate limit", "3600"],
        ),
        (refused(201, "<html>"), 20, &["API"]),
    ];
    for (reply, status, words) in cases {
        forge.with(|kept| kept.script.push_back(("/statuses/", reply)));
        let said = call.gate("github", &one);
        assert_eq!(said.status, status, "{said:?}");
        for word in words {
            assert!(said.err.contains(word), "{word}: {said:?}");
        }
        assert!(!said.err.contains('\u{1b}'));
    }
    forge.with(|kept| assert!(kept.statuses.is_empty() && kept.script.is_empty()));
    // A change that is not proven stays that, whatever the forge says.
    forge.with(|kept| kept.script.push_back(("/statuses/", refused(404, "{}"))));
    assert_eq!(
        call.gate(
            "github",
            &[&ALL[..], &["--publish-parts", "status"]].concat()
        )
        .status,
        1
    );

    // What passes is asked again, as the forge says when.
    forge.with(|kept| {
        kept.statuses.clear();
        let soon = |status: u16| refused(status, "{}").with_header("retry-after", "0");
        kept.script
            .extend([429, 403, 503].map(|status| ("/statuses/", soon(status))));
    });
    assert_eq!(call.gate("github", &one).status, 0);
    // Nobody knows whether a comment was made that is answered by a fault: it is looked for first.
    forge.with(|kept| {
        assert_eq!((kept.statuses.len(), kept.script.len()), (1, 0));
        kept.script.push_back(("/comments?", refused(200, "[]")));
        kept.script
            .push_back(("/issues/9/comments", refused(502, "{}")));
        add(
            kept,
            "gate",
            false,
            "<!-- wayproof-gate: wayproof -->\nmade all the same",
        );
    });
    let said = call.gate(
        "github",
        &[&SATISFIED[..], &["--publish-parts", "comment"]].concat(),
    );
    assert_eq!(said.status, 0, "{said:?}");
    forge.with(|kept| {
        assert_eq!(kept.comments.len(), 1);
        assert!(kept.comments[0].3.contains("satisfied"));
    });
    forge.provider.stop().await;
}

#[test]
fn a_call_that_names_no_place_is_a_mistake_before_anything_is_judged() {
    let environment = Environment::new();
    let _fixture = unproven(&environment);
    let gate = |more: &[&str]| {
        let mut args = vec!["gate", "--base", "trunk"];
        args.extend(more);
        let said = Said::of(
            environment
                .wayproof(&args)
                .env("T", TOKEN)
                .output()
                .unwrap(),
        );
        assert_eq!(said.status, 2, "{more:?} {said:?}");
        assert!(said.out.is_empty() && !said.err.contains(TOKEN), "{said:?}");
        said.err
    };
    assert!(gate(&["--publish", "github"]).contains("GITHUB_TOKEN"));
    assert!(gate(&["--publish", "gitlab"]).contains("GITLAB_TOKEN"));
    let with = |more: &[&str]| gate(&[&["--publish", "github", "--token-env", "T"], more].concat());
    assert!(with(&[]).contains("GITHUB_REPOSITORY"));
    assert!(with(&["--forge-repo", "../x"]).contains("owner/name"));
    let repo = ["--forge-repo", REPO];
    assert!(with(&[&repo[..], &["--publish-parts", "comment"]].concat()).contains("--change"));
    let plain = with(&[&repo[..], &["--forge-url", "http://ghes.example/api/v3"]].concat());
    assert!(plain.contains("https://"), "{plain}");
    assert!(with(&[&repo[..], &["--publish-name", "a-->b"]].concat()).contains("name"));
    assert!(
        with(&[&repo[..], &["--details-url", "javascript:1"]].concat()).contains("--details-url")
    );
    assert!(gate(&["--change", "9"]).contains("--publish"));
    assert!(gate(&["--publish", "bitbucket"]).contains("gitlab"));
}
