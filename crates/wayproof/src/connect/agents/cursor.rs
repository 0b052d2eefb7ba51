//! Cursor: it keeps its base URL in a database of its own, so there are only steps.

use super::{ANY_KEY, AUTO, Plan, Point};

pub(super) fn plan(point: &Point) -> Plan {
    let plan = Plan::default()
        .step("Cursor has no settings file for this. Open Cursor Settings, Models, API Keys.")
        .step(format!(
            "Put \"{}\" into OpenAI API Key and switch it on.",
            point.key.as_ref().map_or(ANY_KEY, |_| "the gateway's key")
        ))
        .step(format!(
            "Switch on Override OpenAI Base URL and put in {}",
            point.v1()
        ))
        .step(format!(
            "Add a custom model named {AUTO} and choose it in the chat."
        ));
    plan.step("Cursor asks from its own servers: the address must be reached from the internet, by HTTPS, with a key (`wayproof up --listen … --key-env …` behind a proxy that ends TLS). An address on this machine does not do.")
}
