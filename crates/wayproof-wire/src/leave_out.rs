//! Leaves top-level fields out of a body that a provider would refuse for them.
//!
//! Every other byte stays as it came and where it was. A body without any of the fields is not touched.

use crate::json::{Json, spells};
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

/// Leaves the fields with these names out, if there is one.
pub fn leave_out(request: &Request<'_>, names: &[&str]) -> Option<LeftOut> {
    let (body, fields) = (request.body, &request.peek.fields);
    let is_named = |literal: &[u8]| names.iter().any(|name| spells(literal, name));
    let mut losses: Vec<Loss> = Vec::new();
    let mut left = Vec::with_capacity(body.len());
    let mut copied = 0;
    // The end of the last field that stays; a field goes with the comma before it, or else with the one behind it.
    let mut kept: Option<usize> = None;
    for (index, field) in fields.iter().enumerate() {
        let name = field.name.of(body);
        if !is_named(name) {
            kept = Some(field.value.end);
            continue;
        }
        let next = fields.get(index + 1).map(|next| next.name.start);
        let (from, to) = match kept {
            Some(end) => (end, field.value.end),
            None => (field.name.start, next.unwrap_or(field.value.end)),
        };
        left.extend_from_slice(body.get(copied.min(from)..from)?);
        copied = to;
        let name = Json::new(name).owned_text().unwrap_or_default();
        match losses.iter_mut().find(|loss| loss.name == name) {
            Some(known) => known.times = known.times.saturating_add(1),
            None => losses.push(Loss {
                kind: LossKind::Field,
                name,
                times: 1,
            }),
        }
    }
    if losses.is_empty() {
        return None;
    }
    left.extend_from_slice(body.get(copied..)?);
    Some(LeftOut { body: left, losses })
}
