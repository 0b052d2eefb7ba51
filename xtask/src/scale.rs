//! What many gateways on one ledger wait for, simulated: two rows that writers take turns at, and the groups they write.
//!
//! It is no measurement of a database. It says what follows from two figures that anybody can measure at their own: how
//! long a transaction holds its row, and how much longer for each event in it. The same figures give the same table.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use clap::Args;

/// What is simulated.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScaleArgs {
    /// Microseconds a transaction holds its row beyond its events: round trips after the lock, and the commit.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) transaction_us: u64,
    /// Microseconds more for each event or hold in it.
    #[arg(long, default_value_t = 100)]
    pub(crate) event_us: u64,
    /// Requests of one gateway in a thousand seconds.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) rate: u64,
    /// Seconds that are simulated.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u64,
    /// The longest wait of 99 requests in 100 that is good enough, in microseconds.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) good_us: u64,
}

/// How many gateways are tried.
const GATEWAYS: [usize; 7] = [1, 3, 10, 30, 100, 300, 1_000];

/// How many ledgers they are spread over.
const LEDGERS: [usize; 14] = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200];

/// How long an answer takes.
const ANSWER_US: u64 = 8_000_000;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Request(usize),
    /// A transaction at one of the rows is over.
    Committed(usize),
    Answered(usize),
}

/// What is written.
#[derive(Debug, Clone, Copy)]
enum Item {
    /// A hold on budgets, for the request that came then.
    Hold(u64),
    /// The opening event of the request that came then; its answer waits for it.
    Open(u64),
    /// What nobody waits for.
    Settle,
}

/// The books' row and the log's row.
const BOOKS: usize = 0;
const LOG: usize = 1;

/// A row that one transaction at a time holds.
struct Turns {
    holder: Option<usize>,
    queue: VecDeque<usize>,
    /// The group that each gateway wants to write, or is writing.
    groups: Vec<Vec<Item>>,
    /// What came since.
    waiting: Vec<Vec<Item>>,
    busy_us: u64,
}

impl Turns {
    fn new(gateways: usize) -> Self {
        Self {
            holder: None,
            queue: VecDeque::new(),
            groups: vec![Vec::new(); gateways],
            waiting: vec![Vec::new(); gateways],
            busy_us: 0,
        }
    }

    /// Makes a group of what waits, unless the gateway has one under way.
    fn group(&mut self, gateway: usize) {
        let (Some(group), Some(waiting)) =
            (self.groups.get_mut(gateway), self.waiting.get_mut(gateway))
        else {
            return;
        };
        if group.is_empty() && !waiting.is_empty() {
            std::mem::swap(group, waiting);
            self.queue.push_back(gateway);
        }
    }
}

/// One simulation.
struct World<'a> {
    args: &'a ScaleArgs,
    rows: [Turns; 2],
    events: BinaryHeap<Reverse<(u64, u64, Happens)>>,
    count: u64,
    state: u64,
    waits: Vec<u64>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Came {
    half_us: u64,
    most_us: u64,
    log_percent: u64,
    books_percent: u64,
}

impl World<'_> {
    fn at(&mut self, time: u64, happens: Happens) {
        self.count += 1;
        self.events.push(Reverse((time, self.count, happens)));
    }

    /// Time until the next request, spread evenly around its mean.
    fn gap(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let mean = 1_000_000_000 / self.args.rate.max(1);
        self.state % (2 * mean).max(1)
    }

    fn offer(&mut self, now: u64, row: usize, gateway: usize, item: Item) {
        if let Some(turns) = self.rows.get_mut(row) {
            if let Some(waiting) = turns.waiting.get_mut(gateway) {
                waiting.push(item);
            }
            turns.group(gateway);
        }
        self.begin(now, row);
    }

    /// Gives the row to the first in line.
    fn begin(&mut self, now: u64, row: usize) {
        let Some(turns) = self.rows.get_mut(row) else {
            return;
        };
        if turns.holder.is_some() {
            return;
        }
        let Some(gateway) = turns.queue.pop_front() else {
            return;
        };
        turns.holder = Some(gateway);
        let items = turns.groups.get(gateway).map_or(0, Vec::len) as u64;
        let lasts = self.args.transaction_us + items * self.args.event_us;
        turns.busy_us += lasts;
        self.at(now + lasts, Happens::Committed(row));
    }

    fn committed(&mut self, now: u64, row: usize) {
        let Some(turns) = self.rows.get_mut(row) else {
            return;
        };
        let Some(gateway) = turns.holder.take() else {
            return;
        };
        let items = turns.groups.get_mut(gateway).map(std::mem::take);
        turns.group(gateway);
        for item in items.unwrap_or_default() {
            match item {
                Item::Hold(came) => self.offer(now, LOG, gateway, Item::Open(came)),
                Item::Open(came) => {
                    self.waits.push(now - came);
                    self.at(now + ANSWER_US, Happens::Answered(gateway));
                }
                Item::Settle => {}
            }
        }
        self.begin(now, row);
    }

    fn happen(&mut self, now: u64, happens: Happens) {
        match happens {
            Happens::Request(gateway) => {
                let next = now + self.gap();
                self.at(next, Happens::Request(gateway));
                self.offer(now, BOOKS, gateway, Item::Hold(now));
            }
            Happens::Committed(row) => self.committed(now, row),
            Happens::Answered(gateway) => {
                self.offer(now, LOG, gateway, Item::Settle);
                self.offer(now, BOOKS, gateway, Item::Settle);
            }
        }
    }
}

