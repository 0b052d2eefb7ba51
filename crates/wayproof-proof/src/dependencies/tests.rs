//! What is read out of lock files and manifests, format by format, and what is odd about them.

use rstest::rstest;
use wayproof_receipt::predicate::Severity;

use super::{Moves, moves};
use crate::plan::FileChange;
use crate::plan::role::role_of;

fn change(path: &str, before: &str, after: &str) -> FileChange {
    FileChange {
        path: path.to_owned(),
        role: role_of(path),
        before: Some(before.to_owned()),
        after: Some(after.to_owned()),
        old_blob: Some("1".to_owned()),
        new_blob: Some("2".to_owned()),
    }
}

fn npm(packages: &str) -> String {
    format!(
        "{{\"lockfileVersion\":3,\"packages\":{{\"\":{{\"dependencies\":{{\"a\":\"^1\"}}}},{packages}}}}}"
    )
}

fn package(name: &str, version: &str, more: &str) -> String {
    format!(
        "\"node_modules/{name}\":{{\"version\":\"{version}\",\"resolved\":\"https://registry.npmjs.org/{name}/-/{name}-{version}.tgz\",\"integrity\":\"sha512-{name}{version}\"{more}}}"
    )
}

fn lock_moves(before: &str, after: &str, manifests: Option<(&str, &str)>) -> Moves {
    let mut changes = vec![change("package-lock.json", before, after)];
    changes.extend(manifests.map(|(before, after)| change("package.json", before, after)));
    moves(&changes, &|_| None, &|_, _| false)
}

#[test]
fn what_moved_has_its_reason() {
    let before = npm(&[package("a", "1.0.0", ""), package("b", "1.0.0", "")].join(","));
    let needs = ",\"dependencies\":{\"b\":\"^2\",\"c\":\"^1\"}";
    let after = npm(&[
        package("a", "1.1.0", needs),
        package("b", "2.0.0", ""),
        package("c", "1.0.0", ""),
    ]
    .join(","));
    let found = lock_moves(
        &before,
        &after,
        Some((
            "{\"dependencies\":{\"a\":\"^1\"}}",
            "{\"dependencies\":{\"a\":\"^1.1\"}}",
        )),
    );
    let why: Vec<(&str, &str, bool)> = found
        .said
        .moved
        .iter()
        .map(|one| (one.name.as_str(), one.why.as_str(), one.is_direct))
        .collect();
    assert_eq!(
        why,
        [
            ("a", "the project asks for another one", true),
            ("b", "a, which moved, needs it", false),
            ("c", "a, which moved, needs it", false)
        ]
    );
    assert!(
        found.findings.is_empty() && found.said.unexplained.is_empty(),
        "{:?}",
        found.findings
    );
}

#[rstest]
#[case::a_package_nobody_asks_for(package("z", "1.0.0", ""), "G25", Severity::Medium)]
#[case::one_that_runs_a_program(
    package("z", "1.0.0", ",\"hasInstallScript\":true"),
    "G24",
    Severity::Medium
)]
#[case::another_host(package("a", "1.0.1", "").replace("registry.npmjs.org", "evil.example"), "G23", Severity::High)]
#[case::another_package(package("a", "1.0.1", "").replace("/a/-/a-", "/evil/-/evil-"), "G23", Severity::High)]
#[case::without_encryption(package("a", "1.0.1", "").replace("https:", "http:"), "G23", Severity::High)]
#[case::another_content(package("a", "1.0.0", "").replace("sha512-a1.0.0", "sha512-other"), "G23", Severity::High)]
fn what_is_odd_is_found(#[case] new: String, #[case] code: &str, #[case] severity: Severity) {
    let old = package("a", "1.0.0", "");
    let after = if new.contains("node_modules/a\"") {
        npm(&new)
    } else {
        npm(&[old.clone(), new].join(","))
    };
    let found = lock_moves(&npm(&old), &after, None);
    let has = found
        .findings
        .iter()
        .any(|one| one.code == code && one.severity == severity);
    assert!(has, "{:?}", found.findings);
}

