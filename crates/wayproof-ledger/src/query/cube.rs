//! Spend added up once, for every question that pages ask of it.
//!
//! Reading what a large ledger spent takes longer than a page may, so it is read once for all of them: sums by day,
//! task, class, provider, model, agent, repository, verdict, person, team and key, of which any fewer dimensions are
//! added up in memory.
//! Sums of money add up, counts of jobs do not: a job that spent in two sums is one job. So it is also kept how many
//! jobs spent in just which sums. What is kept grows with how different jobs are, not with how many there are.

mod read;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::page::{Money, add};
use crate::project::DAY_US;

/// What spend is laid out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrossBy {
    /// The policy's rows.
    Task,
    /// Classes.
    Class,
    /// Providers.
    Provider,
    /// Models, with their provider.
    Model,
    /// Agents.
    Agent,
    /// Repositories.
    Repo,
    /// People whose keys were shown.
    Person,
    /// Their teams; who is in several is a name of its own.
    Team,
    /// Keys of the gateway, by name.
    Key,
    /// Verdicts of the jobs.
    Verdict,
    /// Days (UTC), as their number since 1970.
    Day,
}

/// Spend where two dimensions cross.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpendCell {
    /// The names along both; empty where there is none.
    pub names: [String; 2],
    /// Requests settled.
    pub exchanges: i64,
    /// What they cost.
    pub money: Money,
    /// Jobs that took part.
    pub jobs: i64,
    /// Those of them whose last verdict is PROVEN.
    pub proven: i64,
}

/// One day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DayRecord {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Requests settled.
    pub exchanges: i64,
    /// What they cost.
    pub money: Money,
    /// Jobs closed on that day with the verdict PROVEN.
    pub proven: i64,
}

/// How a model did at one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskFit {
    /// The policy's row.
    pub task: String,
    /// Who served it.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Jobs it took part in that were judged.
    pub judged: i64,
    /// Those of them that ended PROVEN.
    pub proven: i64,
    /// What it cost, over all its jobs at that task.
    pub money: Money,
}

impl TaskFit {
    /// The share of judged jobs that ended PROVEN, in per mille; unknown without any.
    pub fn proven_pm(&self) -> Option<i64> {
        self.proven.checked_mul(1_000)?.checked_div(self.judged)
    }

    /// Listed money for each job that ended PROVEN.
    pub fn listed_per_proven_nano_usd(&self) -> Option<i64> {
        self.money.listed_nano_usd?.checked_div(self.proven)
    }
}

/// Tokens that were asked with, in disjoint buckets; unknown where no provider told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Read anew.
    pub fresh: Option<i64>,
    /// Read from a cache.
    pub cache_read: Option<i64>,
    /// Written to a cache.
    pub cache_write: Option<i64>,
}

/// What one model was asked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelInput {
    /// Who served it.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The tokens.
    pub input: Input,
}

/// A name by its number, along each dimension that is a text.
type Names = [u32; 10];

const TASK: usize = 0;
const CLASS: usize = 1;
const PROVIDER: usize = 2;
const MODEL: usize = 3;
const AGENT: usize = 4;
const REPO: usize = 5;
const VERDICT: usize = 6;
const PERSON: usize = 7;
const TEAM: usize = 8;
const KEY: usize = 9;

#[derive(Debug)]
struct Sum {
    day: i64,
    names: Names,
    exchanges: i64,
    money: Money,
}

/// Which sums jobs spent in, and how many jobs spent in just these, one after the other.
#[derive(Debug, Default)]
struct Patterns {
    places: Vec<u32>,
    /// Where each one ends, and its jobs.
    ends: Vec<(usize, i64)>,
}

impl Patterns {
    fn push(&mut self, places: &[u32], jobs: i64) {
        self.places.extend_from_slice(places);
        self.ends.push((self.places.len(), jobs));
    }

