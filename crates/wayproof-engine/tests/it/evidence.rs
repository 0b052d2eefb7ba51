//! What `recognize` reads out of the output of real tools.

mod exit;
mod findings;
mod properties;
mod runners;

use wayproof_engine::{Evidence, recognize};
use wayproof_wire::Exit;

/// Reads text about which nothing else is known.
fn read(text: &str) -> Vec<Evidence> {
    recognize(text, None, Exit::Unknown)
}

/// The item of one tool.
fn of<'a>(found: &'a [Evidence], tool: &str) -> &'a Evidence {
    let at = found.iter().position(|evidence| evidence.tool == tool);
    assert!(at.is_some(), "nothing from {tool} in {found:#?}");
    &found[at.unwrap_or_default()]
}
