//! Spend by any two dimensions is what adding up exchange by exchange gives, over more rows than are read at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use wayproof_ledger::{
    Cost, CrossBy, Event, EventBody, Input, JobClosed, JobOpened, Ledger, MadeBy, Money, SpendCell,
    TaskFit,
};
use wayproof_receipt::Verdict;

use crate::engine::Place;
use crate::fixture::{NOON_US, about, settled};
use crate::on_both;

on_both! {
    any_two_dimensions_add_up_to_what_was_recorded
}

const DAY_US: i64 = 86_400_000_000;
const ALL: [CrossBy; 11] = [
    CrossBy::Task,
    CrossBy::Class,
    CrossBy::Provider,
    CrossBy::Model,
    CrossBy::Agent,
    CrossBy::Repo,
    CrossBy::Verdict,
    CrossBy::Person,
    CrossBy::Team,
    CrossBy::Key,
    CrossBy::Day,
];
const JOBS: i64 = 1_500;

/// What one exchange should be found by.
#[derive(Debug)]
struct Told {
    day: i64,
    job: Option<i64>,
    task: String,
    class: String,
    model: String,
    listed: Option<i64>,
    by: MadeBy,
}

impl Told {
    /// Deterministic and uneven: jobs over up to three days, two classes and three models, some without a price.
    fn of(job: i64, turn: i64) -> Self {
        let mixed = (job * 31 + turn * 17) % 101;
        Self {
            day: NOON_US / DAY_US - (job % 40) - (mixed % 3),
            job: (job % 50 != 0).then_some(job),
            task: ["bug-fix", "migration", ""][usize::try_from(job % 3).expect("a small number")]
                .to_owned(),
            class: ["fast", "strong"][usize::try_from(mixed % 2).expect("a small number")]
                .to_owned(),
            model: format!("m{}", mixed % 3),
            listed: (mixed % 7 != 0).then_some(mixed * 1_000 + job),
            by: MadeBy {
                key: (job % 4 != 0).then(|| format!("key-{}", job % 3)),
                person: (job % 4 == 1).then(|| format!("person-{}", mixed % 2)),
                teams: ["core", "web"][..usize::try_from(job % 3).expect("a small number")]
                    .iter()
                    .map(|team| (*team).to_owned())
                    .collect(),
            },
        }
    }

    fn name(&self, by: CrossBy) -> String {
        let of_job = |name: fn(i64) -> String| self.job.map(name).unwrap_or_default();
        match by {
            CrossBy::Task => self.task.clone(),
            CrossBy::Class => self.class.clone(),
            CrossBy::Provider => "anthropic".to_owned(),
            CrossBy::Model => format!("anthropic/{}", self.model),
            CrossBy::Agent => of_job(agent),
            CrossBy::Repo => of_job(repo),
            CrossBy::Verdict => of_job(|job| verdict(job).map_or("", Verdict::name).to_owned()),
            CrossBy::Person => self.by.person.clone().unwrap_or_default(),
            CrossBy::Team => self.by.team().unwrap_or_default(),
            CrossBy::Key => self.by.key.clone().unwrap_or_default(),
            CrossBy::Day => self.day.to_string(),
        }
    }
}

fn agent(job: i64) -> String {
    format!("agent-{}", job % 4)
}

fn repo(job: i64) -> String {
    format!("repo-{}", job % 9)
}

fn verdict(job: i64) -> Option<Verdict> {
    match job % 5 {
        0 | 1 => Some(Verdict::Proven),
        2 => Some(Verdict::Refuted),
        _ => None,
    }
}

/// Every day that there is.
const EVER: RangeInclusive<i64> = 0..=i64::MAX;

fn expected(told: &[Told], by: [CrossBy; 2], days: &RangeInclusive<i64>) -> Vec<SpendCell> {
    let mut cells: BTreeMap<[String; 2], (i64, Money, BTreeSet<i64>)> = BTreeMap::new();
    for one in told.iter().filter(|one| days.contains(&one.day)) {
        let (exchanges, money, jobs) = cells.entry(by.map(|by| one.name(by))).or_default();
        *exchanges += 1;
        money.listed_unknown += i64::from(one.listed.is_none());
        if let Some(listed) = one.listed {
            *money.listed_nano_usd.get_or_insert(0) += listed;
        }
        jobs.extend(one.job);
    }
    let mut cells: Vec<SpendCell> = cells
        .into_iter()
        .map(|(names, (exchanges, money, jobs))| {
            let proven = jobs.iter().filter(|job| is_proven(**job));
            SpendCell {
                names,
                exchanges,
                money,
                proven: i64::try_from(proven.count()).expect("a small number"),
                jobs: i64::try_from(jobs.len()).expect("a small number"),
            }
        })
        .collect();
    // By their names already.
    cells.sort_by_key(|cell| std::cmp::Reverse(cell.money.listed_nano_usd.unwrap_or(0)));
    cells
}

