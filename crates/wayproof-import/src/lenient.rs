//! Fields as logs have them: whatever the type, a value that is not what it should be is absent.
//!
//! A wrong field must not cost the rest of its line, and nothing a log says may grow without bound.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Characters of a name at most.
const MAX_TEXT: usize = 300;

/// Tokens of one answer at most; anything above is no count of tokens.
const MAX_COUNT: u64 = 100_000_000;

/// A short text without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(Option<Box<str>>);

impl Text {
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.get() == Some(text)
    }

    pub(crate) fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }
}

/// A text that can be kept: short, not empty, nothing that steers a terminal.
pub(crate) fn kept(text: &str) -> Option<Box<str>> {
    let is_fine = !text.is_empty() && text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
    is_fine.then(|| text.into())
}

/// A count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) Option<u64>);

/// A point in time in milliseconds or seconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Number(pub(crate) Option<f64>);

/// Yes or no.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) Option<bool>);

/// An object, or nothing where something else stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Maybe<T>(pub(crate) Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// A list of objects; what is no object is left out, what is no list is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Entries of a list that are looked at.
const MAX_LIST: usize = 10_000;

/// How many entries an object has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Lines of a patch: how many are added and removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) added: u64,
    pub(crate) removed: u64,
}

/// One scalar, or that there was none.
enum Scalar<'a> {
    Text(&'a str),
    Whole(u64),
    Other(f64),
    Bool(bool),
    None,
}

/// Reads a scalar and gives it to a function; swallows lists and objects.
struct ScalarVisitor<F, T>(F, PhantomData<T>);

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> Visitor<'de> for ScalarVisitor<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(Scalar::Text(text)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        Ok((self.0)(Scalar::Whole(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        Ok((self.0)(
            u64::try_from(value).map_or(Scalar::None, Scalar::Whole),
        ))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        Ok((self.0)(Scalar::Other(value)))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        Ok((self.0)(Scalar::Bool(value)))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok((self.0)(Scalar::None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.0)(Scalar::None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.0)(Scalar::None))
    }
}

fn scalar<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(Scalar<'_>) -> T,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(ScalarVisitor(read, PhantomData))
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |value| match value {
            Scalar::Text(text) => Self(kept(text)),
            _ => Self(None),
        })
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |value| match value {
            Scalar::Whole(count) => Self(Some(count).filter(|count| *count <= MAX_COUNT)),
            _ => Self(None),
        })
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
        scalar(deserializer, |value| match value {
            Scalar::Whole(number) => Self(Some(number as f64)),
            Scalar::Other(number) => Self(Some(number)),
            _ => Self(None),
        })
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |value| match value {
            Scalar::Bool(flag) => Self(Some(flag)),
            _ => Self(None),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MaybeVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for MaybeVisitor<T> {
            type Value = Maybe<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }

            fn visit_unit<E: Error>(self) -> Result<Maybe<T>, E> {
                Ok(Maybe(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Maybe<T>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Maybe(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Maybe<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Maybe(Some(value)))
            }
        }
        deserializer.deserialize_any(MaybeVisitor(PhantomData))
    }
}

/// What a list visitor collects.
trait Collect<'de> {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error>;
}

/// Reads a list into something; anything else is passed over.
struct ListVisitor<C>(C);

impl<'de, C: Collect<'de>> Visitor<'de> for ListVisitor<C> {
    type Value = C;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<C, E> {
        Ok(self.0)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<C, E> {
        Ok(self.0)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<C, E> {
        Ok(self.0)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<C, E> {
        Ok(self.0)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<C, E> {
        Ok(self.0)
    }

    fn visit_unit<E: Error>(self) -> Result<C, E> {
        Ok(self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<C, A::Error> {
        while self.0.take(&mut list)? {}
        Ok(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<C, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.0)
    }
}

impl<'de, T: Deserialize<'de>> Collect<'de> for List<T> {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(entry) = list.next_element::<Maybe<T>>()? else {
            return Ok(false);
        };
        if let Maybe(Some(entry)) = entry
            && self.0.len() < MAX_LIST
        {
            self.0.push(entry);
        }
        Ok(true)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(Self::default()))
    }
}

/// The first byte of a line.
struct First(Option<u8>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        scalar(deserializer, |value| match value {
            Scalar::Text(text) => Self(text.bytes().next()),
            _ => Self(None),
        })
    }
}

impl<'de> Collect<'de> for Patch {
    fn take<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(First(first)) = list.next_element::<First>()? else {
            return Ok(false);
        };
        self.added += u64::from(first == Some(b'+'));
        self.removed += u64::from(first == Some(b'-'));
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for Patch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(Self::default()))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;
        impl<'de> Visitor<'de> for SizeVisitor {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Size, A::Error> {
                let mut size = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    size += 1;
                }
                Ok(Size(size))
            }
        }
        deserializer.deserialize_map(SizeVisitor)
    }
}

/// A time as logs write it, in microseconds since 1970; only of this century, and not of the future.
pub(crate) fn moment(text: &Text) -> Option<i64> {
    let at: jiff::Timestamp = text.get()?.parse().ok()?;
    Some(at.as_microsecond())
}

/// A time in milliseconds since 1970.
pub(crate) fn millis(number: Number) -> Option<i64> {
    let millis = number.0.filter(|millis| (0.0..4e12).contains(millis))?;
    #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
    Some((millis * 1_000.0) as i64)
}
