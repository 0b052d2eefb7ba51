//! What the tables of projections hold, as the database gives it: sums of fingerprints by run of places, and rows
//! compared one by one where the expected ones are in memory.

use std::fmt::Write as _;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use xxhash_rust::xxh3::xxh3_128;

use super::chunk::SEPARATOR;
use super::{Problem, Stop};
use crate::store::Store;
use crate::table::{Cell, Collapsed, Column, Kind, Row, Table};

/// Rows of a bucket: consecutive places land in the same one, so that a difference tells about where it is.
pub(super) const BUCKET: i64 = 4096;

/// Rows read at a time.
const PAGE: i64 = 4096;

/// What stands behind each value.
const UNIT: char = '\u{1f}';

/// Sums of row fingerprints, by bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums(pub(crate) Vec<u128>);

impl Sums {
    /// Adds the fingerprints of rows whose first place is `seq`.
    pub(super) fn add(&mut self, seq: i64, fingerprints: &str) {
        let bucket = usize::try_from(seq / BUCKET).unwrap_or(0);
        if self.0.len() <= bucket {
            self.0.resize(bucket + 1, 0);
        }
        if let Some(sum) = self.0.get_mut(bucket) {
            for piece in fingerprints.split(SEPARATOR) {
                *sum = sum.wrapping_add(xxh3_128(piece.as_bytes()));
            }
        }
    }

    /// The first place of the first bucket that differs.
    fn first_difference(&self, other: &Self) -> Option<i64> {
        let longest = self.0.len().max(other.0.len());
        let bucket = (0..longest).find(|at| {
            let [a, b] = [self, other].map(|sums| sums.0.get(*at).copied().unwrap_or(0));
            a != b
        })?;
        i64::try_from(bucket).ok().map(|bucket| bucket * BUCKET)
    }
}

/// A row as one text; the database makes the same with [`fingerprint_sql`].
///
/// Sums of rows that were pruned are older than some columns, so those say nothing where they are unknown.
pub(super) fn fingerprint(table: &Table, row: &Row) -> String {
    let mut text = String::with_capacity(row.len() * 12);
    for (column, cell) in table.columns.iter().zip(row) {
        if column.is_later {
            if *cell == Cell::Null {
                continue;
            }
            text.push_str(column.name);
        }
        match cell {
            Cell::Null => text.push('-'),
            Cell::Int(value) => {
                // Writing to a String cannot fail.
                let _ = write!(text, "={value}");
            }
            Cell::Text(value) => {
                text.push('=');
                text.push_str(value);
            }
        }
        text.push(UNIT);
    }
    text
}

/// One call that joins all values: a chain of `||` would copy the row once for each of them.
fn fingerprint_sql(table: &Table) -> String {
    let columns = table.columns.iter().map(|Column { name, is_later, .. }| {
        if *is_later {
            let text = format!("CASE WHEN {name} IS NULL THEN '' ELSE '{name}=' END, {name}");
            return format!("{text}, CASE WHEN {name} IS NULL THEN '' ELSE '{UNIT}' END");
        }
        format!("CASE WHEN {name} IS NULL THEN '-' ELSE '=' END, {name}, '{UNIT}'")
    });
    format!("concat({})", columns.collect::<Vec<_>>().join(", "))
}

fn texts_of(table: &Table) -> Vec<&'static str> {
    let texts = table
        .columns
        .iter()
        .filter(|column| column.kind == Kind::Text);
    texts.map(|column| column.name).collect()
}

/// Reads the sums of one table, run after run.
pub(super) struct Reader {
    table: &'static Table,
    sql: String,
    pub(super) sums: Sums,
}

impl Reader {
    pub(super) fn new(table: &'static Table, store: &Store) -> Self {
        let sql = format!(
            "SELECT {}, string_agg({}, '{SEPARATOR}') FROM {} WHERE seq >= $1 AND seq <= $2",
            store.count_of_no_texts(&texts_of(table)),
            fingerprint_sql(table),
            table.name
        );
        Self {
            table,
            sql,
            sums: Sums::default(),
        }
    }

    /// Reads the rows of places between both, which are in one bucket but for what should not be there at all.
    pub(super) async fn read(
        &mut self,
        connection: &mut AnyConnection,
        (from, to): (i64, i64),
        store: &Store,
    ) -> Result<(), Stop> {
        let row = sqlx::query(AssertSqlSafe(self.sql.clone()))
            .bind(from)
            .bind(to)
            .fetch_one(connection)
            .await
            .map_err(store.failed("read"))?;
        let no_texts: i64 = row.try_get(0).map_err(store.failed("read"))?;
        match row.try_get::<Option<String>, _>(1) {
            Ok(rows) if no_texts == 0 => {
                if let Some(rows) = rows {
                    self.sums.add(from.max(0), &rows);
                }
                Ok(())
            }
            _ => Err(Problem::new(format!(
                "a row in the table of {} cannot be read as text",
                self.table.name
            ))
            .into()),
        }
    }

