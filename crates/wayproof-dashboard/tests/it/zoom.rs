//! Looking closely at a part of the charts over time: by their marks, by the form, and out again.

use crate::markup::tags;
use crate::stage::{NOON_US, Stage};
use crate::story::{Words, tell};

const DAY_US: i64 = 86_400_000_000;

/// A job on each of three days: the 22nd, the 15th and the 1st of November.
async fn three_days() -> Stage {
    let stage = Stage::new().await;
    for ago in [21, 7, 0] {
        stage.clock.set(NOON_US - ago * DAY_US);
        let words = Words::plain(&format!("019ad{ago:03}-7b1e-7c44-9d0a-4be1c2d3e4f5"));
        tell(&stage.ledger, &words).await;
    }
    stage.clock.set(NOON_US);
    stage
}

/// Where the marks of the charts lead, each with its name.
fn ways(html: &str) -> Vec<(String, String)> {
    let links = tags(html).into_iter().filter(|tag| tag.name == "a");
    let value = |tag: &crate::markup::Tag, name: &str| {
        let found = tag.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.replace("&amp;", "&"))
    };
    links
        .filter_map(|tag| Some((value(&tag, "aria-label")?, value(&tag, "href")?)))
        .collect()
}

#[tokio::test]
async fn a_mark_leads_to_its_days_and_out_again() {
    let stage = three_days().await;
    let all = stage.get("/spend?one=repo&two=model").await.text;
    let marks = ways(&all);
    let to = |name: &str| {
        let found = marks.iter().find(|(known, _)| known.starts_with(name));
        found
            .unwrap_or_else(|| panic!("{name}: {marks:?}"))
            .1
            .clone()
    };
    let day = to("2026-11-15: ");
    assert_eq!(
        day,
        "/spend?one=repo&two=model&days=30&from=2026-11-15&to=2026-11-15"
    );
    let week = to("week of 2026-11-09: ");
    assert!(week.ends_with("&from=2026-11-09&to=2026-11-15"), "{week}");
    assert!(
        all.contains("of 3 jobs proven") && !all.contains("Zoom out"),
        "{all}"
    );

    let near = stage.get(&week).await.text;
    assert!(near.contains("of 1 jobs proven"), "{near}");
    for words in [
        "<b>2026-11-09 to 2026-11-15</b>",
        "type=\"date\" value=\"2026-11-09\"",
        "<option value=\"repo\" selected>",
        "href=\"/spend?one=repo&amp;two=model&amp;days=30\">Zoom out to 30 days</a>",
        "from=2026-11-02&amp;to=2026-11-08\">Earlier</a>",
        "from=2026-11-16&amp;to=2026-11-22\">Later</a>",
    ] {
        assert!(near.contains(words), "{words}: {near}");
    }
    let inside = ways(&near);
    assert!(
        inside.iter().any(|(_, way)| *way == day)
            && inside.iter().all(|(name, _)| !name.starts_with("week of")),
        "a week leads to its days and not to itself: {inside:?}"
    );
    let alone = stage.get(&day).await.text;
    assert!(alone.contains("<b>2026-11-15</b>"), "{alone}");
    assert_eq!(ways(&alone).len(), 0, "{alone}");
}

#[tokio::test]
async fn days_are_named_in_the_form_and_odd_ones_are_none() {
    let stage = three_days().await;
    let jobs = |text: &str| {
        let (before, _) = text.split_once(" jobs proven").unwrap();
        before.rsplit(' ').next().unwrap().to_owned()
    };
    for (query, count) in [
        ("days=7", "1"),
        ("days=7&from=&to=", "1"),
        ("days=7&from=2026-11-01&to=2026-11-21", "2"),
        ("days=365&from=2026-11-16", "1"),
        ("days=30&to=2026-11-14", "1"),
        ("days=30&from=2026-11-02&to=2026-11-14", "0"),
        ("days=30&from=2026-11-14&to=2026-11-02", "3"),
        ("days=30&from=x&to=2026-13-01", "3"),
        ("days=30&from=0001-01-01&to=9999-12-31", "3"),
    ] {
        let seen = stage.get(&format!("/spend?{query}")).await;
        assert_eq!(
            (seen.status.as_u16(), jobs(&seen.text).as_str()),
            (200, count),
            "{query}"
        );
    }
}
