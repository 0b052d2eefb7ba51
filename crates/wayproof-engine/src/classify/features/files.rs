//! What the files of an ask say: which kinds they are of, how many, and what the words of the first line mean where
//! such files change.

use super::{Group, OFFSET, Sink, Space, hash, mix, stem, step, tell, words};
use crate::classify::paths::PathKind;

/// Kinds of files, all or most of them of one kind, those that are absent, and the words beside them.
pub(super) fn of_paths(head: &str, paths: &[String], sink: &mut impl Sink) {
    if paths.is_empty() {
        return;
    }
    let mut counts = [0_usize; PathKind::COUNT];
    for path in paths {
        if let Some(count) = counts.get_mut(PathKind::of(path) as usize) {
            *count += 1;
        }
    }
    let mut set = OFFSET;
    let mut most = (0, PathKind::Source);
    for (kind, count) in PathKind::ALL.into_iter().zip(counts) {
        let name = kind.as_str();
        if count == 0 {
            tell(sink, Group::Paths, Space::NoPaths, name);
            continue;
        }
        set = step(set, kind as u8);
        if count > most.0 {
            most = (count, kind);
        }
        tell(sink, Group::Paths, Space::SomePaths, name);
        if count == paths.len() {
            tell(sink, Group::Paths, Space::AllPaths, name);
        } else if count * 2 >= paths.len() {
            tell(sink, Group::Paths, Space::MostPaths, name);
        }
        let of_kind = step(hash(name), size(count));
        sink.take(Group::Paths, mix(Space::CountOfKind, of_kind, 0), name, "");
    }
    let kinds = mix(Space::SetOfPaths, set, 0);
    sink.take(Group::Paths, kinds, "the kinds of files", "");
    let many = step(OFFSET, size(paths.len()));
    let number = mix(Space::CountOfPaths, many, 0);
    sink.take(Group::Paths, number, "the number of files", "");
    let scope = mix(Space::ScopeOfPaths, set, many);
    sink.take(Group::Paths, scope, "the kinds and number of files", "");
    beside(head, set, most.1, sink);
}

/// The first word with the set of kinds, and every word with the kind that most files are of.
fn beside(head: &str, set: u64, most: PathKind, sink: &mut impl Sink) {
    let mut words = words(head).peekable();
    if let Some(first) = words.peek() {
        let hash = mix(Space::FirstAndPaths, hash(stem(first)), set);
        sink.take(Group::Crossed, hash, first, "beside these kinds of files");
    }
    for word in words {
        let of = u64::from(most as u8) + 1;
        let hash = mix(Space::WordAndPaths, hash(stem(word)), of);
        sink.take(Group::Crossed, hash, word, most.as_str());
    }
}

/// The number of binary digits.
fn size(count: usize) -> u8 {
    u8::try_from(usize::BITS - count.leading_zeros()).unwrap_or(u8::MAX)
}
