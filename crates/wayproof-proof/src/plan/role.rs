//! Says what part a changed file plays in a proof: test, golden, control surface, manifest or source.
//!
//! Everything that is not clearly something else is source, because source is what an ablation takes away:
//! a wrong guess in that direction can only lose evidence, never invent it.

use std::collections::BTreeSet;

/// The part a file plays when trees are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Tests, their fixtures and their support code: overlaid on the base to make the failing tree.
    Test,
    /// Recorded expectations (snapshots, golden files): overlaid like tests, and watched.
    Golden,
    /// Files that steer a test runner or a build: taken from the base.
    Control,
    /// Manifests, which hold dependencies and runner settings in one file: merged.
    Manifest,
    /// Files that steer continuous integration: they do not reach our runs, but they are reported.
    Pipeline,
    /// All the rest.
    Source,
}

const TEST_FOLDERS: &[&str] = &[
    "test",
    "tests",
    "__tests__",
    "spec",
    "specs",
    "testdata",
    "test-data",
    "test_data",
    "fixtures",
    "__fixtures__",
    "__mocks__",
    "cypress",
    "e2e",
];
const GOLDEN_FOLDERS: &[&str] = &[
    "__snapshots__",
    "snapshots",
    "golden",
    "goldens",
    "__image_snapshots__",
];
const CONTROL_NAMES: &[&str] = &[
    "conftest.py",
    "sitecustomize.py",
    "usercustomize.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".coveragerc",
    "noxfile.py",
    "build.rs",
    "nextest.toml",
    ".taprc",
    ".nycrc",
    ".c8rc.json",
    ".npmrc",
    ".pnpmfile.cjs",
    "rust-toolchain",
    "rust-toolchain.toml",
    "makefile",
    "justfile",
    "taskfile.yml",
    ".babelrc",
    "karma.conf.js",
    "go.work",
    ".rspec",
    ".rspec-local",
    "rakefile",
    "spec_helper.rb",
    "rails_helper.rb",
    "test_helper.rb",
    "minitest_helper.rb",
    "phpunit.xml",
    "phpunit.xml.dist",
    "phpunit.dist.xml",
    ".phpunit.xml",
    "gradle.properties",
    "settings.gradle",
    "settings.gradle.kts",
    "junit-platform.properties",
    "testng.xml",
    "cmakepresets.json",
];
const CONTROL_STEMS: &[&str] = &[
    "jest.config",
    "jest.setup",
    "vitest.config",
    "vitest.setup",
    "vitest.workspace",
    "vite.config",
    ".mocharc",
    "ava.config",
    "babel.config",
    "setuptests",
    "playwright.config",
    "cypress.config",
    "tsconfig",
];
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "go.mod",
    "go.sum",
    "requirements.txt",
    "uv.lock",
    "poetry.lock",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "composer.lock",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "gradle.lockfile",
    "CMakeLists.txt",
];

/// The role of a path, from its name alone.
pub(crate) fn role_of(path: &str) -> Role {
    let lower = path.to_ascii_lowercase();
    let (folders, name) = match lower.rsplit_once('/') {
        Some((folders, name)) => (folders, name),
        None => ("", lower.as_str()),
    };
    let own_name = path.rsplit('/').next().unwrap_or(path);
    if is_pipeline(&lower, folders, name) {
        return Role::Pipeline;
    }
    if is_control(&lower, folders, name) {
        return Role::Control;
    }
    let in_tests = folders
        .split('/')
        .any(|folder| TEST_FOLDERS.contains(&folder));
    let is_manifest = MANIFESTS.contains(&own_name) || crate::plan::extension(name) == "gemspec";
    if is_manifest && (!in_tests || own_name == "CMakeLists.txt") {
        return Role::Manifest;
    }
    if folders
        .split('/')
        .any(|folder| GOLDEN_FOLDERS.contains(&folder))
        || is_golden_name(name)
    {
        return Role::Golden;
    }
    if in_tests || is_test_name(name, own_name) {
        return Role::Test;
    }
    Role::Source
}

fn is_pipeline(lower: &str, folders: &str, name: &str) -> bool {
    lower.starts_with(".github/")
        || lower.starts_with(".circleci/")
        || lower.starts_with(".buildkite/")
        || folders.is_empty()
            && matches!(
                name,
                ".travis.yml"
                    | ".gitlab-ci.yml"
                    | "azure-pipelines.yml"
                    | "appveyor.yml"
                    | ".appveyor.yml"
                    | "bors.toml"
                    | "jenkinsfile"
                    | ".cirrus.yml"
            )
}

