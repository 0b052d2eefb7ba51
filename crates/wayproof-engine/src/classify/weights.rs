//! The trained weights and what they make of an ask: sums of small integers, scaled, then shares that add up to one.
//! Equal texts give equal shares on every machine: only additions, multiplications and square roots.

use super::{
    features::{Group, Sink, features},
    kinds::WorkKind,
    lexicon::Label,
};

const KINDS: usize = WorkKind::COUNT;

/// How much a group may say, and how many features must speak before it says half of that.
const VOICE: [f32; Group::COUNT] = [1.0, 0.7, 1.0, 0.6, 2.5, 1.5];
const RESERVE: f32 = 2.0;

const MAGIC: &[u8; 8] = b"wayproof";
/// Rows in equal steps, and rows whose steps grow with the number: a small weight keeps its difference from nought
/// beside a large one.
const EVEN: u32 = 1;
const BENT: u32 = 2;

/// Weights of the text classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// What is divided out of the sums, so that a share of 70 % is right seven times in ten.
    pub temperature: f32,
    /// What speaks for every kind before a word is read.
    pub bias: [f32; KINDS],
    /// What the phrases of every task in the lexicon say about the kinds.
    pub lexicon: [[f32; KINDS]; Label::COUNT],
    /// What a unit in a row is worth.
    pub scale: [f32; KINDS],
    /// Hashes of the repositories the weights were fitted on.
    pub fitted_on: Vec<u64>,
    format: u32,
    tags: Vec<u16>,
    rows: Vec<[i8; KINDS]>,
}

/// Weights that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("these are no weights of the text classifier of this version")]
pub struct NoWeights;

/// What the features of an ask add up to.
struct Sums<'w> {
    weights: &'w Weights,
    seen: Vec<u64>,
    sums: [[i32; KINDS]; Group::COUNT],
    counts: [u16; Group::COUNT],
}

impl Weights {
    /// Weights without a feature. The number of slots is rounded up to a power of two.
    pub fn empty(slots: usize) -> Self {
        let slots = slots.next_power_of_two();
        Self {
            temperature: 1.0,
            bias: [0.0; KINDS],
            lexicon: [[0.0; KINDS]; Label::COUNT],
            scale: [1.0; KINDS],
            fitted_on: Vec::new(),
            format: BENT,
            tags: vec![0; slots],
            rows: vec![[0; KINDS]; slots],
        }
    }

    /// Adds a feature whose weights are these numbers of units; not when both its slots are taken. The largest number is
    /// [`Weights::MOST`], and the nearest that a row can hold is taken.
    pub fn put(&mut self, hash: u64, units: [f32; KINDS]) -> bool {
        self.insert(hash, units.map(bent))
    }

    /// The most units of a weight.
    pub const MOST: f32 = 127.0 * 127.0;

    /// Adds a feature; not when both its slots are taken.
    fn insert(&mut self, hash: u64, row: [i8; KINDS]) -> bool {
        let tag = tag(hash);
        for slot in self.slots(hash) {
            let is_free = self
                .tags
                .get(slot)
                .is_some_and(|taken| *taken == 0 || *taken == tag);
            if let (true, Some(at), Some(values)) =
                (is_free, self.tags.get_mut(slot), self.rows.get_mut(slot))
            {
                *at = tag;
                *values = row;
                return true;
            }
        }
        false
    }

