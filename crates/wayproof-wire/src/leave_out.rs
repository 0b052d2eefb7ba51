//! Changes top-level fields of a body that a provider would refuse for them, or leaves them out.
//!
//! Every other byte stays as it came and where it was. A body without any of the fields is not touched.

use crate::json::Json;
use crate::translate::{Loss, LossKind};
use crate::view::Request;

/// A body with less in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What is left.
    pub body: Vec<u8>,
    /// What was left out.
    pub losses: Vec<Loss>,
}

/// What becomes of a top-level field.
pub(crate) enum Change {
    /// It stays as it came.
    Keep,
    /// It goes, with its comma.
    LeaveOut,
    /// It has this value.
    Put(Vec<u8>),
    /// It has this name.
    Rename(&'static str),
}

/// Leaves the fields with these names out, if there is one.
pub fn leave_out(request: &Request<'_>, names: &[&str]) -> Option<LeftOut> {
    let mut losses: Vec<Loss> = Vec::new();
    let body = alter(request, |name, _| {
        if !names.contains(&name) {
            return Change::Keep;
        }
        match losses.iter_mut().find(|loss| loss.name == name) {
            Some(known) => known.times = known.times.saturating_add(1),
            None => losses.push(Loss {
                kind: LossKind::Field,
                name: name.to_owned(),
                times: 1,
            }),
        }
        Change::LeaveOut
    })?;
    Some(LeftOut { body, losses })
}

/// The body with its top-level fields changed; `None` where all of them stay.
pub(crate) fn alter(
    request: &Request<'_>,
    mut change: impl FnMut(&str, Json<'_>) -> Change,
) -> Option<Vec<u8>> {
    let (body, fields) = (request.body, &request.peek.fields);
    let mut altered = Vec::with_capacity(body.len());
    let mut copied = 0;
    // The end of the last field that stays; a field goes with the comma before it, or else with the one behind it.
    let mut kept: Option<usize> = None;
    for (index, field) in fields.iter().enumerate() {
        let name = Json::new(field.name.of(body)).text().unwrap_or_default();
        match change(&name, Json::new(field.value.of(body))) {
            Change::Keep => kept = Some(field.value.end),
            Change::Put(value) => {
                altered.extend_from_slice(body.get(copied..field.value.start)?);
                altered.extend_from_slice(&value);
                copied = field.value.end;
                kept = Some(field.value.end);
            }
            Change::Rename(name) => {
                altered.extend_from_slice(body.get(copied..field.name.start)?);
                altered.extend_from_slice(format!("\"{name}\"").as_bytes());
                copied = field.name.end;
                kept = Some(field.value.end);
            }
            Change::LeaveOut => {
                let next = fields.get(index + 1).map(|next| next.name.start);
                let (from, to) = match kept {
                    Some(end) => (end, field.value.end),
                    None => (field.name.start, next.unwrap_or(field.value.end)),
                };
                altered.extend_from_slice(body.get(copied.min(from)..from)?);
                copied = to;
            }
        }
    }
    if copied == 0 {
        return None;
    }
    altered.extend_from_slice(body.get(copied..)?);
    Some(altered)
}
