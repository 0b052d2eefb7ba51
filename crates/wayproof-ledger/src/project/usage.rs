//! Usage by day, what agents' own logs tell, and how far those are read.

use wayproof_wire::Usage;

use super::{DAY_US, EXCHANGES, MAKER, int, later_text, text};
use crate::event::{Cost, Event, ExchangeSettled};
use crate::import_event::{ExchangeImported, LogRead};
use crate::made_by::MadeBy;
use crate::table::{Cell, Row, Rule, Table};

pub(crate) static USAGE_DAYS: Table = Table {
    name: "usage_days",
    key: "day, session, job, task, class, provider, model, source, person, team, key_name",
    columns: &[
        int("day", Rule::Once),
        text("session", Rule::Once),
        text("job", Rule::Once),
        text("task", Rule::Once),
        text("class", Rule::Once),
        text("provider", Rule::Once),
        text("model", Rule::Once),
        text("source", Rule::Once),
        int("exchanges", Rule::Sum),
        int("with_usage", Rule::Sum),
        int("input", Rule::Sum),
        int("cache_read", Rule::Sum),
        int("cache_write", Rule::Sum),
        int("output", Rule::Sum),
        int("reasoning", Rule::Sum),
        int("listed_nano_usd", Rule::Sum),
        int("listed_unknown", Rule::Sum),
        int("billed_nano_usd", Rule::Sum),
        int("subscription_nano_usd", Rule::Sum),
        later_text("person", Rule::Once),
        later_text("team", Rule::Once),
        later_text("key_name", Rule::Once),
    ],
};

pub(crate) static ACTIVITY: Table = Table {
    name: "activity",
    key: "day, session, agent",
    columns: &[
        int("day", Rule::Once),
        text("session", Rule::Once),
        text("agent", Rule::Once),
        int("asks", Rule::Sum),
        int("tool_calls", Rule::Sum),
        int("tool_failures", Rule::Sum),
        int("edits", Rule::Sum),
        int("lines_added", Rule::Sum),
        int("lines_removed", Rule::Sum),
        int("accepted", Rule::Sum),
        int("rejected", Rule::Sum),
        int("gaps", Rule::Sum),
    ],
};

pub(crate) static IMPORT_FILES: Table = Table {
    name: "import_files",
    key: "id",
    columns: &[
        int("seq", Rule::Once),
        text("id", Rule::Once),
        text("agent", Rule::Once),
        int("position", Rule::Last),
        text("state", Rule::Last),
        int("read_us", Rule::Last),
    ],
};

/// The five buckets that tables keep; the two lifetimes of written caches are one.
pub(super) fn tokens(usage: Option<&Usage>) -> [Cell; 5] {
    let usage = usage.copied().unwrap_or_default();
    let written = match (usage.cache_write_5m, usage.cache_write_1h) {
        (None, None) => None,
        (short, long) => Some(short.unwrap_or(0).saturating_add(long.unwrap_or(0))),
    };
    [
        usage.input,
        usage.cache_read,
        written,
        usage.output,
        usage.reasoning,
    ]
    .map(|count| Cell::from(count.and_then(|count| i64::try_from(count).ok())))
}

/// Where an answer belongs, for the table of usage.
struct Spot<'a> {
    task: &'a str,
    class: Option<&'a str>,
    provider: Option<&'a str>,
    model: Option<&'a str>,
    source: &'static str,
    by: MadeBy,
}

pub(super) fn settled_usage(event: &Event, settled: &ExchangeSettled) -> (String, Row) {
    let spot = Spot {
        task: &settled.task,
        class: settled.class.as_deref(),
        provider: settled.provider.as_deref(),
        model: settled.model.as_deref(),
        source: "",
        by: settled.by.clone(),
    };
    usage_row(event, &spot, settled.usage.as_ref(), &settled.cost)
}