    fn iter(&self) -> impl Iterator<Item = (&[u32], i64)> {
        let mut begin = 0;
        self.ends.iter().map(move |&(end, jobs)| {
            let places = self.places.get(begin..end).unwrap_or_default();
            begin = end;
            (places, jobs)
        })
    }
}

/// Spend since a day, by all dimensions.
#[derive(Debug)]
pub struct SpendCube {
    names: Vec<String>,
    sums: Vec<Sum>,
    patterns: Patterns,
    days: BTreeMap<i64, DayRecord>,
    /// By day, provider and model.
    inputs: BTreeMap<(i64, [u32; 2]), Input>,
    /// The numbers of the verdicts of jobs that were judged, if any job has them; first of the one that counts.
    verdicts: [Option<u32>; 4],
}

/// What fell together along the dimensions asked for.
#[derive(Debug, Default)]
struct Group {
    exchanges: i64,
    money: Money,
    jobs: i64,
    judged: i64,
    proven: i64,
}

fn add_input(sum: &mut Input, part: &Input) {
    add(&mut sum.fresh, part.fresh);
    add(&mut sum.cache_read, part.cache_read);
    add(&mut sum.cache_write, part.cache_write);
}

impl SpendCube {
    /// Spend of these days (UTC) by two dimensions, the dearest first, at most `limit` rows.
    pub fn by_two(
        &self,
        by: [CrossBy; 2],
        days: &RangeInclusive<i64>,
        limit: usize,
    ) -> Vec<SpendCell> {
        let groups = self.grouped(days, |sum| Some([place(sum, by[0]), place(sum, by[1])]));
        let mut cells: Vec<SpendCell> = groups
            .into_iter()
            .map(|([one, two], group)| SpendCell {
                names: [self.name_at(one, by[0]), self.name_at(two, by[1])],
                exchanges: group.exchanges,
                money: group.money,
                jobs: group.jobs,
                proven: group.proven,
            })
            .collect();
        cells.sort_by(|one, other| {
            let listed = |cell: &SpendCell| cell.money.listed_nano_usd.unwrap_or(0);
            let dearer = listed(other).cmp(&listed(one));
            dearer.then_with(|| one.names.cmp(&other.names))
        });
        cells.truncate(limit);
        cells
    }

    /// How each model did at each task, since the beginning of a day (UTC).
    pub fn task_fit(&self, since_us: i64) -> Vec<TaskFit> {
        let days = since_us.div_euclid(DAY_US)..=i64::MAX;
        let groups = self.grouped(&days, |sum| {
            let named = [TASK, PROVIDER, MODEL].map(|at| sum.names[at]);
            let is_empty = |number: u32| self.name(number).is_empty();
            (!is_empty(named[0]) && !is_empty(named[2])).then_some(named)
        });
        let mut fits: Vec<TaskFit> = groups
            .into_iter()
            .map(|([task, provider, model], group)| TaskFit {
                task: self.name(task).to_owned(),
                provider: self.name(provider).to_owned(),
                model: self.name(model).to_owned(),
                judged: group.judged,
                proven: group.proven,
                money: group.money,
            })
            .collect();
        fits.sort_by(|one, other| {
            let key = |fit: &TaskFit| (fit.task.clone(), fit.provider.clone(), fit.model.clone());
            key(one).cmp(&key(other))
        });
        fits
    }

    /// What each model was asked with on these days (UTC), by its name.
    pub fn input(&self, days: &RangeInclusive<i64>) -> Vec<ModelInput> {
        let mut models: BTreeMap<[u32; 2], Input> = BTreeMap::new();
        let of_these = self
            .inputs
            .iter()
            .filter(|((day, _), _)| days.contains(day));
        for ((_, named), input) in of_these {
            add_input(models.entry(*named).or_default(), input);
        }
        let mut models: Vec<ModelInput> = models
            .into_iter()
            .filter(|([_, model], _)| !self.name(*model).is_empty())
            .map(|([provider, model], input)| ModelInput {
                provider: self.name(provider).to_owned(),
                model: self.name(model).to_owned(),
                input,
            })
            .collect();
        models.sort_by(|one, other| {
            (&one.provider, &one.model).cmp(&(&other.provider, &other.model))
        });
        models
    }

