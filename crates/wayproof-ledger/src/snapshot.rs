//! What verification needs instead of events that were pruned: the projections as they were after the last of them.
//!
//! It is kept as one text under its digest, and an event of the log names that digest, so it is as tamper-evident as
//! the events were.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::project::Projection;
use crate::table::{Cell, Kind, Row, Table};
use crate::verify::Sums;

/// The format written.
const FORMAT: u32 = 1;

/// The state after the first `before` events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    v: u32,
    /// How many events it stands for.
    pub(crate) before: i64,
    /// Rows by table.
    tables: BTreeMap<String, Vec<Vec<Value>>>,
    /// Sums of the fingerprints of rows that no later event changes, by table.
    sums: BTreeMap<String, Vec<String>>,
    /// Digests that the pruned events promise are kept.
    pub(crate) promised: BTreeSet<String>,
}

impl Snapshot {
    pub(crate) fn new(
        before: i64,
        live: &Projection,
        [exchanges, milestones]: [&Sums; 2],
        promised: BTreeSet<String>,
    ) -> Self {
        let tables = live.tables().map(|collapsed| {
            let rows = collapsed.rows.values().map(written).collect();
            (collapsed.table.name.to_owned(), rows)
        });
        let sums = [("exchanges", exchanges), ("milestones", milestones)];
        let sums = sums.map(|(name, sums)| {
            let texts = sums.0.iter().map(|sum| format!("{sum:x}")).collect();
            (name.to_owned(), texts)
        });
        Self {
            v: FORMAT,
            before,
            tables: tables.into(),
            sums: sums.into(),
            promised,
        }
    }

    /// The projections it stands for; else what is wrong with it.
    pub(crate) fn projections(&self) -> Result<(Projection, Sums, Sums), String> {
        if self.v != FORMAT {
            return Err(format!("is of format {}, which is not known", self.v));
        }
        let mut live = Projection::new();
        let sums = |name: &str| {
            let texts = self.sums.get(name).into_iter().flatten();
            let sums = texts.map(|text| u128::from_str_radix(text, 16));
            let sums: Result<Vec<_>, _> = sums.collect();
            sums.map(Sums).map_err(|_| format!("has no sums of {name}"))
        };
        for collapsed in live.tables_mut() {
            let table = collapsed.table;
            let unfit = || format!("has a row that does not fit the table of {}", table.name);
            for row in self.tables.get(table.name).into_iter().flatten() {
                let row = read(table, row).ok_or_else(unfit)?;
                let key = key_of(table, &row).ok_or_else(unfit)?;
                collapsed.rows.insert(key, row);
            }
        }
        Ok((live, sums("exchanges")?, sums("milestones")?))
    }
}

fn written(row: &Row) -> Vec<Value> {
    let cells = row.iter().map(|cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(value) => Value::from(*value),
        Cell::Text(value) => Value::from(value.as_str()),
    });
    cells.collect()
}

fn read(table: &Table, row: &[Value]) -> Option<Row> {
    let later = table.columns.get(row.len()..)?;
    let cells = row.iter().zip(table.columns).map(|(value, column)| {
        Some(match (value, column.kind) {
            (Value::Null, _) => Cell::Null,
            (value, Kind::Int) => Cell::Int(value.as_i64()?),
            (value, Kind::Text) => Cell::from(value.as_str()?),
        })
    });
    // A snapshot may be older than a column; in a key the empty text stands for what is not known.
    let unknown = later.iter().map(|column| {
        let is_key = table.is_key(column.name);
        let cell = if is_key { Cell::from("") } else { Cell::Null };
        column.is_later.then_some(cell)
    });
    cells.chain(unknown).collect()
}

/// The key under which a row is collapsed: its key's columns, which are an identifier or a place.
fn key_of(table: &Table, row: &Row) -> Option<String> {
    let parts = table.key.split(", ").map(|name| {
        let at = table
            .columns
            .iter()
            .position(|column| column.name == name)?;
        match row.get(at)? {
            Cell::Int(value) => Some(value.to_string()),
            Cell::Text(value) => Some(value.clone()),
            Cell::Null => None,
        }
    });
    let parts: Option<Vec<_>> = parts.collect();
    Some(parts?.join("\u{1f}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{EXCHANGES, USAGE_DAYS};

    #[test]
    fn rows_older_than_a_column_are_read() {
        let older = |table: &Table| {
            let columns = table.columns.iter().filter(|column| !column.is_later);
            let cell = |kind| match kind {
                Kind::Int => Value::from(1),
                Kind::Text => Value::from("a"),
            };
            columns.map(|column| cell(column.kind)).collect::<Vec<_>>()
        };
        let row = read(&USAGE_DAYS, &older(&USAGE_DAYS)).unwrap();
        assert_eq!(row.len(), USAGE_DAYS.columns.len());
        assert_eq!(row.last(), Some(&Cell::from("")), "a part of the key");
        assert!(key_of(&USAGE_DAYS, &row).is_some());
        let row = read(&EXCHANGES, &older(&EXCHANGES)).unwrap();
        assert_eq!(row.last(), Some(&Cell::Null));
        let cut = older(&EXCHANGES).split_off(1);
        assert_eq!(read(&EXCHANGES, &cut), None, "too short for any version");
    }
}
