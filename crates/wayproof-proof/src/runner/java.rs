//! Maven and Gradle, by the JUnit reports their test tasks write.
//!
//! Both work off line from what the machine has already downloaded; nothing is installed. Reports of an earlier run,
//! and build products that came with a tree, are taken away before a run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::{Check, CheckKind};

use super::node_files;
use crate::plan::Suite;
use crate::report::{JunitDialect, RedReason, TestFormat, TestId, read_tests};
use crate::run::{Command, Host, Selection, Stop, SuiteRun, Tree, Trouble, report};
use crate::sandbox::Ran;
use crate::typecheck::Checker;

/// Where distributions keep the artefacts they package.
const SYSTEM_REPOSITORY: &str = "/usr/share/maven-repo";
/// What Maven and Gradle say about an artefact that is not there.
const MISSING: &[&str] = &[
    "in offline mode",
    "Could not find artifact",
    "Could not resolve dependencies",
    "Non-resolvable parent POM",
    "Could not resolve all",
    "No cached version",
    "or one of its dependencies could not be resolved",
];

/// A build tool with the options every call has.
struct Tool {
    name: &'static str,
    start: Vec<String>,
    env: Vec<(String, String)>,
    writable: Vec<PathBuf>,
    readable: Vec<PathBuf>,
}

/// Runs the suite.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let cwd = tree.path.join(&suite.dir);
    if !cwd.is_dir() {
        return Ok(SuiteRun::empty());
    }
    let tool = Tool::find(host, &cwd)?;
    clean(host, tree, &cwd)?;
    let command = Command {
        kind: CheckKind::Test,
        argv: [tool.start.clone(), tool.test(selection)].concat(),
        cwd: cwd.clone(),
        env: tool.env,
        writable: tool.writable,
        readable: tool.readable,
        tree,
    };
    let (ran, check) = host.run(command)?;
    let said =
        String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    if let Some(line) = missing(&said) {
        let name = tool.name;
        let sentence = format!(
            "a dependency is not among those {name} has downloaded, and the network is off: {line}"
        );
        return Err(Trouble::Infra(sentence));
    }
    Ok(read(&cwd, &ran, &said, check))
}

/// How to typecheck the suite: compile it with its tests.
pub(crate) fn checker(host: &Host<'_>, tree: &Tree, suite: &Suite) -> Result<Checker, Trouble> {
    let tool = Tool::find(host, &tree.path.join(&suite.dir))?;
    let goal = if tool.name == "mvn" {
        "test-compile"
    } else {
        "testClasses"
    };
    Ok(Checker {
        argv: [tool.start, vec![goal.to_owned()]].concat(),
        env: tool.env,
        writable: tool.writable,
        readable: tool.readable,
        format: None,
    })
}

impl Tool {
    fn find(host: &Host<'_>, cwd: &Path) -> Result<Self, Trouble> {
        let why = "the change needs it to run its tests";
        host.program("javac", why)?;
        let home = host.fresh("java")?;
        // A build tool lives for seconds, which a fast compiler serves better than a good one.
        let user_home = format!("-Duser.home={} -XX:TieredStopAtLevel=1", home.display());
        if !cwd.join("pom.xml").is_file() {
            return Self::gradle(host, home, &user_home);
        }
        let maven = host.program("mvn", why)?;
        let own = host.machine.home.join(".m2/repository");
        let system = PathBuf::from(SYSTEM_REPOSITORY);
        let repository = [own.clone(), system]
            .into_iter()
            .find(|folder| is_filled(folder))
            .unwrap_or(own);
        let options = ["-B", "-o", "-fae", "-Dstyle.color=never"].map(str::to_owned);
        let settings = [
            format!("-Dmaven.repo.local={}", repository.display()),
            "-Dmaven.test.skip=false".to_owned(),
            "-DskipTests=false".to_owned(),
        ];
        Ok(Self {
            name: "mvn",
            start: [vec![maven], options.to_vec(), settings.to_vec()].concat(),
            env: vec![("MAVEN_OPTS".to_owned(), user_home)],
            writable: vec![home],
            readable: Some(repository)
                .filter(|folder| folder.is_dir())
                .into_iter()
                .collect(),
        })
    }

