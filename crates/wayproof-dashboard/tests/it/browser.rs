//! The pages in a real Chromium: both themes, three widths, no violation of accessibility, nothing hostile alive.
//!
//! Pictures land in `target/tmp/dashboard/`, to be looked at.

mod driver;
mod signed_in;
mod unscripted;
mod zoomed;

use std::path::PathBuf;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use wayproof_dashboard::ProofSeen;
use wayproof_engine::Cause;
use wayproof_ledger::{About, Clock, Escalated, EventBody, JobOpened};

use self::driver::Browser;
use crate::hostile::PAYLOADS;
use crate::stage::Stage;
use crate::story::{Words, opened, settled, tell};

/// The stage on a port of its own.
async fn serve(stage: &Stage) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = stage
        .router
        .clone()
        .into_make_service_with_connect_info::<std::net::SocketAddr>();
    #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
    let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (url, serving)
}

/// Where axe-core is.
fn axe() -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests find their tools by this variable"
    )]
    let tools = std::env::var("WAYPROOF_TEST_TOOLS")
        .expect("WAYPROOF_TEST_TOOLS is not set: run the tests with `cargo xtask test`");
    let file = PathBuf::from(tools).join("axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|_| {
        panic!(
            "{} is missing: `cargo xtask test` installs it",
            file.display()
        )
    })
}

/// A ledger that looks like a month of a team.
async fn furnish(stage: &Stage) -> (String, String) {
    let now = stage.clock.now_us();
    let kinds = [
        ("bug-fix", "claude-code", "team/shop"),
        ("documentation", "codex", "team/docs"),
        ("migration", "claude-code", "team/billing"),
        ("test-generation", "aider", "team/shop"),
        ("small-edit", "copilot", "team/site"),
    ];
    for day in (0..30_i64).rev() {
        stage.clock.set(now - day * 86_400_000_000 - 1);
        for (number, (task, agent, repo)) in kinds
            .iter()
            .enumerate()
            .take(1 + usize::try_from(day).unwrap() % 5)
        {
            let mut words = Words::plain(&format!(
                "019ac{day:02}{number}-7b1e-7c44-9d0a-4be1c2d3e4f5"
            ));
            (words.task, words.agent) = ((*task).to_owned(), (*agent).to_owned());
            words.repo = format!("https://example.org/{repo}.git");
            tell(&stage.ledger, &words).await;
        }
    }
    stage.clock.set(now);
    let left = tell(
        &stage.ledger,
        &Words::plain("019ad000-7b1e-7c44-9d0a-4be1c2d3e4f5"),
    )
    .await;
    for (job, task, class) in [
        ("019ad001-open", "bug-fix", "strong"),
        ("019ad002-open", "migration", "strong"),
        ("019ad003-open", "documentation", "fast"),
    ] {
        in_flight(stage, job, task, class);
    }
    stage.ledger.flush().await.unwrap();
    (left.exchange, left.receipt)
}

fn in_flight(stage: &Stage, job: &str, task: &str, class: &str) {
    let mut words = Words::plain(job);
    words.task = task.to_owned();
    let about = |exchange: Option<String>| About {
        session: Some(job.to_owned()),
        job: Some(job.to_owned()),
        exchange,
    };
    let id = stage.ledger.ids().next().to_string();
    let opening = EventBody::JobOpened(JobOpened {
        task: task.to_owned(),
        class: Some(class.to_owned()),
        agent: Some("claude-code".to_owned()),
        repo: Some(words.repo.clone()),
        ..JobOpened::default()
    });
    for (about, body) in [
        (about(None), opening),
        (about(Some(id.clone())), opened(&words, class)),
        (about(Some(id)), settled(&words, class, Some(31_000_000))),
    ] {
        stage.ledger.note(&stage.ledger.event(about, body)).unwrap();
    }
}

/// A proof that is under way, in the job of that id.
fn in_proof(stage: &Stage, job: &str) {
    let steps = [
        (9_000_000, "the change touches 3 files"),
        (7_000_000, "trees written out, 1 suites judge the change"),
        (2_500_000, "pytest on head: run 2 of 3"),
    ];
    let steps = steps.map(|(ago, words)| (stage.clock.now_us() - ago, words.to_owned()));
    stage.proofs.lock().unwrap().push(ProofSeen {
        job: job.to_owned(),
        steps: steps.into(),
    });
}

