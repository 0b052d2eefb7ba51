//! What the gateway has seen of an agent's answers, so that nothing is counted twice.
//!
//! An answer is the gateway's when both have the provider's name for it. Where the log or the provider gives none, it
//! is the gateway's when the agent, all input and all output tokens agree and it was answered at that time; each
//! exchange of the gateway stands for one answer.

use std::collections::{HashMap, HashSet};

use wayproof_ledger::{Ledger, LedgerError, Proxied};
use xxhash_rust::xxh3::xxh3_64;

use crate::agent::Source;
use crate::sink::Answer;

/// Exchanges read at a time.
const PAGE: u32 = 4096;

/// How far clocks and the order of writing may be apart.
const EARLY_US: i64 = 5_000_000;
const LATE_US: i64 = 60_000_000;

/// An exchange that may be an answer's.
#[derive(Debug)]
struct Near {
    seq: i64,
    session: u64,
    from_us: i64,
    to_us: i64,
    is_taken: bool,
}

/// The gateway's exchanges of the agents that are imported; about 150 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Join {
    next: i64,
    ids: HashSet<u64>,
    near: HashMap<u64, Vec<Near>>,
}

impl Join {
    /// Reads what the gateway recorded since the last time.
    pub(crate) async fn read_on(
        &mut self,
        ledger: &Ledger,
        sources: &[Source],
    ) -> Result<(), LedgerError> {
        let mut at = self.next;
        let mut first_open = None;
        loop {
            let page = ledger.proxied(at, PAGE).await?;
            let Some(last) = page.last() else { break };
            at = last.seq + 1;
            for exchange in &page {
                if !exchange.is_settled {
                    first_open = first_open.or(Some(exchange.seq));
                } else if sources
                    .iter()
                    .any(|source| source.agent() == exchange.agent)
                {
                    self.add(exchange);
                }
            }
        }
        self.next = first_open.unwrap_or(at);
        Ok(())
    }

    fn add(&mut self, exchange: &Proxied) {
        if let Some(id) = &exchange.provider_request_id {
            self.ids.insert(xxh3_64(id.as_bytes()));
        }
        let (Some(input), Some(output)) = (exchange.input, exchange.output) else {
            return;
        };
        let near = self
            .near
            .entry(key(&exchange.agent, input, output))
            .or_default();
        if near.iter().all(|known| known.seq != exchange.seq) {
            near.push(Near {
                seq: exchange.seq,
                session: exchange.session.as_deref().map_or(0, hash),
                from_us: exchange.opened_us.saturating_sub(EARLY_US),
                to_us: exchange
                    .opened_us
                    .saturating_add(exchange.total_us)
                    .saturating_add(LATE_US),
                is_taken: false,
            });
        }
    }

    /// Whether the gateway has seen an answer.
    pub(crate) fn has(&mut self, source: Source, answer: &Answer) -> bool {
        let is_named = answer
            .request_ids
            .iter()
            .any(|id| self.ids.contains(&hash(id)));
        // Taken either way, so that it stands for no other answer.
        let is_near = self.take(source, answer);
        is_named || is_near
    }

    fn take(&mut self, source: Source, answer: &Answer) -> bool {
        let Some(usage) = answer.usage else {
            return false;
        };
        let output = usage
            .output
            .map(|output| output.saturating_add(usage.reasoning.unwrap_or(0)));
        let (Some(input), Some(output)) = (usage.total_input(), output) else {
            return false;
        };
        let (Ok(input), Ok(output)) = (i64::try_from(input), i64::try_from(output)) else {
            return false;
        };
        if input == 0 && output == 0 {
            return false;
        }
        let session = answer.session.as_deref().map_or(0, hash);
        // These tell the gateway the session that they write down.
        let is_exact = matches!(
            source,
            Source::ClaudeCode | Source::Codex | Source::Opencode
        );
        let near = self.near.get_mut(&key(source.agent(), input, output));
        let found = near.into_iter().flatten().find(|near| {
            !near.is_taken
                && (near.from_us..=near.to_us).contains(&answer.at_us)
                && (!is_exact || near.session == session)
        });
        let is_found = found.is_some();
        if let Some(near) = found {
            near.is_taken = true;
        }
        is_found
    }
}

fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

fn key(agent: &str, input: i64, output: i64) -> u64 {
    hash(&format!("{agent}\u{1f}{input}\u{1f}{output}"))
}
