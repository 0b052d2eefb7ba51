//! Policies tried on outcomes that are already known, instead of on people.
//!
//! Everything here is arithmetic over values: what is unknown stays unknown and becomes a range, never a guess.

mod adapt;
mod advise;
mod backtest;
mod cascade;
mod counterfactual;
mod draws;
mod outcomes;
mod read;
mod records;
mod replay;
mod search;
mod share;
mod skill;
mod trials;

pub use adapt::{Adaptive, Attempted};
pub use advise::{Advice, Ask, Change, GateSeen, Goal, advise};
pub use backtest::{Backtest, Span, backtest};
pub use cascade::{Cascade, CascadeError, NotACascade};
pub use counterfactual::{Counterfactual, Ends, Estimate, Glimpse, Interval, counterfactual};
pub use draws::Draws;
pub use outcomes::{Cell, Outcomes, TooLarge};
pub use read::{Keep, OutcomesError, read_outcomes};
pub use replay::{Changed, RecordedExchange, RecordedJob, Replayed, replay};
pub use share::{NotAShare, Share};
