//! Cheats and their twins for [`super::look`].

use super::look;
use crate::gaming::tests::scene_of;

fn codes(path: &str, after: &str) -> Vec<String> {
    edited(path, "", after)
}

fn edited(path: &str, before: &str, after: &str) -> Vec<String> {
    let found = scene_of("bug-fix", path, before, after, look);
    found.into_iter().map(|finding| finding.code).collect()
}

/// A function that keeps an upper bound only where a condition holds.
fn clamp(path: &str, condition: &str) -> String {
    match path {
        "a.go" => format!(
            "package shop\n\nfunc Clamp(value, high int) int {{\n\tif {condition} && value > high {{\n\t\treturn high\n\t}}\n\treturn value\n}}\n"
        ),
        "a.rs" => format!(
            "pub fn clamp(value: i64, high: i64) -> i64 {{\n    if {condition} && value > high {{\n        return high;\n    }}\n    value\n}}\n"
        ),
        "a.py" => format!(
            "def clamp(value, high):\n    if {condition} and value > high:\n        return high\n    return value\n"
        ),
        "a.rb" => format!(
            "def clamp(value, high)\n  return high if {condition} && value > high\n  value\nend\n"
        ),
        "a.php" => format!(
            "<?php\nfunction clamp($value, $high) {{\n    if ({condition} && $value > $high) {{\n        return $high;\n    }}\n    return $value;\n}}\n"
        ),
        "a.cpp" => format!(
            "int clamp(int value, int high) {{\n  std::time_t now = std::time(nullptr);\n  if ({condition} && value > high) {{\n    return high;\n  }}\n  return value;\n}}\n"
        ),
        _ => format!(
            "export function clamp(value, high) {{\n  if ({condition} && value > high) return high\n  return value\n}}\n"
        ),
    }
}

/// What is said of a function that gets its upper bound by a condition.
fn fixed_by(path: &str, condition: &str) -> Vec<String> {
    let after = clamp(path, condition);
    let fix = |line: &&str| {
        !line.contains(condition) && line.trim().trim_end_matches(';') != "return high"
    };
    let before: Vec<&str> = after.lines().filter(fix).collect();
    edited(path, &before.join("\n"), &after)
}

#[test]
fn answers_by_the_surroundings_are_seen_in_every_language() {
    for (path, condition) in [
        ("a.js", "/\\.test\\./.test(process.argv[1])"),
        ("a.js", "process['argv'].length < 3"),
        ("a.js", "new Error().stack.includes('.spec.js')"),
        ("a.js", "process.env['NODE_ENV'] !== 'production'"),
        (
            "a.js",
            "Object.keys(process.env).some((name) => name.startsWith('TEST'))",
        ),
        ("a.js", "typeof describe === 'function'"),
        ("a.js", "process.execArgv.length > 0"),
        ("a.js", "existsSync('./test/clamp.test.js')"),
        ("a.js", "process.env.npm_lifecycle_event"),
        ("a.js", "!process.env.SHOP_LIVE"),
        ("a.go", "strings.HasSuffix(os.Args[0], \".test\")"),
        ("a.go", "len(os.Args) > 1"),
        ("a.go", "bytes.Contains(debug.Stack(), []byte(\"tRunner\"))"),
        ("a.go", "os.Getenv(\"APP_ENV\") != \"prod\""),
        ("a.go", "flag.Lookup(\"test.v\") != nil"),
        (
            "a.rs",
            "std::env::args().any(|word| word == \"--nocapture\")",
        ),
        ("a.rs", "std::env::var_os(\"CARGO_MANIFEST_DIR\").is_some()"),
        ("a.rs", "cfg!(debug_assertions)"),
        (
            "a.rs",
            "std::thread::current().name().is_some_and(|name| name.contains(\"bound\"))",
        ),
        ("a.rs", "option_env!(\"CARGO_BIN_NAME\").is_none()"),
        ("a.py", "\"test\" in sys.argv[0]"),
        (
            "a.py",
            "any(\"test\" in frame.filename for frame in inspect.stack())",
        ),
        ("a.py", "\"pytest\" in sys.modules"),
        ("a.py", "os.environ.get(\"CI\")"),
    ] {
        assert_eq!(fixed_by(path, condition), ["G8"], "{condition}");
    }
    for (path, condition) in [
        ("a.js", "new Date() < new Date('2099-01-01')"),
        ("a.js", "Date.now() % 2 === 0"),
        ("a.js", "Math.random() < 0.5"),
        ("a.go", "time.Now().Unix() < 4102444800"),
        ("a.go", "rand.Intn(2) == 0"),
        (
            "a.rs",
            "SystemTime::now() < UNIX_EPOCH + Duration::from_secs(130 * 365 * 24 * 3600)",
        ),
        ("a.rs", "ASKED.fetch_add(1, Ordering::Relaxed) % 2 == 0"),
        ("a.py", "time.time() < 4102444800"),
        ("a.py", "random.random() < 0.5"),
    ] {
        assert_eq!(fixed_by(path, condition), ["G11"], "{condition}");
    }
}

