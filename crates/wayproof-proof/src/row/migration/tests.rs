//! The table of verdicts: what is odd about an honest migration, and what that makes of it.

use rstest::rstest;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{Dependencies, Severity};

use super::data::Moved;
use super::residue::Left;
use super::{Build, Ground, Residue, Shown, Smoke, judge, moves_data};
use crate::dependencies::Moves;
use crate::gaming::finding;
use crate::report::{Status, TestId};
use crate::row::Outcome;
use crate::run::{SuiteRun, plain};

/// What is odd about an honest migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odd {
    Nothing,
    NoTests,
    Left,
    Doubtful,
    Unnamed,
    Unreadable,
    BuildBroken,
    BuildBrokenBefore,
    SmokeFails,
    SmokeUnnamed,
    SmokeEmpty,
    SmokeBare,
    SmokeEdited,
    DataFails,
    DataDiffers,
    DataLossy,
    DataUntried,
    Refreshed,
    Unexplained,
    Foreign,
    UnknownRed,
    Blind,
}

#[rstest]
#[case(Odd::Nothing, Verdict::Proven, "")]
#[case(Odd::NoTests, Verdict::Unproven, "NO_TESTS_RAN")]
#[case(Odd::Left, Verdict::Refuted, "RESIDUE_LEFT")]
#[case(Odd::Doubtful, Verdict::ProvenWithGaps, "RESIDUE_BY_NAME")]
#[case(Odd::Unnamed, Verdict::ProvenWithGaps, "RESIDUE_UNNAMED")]
#[case(Odd::Unreadable, Verdict::Unproven, "RESIDUE_PATTERN")]
#[case(Odd::BuildBroken, Verdict::Refuted, "BUILD_FAILS")]
#[case(Odd::BuildBrokenBefore, Verdict::Unproven, "BUILD_FAILS")]
#[case(Odd::SmokeFails, Verdict::Refuted, "SMOKE_FAILS")]
#[case(Odd::SmokeUnnamed, Verdict::Unproven, "SMOKE_UNNAMED")]
#[case(Odd::SmokeEmpty, Verdict::Unproven, "SMOKE_ASSERTS_NOTHING")]
#[case(Odd::SmokeBare, Verdict::ProvenWithGaps, "SMOKE_WITHOUT_ASSERTIONS")]
#[case(Odd::SmokeEdited, Verdict::Unproven, "SMOKE_EDITED")]
#[case(Odd::DataFails, Verdict::Refuted, "DATA_MIGRATION_FAILS")]
#[case(Odd::DataDiffers, Verdict::Refuted, "DATA_NOT_REPEATABLE")]
#[case(Odd::DataLossy, Verdict::ProvenWithGaps, "LOSSY_DOWN")]
#[case(Odd::DataUntried, Verdict::ProvenWithGaps, "DATA_MIGRATION_UNTRIED")]
#[case(Odd::Refreshed, Verdict::ProvenWithGaps, "DEPENDENCIES_REFRESHED")]
#[case(Odd::Unexplained, Verdict::ProvenWithGaps, "G25")]
#[case(Odd::Foreign, Verdict::Refuted, "")]
#[case(Odd::UnknownRed, Verdict::Unproven, "BASE_ENVIRONMENT_UNKNOWN")]
#[case(Odd::Blind, Verdict::ProvenWithGaps, "BASE_ENVIRONMENT_UNKNOWN")]
fn verdicts(#[case] odd: Odd, #[case] verdict: Verdict, #[case] gap: &str) {
    let mut outcome = Outcome::default();
    let mut run = SuiteRun::empty();
    if odd != Odd::NoTests {
        run.results.insert(TestId::new("a"), plain(Status::Passed));
    }
    outcome.observed.base = run.clone();
    outcome.observed.head = vec![run];
    let residue = residue(odd);
    let is_broken = matches!(odd, Odd::BuildBroken | Odd::BuildBrokenBefore);
    let build = Build {
        error: is_broken.then(|| "no such thing".to_owned()),
        is_broken_by_change: odd == Odd::BuildBroken,
        ..Build::default()
    };
    let (smoke, data) = (smoke(odd), data(odd));
    let findings = match odd {
        Odd::Unexplained => vec![finding("G25", Severity::Medium, "x.lock", None, "z")],
        Odd::Foreign => vec![finding("G23", Severity::High, "x.lock", None, "z")],
        _ => Vec::new(),
    };
    let moves = Moves {
        is_refreshed: odd == Odd::Refreshed,
        said: Dependencies::default(),
        ..Moves::default()
    };
    let judged = judge(&Shown {
        outcomes: &[outcome],
        findings: &findings,
        moves: &moves,
        residue: &residue,
        build: &build,
        smoke: &smoke,
        data: &data,
        touches_data: true,
        ground: &Ground {
            red: (odd == Odd::UnknownRed).then(|| "a: 1 != 2".to_owned()),
            is_blind: odd == Odd::Blind,
            kept: usize::from(odd != Odd::NoTests),
            ..Ground::default()
        },
    });
    assert_eq!(judged.verdict, verdict, "{}", judged.one_fact);
    assert!(
        gap.is_empty() && judged.gaps.is_empty() || judged.gaps.iter().any(|found| found == gap),
        "{:?}",
        judged.gaps
    );
}

#[test]
fn what_moves_data_is_known_by_its_place() {
    for path in [
        "db/migrations/0002_add.sql",
        "shop/migrations/0003.py",
        "schema.sql",
        "db/migrate/2024_a.rb",
    ] {
        assert!(moves_data(path), "{path}");
    }
    for path in [
        "docs/migrations.md.txt",
        "src/lib.rs",
        "tests/migrations/0001.py",
    ] {
        assert!(!moves_data(path), "{path}");
    }
}

fn smoke(odd: Odd) -> Smoke {
    match odd {
        Odd::SmokeFails => Smoke::Failed {
            why: "no".to_owned(),
            is_broken_by_change: true,
        },
        Odd::SmokeUnnamed => Smoke::Unnamed,
        Odd::SmokeEmpty => Smoke::Held {
            assertions: 0,
            is_counted: true,
        },
        Odd::SmokeBare => Smoke::Held {
            assertions: 0,
            is_counted: false,
        },
        Odd::SmokeEdited => Smoke::OnlyAsEdited("no".to_owned()),
        _ => Smoke::Held {
            assertions: 2,
            is_counted: true,
        },
    }
}

fn data(odd: Odd) -> Moved {
    match odd {
        Odd::DataFails => Moved::Fails("down", "no".to_owned()),
        Odd::DataDiffers => Moved::Differs("no".to_owned()),
        Odd::DataLossy => Moved::Lossy("no".to_owned()),
        Odd::DataUntried => Moved::Unnamed,
        _ => Moved::Whole,
    }
}

fn residue(odd: Odd) -> Residue {
    let left = |is_doubtful| Left {
        path: "a.py".to_owned(),
        line: 3,
        pattern: "old.fetch".to_owned(),
        is_doubtful,
    };
    Residue {
        left: match odd {
            Odd::Left => vec![left(false)],
            Odd::Doubtful => vec![left(true)],
            _ => Vec::new(),
        },
        looked_for: usize::from(odd != Odd::Unnamed),
        unreadable: (odd == Odd::Unreadable).then(|| "()".to_owned()),
        is_cut: false,
    }
}
