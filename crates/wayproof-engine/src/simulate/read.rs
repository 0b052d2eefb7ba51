//! Reads a table of attempts: `instance_id`, `model`, `resolved` and `cost_usd`, by name and in any order.
//!
//! `resolved` and `cost_usd` may be empty, which is unknown. Tasks of the same name in different `benchmark`s are
//! different tasks. Everything else that is not as expected is an error with its line; nothing is left out silently.

use std::{borrow::Cow, fmt};

use super::{
    outcomes::{Cell, Outcomes, TooLarge},
    records::{BadQuote, Records},
};
use crate::evidence::Outcome;

const NANO_DIGITS: usize = 9;

/// Keeps only the rows with this value in this column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    /// The column.
    pub column: String,
    /// What stands in it.
    pub value: String,
}

/// Why a table of attempts cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutcomesError {
    /// There is not even a heading.
    #[error(
        "there is nothing in it; the first line names the columns instance_id, model, resolved and cost_usd"
    )]
    Empty,
    /// A column is missing.
    #[error("it has no column `{column}`; it has {has}")]
    NoColumn {
        /// The column.
        column: String,
        /// The columns that are there.
        has: String,
    },
    /// A row has more or fewer fields than the heading.
    #[error("line {line} has {found} fields where the heading has {expected}")]
    Fields {
        /// The line.
        line: usize,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A value cannot be read.
    #[error("line {line} has `{value}` in {column}, which must be {wanted}")]
    Value {
        /// The line.
        line: usize,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// A quote is not closed where it should be.
    #[error("line {line} has a quote that is not closed at the end of a field")]
    Quote {
        /// The line.
        line: usize,
    },
    /// Two rows are about the same attempt.
    #[error("line {line} is a second outcome of {model} on {task}; there must be one")]
    Twice {
        /// The line of the second.
        line: usize,
        /// The model.
        model: String,
        /// The task.
        task: String,
    },
    /// No row is left.
    #[error("no row is left{0}")]
    NoRows(Asked),
    /// There are too many.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// What rows had to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked(Vec<Keep>);

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, keep) in self.0.iter().enumerate() {
            let word = if at == 0 { " with" } else { " and" };
            write!(f, "{word} {}={}", keep.column, keep.value)?;
        }
        Ok(())
    }
}

impl From<BadQuote> for OutcomesError {
    fn from(bad: BadQuote) -> Self {
        Self::Quote { line: bad.line }
    }
}

/// Reads a table of attempts with commas between the fields.
pub fn read_outcomes(text: &str, keep: &[Keep]) -> Result<Outcomes, OutcomesError> {
    let mut records = Records::of(text);
    let mut fields = Vec::new();
    if records.next(&mut fields)?.is_none() {
        return Err(OutcomesError::Empty);
    }
    let columns = Columns::of(&fields, keep)?;
    let mut outcomes = Outcomes::default();
    let mut task = String::new();
    while let Some(line) = records.next(&mut fields)? {
        if fields.len() != columns.count {
            return Err(OutcomesError::Fields {
                line,
                found: fields.len(),
                expected: columns.count,
            });
        }
        if !columns.keeps(&fields) {
            continue;
        }
        columns.name_task(&fields, line, &mut task)?;
        let model = columns.model(&fields, line)?;
        if !outcomes.put(model, &task, columns.cell(&fields, line)?)? {
            return Err(OutcomesError::Twice {
                line,
                model: model.to_owned(),
                task,
            });
        }
    }
    if outcomes.tasks().len() == 0 {
        return Err(OutcomesError::NoRows(Asked(keep.to_vec())));
    }
    Ok(outcomes)
}

/// Where the columns stand.
struct Columns<'k> {
    count: usize,
    benchmark: Option<usize>,
    instance: usize,
    model: usize,
    resolved: usize,
    cost: usize,
    keep: Vec<(usize, &'k str)>,
}

