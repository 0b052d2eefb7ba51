//! How high a proof's fields let its verdict go.

use rstest::rstest;
use wayproof_receipt::{
    Proof, Verdict,
    predicate::{
        Ablation, AblationMode, Benchmark, Check, CheckKind, CheckResult, FailToPass, Finding,
        Link, Mutation, PassToPass, PublicApi, RedReason, Severity, Side, Tests, Tier,
        false_accept_bound,
    },
};

use crate::fixture::{check, fail_to_pass, owned, proof};

fn ceiling(bend: impl FnOnce(&mut Proof)) -> Verdict {
    let mut proof = proof();
    bend(&mut proof);
    proof.ceiling().verdict
}

fn tests(proof: &mut Proof) -> &mut Tests {
    proof.tests.get_or_insert_default()
}

#[test]
fn a_whole_bug_fix_is_proven() {
    let ceiling = proof().ceiling();
    assert_eq!(
        (ceiling.verdict, ceiling.reasons),
        (Verdict::Proven, Vec::new())
    );
}

#[rstest]
#[case::no_proof_at_all(|it: &mut Proof| *it = Proof::default())]
#[case::nothing_required(|it: &mut Proof| it.requirements.clear())]
#[case::unknown_requirement(|it: &mut Proof| it.requirements.push(owned(&["telepathy"])))]
#[case::no_test_turned_green(|it: &mut Proof| it.fail_to_pass.clear())]
#[case::never_red(|it: &mut Proof| it.fail_to_pass[0].base_reds = 0)]
#[case::sometimes_red(|it: &mut Proof| it.fail_to_pass[0].base_reds = 2)]
#[case::sometimes_green(|it: &mut Proof| it.fail_to_pass[0].head_greens = 2)]
#[case::never_run(|it: &mut Proof| it.fail_to_pass = vec![FailToPass::default()])]
#[case::more_reds_than_runs(|it: &mut Proof| it.fail_to_pass[0].base_reds = 4)]
#[case::bound_too_good(|it: &mut Proof| it.fail_to_pass[0].false_accept_bound = Some(0.001))]
#[case::bound_not_a_number(|it: &mut Proof| it.fail_to_pass[0].false_accept_bound = Some(f64::NAN))]
#[case::flaky(|it: &mut Proof| it.flake.get_or_insert_default().disagreements = owned(&["parser::rejects_empty"]))]
#[case::only_watched(|it: &mut Proof| it.tier = Tier::Observed)]
#[case::cut_short(|it: &mut Proof| it.checks[0].is_complete = false)]
#[case::killed(|it: &mut Proof| it.checks[0].signal = Some(9))]
#[case::exit_disagrees(|it: &mut Proof| it.checks[0].exit_status = Some(1))]
#[case::failed_without_a_failed_test(|it: &mut Proof| it.checks[0].result = CheckResult::Failed)]
#[case::out_of_time(|it: &mut Proof| it.checks[0].result = CheckResult::TimedOut)]
#[case::machine_fault(|it: &mut Proof| it.checks[0].result = CheckResult::Infrastructure)]
#[case::ran_at_base_only(|it: &mut Proof| it.checks[0].side = Side::Base)]
#[case::build_failed(|it: &mut Proof| it.checks.push(Check { result: CheckResult::Failed, ..check("c2", CheckKind::Build) }))]
#[case::no_test_ran(|it: &mut Proof| *tests(it) = Tests::default())]
#[case::fewer_ran_than_planned(|it: &mut Proof| tests(it).planned = 413)]
#[case::vanished(|it: &mut Proof| tests(it).passed = 411)]
#[case::overflowing(|it: &mut Proof| tests(it).skipped = u64::MAX)]
#[case::fails_and_nobody_knows_since_when(|it: &mut Proof| { tests(it).passed = 411; tests(it).failed = 1; tests(it).pass_to_pass = None; })]
#[case::more_mutants_caught_than_made(|it: &mut Proof| it.mutation = Some(Mutation { generated: 1, viable: 1, caught: 2, ..Mutation::default() }))]
fn unproven_at_most(#[case] bend: fn(&mut Proof)) {
    assert_eq!(ceiling(bend), Verdict::Unproven);
}

