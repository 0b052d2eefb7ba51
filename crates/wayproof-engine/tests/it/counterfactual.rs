//! What a ledger may say about a policy that it did not run: an interval, a bound, and never a mean of what it saw.

use proptest::prelude::*;
use wayproof_engine::{Counterfactual, Draws, Estimate, Glimpse, Interval, Share, counterfactual};

fn share(text: &str) -> Share {
    text.parse().unwrap()
}

fn glimpse(stratum: u32, chance: &str, proven: Option<bool>) -> Glimpse {
    Glimpse {
        stratum,
        chance: share(chance),
        proven,
    }
}

fn known(result: &Counterfactual) -> (Interval, Interval) {
    match result.like {
        Estimate::Known {
            self_normalised,
            doubly_robust,
        } => (self_normalised, doubly_robust),
        Estimate::Bounded(ends) => panic!("only bounded: {ends:?}"),
    }
}

/// A ledger of a cascade: the cheap model fails on `failed` tasks, where the strong one is always seen, and passes on
/// the others, where it is seen on every `shadow`th.
fn cascade(failed: usize, passed: usize, shadow: usize) -> Vec<Glimpse> {
    let after = (0..failed).map(|at| glimpse(0, "1", Some(at % 2 == 0)));
    let chance = Share::from_millionths(u32::try_from(1_000_000 / shadow).unwrap()).unwrap();
    let beside = (0..passed).map(move |at| Glimpse {
        stratum: 1,
        chance,
        proven: (at % shadow == 0).then_some(at % (20 * shadow) != 0),
    });
    after.chain(beside).collect()
}

#[test]
fn failures_and_shadows_are_weighed_by_how_often_they_are_seen() {
    let result = counterfactual(&cascade(100, 400, 10)).unwrap();
    let (weighed, robust) = known(&result);
    // Half of 100 failures, and 38 of 40 shadows for all 400 passes: (50 + 380) / 500.
    assert!((weighed.value - 0.86).abs() < 1e-9, "{weighed:?}");
    assert!((robust.value - 0.86).abs() < 1e-9, "{robust:?}");
    assert!(robust.low > 0.76 && robust.high < 0.92, "{robust:?}");
    assert_eq!((result.tasks, result.seen), (500, 140));
}

#[test]
fn without_a_chance_there_is_a_bound_and_no_estimate() {
    let mut glimpses = cascade(100, 0, 1);
    glimpses.extend((0..400).map(|_| glimpse(1, "0", None)));
    let result = counterfactual(&glimpses).unwrap();
    assert_eq!((result.own.low, result.own.high), (0.1, 0.9));
    match result.like {
        Estimate::Bounded(ends) => assert!(
            ends.low <= 0.1 && ends.high >= 0.9 && ends.high < 1.0,
            "{ends:?}"
        ),
        Estimate::Known { .. } => panic!("nothing is known of four tasks in five"),
    }
}

#[test]
fn a_kind_of_task_of_which_nothing_was_drawn_is_bounded_too() {
    let mut glimpses = cascade(100, 0, 1);
    glimpses.extend((0..20).map(|_| glimpse(1, "0.05", None)));
    assert!(matches!(
        counterfactual(&glimpses).unwrap().like,
        Estimate::Bounded(_)
    ));
    assert_eq!(counterfactual(&[]), None);
}

#[test]
fn an_outcome_seen_without_a_chance_speaks_for_itself_only() {
    // Somebody looked on purpose; that is no sample of the others.
    let mut glimpses = vec![glimpse(0, "0", Some(true))];
    glimpses.extend((0..9).map(|_| glimpse(0, "0", None)));
    let result = counterfactual(&glimpses).unwrap();
    assert_eq!((result.own.low, result.own.high), (0.1, 1.0));
    assert!(matches!(result.like, Estimate::Bounded(ends) if ends.low <= 0.0 && ends.high >= 1.0));
}

#[test]
fn intervals_hold_as_often_as_they_promise() {
    let (truth, mut draws) = (0.8 * 0.96 + 0.2 * 0.4, Draws::seeded(7));
    let chance = share("0.1");
    let (mut held, mut width) = (0, 0.0);
    for _ in 0..1_000 {
        let ledger: Vec<Glimpse> = (0..500)
            .map(|_| {
                if draws.happens(0.2) {
                    glimpse(0, "1", Some(draws.happens(0.4)))
                } else {
                    let proven = draws.happens(0.96);
                    Glimpse {
                        stratum: 1,
                        chance,
                        proven: draws.happens(0.1).then_some(proven),
                    }
                }
            })
            .collect();
        let (_, robust) = known(&counterfactual(&ledger).unwrap());
        held += usize::from(robust.low <= truth && truth <= robust.high);
        width += robust.high - robust.low;
    }
    assert!((930..=970).contains(&held), "{held} of 1000");
    assert!(width < 150.0, "{width}");
}

fn glimpses() -> impl Strategy<Value = Vec<Glimpse>> {
    let one = (0..3_u32, 0..=4_u32, proptest::option::of(any::<bool>())).prop_map(
        |(stratum, quarters, proven)| Glimpse {
            stratum,
            chance: Share::from_millionths(quarters * 250_000).unwrap(),
            // What is certain to be seen is seen.
            proven: if quarters == 4 {
                Some(proven.unwrap_or(true))
            } else {
                proven
            },
        },
    );
    proptest::collection::vec(one, 1..60)
}

proptest! {
    /// The ends are in order, within nought and one, and do not depend on the order of the tasks.
    #[test]
    fn ends_are_in_order(mut ledger in glimpses()) {
        let result = counterfactual(&ledger).unwrap();
        prop_assert!(0.0 <= result.own.low && result.own.low <= result.own.high && result.own.high <= 1.0);
        match result.like {
            Estimate::Known { self_normalised, doubly_robust } => {
                for interval in [self_normalised, doubly_robust] {
                    prop_assert!(0.0 <= interval.low && interval.low <= interval.value, "{interval:?}");
                    prop_assert!(interval.value <= interval.high && interval.high <= 1.0, "{interval:?}");
                }
            }
            Estimate::Bounded(ends) => {
                // A promise is never narrower than what is certain of the ledger's own draws.
                prop_assert!(0.0 <= ends.low && ends.low <= ends.high && ends.high <= 1.0, "{ends:?}");
            }
        }
        ledger.reverse();
        let again = counterfactual(&ledger).unwrap();
        prop_assert_eq!((again.tasks, again.seen, again.own), (result.tasks, result.seen, result.own));
    }

    /// When all is seen for certain, every estimate is the plain mean.
    #[test]
    fn with_everything_seen_it_is_the_mean(outcomes in proptest::collection::vec(any::<bool>(), 1..100)) {
        let ledger: Vec<Glimpse> = outcomes.iter().map(|&proven| glimpse(0, "1", Some(proven))).collect();
        let proven = u32::try_from(outcomes.iter().filter(|proven| **proven).count()).unwrap();
        let mean = f64::from(proven) / f64::from(u32::try_from(outcomes.len()).unwrap());
        let result = counterfactual(&ledger).unwrap();
        let (weighed, robust) = known(&result);
        prop_assert!((weighed.value - mean).abs() < 1e-12 && (robust.value - mean).abs() < 1e-12);
        prop_assert_eq!((result.own.low, result.own.high), (mean, mean));
    }
}
