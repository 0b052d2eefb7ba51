//! What is wrong with a policy file, shown where it is: the line, a caret, a suggestion.
//! Only presentation and positions; what counts as wrong is decided by the modules beside it.

use std::{fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// One finding in a policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// Bytes of the file it is about.
    pub span: Range<usize>,
    /// What to write at the caret.
    pub label: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

/// A policy file that cannot be used, with everything wrong in it.
///
/// Its `Display` is the whole report, one snippet a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The file, as the reader of the message knows it.
    pub origin: String,
    /// Text of the file.
    pub text: String,
    /// The problems, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Something in a policy file that works but cannot be what its author means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What is odd.
    pub problem: Problem,
    /// The finding with its line and a caret.
    pub rendered: String,
}

/// Whether a report may use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Text only.
    Plain,
    /// ANSI colors.
    Color,
}

impl Problem {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span,
            label: String::new(),
            help: None,
        }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds "did you mean" when one of `known` is close to `written`, and the whole list otherwise.
    pub(crate) fn suggest<'a>(
        mut self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = nearest(written, &known) {
            self.label = format!("did you mean `{near}`?");
        } else if !known.is_empty() {
            self.help = Some(format!("known here: {}", list(&known)));
        }
        self
    }

    fn render(&self, level: Level<'_>, origin: &str, text: &str, ink: Ink) -> String {
        let mut span = self.span.clone();
        span.end = span.end.min(text.len());
        span.start = span.start.min(span.end);
        let mut mark = AnnotationKind::Primary.span(span);
        if !self.label.is_empty() {
            mark = mark.label(self.label.as_str());
        }
        let mut group: Group<'_> = level
            .primary_title(self.message.as_str())
            .element(Snippet::source(text).path(origin).annotation(mark));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = match ink {
            Ink::Plain => Renderer::plain(),
            Ink::Color => Renderer::styled(),
        };
        renderer.render(&[group])
    }
}

impl PolicyError {
    /// The whole report.
    pub fn render(&self, ink: Ink) -> String {
        let parts: Vec<String> = self
            .problems
            .iter()
            .map(|problem| problem.render(Level::ERROR, &self.origin, &self.text, ink))
            .collect();
        parts.join("\n\n")
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Ink::Plain))
    }
}

impl std::error::Error for PolicyError {}

impl Warning {
    pub(crate) fn new(problem: Problem, origin: &str, text: &str) -> Self {
        let rendered = problem.render(Level::WARNING, origin, text, Ink::Plain);
        Self { problem, rendered }
    }
}

/// The known word closest to the written one, if it is close enough to be a slip.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = 1 + written.chars().count() / 3;
    known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), *word))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// Words in backticks, separated by commas.
pub(crate) fn list(words: &[&str]) -> String {
    words
        .iter()
        .map(|word| format!("`{word}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