#[rstest]
#[case::lost(|it: &mut Proof| tests(it).pass_to_pass = Some(PassToPass { kept: 410, lost: owned(&["parser::reads"]) }))]
#[case::cheat(|it: &mut Proof| it.findings.push(Finding { code: "G2".into(), severity: Severity::High, ..Finding::default() }))]
fn refuted(#[case] bend: fn(&mut Proof)) {
    assert_eq!(ceiling(bend), Verdict::Refuted);
}

#[rstest]
#[case::gap(|it: &mut Proof| it.gaps.push("NO_NETNS".into()))]
#[case::doubtful(|it: &mut Proof| it.findings.push(Finding { code: "G9".into(), severity: Severity::Medium, ..Finding::default() }))]
#[case::build_error_red(|it: &mut Proof| it.fail_to_pass[0].red_reason = RedReason::BuildError)]
#[case::missing_red(|it: &mut Proof| it.fail_to_pass[0].red_reason = RedReason::Missing)]
#[case::unknown_others(|it: &mut Proof| tests(it).pass_to_pass = None)]
#[case::skips(|it: &mut Proof| tests(it).newly_skipped = owned(&["a"]))]
#[case::removes(|it: &mut Proof| tests(it).removed = owned(&["a"]))]
#[case::failed_and_nobody_knows_which(|it: &mut Proof| { tests(it).passed = 411; tests(it).failed = 1; it.checks[0].result = CheckResult::Failed; it.checks[0].exit_status = Some(100); })]
#[case::lint(|it: &mut Proof| it.checks.push(Check { result: CheckResult::Failed, ..check("c2", CheckKind::Lint) }))]
#[case::no_mutants(|it: &mut Proof| it.mutation = Some(Mutation::default()))]
#[case::no_mutant_caught(|it: &mut Proof| it.mutation = Some(Mutation { generated: 3, viable: 2, ..Mutation::default() }))]
#[case::one_of_two_failed_before(|it: &mut Proof| { tests(it).passed = 410; tests(it).failed = 2; tests(it).still_failing = owned(&["a"]); it.checks[0].result = CheckResult::Failed; it.checks[0].exit_status = Some(100); })]
fn proven_with_gaps_at_most(#[case] bend: fn(&mut Proof)) {
    assert_eq!(ceiling(bend), Verdict::ProvenWithGaps);
}

#[rstest]
#[case::low_finding(|it: &mut Proof| it.findings.push(Finding { severity: Severity::Low, ..Finding::default() }))]
#[case::base_build_fails(|it: &mut Proof| it.checks.push(Check { result: CheckResult::Failed, side: Side::BaseWithTests, ..check("c2", CheckKind::Test) }))]
#[case::skipped_as_before(|it: &mut Proof| { tests(it).ran = 410; tests(it).passed = 410; tests(it).skipped = 2; })]
#[case::skipped_counted_as_run(|it: &mut Proof| { tests(it).passed = 410; tests(it).skipped = 2; })]
#[case::a_second_weak_test(|it: &mut Proof| it.fail_to_pass.push(FailToPass { red_reason: RedReason::Missing, ..fail_to_pass() }))]
#[case::failed_before_too(|it: &mut Proof| { tests(it).passed = 411; tests(it).failed = 1; tests(it).still_failing = owned(&["a"]); it.checks[0].result = CheckResult::Failed; it.checks[0].exit_status = Some(100); })]
fn still_proven(#[case] bend: fn(&mut Proof)) {
    assert_eq!(ceiling(bend), Verdict::Proven);
}

