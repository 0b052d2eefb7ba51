//! Text of a policy file to a [`Policy`], in passes that each report everything they find.
//! Syntax, then shape, then meaning; a pass runs only when the ones before it found nothing.

use std::ops::Range;

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Parsed, PolicyError, builtin, check,
    document::Document,
    merge::merge,
    problem::{Problem, Warning},
    resolve, strict,
};

/// A place in the file: names of keys and numbers of list elements, outermost first.
pub(crate) type Place<'p> = &'p [&'p str];

/// Reads a policy file.
pub(crate) fn parse(text: &str, origin: &str) -> Result<Parsed, PolicyError> {
    let refuse = |mut problems: Vec<Problem>| {
        problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
        PolicyError {
            origin: origin.to_owned(),
            text: text.to_owned(),
            problems,
        }
    };
    let (tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(refuse(
            errors
                .iter()
                .map(|error| syntax(error, text.len()))
                .collect(),
        ));
    }
    let schema = Value::from(schemars::schema_for!(Document));
    let problems = strict::compare(&tree, &schema);
    if !problems.is_empty() {
        return Err(refuse(problems));
    }
    let file: Document =
        toml::from_str(text).map_err(|error| refuse(vec![syntax(&error, text.len())]))?;
    let merged = merge(builtin::preset(file.preset), file);

    let mut problems = Vec::new();
    let policy = resolve::resolve(&merged, text, &mut |place, problem| {
        let span = locate(&tree, place).unwrap_or(0..text.len().min(1));
        problems.push(Problem { span, ..problem });
    });
    let Some(policy) = policy.filter(|_| problems.is_empty()) else {
        return Err(refuse(problems));
    };
    let mut warnings = Vec::new();
    check::check(&policy, &mut |place, problem| {
        // A finding about a row that the file does not have is not the author's to fix.
        if let Some(span) = locate(&tree, place) {
            warnings.push(Problem { span, ..problem });
        }
    });
    warnings.sort_by_key(|problem| (problem.span.start, problem.span.end));
    let warnings = warnings
        .into_iter()
        .map(|problem| Warning::new(problem, origin, text))
        .collect();
    Ok(Parsed { policy, warnings })
}

fn syntax(error: &toml::de::Error, length: usize) -> Problem {
    let span = error.span().unwrap_or(length..length);
    Problem::new(span, error.message().lines().next().unwrap_or_default())
}

/// Bytes of the value at a place, or of the innermost table on the way that the file has.
///
/// `None` when the file does not even have the row, which is the first two names of the place.
fn locate(tree: &Spanned<DeTable<'_>>, place: Place<'_>) -> Option<Range<usize>> {
    let (first, rest) = place.split_first()?;
    let (key, value) = tree.get_ref().get_key_value(*first)?;
    let mut span = key.span();
    let mut value = value;
    for (depth, step) in rest.iter().enumerate() {
        let next = match value.get_ref() {
            DeValue::Table(table) => table
                .get_key_value(*step)
                .map(|(key, value)| (key.span(), value)),
            DeValue::Array(array) => step
                .parse::<usize>()
                .ok()
                .and_then(|index| array.get(index))
                .map(|value| (value.span(), value)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => None,
        };
        match next {
            Some((key, next)) => {
                let is_leaf = !matches!(next.get_ref(), DeValue::Table(_) | DeValue::Array(_));
                span = if is_leaf { next.span() } else { key };
                value = next;
            }
            None if depth == 0 => return None,
            None => return Some(span),
        }
    }
    Some(span)
}
