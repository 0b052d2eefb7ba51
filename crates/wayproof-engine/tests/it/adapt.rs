//! A cascade that learns: it never stops proving what it proved, and money goes to what turns out well.

use wayproof_engine::{Adaptive, Attempted, Cascade, Cell, Draws, Outcome, Outcomes};

/// A task of a difficulty between nought and one, which a model solves when it is strong enough, some luck aside.
fn solves(strength: f64, hard: f64, draws: &mut Draws) -> bool {
    0.8 * hard + 0.2 * draws.unit() < strength
}

const SMALL: (&str, f64, i64) = ("small", 0.5, 100_000_000);
const LARGE: (&str, f64, i64) = ("large", 0.85, 1_000_000_000);

fn ledger(draws: &mut Draws) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for task in 0..150 {
        let hard = draws.unit();
        for (name, strength, cost) in [SMALL, LARGE] {
            let outcome = if solves(strength, hard, draws) {
                Outcome::Passed
            } else {
                Outcome::Failed
            };
            let cell = Cell {
                outcome,
                cost_nano_usd: Some(cost),
            };
            outcomes.put(name, &task.to_string(), cell).unwrap();
        }
    }
    outcomes
}

/// Runs tasks with one more model and tells which cascade came last and how often the new model was asked.
fn stream(new: (&str, f64, i64), tasks: usize) -> (Cascade, usize, f64) {
    let mut draws = Draws::seeded(11);
    let today: Cascade = "small > large".parse().unwrap();
    let mut adaptive = Adaptive::new(&ledger(&mut draws), &today, 3).unwrap();
    adaptive.add(new.0);
    let models = [SMALL, LARGE, new];
    let (mut asked, mut spent, mut last) = (0, 0.0, today.clone());
    for at in 0..tasks {
        last = adaptive.next(&mut draws).unwrap();
        if at < 150 {
            assert!(
                today
                    .models()
                    .iter()
                    .all(|model| last.models().contains(model)),
                "{last} lets go too early"
            );
        }
        let hard = draws.unit();
        let mut attempts = Vec::new();
        for name in last.models() {
            let (_, strength, cost) = models.into_iter().find(|model| model.0 == name).unwrap();
            let proven = solves(strength, hard, &mut draws);
            asked += usize::from(name == new.0);
            spent += f64::from(u32::try_from(cost / 1_000_000).unwrap()) / 1_000.0;
            attempts.push(Attempted {
                model: name.clone(),
                proven,
                cost_nano_usd: cost,
            });
            if proven {
                break;
            }
        }
        adaptive.observe(&attempts);
    }
    (last, asked, spent)
}

#[test]
fn a_better_and_cheaper_model_takes_over() {
    let (last, asked, spent) = stream(("new", 0.9, 50_000_000), 300);
    assert_eq!(
        last.models().first().map(String::as_str),
        Some("new"),
        "{last}"
    );
    assert!(asked > 200, "asked {asked} times");
    // The policy before costs about 0.55 a task.
    assert!(spent < 100.0, "{spent}");
}

#[test]
fn a_worse_and_dearer_model_is_let_go() {
    let (last, asked, _) = stream(("new", 0.3, 2_000_000_000), 300);
    assert!(!last.models().iter().any(|model| model == "new"), "{last}");
    assert!(asked < 30, "asked {asked} times");
}

#[test]
fn the_same_seed_gives_the_same_stream() {
    assert_eq!(
        stream(("new", 0.7, 90_000_000), 120),
        stream(("new", 0.7, 90_000_000), 120)
    );
}

#[test]
fn a_policy_without_attempts_is_named() {
    let today: Cascade = "nobody".parse().unwrap();
    let error = Adaptive::new(&ledger(&mut Draws::seeded(1)), &today, 3).unwrap_err();
    assert_eq!(error.to_string(), "no outcome is from `nobody`");
}

#[test]
fn an_empty_ledger_is_no_reason_to_fail() {
    let mut outcomes = Outcomes::default();
    outcomes.put("only", "a", Cell::UNKNOWN).unwrap();
    let mut adaptive = Adaptive::new(&outcomes, &"only".parse().unwrap(), 3).unwrap();
    adaptive.add("new");
    let mut draws = Draws::seeded(1);
    for _ in 0..20 {
        let cascade = adaptive.next(&mut draws).unwrap();
        assert!(cascade.models().contains(&"only".to_owned()), "{cascade}");
        adaptive.observe(&[]);
    }
}