    fn slots(&self, hash: u64) -> [usize; 2] {
        let mask = self.tags.len() - 1;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only the lowest bits are wanted"
        )]
        [hash as usize & mask, (hash >> 24) as usize & mask]
    }

    fn find(&self, hash: u64) -> Option<(usize, &[i8; KINDS])> {
        let tag = tag(hash);
        let slots = self.slots(hash);
        let slot = slots
            .into_iter()
            .find(|slot| self.tags.get(*slot) == Some(&tag))?;
        Some((slot, self.rows.get(slot)?))
    }

    /// The shares of all kinds; nothing when no word of the ask is known.
    pub fn shares(
        &self,
        text: &str,
        paths: &[String],
        lexicon: &[f32; Label::COUNT],
    ) -> Option<[f32; KINDS]> {
        let mut sums = self.sums();
        features(text, paths, &mut sums);
        let words = [Group::Head, Group::Lead, Group::Whole];
        let is_known = words.iter().any(|group| {
            sums.counts
                .get(group.index())
                .is_some_and(|count| *count > 0)
        });
        is_known.then(|| self.softmax(&sums.logits(lexicon)))
    }

    /// The shares of all kinds for features that are found already.
    pub fn shares_of(&self, found: &[(u64, Group)], lexicon: &[f32; Label::COUNT]) -> [f32; KINDS] {
        self.softmax(&self.logits_of(found, lexicon))
    }

    fn sums(&self) -> Sums<'_> {
        Sums {
            weights: self,
            seen: vec![0; self.tags.len().div_ceil(64)],
            sums: [[0; KINDS]; Group::COUNT],
            counts: [0; Group::COUNT],
        }
    }

    /// What speaks for every kind, for features that are found already: before it is made into shares.
    pub fn logits_of(&self, found: &[(u64, Group)], lexicon: &[f32; Label::COUNT]) -> [f32; KINDS] {
        let mut sums = self.sums();
        for (hash, group) in found {
            sums.take(*group, *hash, "", "");
        }
        sums.logits(lexicon)
    }

    /// What speaks for every kind as shares.
    fn softmax(&self, logits: &[f32; KINDS]) -> [f32; KINDS] {
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let powers = logits.map(|logit| exp((logit - most) / self.temperature));
        let whole: f32 = powers.iter().sum();
        powers.map(|power| power / whole)
    }

    /// What a feature says about every kind, before it is weighed by its group.
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
    pub(crate) fn row(&self, hash: u64) -> Option<[f32; KINDS]> {
        let (_, row) = self.find(hash)?;
        let mut said = [0.0; KINDS];
        for ((said, value), scale) in said.iter_mut().zip(row).zip(self.scale) {
            *said = units(*value, self.format) as f32 * scale;
        }
        Some(said)
    }

    /// Reads weights as [`Weights::to_bytes`] writes them.
    pub fn read(bytes: &[u8]) -> Result<Self, NoWeights> {
        let mut from = Reader(bytes);
        if from.take(MAGIC.len())? != MAGIC {
            return Err(NoWeights);
        }
        let format = from.word()?;
        if !matches!(format, EVEN | BENT) {
            return Err(NoWeights);
        }
        let slots = from.word()? as usize;
        let repositories = from.word()? as usize;
        if !slots.is_power_of_two() || slots > 1 << 20 || repositories > 1 << 16 {
            return Err(NoWeights);
        }
        let mut weights = Self::empty(slots);
        weights.format = format;
        weights.temperature = from.float()?;
        for value in weights
            .bias
            .iter_mut()
            .chain(&mut weights.scale)
            .chain(weights.lexicon.iter_mut().flatten())
        {
            *value = from.float()?;
        }
        for _ in 0..repositories {
            weights.fitted_on.push(u64::from_le_bytes(from.array()?));
        }
        for tag in &mut weights.tags {
            *tag = u16::from_le_bytes(from.array()?);
        }
        for value in weights.rows.iter_mut().flatten() {
            *value = i8::from_le_bytes(from.array()?);
        }
        if from.0.is_empty() {
            Ok(weights)
        } else {
            Err(NoWeights)
        }
    }

    /// The weights as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.format.to_le_bytes());
        for word in [self.tags.len(), self.fitted_on.len()] {
            bytes.extend(u32::try_from(word).unwrap_or(u32::MAX).to_le_bytes());
        }
        let floats = self
            .bias
            .iter()
            .chain(&self.scale)
            .chain(self.lexicon.iter().flatten());
        for value in [self.temperature].iter().chain(floats) {
            bytes.extend(value.to_le_bytes());
        }
        bytes.extend(self.fitted_on.iter().flat_map(|hash| hash.to_le_bytes()));
        bytes.extend(self.tags.iter().flat_map(|tag| tag.to_le_bytes()));
        bytes.extend(
            self.rows
                .iter()
                .flatten()
                .flat_map(|value| value.to_le_bytes()),
        );
        bytes
    }
}

