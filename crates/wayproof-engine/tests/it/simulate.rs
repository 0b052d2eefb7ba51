//! Backtests: exact where all is known, a range where it is not, and one sentence for what cannot be read.

use std::fmt::Write;

use proptest::{prelude::*, sample::select};
use rstest::rstest;
use wayproof_engine::{
    Cascade, Keep, NotACascade, Outcome, Outcomes, Share, backtest, read_outcomes,
};

const HEAD: &str = "instance_id,model,resolved,cost_usd\n";

fn read(rows: &str) -> Outcomes {
    read_outcomes(&format!("{HEAD}{rows}"), &[]).unwrap()
}

fn cascade(text: &str) -> Cascade {
    text.parse().unwrap()
}

fn leak(text: &str) -> Share {
    text.parse().unwrap()
}

#[test]
fn the_first_right_attempt_ends_a_task_and_all_attempts_are_paid() {
    let outcomes = read(
        "a,small,1,0.1\na,large,1,1\nb,small,0,0.2\nb,large,1,2\nc,small,0,0.3\nc,large,0,3\n",
    );
    let result = backtest(&outcomes, &cascade("small > large")).unwrap();
    assert_eq!(
        (result.tasks, result.undetermined, result.unpriced),
        (3, 0, 0)
    );
    let solved = result.solved(Share::NONE);
    assert_eq!((solved.low, solved.high), (2.0, Some(2.0)));
    let cost = result.cost_nano_usd(Share::NONE);
    assert_eq!((cost.low, cost.high), (5.6e9, Some(5.6e9)));
}

#[test]
fn a_leak_accepts_wrong_work_and_saves_the_next_attempt() {
    let outcomes = read("a,small,0,1\na,large,1,10\n");
    let result = backtest(&outcomes, &cascade("small > large")).unwrap();
    let solved = result.solved(leak("0.2"));
    assert!((solved.low - 0.8).abs() < 1e-12, "{solved:?}");
    let cost = result.cost_nano_usd(leak("0.2"));
    assert!((cost.low - 9e9).abs() < 1e-3, "{cost:?}");
}

#[test]
fn an_unknown_outcome_is_read_both_ways() {
    // Whatever became of the first attempt, the task is solved; only the second's cost is open.
    let outcomes = read("a,small,,1\na,large,1,10\n");
    let result = backtest(&outcomes, &cascade("small > large")).unwrap();
    assert_eq!(result.undetermined, 1);
    let solved = result.solved(Share::NONE);
    assert_eq!((solved.low, solved.high), (1.0, Some(1.0)));
    let cost = result.cost_nano_usd(Share::NONE);
    assert_eq!((cost.low, cost.high), (1e9, Some(11e9)));
}

#[test]
fn a_pair_without_a_row_is_unknown_and_an_unknown_cost_has_no_upper_end() {
    let outcomes = read("a,small,0,1\na,large,1,\nb,small,0,1\n");
    let result = backtest(&outcomes, &cascade("small > large")).unwrap();
    assert_eq!((result.undetermined, result.unpriced), (1, 2));
    let solved = result.solved(Share::NONE);
    assert_eq!((solved.low, solved.high), (1.0, Some(2.0)));
    let cost = result.cost_nano_usd(Share::NONE);
    assert_eq!((cost.low, cost.high), (2e9, None));
}

#[test]
fn benchmarks_keep_tasks_of_the_same_name_apart() {
    let text = "agent,model,benchmark,instance_id,resolved,cost_usd\nx,m,fix,a,1,1\nx,m,test,a,0,1\ny,m,fix,a,0,1\n";
    let keep = |column: &str, value: &str| Keep {
        column: column.to_owned(),
        value: value.to_owned(),
    };
    let both = read_outcomes(text, &[keep("agent", "x")]).unwrap();
    assert_eq!(both.tasks().collect::<Vec<_>>(), ["fix/a", "test/a"]);
    let one = read_outcomes(text, &[keep("agent", "x"), keep("benchmark", "test")]).unwrap();
    assert_eq!(one.cell(0, 0).outcome, Outcome::Failed);
    let twice = read_outcomes(text, &[]).unwrap_err().to_string();
    assert_eq!(
        twice,
        "line 4 is a second outcome of m on fix/a; there must be one"
    );
}

