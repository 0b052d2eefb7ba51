//! Go modules.

use wayproof_receipt::Verdict;

use super::bench::{Bench, expect};

const MODULE: &str = "module example.org/calc\n\ngo 1.18\n";
const BUG: &str = "package calc\n\nfunc Add(a, b int) int { return a - b }\n\nfunc Twice(a int) int { return a * 2 }\n";
const OLD: &str = "package calc\n\nimport \"testing\"\n\nfunc TestTwice(t *testing.T) {\n\tif Twice(2) != 4 {\n\t\tt.Fatal(\"twice\")\n\t}\n}\n";
const ADDED: &str = "\nfunc TestAdd(t *testing.T) {\n\tt.Run(\"small\", func(t *testing.T) {\n\t\tif got := Add(1, 2); got != 3 {\n\t\t\tt.Fatalf(\"got %d\", got)\n\t\t}\n\t})\n}\n";

#[test]
fn a_fix_with_its_test_is_proven() {
    let bench = Bench::new(&[("go.mod", MODULE), ("calc.go", BUG), ("calc_test.go", OLD)]);
    let proven = bench.fix(&[
        ("calc.go", &BUG.replace("a - b", "a + b")),
        ("calc_test.go", &format!("{OLD}{ADDED}")),
    ]);
    expect(&proven, Verdict::Proven);
    let ids: Vec<&str> = proven
        .proof
        .fail_to_pass
        .iter()
        .map(|fixed| fixed.test_id.as_str())
        .collect();
    assert!(ids.contains(&"example.org/calc.TestAdd/small"), "{ids:?}");
}

#[test]
fn a_test_main_that_exits_well_hides_nothing() {
    let main = "package calc\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestMain(m *testing.M) {\n\tos.Exit(0)\n}\n";
    let bench = Bench::new(&[
        ("go.mod", MODULE),
        ("calc.go", BUG),
        ("calc_test.go", &format!("{OLD}{ADDED}")),
    ]);
    let proven = bench.fix(&[("main_test.go", main)]);
    expect(&proven, Verdict::Refuted);
}
