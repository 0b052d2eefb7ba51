//! Reading tool output: ordinary text on the request path, and long logs. The bound is 5 ms for
//! 1 MB.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wayproof_engine::recognize;
use wayproof_wire::Exit;

fn repeated(lines: &str, size: usize) -> String {
    lines.chars().cycle().take(size).collect()
}

fn evidence(criterion: &mut Criterion) {
    let listing = repeated(
        "-rw-r--r-- 1 user group 5211 Nov 22 14:05 src/some_module/file_name.rs\n",
        5_000,
    );
    let build = repeated(
        "   Compiling serde v1.0.1\nwarning: unused variable: `x`\n  --> src/lib.rs:10:5\n   |\n10 |     let x = 1;\n   |         ^\n\n",
        1_000_000,
    );
    let tests = repeated(
        "2022-03-04T08:19:16.2461427Z tests/unit/test_module.py::TestThing::test_that_it_works PASSED [ 12%]\n\
         2022-03-04T08:19:16.2461427Z [INFO] Downloading from central: https://repo.example/a/b/c.jar (12 kB at 1.2 MB/s)\n",
        1_000_000,
    ) + "\n=== 5000 passed in 12.3s ===\n";
    let mut group = criterion.benchmark_group("recognize");
    for (name, text) in [
        ("listing-5k", &listing),
        ("cargo-1m", &build),
        ("pytest-1m", &tests),
    ] {
        group.throughput(Throughput::Bytes(
            u64::try_from(text.len()).unwrap_or(u64::MAX),
        ));
        group.bench_function(name, |bencher| {
            bencher.iter(|| recognize(black_box(text), None, Exit::Unknown));
        });
    }
    group.finish();
}

criterion_group!(benches, evidence);
criterion_main!(benches);