fn simulate(args: &ScaleArgs, gateways: usize) -> Came {
    let mut world = World {
        args,
        rows: [Turns::new(gateways), Turns::new(gateways)],
        events: BinaryHeap::new(),
        count: 0,
        state: 0x9E37_79B9_7F4A_7C15,
        waits: Vec::new(),
    };
    for gateway in 0..gateways {
        let first = world.gap();
        world.at(first, Happens::Request(gateway));
    }
    let end = args.seconds * 1_000_000;
    while let Some(Reverse((now, _, happens))) = world.events.pop() {
        if now > end {
            break;
        }
        world.happen(now, happens);
    }
    let [books, log] = &world.rows;
    let percent = |turns: &Turns| (turns.busy_us * 100 / end.max(1)).min(100);
    world.waits.sort_unstable();
    let at = |per_cent: usize| {
        let place = (world.waits.len() * per_cent).div_ceil(100);
        let wait = world.waits.get(place.saturating_sub(1));
        wait.copied().unwrap_or(0)
    };
    Came {
        half_us: at(50),
        most_us: at(99),
        log_percent: percent(log),
        books_percent: percent(books),
    }
}

/// The fewest ledgers among which so many gateways wait no longer than is good enough.
fn ledgers(args: &ScaleArgs, gateways: usize) -> Option<usize> {
    let fits = |ledgers: &usize| {
        let each = gateways.div_ceil(*ledgers);
        simulate(args, each).most_us <= args.good_us
    };
    let possible = LEDGERS.into_iter().filter(|ledgers| *ledgers <= gateways);
    possible.into_iter().find(fits)
}

fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
}

/// The table, as the guide has it.
fn table(args: &ScaleArgs) -> String {
    let mut lines = vec![
        "| gateways | requests a second | books' row in use | log's row in use | wait, half | wait, 99 of 100 | ledgers |"
            .to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    for gateways in GATEWAYS {
        let came = simulate(args, gateways);
        let needed = ledgers(args, gateways);
        let requests = gateways as u64 * args.rate / 1_000;
        lines.push(format!(
            "| {gateways} | {requests} | {} % | {} % | {} | {} | {} |",
            came.books_percent,
            came.log_percent,
            millis(came.half_us),
            millis(came.most_us),
            needed.map_or_else(|| "–".to_owned(), |needed| needed.to_string())
        ));
    }
    lines.join("\n")
}

/// Prints the table.
pub(crate) fn run(args: &ScaleArgs) {
    println!("{}", table(args));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> ScaleArgs {
        ScaleArgs {
            transaction_us: 2_000,
            event_us: 100,
            rate: 1_000,
            seconds: 60,
            good_us: 100_000,
        }
    }

    #[test]
    fn the_guide_has_the_figures() {
        let guide = crate::run::root().join("docs/guide/scaling.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let table = table(&usual());
        assert!(guide.contains(&table), "`cargo xtask scale` says:\n{table}");
    }

    #[test]
    fn one_gateway_waits_for_two_transactions_and_many_wait_longer() {
        let one = simulate(&usual(), 1);
        assert_eq!(one.half_us, 4_200);
        let (ten, hundred) = (simulate(&usual(), 10), simulate(&usual(), 100));
        assert!(one.most_us <= ten.most_us && ten.most_us <= hundred.most_us);
        assert_eq!(simulate(&usual(), 100), hundred);
        let quick = ScaleArgs {
            transaction_us: 200,
            ..usual()
        };
        assert!(simulate(&quick, 100).most_us < hundred.most_us);
    }
}
