//! What changes beside the log: each row fits its seal, and what is held adds up.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use super::{Problem, Stop};
use crate::sealed::{ACCOUNTS, ALL, HOLDS, Sealed, SealedRow};
use crate::store::Store;
use crate::table::Cell;

/// Checks every table of sealed rows.
pub(super) async fn check(connection: &mut AnyConnection, store: &Store) -> Result<(), Stop> {
    let mut held = BTreeMap::<(String, String), i64>::new();
    for table in ALL {
        let mut last: Option<SealedRow> = None;
        loop {
            let page = table.page(connection, last.as_ref()).await;
            let page = match page {
                Ok(page) => page,
                Err(sqlx::Error::ColumnDecode { .. }) => {
                    let what = format!(
                        "a row in the table of {} cannot be read",
                        table.table.replace('_', " ")
                    );
                    return Err(Problem::new(what).into());
                }
                Err(error) => return Err(store.failed("read")(error).into()),
            };
            for row in &page {
                check_row(table, row)?;
                add_up(table, row, &mut held);
            }
            match page.into_iter().next_back() {
                Some(row) => last = Some(row),
                None => break,
            }
        }
    }
    match held.iter().find(|(_, amount)| **amount != 0) {
        None => Ok(()),
        Some(((subject, span), _)) => {
            let what = format!(
                "what the account of {subject} in {span} says is held is not the sum of its holds"
            );
            Err(Problem::new(what).into())
        }
    }
}

fn check_row(table: &Sealed, row: &SealedRow) -> Result<(), Problem> {
    if row.seal.as_deref() == Some(table.seal(&row.cells).as_str()) {
        return Ok(());
    }
    Err(Problem::new(format!(
        "the row of {} in the table of {} does not fit its seal",
        table.name_of(row),
        table.table.replace('_', " ")
    )))
}

/// Accounts count up, holds count down; what is left over was changed.
fn add_up(table: &Sealed, row: &SealedRow, held: &mut BTreeMap<(String, String), i64>) {
    let (place, amount, sign) = if table.table == ACCOUNTS.table {
        (row.cells.get(..2), row.cells.get(2), 1)
    } else if table.table == HOLDS.table {
        (row.cells.get(1..3), row.cells.get(3), -1)
    } else {
        return;
    };
    if let (Some([Cell::Text(subject), Cell::Text(span)]), Some(Cell::Int(amount))) =
        (place, amount)
    {
        let sum = held.entry((subject.clone(), span.clone())).or_default();
        *sum = sum.saturating_add(amount.saturating_mul(sign));
    }
}