#[test]
fn red_by_ablation_is_strong() {
    let ablation = Ablation {
        mode: AblationMode::Hunks,
        runs: 3,
        reds: 3,
        red_reason: RedReason::Assertion,
    };
    let with = |ablation| {
        ceiling(|it| {
            let inline = FailToPass {
                base_runs: 0,
                base_reds: 0,
                red_reason: RedReason::Unknown,
                ..fail_to_pass()
            };
            it.fail_to_pass = vec![FailToPass {
                ablation: Some(ablation),
                ..inline
            }];
        })
    };
    assert_eq!(with(ablation.clone()), Verdict::Proven);
    assert_eq!(
        with(Ablation {
            reds: 2,
            ..ablation.clone()
        }),
        Verdict::Unproven
    );
    assert_eq!(
        with(Ablation {
            red_reason: RedReason::BuildError,
            ..ablation
        }),
        Verdict::ProvenWithGaps
    );
}

#[rstest]
#[case::typecheck("typecheck", CheckKind::Typecheck, true)]
#[case::build_typechecks("typecheck", CheckKind::Build, true)]
#[case::build("build", CheckKind::Build, true)]
#[case::typecheck_builds_nothing("build", CheckKind::Typecheck, false)]
#[case::smoke("smoke", CheckKind::Smoke, true)]
#[case::lint_is_no_build("build", CheckKind::Lint, false)]
fn checks_answer_requirements(
    #[case] requirement: &str,
    #[case] kind: CheckKind,
    #[case] is_answered: bool,
) {
    let proof = Proof {
        requirements: vec![owned(&[requirement])],
        checks: vec![check("c1", kind)],
        tier: Tier::Reexecuted,
        ..Proof::default()
    };
    let expected = if is_answered {
        Verdict::Proven
    } else {
        Verdict::Unproven
    };
    assert_eq!(proof.ceiling().verdict, expected);
}

#[test]
fn any_of_a_group_is_enough_and_every_group_counts() {
    let mut proof = Proof {
        requirements: vec![owned(&["typecheck", "focused-test"])],
        checks: vec![check("c1", CheckKind::Typecheck)],
        tier: Tier::Reexecuted,
        ..Proof::default()
    };
    assert_eq!(proof.ceiling().verdict, Verdict::Proven);
    assert_eq!(
        proof.ceiling_with(&[owned(&["smoke"])]).verdict,
        Verdict::Unproven
    );
    proof.requirements.push(owned(&["build"]));
    assert_eq!(proof.ceiling().verdict, Verdict::Unproven);
}

#[test]
fn documentation_needs_primary_sources_that_are_there() {
    let link = Link {
        url: "https://example.org".into(),
        status: Some(200),
        is_primary: true,
        is_found: true,
        ..Link::default()
    };
    let with = |links| {
        let requirements = vec![owned(&["primary-sources"])];
        Proof {
            requirements,
            links,
            tier: Tier::Reexecuted,
            ..Proof::default()
        }
        .ceiling()
        .verdict
    };
    assert_eq!(with(vec![link.clone()]), Verdict::Proven);
    assert_eq!(with(Vec::new()), Verdict::Unproven);
    assert_eq!(
        with(vec![
            link.clone(),
            Link {
                status: Some(404),
                ..link.clone()
            }
        ]),
        Verdict::Unproven
    );
    assert_eq!(
        with(vec![Link {
            is_primary: false,
            ..link.clone()
        }]),
        Verdict::Unproven
    );
    assert_eq!(
        with(vec![Link {
            is_found: false,
            ..link
        }]),
        Verdict::Unproven
    );
}

#[test]
fn generated_tests_without_mutants_show_nothing() {
    let verdict = ceiling(|it| {
        it.task = "test-generation".into();
        it.requirements = vec![owned(&["tests-run"])];
        it.mutation = Some(Mutation::default());
    });
    assert_eq!(verdict, Verdict::Unproven);
}

