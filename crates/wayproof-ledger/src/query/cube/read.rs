//! Reads usage by day into a cube, in pieces, so that nothing waits for the reading.

use std::collections::BTreeMap;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Arguments as _, AssertSqlSafe, Row as _};

use super::{DayRecord, Input, MODEL, Names, PROVIDER, Patterns, SpendCube, Sum, add_input};
use crate::error::LedgerError;
use crate::ledger::Ledger;
use crate::project::DAY_US;
use crate::query::page::{Money, money};

/// Rows that are read at once.
const CHUNK: usize = 4_096;

const SELECTED: &str = "SELECT u.day, u.session, u.job, u.task, u.class, u.provider, u.model, u.source,
        COALESCE(jobs.agent, sessions.agent, ''), COALESCE(jobs.repo, sessions.repo, sessions.cwd, ''),
        COALESCE(jobs.verdict, ''), jobs.seq, u.exchanges,
        u.listed_nano_usd, u.listed_unknown, u.billed_nano_usd, u.subscription_nano_usd,
        u.input, u.cache_read, u.cache_write, u.person, u.team, u.key_name
    FROM usage_days u LEFT JOIN jobs ON jobs.id = u.job LEFT JOIN sessions ON sessions.id = u.session";

const KEY: &str = "u.day, u.session, u.job, u.task, u.class, u.provider, u.model, u.source, u.person, u.team, u.key_name";

/// In which columns the texts of the key are, in its order.
const KEYED: [usize; 10] = [1, 2, 3, 4, 5, 6, 7, 20, 21, 22];

/// Verdicts of jobs that were judged; first the one that counts.
const JUDGED: [&str; 4] = ["PROVEN", "PROVEN_WITH_GAPS", "UNPROVEN", "REFUTED"];

/// In which columns the names are.
const NAMED: [usize; 10] = [3, 4, 5, 6, 8, 9, 10, 20, 21, 22];

/// A cube while it is read.
#[derive(Default)]
struct Making {
    names: BTreeMap<String, u32>,
    places: BTreeMap<(i64, Names), u32>,
    sums: Vec<Sum>,
    days: BTreeMap<i64, DayRecord>,
    inputs: BTreeMap<(i64, [u32; 2]), Input>,
    patterns: Vec<(Vec<u32>, i64)>,
    /// A pattern with one sum more.
    longer: BTreeMap<(u32, u32), u32>,
    /// The pattern of each job.
    jobs: BTreeMap<i64, u32>,
}

/// Where a row stands, to read on behind it.
type RowKey = (i64, [String; 10]);

impl Making {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = small(self.names.len());
        self.names.insert(name.to_owned(), number);
        number
    }

    fn take(&mut self, row: &AnyRow) -> Result<(), sqlx::Error> {
        let day = row.try_get(0)?;
        let mut names = Names::default();
        for (number, column) in names.iter_mut().zip(NAMED) {
            *number = self.number(row.try_get(column)?);
        }
        let job: Option<i64> = row.try_get(11)?;
        let exchanges: i64 = row.try_get(12)?;
        let spent = money(row, 13)?;
        let next = small(self.sums.len());
        let at = *self.places.entry((day, names)).or_insert(next);
        if at == next {
            self.sums.push(Sum {
                day,
                names,
                exchanges: 0,
                money: Money::default(),
            });
        }
        if let Some(sum) = self.sums.get_mut(at as usize) {
            sum.exchanges = sum.exchanges.saturating_add(exchanges);
            sum.money.add(&spent);
        }
        let record = self.days.entry(day).or_default();
        record.day = day;
        record.exchanges = record.exchanges.saturating_add(exchanges);
        record.money.add(&spent);
        let input = Input {
            fresh: row.try_get(17)?,
            cache_read: row.try_get(18)?,
            cache_write: row.try_get(19)?,
        };
        let served = (day, [names[PROVIDER], names[MODEL]]);
        add_input(self.inputs.entry(served).or_default(), &input);
        if let Some(job) = job {
            self.spent(job, at);
        }
        Ok(())
    }

    /// A job spent in a sum.
    fn spent(&mut self, job: i64, at: u32) {
        if self.patterns.is_empty() {
            self.patterns.push((Vec::new(), 0));
        }
        let former = self.jobs.get(&job).copied().unwrap_or(0);
        let next = small(self.patterns.len());
        let pattern = match self.patterns.get(former as usize) {
            Some((sums, _)) if sums.contains(&at) => return,
            Some((sums, _)) => sums,
            None => return,
        };
        let longer = *self.longer.entry((former, at)).or_insert(next);
        if longer == next {
            let mut sums = pattern.clone();
            sums.push(at);
            self.patterns.push((sums, 0));
        }
        let mut count = |pattern: u32, change: i64| {
            if let Some((_, jobs)) = self.patterns.get_mut(pattern as usize) {
                *jobs += change;
            }
        };
        count(longer, 1);
        // Where it was counted so far; nobody is counted in the empty one.
        if former != 0 {
            count(former, -1);
        }
        self.jobs.insert(job, longer);
    }

    fn done(mut self, proven_days: BTreeMap<i64, i64>) -> SpendCube {
        let verdicts = JUDGED.map(|name| self.names.get(name).copied());
        let mut names = vec![String::new(); self.names.len()];
        for (name, number) in self.names {
            if let Some(place) = names.get_mut(number as usize) {
                *place = name;
            }
        }
        let mut patterns = Patterns::default();
        for (places, jobs) in self.patterns.iter().filter(|(_, jobs)| *jobs > 0) {
            patterns.push(places, *jobs);
        }
        for (day, proven) in proven_days {
            let record = self.days.entry(day).or_default();
            (record.day, record.proven) = (day, proven);
        }
        SpendCube {
            names,
            sums: self.sums,
            patterns,
            days: self.days,
            inputs: self.inputs,
            verdicts,
        }
    }
}

