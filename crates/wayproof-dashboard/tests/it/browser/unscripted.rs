//! The pages where scripts are off: everything but moving by itself.

use wayproof_ledger::Clock;

use super::driver::Browser;
use super::{furnish, in_flight, serve};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_work_without_scripts() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    furnish(&stage).await;
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::without_scripts().await;
    browser.open(&url).await;
    browser.until("typeof htmx === 'undefined'").await;
    browser.find("a[href='/jobs/019ad001-open']").await;
    // What happens meanwhile is there once the page is loaded again.
    in_flight(&stage, "019ad009-new", "migration", "strong");
    stage.ledger.flush().await.unwrap();
    browser
        .click_until(
            ".brand",
            "document.querySelector(\"a[href='/jobs/019ad009-new']\")",
        )
        .await;

    browser
        .click_until("nav a[href='/jobs']", "location.pathname === '/jobs'")
        .await;
    let field = browser.find("#q").await;
    field.send_keys("team/billing\u{e007}").await.unwrap();
    browser
        .until("document.querySelector(\"#q[value='team/billing']\")")
        .await;
    browser
        .until("[...document.querySelectorAll('tbody tr')].every(row => row.innerText.includes('team/billing'))")
        .await;

    browser.open(&format!("{url}/jobs/019ad001-open")).await;
    browser.find("noscript a").await;
    browser
        .click_until(
            "#story-part summary",
            "document.querySelector('#story-part details').open",
        )
        .await;
    let before = "document.documentElement.dataset.theme";
    let theme = browser.run(&format!("return {before}")).await;
    let changed = format!("{before} !== {theme}");
    browser
        .click_until("form[action='/theme'] button", &changed)
        .await;
    browser.open(&format!("{url}/spend")).await;
    browser
        .click_until("form.filter button", "location.search.includes('one=')")
        .await;
    browser.find(".chart .grid").await;
    browser.stop().await;
}
