//! No bytes make a reader panic, and none make it call a broken report whole by accident of order.

use proptest::prelude::*;
use wayproof_proof::{CompileFormat, JunitDialect, TestFormat, read_diagnostics, read_tests};

const GOLDEN: &[(&str, Kind)] = &[
    (include_str!("golden/pytest.xml"), Kind::Junit),
    (include_str!("golden/node.xml"), Kind::Junit),
    (include_str!("golden/nextest.xml"), Kind::Junit),
    (include_str!("golden/node.tap"), Kind::Tap),
    (include_str!("golden/tape.tap"), Kind::Tap),
    (include_str!("golden/go.jsonl"), Kind::Go),
    (include_str!("golden/jest.json"), Kind::Json),
    (include_str!("golden/mocha.json"), Kind::Json),
    (include_str!("golden/libtest.txt"), Kind::Libtest),
    (include_str!("golden/tsc-pretty.txt"), Kind::Compiler),
    (include_str!("golden/cargo.jsonl"), Kind::Compiler),
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Junit,
    Tap,
    Go,
    Json,
    Libtest,
    Compiler,
}

fn formats() -> Vec<TestFormat> {
    use JunitDialect::{Gotestsum, Jest, Mocha, Nextest, Node, Pytest, Surefire, Vitest};
    let junit = [
        Pytest, Nextest, Gotestsum, Vitest, Jest, Node, Mocha, Surefire,
    ]
    .map(TestFormat::Junit);
    let others = [
        TestFormat::GoTest,
        TestFormat::Jest,
        TestFormat::Mocha,
        TestFormat::Tap,
        TestFormat::Trx,
    ];
    junit
        .into_iter()
        .chain(others)
        .chain([TestFormat::Libtest {
            binary: "b".to_owned(),
        }])
        .collect()
}

fn read_all(bytes: &[u8]) {
    for format in formats() {
        let run = read_tests(&format, "/work-dir", bytes);
        assert!(run.is_complete == run.problems.is_empty(), "{run:?}");
    }
    read_diagnostics(CompileFormat::Cargo, bytes);
    read_diagnostics(CompileFormat::Tsc, bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn any_words_of_the_formats_are_survived(words in prop::collection::vec(prop::sample::select(vec![
        "<testsuite>", "</testsuite>", "<testcase name='a'", "/>", ">", "<failure", "&#10;", "&amp;", "&x;", "]]>", "<![CDATA[",
        "ok", "not ok", " 1", " - ", "#", " SKIP", "1..", "\n", "    ", "  ---\n", "  ...\n", "running ", "tests", "test ", " ... ",
        "FAILED", "test result: ", "failures:", "---- ", "{\"Action\":\"pass\",\"Package\":\"p\"", "}", "\u{1b}[31m", ":", "é", "\0",
        "error TS", "(1,2): ", "at ", "panicked at ", "\t",
    ]), 0..40)) {
        read_all(words.concat().as_bytes());
    }

    #[test]
    fn a_report_cut_anywhere_is_survived(which in 0..GOLDEN.len(), at in 0.0..1.0_f64, drop in 0_usize..40) {
        let bytes = GOLDEN[which].0.as_bytes();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small length")]
        let at = (bytes.len() as f64 * at) as usize;
        read_all(&bytes[..at]);
        let rest = (at + drop).min(bytes.len());
        read_all(&[&bytes[..at], &bytes[rest..]].concat());
    }

    #[test]
    fn xml_cut_short_is_never_complete(which in 0..3_usize, at in 0.0..0.99_f64) {
        let (text, _) = GOLDEN[which];
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a small length")]
        let at = (text.len() as f64 * at) as usize;
        for format in formats().into_iter().take(8) {
            prop_assert!(!read_tests(&format, "", &text.as_bytes()[..at]).is_complete);
        }
    }
}
