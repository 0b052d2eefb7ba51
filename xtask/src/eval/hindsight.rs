//! The best fixed cascade in hindsight, tried one by one over outcomes that are all known. It is chosen on what it is
//! scored on, which nobody could have done in time: a ceiling, and no result.

use super::runs::Runs;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    /// The least cost at which so many tasks are right.
    Cheapest { right: f64 },
    /// The most right tasks at no more than these dollars.
    Most { usd: f64 },
}

/// A cascade with how many tasks it gets right and what it costs in all.
#[derive(Debug, Clone)]
pub(crate) struct Best {
    pub(crate) steps: Vec<usize>,
    pub(crate) right: f64,
    usd: f64,
}

struct Search<'a> {
    runs: &'a Runs,
    wanted: Wanted,
    leak: f64,
    most_steps: usize,
    best: Option<Best>,
}

/// The best cascade of at most so many steps behind a gate with this leak.
pub(crate) fn best(runs: &Runs, wanted: Wanted, leak: f64, most_steps: usize) -> Option<Best> {
    let mut search = Search {
        runs,
        wanted,
        leak,
        most_steps,
        best: None,
    };
    let open: Vec<usize> = (0..runs.tasks.len()).collect();
    let none = Best {
        steps: Vec::new(),
        right: 0.0,
        usd: 0.0,
    };
    search.extend(&none, &open, 1.0);
    search.best
}

impl Search<'_> {
    /// Tries one more step; `goes_on` is the chance that nothing wrong was accepted so far.
    fn extend(&mut self, so_far: &Best, open: &[usize], goes_on: f64) {
        for (model, column) in self.runs.attempts.iter().enumerate() {
            if so_far.steps.contains(&model) {
                continue;
            }
            let tried = open.iter().filter_map(|task| column.get(*task));
            let usd = so_far.usd + goes_on * tried.map(|attempt| attempt.usd()).sum::<f64>();
            if self.is_beyond(usd) {
                continue;
            }
            let is_open = |task: &usize| column.get(*task).is_some_and(|attempt| !attempt.right);
            let left: Vec<usize> = open.iter().copied().filter(is_open).collect();
            if left.len() == open.len() {
                continue;
            }
            let right = so_far.right + goes_on * super::part(open.len() - left.len(), 1);
            let mut steps = so_far.steps.clone();
            steps.push(model);
            let next = Best { steps, right, usd };
            self.consider(&next);
            if next.steps.len() < self.most_steps {
                self.extend(&next, &left, goes_on * (1.0 - self.leak));
            }
        }
    }

    fn is_beyond(&self, usd: f64) -> bool {
        match self.wanted {
            Wanted::Cheapest { .. } => self.best.as_ref().is_some_and(|best| usd >= best.usd),
            Wanted::Most { usd: limit } => usd > limit,
        }
    }

    fn consider(&mut self, next: &Best) {
        let is_better = match self.wanted {
            Wanted::Cheapest { right } => next.right >= right,
            Wanted::Most { .. } => self
                .best
                .as_ref()
                .is_none_or(|best| next.right > best.right),
        };
        if is_better {
            self.best = Some(next.clone());
        }
    }
}
