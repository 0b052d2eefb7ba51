//! Rows that change and are not made from events, and the digest each of them carries.
//!
//! A seal finds damage: bits that flipped, a write that went astray. It is no signature; who can write to the database
//! can make one.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use xxhash_rust::xxh3::xxh3_128;

use crate::table::{Cell, Kind};

/// A table whose rows carry a seal.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) table: &'static str,
    /// What tells its rows apart: the first columns.
    pub(crate) keys: usize,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

use Kind::{Int, Text};

pub(crate) static CHECKPOINTS: Sealed = Sealed {
    table: "checkpoints",
    keys: 1,
    columns: &[("size", Int), ("at_us", Int), ("note", Text)],
};
pub(crate) static JOURNALS: Sealed = Sealed {
    table: "journals",
    keys: 1,
    columns: &[("name", Text), ("position", Int)],
};
pub(crate) static REBUILT: Sealed = Sealed {
    table: "rebuilt",
    keys: 1,
    columns: &[("name", Text), ("at_us", Int)],
};
pub(crate) static BOOKS: Sealed = Sealed {
    table: "books",
    keys: 1,
    columns: &[("one", Int), ("version", Int)],
};
pub(crate) static VIRTUAL_KEYS: Sealed = Sealed {
    table: "virtual_keys",
    keys: 1,
    columns: &[("id", Text), ("name", Text), ("body", Text)],
};
pub(crate) static PEOPLE: Sealed = Sealed {
    table: "people",
    keys: 1,
    columns: &[("name", Text), ("body", Text)],
};
pub(crate) static BUDGETS: Sealed = Sealed {
    table: "budgets",
    keys: 2,
    columns: &[
        ("subject", Text),
        ("period", Text),
        ("limit_nano_usd", Int),
        ("soft_nano_usd", Int),
    ],
};
pub(crate) static ACCOUNTS: Sealed = Sealed {
    table: "accounts",
    keys: 2,
    columns: &[
        ("subject", Text),
        ("span", Text),
        ("held_nano_usd", Int),
        ("spent_nano_usd", Int),
    ],
};
pub(crate) static HOLDS: Sealed = Sealed {
    table: "holds",
    keys: 3,
    columns: &[
        ("exchange", Text),
        ("subject", Text),
        ("span", Text),
        ("amount_nano_usd", Int),
        ("holder", Text),
    ],
};
pub(crate) static HOLDERS: Sealed = Sealed {
    table: "holders",
    keys: 1,
    columns: &[("id", Text), ("seen_us", Int)],
};
pub(crate) static PRUNED: Sealed = Sealed {
    table: "pruned",
    keys: 1,
    columns: &[("before", Int), ("at_us", Int), ("snapshot", Text)],
};

/// All of them.
pub(crate) static ALL: [&Sealed; 11] = [
    &CHECKPOINTS,
    &JOURNALS,
    &REBUILT,
    &BOOKS,
    &VIRTUAL_KEYS,
    &PEOPLE,
    &BUDGETS,
    &ACCOUNTS,
    &HOLDS,
    &HOLDERS,
    &PRUNED,
];

/// Rows read at a time.
const PAGE: i64 = 1024;

/// A row of a sealed table: its values and the seal it carries.
pub(crate) struct SealedRow {
    pub(crate) cells: Vec<Cell>,
    pub(crate) seal: Option<String>,
}

impl Sealed {
    /// The seal of a row with these values, in the order of the columns.
    pub(crate) fn seal(&self, cells: &[Cell]) -> String {
        let mut text = String::with_capacity(128);
        text.push_str(self.table);
        for cell in cells {
            match cell {
                Cell::Null => text.push_str("\u{1f}-"),
                Cell::Int(value) => {
                    text.push_str("\u{1f}i");
                    text.push_str(&value.to_string());
                }
                Cell::Text(value) => {
                    text.push_str("\u{1f}t");
                    text.push_str(&value.len().to_string());
                    text.push(':');
                    text.push_str(value);
                }
            }
        }
        format!("{:032x}", xxh3_128(text.as_bytes()))
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    fn key_names(&self) -> Vec<&'static str> {
        let keys = self.columns.iter().take(self.keys);
        keys.map(|(name, _)| *name).collect()
    }

    /// The next rows in the order of their key.
    pub(crate) async fn page(
        &self,
        connection: &mut AnyConnection,
        after: Option<&SealedRow>,
    ) -> Result<Vec<SealedRow>, sqlx::Error> {
        let keys = self.key_names();
        let places: Vec<_> = (1..=keys.len()).map(|at| format!("${at}")).collect();
        let keys = keys.join(", ");
        let bound = match after {
            None => String::new(),
            Some(_) => format!("WHERE ({keys}) > ({})", places.join(", ")),
        };
        let sql = format!(
            "SELECT {}, seal FROM {} {bound} ORDER BY {keys} LIMIT {PAGE}",
            self.names(),
            self.table
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for cell in after
            .iter()
            .flat_map(|row| row.cells.iter().take(self.keys))
        {
            query = match cell {
                Cell::Int(value) => query.bind(*value),
                Cell::Text(value) => query.bind(value.clone()),
                Cell::Null => query.bind(None::<String>),
            };
        }
        let rows = query.fetch_all(connection).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    fn read(&self, row: &AnyRow) -> Result<SealedRow, sqlx::Error> {
        let cells = self.columns.iter().enumerate().map(|(at, (_, kind))| {
            Ok(match kind {
                Int => Cell::from(row.try_get::<Option<i64>, _>(at)?),
                Text => Cell::from(row.try_get::<Option<String>, _>(at)?),
            })
        });
        Ok(SealedRow {
            cells: cells.collect::<Result<_, sqlx::Error>>()?,
            seal: row.try_get(self.columns.len())?,
        })
    }

    /// Gives a row the seal that fits it.
    pub(crate) async fn reseal(
        &self,
        connection: &mut AnyConnection,
        row: &SealedRow,
    ) -> Result<(), sqlx::Error> {
        let keys = self.key_names().into_iter().enumerate();
        let is_it: Vec<_> = keys
            .map(|(at, name)| format!("{name} = ${}", at + 2))
            .collect();
        let sql = format!(
            "UPDATE {} SET seal = $1 WHERE {}",
            self.table,
            is_it.join(" AND ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(self.seal(&row.cells));
        for cell in row.cells.iter().take(self.keys) {
            query = match cell {
                Cell::Int(value) => query.bind(*value),
                Cell::Text(value) => query.bind(value.clone()),
                Cell::Null => query.bind(None::<String>),
            };
        }
        query.execute(connection).await.map(drop)
    }

    /// A row in words.
    pub(crate) fn name_of(&self, row: &SealedRow) -> String {
        let keys = row.cells.iter().take(self.keys).map(|cell| match cell {
            Cell::Null => "-".to_owned(),
            Cell::Int(value) => value.to_string(),
            Cell::Text(value) => value.clone(),
        });
        keys.collect::<Vec<_>>().join(" ")
    }
}
