//! Why an import stops. What is wrong inside of a log is a gap and no error.

use wayproof_ledger::LedgerError;

/// Why an import stops.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The ledger does not take or give what is needed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A thread that reads ended early.
    #[error("a thread that reads logs panicked")]
    Panicked,
}
