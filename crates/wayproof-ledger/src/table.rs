//! Projections: tables that can always be made again from the events.
//!
//! One list of columns with one rule each says how a row takes in a later one. The rule is applied in memory while a
//! batch is collapsed, by the database on conflict, and in memory again when the ledger is verified; so the three
//! cannot drift apart. Which event makes which row is said in `project.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
}

/// How a column takes in the value of a later event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Stays what the first event made it.
    Once,
    /// The first value that is known.
    First,
    /// The last value that is known.
    Last,
    /// The sum of what is known; unknown as long as nothing is.
    Sum,
    /// The greatest.
    Max,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) rule: Rule,
    /// Whether rows were made before there was this column. Where it is unknown they are what they were.
    pub(crate) is_later: bool,
}

/// A table that events are projected into.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns that tell rows apart, separated by commas; empty where every event makes its own row.
    pub(crate) key: &'static str,
    pub(crate) columns: &'static [Column],
}

/// The values of one row, in the order of the table's columns.
pub(crate) type Row = Vec<Cell>;

impl Table {
    /// Whether a column tells rows apart.
    pub(crate) fn is_key(&self, name: &str) -> bool {
        self.key.split(", ").any(|key| key == name)
    }

    /// Takes a later row into an earlier one.
    pub(crate) fn merge(&self, earlier: &mut Row, later: Row) {
        for ((column, old), new) in self.columns.iter().zip(earlier).zip(later) {
            match (column.rule, &*old, &new) {
                (Rule::Once, _, _) => {}
                (_, _, Cell::Null) => {}
                (Rule::First, Cell::Null, _) | (Rule::Last, _, _) => *old = new,
                (Rule::First, _, _) => {}
                (Rule::Sum, Cell::Int(a), Cell::Int(b)) => *old = Cell::Int(a.saturating_add(*b)),
                (Rule::Max, Cell::Int(a), Cell::Int(b)) => *old = Cell::Int(*a.max(b)),
                (Rule::Sum | Rule::Max, _, _) => *old = new,
            }
        }
    }

    /// The statement that writes so many rows at once.
    pub(crate) fn upsert(&self, rows: usize, parameters: Parameters) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| column.name).collect();
        let mut sql = insert(self.name, &names, rows, parameters);
        if self.key.is_empty() {
            return sql;
        }
        let updates = self
            .columns
            .iter()
            .filter_map(|column| self.update(column))
            .collect::<Vec<_>>();
        // Writing to a String cannot fail.
        let _ = write!(
            sql,
            " ON CONFLICT ({}) DO UPDATE SET {}",
            self.key,
            updates.join(", ")
        );
        sql
    }

    fn update(&self, column: &Column) -> Option<String> {
        let (table, name) = (self.name, column.name);
        let (old, new) = (format!("{table}.{name}"), format!("excluded.{name}"));
        match column.rule {
            Rule::Once => None,
            Rule::First => Some(format!("{name} = COALESCE({old}, {new})")),
            Rule::Last => Some(format!("{name} = COALESCE({new}, {old})")),
            Rule::Sum => Some(format!(
                "{name} = CASE WHEN {new} IS NULL THEN {old} ELSE COALESCE({old}, 0) + {new} END"
            )),
            Rule::Max => Some(format!(
                "{name} = CASE WHEN {new} > {old} THEN {new} ELSE {old} END"
            )),
        }
    }
}

/// How parameters are spelled where there are hundreds of them.
///
/// SQLite takes `$1` for a name and looks every name up in a list, which is quadratic; PostgreSQL knows nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    /// `?`
    InOrder,
    /// `$1`
    Numbered,
}

/// `INSERT INTO table (columns) VALUES (…), (…)`.
pub(crate) fn insert(table: &str, columns: &[&str], rows: usize, parameters: Parameters) -> String {
    let mut sql = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns.len() {
            if column > 0 {
                sql.push_str(", ");
            }
            match parameters {
                Parameters::InOrder => sql.push('?'),
                // Writing to a String cannot fail.
                Parameters::Numbered => drop(write!(sql, "${}", row * columns.len() + column + 1)),
            }
        }
        sql.push(')');
    }
    sql
}

/// Rows of one table, collapsed: one for each key, in the order of the keys.
#[derive(Debug)]
pub(crate) struct Collapsed {
    pub(crate) table: &'static Table,
    pub(crate) rows: BTreeMap<String, Row>,
}

impl Collapsed {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self {
            table,
            rows: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, key: String, row: Row) {
        match self.rows.get_mut(&key) {
            Some(earlier) => self.table.merge(earlier, row),
            None => drop(self.rows.insert(key, row)),
        }
    }
}