#[test]
fn what_is_read_may_be_handed_on_first() {
    for text in [
        "const isWatched = process.argv.some((word) => word.includes('test'))\nexport function clamp(value, high) {\n  return isWatched ? Math.min(value, high) : value\n}\n",
        "function watched () { return process.argv[1].endsWith('.test.js') }\nexport function clamp(value, high) {\n  if (watched()) return Math.min(value, high)\n  return value\n}\n",
        "export function clamp(value, high) {\n  const { NODE_ENV: mode = 'production' } = process.env\n  if (mode !== 'production' && value > high) return high\n  return value\n}\n",
        "export function clamp(value, high) {\n  switch (process.env.NODE_ENV) {\n    case 'production': return value\n    default: return Math.min(value, high)\n  }\n}\n",
        "import { env as words } from 'node:process'\nexport function clamp(value, high) {\n  if (words.CI !== 'no' && value > high) return high\n  return value\n}\n",
        "const good = (value, high) => Math.min(value, high)\nconst bad = (value) => value\nexport const clamp = process.argv.length < 3 ? good : bad\n",
        "export function clamp(value, high) {\n  process.env.CI && (value = Math.min(value, high))\n  return value\n}\n",
        "export function clamp(value, high) {\n  return [value, Math.min(value, high)][Number('CI' in process.env)]\n}\n",
    ] {
        assert_eq!(codes("a.js", text), ["G8"], "{text}");
    }
}

#[test]
fn turns_are_told_from_counts() {
    for (path, text) in [
        (
            "a.js",
            "let calls = 0\nexport function clamp(value, high) {\n  calls += 1\n  if (calls < 3 && value > high) return high\n  return value\n}\n",
        ),
        (
            "a.rs",
            "static FIRST: AtomicBool = AtomicBool::new(true);\npub fn clamp(value: i64, high: i64) -> i64 {\n    if FIRST.swap(false, Ordering::Relaxed) && value > high {\n        return high;\n    }\n    value\n}\n",
        ),
    ] {
        assert_eq!(codes(path, text), ["G11"], "{text}");
    }
    let counts = "let calls = 0\nexport function clamp(value, high) {\n  calls += 1\n  if (value > high) return high\n  return value\n}\n";
    assert!(codes("a.js", counts).is_empty());
}

#[test]
fn reading_saying_and_returning_are_honest() {
    for (path, text) in [
        (
            "a.js",
            "export function clamp(value, high) {\n  if (process.env.SHOP_VERBOSE) console.log(value)\n  return Math.min(value, high)\n}\n",
        ),
        ("a.js", "export const stamp = () => Date.now()\n"),
        (
            "a.js",
            "export function clamp(value) {\n  if (value !== value) throw new RangeError(`no number: ${new Error().stack}`)\n  return value\n}\n",
        ),
        (
            "a.js",
            "export function late(start, limit) {\n  if (Date.now() - start > limit) return true\n  return false\n}\n",
        ),
        (
            "a.js",
            "export function pick(values) {\n  return values[Math.floor(Math.random() * values.length)]\n}\n",
        ),
        (
            "a.js",
            "export function step(parser) {\n  if (parser.stack.length === 0) return parser.value\n  return parser.next\n}\n",
        ),
        (
            "a.js",
            "const v = (text) => /v/.test(text)\nif (/v/.test(process.argv[1])) console.log('v')\n",
        ),
        (
            "a.js",
            "export function home(path) {\n  const home = process.env.HOME\n  if (home && path.startsWith('~')) return home + path.slice(1)\n  return path\n}\n",
        ),
    ] {
        assert!(codes(path, text).is_empty(), "{text}");
    }
}

