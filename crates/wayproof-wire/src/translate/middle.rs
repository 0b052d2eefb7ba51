//! Gives tools back the names and shapes their client knows, between hearing an answer and saying it.

use crate::json::unescape;
use crate::translate::event::{CallBegun, CallKind, Event, Sink};
use crate::translate::memo::Memo;
use crate::translate::text::{Text, escape_into};

/// What is remembered of calls whose arguments change on the way.
#[derive(Debug)]
pub(crate) struct Middle {
    memo: Memo,
    free: Vec<(u64, Unwrap)>,
    wrapped: Vec<u64>,
}

impl Middle {
    pub(crate) const fn new(memo: Memo) -> Self {
        Self {
            memo,
            free: Vec::new(),
            wrapped: Vec::new(),
        }
    }

    /// Hands an event on, changed where it must be.
    pub(crate) fn pass(&mut self, event: Event<'_>, sink: &mut Sink<'_>) {
        match event {
            Event::Call(call) => self.call(call, sink),
            Event::Input { key, fragment } => self.input(key, fragment, sink),
            Event::CallEnd { key } => {
                if let Some(place) = self.free.iter().position(|(known, _)| *known == key) {
                    let (_, unwrap) = self.free.remove(place);
                    let rest = unwrap.finish();
                    if !rest.is_empty() {
                        let fragment = Text::escaped(rest);
                        sink(Event::Input { key, fragment });
                    }
                } else if self.wrapped.contains(&key) {
                    let fragment = Text::word("\\\"}");
                    sink(Event::Input { key, fragment });
                }
                sink(Event::CallEnd { key });
            }
            other => sink(other),
        }
    }

    fn call(&mut self, mut call: CallBegun<'_>, sink: &mut Sink<'_>) {
        let key = call.key;
        let name = call.name.spoken().into_owned();
        let is_free = self.memo.free.contains(&name);
        let is_wrapped = !is_free && call.kind == CallKind::Free;
        if is_free && call.kind == CallKind::Function {
            self.free.push((key, Unwrap::default()));
        }
        call.kind = if is_free {
            CallKind::Free
        } else {
            CallKind::Function
        };
        let known = self.memo.namespaced.iter().find(|known| known.flat == name);
        if let Some(known) = known {
            call.name = Text::plain(&known.name);
            call.space = Some(Text::plain(&known.space));
        }
        sink(Event::Call(call));
        if is_wrapped {
            self.wrapped.push(key);
            let fragment = Text::word("{\\\"input\\\":\\\"");
            sink(Event::Input { key, fragment });
        }
    }

    fn input(&mut self, key: u64, fragment: Text<'_>, sink: &mut Sink<'_>) {
        if let Some((_, unwrap)) = self.free.iter_mut().find(|(known, _)| *known == key) {
            let text = unwrap.push(&fragment);
            if !text.is_empty() {
                let fragment = Text::escaped(text);
                sink(Event::Input { key, fragment });
            }
        } else if self.wrapped.contains(&key) {
            let mut twice = Vec::new();
            escape_into(fragment.bytes(), &mut twice);
            let fragment = Text::escaped(twice);
            sink(Event::Input { key, fragment });
        } else {
            sink(Event::Input { key, fragment });
        }
    }
}

/// Takes free text out of `{"input":"…"}` while it arrives.
///
/// Inside the outer string the inner one is still escaped once, which is just how it goes out. A model that does not
/// keep to the schema gets its arguments through as they are.
#[derive(Debug, Default)]
struct Unwrap {
    state: State,
    /// The beginning, until it is known to be the wrapper; or half an escape.
    held: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Inside,
    After,
    Plain,
}

/// Longest beginning that may still be the wrapper.
const HEAD_BYTES: usize = 64;

impl Unwrap {
    fn push(&mut self, fragment: &Text<'_>) -> Vec<u8> {
        // An escape may be cut in two by the fragments, so what is held is still escaped.
        self.held.extend_from_slice(fragment.bytes());
        let whole = whole_escapes(&self.held);
        let rest = self.held.split_off(whole);
        let ready = std::mem::replace(&mut self.held, rest);
        if self.state == State::Plain {
            return ready;
        }
        let spoken = unescape(&ready).into_owned();
        match self.state {
            State::Before => self.begin(ready, spoken.as_bytes()),
            State::Inside => self.inside(spoken.as_bytes()),
            State::After | State::Plain => Vec::new(),
        }
    }

    fn begin(&mut self, ready: Vec<u8>, spoken: &[u8]) -> Vec<u8> {
        match head(spoken) {
            Head::Is(length) => {
                self.state = State::Inside;
                self.inside(spoken.get(length..).unwrap_or_default())
            }
            Head::MayBe if ready.len() <= HEAD_BYTES => {
                let rest = std::mem::replace(&mut self.held, ready);
                self.held.extend_from_slice(&rest);
                Vec::new()
            }
            Head::MayBe | Head::IsNot => {
                self.state = State::Plain;
                ready
            }
        }
    }

    /// Hands out the inner string up to its quote. Half an inner escape is kept, escaped again.
    fn inside(&mut self, spoken: &[u8]) -> Vec<u8> {
        let mut at = 0;
        while let Some(byte) = spoken.get(at) {
            match byte {
                b'"' => {
                    self.state = State::After;
                    return spoken.get(..at).unwrap_or_default().to_vec();
                }
                b'\\' if at + 1 >= spoken.len() => {
                    let rest = std::mem::take(&mut self.held);
                    self.held.extend_from_slice(b"\\\\");
                    self.held.extend_from_slice(&rest);
                    return spoken.get(..at).unwrap_or_default().to_vec();
                }
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        let text = spoken.to_vec();
        // Raw control characters are no JSON, but some models write them.
        if text.iter().any(|byte| *byte < 0x20) {
            return text.iter().fold(Vec::new(), |mut out, byte| {
                match byte {
                    0..0x20 => escape_into(&[*byte], &mut out),
                    _ => out.push(*byte),
                }
                out
            });
        }
        text
    }

    fn finish(self) -> Vec<u8> {
        match self.state {
            State::Before | State::Plain => self.held,
            State::Inside | State::After => Vec::new(),
        }
    }
}

enum Head {
    /// The wrapper's beginning, so long.
    Is(usize),
    MayBe,
    IsNot,
}

fn head(text: &[u8]) -> Head {
    const TOKENS: [&[u8]; 4] = [b"{", b"\"input\"", b":", b"\""];
    let mut at = 0;
    for token in TOKENS {
        while text.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with(token) {
            at += token.len();
        } else if token.starts_with(rest) {
            return Head::MayBe;
        } else {
            return Head::IsNot;
        }
    }
    Head::Is(at)
}

/// How much of an escaped text ends between two escapes.
fn whole_escapes(text: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        let length = match (text.get(at), text.get(at + 1)) {
            (Some(b'\\'), Some(b'u')) => 6,
            (Some(b'\\'), _) => 2,
            _ => 1,
        };
        // Two halves of a pair belong together.
        let is_high = length == 6
            && text.get(at + 2..at + 4).is_some_and(|digits| {
                matches!(
                    digits,
                    [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B']
                )
            });
        let length = if is_high { 12 } else { length };
        if at + length > text.len() {
            return at;
        }
        at += length;
    }
    at
}
