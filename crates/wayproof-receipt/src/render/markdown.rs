//! The page as GitHub-flavoured Markdown.
//! Foreign words appear in code spans only, where nothing of them is interpreted.

use super::{
    content::{self, Sentence, Span},
    foreign::{code_span, visible, visible_speech},
};
use crate::verify::Verification;

/// Writes a receipt for a pull request.
pub fn markdown(verification: &Verification) -> String {
    let page = content::page(verification);
    let verdict = page.verdict.replace('_', "\\_");
    let head = format!("## Wayproof receipt: {verdict}\n\n{}\n", page.standing);
    let sections = page.sections.iter().map(|section| {
        let items = section
            .items
            .iter()
            .map(|item| format!("- {}\n", sentence(item)));
        format!("\n**{}**\n\n{}", section.title, items.collect::<String>())
    });
    head + &sections.collect::<String>()
}

fn sentence(sentence: &Sentence) -> String {
    let spans = sentence.0.iter().map(|span| match span {
        Span::Ours(words) => words.replace('_', "\\_"),
        Span::Theirs(words) => code_span(&visible(words)),
        Span::Said(words) => code_span(&visible_speech(words)),
    });
    spans.collect()
}
