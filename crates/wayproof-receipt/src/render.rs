//! A receipt for people: Markdown for a pull request, plain text for a terminal.
//! Everything a receipt says is hostile: it is shown, but it can neither format nor address anybody.

mod content;
mod foreign;
mod markdown;
mod text;

pub use markdown::markdown;
pub use text::text;