fn is_control(lower: &str, folders: &str, name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    CONTROL_NAMES.contains(&name)
        || CONTROL_STEMS
            .iter()
            .any(|known| stem == *known || name == *known)
        || lower.ends_with(".cargo/config.toml")
        || lower.ends_with(".cargo/config")
        || folders.split('/').next_back() == Some(".config") && name == "nextest.toml"
        || matches!(crate::plan::extension(name), "pth" | "cmake")
        || lower.contains("meta-inf/services/org.junit")
        || lower.starts_with(".mvn/")
        || lower.starts_with(".husky/")
}

fn is_golden_name(name: &str) -> bool {
    [".snap", ".golden", ".approved.txt", ".snap.new"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn is_test_name(name: &str, own_name: &str) -> bool {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let own_stem = own_name.rsplit_once('.').map_or(own_name, |(stem, _)| stem);
    let inner = stem.rsplit_once('.').map(|(_, inner)| inner);
    matches!(
        extension,
        "py" | "rs"
            | "js"
            | "mjs"
            | "cjs"
            | "jsx"
            | "ts"
            | "mts"
            | "cts"
            | "tsx"
            | "go"
            | "java"
            | "kt"
            | "rb"
            | "php"
            | "c"
            | "cc"
            | "cpp"
            | "cxx"
            | "h"
            | "hpp"
    ) && (matches!(stem, "test" | "tests" | "spec" | "specs" | "unittests")
        || stem.starts_with("test_")
        || stem.starts_with("tests_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || stem.ends_with("-test")
        || stem.ends_with("_spec")
        || matches!(inner, Some("test" | "tests" | "spec" | "e2e" | "test-d"))
        || matches!(extension, "java" | "kt" | "php" | "cpp" | "cc" | "cxx")
            && ["Test", "Tests", "TestCase"]
                .iter()
                .any(|end| own_stem.ends_with(end)))
}

/// Rust files that a changed crate declares as `#[cfg(test)] mod name;`, by the module's file.
///
/// `declared` holds (parent file, module name) pairs; the answer is every path such a module may live at.
pub(crate) fn files_of_test_modules(declared: &[(String, String)]) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for (parent, module) in declared {
        let (folder, name) = parent.rsplit_once('/').unwrap_or(("", parent));
        let home = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            other => join(folder, other.strip_suffix(".rs").unwrap_or(other)),
        };
        files.insert(join(&home, &format!("{module}.rs")));
        files.insert(join(&home, &format!("{module}/mod.rs")));
    }
    files
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, files_of_test_modules, role_of};

    #[test]
    fn names_decide_roles() {
        let table = [
            ("src/lib.rs", Role::Source),
            ("README.md", Role::Source),
            ("src/tests.rs", Role::Test),
            ("tests/it/main.rs", Role::Test),
            ("pkg/test_parse.py", Role::Test),
            ("pkg/testing.py", Role::Source),
            ("contest.py", Role::Source),
            ("lib/a.test.ts", Role::Test),
            ("parser_test.go", Role::Test),
            ("tests/conftest.py", Role::Control),
            ("tests/fixtures/package.json", Role::Test),
            ("package.json", Role::Manifest),
            ("sub/Cargo.toml", Role::Manifest),
            ("build.rs", Role::Control),
            (".cargo/config.toml", Role::Control),
            ("src/__snapshots__/a.test.ts.snap", Role::Golden),
            (".github/workflows/ci.yml", Role::Pipeline),
            ("jest.config.mjs", Role::Control),
            ("tsconfig.json", Role::Control),
            ("lib/a_spec.rb", Role::Test),
            ("spec/spec_helper.rb", Role::Control),
            ("a.gemspec", Role::Manifest),
            ("src/CalcTest.php", Role::Test),
            ("src/Contest.php", Role::Source),
            ("phpunit.xml.dist", Role::Control),
            ("src/test/java/a/CalcTest.java", Role::Test),
            ("src/main/java/a/Calc.java", Role::Source),
            ("pom.xml", Role::Manifest),
            ("tests/CMakeLists.txt", Role::Manifest),
            ("cmake/Testing.cmake", Role::Control),
            ("src/calc_test.cc", Role::Test),
        ];
        for (path, role) in table {
            assert_eq!(role_of(path), role, "{path}");
        }
    }

    #[test]
    fn test_modules_have_two_homes() {
        let files = files_of_test_modules(&[
            ("src/lib.rs".to_owned(), "checks".to_owned()),
            ("src/a.rs".to_owned(), "checks".to_owned()),
        ]);
        assert!(files.contains("src/checks.rs") && files.contains("src/a/checks/mod.rs"));
    }
}
