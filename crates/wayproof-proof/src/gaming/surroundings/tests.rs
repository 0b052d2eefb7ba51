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
