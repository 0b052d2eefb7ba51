//! The text Rust's built-in harness prints. It refuses a run without its closing line, or with other counts than its
//! lines have: a test that ends the process leaves exactly that behind.

use std::collections::BTreeMap;

use super::builder::{BYTE_LIMIT, Builder, passed, quiet, red, without_escapes};
use super::junit::place_after;
use super::reason::classify;
use super::{RedReason, Status, TestRun};

/// How often each outcome came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
    measured: u64,
}

impl Tally {
    /// All outcomes together.
    fn total(self) -> u64 {
        [self.failed, self.ignored, self.measured]
            .into_iter()
            .fold(self.passed, u64::saturating_add)
    }
}

/// One run of a test binary.
#[derive(Debug, Default)]
struct Section {
    announced: u64,
    counted: Tally,
    failed: Vec<String>,
    is_listing: bool,
    words: BTreeMap<String, String>,
    speaker: Option<String>,
}

/// Reads the text of one test binary.
pub(super) fn read(binary: &str, bytes: &[u8]) -> TestRun {
    let mut run = Builder::new(bytes);
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTE_LIMIT)).unwrap_or_default());
    let text = without_escapes_of(&text);
    let mut section: Option<Section> = None;
    let mut sections = 0_u64;
    for line in text.lines() {
        if let Some(announced) = announcement(line).filter(|_| section.is_none()) {
            sections += 1;
            section = Some(Section {
                announced,
                is_listing: true,
                ..Section::default()
            });
            continue;
        }
        let Some(open) = &mut section else { continue };
        if let Some(closed) = closing(line) {
            close(binary, open, closed, &mut run);
            section = None;
        } else if open.is_listing && line == "failures:" {
            open.is_listing = false;
        } else if open.is_listing {
            outcome(binary, line, open, &mut run);
        } else {
            words(line, open);
        }
    }
    if let Some(open) = &section {
        run.broken("the run ended without its closing line".to_owned());
        report_failures(binary, open, &mut run);
    }
    if sections == 0 {
        run.broken("the output holds no run".to_owned());
    }
    run.finish()
}

/// Takes colors out, keeping lines.
fn without_escapes_of(text: &str) -> String {
    if text.contains('\u{1b}') {
        without_escapes(text)
    } else {
        text.to_owned()
    }
}

/// Reads `running N tests`.
fn announcement(line: &str) -> Option<u64> {
    line.strip_prefix("running ")?
        .strip_suffix(" tests")
        .or_else(|| line.strip_prefix("running ")?.strip_suffix(" test"))?
        .parse()
        .ok()
}

/// Reads `test NAME ... OUTCOME`.
fn outcome(binary: &str, line: &str, section: &mut Section, run: &mut Builder) {
    let Some((name, outcome)) = line
        .strip_prefix("test ")
        .and_then(|rest| rest.rsplit_once(" ... "))
    else {
        return;
    };
    let name = name.trim_end_matches(" - should panic");
    let id = join(binary, name);
    if outcome == "ok" || outcome.starts_with("ok <") {
        section.counted.passed += 1;
        run.add(&id, passed());
    } else if outcome.starts_with("FAILED") {
        section.counted.failed += 1;
        section.failed.push(name.to_owned());
    } else if let Some(why) = outcome.strip_prefix("ignored") {
        section.counted.ignored += 1;
        run.add(&id, quiet(Status::Skipped, why.trim_start_matches(", ")));
    } else if outcome.starts_with("bench:") {
        section.counted.measured += 1;
        run.add(&id, passed());
    }
}

/// Gathers what failed tests printed.
fn words(line: &str, section: &mut Section) {
    let speaker = line
        .strip_prefix("---- ")
        .and_then(|rest| rest.strip_suffix(" stdout ----"));
    if let Some(name) = speaker {
        section.speaker = Some(name.trim_end_matches(" - should panic").to_owned());
    } else if line == "failures:" {
        section.speaker = None;
    } else if let Some(name) = &section.speaker {
        let said = section.words.entry(name.clone()).or_default();
        if said.len() < 16 << 10 {
            said.push_str(line);
            said.push('\n');
        }
    }
}

/// Reads `test result: ok. A passed; B failed; C ignored; D measured; E filtered out`.
fn closing(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut tally = Tally::default();
    for part in counts.split(';') {
        let (number, word) = part.trim().split_once(' ')?;
        match word {
            "passed" => tally.passed = number.parse().ok()?,
            "failed" => tally.failed = number.parse().ok()?,
            "ignored" => tally.ignored = number.parse().ok()?,
            "measured" => tally.measured = number.parse().ok()?,
            _ => {}
        }
    }
    Some(tally)
}

/// Ends a section.
fn close(binary: &str, section: &Section, closed: Tally, run: &mut Builder) {
    report_failures(binary, section, run);
    if closed != section.counted || closed.total() != section.announced {
        run.broken(format!(
            "{} tests were announced, {} counted at the end, and {} have a line",
            section.announced,
            closed.total(),
            section.counted.total()
        ));
    }
}

/// Adds the failed tests with what they printed.
fn report_failures(binary: &str, section: &Section, run: &mut Builder) {
    for name in &section.failed {
        let said = section
            .words
            .get(name)
            .map(String::as_str)
            .unwrap_or_default();
        let message = panic_words(said);
        let reason = if said.is_empty() {
            RedReason::Exception
        } else {
            classify("", &message)
        };
        run.add(
            &join(binary, name),
            red(
                Status::Failed,
                reason,
                &message,
                place_after("", said, "panicked at "),
            ),
        );
    }
}

/// Leaves out the backtrace and, since thread numbers differ from run to run, the line that introduces a panic.
pub(super) fn panic_words(said: &str) -> String {
    let end = said
        .find("\nstack backtrace:")
        .or_else(|| said.find("\nnote: run with `RUST_BACKTRACE"));
    let said = end.and_then(|end| said.get(..end)).unwrap_or(said);
    // Older versions put the words of the panic into this line; they do not end it with a colon.
    let is_introduction = |line: &&str| {
        line.starts_with("thread '") && line.contains(" panicked at ") && line.ends_with(':')
    };
    said.lines()
        .filter(|line| !is_introduction(line))
        .collect::<Vec<_>>()
        .join("\n")
        .trim()
        .to_owned()
}

/// Puts the binary before a name.
fn join(binary: &str, name: &str) -> String {
    if binary.is_empty() {
        name.to_owned()
    } else {
        format!("{binary}::{name}")
    }
}