fn is_proven(job: i64) -> bool {
    verdict(job) == Some(Verdict::Proven)
}

/// Records them all.
fn record(ledger: &Ledger) -> Vec<Told> {
    let mut all = Vec::new();
    let note = |job: Option<i64>, at_us: i64, body: EventBody| {
        let id = ledger.ids().next().to_string();
        let job = job.map(|job| format!("job-{job}"));
        let about = about("s", job.as_deref(), Some(&id));
        let event = Event {
            at_us,
            ..ledger.event(about, body)
        };
        ledger.note(&event).expect("recorded");
    };
    for job in 0..JOBS {
        let opened = JobOpened {
            task: "bug-fix".to_owned(),
            agent: Some(agent(job)),
            repo: Some(repo(job)),
            ..JobOpened::default()
        };
        let is_job = Told::of(job, 0).job.is_some();
        if is_job {
            note(Some(job), NOON_US, EventBody::JobOpened(opened));
        }
        for turn in 0..5 {
            let told = Told::of(job, turn);
            let cost = Cost {
                listed_nano_usd: told.listed,
                ..Cost::default()
            };
            let mut body = settled(&told.task, &told.class, &told.model, cost);
            if let EventBody::ExchangeSettled(settled) = &mut body {
                settled.by = told.by.clone();
            }
            note(told.job, told.day * DAY_US + 5, body);
            all.push(told);
        }
        if let Some(verdict) = verdict(job).filter(|_| is_job) {
            let closed = JobClosed {
                verdict: Some(verdict),
                why: None,
            };
            note(Some(job), NOON_US, EventBody::JobClosed(closed));
        }
    }
    all
}

async fn any_two_dimensions_add_up_to_what_was_recorded(place: Place) {
    let ledger = place.open().await;
    let all = record(&ledger);
    ledger.flush().await.expect("flushed");
    let cube = ledger.spend_cube(0).await.expect("read");
    let today = NOON_US / DAY_US;
    #[expect(clippy::reversed_empty_ranges, reason = "no day is asked for")]
    for days in [EVER, today - 7..=i64::MAX, today - 9..=today - 8, 1..=0] {
        for one in ALL {
            for two in ALL {
                let cells = cube.by_two([one, two], &days, usize::MAX);
                assert_eq!(cells, expected(&all, [one, two], &days), "{one:?} {two:?}");
            }
        }
    }
    let late = ledger.spend_cube((today - 7) * DAY_US).await.expect("read");
    let by = [CrossBy::Model, CrossBy::Day];
    assert_eq!(
        late.by_two(by, &EVER, usize::MAX),
        expected(&all, by, &(today - 7..=i64::MAX))
    );
    assert_eq!(cube.by_two(by, &EVER, 3), expected(&all, by, &EVER)[..3]);
    the_rest_fits(&all, &cube.task_fit(0));
    // Each answer read 1,200 tokens anew, 40,000 from a cache, and wrote 900.
    for model in cube.input(&EVER) {
        let told = all.iter().filter(|told| told.model == model.model);
        let answers = i64::try_from(told.count()).expect("a small number");
        let of = |tokens: i64| Some(tokens * answers);
        let input = Input {
            fresh: of(1_200),
            cache_read: of(40_000),
            cache_write: of(900),
        };
        assert_eq!((model.provider.as_str(), model.input), ("anthropic", input));
    }
    let days = cube.days(&EVER);
    let proven: i64 = days.iter().map(|day| day.proven).sum();
    let closed = (0..JOBS).filter(|job| job % 50 != 0 && is_proven(*job));
    assert_eq!(
        proven,
        i64::try_from(closed.count()).expect("a small number")
    );
    assert_eq!(
        days.iter().map(|day| day.exchanges).sum::<i64>(),
        JOBS * 5,
        "a day holds each exchange once"
    );
    ledger.close().await.expect("closed");
}

/// Fits are what tasks and models say, without those that have no task.
fn the_rest_fits(all: &[Told], fits: &[TaskFit]) {
    let expected = expected(all, [CrossBy::Task, CrossBy::Model], &EVER);
    let expected = expected.iter().filter(|cell| !cell.names[0].is_empty());
    let expected: BTreeMap<_, _> = expected.map(|cell| (cell.names.clone(), cell)).collect();
    assert_eq!(fits.len(), expected.len());
    for fit in fits {
        let names = [fit.task.clone(), format!("{}/{}", fit.provider, fit.model)];
        let cell = expected.get(&names).expect("it was recorded");
        assert_eq!((fit.proven, fit.money), (cell.proven, cell.money));
        assert!(fit.judged > fit.proven && fit.judged < cell.jobs, "{fit:?}");
    }
}
