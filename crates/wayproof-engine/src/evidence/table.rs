//! The table of recognizers and the one pass that finds which of them have anything to read.
//!
//! Each recognizer names a few literals without which it cannot find anything. All literals of
//! all recognizers are looked for together, so that output in which no tool speaks costs one
//! scan. The table holds no knowledge of any tool.

use std::sync::LazyLock;

use wayproof_wire::Exit;

use super::log::{Log, clean};
use super::triggers::Triggers;
use super::{
    Evidence, ant, build, command, compiler, ctest, dotnet, eslint, gotest, gradle, gtest, jest,
    junit, karma, libtest, linker, maven, minitest, mocha, nextest, phpunit, pytest, rspec, rustc,
    sbt, settle, sympy, tap, unittest, vitest, xctest,
};

/// One tool's reader.
pub(super) struct Recognizer {
    /// Literals of which at least one is in any text it can read.
    pub(super) triggers: &'static [&'static str],
    /// Reads the log; nothing is returned when the tool did not speak after all.
    pub(super) read: fn(&Log<'_>) -> Option<Evidence>,
}

/// All recognizers. The order is the order of the items in the result.
static RECOGNIZERS: &[&Recognizer] = &[
    &rustc::RUSTC,
    &libtest::LIBTEST,
    &nextest::NEXTEST,
    &pytest::PYTEST,
    &unittest::UNITTEST,
    &sympy::SYMPY,
    &jest::JEST,
    &vitest::VITEST,
    &mocha::MOCHA,
    &karma::KARMA,
    &tap::TAP,
    &gotest::GOTEST,
    &maven::MAVEN,
    &gradle::GRADLE,
    &ant::ANT,
    &junit::JUNIT,
    &sbt::SBT,
    &ctest::CTEST,
    &gtest::GTEST,
    &dotnet::DOTNET,
    &rspec::RSPEC,
    &minitest::MINITEST,
    &phpunit::PHPUNIT,
    &xctest::XCTEST,
    &linker::LINKER,
    &eslint::ESLINT,
    &build::BUILD,
];

/// Reads what a command printed: one item for each tool that said something.
///
/// `command` is the command line where it is known; it only ever sharpens the reading. `exit`
/// is believed over the text: a failed command never gives a pass, and no text gives one by
/// itself unless a tool's own summary says so.
pub fn recognize(text: &str, command: Option<&str>, exit: Exit) -> Vec<Evidence> {
    if command.is_some_and(command::is_reading) {
        return Vec::new();
    }
    let text = clean(text);
    let mut active = TRIGGERS.find(&text);
    let log = Log::new(&text, command, exit);
    let mut found = Vec::new();
    for recognizer in RECOGNIZERS {
        if active & 1 == 1 {
            found.extend((recognizer.read)(&log));
        }
        active >>= 1;
    }
    let findings = compiler::read(&log, &found);
    found.extend(findings);
    settle::settle(&log, found)
}

static TRIGGERS: LazyLock<Triggers> =
    LazyLock::new(|| Triggers::new(RECOGNIZERS.iter().map(|recognizer| recognizer.triggers)));
