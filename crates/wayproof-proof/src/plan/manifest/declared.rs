//! Manifests that are programs: Gemfile, gemspec, Gradle's build file, `CMakeLists.txt`.
//!
//! The head's stands only where its new lines do nothing but declare, and where no line that says how tests run is
//! gone; else the base's stands.

use std::collections::BTreeSet;

use super::Merged;

/// What a kind of program may say that is new.
struct Rules {
    /// The words a new line may start with; anything where this is empty.
    first: &'static [&'static str],
    /// Whether `object.name = value` declares, as in a gemspec.
    has_settings: bool,
    /// What no new line may hold.
    acts: &'static [&'static str],
    /// What no line that is gone may hold.
    steers: &'static [&'static str],
}

const RUBY: Rules = Rules {
    first: &[
        "gem",
        "gemspec",
        "source",
        "ruby",
        "group",
        "platforms",
        "end",
    ],
    has_settings: true,
    // A gem of the change's own could stand in for the test runner.
    acts: &[
        "`", "%x", "#{", "path:", "git:", "github:", ":path", ":git", "eval", "send", "system",
        "ENV", ";", "Kernel", "Bundler",
    ],
    steers: &[],
};
const GRADLE: Rules = Rules {
    first: &[
        "implementation",
        "testImplementation",
        "api",
        "compileOnly",
        "runtimeOnly",
        "testRuntimeOnly",
        "testCompileOnly",
        "annotationProcessor",
        "compile",
        "testCompile",
        "version",
        "group",
        "description",
        "mavenCentral()",
        "sourceCompatibility",
        "targetCompatibility",
        "id",
        "}",
    ],
    has_settings: false,
    acts: &[";", "files(", "fileTree(", "{", "exec", "->"],
    steers: &["test", "Test"],
};
const CMAKE: Rules = Rules {
    first: &[],
    has_settings: false,
    acts: &[
        "WILL_FAIL",
        "_REGULAR_EXPRESSION",
        "SKIP_",
        "DISABLED",
        "TIMEOUT",
        "set_tests_properties",
        "set_property",
        "execute_process",
        "NDEBUG",
        "_FLAGS",
        "_definitions",
        "_options",
        "-D",
        "CTEST_",
        "CMAKE_COMMAND",
        "COMMAND true",
        "add_custom",
        "add_link",
        "file(",
        "return(",
        "function(",
        "macro(",
    ],
    steers: &[
        "add_test",
        "COMMAND",
        "_discover_tests",
        "enable_testing",
        "CTest",
        "GoogleTest",
        "Catch",
        "tests_properties",
    ],
};

/// Merges a manifest of these kinds; `None` for a file of no such kind.
pub(super) fn merge(name: &str, base: &str, head: &str) -> Option<Merged> {
    let rules = match name {
        "Gemfile" => &RUBY,
        "build.gradle" | "build.gradle.kts" => &GRADLE,
        "CMakeLists.txt" => &CMAKE,
        name if name.ends_with(".gemspec") => &RUBY,
        _ => return None,
    };
    let lines = |text| str::lines(text).map(str::trim).collect::<BTreeSet<&str>>();
    let (was, now) = (lines(base), lines(head));
    let is_fine = |line: &&str| line.is_empty() || is_comment(line) || rules.declares(line);
    let is_free = |line: &&str| !rules.steers.iter().any(|word| line.contains(word));
    if now.difference(&was).all(is_fine) && was.difference(&now).all(is_free) {
        return Some(Merged::whole(head));
    }
    Some(Merged {
        text: base.to_owned(),
        kept_from_base: vec!["code".to_owned()],
    })
}

impl Rules {
    fn declares(&self, line: &str) -> bool {
        let word = line.split([' ', '(']).next().unwrap_or(line);
        let is_setting = word.split_once('.').is_some_and(|(object, name)| {
            let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            self.has_settings && is_plain(object) && is_plain(name)
        });
        (self.first.is_empty() || self.first.contains(&word) || is_setting)
            && !self.acts.iter().any(|word| line.contains(word))
    }
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#') || line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::super::merge;

    #[test]
    fn a_gemfile_may_declare_and_not_act() {
        let base = "source \"https://rubygems.org\"\ngem \"rake\"\n";
        let fine = "source \"https://rubygems.org\"\n# new\ngem \"rake\", \"~> 13\"\ngroup :test do\n  gem 'minitest'\nend\n";
        assert_eq!(merge("Gemfile", Some(base), fine).text, fine);
        for bent in [
            "require 'minitest'",
            "gem 'minitest', path: 'fake'",
            "gem 'a'; exit!",
            "at_exit { exit!(0) }",
            "Kernel.exit",
        ] {
            let merged = merge("Gemfile", Some(base), &format!("{base}{bent}\n"));
            assert_eq!(merged.text, base, "{bent}");
        }
        let spec = "Gem::Specification.new do |s|\n  s.version = '1'\nend\n";
        let next = spec.replace("'1'", "'2'");
        assert_eq!(merge("a.gemspec", Some(spec), &next).text, next);
    }

    #[test]
    fn cmake_may_add_tests_and_not_bend_them() {
        let base = "project(a)\nadd_library(a a.c)\nadd_test(NAME t COMMAND t)\n";
        let more = "project(a)\nadd_library(a a.c b.c)\nadd_test(NAME t COMMAND t)\nadd_executable(u u.c)\nadd_test(NAME u COMMAND u)\n";
        assert_eq!(merge("CMakeLists.txt", Some(base), more).text, more);
        for bent in [
            format!("{base}set_tests_properties(t PROPERTIES WILL_FAIL TRUE)\n"),
            base.replace("COMMAND t", "COMMAND true"),
            base.replace("add_test(NAME t COMMAND t)\n", ""),
        ] {
            assert_eq!(
                merge("CMakeLists.txt", Some(base), &bent).text,
                base,
                "{bent}"
            );
        }
    }

    #[test]
    fn gradle_may_take_a_dependency_and_not_a_setting() {
        let base = "dependencies {\n  implementation 'a:b:1'\n}\n";
        let more = base.replace("'a:b:1'", "'a:b:2'\n  testImplementation 'c:d:1'");
        assert_eq!(merge("build.gradle", Some(base), &more).text, more);
        let bent = format!("{base}test.ignoreFailures = true\ntest {{ exclude '**/*' }}\n");
        assert_eq!(merge("build.gradle", Some(base), &bent).text, base);
    }
}
