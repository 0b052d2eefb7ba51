//! What a forge is told: a line for a status, a document for a comment or a check run, and notes beside lines.
//!
//! Whatever a receipt says may come from a stranger: the document is the job summary, in which nothing of it is markup. The other
//! places take text as it is.

use serde_json::{Value, json};
use wayproof_receipt::{is_unseen, predicate::Severity};

use super::{Place, Word};
use crate::{
    gate::{Grade, markdown, short},
    terminal::plain,
};

/// How many notes one request may bring (GitHub's limit).
const MOST_NOTES: usize = 50;
const LONGEST_NOTE: usize = 4_000;

/// Whether all that is owed is paid.
pub(super) fn is_good(word: Word<'_>) -> bool {
    match word {
        Word::Ruled(ruling) => ruling.is_satisfied,
        Word::Unjudged => false,
    }
}

/// One line of at most so many characters.
pub(super) fn line(word: Word<'_>, most: usize) -> String {
    let line = match word {
        Word::Unjudged => "could not be judged; the job says why".to_owned(),
        Word::Ruled(ruling) if ruling.owed.is_empty() => {
            "nothing changed, so nothing is owed".to_owned()
        }
        Word::Ruled(ruling) => {
            let tasks = |is_paid: bool| {
                let some = ruling
                    .owed
                    .iter()
                    .filter(|owed| owed.paid_by.is_some() == is_paid);
                let names: Vec<&str> = some
                    .map(|owed| owed.task.as_deref().unwrap_or("a task"))
                    .collect();
                names.join(", ")
            };
            if ruling.is_satisfied {
                format!("proven: {}", tasks(true))
            } else {
                format!("not proven: {}", tasks(false))
            }
        }
    };
    cut(&seen(&line), most)
}

/// The document, without a marker.
pub(super) fn document(place: &Place, word: Word<'_>, most: usize) -> String {
    let mut text = match word {
        Word::Ruled(ruling) => markdown(ruling),
        Word::Unjudged => "## Wayproof: not judged\n\nNo ruling came about.\n".to_owned(),
    };
    let link = place
        .details
        .as_ref()
        .map(|url| format!("\n[The job]({url}) has the whole of it.\n"))
        .unwrap_or_default();
    let room = most.saturating_sub(link.len() + 40);
    if text.len() > room {
        text = whole_lines(&text, room);
        text.push_str("\nThe rest is left out.\n");
    }
    text + &link
}

/// The marker that a comment is found again by. Several gates of one change have one each.
pub(super) fn marker(name: &str) -> String {
    format!("<!-- wayproof-gate: {name} -->")
}

/// The comment: its marker comes first.
pub(super) fn comment(place: &Place, word: Word<'_>, most: usize) -> String {
    let marker = marker(&place.name);
    let document = document(place, word, most.saturating_sub(marker.len() + 1));
    format!("{marker}\n{document}")
}

/// Whether a comment is one of ours by its words.
pub(super) fn is_marked(body: &str, name: &str) -> bool {
    body.lines().next().map(str::trim_end) == Some(marker(name).as_str())
}

/// Notes beside the lines that findings are about, as GitHub's annotations.
pub(super) fn annotations(word: Word<'_>) -> Vec<Value> {
    let Word::Ruled(ruling) = word else {
        return Vec::new();
    };
    let about_this = ruling
        .receipts
        .iter()
        .filter(|found| found.grade == Grade::Tree);
    let findings = about_this.flat_map(|found| {
        let proofs = found.verification.proofs();
        proofs.flat_map(|proof| &proof.findings)
    });
    let note = |finding: &wayproof_receipt::predicate::Finding| {
        let path = finding.path.as_ref().filter(|path| !path.is_empty())?;
        let line = finding.line.unwrap_or(1).max(1);
        let level = match finding.severity {
            Severity::High => "failure",
            Severity::Medium => "warning",
            Severity::Low => "notice",
        };
        Some(json!({
            "path": plain(path),
            "start_line": line,
            "end_line": line,
            "annotation_level": level,
            "title": cut(&seen(&finding.code), 100),
            "message": cut(&seen(&finding.explanation), LONGEST_NOTE),
        }))
    };
    findings.filter_map(note).take(MOST_NOTES).collect()
}

/// The title of a check run.
pub(super) fn title(word: Word<'_>) -> String {
    match word {
        Word::Ruled(ruling) => format!("{} ({})", line(word, 200), short(&ruling.head)),
        Word::Unjudged => line(word, 200),
    }
}

/// Text as it stands there: what cannot be seen, or moves what can, is named.
fn seen(text: &str) -> String {
    let named = |c: char| match c {
        '\n' | '\r' | '\t' => " ".to_owned(),
        c if is_unseen(c) => format!("<U+{:04X}>", u32::from(c)),
        c => c.to_string(),
    };
    text.chars().map(named).collect()
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept + "…"
}

/// The lines that have room.
fn whole_lines(text: &str, room: usize) -> String {
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        if kept.len() + line.len() > room {
            break;
        }
        kept.push_str(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_counts_on_the_first_line_alone() {
        let marker = marker("wayproof");
        assert!(is_marked(&format!("{marker}\r\nwords"), "wayproof"));
        for other in [
            format!("> {marker}\n"),
            format!("words\n{marker}"),
            String::new(),
            marker.replace("wayproof -->", "other -->"),
        ] {
            assert!(!is_marked(&other, "wayproof"), "{other}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_where_nothing_breaks() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(whole_lines("ab\ncd\nef\n", 7), "ab\ncd\n");
        assert_eq!(whole_lines("abcdefgh", 7), "");
    }
}