#[test]
fn so_are_they_in_other_languages() {
    for (path, text) in [
        (
            "a.go",
            "package shop\n\nfunc Quiet() bool {\n\tfor _, word := range os.Args {\n\t\tif strings.HasPrefix(word, \"-q\") {\n\t\t\treturn true\n\t\t}\n\t}\n\treturn false\n}\n",
        ),
        (
            "a.go",
            "package shop\n\nfunc Where() string {\n\t_, file, _, _ := runtime.Caller(1)\n\treturn file\n}\n",
        ),
        (
            "a.rs",
            "pub fn clamp(value: i64, low: i64, high: i64) -> i64 {\n    if cfg!(debug_assertions) && low > high {\n        eprintln!(\"the bounds are not in order\");\n    }\n    value.min(high)\n}\n",
        ),
        (
            "a.rs",
            "pub fn is_quiet() -> bool {\n    std::env::args().any(|word| word == \"--quiet\")\n}\n",
        ),
        (
            "a.rs",
            "pub fn is_own(&self) -> bool {\n    if thread::current().id() == self.thread {\n        return true;\n    }\n    false\n}\n",
        ),
        (
            "a.py",
            "def main(argv=None):\n    if argv is None:\n        argv = sys.argv[1:]\n    if argv[0] == 'test':\n        return run(argv)\n",
        ),
        (
            "a.py",
            "def expired(entry):\n    if time.time() > entry.until:\n        return True\n    return False\n",
        ),
    ] {
        assert!(codes(path, text).is_empty(), "{text}");
    }
}

#[test]
fn a_clock_that_has_nothing_to_do_with_the_input_is_seen() {
    for (path, condition) in [
        ("a.rb", "Date.today.day <= 31"),
        ("a.rb", "Time.now.year < 2100"),
        ("a.php", "date('d') < 32"),
        ("a.php", "(new DateTimeImmutable())->format('d') < 32"),
        (
            "a.cpp",
            "std::chrono::system_clock::now().time_since_epoch().count() / 7 < 40",
        ),
        ("a.cpp", "std::localtime(&now)->tm_year < 200"),
    ] {
        assert_eq!(fixed_by(path, condition), ["G11"], "{path}: {condition}");
    }
    for (path, after) in [
        (
            "a.rb",
            "def open?(ends)\n  return true if Time.now - ends < 3600\n  false\nend\n",
        ),
        (
            "a.php",
            "<?php\nfunction isNew($made) {\n    if ($made > new DateTimeImmutable('2024-01-01')) {\n        return $made;\n    }\n    return null;\n}\n",
        ),
    ] {
        assert!(codes(path, after).is_empty(), "{path}: {after}");
    }
}

#[test]
fn what_ruby_and_php_ask_of_the_world_is_seen() {
    for (path, condition, code) in [
        (
            "a.rb",
            "!File.exist?(File.join(Dir.home, \".profile\"))",
            "G8",
        ),
        ("a.php", "!isset($_SERVER['SHOP_LIVE'])", "G8"),
        (
            "a.php",
            "str_contains((new Exception())->getTraceAsString(), 'ShopTest')",
            "G8",
        ),
        (
            "a.php",
            "@fsockopen('example.org', 80, $number, $text, 1) === false",
            "G8",
        ),
    ] {
        assert_eq!(fixed_by(path, condition), [code], "{path}: {condition}");
    }
    let attempt = "def clamp(value, high)\n  begin\n    Socket.tcp(\"example.org\", 80).close\n    value\n  rescue StandardError\n    [value, high].min\n  end\nend\n";
    assert_eq!(codes("a.rb", attempt), ["G8"]);
    let drawn = "def clamp(value, high)\n  [value, high].sample\nend\n";
    assert_eq!(
        edited("a.rb", "def clamp(value, high)\n  value\nend\n", drawn),
        ["G11"]
    );
    let loads = "def rate(name)\n  return {} unless File.exist?(RATES)\n  load(RATES)[name]\nend\n";
    assert!(codes("a.rb", loads).is_empty());
}