    /// Gradle's own folder is written to, so what was downloaded is shown to it as a cache that is only read.
    fn gradle(host: &Host<'_>, home: PathBuf, user_home: &str) -> Result<Self, Trouble> {
        let gradle = host.program("gradle", "the change needs it to run its tests")?;
        let caches = host
            .machine
            .folder("GRADLE_USER_HOME", ".gradle")
            .join("caches");
        let options = ["--offline", "--no-daemon", "--continue", "--console=plain"];
        let place = [
            "--gradle-user-home".to_owned(),
            home.to_string_lossy().into_owned(),
        ];
        let mut env = vec![("GRADLE_OPTS".to_owned(), user_home.to_owned())];
        if caches.is_dir() {
            env.push((
                "GRADLE_RO_DEP_CACHE".to_owned(),
                caches.to_string_lossy().into_owned(),
            ));
        }
        Ok(Self {
            name: "gradle",
            start: [
                vec![gradle],
                options.map(str::to_owned).to_vec(),
                place.to_vec(),
            ]
            .concat(),
            env,
            writable: vec![home],
            readable: Some(caches)
                .filter(|folder| folder.is_dir())
                .into_iter()
                .collect(),
        })
    }

    /// The goal with the classes of the chosen tests. Failures do not keep other modules from being tested.
    fn test(&self, selection: Selection<'_>) -> Vec<String> {
        let mut args = Vec::new();
        let classes = match selection {
            Selection::Only(ids) => ids.iter().map(class_of).collect(),
            Selection::All | Selection::Files(_) => BTreeSet::new(),
        };
        if self.name != "mvn" {
            args.push("test".to_owned());
            for class in classes {
                args.extend(["--tests".to_owned(), format!("*{class}")]);
            }
            return args;
        }
        args.push("-Dmaven.test.failure.ignore=true".to_owned());
        if !classes.is_empty() {
            let names: Vec<&str> = classes.into_iter().collect();
            args.push(format!("-Dtest={}", names.join(",")));
            args.push("-DfailIfNoTests=false".to_owned());
            args.push("-Dsurefire.failIfNoSpecifiedTests=false".to_owned());
        }
        args.push("test".to_owned());
        args
    }
}

/// The outermost class of a test, without its package: what every release can select by.
fn class_of(id: &TestId) -> &str {
    let class = id.as_str().split("::").next().unwrap_or_default();
    let class = class.rsplit('/').next().unwrap_or(class);
    let class = class.split('$').next().unwrap_or(class);
    class.rsplit('.').next().unwrap_or(class)
}