#[test]
fn bounds_are_those_of_the_worst_flaky_test() {
    assert!((false_accept_bound(5, 5) - 1.0 / 1024.0).abs() < 1e-12);
    assert!((false_accept_bound(1, 2) - 4.0 / 27.0).abs() < 1e-12);
    assert!((false_accept_bound(0, 3) - 1.0).abs() < f64::EPSILON);
    for rate in 0..=100 {
        let rate = f64::from(rate) / 100.0;
        assert!(rate.powi(4) * (1.0 - rate).powi(2) <= false_accept_bound(2, 4) + 1e-12);
    }
}

#[test]
fn what_only_the_obligation_requires_is_held_to_the_same_grade() {
    let mut proof = proof();
    proof.requirements.clear();
    proof.fail_to_pass[0].red_reason = RedReason::BuildError;
    let obliged = [owned(&["failing-test-becomes-green"])];
    assert_eq!(
        proof.ceiling_with(&obliged).verdict,
        Verdict::ProvenWithGaps
    );
}

/// A proof of the suite that requires one thing.
fn requiring(requirement: &str, bend: impl FnOnce(&mut Proof)) -> Verdict {
    ceiling(|it| {
        it.requirements = vec![owned(&[requirement])];
        bend(it);
    })
}

fn faster(pairs: u32, low: f64, high: f64) -> Benchmark {
    Benchmark {
        pairs,
        ratio: f64::midpoint(low, high),
        low,
        high,
        method: String::new(),
    }
}

#[test]
fn a_feature_needs_a_test_of_its_own() {
    let new = "new-tests-fail-at-base";
    assert_eq!(requiring(new, |_| {}), Verdict::Proven);
    let old = |it: &mut Proof| it.fail_to_pass[0].preexisting = true;
    assert_eq!(requiring(new, old), Verdict::Unproven);
    let weak = |it: &mut Proof| it.fail_to_pass[0].red_reason = RedReason::BuildError;
    assert_eq!(requiring(new, weak), Verdict::ProvenWithGaps);
    let noticed = |it: &mut Proof| {
        weak(it);
        it.mutation = Some(Mutation {
            generated: 4,
            viable: 3,
            caught: 2,
            ..Mutation::default()
        });
    };
    assert_eq!(requiring(new, noticed), Verdict::Proven);
}

#[test]
fn a_refactoring_keeps_what_is_public() {
    let unchanged = "api-unchanged";
    assert_eq!(requiring(unchanged, |_| {}), Verdict::Unproven);
    let with = |api: PublicApi| requiring(unchanged, |it| it.public_api = Some(api));
    assert_eq!(with(PublicApi::default()), Verdict::Proven);
    let gone = PublicApi {
        removed: owned(&["shop.total"]),
        ..PublicApi::default()
    };
    assert_eq!(with(gone.clone()), Verdict::Refuted);
    // What nobody asked about refutes nothing.
    assert_eq!(ceiling(|it| it.public_api = Some(gone)), Verdict::Proven);
}

#[rstest]
#[case::clearly(faster(20, 0.5, 0.9), Verdict::Proven)]
#[case::perhaps(faster(20, 0.5, 1.0), Verdict::Unproven)]
#[case::of_too_few_pairs(faster(5, 0.5, 0.9), Verdict::Unproven)]
#[case::outside_of_its_interval(Benchmark { ratio: 0.95, ..faster(20, 0.5, 0.9) }, Verdict::Unproven)]
#[case::of_no_number(faster(20, f64::NAN, 0.9), Verdict::Unproven)]
#[case::of_no_time(faster(20, 0.0, 0.9), Verdict::Unproven)]
fn what_is_faster_is_so_by_its_interval(#[case] benchmark: Benchmark, #[case] verdict: Verdict) {
    assert_eq!(
        requiring("faster", |it| it.benchmark = Some(benchmark)),
        verdict
    );
}
