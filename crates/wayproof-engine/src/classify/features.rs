//! What the trained classifier sees of an ask: words and pairs of words by where they stand, parts of the words in
//! its first line, its shape, and the kinds of files it is about. Text in, hashes out.
//!
//! Nothing here looks at what a word means. A change here makes the weights worthless; fit them anew.

use self::files::of_paths;

mod files;

/// Where a feature was found; every group weighs the same, however long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The first line: a title, a commit's subject, what people say first.
    Head,
    /// The first paragraph after it.
    Lead,
    /// The whole text.
    Whole,
    /// What it looks like.
    Shape,
    /// The files it is about.
    Paths,
    /// Words of the first line together with the files.
    Crossed,
}

impl Group {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// Its place among them.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// Takes in features as they are found: the group, the hash and the text it stands for.
pub trait Sink {
    /// Takes one in.
    fn take(&mut self, group: Group, hash: u64, first: &str, second: &str);
}

/// The most text that is read, in bytes.
const MAX_TEXT: usize = 3_200;

/// The longest first line and first paragraph, in bytes.
const MAX_HEAD: usize = 160;
const MAX_LEAD: usize = 400;

/// Lengths of parts of words.
const PARTS: std::ops::RangeInclusive<usize> = 3..=5;

/// Finds everything in an ask.
pub fn features(text: &str, paths: &[String], sink: &mut impl Sink) {
    let text = super::words::cut(text, MAX_TEXT).to_ascii_lowercase();
    let text = text.trim_start();
    let head_end = text.find('\n').unwrap_or(text.len());
    let head = super::words::cut(text, head_end.min(MAX_HEAD));
    let body = text.get(head.len()..).unwrap_or_default();
    let mut shape = Shape::default();
    of_head(head, sink);
    let whole = Pairs::new(Group::Whole);
    whole.line(head, sink);
    of_body(body, &whole, &mut shape, sink);
    Shape::of_head(head, sink);
    shape.tell(body.len(), sink);
    of_paths(head, paths, sink);
}

fn of_head(head: &str, sink: &mut impl Sink) {
    let pairs = Pairs::new(Group::Head);
    pairs.line(head, sink);
    for word in words(head).filter(|word| word.len() < 24) {
        parts(word, sink);
    }
    if let Some(first) = words(head).next() {
        let hash = mix(Space::First, hash(stem(first)), 0);
        sink.take(Group::Head, hash, first, "");
    }
}

/// Runs of letters inside a word, with its ends marked; they survive inflection and misspelling.
fn parts(word: &str, sink: &mut impl Sink) {
    let bytes = word.as_bytes();
    let at = |place: usize| match place.checked_sub(1) {
        None => b'<',
        Some(place) => bytes.get(place).copied().unwrap_or(b'>'),
    };
    let whole = bytes.len() + 2;
    for start in 0..whole {
        let mut hash = OFFSET;
        for length in 1..=*PARTS.end() {
            if start + length > whole {
                break;
            }
            hash = step(hash, at(start + length - 1));
            if PARTS.contains(&length) {
                sink.take(Group::Head, mix(Space::Part, hash, 0), word, "");
            }
        }
    }
}

/// The text below the first line: prose as words, fences and comments only as what they look like.
fn of_body(body: &str, whole: &Pairs, shape: &mut Shape, sink: &mut impl Sink) {
    let lead = Pairs::new(Group::Lead);
    let mut left = MAX_LEAD;
    let (mut in_code, mut in_comment) = (false, false);
    for line in body.lines().map(str::trim) {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
            shape.has_code = true;
            continue;
        }
        if in_code {
            shape.of_code(line, sink);
            continue;
        }
        let line = without_comment(line, &mut in_comment);
        if line.is_empty() {
            // A paragraph that has begun is over.
            left = if left == MAX_LEAD { left } else { 0 };
            continue;
        }
        shape.of_line(line, sink);
        whole.line(line, sink);
        let is_heading = line.starts_with('#') || (line.starts_with("**") && line.ends_with("**"));
        if left > 0 && !is_heading {
            let part = super::words::cut(line, left);
            lead.line(part, sink);
            left -= part.len();
        }
    }
}

/// The part of a line that is no HTML comment, as far as its first one.
fn without_comment<'l>(line: &'l str, is_inside: &mut bool) -> &'l str {
    if *is_inside {
        return match line.split_once("-->") {
            Some((_, rest)) => {
                *is_inside = false;
                rest.trim()
            }
            None => "",
        };
    }
    match line.split_once("<!--") {
        Some((before, rest)) => {
            *is_inside = !rest.contains("-->");
            before.trim()
        }
        None => line,
    }
}

/// Words and pairs of neighbors of one group.
struct Pairs {
    group: Group,
    space: Space,
}

impl Pairs {
    fn new(group: Group) -> Self {
        let space = match group {
            Group::Head => Space::Head,
            Group::Lead => Space::Lead,
            Group::Whole | Group::Shape | Group::Paths | Group::Crossed => Space::Whole,
        };
        Self { group, space }
    }