#[test]
fn fields_may_be_quoted_and_lines_may_end_either_way() {
    let text = "\u{feff}model,cost_usd,note,instance_id,resolved\r\n\"a \"\"big\"\" one, new\",\"1.5\",\"two\nlines\",t,1\r\n\nm,2.5e-3,,t,0";
    let outcomes = read_outcomes(text, &[]).unwrap();
    assert_eq!(
        outcomes.models().collect::<Vec<_>>(),
        ["a \"big\" one, new", "m"]
    );
    assert_eq!(outcomes.cell(0, 0).cost_nano_usd, Some(1_500_000_000));
    assert_eq!(outcomes.cell(1, 0).cost_nano_usd, Some(2_500_000));
}

#[rstest]
#[case(
    "",
    "there is nothing in it; the first line names the columns instance_id, model, resolved and cost_usd"
)]
#[case(
    "instance_id,model,cost_usd\n",
    "it has no column `resolved`; it has instance_id, model, cost_usd"
)]
#[case("instance_id,model,resolved,cost_usd\n", "no row is left")]
#[case(
    "instance_id,model,resolved,cost_usd\n\na,m,1\n",
    "line 3 has 3 fields where the heading has 4"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na,m,yes,1\n",
    "line 2 has `yes` in resolved, which must be 1, 0 or nothing"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na,m,1,-1\n",
    "line 2 has `-1` in cost_usd, which must be an amount of dollars, such as 0.25, or nothing"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na,m,1,nan\n",
    "line 2 has `nan` in cost_usd, which must be an amount of dollars, such as 0.25, or nothing"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na,m,1,1e30\n",
    "line 2 has `1e30` in cost_usd, which must be an amount of dollars, such as 0.25, or nothing"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na, ,1,1\n",
    "line 2 has `` in model, which must be a name"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na,\"m,1,1\n",
    "line 2 has a quote that is not closed at the end of a field"
)]
#[case(
    "instance_id,model,resolved,cost_usd\na,\"m\"x,1,1\n",
    "line 2 has a quote that is not closed at the end of a field"
)]
fn what_cannot_be_read_is_named(#[case] text: &str, #[case] said: &str) {
    assert_eq!(read_outcomes(text, &[]).unwrap_err().to_string(), said);
}

#[test]
fn a_matrix_of_holes_does_not_take_all_memory() {
    let mut text = HEAD.to_owned();
    for at in 0..6_000 {
        writeln!(text, "t{at},m{at},1,1").unwrap();
    }
    let error = read_outcomes(&text, &[]).unwrap_err().to_string();
    assert!(error.contains("pairs of task and model"), "{error}");
}

#[test]
fn names_of_cascades_are_checked() {
    let outcomes = read("a,claude-opus,1,1\n");
    let unknown = backtest(&outcomes, &cascade("claude-opsu")).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no outcome is from `claude-opsu`; did you mean `claude-opus`?"
    );
    let unlike = backtest(&outcomes, &cascade("zzz")).unwrap_err();
    assert_eq!(unlike.to_string(), "no outcome is from `zzz`");
    assert_eq!(
        "a > > b".parse::<Cascade>(),
        Err(NotACascade::NoName("a > > b".to_owned()))
    );
    assert_eq!(
        "a > a".parse::<Cascade>(),
        Err(NotACascade::Twice("a".to_owned()))
    );
    assert_eq!(cascade(" a>b ").to_string(), "a > b");
}

#[rstest]
#[case("0", Some(0))]
#[case("0.2", Some(200_000))]
#[case("1", Some(1_000_000))]
#[case("1.1", None)]
#[case("-0.1", None)]
#[case("0.0000001", None)]
#[case("a fifth", None)]
fn a_leak_is_a_share(#[case] text: &str, #[case] millionths: Option<u32>) {
    assert_eq!(
        text.parse::<Share>().ok(),
        millionths.and_then(Share::from_millionths)
    );
}

/// A matrix as rows: for every task, what each of four models did.
type Rows = Vec<[(Option<bool>, Option<u32>); 4]>;

fn rows() -> impl Strategy<Value = Rows> {
    let cell = (
        proptest::option::weighted(0.8, any::<bool>()),
        proptest::option::weighted(0.9, 0..5_000_u32),
    );
    proptest::collection::vec(proptest::array::uniform4(cell), 1..30)
}

fn steps() -> impl Strategy<Value = Vec<usize>> {
    Just(vec![0, 1, 2, 3])
        .prop_shuffle()
        .prop_flat_map(|order| {
            (1..=order.len()).prop_map(move |len| order.iter().copied().take(len).collect())
        })
}

