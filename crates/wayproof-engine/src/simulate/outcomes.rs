//! Who solved what, and for how much: tasks by models, one attempt a cell.
//! A cell that nobody filled is unknown, which is neither solved nor free.

use indexmap::IndexSet;

use crate::evidence::Outcome;

/// How many cells a matrix may have, so that a file of strangers cannot ask for all memory.
const MOST_CELLS: usize = 1 << 24;

/// What one model did with one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Whether it solved the task.
    pub outcome: Outcome,
    /// What the attempt cost.
    pub cost_nano_usd: Option<i64>,
}

impl Cell {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        outcome: Outcome::Unknown,
        cost_nano_usd: None,
    };
}

/// A matrix of attempts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes {
    tasks: IndexSet<String>,
    models: IndexSet<String>,
    /// One a model; shorter than the list of tasks where the last ones were never tried.
    columns: Vec<Vec<Option<Cell>>>,
    cells: usize,
}

/// There are more pairs of task and model than are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MOST_CELLS} pairs of task and model are too many to hold")]
pub struct TooLarge;

impl Outcomes {
    /// The tasks, in the order they were first named.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tasks.iter().map(String::as_str)
    }

    /// The models, in the order they were first named.
    pub fn models(&self) -> impl ExactSizeIterator<Item = &str> {
        self.models.iter().map(String::as_str)
    }

    /// Which model has this name.
    pub fn model(&self, name: &str) -> Option<usize> {
        self.models.get_index_of(name)
    }

    /// What a model did with a task.
    pub fn cell(&self, model: usize, task: usize) -> Cell {
        let column = self.columns.get(model);
        let cell = column.and_then(|column| column.get(task).copied().flatten());
        cell.unwrap_or(Cell::UNKNOWN)
    }

    /// Notes an attempt; false when this pair has one already, which then stays.
    pub fn put(&mut self, model: &str, task: &str, cell: Cell) -> Result<bool, TooLarge> {
        let model = place(&mut self.models, model);
        let task = place(&mut self.tasks, task);
        if self.columns.len() <= model {
            self.columns.resize_with(model + 1, Vec::new);
        }
        let Some(column) = self.columns.get_mut(model) else {
            return Ok(false);
        };
        if column.len() <= task {
            self.cells += task + 1 - column.len();
            if self.cells > MOST_CELLS {
                return Err(TooLarge);
            }
            column.resize(task + 1, None);
        }
        match column.get_mut(task) {
            Some(free @ None) => {
                *free = Some(cell);
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

fn place(names: &mut IndexSet<String>, name: &str) -> usize {
    match names.get_index_of(name) {
        Some(at) => at,
        None => names.insert_full(name.to_owned()).0,
    }
}
