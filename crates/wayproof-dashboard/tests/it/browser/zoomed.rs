//! Charts over time, looked at closely without a mouse and without scripts.

use wayproof_ledger::Clock;

use super::driver::Browser;
use super::{axe, furnish, serve, violations};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_is_looked_at_closely_by_keyboard_and_left_again() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    furnish(&stage).await;
    let (url, _serving) = serve(&stage).await;
    let browser = Browser::without_scripts().await;
    browser
        .open(&format!("{url}/spend?one=repo&two=class&days=30"))
        .await;
    browser.find(".chart a").await;
    // The first mark is reached by the key that goes from stop to stop.
    let mut stops = 0;
    while browser
        .run("return !!document.activeElement.closest('.chart')")
        .await
        != true
    {
        stops += 1;
        assert!(stops < 60, "no mark is reached");
        let now = browser.client.active_element().await.unwrap();
        now.send_keys("\u{e004}").await.unwrap();
    }
    let name = browser
        .run("return document.activeElement.getAttribute('aria-label')")
        .await;
    let day: String = name.as_str().unwrap().chars().take(10).collect();
    let mark = browser.client.active_element().await.unwrap();
    mark.send_keys("\u{e007}").await.unwrap();
    browser
        .until(&format!(
            "location.search.endsWith('from={day}&to={day}') && document.querySelector('.near b').innerText === '{day}'"
        ))
        .await;
    browser.until("document.querySelector('#one').value === 'repo' && document.querySelector('#two').value === 'class'").await;
    browser
        .click_until(
            ".near a:last-child",
            "!location.search.includes('from=') && location.search.includes('one=repo')",
        )
        .await;
    browser
        .click_until(
            "[aria-labelledby=weekly] .chart a",
            "document.querySelector('.near')",
        )
        .await;
    browser.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_of_the_time_is_accessible() {
    let stage = Stage::with(|_| {}, Clock::system()).await;
    furnish(&stage).await;
    let (url, _serving) = serve(&stage).await;
    let axe = axe();
    let browser = Browser::start().await;
    let mut wrong = Vec::new();
    let today = browser
        .run("return new Date().toISOString().slice(0, 10)")
        .await;
    let today = today.as_str().unwrap().to_owned();
    for (place, query) in [
        ("day", format!("days=30&from={today}&to={today}")),
        ("week", format!("days=365&from={today}")),
        ("year", "days=365".to_owned()),
    ] {
        browser.open(&format!("{url}/spend?{query}")).await;
        wrong.extend(violations(&browser, &axe, place).await);
    }
    browser.stop().await;
    assert_eq!(wrong, Vec::<String>::new());
}
