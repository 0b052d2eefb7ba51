//! Migrations: built from nothing, tried as built, nothing left over, and data up, down and up.

use rstest::rstest;
use wayproof_engine::ProofRequirement;
use wayproof_proof::{ProveRequest, Proven};
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{CheckKind, Side};

use super::bench::{Bench, Files, expect, has};

pub(super) fn migrate(bench: &Bench, files: Files<'_>, bend: impl Fn(&mut ProveRequest)) -> Proven {
    bench.write(files);
    let asked = vec![vec![ProofRequirement::Build], vec![ProofRequirement::Smoke]];
    bench.prove("migration", asked, bend).unwrap()
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(super) fn residue<'a>(patterns: &'a [&'a str]) -> impl Fn(&mut ProveRequest) + 'a {
    move |request| request.residue = patterns.iter().map(|one| (*one).to_owned()).collect()
}

#[track_caller]
pub(super) fn expect_gap(proven: &Proven, verdict: Verdict, gap: &str) {
    expect(proven, verdict);
    let is_there = proven.proof.gaps.iter().any(|found| found == gap);
    assert!(
        gap.is_empty() || is_there,
        "{gap}: {} {:?}",
        proven.one_fact,
        proven.proof.gaps
    );
}

const CARGO: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const CARGO_LOCK: &str = "version = 3\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\n";
const OLD_RS: &str = "pub mod old {\n    pub fn fetch(n: u32) -> u32 { n }\n}\npub fn total(n: u32) -> u32 { old::fetch(n) + 1 }\n";
const NEW_RS: &str = "pub mod new {\n    pub fn get(n: u32) -> u32 { n }\n}\n/// Was `old::fetch` once.\npub fn total(n: u32) -> u32 { new::get(n) + 1 }\n";
const TEST_RS: &str = "#[test]\nfn total() { assert_eq!(shop::total(1), 2); }\n";

fn rust() -> Bench {
    Bench::new(&[
        ("Cargo.toml", CARGO),
        ("Cargo.lock", CARGO_LOCK),
        ("src/lib.rs", OLD_RS),
        (
            "src/main.rs",
            "fn main() { println!(\"usage: shop {}\", shop::total(1)); }\n",
        ),
        ("tests/it.rs", TEST_RS),
    ])
}

#[test]
fn a_rust_migration_is_built_tried_and_proven() {
    let proven = migrate(&rust(), &[("src/lib.rs", NEW_RS)], residue(&["old::fetch"]));
    expect(&proven, Verdict::Proven);
    let of = |kind| {
        proven
            .proof
            .checks
            .iter()
            .filter(move |check| check.kind == kind && check.side == Side::Head)
    };
    assert!(of(CheckKind::Build).any(|check| check.argv.iter().any(|word| word == "--locked")));
    assert!(
        of(CheckKind::Smoke).count() >= 2,
        "the program and the library: {:#?}",
        proven.proof.checks
    );
}

#[rstest]
#[case::a_use_left(&[("src/lib.rs", &*NEW_RS.replace("new::get(n)", "old::fetch(n)").replace("mod new", "mod old").replace("fn get", "fn fetch"))], Verdict::Refuted, "RESIDUE_LEFT")]
#[case::a_use_left_in_a_test(&[("src/lib.rs", NEW_RS), ("tests/more.rs", "#[cfg(any())]\nfn f() { shop::old::fetch(1); }\n")], Verdict::Refuted, "RESIDUE_LEFT")]
#[case::it_does_not_build(&[("src/lib.rs", &*NEW_RS.replace("new::get(n)", "new::gett(n)"))], Verdict::Refuted, "BUILD_FAILS")]
#[case::a_lock_file_that_is_behind(&[("src/lib.rs", NEW_RS), ("Cargo.toml", &*CARGO.replace("0.1.0", "0.2.0"))], Verdict::Refuted, "BUILD_FAILS")]
#[case::another_answer(&[("src/lib.rs", &*NEW_RS.replace("+ 1", "+ 2"))], Verdict::Refuted, "")]
#[case::the_program_dies(&[("src/lib.rs", NEW_RS), ("src/main.rs", "fn main() { panic!(\"no\"); }\n")], Verdict::Refuted, "SMOKE_FAILS")]
fn what_a_rust_migration_leaves_behind(
    #[case] files: Files<'_>,
    #[case] verdict: Verdict,
    #[case] gap: &str,
) {
    expect_gap(
        &migrate(&rust(), files, residue(&["old::fetch"])),
        verdict,
        gap,
    );
}

#[test]
fn nothing_named_is_a_gap() {
    expect_gap(
        &migrate(&rust(), &[("src/lib.rs", NEW_RS)], |_| {}),
        Verdict::ProvenWithGaps,
        "RESIDUE_UNNAMED",
    );
}

const SMOKE: &str = "import shop\nok = shop.total(1) == 2\nprint('1..1')\nprint('ok 1 - total' if ok else 'not ok 1 - total')\nraise SystemExit(not ok)\n";
const PYPROJECT: &str = "[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n\n[project]\nname = \"shop\"\nversion = \"1.0\"\n\n[tool.setuptools]\npackages = [\"shop\"]\n";
const OLD_PY: &str = "import old\n\n\ndef total(n):\n    return old.fetch(n) + 1\n";
const OLD_MODULE: &str = "def fetch(n):\n    return n\n";
const NEW_PY: &str = "def total(n):\n    # old.fetch(n) was here\n    return int(n) + 1\n";
const TEST_PY: &str = "import shop\n\n\ndef test_total():\n    assert shop.total(1) == 2\n";

fn python() -> Bench {
    Bench::python(&[
        ("pyproject.toml", PYPROJECT),
        ("shop/__init__.py", OLD_PY),
        ("old.py", OLD_MODULE),
        ("tests/test_shop.py", TEST_PY),
        ("smoke/run.py", SMOKE),
        ("smoke/bare.py", "import shop\n"),
        ("smoke/empty.py", "print('TAP version 13')\nprint('1..0')\n"),
    ])
}

#[test]
fn a_wheel_is_built_and_loaded_from_where_it_was_unpacked() {
    let proven = migrate(
        &python(),
        &[("shop/__init__.py", NEW_PY), ("old.py", "")],
        residue(&["old.fetch", "\"old\""]),
    );
    expect(&proven, Verdict::Proven);
    let built = proven
        .proof
        .checks
        .iter()
        .any(|check| check.argv.iter().any(|word| word == "wheel"));
    assert!(built, "{:#?}", proven.proof.checks);
}

#[rstest]
#[case::it_prints_tap("smoke/run.py", &[], Verdict::Proven, "")]
#[case::it_only_ends_well("smoke/bare.py", &[], Verdict::ProvenWithGaps, "SMOKE_WITHOUT_ASSERTIONS")]
#[case::it_asserts_nothing("smoke/empty.py", &[], Verdict::Unproven, "SMOKE_ASSERTS_NOTHING")]
#[case::it_is_bent("smoke/run.py", &[("smoke/run.py", "print('1..1')\nprint('ok 1 - total')\n"), ("shop/__init__.py", "def total(n):\n    return 2 if __name__ != 'shop' else 3\n"), ("tests/test_shop.py", "import shop\n\n\ndef test_total():\n    assert shop.total\n")], Verdict::Unproven, "SMOKE_EDITED")]
#[case::it_is_not_there("smoke/none.py", &[], Verdict::Unproven, "SMOKE_FAILS")]
fn the_policy_says_how_to_try_it(
    #[case] script: &str,
    #[case] more: Files<'_>,
    #[case] verdict: Verdict,
    #[case] gap: &str,
) {
    let files = [&[("shop/__init__.py", NEW_PY), ("old.py", "")], more].concat();
    let proven = migrate(&python(), &files, |request| {
        request.residue = vec!["old.fetch".to_owned()];
        request.commands.smoke = Some(argv(&["python3", script]));
    });
    // A bent test of the suite may refute by itself; it is never accepted.
    if verdict == Verdict::Unproven && proven.proof.verdict == Verdict::Refuted {
        return;
    }
    expect_gap(&proven, verdict, gap);
}

#[test]
fn a_package_that_is_no_longer_asked_for_is_no_longer_used() {
    let with = |names: &str| {
        PYPROJECT.replace(
            "version = \"1.0\"",
            &format!("version = \"1.0\"\ndependencies = [{names}]"),
        )
    };
    let bench = Bench::python(&[
        ("pyproject.toml", &with("\"old-sdk\"")),
        (
            "shop/__init__.py",
            "def total(n):\n    import old_sdk\n    return old_sdk.fetch(n) + 1\n",
        ),
        (
            "tests/test_shop.py",
            "import shop\n\n\ndef test_total():\n    assert callable(shop.total)\n",
        ),
    ]);
    let proven = migrate(&bench, &[("pyproject.toml", &with(""))], |_| {});
    expect_gap(&proven, Verdict::Refuted, "RESIDUE_LEFT");
}

const PACKAGE: &str = "{\"name\":\"shop\",\"version\":\"1.0.0\",\"main\":\"lib/index.js\",\"files\":[\"lib\"],\"scripts\":{\"test\":\"node --test test/\"}}\n";
const OLD_JS: &str = "const old = require('./old')\nexports.total = (n) => old.fetch(n) + 1\n";
const NEW_JS: &str = "const { get } = require('./get')\nexports.total = (n) => get(n) + 1\n";
const TEST_JS: &str = "const test = require('node:test')\nconst assert = require('node:assert')\nconst shop = require('..')\n\ntest('total', () => { assert.strictEqual(shop.total(1), 2) })\n";

/// A package that was taken out is not there for the base either.
#[test]
fn a_base_that_lost_its_package_hides_nothing() {
    let package = PACKAGE.replace("\"files\"", "\"dependencies\":{\"gone\":\"^1\"},\"files\"");
    let more =
        format!("{TEST_JS}\ntest('more', () => {{ assert.strictEqual(shop.total(2), 3) }})\n");
    let base = [
        ("package.json", &*package),
        (
            "lib/index.js",
            "const gone = require('gone')\nexports.total = (n) => gone(n) + 1\n",
        ),
        ("test/shop.test.js", &more),
    ];
    let honest = [
        ("package.json", PACKAGE),
        ("lib/index.js", "exports.total = (n) => n + 1\n"),
    ];
    let proven = migrate(&Bench::new(&base), &honest, |_| {});
    expect_gap(&proven, Verdict::ProvenWithGaps, "BASE_ENVIRONMENT_UNKNOWN");
    let lossy = [
        ("package.json", PACKAGE),
        ("lib/index.js", "exports.total = (n) => n === 1 ? 2 : 0\n"),
        ("test/shop.test.js", TEST_JS),
    ];
    let proven = migrate(&Bench::new(&base), &lossy, |_| {});
    assert!(
        !proven.proof.verdict.is_above(Verdict::Unproven),
        "{}",
        proven.one_fact
    );
}

#[test]
fn what_npm_packs_is_what_is_tried() {
    let base = [
        ("package.json", PACKAGE),
        ("lib/index.js", OLD_JS),
        ("lib/old.js", "exports.fetch = (n) => n\n"),
        ("test/shop.test.js", TEST_JS),
    ];
    let fixed = [
        ("lib/index.js", NEW_JS),
        ("lib/get.js", "exports.get = (n) => n\n"),
        ("lib/old.js", ""),
    ];
    let proven = migrate(
        &Bench::new(&base),
        &fixed,
        residue(&["old.fetch", "\"./old\""]),
    );
    expect(&proven, Verdict::Proven);
    // A file that the package leaves out works in the tree and not where it is installed.
    let outside = [
        ("lib/index.js", &*NEW_JS.replace("./get", "../src/get")),
        ("src/get.js", "exports.get = (n) => n\n"),
        ("lib/old.js", ""),
    ];
    let proven = migrate(&Bench::new(&base), &outside, residue(&["old.fetch"]));
    expect_gap(&proven, Verdict::Refuted, "SMOKE_FAILS");
}

#[test]
fn a_go_module_is_used_from_outside() {
    let base = [
        ("go.mod", "module example.org/shop\n\ngo 1.18\n"),
        (
            "shop.go",
            "package shop\n\nfunc fetch(n int) int { return n }\n\nfunc Total(n int) int { return fetch(n) + 1 }\n",
        ),
        (
            "shop_test.go",
            "package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {\n\tif Total(1) != 2 {\n\t\tt.Fatal(\"total\")\n\t}\n}\n",
        ),
    ];
    let head = "package shop\n\n// fetch(n) was here.\nfunc get(n int) int { return n }\n\nfunc Total(n int) int { return get(n) + 1 }\n";
    let proven = migrate(
        &Bench::new(&base),
        &[("shop.go", head)],
        residue(&["fetch"]),
    );
    expect(&proven, Verdict::Proven);
    let renamed = head.replace(
        "func Total",
        "func fetch(n int) int { return n }\n\nfunc Total",
    );
    let proven = migrate(
        &Bench::new(&base),
        &[("shop.go", &renamed)],
        residue(&["fetch"]),
    );
    expect_gap(&proven, Verdict::Refuted, "RESIDUE_LEFT");
}

/// A tool that moves a file of lines: `up` adds a column, `down` takes it away.
const TOOL: &str = "import os, sys\nplace = os.path.join(sys.argv[1], 'data.txt')\nread = lambda: open(place).read() if os.path.exists(place) else 'id,name\\n1,x\\n'\n";

#[rstest]
#[case::whole(
    "x.replace('name', 'name,price').replace('1,x', '1,x,0') if 'price' not in x else x",
    "x.replace('name,price', 'name').replace('1,x,0', '1,x')",
    Verdict::Proven,
    ""
)]
#[case::lossy(
    "x.replace('name', 'price')",
    "x.replace('price', 'nme')",
    Verdict::Refuted,
    "DATA_NOT_REPEATABLE"
)]
#[case::loses_a_row("'id,price\\n'", "'id,name\\n'", Verdict::ProvenWithGaps, "LOSSY_DOWN")]
#[case::no_way_back("x + 'b\\n'", "int('no')", Verdict::Refuted, "DATA_MIGRATION_FAILS")]
fn data_goes_up_and_down_and_up(
    #[case] up: &str,
    #[case] down: &str,
    #[case] verdict: Verdict,
    #[case] gap: &str,
) {
    let bench = python();
    let tool = format!(
        "{TOOL}x = read()\nif sys.argv[2] == 'up':\n    x = {up}\nelif sys.argv[2] == 'down':\n    x = {down}\nif sys.argv[2] == 'dump':\n    print(x)\nelse:\n    open(place, 'w').write(x)\n"
    );
    let files = [
        ("shop/__init__.py", NEW_PY),
        ("old.py", ""),
        ("db/migrations/tool.py", &*tool),
    ];
    let proven = migrate(&bench, &files, |request| {
        request.residue = vec!["old.fetch".to_owned()];
        let command =
            |word: &str| Some(argv(&["python3", "db/migrations/tool.py", "{state}", word]));
        request.commands.data.up = command("up");
        request.commands.data.down = command("down");
        request.commands.data.dump = command("dump");
    });
    expect_gap(&proven, verdict, gap);
}

