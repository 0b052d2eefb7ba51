//! Migrations: built from nothing, tried as built, nothing left over, and data up, down and up.

use rstest::rstest;
use wayproof_engine::ProofRequirement;
use wayproof_proof::{ProveRequest, Proven};
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{CheckKind, Side};

use super::bench::{Bench, Files, expect, has};

fn migrate(bench: &Bench, files: Files<'_>, bend: impl Fn(&mut ProveRequest)) -> Proven {
    bench.write(files);
    let asked = vec![vec![ProofRequirement::Build], vec![ProofRequirement::Smoke]];
    bench.prove("migration", asked, bend).unwrap()
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn residue<'a>(patterns: &'a [&'a str]) -> impl Fn(&mut ProveRequest) + 'a {
    move |request| request.residue = patterns.iter().map(|one| (*one).to_owned()).collect()
}

#[track_caller]
fn expect_gap(proven: &Proven, verdict: Verdict, gap: &str) {
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

/// Proves the honest change, and that nothing is missing from what is packed.
#[track_caller]
fn expect_packed(proven: &Proven) {
    expect(proven, Verdict::Proven);
    let smoked = proven
        .proof
        .checks
        .iter()
        .any(|check| check.kind == CheckKind::Smoke && check.side == Side::Head);
    assert!(smoked, "{:#?}", proven.proof.checks);
}

const SHOP_RB: &str = "require_relative \"shop/part\"\n\nmodule Shop\n  def self.total(n)\n    Old.fetch(n) + 1\n  end\nend\n";
const PART_RB: &str = "module Old\n  def self.fetch(n)\n    n\n  end\nend\n";

#[test]
fn a_gem_is_tried_as_installed() {
    let bench = || {
        Bench::new(&[
            (
                "shop.gemspec",
                "Gem::Specification.new do |spec|\n  spec.name = \"shop\"\n  spec.version = \"1.0.0\"\n  spec.summary = \"A shop\"\n  spec.authors = [\"a\"]\n  spec.files = Dir[\"lib/**/*.rb\"] + [\"bin/shop\"]\n  spec.bindir = \"bin\"\n  spec.executables = [\"shop\"]\nend\n",
            ),
            (
                "bin/shop",
                "#!/usr/bin/env ruby\nrequire \"shop\"\nputs \"usage: shop #{Shop.total(1)}\"\n",
            ),
            ("lib/shop.rb", SHOP_RB),
            ("lib/shop/part.rb", PART_RB),
            (
                "test/shop_test.rb",
                "require \"minitest/autorun\"\nrequire_relative \"../lib/shop\"\n\nclass ShopTest < Minitest::Test\n  def test_total\n    assert_equal 2, Shop.total(1)\n  end\nend\n",
            ),
        ])
    };
    let (shop, part) = (
        SHOP_RB.replace("Old.fetch", "New.get"),
        PART_RB.replace("Old", "New").replace("fetch", "get"),
    );
    let files: Files<'_> = &[("lib/shop.rb", &shop), ("lib/shop/part.rb", &part)];
    expect_packed(&migrate(&bench(), files, residue(&["Old.fetch"])));
    // What the gem does not hold is found beside the source alone.
    let shop = shop.replace("shop/part", "../ext/part");
    let files: Files<'_> = &[
        ("lib/shop.rb", &shop),
        ("lib/shop/part.rb", ""),
        ("ext/part.rb", &part),
    ];
    expect_gap(
        &migrate(&bench(), files, residue(&["Old.fetch"])),
        Verdict::Refuted,
        "SMOKE_FAILS",
    );
}

const SHOP_PHP: &str = "<?php\nnamespace App;\n\nfinal class Shop\n{\n    public static function total(int $n): int\n    {\n        return Old::fetch($n) + 1;\n    }\n}\n";
const OLD_PHP: &str = "<?php\nnamespace App;\n\nfinal class Old\n{\n    public static function fetch(int $n): int\n    {\n        return $n;\n    }\n}\n";
const TEST_PHP: &str = "<?php\nnamespace App\\Tests;\n\nuse App\\Shop;\nuse PHPUnit\\Framework\\TestCase;\n\nspl_autoload_register(function ($class) {\n    $file = __DIR__ . '/../src/' . substr(str_replace('\\\\', '/', $class), 4) . '.php';\n    if (is_file($file)) { require_once $file; }\n});\n\nfinal class ShopTest extends TestCase\n{\n    public function testTotal(): void\n    {\n        self::assertSame(2, Shop::total(1));\n    }\n}\n";

#[test]
fn a_package_of_php_is_tried_as_it_is_loaded() {
    let bench = || {
        Bench::new(&[
            (
                "composer.json",
                "{\"name\": \"a/b\", \"autoload\": {\"psr-4\": {\"App\\\\\": \"src/\"}}}\n",
            ),
            (
                "phpunit.xml.dist",
                "<?xml version=\"1.0\"?>\n<phpunit><testsuites><testsuite name=\"all\"><directory>tests</directory></testsuite></testsuites></phpunit>\n",
            ),
            ("src/Shop.php", SHOP_PHP),
            ("src/Old.php", OLD_PHP),
            ("tests/ShopTest.php", TEST_PHP),
        ])
    };
    let (shop, new) = (
        SHOP_PHP.replace("Old::fetch", "Fresh::get"),
        OLD_PHP.replace("Old", "Fresh").replace("fetch", "get"),
    );
    let files: Files<'_> = &[
        ("src/Shop.php", &shop),
        ("src/Old.php", ""),
        ("src/Fresh.php", &new),
    ];
    expect_packed(&migrate(&bench(), files, residue(&["Old::fetch"])));
    let shop = shop.replace(
        "namespace App;\n",
        "namespace App;\n\nrequire_once __DIR__ . '/../more/Fresh.php';\n",
    );
    let files: Files<'_> = &[
        ("src/Shop.php", &shop),
        ("src/Old.php", ""),
        ("more/Fresh.php", &new),
    ];
    expect_gap(
        &migrate(&bench(), files, residue(&["Old::fetch"])),
        Verdict::Refuted,
        "SMOKE_FAILS",
    );
}

