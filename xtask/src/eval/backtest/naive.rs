//! The other implementation: floating dollars, a map of rows, one recursion a task. Slow on purpose, and shares no
//! code with the engine's.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

type Row = (Option<bool>, Option<f64>);

/// Rows by task and model.
pub(super) struct Table {
    tasks: BTreeSet<String>,
    rows: BTreeMap<(String, String), Row>,
}

/// Lower and upper ends.
pub(super) struct Ends {
    pub(super) solved: (f64, f64),
    pub(super) cost_usd: (f64, f64),
}

pub(super) fn read(text: &str, agent: &str, benchmark: &str) -> Result<Table> {
    let mut table = Table {
        tasks: BTreeSet::new(),
        rows: BTreeMap::new(),
    };
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [of, model, on, task, resolved, cost] = fields.as_slice() else {
            bail!("`{line}` has {} fields", fields.len());
        };
        if *of != agent || *on != benchmark {
            continue;
        }
        let resolved = match *resolved {
            "" => None,
            text => Some(text.parse::<u8>()? == 1),
        };
        let cost = match *cost {
            "" => None,
            text => Some(text.parse()?),
        };
        table.tasks.insert((*task).to_owned());
        let key = ((*task).to_owned(), (*model).to_owned());
        if table.rows.insert(key, (resolved, cost)).is_some() {
            bail!("`{line}` is there twice");
        }
    }
    Ok(table)
}

pub(super) fn ends(table: &Table, models: &[String], leak: f64) -> Ends {
    let mut ends = Ends {
        solved: (0.0, 0.0),
        cost_usd: (0.0, 0.0),
    };
    for task in &table.tasks {
        let rows: Vec<Row> = models
            .iter()
            .map(|model| {
                let key = (task.clone(), model.clone());
                table.rows.get(&key).copied().unwrap_or((None, None))
            })
            .collect();
        let worst = one(&rows, leak, false);
        let best = one(&rows, leak, true);
        ends.solved.0 += worst.0;
        ends.solved.1 += best.0;
        let cheapest: Vec<Row> = rows
            .iter()
            .map(|row| (row.0, row.1.or(Some(0.0))))
            .collect();
        ends.cost_usd.0 += one(&cheapest, leak, true).1;
        ends.cost_usd.1 += worst.1;
    }
    ends
}

/// The chance that one task is solved and what it costs, every unknown outcome read the same way.
fn one(rows: &[Row], leak: f64, reading: bool) -> (f64, f64) {
    let Some(((solved, cost), rest)) = rows.split_first() else {
        return (0.0, 0.0);
    };
    let cost = cost.unwrap_or(f64::INFINITY);
    if solved.unwrap_or(reading) {
        return (1.0, cost);
    }
    // A gate that accepts everything never reaches the next model.
    let (next_solved, next_cost) = one(rest, leak, reading);
    let goes_on = 1.0 - leak;
    let later = if next_cost.is_infinite() {
        f64::INFINITY
    } else {
        goes_on * next_cost
    };
    (goes_on * next_solved, cost + later)
}