/// Pages whose addresses are always the same.
const PAGES: [(&str, &str); 18] = [
    ("now", "/"),
    ("jobs", "/jobs"),
    ("job", "/jobs/019ad000-7b1e-7c44-9d0a-4be1c2d3e4f5"),
    ("job-proving", "/jobs/019ad001-open"),
    ("receipts", "/receipts"),
    ("review", "/review"),
    ("spend", "/spend?one=task&two=class"),
    (
        "spend-days",
        "/spend?one=task&two=class&from=2026-11-09&to=2026-11-15",
    ),
    ("policy", "/policy"),
    ("models", "/models"),
    (
        "compare",
        "/models?one=anthropic%2Fclaude-haiku-5-5&two=anthropic%2Fclaude-opus-5-5",
    ),
    ("health", "/health"),
    ("settings", "/settings"),
    ("connect", "/connect"),
    ("docs", "/docs/glossary"),
    ("cli", "/docs/cli"),
    ("missing", "/nothing"),
    ("nothing-fits", "/jobs?task=none"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_accessible_in_both_themes_at_three_widths() {
    let stage = crate::review::Said::words("if user.password == given:  # constant time?")
        .stage()
        .await;
    let (exchange, receipt) = furnish(&stage).await;
    in_proof(&stage, "019ad001-open");
    let empty = Stage::new().await;
    let (advised, _) = crate::advice::advised("fast").await;
    let (url, _serving) = serve(&stage).await;
    let (empty_url, _serving_empty) = serve(&empty).await;
    let (advice_url, _serving_advice) = serve(&advised).await;
    let browser = Browser::start().await;
    let axe = axe();
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&pictures).unwrap();
    let mut pages: Vec<(&str, String)> = PAGES
        .iter()
        .map(|(name, path)| (*name, format!("{url}{path}")))
        .collect();
    pages.extend([
        ("exchange", format!("{url}/exchanges/{exchange}")),
        ("receipt", format!("{url}/receipts/{receipt}")),
        (
            "review-change",
            format!("{url}{}", crate::review::address()),
        ),
        ("advice", format!("{advice_url}/policy/advice")),
        ("empty", format!("{empty_url}/")),
    ]);
    let mut wrong = Vec::new();
    for theme in ["light", "dark"] {
        for base in [&url, &empty_url, &advice_url] {
            browser.open(&format!("{base}/settings")).await;
            choose(&browser, theme).await;
        }
        for (width, height) in [(390, 844), (820, 1180), (1440, 900)] {
            browser.client.set_window_size(width, height).await.unwrap();
            for (name, address) in &pages {
                browser.open(address).await;
                wrong.extend(violations(&browser, &axe, &format!("{name} {theme} {width}")).await);
                let picture = browser.client.screenshot().await.unwrap();
                let file = pictures.join(format!("{name}-{theme}-{width}.png"));
                std::fs::write(file, picture).unwrap();
            }
        }
    }
    browser.stop().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn demo_data_is_asked_for_marked_and_accessible() {
    let stage = Stage::new().await;
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::start().await;
    let axe = axe();
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("dashboard");
    std::fs::create_dir_all(&pictures).unwrap();
    browser.open(&url).await;
    let is_marked = "document.querySelector('.demo')";
    browser
        .click_until("button[name=demo][value=on]", is_marked)
        .await;
    let mut wrong = Vec::new();
    for theme in ["light", "dark"] {
        browser.open(&format!("{url}/settings")).await;
        choose(&browser, theme).await;
        for (width, height) in [(390, 844), (820, 1180), (1440, 900)] {
            browser.client.set_window_size(width, height).await.unwrap();
            for (name, path) in [("now", "/"), ("spend", "/spend"), ("jobs", "/jobs")] {
                browser.open(&format!("{url}{path}")).await;
                browser.until(is_marked).await;
                let place = format!("demo-{name}-{theme}-{width}");
                wrong.extend(violations(&browser, &axe, &place).await);
                let picture = browser.client.screenshot().await.unwrap();
                std::fs::write(pictures.join(format!("{place}.png")), picture).unwrap();
            }
        }
    }
    browser
        .click_until(".demo button", &format!("!{is_marked}"))
        .await;
    browser.stop().await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Turns the theme by its button until it is the one wanted.
async fn choose(browser: &Browser, theme: &str) {
    for _ in 0..3 {
        let now = browser.find("html").await.attr("data-theme").await.unwrap();
        if now.as_deref() == Some(theme) {
            return;
        }
        let is_other = format!(
            "document.documentElement.getAttribute('data-theme') !== {}",
            json!(now)
        );
        browser.click_until("button[name=theme]", &is_other).await;
    }
    panic!("the theme cannot be chosen");
}

/// What axe finds, and whether the page is wider than the window.
async fn violations(browser: &Browser, axe: &str, place: &str) -> Vec<String> {
    let script = format!(
        "{axe};const done=arguments[arguments.length-1];axe.run(document,{{resultTypes:['violations']}}).then(r=>done(r.violations.map(v=>v.id+': '+v.nodes.map(n=>n.target+' '+n.failureSummary).join(' | '))),e=>done(['axe failed: '+e]));"
    );
    let found = browser
        .client
        .execute_async(&script, Vec::new())
        .await
        .unwrap();
    let mut wrong: Vec<String> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|found| format!("{place}: {}", found.as_str().unwrap_or_default()))
        .collect();
    let overflow = browser
        .run("return document.documentElement.scrollWidth - window.innerWidth")
        .await;
    if overflow.as_i64().unwrap_or(0) > 0 {
        wrong.push(format!("{place}: {overflow} pixels wider than the window"));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_page_moves_by_itself_and_is_walked_by_keyboard() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    tell(
        &stage.ledger,
        &Words::plain("019ad000-7b1e-7c44-9d0a-4be1c2d3e4f5"),
    )
    .await;
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::start().await;
    browser.open(&url).await;
    browser.run("document.addEventListener('securitypolicyviolation', e => { window.violated = (window.violated || '') + e.violatedDirective; });").await;
    in_flight(&stage, "019ad009-new", "migration", "strong");
    stage.ledger.flush().await.unwrap();
    // The new job appears without loading the page again.
    browser.find("#live a[href='/jobs/019ad009-new']").await;
    assert_eq!(browser.run("return window.violated || ''").await, "");
    let body = browser.find("body").await;
    body.send_keys("\u{e004}").await.unwrap();
    // The first stop is the way past the navigation.
    browser
        .until("document.activeElement.className === 'skip'")
        .await;
    let skip = browser.client.active_element().await.unwrap();
    skip.send_keys("\u{e007}").await.unwrap();
    browser.until("document.activeElement.id === 'main'").await;
    browser.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jobs_story_goes_on_by_itself_and_keeps_what_is_open() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    in_flight(&stage, "019ad009-new", "migration", "strong");
    stage.ledger.flush().await.unwrap();
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::start().await;
    browser.open(&format!("{url}/jobs/019ad009-new")).await;
    browser
        .click_until(
            "#story-part summary",
            "document.querySelector('#story-part details').open",
        )
        .await;
    let escalated = Escalated {
        cause: Cause::ProofRefuted,
        from: "strong".to_owned(),
        to: "max".to_owned(),
        why: "the schema is not what it was".to_owned(),
    };
    let mut words = Words::plain("019ad009-new");
    words.task = "migration".to_owned();
    let id = stage.ledger.ids().next().to_string();
    for (exchange, body) in [
        (None, EventBody::Escalated(escalated)),
        (Some(id.clone()), opened(&words, "max")),
        (Some(id), settled(&words, "max", Some(7_000_000))),
    ] {
        let about = About {
            session: Some("019ad009-new".to_owned()),
            job: Some("019ad009-new".to_owned()),
            exchange,
        };
        stage.ledger.note(&stage.ledger.event(about, body)).unwrap();
    }
    stage.ledger.flush().await.unwrap();
    for appears in [
        "document.querySelector('#story-part').innerText.includes('the schema is not what it was')",
        "document.querySelector('#money-part').innerText.includes('max')",
        "document.querySelector('#story-part details').open",
        "document.querySelectorAll('hx-partial, template').length === 0",
    ] {
        browser.until(appears).await;
    }
    browser.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_mistakes_and_huge_jobs_are_handled_without_a_mouse() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    furnish(&stage).await;
    let mut words = Words::plain("huge-job-of-them");
    (words.output, words.why) = ("x".repeat(9_000), "y".repeat(9_000));
    for _ in 0..40 {
        tell(&stage.ledger, &words).await;
    }
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::start().await;
    let axe = axe();

    browser.open(&format!("{url}/jobs")).await;
    let field = browser.find("#q").await;
    field.send_keys("team/billing\u{e007}").await.unwrap();
    browser
        .until("document.querySelector(\"#q[value='team/billing']\")")
        .await;
    let rows = "return [...document.querySelectorAll('tbody tr')].map(row => row.innerText)";
    let rows = browser.run(rows).await;
    let rows = rows.as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row.as_str().unwrap().contains("team/billing"), "{row}");
    }

    browser.open(&format!("{url}/jobs/nobody")).await;
    let text = browser
        .run("return document.querySelector('main').innerText")
        .await;
    assert!(text.as_str().unwrap().contains("nobody"), "{text}");

    browser.open(&format!("{url}/jobs/huge-job-of-them")).await;
    assert_eq!(
        violations(&browser, &axe, "huge").await,
        Vec::<String>::new()
    );
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(
        browser.run(wide).await,
        0,
        "a huge job does not push the page aside"
    );
    browser.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_hostile_comes_alive() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    let mut lefts = Vec::new();
    for (number, payload) in PAYLOADS.iter().enumerate() {
        lefts.push((
            number,
            tell(
                &stage.ledger,
                &Words::all(&format!("job-number-{number}"), payload),
            )
            .await,
        ));
    }
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::start().await;
    let mut paths: Vec<String> = [
        "/",
        "/jobs",
        "/receipts",
        "/spend?one=task&two=model",
        "/spend?one=agent&two=repo",
        "/models",
        "/policy",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    for (number, left) in lefts.iter().step_by(4) {
        paths.push(format!("/jobs/job-number-{number}"));
        paths.push(format!("/receipts/{}", left.receipt));
    }
    for path in paths {
        browser.open(&format!("{url}{path}")).await;
        assert!(
            browser.client.get_alert_text().await.is_err(),
            "{path}: a script ran"
        );
        let alive = browser
            .run("return document.querySelectorAll('main script, main style, main iframe, main img, main object, main embed, main base, main meta, main link, [onerror], [onload], [onclick], [onfocus]').length")
            .await;
        assert_eq!(alive, 0, "{path}");
    }
    browser.stop().await;
}
