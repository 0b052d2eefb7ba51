//! The screen: what is drawn, and what keys do. Dropping it gives the terminal back.

use anyhow::{Context as _, Result};
use ratatui::{
    DefaultTerminal, Frame,
    crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    layout::{Constraint, Layout},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Cell, Paragraph, Row, Table, TableState},
};

use super::{
    look::{BUDGET_HEAD, BudgetSeen, HEAD, Job, Snapshot},
    view::View,
};

/// Budgets that have room below the jobs.
const MOST_BUDGETS: usize = 5;
/// From here on a budget is near its limit.
const NEAR_PERCENT: i64 = 80;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    On,
    Quit,
}

/// The terminal, for as long as it is ours.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    board: Board,
}

/// What is drawn and how it answers to keys.
#[derive(Debug)]
pub(super) struct Board {
    view: View,
    state: TableState,
    is_typing: bool,
    has_colour: bool,
}

impl Screen {
    /// Takes the terminal over; a panic gives it back, too.
    pub(super) fn open(view: View, has_colour: bool) -> Result<Self> {
        let terminal = ratatui::try_init().context("taking over the terminal")?;
        Ok(Self {
            terminal,
            board: Board::new(view, has_colour),
        })
    }

    pub(super) fn draw(&mut self, seen: &Snapshot) -> Result<()> {
        let board = &mut self.board;
        let drawn = self.terminal.draw(|frame| board.draw(frame, seen));
        drawn.map(|_| ()).context("drawing")
    }

    pub(super) fn handle(&mut self, event: &Event, seen: &Snapshot) -> Step {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.board.press(*key, seen),
            _ => Step::On,
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nobody to tell once the terminal is gone.
        drop(ratatui::try_restore());
    }
}

impl Board {
    pub(super) fn new(view: View, has_colour: bool) -> Self {
        Self {
            view,
            state: TableState::default(),
            is_typing: false,
            has_colour,
        }
    }

