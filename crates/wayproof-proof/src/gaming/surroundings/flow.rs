//! Which names of a file hold something of the surroundings, and which an input.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::ambient::{self, Ambient};
use super::dates::holds_a_date;
use crate::code::{Code, Function, Kind, Language, Token};

/// Where a name holds something of the surroundings.
struct Held {
    scope: Range<usize>,
    what: Ambient,
    origin: usize,
    line: u32,
}

/// What flows where in one file.
pub(super) struct Flow<'a> {
    code: &'a Code<'a>,
    functions: Vec<Function<'a>>,
    /// Where the surroundings are read, in order.
    sources: Vec<(usize, Ambient)>,
    held: BTreeMap<&'a str, Vec<Held>>,
    /// Names that hold an input, and where they do.
    inputs: BTreeMap<&'a str, Vec<Range<usize>>>,
    /// Names that hold a fixed moment.
    moments: BTreeSet<&'a str>,
}

impl<'a> Flow<'a> {
    /// Reads a file.
    pub(super) fn of(code: &'a Code<'a>) -> Self {
        let sources: Vec<(usize, Ambient)> = (0..code.tokens.len())
            .filter_map(|at| Some((at, ambient::at(code, at)?)))
            .chain(counters(code))
            .collect();
        let mut flow = Flow {
            code,
            functions: Vec::new(),
            sources,
            held: BTreeMap::new(),
            inputs: BTreeMap::new(),
            moments: BTreeSet::new(),
        };
        if flow.sources.is_empty() {
            return flow;
        }
        flow.functions = code.functions();
        for function in &flow.functions {
            let words = code
                .slice(&function.parameters)
                .iter()
                .filter(|token| token.kind == Kind::Word);
            let names = words.map(|token| token.text).chain(["self", "this"]);
            for name in names {
                let scopes = flow.inputs.entry(name).or_default();
                scopes.push(function.body.clone());
            }
        }
        let assignments = code.assignments();
        // Twice, because a name may be used above the place that gives it.
        for _ in 0..2 {
            for assignment in &assignments {
                flow.assign(&assignment.target, &assignment.value);
            }
            flow.fill();
            flow.mark_functions();
        }
        flow
    }

    /// In C what is read arrives in the arguments of a call: `std::ifstream file("/proc/self/cmdline")`,
    /// `std::getline(file, line)`.
    fn fill(&mut self) {
        let code = self.code;
        if code.language != Language::C {
            return;
        }
        let word = |at: usize| code.at(at).filter(|token| token.kind == Kind::Word);
        for open in 1..code.tokens.len() {
            let Some(name) = word(open - 1).filter(|_| code.at(open).is_some_and(|t| t.is("(")))
            else {
                continue;
            };
            if matches!(name.text, "if" | "while" | "for" | "switch" | "return") {
                continue;
            }
            let arguments = open + 1..code.closing(open);
            let origins = self.origins(&arguments);
            let Some(origin) = origins.first().copied() else {
                continue;
            };
            if self.what(origin) != Some(Ambient::Runner) {
                continue;
            }
            let is_declared = open > 1 && word(open - 2).is_some_and(|kind| !is_keyword(kind.text));
            let is_plain = |at: &usize| {
                let next = code.at(at + 1);
                let ends = next.is_some_and(|next| next.is(",") || next.is(")"));
                ends && !code.is_member(*at) && word(*at).is_some()
            };
            let places = arguments.filter(is_plain);
            let places: Vec<usize> = places
                .chain(is_declared.then_some(open - 1))
                .filter(|at| !self.has_input(&(*at..at + 1)))
                .collect();
            for at in places {
                self.hold(at, origin);
            }
        }
    }

    /// Lets the name at a place hold what is read at an origin.
    fn hold(&mut self, at: usize, origin: usize) {
        let (Some(token), Some(what)) = (self.code.at(at), self.what(origin)) else {
            return;
        };
        let (scope, line) = (self.scope_of(at), token.line);
        let known = self.held.entry(token.text).or_default();
        if !known.iter().any(|held| held.scope == scope) {
            known.push(Held {
                scope,
                what,
                origin,
                line,
            });
        }
    }

    /// Whether the file reads nothing of its surroundings.
    pub(super) fn is_quiet(&self) -> bool {
        self.sources.is_empty()
    }