impl<'k> Columns<'k> {
    fn of(heading: &[Cow<'_, str>], keep: &'k [Keep]) -> Result<Self, OutcomesError> {
        let find = |name: &str| heading.iter().position(|column| column.trim() == name);
        let need = |name: &str| {
            find(name).ok_or_else(|| OutcomesError::NoColumn {
                column: name.to_owned(),
                has: heading.join(", "),
            })
        };
        Ok(Self {
            count: heading.len(),
            benchmark: find("benchmark"),
            instance: need("instance_id")?,
            model: need("model")?,
            resolved: need("resolved")?,
            cost: need("cost_usd")?,
            keep: keep
                .iter()
                .map(|keep| Ok((need(&keep.column)?, keep.value.as_str())))
                .collect::<Result<_, OutcomesError>>()?,
        })
    }

    fn keeps(&self, fields: &[Cow<'_, str>]) -> bool {
        let is_there = |(at, value): &(usize, &str)| field(fields, *at) == *value;
        self.keep.iter().all(is_there)
    }

    fn name_task(
        &self,
        fields: &[Cow<'_, str>],
        line: usize,
        name: &mut String,
    ) -> Result<(), OutcomesError> {
        name.clear();
        if let Some(benchmark) = self.benchmark {
            name.push_str(field(fields, benchmark));
            name.push('/');
        }
        name.push_str(named(fields, self.instance, line, "instance_id")?);
        Ok(())
    }

    fn model<'f>(&self, fields: &'f [Cow<'_, str>], line: usize) -> Result<&'f str, OutcomesError> {
        named(fields, self.model, line, "model")
    }

    fn cell(&self, fields: &[Cow<'_, str>], line: usize) -> Result<Cell, OutcomesError> {
        let (resolved, cost) = (field(fields, self.resolved), field(fields, self.cost));
        let bad = |column, value: &str, wanted| OutcomesError::Value {
            line,
            column,
            value: value.to_owned(),
            wanted,
        };
        let outcome =
            outcome(resolved).ok_or_else(|| bad("resolved", resolved, "1, 0 or nothing"))?;
        let cost_nano_usd = if cost.is_empty() {
            None
        } else {
            let dollars = "an amount of dollars, such as 0.25, or nothing";
            Some(decimal(cost, NANO_DIGITS).ok_or_else(|| bad("cost_usd", cost, dollars))?)
        };
        Ok(Cell {
            outcome,
            cost_nano_usd,
        })
    }
}

fn field<'f>(fields: &'f [Cow<'_, str>], at: usize) -> &'f str {
    fields.get(at).map_or("", |field| field.trim())
}

fn named<'f>(
    fields: &'f [Cow<'_, str>],
    at: usize,
    line: usize,
    column: &'static str,
) -> Result<&'f str, OutcomesError> {
    match field(fields, at) {
        "" => Err(OutcomesError::Value {
            line,
            column,
            value: String::new(),
            wanted: "a name",
        }),
        name => Ok(name),
    }
}

fn outcome(text: &str) -> Option<Outcome> {
    match text {
        "1" | "1.0" | "true" | "True" => Some(Outcome::Passed),
        "0" | "0.0" | "false" | "False" => Some(Outcome::Failed),
        "" => Some(Outcome::Unknown),
        _ => None,
    }
}

/// A number that is not negative, in units of ten to the minus `digits`, rounded half up once; `1.5e-3` is one too.
pub(crate) fn decimal(text: &str, digits: usize) -> Option<i64> {
    const MOST: usize = 36;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    if !has_digits || whole.len() + fraction.len() > MOST {
        return None;
    }
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = char::from(byte).to_digit(10)?;
        value = value * 10 + i128::from(digit);
    }
    let fraction = i32::try_from(fraction.len()).ok()?;
    let shift = exponent
        .checked_sub(fraction)?
        .checked_add(i32::try_from(digits).ok()?)?;
    let scale = 10_i128.checked_pow(shift.unsigned_abs());
    let scaled = match (scale, shift >= 0) {
        (Some(scale), true) => value.checked_mul(scale)?,
        (Some(scale), false) => value.checked_add(scale / 2)? / scale,
        // Nothing is left of it, or nothing holds it.
        (None, is_larger) if is_larger && value != 0 => return None,
        (None, _) => 0,
    };
    i64::try_from(scaled).ok()
}