fn is_filled(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// Whether a folder holds what a build tool makes, seen from the file beside it.
fn is_product(cwd: &Path, folder: &Path) -> bool {
    let beside = |names: &[&str]| {
        let parent = folder.parent().unwrap_or(cwd);
        names.iter().any(|name| parent.join(name).is_file())
    };
    folder.ends_with("target") && beside(&["pom.xml"])
        || folder.ends_with("build") && beside(&["build.gradle", "build.gradle.kts"])
}

/// Takes reports away, and in a tree that is new to us what was built elsewhere.
fn clean(host: &Host<'_>, tree: &Tree, cwd: &Path) -> Result<(), Trouble> {
    let name = tree.path.file_name().unwrap_or_default();
    let mark = host.shared("java-built")?.join(name);
    let is_new = !mark.exists();
    let products: BTreeSet<PathBuf> = node_files::walk(cwd)
        .iter()
        .flat_map(|path| {
            let folders: Vec<PathBuf> = Path::new(path)
                .ancestors()
                .skip(1)
                .map(Into::into)
                .collect();
            folders
        })
        .map(|folder| cwd.join(folder))
        .filter(|folder| is_product(cwd, folder))
        .collect();
    for product in products {
        let gone = if is_new {
            vec![product]
        } else {
            vec![
                product.join("surefire-reports"),
                product.join("test-results"),
            ]
        };
        for folder in gone.into_iter().filter(|folder| folder.exists()) {
            std::fs::remove_dir_all(&folder).map_err(Trouble::io("remove an old report"))?;
        }
    }
    std::fs::write(mark, "").map_err(Trouble::io("mark a tree as built"))
}

/// Puts the reports of every module together and holds the build's end against them.
fn read(cwd: &Path, ran: &Ran, said: &str, mut check: Check) -> SuiteRun {
    let mut run = SuiteRun::empty();
    for path in node_files::walk(cwd) {
        let Some(module) = module_of(&path) else {
            continue;
        };
        let bytes = std::fs::read(cwd.join(&path)).unwrap_or_default();
        let format = TestFormat::Junit(JunitDialect::Surefire);
        let read = read_tests(&format, &cwd.to_string_lossy(), &bytes);
        run.is_complete &= read.is_complete;
        run.problems.extend(read.problems);
        for (id, result) in read.results {
            let id = if module.is_empty() {
                id
            } else {
                TestId::new(format!("{module}/{id}"))
            };
            run.results.insert(id, result);
        }
        check.reports.push(report("application/xml", &bytes));
    }
    run.planned = run.results.keys().cloned().collect();
    let has_red = run.results.values().any(|result| result.red.is_some());
    // Gradle ends badly when a test fails; Maven is told not to.
    let is_test_failure = has_red
        && said.contains("There were failing tests")
        && !said.contains("Compilation failed");
    if ran.is_timed_out {
        run.is_complete = false;
    } else if ran.exit != Some(0) && !is_test_failure {
        let (message, place) = first_error(said, cwd);
        let reason = if message.contains("forked VM") || message.contains("finished with non-zero")
        {
            RedReason::Crash
        } else {
            RedReason::BuildError
        };
        let stop = Stop {
            reason,
            message,
            place,
        };
        run.stopped.insert(String::new(), stop);
        run.is_complete = false;
    }
    check.is_complete &= run.is_complete;
    check.parser = Some("surefire-junit".to_owned());
    run.checks.push(check);
    run
}

/// The module a report belongs to, "" for the outermost; `None` for a file that is no report.
fn module_of(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/')?;
    if !name.starts_with("TEST-") || crate::plan::extension(name) != "xml" {
        return None;
    }
    let module = [
        "target/surefire-reports",
        "build/test-results/test",
        "build/test-results",
    ]
    .iter()
    .find_map(|end| folder.strip_suffix(*end))?;
    Some(module.trim_end_matches('/').to_owned())
}

fn missing(said: &str) -> Option<&str> {
    let line = said
        .lines()
        .find(|line| MISSING.iter().any(|words| line.contains(words)))?;
    Some(line.trim_start_matches("[ERROR]").trim())
}

/// The first error of the compiler with its place, or what the build tool says.
fn first_error(said: &str, cwd: &Path) -> (String, Option<String>) {
    let root = format!("{}/", cwd.to_string_lossy().trim_end_matches('/'));
    let own = |line: &str| line.trim_start_matches("[ERROR]").trim().replace(&root, "");
    let is_java = |line: &&str| line.contains(".java:") && line.contains(&root);
    if let Some(line) = said.lines().find(is_java) {
        let line = own(line);
        // Maven writes `File.java:[12,3] words`, javac `File.java:12: error: words`.
        let (file, rest) = line.split_once(".java:").unwrap_or((line.as_str(), ""));
        let rest = rest.trim_start_matches('[');
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let words = rest.split_once(' ').map_or(rest, |(_, words)| words);
        let place = format!("{file}.java:{number}");
        return (words.trim_start_matches("error: ").to_owned(), Some(place));
    }
    let mut errors = said
        .lines()
        .filter(|line| line.starts_with("[ERROR]") || line.starts_with("* What went wrong"))
        .map(own)
        .filter(|line| line.len() > 3);
    let forked = said.lines().find(|line| line.contains("forked VM"));
    let message = forked
        .map(own)
        .or_else(|| errors.next())
        .or_else(|| said.lines().last().map(own))
        .unwrap_or_else(|| "the build ended without a word".to_owned());
    (message, None)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{class_of, first_error, module_of};
    use crate::report::TestId;

    #[test]
    fn reports_belong_to_modules() {
        let of = |path: &str| module_of(path);
        assert_eq!(
            of("target/surefire-reports/TEST-a.xml"),
            Some(String::new())
        );
        assert_eq!(
            of("core/target/surefire-reports/TEST-a.xml"),
            Some("core".to_owned())
        );
        assert_eq!(
            of("app/build/test-results/test/TEST-a.xml"),
            Some("app".to_owned())
        );
        assert_eq!(of("src/test/resources/TEST-a.xml"), None);
    }

    #[test]
    fn tests_are_chosen_by_their_outermost_class() {
        for (id, class) in [
            ("core/a.b.CalcTest$Inner::adds", "CalcTest"),
            ("CalcTest::adds", "CalcTest"),
        ] {
            assert_eq!(class_of(&TestId::new(id)), class);
        }
    }

    #[test]
    fn the_compilers_first_error_has_a_place() {
        let maven = "[INFO] x\n[ERROR] /w/src/main/java/A.java:[3,5] cannot find symbol\n";
        let javac = "/w/src/main/java/A.java:3: error: cannot find symbol\n";
        for said in [maven, javac] {
            let (message, place) = first_error(said, Path::new("/w"));
            assert_eq!(message, "cannot find symbol");
            assert_eq!(place.as_deref(), Some("src/main/java/A.java:3"));
        }
    }
}