    fn assign(&mut self, target: &Range<usize>, value: &Range<usize>) {
        let scope = self.scope_of(target.start);
        let line = self.code.at(target.start).map_or(0, |token| token.line);
        let is_typed = matches!(self.code.language, Language::C | Language::Java);
        // `std::time_t now`: the name stands last, what is before it is its type.
        let target = if is_typed {
            target.end.saturating_sub(1)..target.end
        } else {
            target.clone()
        };
        let names: Vec<&'a str> = target
            .clone()
            .filter(|at| !self.code.is_member(*at))
            .filter_map(|at| self.code.at(at))
            .filter(|token| token.kind == Kind::Word && !is_keyword(token.text))
            .map(|token| token.text)
            .collect();
        let is_member = target.clone().any(|at| self.code.is_member(at));
        let mut reads = self
            .origins(value)
            .into_iter()
            .filter_map(|at| Some((at, self.what(at)?)));
        if let Some((origin, what)) = reads.next() {
            let what = match what {
                Ambient::Setting(None) => Ambient::Setting(
                    names
                        .iter()
                        .find(|name| name.len() > 2 && !name.contains(char::is_lowercase))
                        .map(|name| (*name).to_owned()),
                ),
                what => what,
            };
            for name in names.into_iter().filter(|_| !is_member) {
                let known = self.held.entry(name).or_default();
                if !known.iter().any(|held| held.scope == scope) {
                    known.push(Held {
                        scope: scope.clone(),
                        what: what.clone(),
                        origin,
                        line,
                    });
                }
            }
        } else if self.has_input(value) {
            for name in names {
                let scopes = self.inputs.entry(name).or_default();
                if !scopes.contains(&scope) {
                    scopes.push(scope.clone());
                }
            }
        } else if holds_a_date(self.code, value) {
            self.moments.extend(names);
        }
    }

    /// A function that returns something of the surroundings hands it on by its name.
    fn mark_functions(&mut self) {
        let whole = 0..self.code.tokens.len();
        let mut found = Vec::new();
        for function in self
            .functions
            .iter()
            .filter(|function| function.name.len() > 2)
        {
            let Some(origin) = self.origins(&function.body).first().copied() else {
                continue;
            };
            let takes_nothing = !self.code.slice(&function.parameters).iter().any(|token| {
                token.kind == Kind::Word && token.text != "self" && token.text != "this"
            });
            let line = self
                .code
                .at(function.body.start)
                .map_or(0, |token| token.line);
            if takes_nothing
                && !self.held.contains_key(function.name)
                && let Some(what) = self.what(origin)
            {
                let held = Held {
                    scope: whole.clone(),
                    what,
                    origin,
                    line,
                };
                found.push((function.name, held));
            }
        }
        for (name, held) in found {
            self.held.entry(name).or_default().push(held);
        }
    }

    /// The body of the function around a place, or the file.
    fn scope_of(&self, at: usize) -> Range<usize> {
        let around = self
            .functions
            .iter()
            .filter(|function| function.body.contains(&at));
        around
            .map(|function| function.body.clone())
            .min_by_key(Range::len)
            .unwrap_or(0..self.code.tokens.len())
    }

    /// The names of the functions around a place.
    pub(super) fn function_names(&self, at: usize) -> Vec<&'a str> {
        self.functions
            .iter()
            .filter(|function| function.body.contains(&at))
            .map(|function| function.name)
            .collect()
    }

    /// The places of a range where the surroundings are read, directly or by a name that holds them.
    pub(super) fn origins(&self, range: &Range<usize>) -> Vec<usize> {
        let direct = self
            .sources
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| range.contains(at));
        let named = range
            .clone()
            .filter_map(|at| self.held_at(at))
            .map(|held| held.origin);
        direct.chain(named).collect()
    }

    /// Whether a range reads the surroundings itself and not by a name that holds them.
    pub(super) fn is_direct(&self, range: &Range<usize>) -> bool {
        self.sources.iter().any(|(at, _)| range.contains(at))
    }

    fn held_at(&self, at: usize) -> Option<&Held> {
        let token = self.code.at(at).filter(|token| token.kind == Kind::Word)?;
        if self.code.is_member(at) {
            return None;
        }
        let known = self.held.get(token.text)?;
        known.iter().find(|held| held.scope.contains(&at))
    }

    fn what(&self, origin: usize) -> Option<Ambient> {
        self.sources
            .iter()
            .find(|(at, _)| *at == origin)
            .map(|(_, what)| what.clone())
    }

    /// What a range reads of the surroundings.
    pub(super) fn reads(&self, range: &Range<usize>) -> Vec<Ambient> {
        let direct = self
            .sources
            .iter()
            .filter(|(at, _)| range.contains(at))
            .map(|(_, what)| what.clone());
        let named = range
            .clone()
            .filter_map(|at| self.held_at(at))
            .map(|held| held.what.clone());
        direct.chain(named).collect()
    }

    /// Whether a range speaks of an input.
    pub(super) fn has_input(&self, range: &Range<usize>) -> bool {
        range.clone().any(|at| {
            let Some(token) = self.code.at(at).filter(|token| token.kind == Kind::Word) else {
                return false;
            };
            !self.code.is_member(at)
                && self.held_at(at).is_none()
                && self.inputs.get(token.text).is_some_and(|scopes| {
                    let mut scopes = scopes.iter();
                    scopes.any(|scope| scope.contains(&at) && scope.start <= range.start)
                })
        })
    }

    /// Whether a range names a function of the file.
    pub(super) fn has_function(&self, range: &Range<usize>) -> bool {
        let mut words = self
            .code
            .slice(range)
            .iter()
            .filter(|token| token.kind == Kind::Word);
        words.any(|token| {
            self.functions
                .iter()
                .any(|function| function.name == token.text)
        })
    }

    /// Whether a range names a fixed moment.
    pub(super) fn is_dated(&self, range: &Range<usize>) -> bool {
        self.code
            .slice(range)
            .iter()
            .any(|token| token.kind == Kind::Word && self.moments.contains(token.text))
    }

    /// The lines on which names get what they hold of the surroundings.
    pub(super) fn lines(&self) -> Vec<u32> {
        self.held.values().flatten().map(|held| held.line).collect()
    }
}

