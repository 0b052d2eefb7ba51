//! What the receipt and the log cost: `cargo bench -p wayproof-receipt`.
//! Budgets: a million appends in well under a second, a receipt verified in at most 10 ms.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot be set up must stop"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use wayproof_receipt::{
    Bundle, Predicate, Proof, ResourceDescriptor, SigningKey, Statement, Time, Trust, Verdict,
    log::{Frontier, leaf_hash},
    predicate::{
        Check, CheckKind, CheckResult, FailToPass, PassToPass, RedReason, Spend, Svr, Tests, Tier,
        Verifier,
    },
    seal, verify,
};

fn log(criterion: &mut Criterion) {
    let leaves: Vec<_> = (0..1_000_000u64)
        .map(|index| leaf_hash(&index.to_be_bytes()))
        .collect();
    let mut group = criterion.benchmark_group("log");
    group.sample_size(10);
    group.bench_function("append 1,000,000 leaves", |bencher| {
        bencher.iter(|| {
            let mut frontier = Frontier::new();
            for leaf in &leaves {
                frontier.append(*leaf);
            }
            black_box(frontier.root())
        });
    });
    let entry = vec![b'x'; 500];
    group.bench_function(
        "hash and append 1,000,000 entries of 500 bytes",
        |bencher| {
            bencher.iter(|| {
                let mut frontier = Frontier::new();
                for _ in 0..1_000_000 {
                    frontier.append(leaf_hash(black_box(&entry)));
                }
                black_box(frontier.root())
            });
        },
    );
}

fn receipt(criterion: &mut Criterion) {
    let key = SigningKey::from_seed(&[1; 32]);
    let trust = Trust::with(&key.public());
    let bundle = bundle(&key).to_jsonl();
    criterion.bench_function("verify a receipt of a 5,000-test suite", |bencher| {
        bencher.iter(|| black_box(verify(bundle.as_bytes(), Some(&trust))));
    });
}

fn bundle(key: &SigningKey) -> Bundle {
    let tree = "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a";
    let check = Check {
        id: "c1".into(),
        kind: CheckKind::Test,
        is_complete: true,
        exit_status: Some(0),
        result: CheckResult::Passed,
        ..Check::default()
    };
    let fixed = |index: u32| FailToPass {
        test_id: format!("crate::module::tests::case_{index}"),
        base_runs: 3,
        base_reds: 3,
        red_reason: RedReason::Assertion,
        head_runs: 3,
        head_greens: 3,
        ..FailToPass::default()
    };
    let proof = Proof {
        task: "bug-fix".into(),
        requirements: vec![vec!["failing-test-becomes-green".into()]],
        tier: Tier::Reexecuted,
        verdict: Verdict::Proven,
        head: ResourceDescriptor::digest("gitTree", tree),
        checks: vec![check; 20],
        tests: Some(Tests {
            planned: 5000,
            ran: 5000,
            passed: 5000,
            added: (0..5000)
                .map(|index| format!("crate::module::tests::case_{index}"))
                .collect(),
            pass_to_pass: Some(PassToPass {
                kept: 4000,
                lost: Vec::new(),
            }),
            ..Tests::default()
        }),
        fail_to_pass: (0..1000).map(fixed).collect(),
        ..Proof::default()
    };
    let sealed = |predicate| {
        let subject = vec![ResourceDescriptor::pinned("tree", "gitTree", tree)];
        seal(&Statement { subject, predicate }, key).expect("a good statement seals")
    };
    let mut lines = vec![
        sealed(Predicate::Proof(Box::new(proof))),
        sealed(Predicate::Spend(Box::<Spend>::default())),
    ];
    let svr = Svr::new(
        Verifier::default(),
        Time(0),
        ("bug-fix", Verdict::Proven),
        &lines,
    );
    lines.push(sealed(Predicate::Svr(Box::new(svr))));
    Bundle::new(lines)
}

criterion_group!(benches, log, receipt);
criterion_main!(benches);
