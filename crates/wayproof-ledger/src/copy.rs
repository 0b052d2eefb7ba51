//! Copies a ledger into another database, of either kind: all of it in one transaction, verified before it counts.
//!
//! Positions of journals stay behind; they are of the processes that write to the original.

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Arguments as _, AssertSqlSafe, Connection as _, Row as _};

use crate::clock::Clock;
use crate::error::LedgerError;
use crate::fold::Folder;
use crate::ledger::Ledger;
use crate::log_row::Log;
use crate::project::Projection;
use crate::sealed::{self, BOOKS, JOURNALS, REBUILT};
use crate::store::{Location, Store};
use crate::table::{Cell, Kind, insert};
use crate::verify::{Report, verify};

/// Rows read at a time, and rows of one statement.
const PAGE: i64 = 256;
const ROWS: usize = 64;

/// A table as it is copied.
struct Copied {
    name: &'static str,
    /// The columns in whose order it is read; they tell rows apart.
    key: Vec<&'static str>,
    columns: Vec<(&'static str, Kind)>,
}

fn copied() -> Vec<Copied> {
    use Kind::{Int, Text};
    let plain = |name, key: &[&'static str], columns: &[(&'static str, Kind)]| Copied {
        name,
        key: key.to_vec(),
        columns: columns.to_vec(),
    };
    let mut tables = vec![
        plain("events", &["seq"], &[("seq", Int), ("body", Text)]),
        plain(
            "tiles",
            &["level", "idx"],
            &[("level", Int), ("idx", Int), ("hashes", Text)],
        ),
        plain(
            "contents",
            &["digest"],
            &[("digest", Text), ("content", Text)],
        ),
    ];
    let projections = Projection::new();
    tables.extend(projections.tables().map(|collapsed| {
        let table = collapsed.table;
        let key = if table.key.is_empty() {
            "seq"
        } else {
            table.key
        };
        let columns = table.columns.iter();
        Copied {
            name: table.name,
            key: key.split(", ").collect(),
            columns: columns.map(|column| (column.name, column.kind)).collect(),
        }
    }));
    let kept = sealed::ALL
        .iter()
        .filter(|table| table.table != JOURNALS.table);
    tables.extend(kept.map(|table| {
        let mut columns = table.columns.to_vec();
        columns.push(("seal", Text));
        let keys = table.columns.iter().take(table.keys);
        Copied {
            name: table.table,
            key: keys.map(|(name, _)| *name).collect(),
            columns,
        }
    }));
    tables
}

impl Ledger {
    /// Copies everything recorded until now to a place without events, and verifies the copy. A copy that is found
    /// broken is taken away again; a ledger with events is never written over.
    pub async fn copy_to(&self, target: &Location) -> Result<Report, LedgerError> {
        self.flush().await?;
        let to = Store::new(target)?;
        to.migrate().await?;
        let mut source = self.0.store.connect().await?;
        let mut sink = to.connect().await?;
        Log::create(&mut sink, &self.origin().await?)
            .await
            .map_err(to.failed("set up"))?;
        Folder::new(to.clone(), Clock::system(), None)
            .rebuild_and_close()
            .await?;
        let done = copy(&self.0.store, &mut source, &to, &mut sink).await;
        source.close().await.map_err(self.0.store.failed("close"))?;
        done?;
        let report = verify(&to, self.0.log_key.as_ref().into(), &|_, _| {}).await?;
        if !report.is_whole() {
            clear(&to, &mut sink).await?;
        }
        sink.close().await.map_err(to.failed("close"))?;
        Ok(report)
    }
}

async fn copy(
    from: &Store,
    source: &mut AnyConnection,
    to: &Store,
    sink: &mut AnyConnection,
) -> Result<(), LedgerError> {
    let begun = source.begin_with(from.begin_snapshot()).await;
    let mut snapshot = begun.map_err(from.failed("read"))?;
    let begun = sink.begin_with(to.begin()).await;
    let mut transaction = begun.map_err(to.failed("write to"))?;
    refuse_filled(to, &mut transaction).await?;
    let log = Log::load(&mut snapshot, from).await?;
    sqlx::query("UPDATE log SET origin = $1 WHERE one = 1")
        .bind(log.origin.clone())
        .execute(&mut *transaction)
        .await
        .map_err(to.failed("write to"))?;
    for table in copied() {
        empty(to, &mut transaction, table.name).await?;
        let mut after = Vec::new();
        loop {
            let rows = table.read(from, &mut snapshot, &after).await?;
            let Some(last) = rows.last() else { break };
            after = table.key_of(last);
            for chunk in rows.chunks(ROWS) {
                table.write(to, &mut transaction, chunk).await?;
            }
        }
    }
    log.save(&mut transaction)
        .await
        .map_err(to.failed("write to"))?;
    transaction.commit().await.map_err(to.failed("write to"))?;
    snapshot.rollback().await.map_err(from.failed("read"))
}