    pub(super) fn press(&mut self, key: KeyEvent, seen: &Snapshot) -> Step {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if is_control => return Step::Quit,
            KeyCode::Enter if self.is_typing => self.is_typing = false,
            KeyCode::Backspace if self.is_typing => drop(self.view.filter.pop()),
            KeyCode::Esc => {
                self.is_typing = false;
                self.view.filter.clear();
            }
            KeyCode::Char(c) if self.is_typing => self.view.type_in(c),
            KeyCode::Char('q') => return Step::Quit,
            KeyCode::Char('s') => self.view.next_sort(),
            KeyCode::Char('r') => self.view.is_turned = !self.view.is_turned,
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Down | KeyCode::Char('j') => self.walk(1, seen),
            KeyCode::Up | KeyCode::Char('k') => self.walk(-1, seen),
            _ => {}
        }
        Step::On
    }

    fn walk(&mut self, by: isize, seen: &Snapshot) {
        let last = self.view.jobs(seen).len().saturating_sub(1);
        let at = self
            .state
            .selected()
            .map_or(0, |at| at.saturating_add_signed(by));
        self.state.select(Some(at.min(last)));
    }

    fn style(&self, style: Style) -> Style {
        if self.has_colour {
            return style;
        }
        // Weight and inversion say what colours would.
        Style::default().add_modifier(style.add_modifier)
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, seen: &Snapshot) {
        let budgets = seen.budgets.len().min(MOST_BUDGETS);
        let room = if budgets == 0 { 0 } else { budgets + 1 };
        let room = u16::try_from(room).unwrap_or_default();
        let parts = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(3),
            Constraint::Length(room),
            Constraint::Length(1),
        ]);
        let [top, middle, below, bottom] = parts.areas(frame.area());
        let jobs = self.view.jobs(seen);
        frame.render_widget(Paragraph::new(self.title(seen, jobs.len())), top);
        let rows: Vec<Row<'_>> = jobs.iter().map(|job| self.job(job, seen.at_us)).collect();
        if rows.is_empty() {
            let words = if self.view.filter.is_empty() {
                "No job is being worked on."
            } else {
                "No job fits the filter."
            };
            frame.render_widget(Paragraph::new(words), middle);
        } else {
            let widths = [14, 10, 28, 22, 13, 16, 6, 8].map(Constraint::Max);
            let head = Row::new(HEAD).style(self.style(Style::new().bold()));
            let chosen = self.style(Style::new().reversed());
            let table = Table::new(rows, widths)
                .header(head)
                .row_highlight_style(chosen);
            frame.render_stateful_widget(table, middle, &mut self.state);
        }
        if budgets > 0 {
            let rows = seen
                .budgets
                .iter()
                .take(budgets)
                .map(|one| self.budget(one));
            let widths = [40, 8, 14, 14, 8].map(Constraint::Max);
            let head = Row::new(BUDGET_HEAD).style(self.style(Style::new().bold()));
            frame.render_widget(Table::new(rows, widths).header(head), below);
        }
        frame.render_widget(Paragraph::new(self.keys()), bottom);
    }

    fn title(&self, seen: &Snapshot, shown: usize) -> Line<'static> {
        let order = if self.view.is_turned { ", turned" } else { "" };
        let mut spans = vec![
            Span::styled("wayproof", self.style(Style::new().bold())),
            Span::raw(format!(
                "  {shown} of {} jobs in flight, by {}{order}",
                seen.jobs.len(),
                self.view.sort_name()
            )),
        ];
        if let Some(problem) = &seen.problem {
            let red = self.style(Style::new().fg(Color::Red).bold());
            spans.push(Span::styled(format!("  {problem}"), red));
        }
        Line::from(spans)
    }

    fn keys(&self) -> String {
        if self.is_typing || !self.view.filter.is_empty() {
            let mark = if self.is_typing { "_" } else { "" };
            return format!("filter: {}{mark}   Esc takes it off", self.view.filter);
        }
        "q quit   s sort   r turn   / filter   ↑↓ move".to_owned()
    }

    fn job(&self, job: &Job, now_us: i64) -> Row<'static> {
        let colour = match job.verdict.as_deref() {
            Some("PROVEN") => Color::Green,
            Some("PROVEN_WITH_GAPS") => Color::Yellow,
            Some("REFUTED") => Color::Red,
            _ => Color::Reset,
        };
        let cells = job.cells(now_us).into_iter().enumerate().map(|(at, text)| {
            let style = match at {
                3 if job.cause.is_some() => Style::new().fg(Color::Yellow),
                5 => Style::new().fg(colour).add_modifier(Modifier::BOLD),
                _ => Style::default(),
            };
            Cell::new(text).style(self.style(style))
        });
        Row::new(cells.collect::<Vec<_>>())
    }

    fn budget(&self, budget: &BudgetSeen) -> Row<'static> {
        let style = if budget.percent >= NEAR_PERCENT {
            Style::new().fg(Color::Red).bold()
        } else {
            Style::default()
        };
        Row::new(budget.cells()).style(self.style(style))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::cli::TopSort;

    fn seen() -> Snapshot {
        let job = |id: &str, task: &str, verdict: Option<&str>| Job {
            id: id.to_owned(),
            task: Some(task.to_owned()),
            class: Some("strong".to_owned()),
            cause: Some("test-failure".to_owned()),
            listed_nano_usd: Some(31_000_000),
            verdict: verdict.map(str::to_owned),
            ..Job::default()
        };
        Snapshot {
            jobs: vec![
                job("a", "bug-fix", Some("PROVEN")),
                job("b", "a\u{1b}[2J\u{202e}task", None),
            ],
            budgets: vec![BudgetSeen {
                subject: "team:core".to_owned(),
                percent: 91,
                ..BudgetSeen::default()
            }],
            ..Snapshot::default()
        }
    }

    fn drawn(board: &mut Board, seen: &Snapshot, (width, height): (u16, u16)) -> (String, bool) {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| board.draw(frame, seen)).unwrap();
        let buffer = terminal.backend().buffer();
        let text = buffer
            .content()
            .iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect();
        let has_colour = buffer.content().iter().any(|cell| cell.fg != Color::Reset);
        (text, has_colour)
    }

    #[test]
    fn jobs_and_budgets_are_drawn_and_steer_nothing() {
        let seen = seen();
        let mut board = Board::new(View::new(TopSort::Last, ""), true);
        let (text, has_colour) = drawn(&mut board, &seen, (120, 20));
        for word in [
            "bug-fix",
            "PROVEN",
            "test-failure",
            "$0.031000",
            "team:core",
            "91 %",
            "2 of 2 jobs",
        ] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(has_colour);
        let (_, has_colour) = drawn(
            &mut Board::new(View::new(TopSort::Last, ""), false),
            &seen,
            (120, 20),
        );
        assert!(!has_colour, "NO_COLOR");
        for size in [(1, 1), (20, 3), (40, 5), (300, 2)] {
            drawn(&mut board, &seen, size);
        }
    }

    #[test]
    fn keys_do_what_they_say() {
        let seen = seen();
        let mut board = Board::new(View::new(TopSort::Last, ""), true);
        let press = |board: &mut Board, code| board.press(KeyEvent::from(code), &seen);
        for key in "/bug-".chars() {
            assert_eq!(press(&mut board, KeyCode::Char(key)), Step::On);
        }
        press(&mut board, KeyCode::Backspace);
        assert_eq!(board.view.filter, "bug");
        assert_eq!(
            press(&mut board, KeyCode::Char('q')),
            Step::On,
            "a letter of the filter"
        );
        press(&mut board, KeyCode::Esc);
        assert_eq!(board.view.filter, "");
        press(&mut board, KeyCode::Char('s'));
        assert_eq!(board.view.sort_name(), "spend");
        for _ in 0..5 {
            press(&mut board, KeyCode::Down);
        }
        assert_eq!(board.state.selected(), Some(1), "it stops at the last one");
        assert_eq!(press(&mut board, KeyCode::Char('q')), Step::Quit);
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(board.press(interrupt, &seen), Step::Quit);
    }
}