/// Where a condition asks a counter of the whole file that a function steps.
fn counters(code: &Code<'_>) -> Vec<(usize, Ambient)> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (at, token) in code.tokens.iter().enumerate() {
        if token.kind == Kind::Word && steps(code, at) {
            names.insert(token.text);
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    let functions = code.functions();
    let is_inside = |at: usize| functions.iter().any(|function| function.body.contains(&at));
    let starts = |name: &&str| {
        let mut places = (0..code.tokens.len())
            .filter(|at| code.at(*at).is_some_and(|token| token.is_word(name)));
        // What begins with `@` or `$` in Ruby lives as long as its object, declared or not.
        if code.language == Language::Ruby && name.starts_with(['@', '$']) {
            return true;
        }
        places.any(|at| {
            (!is_inside(at) || is_kept(code, at))
                && code
                    .slice(&(at + 1..(at + 4).min(code.tokens.len())))
                    .iter()
                    .any(|token| token.is("=") || token.is(";") || token.text == "int")
        })
    };
    names.retain(starts);
    let mut found = Vec::new();
    for branch in code.branches() {
        let asks = branch.condition.clone().find(|at| {
            code.at(*at)
                .is_some_and(|token| token.kind == Kind::Word && names.contains(token.text))
        });
        found.extend(asks.map(|at| (at, Ambient::Turn)));
    }
    found
}

/// Whether the name at `at` goes up by one: `n++`, `++n`, `n += 1`, `n = n + 1`.
fn steps(code: &Code<'_>, at: usize) -> bool {
    let Some(token) = code.at(at) else {
        return false;
    };
    let is_one = |place: usize| code.at(place).is_some_and(|by| by.text == "1");
    let goes_up = |sign: &Token<'_>| {
        sign.is("++")
            || sign.is("+=") && is_one(at + 2)
            || sign.is("=") && {
                let value = at + 2..code.statement_end(at + 2);
                let tokens = code.slice(&value);
                tokens.first().is_some_and(|first| first.text == token.text)
                    && matches!(tokens, [.., sign, by] if sign.is("+") && by.text == "1")
            }
    };
    let is_prefixed = at
        .checked_sub(1)
        .and_then(|before| code.at(before))
        .is_some_and(|sign| sign.is("++"));
    !code.is_member(at) && (is_prefixed || code.at(at + 1).is_some_and(goes_up))
}

/// Whether the declaration at `at` is of a name that outlives its function: `static int n`.
fn is_kept(code: &Code<'_>, at: usize) -> bool {
    let before = at.saturating_sub(2)..at;
    let is_static = |token: &Token<'_>| token.is_word("static");
    code.slice(&before).iter().any(is_static)
}

fn is_keyword(word: &str) -> bool {
    matches!(
        word,
        "let"
            | "const"
            | "var"
            | "mut"
            | "static"
            | "if"
            | "for"
            | "while"
            | "ref"
            | "Some"
            | "Ok"
            | "Err"
            | "pub"
            | "_"
            | "return"
            | "export"
            | "else"
            | "async"
            | "await"
    )
}
