//! Charts as SVG, drawn here: no script, readable in print, with the figures in a table beside them.
//!
//! Numbers go in as integers and out as coordinates; every word is escaped like any other.

use std::fmt::Write as _;

use crate::escape::escaped;

const WIDTH: i64 = 720;
const HEIGHT: i64 = 200;
const LEFT: i64 = 8;
const BOTTOM: i64 = 24;
const TOP: i64 = 12;

/// One bar or one point: what it is called, how high it is, and how its height is written.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) name: String,
    /// Nothing where there is no value: a gap, not a zero.
    pub(crate) value: Option<i64>,
    pub(crate) words: String,
}

/// Upright bars from left to right.
pub(crate) fn bars(title: &str, marks: &[Mark]) -> String {
    let highest = highest(marks);
    let mut svg = begin(title, marks);
    let count = i64::try_from(marks.len()).unwrap_or(1).max(1);
    let step = (WIDTH - 2 * LEFT) * 100 / count;
    for (place, mark) in (0_i64..).zip(marks) {
        let Some(value) = mark.value else { continue };
        let x = LEFT * 100 + place * step + step / 10;
        let height = scaled(value, highest).max(1);
        let y = HEIGHT - BOTTOM - height;
        let width = (step * 8 / 10).max(100);
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<rect class=\"bar\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{height}\" rx=\"2\"><title>{}: {}</title></rect>",
            hundredths(x),
            hundredths(width),
            escaped(&mark.name),
            escaped(&mark.words)
        );
    }
    end(svg, marks)
}

/// A line through the points that have a value.
pub(crate) fn line(title: &str, marks: &[Mark]) -> String {
    let highest = highest(marks);
    let mut svg = begin(title, marks);
    let steps = i64::try_from(marks.len().saturating_sub(1))
        .unwrap_or(1)
        .max(1);
    let mut path = String::new();
    let mut points = String::new();
    for (place, mark) in (0_i64..).zip(marks) {
        let Some(value) = mark.value else { continue };
        let x = hundredths((LEFT * 100 + 600) + place * ((WIDTH - 2 * LEFT - 12) * 100) / steps);
        let y = HEIGHT - BOTTOM - scaled(value, highest);
        let verb = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{verb}{x} {y}");
        let _ = write!(
            points,
            "<circle class=\"point\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"><title>{}: {}</title></circle>",
            escaped(&mark.name),
            escaped(&mark.words)
        );
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{path}\"/>{points}");
    end(svg, marks)
}

fn highest(marks: &[Mark]) -> i64 {
    marks
        .iter()
        .filter_map(|mark| mark.value)
        .max()
        .unwrap_or(1)
        .max(1)
}

fn scaled(value: i64, highest: i64) -> i64 {
    let room = i128::from(HEIGHT - BOTTOM - TOP);
    let height = i128::from(value.max(0)) * room / i128::from(highest);
    i64::try_from(height).unwrap_or(0)
}

fn hundredths(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

fn begin(title: &str, marks: &[Mark]) -> String {
    let top = marks.iter().max_by_key(|mark| mark.value);
    let words = top.filter(|mark| mark.value.is_some()).map_or_else(
        || "no values".to_owned(),
        |mark| format!("highest {} on {}", mark.words, mark.name),
    );
    let base = HEIGHT - BOTTOM;
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}: {}\"><line class=\"axis\" x1=\"0\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\"/>",
        escaped(title),
        escaped(&words)
    )
}

fn end(mut svg: String, marks: &[Mark]) -> String {
    let y = HEIGHT - 6;
    if let (Some(first), Some(last)) = (marks.first(), marks.last()) {
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{LEFT}\" y=\"{y}\">{}</text>",
            escaped(&first.name)
        );
        if marks.len() > 1 {
            let x = WIDTH - LEFT;
            let _ = write!(
                svg,
                "<text class=\"tick\" x=\"{x}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
                escaped(&last.name)
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: Option<i64>) -> Mark {
        Mark {
            name: "<b>".to_owned(),
            value,
            words: "\"x\"".to_owned(),
        }
    }

    #[test]
    fn words_are_escaped_and_a_gap_is_no_zero() {
        let svg = line("a & b", &[mark(Some(3)), mark(None), mark(Some(i64::MAX))]);
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
        let svg = bars("t", &[mark(None), mark(Some(0)), mark(Some(-5))]);
        assert_eq!(svg.matches("<rect").count(), 2);
    }

    #[test]
    fn nothing_draws_nothing() {
        assert!(line("t", &[]).contains("no values"));
    }
}
