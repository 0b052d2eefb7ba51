//! `go test -json`. It refuses a package that passed without reporting a test, which is what leaving early looks like,
//! and a package whose later tests a panic took along.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::builder::{BYTE_LIMIT, Builder, has_extension, passed, place, quiet, red};
use super::{Location, RedReason, Status, TestResult, TestRun};

/// The most bytes of output kept for one test or package.
const OUTPUT_LIMIT: usize = 64 << 10;
/// The most tests and packages at once.
const UNIT_LIMIT: usize = 200_000;

/// One event of the stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    #[serde(default)]
    import_path: String,
    #[serde(default)]
    test: String,
    #[serde(default)]
    output: String,
    #[serde(default)]
    failed_build: String,
}

/// A test or, with an empty test name, a package.
#[derive(Debug, Default)]
struct Unit {
    end: Option<End>,
    output: String,
}

/// How a unit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Pass,
    Fail,
    Skip,
}

/// Reads a stream of events.
pub(super) fn read(root: &str, bytes: &[u8]) -> TestRun {
    let mut run = Builder::new(bytes);
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTE_LIMIT)).unwrap_or_default());
    let mut packages: BTreeMap<String, BTreeMap<String, Unit>> = BTreeMap::new();
    let mut builds: BTreeMap<String, String> = BTreeMap::new();
    let mut units = 0_usize;
    for line in text.lines() {
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            plain_line(line, &mut packages);
            continue;
        };
        if event.package.is_empty() {
            append(builds.entry(event.import_path).or_default(), &event.output);
            continue;
        }
        units += 1;
        if units > UNIT_LIMIT * 16 {
            run.broken("there are too many events".to_owned());
            break;
        }
        take(event, &mut packages, &builds);
    }
    if packages.is_empty() {
        run.broken("the stream names no package".to_owned());
    }
    for (name, units) in &packages {
        package(root, name, units, &mut run);
    }
    run.finish()
}

/// Takes one event.
fn take(
    event: Event,
    packages: &mut BTreeMap<String, BTreeMap<String, Unit>>,
    builds: &BTreeMap<String, String>,
) {
    let units = packages.entry(event.package).or_default();
    // A package is there as soon as one of its tests is.
    units.entry(String::new()).or_default();
    let unit = units.entry(event.test).or_default();
    match event.action.as_str() {
        "pass" => unit.end = Some(End::Pass),
        "fail" => unit.end = Some(End::Fail),
        "skip" => unit.end = Some(End::Skip),
        "output" => append(&mut unit.output, &event.output),
        _ => {}
    }
    if !event.failed_build.is_empty() {
        append(&mut unit.output, "[build failed]\n");
        append(
            &mut unit.output,
            builds
                .get(&event.failed_build)
                .map(String::as_str)
                .unwrap_or_default(),
        );
    }
}

/// Takes a line older versions print as it is: `FAIL<TAB>package [build failed]`.
fn plain_line(line: &str, packages: &mut BTreeMap<String, BTreeMap<String, Unit>>) {
    let Some(rest) = line.strip_prefix("FAIL\t") else {
        return;
    };
    let Some((name, reason)) = rest.split_once(' ') else {
        return;
    };
    if reason.starts_with("[build failed]") || reason.starts_with("[setup failed]") {
        let unit = packages
            .entry(name.to_owned())
            .or_default()
            .entry(String::new())
            .or_default();
        unit.end = Some(End::Fail);
        append(&mut unit.output, reason);
    }
}

/// Adds output up to the limit.
fn append(text: &mut String, more: &str) {
    let room = OUTPUT_LIMIT.saturating_sub(text.len());
    text.push_str(super::builder::cut(more, room));
}

