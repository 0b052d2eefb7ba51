//! Names of traces and spans, made from the ledger's own names, so that the same event always has the same.

use sha2::{Digest as _, Sha256};

/// What a span is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Job,
    Exchange,
    Escalation,
    Proof,
}

impl Of {
    const fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Exchange => "exchange",
            Self::Escalation => "escalation",
            Self::Proof => "proof",
        }
    }
}

/// 16 bytes.
pub(crate) fn trace(name: &str) -> Vec<u8> {
    digest(&["trace", name], 16)
}

/// 8 bytes.
pub(crate) fn span(of: Of, name: &str) -> Vec<u8> {
    digest(&["span", of.word(), name], 8)
}

fn digest(parts: &[&str], length: usize) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut id = hasher.finalize().to_vec();
    id.truncate(length);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_one_name_differ_and_lengths_are_the_protocols() {
        assert_eq!(trace("a").len(), 16);
        assert_eq!(span(Of::Job, "a").len(), 8);
        assert_ne!(span(Of::Job, "a"), span(Of::Proof, "a"));
        assert_eq!(span(Of::Job, "a"), span(Of::Job, "a"));
    }
}
