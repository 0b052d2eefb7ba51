#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod backup;
mod books;
mod capture;
mod clock;
mod copy;
mod cosign;
mod direct;
mod error;
mod event;
mod fold;
mod fold_thread;
mod forget;
mod forgotten;
mod frame;
mod import_event;
mod journal;
mod journal_thread;
mod ledger;
mod log_row;
mod made_by;
mod privacy_event;
mod project;
mod prune;
mod query;
mod queue;
mod record;
mod sealed;
mod signer;
mod snapshot;
mod store;
mod table;
mod tile;
mod verify;

pub use books::{
    Account, Balance, Books, FormerDigest, Hold, HoldError, Holder, Key, Overdrawn, Person,
    Register, Role,
};
pub use capture::{Body, Captured, Outlived, Retention};
pub use clock::{Clock, Ids};
pub use cosign::{CosignError, CosignRequest, Cosigned, CosignerKey, cosign};
pub use error::{AppendError, LedgerError};
pub use event::{
    AttemptRecord, BooksChanged, Cost, Escalated, Event, EventBody, EventsPruned, EvidenceNoted,
    ExchangeOpened, ExchangeOutcome, ExchangeSettled, JobClosed, JobOpened, MAX_EVENT_BYTES,
    ObligationFrozen, ProofFinished, QuotaSampled, ReceiptIssued, ReviewRecorded, SessionStarted,
};
pub use forget::{Forgotten, Subject as ForgetSubject};
pub use import_event::{Activity, ExchangeImported, LogGap, LogRead};
pub use ledger::{About, Ledger};
pub use made_by::MadeBy;
pub use privacy_event::{ContentCaptured, SubjectForgotten};
pub use prune::Prune;
pub use query::{
    ActivityRow, AnswerSeen, CrossBy, DayRecord, DayRow, Days, Dimension, EXCHANGE_COLUMNS,
    ExchangeDetail, ExchangeFilter, ExchangeRow, ForeignRow, ImportTurn, Input, JobCursor,
    JobDetail, JobFilter, JobOrder, JobPage, JobPhase, JobRow, JobSearch, JobSpan, LogPosition,
    Logged, ModelInput, ModelPace, Money, Page, Proxied, ReceiptIssuedRow, ReceiptRow, ReportRow,
    SessionRow, Sources, SpendBy, SpendCell, SpendCube, SpendRow, Standing, StoredEvent, TaskFit,
    TaskRecord, TileLog, WINDOW, opencode_messages,
};
pub use queue::Durable;
pub use record::RecordError;
pub use signer::Former;
pub use store::Location;
pub use verify::{Problem, Pruned, Report, Tell};
pub use wayproof_engine::Capture;
