//! Puts every tool result right behind its call, as all protocols but Responses demand.
//!
//! A call that never got a result gets one that says so, and a result that nobody asked for becomes text: a provider
//! would refuse the whole conversation for either.

use crate::translate::item::{Conversation, Part, Speaker, ToolResult, Turn};
use crate::translate::loss::{LossKind, Losses};
use crate::translate::text::Text;

pub(crate) fn pair<'a>(conversation: &mut Conversation<'a>, losses: &mut Losses) {
    let mut paired: Vec<Turn<'a>> = Vec::with_capacity(conversation.turns.len() + 4);
    // The ids of the last model turn that have no result yet.
    let mut open: Vec<Text<'a>> = Vec::new();
    // Where the results of that turn are gathered.
    let mut place = 0;
    for mut turn in std::mem::take(&mut conversation.turns) {
        if turn.speaker == Speaker::Model {
            close(&mut paired, &mut open, place, losses);
            open = call_ids(&turn);
            paired.push(turn);
            place = paired.len();
            continue;
        }
        let has_results = turn
            .parts
            .iter()
            .any(|part| matches!(part, Part::Result(_)));
        if has_results {
            let (mut results, mut rest) = (Vec::new(), Vec::with_capacity(turn.parts.len()));
            for part in turn.parts {
                match part {
                    Part::Result(result) => {
                        if let Some(found) = open.iter().position(|id| *id == result.id) {
                            open.remove(found);
                            results.push(Part::Result(result));
                        } else {
                            losses.add(LossKind::Unpaired, "result");
                            rest.extend(result.parts);
                        }
                    }
                    other => rest.push(other),
                }
            }
            gather(&mut paired, place, results);
            turn.parts = rest;
        }
        if !turn.parts.is_empty() {
            paired.push(turn);
        }
    }
    close(&mut paired, &mut open, place, losses);
    conversation.turns = paired;
}

fn call_ids<'a>(turn: &Turn<'a>) -> Vec<Text<'a>> {
    let calls = turn.parts.iter().filter_map(|part| match part {
        Part::Call(call) => Some(call.id.clone()),
        _ => None,
    });
    calls.collect()
}

/// Adds results to the turn that holds them, right behind the calls.
fn gather<'a>(paired: &mut Vec<Turn<'a>>, place: usize, results: Vec<Part<'a>>) {
    if results.is_empty() {
        return;
    }
    match paired.get_mut(place) {
        Some(turn) if is_gathering(turn) => turn.parts.extend(results),
        _ => paired.insert(
            place.min(paired.len()),
            Turn {
                speaker: Speaker::User,
                parts: results,
            },
        ),
    }
}

fn is_gathering(turn: &Turn<'_>) -> bool {
    turn.parts
        .iter()
        .all(|part| matches!(part, Part::Result(_)))
}

/// Answers the calls that nobody answered.
fn close<'a>(
    paired: &mut Vec<Turn<'a>>,
    open: &mut Vec<Text<'a>>,
    place: usize,
    losses: &mut Losses,
) {
    let missing = open.drain(..).map(|id| {
        losses.add(LossKind::Unpaired, "call");
        Part::Result(ToolResult {
            id,
            name: None,
            is_error: true,
            parts: vec![Part::Text(Text::word("This call has no result."))],
        })
    });
    let missing = missing.collect();
    gather(paired, place, missing);
}
