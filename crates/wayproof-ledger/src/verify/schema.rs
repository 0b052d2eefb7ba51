//! The database's own description of its tables and indices is what this version makes.
//!
//! A database is made in memory once and compared with; what others add to the file is none of our business.

use std::sync::OnceLock;

use sqlx::{AnyConnection, Connection as _, Row as _};

use super::{Problem, Stop};
use crate::store::{Location, Store};

/// Kind, name, table and text of what is described.
type Described = (String, String, String, Option<String>);

static EXPECTED: OnceLock<Vec<Described>> = OnceLock::new();

/// Checks the description and what says which migrations ran.
pub(super) async fn check(connection: &mut AnyConnection, store: &Store) -> Result<(), Stop> {
    check_migrations(connection, store).await?;
    if let Location::Postgres(_) = store.location() {
        return Ok(());
    }
    let expected = expected(store).await?;
    let found = read(connection).await.map_err(store.failed("read"))?;
    match expected.iter().find(|described| !found.contains(described)) {
        None => Ok(()),
        Some((kind, name, ..)) => {
            let what = format!("the database does not describe its {kind} {name} as it was made");
            Err(Problem::new(what).into())
        }
    }
}

async fn expected(store: &Store) -> Result<&'static [Described], Stop> {
    if EXPECTED.get().is_none() {
        let failed = || store.failed("check");
        let mut memory = AnyConnection::connect("sqlite::memory:")
            .await
            .map_err(failed())?;
        store.migrate_on(&mut memory).await?;
        let described = read(&mut memory).await.map_err(failed())?;
        memory.close().await.map_err(failed())?;
        // Another verification may have been faster with the same.
        drop(EXPECTED.set(described));
    }
    Ok(EXPECTED.get().map(Vec::as_slice).unwrap_or_default())
}

async fn read(connection: &mut AnyConnection) -> Result<Vec<Described>, sqlx::Error> {
    let rows = sqlx::query("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get(0)?,
                row.try_get(1)?,
                row.try_get(2)?,
                row.try_get(3)?,
            ))
        })
        .collect()
}

/// When a migration ran and how long it took means nothing; everything else about it is known.
async fn check_migrations(connection: &mut AnyConnection, store: &Store) -> Result<(), Stop> {
    const SQL: &str =
        "SELECT version, description, checksum, CASE WHEN success THEN 1 ELSE 0 END FROM _sqlx_migrations
        ORDER BY version";
    let rows = sqlx::query(SQL)
        .fetch_all(connection)
        .await
        .map_err(store.failed("read"))?;
    let read = |row: &sqlx::any::AnyRow| {
        Ok::<_, sqlx::Error>((
            row.try_get::<i64, _>(0)?,
            row.try_get::<String, _>(1)?,
            row.try_get::<Vec<u8>, _>(2)?,
            row.try_get::<i32, _>(3)
                .map(i64::from)
                .or_else(|_| row.try_get(3))?,
        ))
    };
    let found: Result<Vec<_>, _> = rows.iter().map(read).collect();
    let expected: Vec<_> = store
        .migrations()
        .iter()
        .map(|migration| {
            let checksum = migration.checksum.to_vec();
            (
                migration.version,
                migration.description.clone().into_owned(),
                checksum,
                1_i64,
            )
        })
        .collect();
    if found.is_ok_and(|found| found == expected) {
        Ok(())
    } else {
        let what = "the database's list of migrations is not what this version made";
        Err(Problem::new(what).into())
    }
}