    fn line(&self, line: &str, sink: &mut impl Sink) {
        let mut last: Option<(u64, &str)> = None;
        for word in words(line) {
            let now = hash(stem(word));
            sink.take(self.group, mix(self.space, now, 0), word, "");
            if let Some((before, spelled)) = last {
                sink.take(self.group, mix(self.space, before, now), spelled, word);
            }
            last = Some((now, word));
        }
    }
}

/// What a text looks like.
#[derive(Default)]
struct Shape {
    has_code: bool,
    has_trace: bool,
    has_link: bool,
    has_picture: bool,
    has_list: bool,
    has_box: bool,
    has_version: bool,
    questions: u32,
    headings: u32,
}

impl Shape {
    fn of_code(&mut self, line: &str, sink: &mut impl Sink) {
        if line.starts_with("at ") || line.starts_with("file \"") || line.contains("traceback") {
            self.has_trace = true;
        }
        for word in words(line) {
            if word.ends_with("error") || word.ends_with("exception") || word == "panicked" {
                self.has_trace = true;
                say(sink, Space::Code, word);
            }
        }
    }

    fn of_line(&mut self, line: &str, sink: &mut impl Sink) {
        let bytes = line.as_bytes();
        self.has_link |= line.contains("http");
        self.has_picture |= line.contains("![") || line.contains("<img");
        self.has_box |= line.starts_with("- [");
        self.has_list |= line.starts_with("- ") || line.starts_with("* ") || line.starts_with("1.");
        self.has_trace |=
            line.starts_with("at ") || line.starts_with("file \"") || line.contains("traceback");
        self.has_version |= bytes
            .windows(3)
            .any(|three| matches!(three, [a, b'.', c] if a.is_ascii_digit() && c.is_ascii_digit()));
        self.questions += u32::from(line.contains('?'));
        let heading = line
            .trim_start_matches('#')
            .trim_matches(['*', ' ', ':', '_']);
        let is_heading =
            line.starts_with('#') || (line.starts_with("**") && heading.len() + 4 >= line.len());
        if is_heading && heading.len() < 60 {
            self.headings += 1;
            say(sink, Space::Heading, heading);
        }
    }

    fn of_head(head: &str, sink: &mut impl Sink) {
        if head.contains('?') {
            say(sink, Space::Shape, "a question in the first line");
        }
        if let Some((tag, _)) = head.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            say(sink, Space::Heading, tag);
        }
        if head.contains('`') {
            say(sink, Space::Shape, "code in the first line");
        }
        number(sink, "words in the first line", head.split(' ').count() / 3);
    }

    fn tell(&self, length: usize, sink: &mut impl Sink) {
        let facts = [
            (self.has_code, "a block of code"),
            (self.has_trace, "a stack trace"),
            (self.has_link, "a link"),
            (self.has_picture, "a picture"),
            (self.has_list, "a list"),
            (self.has_box, "boxes to tick"),
            (self.has_version, "a version"),
        ];
        for (holds, name) in facts {
            if holds {
                say(sink, Space::Shape, name);
            }
        }
        number(sink, "questions", self.questions.min(4) as usize);
        number(sink, "headings", self.headings.min(8) as usize);
        number(
            sink,
            "length",
            (usize::BITS - length.leading_zeros()) as usize,
        );
    }
}

fn say(sink: &mut impl Sink, space: Space, text: &str) {
    tell(sink, Group::Shape, space, text);
}

fn tell(sink: &mut impl Sink, group: Group, space: Space, text: &str) {
    sink.take(group, mix(space, hash(text), 0), text, "");
}

fn number(sink: &mut impl Sink, name: &str, value: usize) {
    let value = u8::try_from(value).unwrap_or(u8::MAX);
    let hash = mix(Space::Shape, step(hash(name), value), 0);
    sink.take(Group::Shape, hash, name, "");
}

/// Words of two letters and more, and numbers as one word.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '\''))
        .map(|word| word.trim_matches('\''))
        .filter(|word| word.len() > 1 && word.len() < 40)
        .filter(|word| word.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// A word without the usual endings; crude, and the same everywhere.
fn stem(word: &str) -> &str {
    const ENDINGS: [&str; 7] = ["ingly", "edly", "ing", "ed", "es", "ly", "s"];
    ENDINGS
        .iter()
        .find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.len() >= 4))
        .unwrap_or(word)
}

/// Hashes are kept apart by what they are of.
#[derive(Clone, Copy)]
enum Space {
    Head = 1,
    Lead,
    Whole,
    Part,
    First,
    Shape,
    Heading,
    Code,
    SomePaths,
    AllPaths,
    MostPaths,
    SetOfPaths,
    CountOfPaths,
    NoPaths,
    CountOfKind,
    ScopeOfPaths,
    FirstAndPaths,
    WordAndPaths,
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(OFFSET, step)
}

/// Mixes what a feature consists of into a hash all of whose bits are good.
fn mix(space: Space, first: u64, second: u64) -> u64 {
    let mut hash =
        first ^ second.rotate_left(23).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ ((space as u64) << 56);
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash = (hash ^ (hash >> 29)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