/// Names, sums and patterns are fewer than rows of a table, and those fewer than four thousand millions.
fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn row_key(row: &AnyRow) -> Result<RowKey, sqlx::Error> {
    let mut texts = [const { String::new() }; 10];
    for (text, at) in texts.iter_mut().zip(KEYED) {
        *text = row.try_get(at)?;
    }
    Ok((row.try_get(0)?, texts))
}

impl Ledger {
    /// Reads what was spent since the beginning of a day (UTC).
    ///
    /// Many small reads, so that nothing waits for this one; what is recorded meanwhile may be in it or not.
    pub async fn spend_cube(&self, since_us: i64) -> Result<SpendCube, LedgerError> {
        let first = since_us.div_euclid(DAY_US);
        let failed = || self.0.store.failed("read");
        let mut making = Making::default();
        let mut rows = self.spend_rows(first, None).await?;
        loop {
            for row in &rows {
                making.take(row).map_err(failed())?;
            }
            let Some(last) = rows.last().filter(|_| rows.len() == CHUNK) else {
                break;
            };
            let after = row_key(last).map_err(failed())?;
            rows = self.spend_rows(first, Some(after)).await?;
        }
        Ok(making.done(self.proven_days(first).await?))
    }

    async fn spend_rows(
        &self,
        first: i64,
        after: Option<RowKey>,
    ) -> Result<Vec<AnyRow>, LedgerError> {
        let mut arguments = AnyArguments::default();
        let mut bound = Ok(());
        let condition = match after {
            None => {
                bound = bound.and(arguments.add(first));
                "u.day >= $1".to_owned()
            }
            Some((day, texts)) => {
                bound = bound.and(arguments.add(day));
                for text in texts {
                    bound = bound.and(arguments.add(text));
                }
                format!("({KEY}) > ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
            }
        };
        let sql = format!("{SELECTED} WHERE {condition} ORDER BY {KEY} LIMIT {CHUNK}");
        let rows = match bound {
            Ok(()) => {
                sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .fetch_all(&self.0.readers)
                    .await
            }
            Err(error) => Err(sqlx::Error::Encode(error)),
        };
        rows.map_err(self.0.store.failed("read"))
    }

    async fn proven_days(&self, first: i64) -> Result<BTreeMap<i64, i64>, LedgerError> {
        const SQL: &str = "SELECT closed_us / 86400000000 AS day, COUNT(*) FROM jobs
            WHERE verdict = 'PROVEN' AND closed_us >= $1 GROUP BY 1";
        let failed = || self.0.store.failed("read");
        let rows = sqlx::query(SQL)
            .bind(first.saturating_mul(DAY_US))
            .fetch_all(&self.0.readers)
            .await
            .map_err(failed())?;
        let read = |row: &AnyRow| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(|row| read(row).map_err(failed())).collect()
    }
}