impl Sink for Sums<'_> {
    fn take(&mut self, group: Group, hash: u64, _: &str, _: &str) {
        let Some((slot, row)) = self.weights.find(hash) else {
            return;
        };
        let bit = 1_u64 << (slot % 64);
        let Some(word) = self
            .seen
            .get_mut(slot / 64)
            .filter(|word| **word & bit == 0)
        else {
            return;
        };
        *word |= bit;
        let place = group.index();
        if let (Some(sums), Some(count)) = (self.sums.get_mut(place), self.counts.get_mut(place)) {
            *count = count.saturating_add(1);
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += units(*value, self.weights.format);
            }
        }
    }
}

impl Sums<'_> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of a few thousand small numbers"
    )]
    fn logits(&self, lexicon: &[f32; Label::COUNT]) -> [f32; KINDS] {
        let mut logits = self.weights.bias;
        for ((group, sums), count) in GROUPS.into_iter().zip(&self.sums).zip(self.counts) {
            let loud = loudness(group, count);
            for ((logit, sum), scale) in logits.iter_mut().zip(sums).zip(self.weights.scale) {
                *logit += *sum as f32 * scale * loud;
            }
        }
        for (value, row) in lexicon.iter().zip(&self.weights.lexicon) {
            for (logit, weight) in logits.iter_mut().zip(row) {
                *logit += value * weight;
            }
        }
        logits
    }
}

const GROUPS: [Group; Group::COUNT] = [
    Group::Head,
    Group::Lead,
    Group::Whole,
    Group::Shape,
    Group::Paths,
    Group::Crossed,
];

/// What one of so many features of a group is worth.
pub fn loudness(group: Group, count: u16) -> f32 {
    let voice = VOICE.get(group.index()).copied().unwrap_or(0.0);
    voice / (f32::from(count) + RESERVE).sqrt()
}

/// How many units a number in a row stands for.
fn units(value: i8, format: u32) -> i32 {
    let value = i32::from(value);
    if format == EVEN {
        value
    } else {
        value * value.abs()
    }
}

/// The number whose units are nearest.
fn bent(units: f32) -> i8 {
    let root = units.abs().sqrt().round().min(127.0);
    #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
    let root = root as i8;
    if units < 0.0 { -root } else { root }
}

/// Zero is a free slot.
fn tag(hash: u64) -> u16 {
    ((hash >> 48) as u16).max(1)
}

/// e to the power of something that is at most nought: (1 + x/4096)^4096, the same bits everywhere.
fn exp(x: f32) -> f32 {
    let mut power = (1.0 + f64::from(x.max(-80.0)) / 4096.0).max(0.0);
    for _ in 0..12 {
        power *= power;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share needs no more")]
    let power = power as f32;
    power
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], NoWeights> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(NoWeights)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NoWeights> {
        self.take(N)?.try_into().map_err(|_| NoWeights)
    }

    fn word(&mut self) -> Result<u32, NoWeights> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn float(&mut self) -> Result<f32, NoWeights> {
        let value = f32::from_le_bytes(self.array()?);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(NoWeights)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_small_weights_beside_large_ones() {
        let mut weights = Weights::empty(8);
        let mut row = [0.0; KINDS];
        row[0] = Weights::MOST;
        row[1] = -4.0;
        row[2] = 1e9;
        assert!(weights.put(0x0123_4567_89ab_cdef, row));
        let found = weights.row(0x0123_4567_89ab_cdef).unwrap();
        assert_eq!(&found[..4], &[Weights::MOST, -4.0, Weights::MOST, 0.0]);
        assert!(weights.row(0x0f23_4567_89ab_cdef).is_none());
    }
}
