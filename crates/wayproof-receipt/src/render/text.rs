//! The page as plain text, without colours.
//! Foreign words are quoted and cannot move the cursor.

use super::{
    content::{self, Sentence, Span},
    foreign::{visible, visible_speech},
};
use crate::verify::Verification;

/// Writes a receipt for a terminal.
pub fn text(verification: &Verification) -> String {
    let page = content::page(verification);
    let head = format!("{}  {}\n", page.verdict, page.standing);
    let sections = page.sections.iter().map(|section| {
        let items = section
            .items
            .iter()
            .map(|item| format!("  - {}\n", sentence(item)));
        format!("\n{}\n{}", section.title, items.collect::<String>())
    });
    head + &sections.collect::<String>()
}

fn sentence(sentence: &Sentence) -> String {
    let spans = sentence.0.iter().map(|span| match span {
        Span::Ours(words) => words.clone(),
        Span::Theirs(words) => format!("`{}`", visible(words)),
        Span::Said(words) => format!("`{}`", visible_speech(words)),
    });
    spans.collect()
}
