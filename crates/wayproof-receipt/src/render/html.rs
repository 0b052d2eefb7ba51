//! The page as HTML: a document that opens from disk, or its sections for a page around them.
//! The document loads nothing, runs nothing and says so to the browser; foreign words are text.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};

use super::{
    content::{self, Page, Sentence, Span},
    foreign::{visible, visible_speech},
};
use crate::verify::{Verification, VerifyOutcome};

const STYLE: &str = include_str!("receipt.css");

/// Writes a receipt as a document of its own.
pub fn html(verification: &Verification) -> String {
    let page = content::page(verification);
    // The one style is allowed by its digest, so that nothing else in the file could apply.
    let digest = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let tone = tone(verification);
    let task = verification.task.as_deref().unwrap_or("no task");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Wayproof receipt: {verdict}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header class=\"{tone}\">\n<p>Wayproof receipt</p>\n<h1>{verdict}</h1>\n<p>{standing}</p>\n<p><code>{task}</code></p>\n</header>\n\
         {sections}<footer><p>Checked when this page was written. <code>wayproof receipt verify</code> checks the receipt itself, offline.</p></footer>\n\
         </main>\n</body>\n</html>\n",
        verdict = escape(&page.verdict),
        standing = escape(page.standing),
        task = escape(&visible(task)),
        sections = sections(&page),
    )
}

/// Writes the sections of a receipt, each with a heading of the second level.
pub fn html_sections(verification: &Verification) -> String {
    sections(&content::page(verification))
}

/// How the verdict is coloured.
fn tone(verification: &Verification) -> &'static str {
    use crate::predicate::Verdict;
    match (verification.outcome, verification.verdict) {
        (VerifyOutcome::Invalid, _) | (_, Some(Verdict::Refuted)) => "refuted",
        (_, Some(Verdict::Proven)) => "proven",
        (_, Some(Verdict::ProvenWithGaps)) => "gaps",
        (_, _) => "unproven",
    }
}

fn sections(page: &Page) -> String {
    let sections = page.sections.iter().map(|section| {
        let items = section
            .items
            .iter()
            .map(|item| format!("<li>{}</li>\n", sentence(item)));
        format!(
            "<section>\n<h2>{}</h2>\n<ul>\n{}</ul>\n</section>\n",
            section.title,
            items.collect::<String>()
        )
    });
    sections.collect()
}

fn sentence(sentence: &Sentence) -> String {
    let spans = sentence.0.iter().map(|span| match span {
        Span::Ours(words) => escape(words),
        Span::Theirs(words) => format!("<code>{}</code>", escape(&visible(words))),
        Span::Said(words) => format!("<q>{}</q>", escape(&visible_speech(words))),
    });
    spans.collect()
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            _ => out.push(character),
        }
    }
    out
}
