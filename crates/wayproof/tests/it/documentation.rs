//! `prove --task documentation`: claims have sources that say so, links lead somewhere, samples are well-formed.

use serde_json::Value;
use wayproof_testkit::{Captured, Fixture, Provider, Reply};

use crate::environment::{Environment, Said};

const PAGE: &str = "<html><title>The manual</title><h2 id=\"retry\">Retry</h2><p>New in version 4.2: <code>client.retry()</code> returns a response.</p></html>";

fn policy(days: u32) -> String {
    format!(
        "version = 1\n\n[task.documentation]\nsources = {{ primary = [\"127.0.0.1\", \"known\"], max_age_days = {days} }}\n"
    )
}

fn serve(request: &Captured) -> Reply {
    match request.path.as_str() {
        "/manual" | "/" => Reply::json(200, PAGE),
        "/moved" => Reply::json(302, "").with_header("location", "/manual"),
        "/inside" => Reply::json(302, "").with_header("location", "http://10.0.0.1/secret"),
        "/home" => Reply::json(302, "").with_header("location", "/"),
        _ => Reply::json(404, "gone"),
    }
}

/// A repository with a guide and a page that links to it.
fn repository(environment: &Environment, days: u32) -> Fixture {
    let mut fixture = environment.fixture();
    fixture.write("wayproof.toml", &policy(days)).unwrap();
    fixture
        .write("docs/guide.md", "# Guide\n\nText.\n\n## Limits\n\nNone.\n")
        .unwrap();
    fixture
        .write("README.md", "See [limits](docs/guide.md#limits).\n")
        .unwrap();
    fixture
        .write("src/lib.py", "def own_name():\n    return 1\n")
        .unwrap();
    fixture.commit("base").unwrap();
    fixture
}

async fn prove(environment: &Environment, more: &[&str]) -> Said {
    let mut args = vec![
        "prove",
        "--task",
        "documentation",
        "--base",
        "HEAD",
        "--json",
    ];
    args.extend(more);
    let mut command = environment.wayproof(&args);
    tokio::task::spawn_blocking(move || Said::of(command.output().unwrap()))
        .await
        .unwrap()
}

