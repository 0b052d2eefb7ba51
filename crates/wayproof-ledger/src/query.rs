//! Questions a ledger answers: pages of sessions, jobs and exchanges, their details, and spend.
//!
//! Answers come from the projections and are about a tenth of a second behind what is recorded; `flush` brings them up
//! to date. Nothing here writes.

mod cube;
mod detail;
mod export;
mod find;
mod import;
mod keeper;
mod live;
mod models;
mod page;
mod proof;
mod receipts;
mod record;
mod report;
mod reviews;
mod seals;
mod spend;
mod standing;

pub use cube::{CrossBy, DayRecord, Input, ModelInput, SpendCell, SpendCube, TaskFit};
pub use detail::{ExchangeDetail, JobDetail, StoredEvent};
pub use export::{EXCHANGE_COLUMNS, TileLog};
pub use find::{JobCursor, JobOrder, JobPage, JobPhase, JobSearch, JobSpan, WINDOW};
pub use import::{ForeignRow, ImportTurn, LogPosition, Proxied, opencode_messages};
pub use live::AnswerSeen;
pub use models::ModelPace;
pub use page::{ExchangeFilter, ExchangeRow, JobFilter, JobRow, Money, Page, SessionRow};
pub use proof::ReceiptRow;
pub use receipts::ReceiptIssuedRow;
pub use record::TaskRecord;
pub use report::{ActivityRow, DayRow, Days, Dimension, ReportRow, Sources};
pub use spend::{SpendBy, SpendRow};
pub use standing::{Logged, Standing};