pub(super) fn imported_usage(event: &Event, imported: &ExchangeImported) -> (String, Row) {
    let spot = Spot {
        task: "",
        class: None,
        provider: imported.provider.as_deref(),
        model: imported.model.as_deref(),
        source: "imported",
        by: MadeBy::default(),
    };
    usage_row(event, &spot, imported.usage.as_ref(), &imported.cost)
}

fn usage_row(event: &Event, spot: &Spot<'_>, usage: Option<&Usage>, cost: &Cost) -> (String, Row) {
    let day = event.at_us.div_euclid(DAY_US);
    let place = [
        event.session.as_deref().unwrap_or_default(),
        event.job.as_deref().unwrap_or_default(),
        spot.task,
        spot.class.unwrap_or_default(),
        spot.provider.unwrap_or_default(),
        spot.model.unwrap_or_default(),
        spot.source,
    ];
    let mut row = vec![Cell::Int(day)];
    row.extend(place.map(Cell::from));
    let is_known = usage.is_some_and(|usage| !usage.is_unknown());
    row.extend([1.into(), i64::from(is_known).into()]);
    row.extend(tokens(usage));
    row.extend([
        cost.listed_nano_usd.into(),
        i64::from(cost.listed_nano_usd.is_none()).into(),
        cost.billed_nano_usd.into(),
        cost.subscription_nano_usd.into(),
    ]);
    let team = spot.by.team().unwrap_or_default();
    let by = [
        spot.by.person.as_deref().unwrap_or_default(),
        team.as_str(),
        spot.by.key.as_deref().unwrap_or_default(),
    ];
    row.extend(by.map(Cell::from));
    let key = [place.as_slice(), by.as_slice()].concat();
    (format!("{day}\u{1f}{}", key.join("\u{1f}")), row)
}

/// An imported answer is an exchange that was over when it was recorded.
pub(super) fn imported_row(seq: i64, id: &str, event: &Event, imported: &ExchangeImported) -> Row {
    let mut row: Row = vec![
        seq.into(),
        id.into(),
        event.session.clone().into(),
        event.job.clone().into(),
        Cell::Null,
        imported.agent.as_str().into(),
        Cell::Null,
        Cell::Null,
        imported.requested_model.clone().into(),
        imported.provider.clone().into(),
        imported.model.clone().into(),
        event.at_us.into(),
        seq.into(),
        "completed".into(),
        Cell::Null,
        Cell::Null,
        Cell::Null,
    ];
    row.extend(tokens(imported.usage.as_ref()));
    row.extend([
        imported.cost.listed_nano_usd.into(),
        imported.cost.billed_nano_usd.into(),
        imported.cost.subscription_nano_usd.into(),
        imported.provider_request_id.clone().into(),
        1.into(),
        Cell::Null,
    ]);
    row.extend([const { Cell::Null }; MAKER]);
    debug_assert_eq!(row.len(), EXCHANGES.columns.len());
    row
}

pub(super) fn activity_row(event: &Event, read: &LogRead) -> (String, Row) {
    let day = event.at_us.div_euclid(DAY_US);
    let session = event.session.as_deref().unwrap_or_default();
    let did = &read.activity;
    let mut row = vec![Cell::Int(day), session.into(), read.agent.as_str().into()];
    row.extend(
        [
            did.asks,
            did.tool_calls,
            did.tool_failures,
            did.edits,
            did.lines_added,
            did.lines_removed,
            did.accepted,
            did.rejected,
            read.gap_count,
        ]
        .map(|count| Cell::Int(i64::try_from(count).unwrap_or(i64::MAX))),
    );
    (format!("{day}\u{1f}{session}\u{1f}{}", read.agent), row)
}

pub(super) fn file_row(seq: i64, event: &Event, read: &LogRead) -> (String, Row) {
    let id = format!("{}:{}", read.agent, read.file);
    let row = vec![
        seq.into(),
        id.as_str().into(),
        read.agent.as_str().into(),
        i64::try_from(read.to).unwrap_or(i64::MAX).into(),
        read.state.clone().into(),
        event.at_us.into(),
    ];
    (id, row)
}
