//! The projections made again from the events, and compared row by row.
//!
//! Sessions, jobs and spend are held in memory. Exchanges are too many: an exchange leaves memory when it is settled
//! and adds a fingerprint to its bucket's sum, which the stored rows must add up to as well.

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use xxhash_rust::xxh3::xxh3_128;

use super::chunk::Digested;
use super::{Problem, Stop};
use crate::event::EventBody;
use crate::project::{EXCHANGES, MILESTONES, Projection};
use crate::store::Store;
use crate::table::{Cell, Collapsed, Kind, Row, Table};

/// Buckets of exchanges and of milestones, by the place of their first event.
const BUCKETS: usize = 4096;

/// Rows of a bucket: consecutive events land in the same one, so that a difference tells about where it is.
const BUCKET_EVENTS: i64 = 4096;

/// Rows read at a time.
const PAGE: i64 = 4096;

/// Sums of row fingerprints, by bucket.
struct Sums(Vec<u128>);

impl Sums {
    fn new() -> Self {
        Self(vec![0; BUCKETS])
    }

    fn add(&mut self, seq: i64, fingerprint: &str) {
        let bucket = usize::try_from(seq / BUCKET_EVENTS).unwrap_or(0) % BUCKETS;
        if let Some(sum) = self.0.get_mut(bucket) {
            *sum = sum.wrapping_add(xxh3_128(fingerprint.as_bytes()));
        }
    }

    /// The first event of the first bucket that differs.
    fn first_difference(&self, other: &Self) -> Option<i64> {
        let bucket = self.0.iter().zip(&other.0).position(|(a, b)| a != b)?;
        i64::try_from(bucket)
            .ok()
            .map(|bucket| bucket * BUCKET_EVENTS)
    }
}

/// The projections as the events make them.
pub(super) struct Projections {
    live: Projection,
    exchanges: Sums,
    milestones: Sums,
}

impl Projections {
    pub(super) fn new() -> Self {
        Self {
            live: Projection::new(),
            exchanges: Sums::new(),
            milestones: Sums::new(),
        }
    }

    /// Takes in a chunk.
    pub(super) fn absorb(&mut self, chunk: &Digested) {
        for (seq, event) in (chunk.first..).zip(&chunk.events) {
            let Some(event) = event else { continue };
            self.live.absorb(seq, event);
            let is_over = matches!(
                event.body,
                EventBody::ExchangeSettled(_) | EventBody::ExchangeImported(_)
            );
            if let Some(id) = event.exchange.as_ref().filter(|_| is_over)
                && let Some(row) = self.live.exchanges.rows.remove(id)
            {
                add_row(&mut self.exchanges, &EXCHANGES, &row);
            }
        }
        for row in std::mem::take(&mut self.live.milestones.rows).values() {
            add_row(&mut self.milestones, &MILESTONES, row);
        }
    }

    /// Compares with what is stored.
    pub(super) async fn finish(
        mut self,
        connection: &mut AnyConnection,
        store: &Store,
    ) -> Result<(), Stop> {
        for row in std::mem::take(&mut self.live.exchanges.rows).values() {
            add_row(&mut self.exchanges, &EXCHANGES, row);
        }
        compare_sums(connection, &EXCHANGES, &self.exchanges, store).await?;
        compare_sums(connection, &MILESTONES, &self.milestones, store).await?;
        let Projection {
            sessions,
            jobs,
            spend,
            usage,
            activity,
            import_files,
            ..
        } = self.live;
        for collapsed in [sessions, jobs, import_files] {
            compare_rows(connection, collapsed, "seq", store).await?;
        }
        for collapsed in [usage, activity] {
            let order = collapsed.table.key;
            compare_rows(connection, collapsed, order, store).await?;
        }
        compare_rows(
            connection,
            spend,
            "day, job, task, class, provider, model",
            store,
        )
        .await
    }
}

fn add_row(sums: &mut Sums, table: &Table, row: &Row) {
    if let Some(Cell::Int(seq)) = row.first() {
        sums.add(*seq, &fingerprint(table, row));
    }
}

/// A row as one text; the database makes the same with [`fingerprint_sql`].
fn fingerprint(table: &Table, row: &Row) -> String {
    let mut text = String::with_capacity(table.columns.len() * 12);
    for cell in row {
        match cell {
            Cell::Null => text.push('-'),
            Cell::Int(value) => {
                text.push('=');
                text.push_str(&value.to_string());
            }
            Cell::Text(value) => {
                text.push('=');
                text.push_str(value);
            }
        }
        text.push('\u{1f}');
    }
    text
}

fn fingerprint_sql(table: &Table) -> String {
    let columns = table.columns.iter().map(|column| match column.kind {
        Kind::Int => format!(
            "COALESCE('=' || CAST({} AS TEXT), '-') || '\u{1f}'",
            column.name
        ),
        Kind::Text => format!("COALESCE('=' || {}, '-') || '\u{1f}'", column.name),
    });
    columns.collect::<Vec<_>>().join(" || ")
}

async fn compare_sums(
    connection: &mut AnyConnection,
    table: &Table,
    expected: &Sums,
    store: &Store,
) -> Result<(), Stop> {
    let sql = format!(
        "SELECT seq, {} FROM {} WHERE seq > $1 ORDER BY seq LIMIT {PAGE}",
        fingerprint_sql(table),
        table.name
    );
    let mut found = Sums::new();
    let mut last = -1;
    loop {
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(last)
            .fetch_all(&mut *connection)
            .await;
        let rows = rows.map_err(store.failed("read"))?;
        for row in &rows {
            last = row.try_get(0).map_err(store.failed("read"))?;
            found.add(last, row.try_get(1).map_err(store.failed("read"))?);
        }
        if rows.is_empty() {
            break;
        }
    }
    match expected.first_difference(&found) {
        None => Ok(()),
        Some(first) => {
            let name = table.name;
            let last = first + BUCKET_EVENTS - 1;
            let what =
                format!("the table of {name} disagrees with the events between {first} and {last}");
            Err(Problem {
                what,
                seq: Some(first),
                id: None,
            }
            .into())
        }
    }
}

/// Compares a table whose expected rows are in memory.
async fn compare_rows(
    connection: &mut AnyConnection,
    mut expected: Collapsed,
    order: &str,
    store: &Store,
) -> Result<(), Stop> {
    let table = expected.table;
    let keys = table
        .key
        .replace(", ", " || '\u{1f}' || ")
        .replace("day", "CAST(day AS TEXT)");
    let sql = format!(
        "SELECT {keys}, {} FROM {} ORDER BY {order} LIMIT {PAGE} OFFSET $1",
        fingerprint_sql(table),
        table.name
    );
    let mut offset = 0;
    loop {
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(offset)
            .fetch_all(&mut *connection)
            .await;
        let rows = rows.map_err(store.failed("read"))?;
        for row in &rows {
            let key: String = row.try_get(0).map_err(store.failed("read"))?;
            let found: String = row.try_get(1).map_err(store.failed("read"))?;
            let fits = expected
                .rows
                .remove(&key)
                .is_some_and(|row| fingerprint(table, &row) == found);
            if !fits {
                return Err(row_problem(table, &key).into());
            }
        }
        if rows.is_empty() {
            break;
        }
        offset += PAGE;
    }
    match expected.rows.first_key_value() {
        None => Ok(()),
        Some((key, _)) => Err(row_problem(table, key).into()),
    }
}

fn row_problem(table: &Table, key: &str) -> Problem {
    let key = key.replace('\u{1f}', " ");
    Problem::new(format!(
        "the row of {key} in the table of {} disagrees with the events",
        table.name
    ))
}
