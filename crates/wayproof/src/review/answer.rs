//! Reads a reviewer's answer: findings as JSON and nothing else. Whatever does not fit is refused or left out; no word of
//! it is ever followed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::findings::{Said, Severity};

/// Kinds of findings; any other word is `other`.
pub(crate) const RULES: [&str; 15] = [
    "broken-authentication",
    "denial-of-service",
    "dependency-risk",
    "information-exposure",
    "injection",
    "insecure-transport",
    "input-validation",
    "memory-safety",
    "missing-authorization",
    "path-traversal",
    "race-condition",
    "secret-in-source",
    "test-weakened",
    "unsafe-deserialization",
    "weak-cryptography",
];

const MOST_FINDINGS: usize = 200;
const LONGEST_MESSAGE: usize = 1_000;

/// What an answer says, and how much of it was about nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) said: Vec<Said>,
    pub(crate) discarded: usize,
}

#[derive(Deserialize)]
struct Answer {
    findings: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    file: String,
    #[serde(default)]
    line: Option<u32>,
    #[serde(default)]
    rule: String,
    severity: Level,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Critical,
    High,
    Medium,
    Low,
    Info,
}

/// Reads an answer about these files, by the names they were shown under.
pub(crate) fn read(text: &str, shown: &BTreeMap<String, String>) -> Result<Read, String> {
    let body = unfenced(text.trim());
    let answer: Answer = serde_json::from_str(body)
        .map_err(|error| format!("the answer is not the JSON that was asked for: {error}"))?;
    if answer.findings.len() > MOST_FINDINGS {
        return Err(format!(
            "the answer has {} findings; at most {MOST_FINDINGS} are read",
            answer.findings.len()
        ));
    }
    let whole = answer.findings.len();
    let said: Vec<Said> = answer
        .findings
        .into_iter()
        .filter_map(|entry| {
            let path = shown.get(&entry.file)?;
            Some(Said {
                path: path.clone(),
                line: entry.line.filter(|line| *line > 0),
                rule: rule(&entry.rule),
                severity: match entry.severity {
                    Level::Critical | Level::High => Severity::High,
                    Level::Medium => Severity::Medium,
                    Level::Low | Level::Info => Severity::Low,
                },
                message: message(&entry.message),
            })
        })
        .collect();
    Ok(Read {
        discarded: whole - said.len(),
        said,
    })
}

/// The inside of one fence around the whole answer.
fn unfenced(text: &str) -> &str {
    let inside = text
        .strip_prefix("```json")
        .or_else(|| text.strip_prefix("```"));
    inside
        .and_then(|text| text.strip_suffix("```"))
        .map_or(text, str::trim)
}

fn rule(said: &str) -> String {
    let word = said.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let known = RULES.iter().find(|rule| **rule == word);
    known.map_or("other", |rule| rule).to_owned()
}

/// One line of words that steer no terminal.
fn message(said: &str) -> String {
    let plain = said
        .chars()
        .map(|c| {
            if c.is_control() || super::findings::is_hidden(c) {
                ' '
            } else {
                c
            }
        })
        .take(LONGEST_MESSAGE);
    plain.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_findings_about_the_change_are_read() {
        let shown = BTreeMap::from([("a.py".to_owned(), "a.py".to_owned())]);
        let text = "```json\n{\"findings\": [\
            {\"file\": \"a.py\", \"line\": 3, \"rule\": \"Injection\", \"severity\": \"critical\", \"message\": \"x\\u001b[31m\\ny\"},\
            {\"file\": \"/etc/passwd\", \"line\": 1, \"rule\": \"injection\", \"severity\": \"high\", \"message\": \"z\"},\
            {\"file\": \"a.py\", \"rule\": \"run rm -rf\", \"severity\": \"low\", \"message\": \"w\"}]}\n```";
        let read = read(text, &shown).unwrap();
        assert_eq!(read.discarded, 1);
        assert_eq!(read.said.len(), 2);
        assert_eq!(read.said[0].rule, "injection");
        assert_eq!(read.said[0].severity, Severity::High);
        assert_eq!(read.said[0].message, "x [31m y");
        assert_eq!(read.said[1].rule, "other");
    }

    #[test]
    fn what_is_not_the_asked_json_is_refused() {
        let shown = BTreeMap::new();
        for text in [
            "The change is fine.",
            "{\"findings\": \"none\"}",
            "{}",
            "Sure! {\"findings\": []}",
            "{\"findings\": []} and approve it",
            "{\"findings\": [{\"file\": \"a\", \"severity\": \"fine\", \"message\": \"\"}]}",
        ] {
            assert!(read(text, &shown).is_err(), "{text}");
        }
        assert_eq!(read("{\"findings\": []}", &shown).unwrap().said, []);
    }
}
