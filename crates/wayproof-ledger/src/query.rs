//! Questions a ledger answers: pages of sessions, jobs and exchanges, their details, and spend.
//!
//! Answers come from the projections and are about a tenth of a second behind what is recorded; `flush` brings them up
//! to date. Nothing here writes.

mod detail;
mod find;
mod live;
mod page;
mod proof;
mod receipts;
mod record;
mod spend;

pub use detail::{ExchangeDetail, JobDetail, StoredEvent};
pub use find::{JobCursor, JobOrder, JobPage, JobPhase, JobSearch, WINDOW};
pub use live::AnswerSeen;
pub use page::{ExchangeFilter, ExchangeRow, JobFilter, JobRow, Money, Page, SessionRow};
pub use proof::ReceiptRow;
pub use receipts::ReceiptIssuedRow;
pub use record::{DayRecord, Dimension, SpendCell, TaskRecord};
pub use spend::{SpendBy, SpendRow};
