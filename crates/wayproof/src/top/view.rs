//! Which jobs are shown, and in which order. No terminal, so that it can be tested.

use super::look::{Job, Snapshot};
use crate::cli::TopSort;

/// What a person chose.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) sort: TopSort,
    pub(super) is_turned: bool,
    pub(super) filter: String,
}

/// A filter longer than this is nobody's.
const MOST_FILTER: usize = 80;

impl View {
    pub(super) fn new(sort: TopSort, filter: &str) -> Self {
        let mut view = Self {
            sort,
            is_turned: false,
            filter: String::new(),
        };
        filter.chars().for_each(|c| view.type_in(c));
        view
    }

    /// Goes on to the next column.
    pub(super) fn next_sort(&mut self) {
        self.sort = match self.sort {
            TopSort::Last => TopSort::Spend,
            TopSort::Spend => TopSort::Task,
            TopSort::Task => TopSort::Class,
            TopSort::Class => TopSort::Proof,
            TopSort::Proof => TopSort::Turns,
            TopSort::Turns => TopSort::Last,
        };
    }

    pub(super) fn sort_name(&self) -> &'static str {
        match self.sort {
            TopSort::Last => "last",
            TopSort::Spend => "spend",
            TopSort::Task => "task",
            TopSort::Class => "class",
            TopSort::Proof => "proof",
            TopSort::Turns => "turns",
        }
    }

    /// Adds a letter to the filter.
    pub(super) fn type_in(&mut self, c: char) {
        if !c.is_control() && self.filter.chars().count() < MOST_FILTER {
            self.filter.push(c);
        }
    }

    /// The jobs to show. Jobs that are alike stay in the order in which something happened in them.
    pub(super) fn jobs<'s>(&self, seen: &'s Snapshot) -> Vec<&'s Job> {
        let mut jobs: Vec<&Job> = seen
            .jobs
            .iter()
            .filter(|job| self.filter.is_empty() || job.has(&self.filter))
            .collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.last_us));
        match self.sort {
            TopSort::Last => {}
            TopSort::Spend => jobs.sort_by_key(|job| std::cmp::Reverse(job.listed_nano_usd)),
            TopSort::Task => jobs.sort_by(|one, other| one.task.cmp(&other.task)),
            TopSort::Class => jobs.sort_by(|one, other| one.class.cmp(&other.class)),
            TopSort::Proof => jobs.sort_by(|one, other| one.verdict.cmp(&other.verdict)),
            TopSort::Turns => jobs.sort_by_key(|job| std::cmp::Reverse(job.turns)),
        }
        if self.is_turned {
            jobs.reverse();
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, task: &str, listed: Option<i64>, last_us: i64) -> Job {
        Job {
            id: id.to_owned(),
            task: Some(task.to_owned()),
            listed_nano_usd: listed,
            last_us,
            ..Job::default()
        }
    }

    fn ids(view: &View, seen: &Snapshot) -> Vec<String> {
        view.jobs(seen)
            .into_iter()
            .map(|job| job.id.clone())
            .collect()
    }

    #[test]
    fn jobs_are_sorted_turned_and_filtered() {
        let seen = Snapshot {
            jobs: vec![
                job("a", "migration", None, 3),
                job("b", "bug-fix", Some(5), 1),
                job("c", "bug-fix", Some(9), 2),
            ],
            ..Snapshot::default()
        };
        let mut view = View::new(TopSort::Last, "");
        assert_eq!(ids(&view, &seen), ["a", "c", "b"]);
        view.next_sort();
        assert_eq!(
            ids(&view, &seen),
            ["c", "b", "a"],
            "an unknown price is no high one"
        );
        view.is_turned = true;
        assert_eq!(ids(&view, &seen), ["a", "b", "c"]);
        let view = View::new(TopSort::Task, "BUG\u{1b}");
        assert_eq!(ids(&view, &seen), ["c", "b"]);
        assert!(ids(&View::new(TopSort::Turns, "nothing"), &seen).is_empty());
    }
}