#[rstest]
#[case::cargo("Cargo.lock", "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\ndependencies = [\"serde\"]\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"aa\"\n", ("1.0.1", "1.0.2"), "serde")]
#[case::yarn("yarn.lock", "# yarn lockfile v1\n\nlodash@^4.17.0:\n  version \"4.17.20\"\n  resolved \"https://registry.yarnpkg.com/lodash/-/lodash-4.17.20.tgz#aa\"\n  integrity sha512-4.17.20\n", ("4.17.20", "4.17.21"), "lodash")]
#[case::pnpm("pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n  '@scope/x@1.0.0':\n    resolution: {integrity: sha512-1.0.0}\n", ("1.0.0", "1.0.1"), "@scope/x")]
#[case::go("go.sum", "example.org/m v1.0.0 h1:1.0.0=\nexample.org/m v1.0.0/go.mod h1:m1.0.0=\n", ("1.0.0", "1.1.0"), "example.org/m")]
#[case::uv("uv.lock", "version = 1\n[[package]]\nname = \"httpx\"\nversion = \"0.27.0\"\nsource = { registry = \"https://pypi.org/simple\" }\nsdist = { url = \"https://x\", hash = \"sha256:0.27.0\" }\nwheels = [{ url = \"https://x\", hash = \"sha256:w0.27.0\" }]\n", ("0.27.0", "0.28.0"), "httpx")]
#[case::poetry("poetry.lock", "[[package]]\nname = \"httpx\"\nversion = \"0.27.0\"\nfiles = [{ file = \"a\", hash = \"sha256:0.27.0\" }]\n", ("0.27.0", "0.28.0"), "httpx")]
#[case::pip("requirements.txt", "requests==2.31.0 \\\n    --hash=sha256:2.31.0\n", ("2.31.0", "2.32.0"), "requests")]
#[case::gems("Gemfile.lock", "GEM\n  remote: https://rubygems.org/\n  specs:\n    rake (13.0.6)\n\nPLATFORMS\n  ruby\n", ("13.0.6", "13.1.0"), "rake")]
#[case::composer("composer.lock", "{\"packages\":[{\"name\":\"a/b\",\"version\":\"1.0.0\",\"dist\":{\"url\":\"https://api.github.com/x\"}}]}", ("1.0.0", "1.0.1"), "a/b")]
fn every_format_is_read(
    #[case] path: &str,
    #[case] text: &str,
    #[case] (from, to): (&str, &str),
    #[case] name: &str,
) {
    let found = moves(
        &[change(path, text, &text.replace(from, to))],
        &|_| None,
        &|_, _| false,
    );
    let moved: Vec<_> = found
        .said
        .moved
        .iter()
        .filter(|one| one.name == name)
        .collect();
    let [one] = *moved.as_slice() else {
        panic!("{found:?}")
    };
    assert!(
        one.from.concat().contains(from) && one.to.concat().contains(to),
        "{one:?}"
    );
    let high: Vec<_> = found
        .findings
        .iter()
        .filter(|one| one.severity == Severity::High)
        .collect();
    assert!(high.is_empty(), "{high:?}");
}

#[test]
fn a_go_module_that_is_replaced_and_a_digest_that_moved_are_found() {
    let module = "module m\n\ngo 1.22\n\nrequire example.org/m v1.0.0\n";
    let replaced = format!("{module}\nreplace example.org/m => evil.example/m v1.0.0\n");
    let found = moves(
        &[change("go.mod", module, &replaced)],
        &|_| None,
        &|_, _| false,
    );
    assert!(
        found.findings.iter().any(|one| one.code == "G23"),
        "{found:?}"
    );
    let sum = "example.org/m v1.0.0 h1:aaa=\nexample.org/m v1.0.0/go.mod h1:bbb=\n";
    let found = moves(
        &[change("go.sum", sum, &sum.replace("aaa", "ccc"))],
        &|_| None,
        &|_, _| false,
    );
    assert!(
        found
            .findings
            .iter()
            .any(|one| one.severity == Severity::High),
        "{found:?}"
    );
}

#[test]
fn a_lock_file_that_is_none_is_said() {
    let found = moves(
        &[change("package-lock.json", "{}", "not json")],
        &|_| None,
        &|_, _| false,
    );
    assert!(
        found
            .findings
            .iter()
            .any(|one| one.explanation.contains("cannot be read")),
        "{found:?}"
    );
}