    /// Spend and proven changes of each of these days, oldest first; days without either are left out.
    pub fn days(&self, days: &RangeInclusive<i64>) -> Vec<DayRecord> {
        let of_these = self
            .days
            .values()
            .filter(|record| days.contains(&record.day));
        of_these.cloned().collect()
    }

    /// Adds up what has the same key; what has none is left out.
    fn grouped<K: Copy + Ord>(
        &self,
        days: &RangeInclusive<i64>,
        key: impl Fn(&Sum) -> Option<K>,
    ) -> Vec<(K, Group)> {
        const NONE: usize = usize::MAX;
        let mut numbers: BTreeMap<K, usize> = BTreeMap::new();
        let mut groups: Vec<(K, Group)> = Vec::new();
        let mut places = Vec::with_capacity(self.sums.len());
        for sum in &self.sums {
            let key = days.contains(&sum.day).then(|| key(sum)).flatten();
            let Some(key) = key else {
                places.push(NONE);
                continue;
            };
            let number = *numbers.entry(key).or_insert(groups.len());
            if number == groups.len() {
                groups.push((key, Group::default()));
            }
            places.push(number);
            if let Some((_, group)) = groups.get_mut(number) {
                group.exchanges = group.exchanges.saturating_add(sum.exchanges);
                group.money.add(&sum.money);
            }
        }
        let mut taken: Vec<usize> = Vec::new();
        for (pattern, jobs) in self.patterns.iter() {
            taken.clear();
            taken.extend(pattern.iter().filter_map(|&at| places.get(at as usize)));
            if taken.len() > 1 {
                taken.sort_unstable();
                taken.dedup();
            }
            // A job has one verdict, wherever it spent.
            let sum = pattern.first().and_then(|&at| self.sums.get(at as usize));
            let verdict = sum.map(|sum| sum.names[VERDICT]);
            let is_judged = verdict.is_some() && self.verdicts.contains(&verdict);
            let is_proven = is_judged && self.verdicts[0] == verdict;
            for &number in &taken {
                if let Some((_, group)) = groups.get_mut(number) {
                    group.jobs += jobs;
                    group.judged += if is_judged { jobs } else { 0 };
                    group.proven += if is_proven { jobs } else { 0 };
                }
            }
        }
        groups
    }

    fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    /// The name of a place along a dimension.
    fn name_at(&self, place: [i64; 2], by: CrossBy) -> String {
        let name = |number: i64| self.name(u32::try_from(number).unwrap_or(u32::MAX));
        match by {
            CrossBy::Day => place[0].to_string(),
            CrossBy::Model => format!("{}/{}", name(place[0]), name(place[1])),
            CrossBy::Task
            | CrossBy::Class
            | CrossBy::Provider
            | CrossBy::Agent
            | CrossBy::Repo
            | CrossBy::Person
            | CrossBy::Team
            | CrossBy::Key
            | CrossBy::Verdict => name(place[0]).to_owned(),
        }
    }
}

/// Where a sum is along a dimension.
fn place(sum: &Sum, by: CrossBy) -> [i64; 2] {
    let one = |at: usize| [i64::from(sum.names[at]), 0];
    match by {
        CrossBy::Task => one(TASK),
        CrossBy::Class => one(CLASS),
        CrossBy::Provider => one(PROVIDER),
        CrossBy::Model => [PROVIDER, MODEL].map(|at| i64::from(sum.names[at])),
        CrossBy::Agent => one(AGENT),
        CrossBy::Repo => one(REPO),
        CrossBy::Person => one(PERSON),
        CrossBy::Team => one(TEAM),
        CrossBy::Key => one(KEY),
        CrossBy::Verdict => one(VERDICT),
        CrossBy::Day => [sum.day, 0],
    }
}