fn table(rows: &Rows) -> String {
    let mut text = HEAD.to_owned();
    for (task, row) in rows.iter().enumerate() {
        for (model, (solved, millis)) in row.iter().enumerate() {
            let solved = solved
                .map(|solved| u8::from(solved).to_string())
                .unwrap_or_default();
            let cost = millis
                .map(|millis| format!("{}.{:03}", millis / 1_000, millis % 1_000))
                .unwrap_or_default();
            writeln!(text, "t{task},m{model},{solved},{cost}").unwrap();
        }
    }
    text
}

fn named(steps: &[usize]) -> Cascade {
    Cascade::new(steps.iter().map(|model| format!("m{model}")).collect()).unwrap()
}

/// Every way in which the unknown outcomes of one row may have ended.
fn worlds(row: &[(Option<bool>, Option<u32>); 4]) -> Vec<[bool; 4]> {
    (0..16_u32)
        .map(|bits| [0, 1, 2, 3].map(|at| bits >> at & 1 == 1))
        .filter(|world| {
            row.iter()
                .zip(world)
                .all(|((known, _), is)| known.is_none_or(|known| known == *is))
        })
        .collect()
}

proptest! {
    /// The range of a task is exactly what its possible worlds span, with and without a leak.
    #[test]
    fn a_range_is_what_the_possible_worlds_span(rows in rows(), steps in steps(), leak in select(vec!["0", "0.2", "1"])) {
        let leak: Share = leak.parse().unwrap();
        let result = backtest(&read_outcomes(&table(&rows), &[]).unwrap(), &named(&steps)).unwrap();
        let (mut low, mut high, mut cheap, mut dear) = (0.0, 0.0, 0.0, 0.0);
        for row in &rows {
            let ends: Vec<(f64, f64)> = worlds(row).iter().map(|world| {
                let (mut alive, mut solved, mut cost) = (1.0, 0.0, 0.0);
                for &step in &steps {
                    cost += alive * f64::from(row[step].1.unwrap_or(0)) * 1e6;
                    if world[step] {
                        solved += alive;
                        break;
                    }
                    alive *= 1.0 - leak.as_f64();
                }
                (solved, cost)
            }).collect();
            low += ends.iter().map(|end| end.0).fold(f64::INFINITY, f64::min);
            high += ends.iter().map(|end| end.0).fold(0.0, f64::max);
            cheap += ends.iter().map(|end| end.1).fold(f64::INFINITY, f64::min);
            dear += ends.iter().map(|end| end.1).fold(0.0, f64::max);
        }
        let solved = result.solved(leak);
        prop_assert!((solved.low - low).abs() < 1e-9 && (solved.high.unwrap() - high).abs() < 1e-9, "{solved:?} is not {low}..{high}");
        let cost = result.cost_nano_usd(leak);
        prop_assert!((cost.low - cheap).abs() < 1e-3, "{cost:?} does not begin at {cheap}");
        match cost.high {
            Some(end) => prop_assert!((end - dear).abs() < 1e-3, "{cost:?} does not end at {dear}"),
            None => prop_assert!(result.unpriced > 0),
        }
    }

    /// A further step never solves less and never costs less, and nothing depends on the order of the rows.
    #[test]
    fn a_further_step_only_adds(rows in rows(), steps in steps()) {
        let text = table(&rows);
        let outcomes = read_outcomes(&text, &[]).unwrap();
        let whole = backtest(&outcomes, &named(&steps)).unwrap();
        for len in 1..steps.len() {
            let part = backtest(&outcomes, &named(&steps[..len])).unwrap();
            prop_assert!(part.solved(Share::NONE).low <= whole.solved(Share::NONE).low);
            prop_assert!(part.cost_nano_usd(Share::NONE).low <= whole.cost_nano_usd(Share::NONE).low);
        }
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.reverse();
        let backwards = format!("{HEAD}{}\n", lines.join("\n"));
        let again = backtest(&read_outcomes(&backwards, &[]).unwrap(), &named(&steps)).unwrap();
        prop_assert_eq!(again, whole);
    }

    /// Whatever a file holds, it is read or refused.
    #[test]
    fn no_file_is_too_strange(text in "(instance_id,model,resolved,cost_usd\n)?[a-z01\",.\n\re+-]{0,80}") {
        if let Ok(outcomes) = read_outcomes(&text, &[]) {
            let models: Vec<String> = outcomes.models().map(str::to_owned).collect();
            for model in models {
                let result = backtest(&outcomes, &Cascade::new(vec![model]).unwrap()).unwrap();
                prop_assert_eq!(result.tasks, outcomes.tasks().len());
            }
        }
    }
}