/// Adds the results of one package.
fn package(root: &str, name: &str, units: &BTreeMap<String, Unit>, run: &mut Builder) {
    let whole = units.get("");
    let tests: Vec<(&String, &Unit)> = units.iter().filter(|(test, _)| !test.is_empty()).collect();
    let mut is_red = false;
    for (test, unit) in &tests {
        let result = result(root, unit);
        is_red |= matches!(result.status, Status::Failed | Status::Error);
        if unit.end.is_none()
            || unit.output.contains("\npanic: ")
            || unit.output.starts_with("panic: ")
        {
            run.broken(format!("package {name} was cut short in {test}"));
        }
        run.add(&format!("{name}.{test}"), result);
    }
    let Some(whole) = whole else { return };
    match whole.end {
        None => run.broken(format!("package {name} did not end")),
        Some(End::Pass) if tests.is_empty() && !whole.output.contains("no tests to run") => {
            run.broken(format!("package {name} passed without reporting a test"));
        }
        Some(End::Fail) if !is_red => {
            let reason = classify_output(&whole.output);
            let reason = if reason == RedReason::Assertion {
                RedReason::Crash
            } else {
                reason
            };
            run.add(
                name,
                red(
                    Status::Error,
                    reason,
                    &whole.output,
                    place_in(root, &whole.output),
                ),
            );
            if reason != RedReason::BuildError {
                run.broken(format!("package {name} failed outside its tests"));
            }
        }
        Some(End::Pass | End::Fail | End::Skip) => {}
    }
}

/// Gives the result of one test.
fn result(root: &str, unit: &Unit) -> TestResult {
    match unit.end {
        Some(End::Pass) => passed(),
        Some(End::Skip) => quiet(Status::Skipped, &own_words(&unit.output)),
        Some(End::Fail) => red(
            Status::Failed,
            classify_output(&unit.output),
            &own_words(&unit.output),
            place_in(root, &unit.output),
        ),
        None => {
            let reason = match classify_output(&unit.output) {
                RedReason::Assertion => RedReason::Missing,
                other => other,
            };
            red(
                Status::Error,
                reason,
                &own_words(&unit.output),
                place_in(root, &unit.output),
            )
        }
    }
}

/// Leaves out the lines `go test` frames a test with.
fn own_words(output: &str) -> String {
    let frames = [
        "=== RUN",
        "=== PAUSE",
        "=== CONT",
        "=== NAME",
        "--- FAIL:",
        "--- SKIP:",
        "--- PASS:",
    ];
    let is_frame = |line: &&str| {
        frames
            .iter()
            .any(|frame| line.trim_start().starts_with(frame))
    };
    output
        .lines()
        .filter(|line| !is_frame(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Tells why a test is red, from its output.
pub(super) fn classify_output(output: &str) -> RedReason {
    let panic = output
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("panic: "));
    match panic {
        Some(reason) if reason.starts_with("test timed out") => RedReason::Timeout,
        _ if output.contains("[build failed]") || output.contains("[setup failed]") => {
            RedReason::BuildError
        }
        _ if output.contains("fatal error: ") || output.contains("unexpected signal") => {
            RedReason::Crash
        }
        Some(_) => RedReason::Exception,
        None if output
            .lines()
            .any(|line| line.starts_with("exit status ") || line.starts_with("signal: ")) =>
        {
            RedReason::Crash
        }
        None => RedReason::Assertion,
    }
}

/// Finds the first `file_test.go:line: words` of an output, or the first frame of a panic in a Go file of the project.
pub(super) fn place_in(root: &str, output: &str) -> Option<Location> {
    let said = output.lines().find_map(|line| {
        let (at, _) = line.trim_start().split_once(": ")?;
        place(root, at).filter(|found| has_extension(&found.file, "go"))
    });
    said.or_else(|| {
        output
            .lines()
            .filter_map(|line| line.strip_prefix('\t'))
            .find_map(|line| {
                let found = place(root, line.split(' ').next()?)?;
                let is_own = found.file.ends_with("_test.go") && !found.file.contains("/testing/");
                is_own.then_some(found)
            })
    })
}