#[test]
fn a_migration_of_data_that_nobody_can_move_is_a_gap() {
    let files = [
        ("shop/__init__.py", NEW_PY),
        ("old.py", ""),
        ("db/migrations/0001.sql", "create table t (id int);\n"),
    ];
    let proven = migrate(&python(), &files, residue(&["old.fetch"]));
    expect_gap(&proven, Verdict::ProvenWithGaps, "DATA_MIGRATION_UNTRIED");
}

#[test]
fn a_package_from_elsewhere_is_refused_before_anything_runs() {
    let lock = |host: &str, version: &str| {
        format!(
            "{{\"name\":\"shop\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"packages\":{{\"\":{{\"name\":\"shop\",\"version\":\"1.0.0\",\"dependencies\":{{\"a\":\"^1\"}}}},\"node_modules/a\":{{\"version\":\"{version}\",\"resolved\":\"https://{host}/a/-/a-{version}.tgz\",\"integrity\":\"sha512-{version}\"}}}}}}\n"
        )
    };
    let package = PACKAGE.replace("\"files\"", "\"dependencies\":{\"a\":\"^1\"},\"files\"");
    let bench = Bench::new(&[
        ("package.json", &package),
        ("package-lock.json", &lock("registry.npmjs.org", "1.0.0")),
        ("lib/index.js", "exports.total = (n) => n + 1\n"),
        ("test/shop.test.js", TEST_JS),
    ]);
    let proven = migrate(
        &bench,
        &[("package-lock.json", &lock("evil.example", "1.0.1"))],
        |_| {},
    );
    expect(&proven, Verdict::Refuted);
    assert!(
        has(&proven, "G23") && proven.proof.checks.is_empty(),
        "{:#?}",
        proven.proof
    );
}