async fn empty(
    store: &Store,
    connection: &mut AnyConnection,
    table: &str,
) -> Result<(), LedgerError> {
    sqlx::query(AssertSqlSafe(format!("DELETE FROM {table}")))
        .execute(connection)
        .await
        .map(drop)
        .map_err(store.failed("write to"))
}

/// What is there must be a ledger in which nothing has happened yet.
async fn refuse_filled(store: &Store, connection: &mut AnyConnection) -> Result<(), LedgerError> {
    for table in [
        "events",
        "tiles",
        "virtual_keys",
        "people",
        "budgets",
        "journals",
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await
            .map_err(store.failed("read"))?;
        if rows > 0 {
            let why = format!(
                "{} has a ledger that is in use or was; a copy goes to an empty place",
                store.place()
            );
            return Err(LedgerError::Refused(why));
        }
    }
    Ok(())
}

/// Makes the place as empty as it was.
async fn clear(store: &Store, connection: &mut AnyConnection) -> Result<(), LedgerError> {
    let begun = connection.begin_with(store.begin()).await;
    let mut transaction = begun.map_err(store.failed("write to"))?;
    // What every new ledger has stays: the books' one row, and what is remembered of the tables' making.
    let stays = [BOOKS.table, REBUILT.table];
    for table in copied().iter().filter(|table| !stays.contains(&table.name)) {
        empty(store, &mut transaction, table.name).await?;
    }
    empty(store, &mut transaction, "log").await?;
    transaction.commit().await.map_err(store.failed("write to"))
}

impl Copied {
    async fn read(
        &self,
        store: &Store,
        connection: &mut AnyConnection,
        after: &[Cell],
    ) -> Result<Vec<Vec<Cell>>, LedgerError> {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let key = self.key.join(", ");
        let places: Vec<_> = (1..=after.len()).map(|at| format!("${at}")).collect();
        let bound = if after.is_empty() {
            String::new()
        } else {
            format!("WHERE ({key}) > ({})", places.join(", "))
        };
        let sql = format!(
            "SELECT {} FROM {} {bound} ORDER BY {key} LIMIT {PAGE}",
            names.join(", "),
            self.name
        );
        let mut arguments = AnyArguments::default();
        for cell in after {
            bind(&mut arguments, cell, Kind::Text).map_err(store.failed("read"))?;
        }
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
            .fetch_all(connection)
            .await
            .map_err(store.failed("read"))?;
        let read = |row: &AnyRow| self.cells(row).map_err(store.failed("read"));
        rows.iter().map(read).collect()
    }

    fn cells(&self, row: &AnyRow) -> Result<Vec<Cell>, sqlx::Error> {
        let cells = self.columns.iter().enumerate().map(|(at, (_, kind))| {
            Ok(match kind {
                Kind::Int => Cell::from(row.try_get::<Option<i64>, _>(at)?),
                Kind::Text => Cell::from(row.try_get::<Option<String>, _>(at)?),
            })
        });
        cells.collect()
    }

    fn key_of(&self, row: &[Cell]) -> Vec<Cell> {
        let at = |key: &&str| self.columns.iter().position(|(name, _)| name == key);
        let cells = self.key.iter().filter_map(|key| row.get(at(key)?).cloned());
        cells.collect()
    }

    async fn write(
        &self,
        store: &Store,
        connection: &mut AnyConnection,
        rows: &[Vec<Cell>],
    ) -> Result<(), LedgerError> {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let sql = insert(self.name, &names, rows.len(), store.parameters());
        let mut arguments = AnyArguments::default();
        for row in rows {
            for (cell, (_, kind)) in row.iter().zip(&self.columns) {
                bind(&mut arguments, cell, *kind).map_err(store.failed("write to"))?;
            }
        }
        sqlx::query_with(AssertSqlSafe(sql), arguments)
            .execute(connection)
            .await
            .map(drop)
            .map_err(store.failed("write to"))
    }
}

fn bind(arguments: &mut AnyArguments, cell: &Cell, kind: Kind) -> Result<(), sqlx::Error> {
    let bound = match (cell, kind) {
        (Cell::Int(value), _) => arguments.add(*value),
        (Cell::Text(value), _) => arguments.add(value.clone()),
        (Cell::Null, Kind::Int) => arguments.add(None::<i64>),
        (Cell::Null, Kind::Text) => arguments.add(None::<String>),
    };
    bound.map_err(sqlx::Error::Encode)
}
