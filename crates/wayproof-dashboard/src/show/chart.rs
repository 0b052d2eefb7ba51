//! Charts as SVG, drawn here: no script, readable in print, with the figures in a table beside them.
//!
//! Numbers go in as integers and out as coordinates; every word is escaped like any other.

use std::fmt::Write as _;

use crate::escape::escaped;

const WIDTH: i64 = 720;
const HEIGHT: i64 = 220;
const LEFT: i64 = 84;
const RIGHT: i64 = 12;
const BOTTOM: i64 = 28;
const TOP: i64 = 14;
/// The line that heights begin at.
const BASE: i64 = HEIGHT - BOTTOM;
/// Names below the marks, evenly spread.
const NAMED: i64 = 4;
/// The width of a name, such as that of a day, with some room.
const NAME: i64 = 104;

/// One bar or one point: what it is called, how high it is, and how its height is written.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) name: String,
    /// What stands below it.
    pub(crate) tick: String,
    /// Nothing where there is no value: a gap, not a zero.
    pub(crate) value: Option<i64>,
    pub(crate) words: String,
    /// Where it leads; nothing where it leads nowhere.
    pub(crate) way: Option<String>,
}

impl Mark {
    /// A drawing of it, as a link where it leads somewhere. The link is as high as the chart, so that a low mark is hit.
    fn drawn(&self, (x, width): (i64, i64), shape: &str) -> String {
        let Some(way) = &self.way else {
            return shape.to_owned();
        };
        format!(
            "<a href=\"{}\" aria-label=\"{}: {}\"><rect class=\"hit\" x=\"{}\" y=\"{TOP}\" width=\"{}\" height=\"{}\"/>{shape}</a>",
            escaped(way),
            escaped(&self.name),
            escaped(&self.words),
            hundredths(x),
            hundredths(width),
            BASE - TOP
        )
    }
}

/// A chart of what: its title, its marks from left to right, and how a height is written at its axis.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    pub(crate) marks: &'a [Mark],
    pub(crate) says: fn(i64) -> String,
}

/// How marks are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Upright bars.
    Bars,
    /// A line through the points that have a value.
    Line,
}

/// Round heights up to just above the highest mark.
struct Scale {
    step: i64,
    steps: i64,
}

impl Scale {
    fn of(marks: &[Mark]) -> Self {
        let highest = marks.iter().filter_map(|mark| mark.value).max();
        let highest = highest.unwrap_or(1).max(1);
        let mut step = 1_i64;
        // One, two, five, ten and so on, until four of them reach the top.
        for factor in [2, 5, 10].into_iter().cycle() {
            if step.saturating_mul(4) >= highest {
                break;
            }
            let power = 10_i64.saturating_pow(step.max(1).ilog10());
            step = power.saturating_mul(factor);
        }
        Self {
            step,
            steps: (highest - 1) / step + 1,
        }
    }

    /// How far below the top of the chart a value stands.
    fn y(&self, value: i64) -> i64 {
        let room = i128::from(BASE - TOP);
        let top = i128::from(self.step) * i128::from(self.steps);
        let height = i128::from(value.max(0)) * room / top.max(1);
        BASE - i64::try_from(height).unwrap_or(0)
    }
}

