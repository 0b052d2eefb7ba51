//! Repositories that are odd: links in a circle, names that are no text, many files, contents that are elsewhere,
//! clones that lack something. Each is proven, or ends with the one reason.

use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;

use wayproof_receipt::Verdict;

use super::bench::{Bench, expect};
use super::python::{BUG, FIX, NEW_TEST, OLD_TEST};

fn python() -> Bench {
    Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)])
}

/// Makes what stands in the working tree the base.
fn rebase(bench: &Bench) {
    bench.commit("odd");
    bench.git(&["tag", "-f", "base"]);
}

/// A test that either runner of Python takes.
const OLD_CASE: &str = "import unittest\n\nimport calc\n\n\nclass Calc(unittest.TestCase):\n    def test_twice(self):\n        self.assertEqual(calc.twice(2), 4)\n";

#[test]
fn links_in_a_circle_are_not_followed() {
    for has_pytest in [true, false] {
        let files: &[_] = &[
            ("calc.py", BUG),
            ("tests/__init__.py", ""),
            ("tests/inner/__init__.py", ""),
        ];
        let bench = if has_pytest {
            Bench::python(files)
        } else {
            Bench::new(files)
        };
        for (target, link) in [
            (".", "tests/one"),
            (".", "tests/two"),
            ("..", "tests/inner/up"),
            ("../inner", "tests/inner/in"),
        ] {
            symlink(target, bench.root().join(link)).unwrap();
        }
        bench.write(&[("tests/test_calc.py", OLD_CASE)]);
        rebase(&bench);
        let new = format!(
            "{OLD_CASE}\n    def test_add(self):\n        self.assertEqual(calc.add(1, 2), 3)\n"
        );
        let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", &new)]);
        expect(&proven, Verdict::Proven);
        assert_eq!(proven.proof.fail_to_pass.len(), 1, "pytest: {has_pytest}");
    }
}

#[test]
fn names_that_are_no_text_are_carried_along() {
    let bench = python();
    let name = |text: &[u8]| std::ffi::OsString::from_vec(text.to_vec());
    let tests = bench.root().join("tests");
    fs::write(tests.join(name(b"caf\xe9.txt")), "one").unwrap();
    fs::write(bench.root().join(name(b"n\xffte.md")), "one").unwrap();
    rebase(&bench);
    fs::write(tests.join(name(b"caf\xe9.txt")), "two").unwrap();
    fs::write(tests.join(name(b"new\xfe.txt")), "three").unwrap();
    fs::remove_file(bench.root().join(name(b"n\xffte.md"))).unwrap();
    let test = format!(
        "import os\n{NEW_TEST}\n\ndef test_names():\n    here = os.path.dirname(os.path.abspath(__file__)).encode()\n    assert open(here + b'/caf\\xe9.txt').read() == 'two' and os.path.exists(here + b'/new\\xfe.txt')\n"
    );
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", &test)]);
    expect(&proven, Verdict::Proven);
}

#[test]
fn many_files_are_no_trouble() {
    let bench = python();
    for folder in 0..20 {
        let place = bench.root().join(format!("data/{folder:03}"));
        fs::create_dir_all(&place).unwrap();
        for file in 0..1_000 {
            fs::write(place.join(format!("{file:04}.txt")), "x").unwrap();
        }
    }
    rebase(&bench);
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", NEW_TEST)]);
    expect(&proven, Verdict::Proven);
}

const READS_DATA: &str = "import os\n\n\ndef test_data():\n    here = os.path.dirname(__file__)\n    assert open(os.path.join(here, 'data.bin')).read() == 'large\\n'\n";

#[test]
fn contents_that_lfs_keeps_elsewhere_are_named() {
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 6\n",
        "5e".repeat(32)
    );
    let bench = python();
    bench.write(&[
        (
            ".gitattributes",
            "*.bin filter=lfs diff=lfs merge=lfs -text\n",
        ),
        ("tests/data.bin", &pointer),
    ]);
    rebase(&bench);
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_data.py", READS_DATA)]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("tests/data.bin") && proven.one_fact.contains("git lfs pull"),
        "{}",
        proven.one_fact
    );
    // Where nothing asks for them, they are not missed.
    let proven = bench.fix(&[("tests/test_data.py", ""), ("tests/test_calc.py", NEW_TEST)]);
    expect(&proven, Verdict::Proven);
}

#[test]
fn a_submodule_is_filled_in_or_named() {
    let inner = Bench::new(&[("data.bin", "large\n")]);
    let bench = python();
    let address = inner.root();
    let args = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
    ];
    bench.git(&[&args[..], &[address.to_str().unwrap(), "tests/inner"]].concat());
    rebase(&bench);
    let test = format!(
        "{NEW_TEST}\n\n{}",
        READS_DATA.replace("'data.bin'", "'inner/data.bin'")
    );
    let files: &[_] = &[("calc.py", FIX), ("tests/test_calc.py", &test)];
    expect(&bench.fix(files), Verdict::Proven);
    bench.git(&["submodule", "--quiet", "deinit", "-f", "tests/inner"]);
    let proven = bench.fix(files);
    expect(&proven, Verdict::ProvenWithGaps);
    assert_eq!(proven.proof.gaps, ["CONTENT_MISSING"]);
    assert!(
        proven.one_fact.contains("submodule tests/inner"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn files_that_a_sparse_checkout_left_out_are_in_the_proof() {
    let bench = python();
    bench.write(&[("far/data.bin", "large\n")]);
    rebase(&bench);
    bench.git(&["sparse-checkout", "set", "--no-cone", "/calc.py", "/tests/"]);
    assert!(!bench.root().join("far").exists());
    let test = format!(
        "{NEW_TEST}\n\n{}",
        READS_DATA.replace("'data.bin'", "'../far/data.bin'")
    );
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", &test)]);
    expect(&proven, Verdict::Proven);
}

#[test]
fn a_shallow_clone_is_proven_from_what_it_has() {
    let origin = python();
    origin.write(&[("notes.txt", "more\n")]);
    rebase(&origin);
    let bench = Bench::clone_of(&origin, &["--depth", "1"]);
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", NEW_TEST)]);
    expect(&proven, Verdict::Proven);
    let error = bench
        .prove("bug-fix", Vec::new(), |request| {
            request.base = Some("HEAD~1".to_owned());
        })
        .unwrap_err();
    let why = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        why.as_deref().is_some_and(|why| why.contains("shallow")),
        "{error}: {why:?}"
    );
}

#[test]
fn binary_changes_and_reds_that_were_red_before_hide_nothing() {
    let bench = python();
    fs::write(bench.root().join("logo.png"), b"\x89PNG\r\n\x1a\n\0\0one").unwrap();
    bench.write(&[("tests/test_old.py", "def test_old():\n    assert 1 == 2\n")]);
    rebase(&bench);
    fs::write(bench.root().join("logo.png"), b"\x89PNG\r\n\x1a\n\0\0two").unwrap();
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", NEW_TEST)]);
    expect(&proven, Verdict::Proven);
    // What was red before and is red now is no fix and no loss.
    bench.write(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    let proven = bench.fix(&[("calc.py", &format!("{BUG}\n\nMORE = 1\n"))]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven
            .one_fact
            .contains("failed before the change and still fails"),
        "{}",
        proven.one_fact
    );
}
