//! What is packed of a gem, a PHP package, a jar and an installed prefix, and tried where the source is not.

use wayproof_proof::Proven;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::{CheckKind, Side};

use super::bench::{Bench, Files, expect};
use super::migration::{expect_gap, migrate, residue};

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
                "{\"name\": \"a/b\", \"autoload\": {\"psr-4\": {\"App\\\\\": \"src/\"}}, \"archive\": {\"exclude\": [\"/more\"]}}\n",
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
fn what_composer_leaves_out_of_its_archive_is_missed() {
    let manifest = |excluded: &str| {
        format!(
            "{{\"name\": \"a/b\", \"autoload\": {{\"psr-4\": {{\"App\\\\\": \"src/\"}}}}, \"archive\": {{\"exclude\": [{excluded}]}}}}\n"
        )
    };
    let base = manifest("\"/tests\"");
    let bench = Bench::new(&[
        ("composer.json", &base),
        (
            "phpunit.xml.dist",
            "<?xml version=\"1.0\"?>\n<phpunit><testsuites><testsuite name=\"all\"><directory>tests</directory></testsuite></testsuites></phpunit>\n",
        ),
        // Left out before the change as well, which is no fault of it.
        (
            "src/Tests/Helper.php",
            "<?php\nnamespace App\\Tests;\n\nclass Helper {}\n",
        ),
        ("src/Shop.php", SHOP_PHP),
        ("src/Old.php", OLD_PHP),
        ("tests/ShopTest.php", TEST_PHP),
        (".gitattributes", "/src/Tests export-ignore\n"),
    ]);
    let (shop, new) = (
        SHOP_PHP.replace("Old::fetch", "Fresh::get"),
        OLD_PHP.replace("Old", "Fresh").replace("fetch", "get"),
    );
    let honest: Files<'_> = &[
        ("src/Shop.php", &shop),
        ("src/Old.php", ""),
        ("src/Fresh.php", &new),
    ];
    expect_packed(&migrate(&bench, honest, residue(&["Old::fetch"])));
    let attributes = "/src/Tests export-ignore\n/src/Fresh.php export-ignore\n";
    let left_out: Files<'_> = &[
        ("src/Shop.php", &shop),
        ("src/Old.php", ""),
        ("src/Fresh.php", &new),
        (".gitattributes", attributes),
    ];
    expect_gap(
        &migrate(&bench, left_out, residue(&["Old::fetch"])),
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