impl Chart<'_> {
    /// Draws it.
    pub(crate) fn draw(self, shape: Shape) -> String {
        match shape {
            Shape::Bars => self.bars(),
            Shape::Line => self.line(),
        }
    }

    fn bars(self) -> String {
        let scale = Scale::of(self.marks);
        let mut svg = self.begin(&scale);
        let count = i64::try_from(self.marks.len()).unwrap_or(1).max(1);
        let step = (WIDTH - LEFT - RIGHT) * 100 / count;
        let middle = |place: i64| LEFT * 100 + place * step + step / 2;
        for (place, mark) in (0_i64..).zip(self.marks) {
            let Some(value) = mark.value else { continue };
            let width = (step * 8 / 10).max(100);
            let y = scale.y(value).min(BASE - 1);
            let bar = format!(
                "<rect class=\"bar\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"2\"><title>{}: {}</title></rect>",
                hundredths(middle(place) - width / 2),
                hundredths(width),
                BASE - y,
                escaped(&mark.name),
                escaped(&mark.words)
            );
            svg.push_str(&mark.drawn((middle(place) - step / 2, step), &bar));
        }
        self.end(svg, middle)
    }

    fn line(self) -> String {
        let scale = Scale::of(self.marks);
        let mut svg = self.begin(&scale);
        let steps = i64::try_from(self.marks.len().saturating_sub(1));
        let steps = steps.unwrap_or(1).max(1);
        let middle =
            |place: i64| (LEFT + 8) * 100 + place * ((WIDTH - LEFT - RIGHT - 16) * 100) / steps;
        let (mut path, mut points) = (String::new(), String::new());
        for (place, mark) in (0_i64..).zip(self.marks) {
            let Some(value) = mark.value else { continue };
            let (x, y) = (hundredths(middle(place)), scale.y(value));
            let verb = if path.is_empty() { 'M' } else { 'L' };
            // Writing to a String cannot fail.
            let _ = write!(path, "{verb}{x} {y}");
            let point = format!(
                "<circle class=\"point\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"><title>{}: {}</title></circle>",
                escaped(&mark.name),
                escaped(&mark.words)
            );
            let width = ((WIDTH - LEFT - RIGHT - 16) * 100 / steps).min(40 * 100);
            points.push_str(&mark.drawn((middle(place) - width / 2, width), &point));
        }
        let _ = write!(svg, "<path class=\"line\" d=\"{path}\"/>{points}");
        self.end(svg, middle)
    }

    /// The frame: what it shows in words, and round heights with their lines.
    fn begin(&self, scale: &Scale) -> String {
        let top = self.marks.iter().max_by_key(|mark| mark.value);
        let words = top.filter(|mark| mark.value.is_some()).map_or_else(
            || "no values".to_owned(),
            |mark| format!("highest {} on {}", mark.words, mark.name),
        );
        // What stands in an image is not reached by those who hear the page.
        let role = if self.marks.iter().any(|mark| mark.way.is_some()) {
            "group"
        } else {
            "img"
        };
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"{role}\" aria-label=\"{}: {}\">",
            escaped(self.title),
            escaped(&words)
        );
        for number in 0..=scale.steps {
            let value = scale.step.saturating_mul(number);
            let (y, class) = (scale.y(value), if number == 0 { "axis" } else { "grid" });
            let _ = write!(
                svg,
                "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{WIDTH}\" y2=\"{y}\"/><text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
                LEFT - 8,
                y + 4,
                escaped(&(self.says)(value))
            );
        }
        svg
    }

    /// The names below, the first and the last and some between.
    fn end(&self, mut svg: String, middle: impl Fn(i64) -> i64) -> String {
        let last = i64::try_from(self.marks.len()).unwrap_or(0) - 1;
        let mut places: Vec<i64> = (0..=NAMED).map(|number| last * number / NAMED).collect();
        places.dedup();
        // Where the last name ends; one that would run into it, or into the one at the end, is left out.
        let mut taken = LEFT + NAME;
        for place in places {
            let mark = usize::try_from(place)
                .ok()
                .and_then(|at| self.marks.get(at));
            let Some(mark) = mark else { continue };
            let (anchor, class) = match place {
                _ if place == last && place > 0 => ("end", ""),
                0 => ("start", ""),
                _ => ("middle", " between"),
            };
            if anchor == "middle" {
                let at = middle(place) / 100;
                if at - NAME / 2 < taken || at + NAME / 2 > WIDTH - NAME {
                    continue;
                }
                taken = at + NAME / 2;
            }
            let x = match anchor {
                "end" => (WIDTH - 2) * 100,
                "start" => LEFT * 100,
                _ => middle(place),
            };
            let _ = write!(
                svg,
                "<text class=\"tick{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                hundredths(x),
                HEIGHT - 8,
                escaped(&mark.tick)
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

fn hundredths(value: i64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: Option<i64>) -> Mark {
        Mark {
            name: "<b>".to_owned(),
            tick: "<i>".to_owned(),
            value,
            words: "\"x\"".to_owned(),
            way: None,
        }
    }

    fn chart<'a>(title: &'a str, marks: &'a [Mark]) -> Chart<'a> {
        Chart {
            title,
            marks,
            says: |value| format!("<{value}>"),
        }
    }

    #[test]
    fn words_are_escaped_and_a_gap_is_no_zero() {
        let svg = chart("a & b", &[mark(Some(3)), mark(None), mark(Some(i64::MAX))]).line();
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;"), "{svg}");
        assert!(!svg.contains("<i>") && svg.contains("&lt;0&gt;"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
        let svg = chart("t", &[mark(None), mark(Some(0)), mark(Some(-5))]).bars();
        assert_eq!(svg.matches("<rect").count(), 2);
    }

    #[test]
    fn marks_that_lead_somewhere_are_links_with_names() {
        let mut marks = [mark(Some(3)), mark(Some(4)), mark(None)];
        marks[0].way = Some("/spend?a=\"&b=c".to_owned());
        for svg in [chart("t", &marks).bars(), chart("t", &marks).line()] {
            assert_eq!(svg.matches("<a ").count(), 1, "{svg}");
            let link =
                "<a href=\"/spend?a=&quot;&amp;b=c\" aria-label=\"&lt;b&gt;: &quot;x&quot;\">";
            assert!(
                svg.contains(link) && svg.contains("role=\"group\""),
                "{svg}"
            );
        }
        assert!(chart("t", &marks[1..]).bars().contains("role=\"img\""));
    }

    #[test]
    fn names_below_do_not_run_into_each_other() {
        let marks: Vec<Mark> = (0..30).map(|_| mark(Some(1))).collect();
        for (count, named) in [(1, 1), (2, 2), (7, 4), (30, 5)] {
            let svg = chart("t", &marks[..count]).bars();
            let names = svg.matches("&lt;i&gt;").count();
            assert!(names <= named && names >= named.min(2), "{count}: {names}");
        }
    }

    #[test]
    fn nothing_draws_nothing() {
        assert!(chart("t", &[]).line().contains("no values"));
    }

    #[test]
    fn heights_at_the_axis_are_round_and_reach_the_top() {
        for (highest, step, steps) in [
            (1, 1, 1),
            (4, 1, 4),
            (5, 2, 3),
            (9, 5, 2),
            (17, 5, 4),
            (1_999, 500, 4),
        ] {
            let scale = Scale::of(&[mark(Some(highest))]);
            assert_eq!((scale.step, scale.steps), (step, steps), "{highest}");
            assert!(scale.y(highest) >= TOP);
        }
        assert_eq!(Scale::of(&[mark(Some(i64::MAX))]).y(0), BASE);
    }
}