    /// Compares with what the events make.
    pub(super) fn compare(&self, expected: &Sums) -> Result<(), Problem> {
        let Some(first) = expected.first_difference(&self.sums) else {
            return Ok(());
        };
        let (name, last) = (self.table.name, first + BUCKET - 1);
        Err(Problem {
            what: format!(
                "the table of {name} disagrees with the events between {first} and {last}"
            ),
            seq: Some(first),
            id: None,
        })
    }
}

/// Compares a table whose expected rows are in memory.
pub(super) async fn compare_rows(
    connection: &mut AnyConnection,
    mut expected: Collapsed,
    store: &Store,
) -> Result<(), Stop> {
    let table = expected.table;
    let mut pages = Pages::new(table, store);
    while let Some(rows) = pages.next(connection, store).await? {
        for (key, found) in rows {
            let fits = expected
                .rows
                .remove(&key)
                .is_some_and(|row| fingerprint(table, &row) == found);
            if !fits {
                return Err(row_problem(table, &key).into());
            }
        }
    }
    match expected.rows.first_key_value() {
        None => Ok(()),
        Some((key, _)) => Err(row_problem(table, key).into()),
    }
}

/// Pages of a table in the order of its key, each beginning after the last row of the one before.
struct Pages {
    table: &'static Table,
    keys: Vec<&'static str>,
    first: String,
    next: String,
    last: Option<Vec<Cell>>,
}

impl Pages {
    fn new(table: &'static Table, store: &Store) -> Self {
        let keys: Vec<_> = table.key.split(", ").collect();
        let select = format!(
            "SELECT {}, {}, {} FROM {}",
            keys.iter()
                .map(|key| format!("CAST({key} AS TEXT)"))
                .collect::<Vec<_>>()
                .join(&format!(" || '{UNIT}' || ")),
            fingerprint_sql(table),
            [store.is_no_text(&texts_of(table)), table.key.to_owned()].join(", "),
            table.name
        );
        let places: Vec<_> = (1..=keys.len()).map(|at| format!("${at}")).collect();
        let order = format!("ORDER BY {} LIMIT {PAGE}", table.key);
        Self {
            table,
            first: format!("{select} {order}"),
            next: format!(
                "{select} WHERE ({}) > ({}) {order}",
                table.key,
                places.join(", ")
            ),
            keys,
            last: None,
        }
    }

    fn is_int(&self, key: &str) -> bool {
        let mut columns = self.table.columns.iter();
        columns.any(|column| column.name == key && column.kind == Kind::Int)
    }

    /// The next rows, as key and fingerprint.
    async fn next(
        &mut self,
        connection: &mut AnyConnection,
        store: &Store,
    ) -> Result<Option<Vec<(String, String)>>, Stop> {
        let sql = match &self.last {
            None => self.first.clone(),
            Some(_) => self.next.clone(),
        };
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for cell in self.last.iter().flatten() {
            query = match cell {
                Cell::Int(value) => query.bind(*value),
                Cell::Text(value) => query.bind(value.clone()),
                Cell::Null => query.bind(None::<String>),
            };
        }
        let rows = query
            .fetch_all(connection)
            .await
            .map_err(store.failed("read"))?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let unreadable = |_| {
            Stop::from(Problem::new(format!(
                "a row in the table of {} cannot be read as text",
                self.table.name
            )))
        };
        self.last = Some(self.key_of(last).map_err(unreadable)?);
        let read = |row: &AnyRow| {
            let is_no_text: i64 = row.try_get(2)?;
            if is_no_text != 0 {
                return Err(sqlx::Error::RowNotFound);
            }
            Ok((row.try_get(0)?, row.try_get(1)?))
        };
        let rows: Result<Vec<_>, sqlx::Error> = rows.iter().map(read).collect();
        rows.map(Some).map_err(unreadable)
    }

    fn key_of(&self, row: &AnyRow) -> Result<Vec<Cell>, sqlx::Error> {
        let cells = self.keys.iter().enumerate().map(|(at, key)| {
            Ok(if self.is_int(key) {
                Cell::Int(row.try_get(at + 3)?)
            } else {
                Cell::Text(row.try_get(at + 3)?)
            })
        });
        cells.collect()
    }
}

fn row_problem(table: &Table, key: &str) -> Problem {
    let key = key.replace(UNIT, " ");
    Problem::new(format!(
        "the row of {key} in the table of {} disagrees with the events",
        table.name
    ))
}