/// Proves the guide with this text at its end.
async fn with(environment: &Environment, fixture: &Fixture, text: &str) -> (i32, Value) {
    let whole = format!("# Guide\n\nText.\n\n## Limits\n\nNone.\n\n{text}\n");
    fixture.write("docs/guide.md", &whole).unwrap();
    let said = prove(environment, &["--loopback-sources"]).await;
    let report = said.json();
    (said.status, report)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story from its start to its end")]
async fn a_claim_is_proven_by_a_page_that_says_it() {
    let environment = Environment::new();
    let fixture = repository(&environment, 7);
    let provider = Provider::start(serve).await.unwrap();
    let manual = format!("{}/manual", provider.url());
    let base = provider.url();
    for (text, status, word) in [
        (
            format!("Retries came in version 4.2 ([manual]({manual}#retry))."),
            0,
            "1 claims",
        ),
        (
            format!("Retries came in version 4.2 ([manual]({base}/moved))."),
            0,
            "1 claims",
        ),
        (
            format!("`client.retry()` returns a response, see <{manual}>."),
            0,
            "1 claims",
        ),
        (
            "Only words, and `own_name()` returns one.".to_owned(),
            0,
            "no claim",
        ),
        (
            "Retries came in version 4.2.".to_owned(),
            11,
            "no link to a primary source",
        ),
        (
            "Retries came in version 4.2 ([blog](https://blog.example/x)).".to_owned(),
            11,
            "blog.example",
        ),
        (
            format!("Retries came in version 4.3 ([manual]({manual}))."),
            11,
            "says nothing of 4.3",
        ),
        (
            format!("Retries came in version 4.2 ([manual]({manual}#nowhere))."),
            11,
            "says nothing of",
        ),
        (
            format!("Version 4.2 says \"retries are always safe\" ([manual]({manual}))."),
            11,
            "says nothing of",
        ),
        (
            format!("Retries came in version 4.2 ([manual]({base}/none))."),
            12,
            "there is no page",
        ),
        (
            format!("Retries came in version 4.2 ([manual]({base}/home))."),
            12,
            "there is no page",
        ),
        (
            format!("Retries came in version 4.2 ([manual]({base}/inside))."),
            11,
            "not public",
        ),
        ("See [more](more.md).".to_owned(), 12, "docs/more.md"),
        ("See [below](#nothing).".to_owned(), 12, "no heading"),
        (
            "See [out](../../etc/passwd).".to_owned(),
            12,
            "out of the repository",
        ),
        (
            format!("See [a page]({base}/none)."),
            12,
            "there is no page",
        ),
    ] {
        let (found, report) = with(&environment, &fixture, &text).await;
        assert_eq!(found, status, "{text}: {report:#}");
        let fact = report["fact"].as_str().unwrap();
        assert!(fact.contains(word), "{text}: {fact}");
    }
    let said = prove(&environment, &[]).await;
    assert_ne!(
        said.status, 0,
        "this machine is no source unless somebody says so: {said:?}"
    );
    provider.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_young_page_stands_in_for_one_out_of_reach() {
    for (days, status) in [(7, 0), (0, 11)] {
        let environment = Environment::new();
        let fixture = repository(&environment, days);
        let provider = Provider::start(serve).await.unwrap();
        let text = format!(
            "Retries came in version 4.2 ([manual]({}/manual)).",
            provider.url()
        );
        let (found, report) = with(&environment, &fixture, &text).await;
        assert_eq!(found, 0, "{report:#}");
        provider.stop().await;
        let (found, report) = with(&environment, &fixture, &text).await;
        assert_eq!(found, status, "{days} days: {report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_read_by_their_language() {
    let environment = Environment::new();
    let fixture = repository(&environment, 7);
    for (language, sample, is_good) in [
        ("python", "def f(x):\n    return x\n", true),
        ("python", "def f(x)\n    return x\n", false),
        ("json", "{\"a\": [1, 2]}", true),
        ("json", "{\"a\": [1, 2}", false),
        ("toml", "a = 1\n", true),
        ("toml", "a = = 1\n", false),
        ("rust,no_run", "let x = vec![1];\nx.len()", true),
        ("rust", "fn f( {}", false),
        ("sh", "if true; then echo a; fi\n", true),
        ("sh", "if true; then echo a\n", false),
        ("text", "anything (", true),
    ] {
        let text = format!("```{language}\n{sample}\n```");
        let (status, report) = with(&environment, &fixture, &text).await;
        let wanted = if is_good { 0 } else { 12 };
        assert_eq!(status, wanted, "{language}: {sample}: {report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_link_to_must_stay_and_other_changes_are_a_gap() {
    let environment = Environment::new();
    let fixture = repository(&environment, 7);
    fixture
        .write("docs/guide.md", "# Guide\n\nText.\n")
        .unwrap();
    let said = prove(&environment, &[]).await;
    assert_eq!(said.status, 12, "{said:?}");
    assert!(
        said.json()["fact"]
            .as_str()
            .unwrap()
            .contains("README.md:1: the change breaks a link"),
        "{said:?}"
    );
    fixture
        .write(
            "docs/guide.md",
            "# Guide\n\nOther text.\n\n## Limits\n\nNone.\n",
        )
        .unwrap();
    fixture
        .write("src/lib.py", "def own_name():\n    return 2\n")
        .unwrap();
    let said = prove(&environment, &[]).await;
    assert_eq!(said.status, 10, "{said:?}");
    assert!(said.out.contains("CHANGES_MORE_THAN_DOCUMENTS"), "{said:?}");
    fixture
        .git(&["checkout", "--quiet", "docs/guide.md"])
        .unwrap();
    let said = prove(&environment, &[]).await;
    assert_eq!(said.status, 11, "{said:?}");
    assert!(said.out.contains("NO_DOCUMENT"), "{said:?}");
}