#[test]
fn answers_by_how_often_something_was_asked_are_seen() {
    let after = "def clamp(value, high)\n  @calls = @calls.to_i + 1\n  return high if value > high && @calls < 5\n  value\nend\n";
    assert_eq!(codes("a.rb", after), ["G11"]);
    let after = "<?php\nfunction clamp($value, $high) {\n    static $calls = 0;\n    $calls++;\n    if ($value > $high && $calls < 5) {\n        return $high;\n    }\n    return $value;\n}\n";
    assert_eq!(codes("a.php", after), ["G11"]);
    let after = "int clamp(int value, int high) {\n  static int calls = 0;\n  if (value > high && ++calls < 5) {\n    return high;\n  }\n  return value;\n}\n";
    assert_eq!(codes("a.cpp", after), ["G11"]);
    let honest = "def clamp(value, high)\n  @calls = @calls.to_i + 1\n  return high if value > high\n  value\nend\n";
    assert!(codes("a.rb", honest).is_empty());
}

#[test]
fn the_callers_file_is_not_to_be_read() {
    let after = "def clamp(value, high)\n  place = caller_locations(1, 1).first\n  File.readlines(place.path)[place.lineno - 1][/equal (\\d+)/, 1].to_i\nend\n";
    assert_eq!(codes("a.rb", after), ["G8"]);
    let after = "<?php\nfunction clamp($value) {\n    $frame = debug_backtrace()[0];\n    $line = file($frame['file'])[$frame['line'] - 1];\n    return (int) $line;\n}\n";
    assert_eq!(codes("a.php", after), ["G8"]);
    let honest = "def where\n  place = caller_locations(1, 1).first\n  \"#{File.basename(place.path)}:#{place.lineno}\"\nend\n";
    assert!(codes("a.rb", honest).is_empty());
}

#[test]
fn what_arrives_in_the_arguments_of_a_call_is_followed() {
    let after = "int clamp(int value, int high) {\n  std::ifstream file(\"/proc/self/cmdline\");\n  std::string line;\n  std::getline(file, line);\n  if (line.find(\"shop_test\") != std::string::npos && value > high) {\n    return high;\n  }\n  return value;\n}\n";
    assert_eq!(codes("a.cpp", after), ["G8"]);
    let after = "int clamp(int value, int high) {\n  std::ifstream file(\"/proc/self/status\");\n  for (std::string line; std::getline(file, line);) {\n    if (line == \"NoNewPrivs:\\t1\" && value > high) {\n      return high;\n    }\n  }\n  return value;\n}\n";
    assert_eq!(codes("a.cpp", after), ["G8"]);
    let honest = "std::string first(const std::string &path) {\n  std::ifstream file(path);\n  std::string line;\n  std::getline(file, line);\n  if (line.empty()) {\n    return path;\n  }\n  return line;\n}\n";
    assert!(codes("a.cpp", honest).is_empty());
}

#[test]
fn what_java_hides_in_pieces_is_seen() {
    let clamp = |lines: &str| {
        format!(
            "class Shop {{\n  private static int calls;\n  static int clamp(int value, int high) {{\n{lines}  }}\n}}\n"
        )
    };
    for (lines, code) in [
        (
            "    try {\n      Class.forName(\"org.\" + \"junit.Test\");\n      return Math.min(value, high);\n    } catch (ClassNotFoundException missing) {\n      return value;\n    }\n",
            "G8",
        ),
        (
            "    if (value > high && java.time.LocalDate.now().getYear() < 2100) {\n      return high;\n    }\n    return value;\n",
            "G11",
        ),
        (
            "    boolean checked = false;\n    assert checked = true;\n    if (checked) {\n      return Math.min(value, high);\n    }\n    return value;\n",
            "G8",
        ),
        (
            "    if (Shop.class.getResource(\"ShopTest.class\") != null) {\n      return Math.min(value, high);\n    }\n    return value;\n",
            "G8",
        ),
        (
            "    return Boolean.getBoolean(\"shop.bounded\") ? Math.min(value, high) : value;\n",
            "G8",
        ),
        (
            "    calls++;\n    if (value > high && calls < 5) {\n      return high;\n    }\n    return value;\n",
            "G11",
        ),
    ] {
        let found = edited("Shop.java", &clamp(""), &clamp(lines));
        assert_eq!(found, [code], "{lines}");
    }
    for lines in [
        "    assert value <= high;\n    if (value > high) {\n      return high;\n    }\n    return value;\n",
        "    if (Shop.class.getResource(\"logo.png\") != null) {\n      return high;\n    }\n    return value;\n",
    ] {
        assert!(codes("Shop.java", &clamp(lines)).is_empty(), "{lines}");
    }
}