#[test]
fn a_jar_is_tried_alone() {
    let pom = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  <groupId>a</groupId>\n  <artifactId>shop</artifactId>\n  <version>1</version>\n  <properties>\n    <maven.compiler.source>11</maven.compiler.source>\n    <maven.compiler.target>11</maven.compiler.target>\n    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>\n  </properties>\n  <dependencies>\n    <dependency>\n      <groupId>junit</groupId>\n      <artifactId>junit</artifactId>\n      <version>4.13.2</version>\n      <scope>test</scope>\n    </dependency>\n  </dependencies>\n</project>\n";
    let shop = "package a;\n\npublic final class Shop {\n    public static int total(int n) {\n        return Old.fetch(n) + 1;\n    }\n}\n";
    let old = "package a;\n\nfinal class Old {\n    static int fetch(int n) {\n        return n;\n    }\n}\n";
    let test = "package a;\n\nimport static org.junit.Assert.assertEquals;\n\nimport org.junit.Test;\n\npublic class ShopTest {\n    @Test\n    public void total() {\n        assertEquals(2, Shop.total(1));\n    }\n}\n";
    let bench = Bench::new(&[
        ("pom.xml", pom),
        ("src/main/java/a/Shop.java", shop),
        ("src/main/java/a/Old.java", old),
        ("src/test/java/a/ShopTest.java", test),
    ]);
    let (shop, new) = (
        shop.replace("Old.fetch", "Fresh.get"),
        old.replace("Old", "Fresh").replace("fetch", "get"),
    );
    let files: Files<'_> = &[
        ("src/main/java/a/Shop.java", &shop),
        ("src/main/java/a/Old.java", ""),
        ("src/main/java/a/Fresh.java", &new),
    ];
    expect_packed(&migrate(&bench, files, residue(&["Old.fetch"])));
}

#[test]
fn a_library_of_c_is_tried_as_installed() {
    let lists = "cmake_minimum_required(VERSION 3.16)\nproject(shop C)\nenable_testing()\nadd_library(shop SHARED shop.c)\nadd_executable(total tests/total.c)\ntarget_link_libraries(total shop)\nadd_test(NAME total COMMAND total)\ninstall(TARGETS shop LIBRARY DESTINATION lib)\ninstall(FILES shop.h DESTINATION include)\n";
    let header = "#pragma once\nint old_fetch(int n);\nint total(int n);\n";
    let source = "#include \"shop.h\"\n\nint old_fetch(int n) { return n; }\nint total(int n) { return old_fetch(n) + 1; }\n";
    let test = "#include <stdlib.h>\n\n#include \"../shop.h\"\n\nint main(void) {\n  if (total(1) != 2) abort();\n  return 0;\n}\n";
    let bench = || {
        Bench::new(&[
            ("CMakeLists.txt", lists),
            ("shop.h", header),
            ("shop.c", source),
            ("tests/total.c", test),
        ])
    };
    let (new_header, new_source) = (
        header.replace("old_fetch", "new_get"),
        source.replace("old_fetch", "new_get"),
    );
    let files: Files<'_> = &[("shop.h", &new_header), ("shop.c", &new_source)];
    expect_packed(&migrate(&bench(), files, residue(&["old_fetch"])));
    // A header that is not installed is missed by whoever includes the one that is.
    let split = new_header.replace("int new_get(int n);", "#include \"part.h\"");
    let files: Files<'_> = &[
        ("shop.h", &split),
        ("shop.c", &new_source),
        ("part.h", "#pragma once\nint new_get(int n);\n"),
    ];
    expect_gap(
        &migrate(&bench(), files, residue(&["old_fetch"])),
        Verdict::Refuted,
        "BUILD_FAILS",
    );
}
