//! A receipt for people: Markdown for a pull request, plain text for a terminal, HTML for a browser.
//! Everything a receipt says is hostile: it is shown, but it can neither format nor address anybody.

mod content;
mod foreign;
mod html;
mod markdown;
mod text;
mod trailers;

pub use foreign::{is_unseen, literal};
pub use html::{html, html_sections};
pub use markdown::markdown;
pub use text::text;
pub use trailers::trailers;
