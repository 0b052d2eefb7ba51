//! Fits the text classifier: softmax regression over the features that occur often enough, by limited-memory BFGS.
//! Deterministic: the same rows in the same order give the same weights.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts of examples and features are small, and a weight needs no more than an f32"
)]

use std::collections::BTreeMap;

use wayproof_engine::classifier::{Group, KINDS, LEXICON, Weights, loudness};

/// An ask with its kind, as far as fitting needs it.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// Index of its kind.
    pub(crate) kind: usize,
    /// How much it counts.
    pub(crate) weight: f32,
    /// Hashes of its features, each once, with their group.
    pub(crate) features: Vec<(u64, Group)>,
    /// What the lexicon says.
    pub(crate) lexicon: [f32; LEXICON],
}

/// How to fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    /// How hard weights are held down.
    pub(crate) l2: f32,
    /// How much rarer kinds are lifted: nought is not at all, one is to equal weight.
    pub(crate) balance: f32,
    /// In how many examples a feature must occur.
    pub(crate) least: u32,
    /// Slots of the table; two thirds of them are filled.
    pub(crate) slots: usize,
    /// How much features that tell kinds apart are favored.
    pub(crate) telling: f32,
    /// Most steps.
    pub(crate) steps: usize,
}

/// Examples in the numbering of a vocabulary.
struct Matrix {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    kinds: Vec<usize>,
    weights: Vec<f32>,
    width: usize,
}

/// Fits weights, and fits them again on the features that are worth a slot.
pub(crate) fn fit(examples: &[&Example], options: &Options) -> Weights {
    let all = vocabulary(examples, options.least);
    let room = options.slots * 2 / 3;
    let favor = telling(examples, &all, options);
    let (kept, favor) = if all.len() <= room {
        (all, favor)
    } else {
        let matrix = matrix(examples, &all, &favor, options);
        let found = minimize(&matrix, options.l2, options.steps / 2);
        let kept = best(&all, &matrix, &found, room);
        let favor = telling(examples, &kept, options);
        (kept, favor)
    };
    let matrix = matrix(examples, &kept, &favor, options);
    let found = minimize(&matrix, options.l2, options.steps);
    packed(&kept, &favor, &found, options.slots)
}

fn vocabulary(examples: &[&Example], least: u32) -> BTreeMap<u64, u32> {
    let found = examples.iter().flat_map(|example| &example.features);
    let mut hashes: Vec<u64> = found.map(|(hash, _)| *hash).collect();
    hashes.sort_unstable();
    let often = hashes
        .chunk_by(|a, b| a == b)
        .filter(|same| same.len() >= least as usize);
    let often = often.filter_map(|same| same.first().copied());
    often.zip(0..).collect()
}

/// A factor for every feature: the largest log ratio between its share in a kind and outside of it.
fn telling(examples: &[&Example], known: &BTreeMap<u64, u32>, options: &Options) -> Vec<f32> {
    let mut counts = vec![[1.0_f32; KINDS]; known.len()];
    for example in examples {
        for (hash, _) in &example.features {
            if let Some(at) = known.get(hash) {
                counts[*at as usize][example.kind] += example.weight;
            }
        }
    }
    let mut wholes = [0.0_f32; KINDS];
    for count in &counts {
        for (whole, count) in wholes.iter_mut().zip(count) {
            *whole += count;
        }
    }
    let sum: f32 = wholes.iter().sum();
    let present: Vec<usize> = (0..KINDS)
        .filter(|kind| examples.iter().any(|e| e.kind == *kind))
        .collect();
    let ratios: Vec<f32> = counts
        .iter()
        .map(|count| {
            let here: f32 = count.iter().sum();
            let ratio = |kind: &usize| {
                let inside = count[*kind] / wholes[*kind];
                let outside = (here - count[*kind]) / (sum - wholes[*kind]);
                (inside / outside).ln().abs()
            };
            present.iter().map(ratio).fold(0.0, f32::max)
        })
        .collect();
    let mean = ratios.iter().sum::<f32>() / ratios.len().max(1) as f32;
    ratios
        .into_iter()
        .map(|ratio| (ratio / mean).powf(options.telling))
        .collect()
}

fn matrix(
    examples: &[&Example],
    known: &BTreeMap<u64, u32>,
    favor: &[f32],
    options: &Options,
) -> Matrix {
    let mut sizes = [0.0_f64; KINDS];
    for example in examples {
        sizes[example.kind] += f64::from(example.weight);
    }
    let kinds = sizes.iter().filter(|size| **size > 0.0).count() as f64;
    let whole: f64 = sizes.iter().sum();
    let width = known.len() + LEXICON + 1;
    let mut matrix = Matrix {
        starts: vec![0],
        columns: Vec::new(),
        values: Vec::new(),
        kinds: Vec::new(),
        weights: Vec::new(),
        width,
    };
    for example in examples {
        let mut counts = [0_u16; Group::COUNT];
        let found: Vec<(u32, Group)> = example
            .features
            .iter()
            .filter_map(|(hash, group)| Some((*known.get(hash)?, *group)))
            .collect();
        for (_, group) in &found {
            counts[group.index()] += 1;
        }
        for (at, group) in found {
            matrix.columns.push(at);
            matrix
                .values
                .push(loudness(group, counts[group.index()]) * favor[at as usize]);
        }
        for (at, value) in example
            .lexicon
            .iter()
            .enumerate()
            .filter(|(_, value)| **value > 0.0)
        {
            matrix.columns.push((known.len() + at) as u32);
            matrix.values.push(*value);
        }
        matrix.columns.push((width - 1) as u32);
        matrix.values.push(1.0);
        matrix.starts.push(matrix.columns.len());
        matrix.kinds.push(example.kind);
        let lift = (whole / kinds / sizes[example.kind]).powf(f64::from(options.balance));
        matrix.weights.push(example.weight * lift as f32);
    }
    matrix
}

/// The features that move the most, summed over where they occur.
fn best(
    known: &BTreeMap<u64, u32>,
    matrix: &Matrix,
    found: &[f32],
    room: usize,
) -> BTreeMap<u64, u32> {
    let mut moved = vec![0.0_f32; known.len()];
    for (column, value) in matrix.columns.iter().zip(&matrix.values) {
        if let Some(moved) = moved.get_mut(*column as usize) {
            *moved += value * value;
        }
    }
    let mut ranked: Vec<(f32, u64)> = known
        .iter()
        .map(|(hash, at)| {
            let at = *at as usize;
            let row = &found[at * KINDS..(at + 1) * KINDS];
            let mean = row.iter().sum::<f32>() / KINDS as f32;
            let spread: f32 = row.iter().map(|w| (w - mean) * (w - mean)).sum();
            (spread * moved[at], *hash)
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut kept: Vec<u64> = ranked
        .into_iter()
        .take(room)
        .map(|(_, hash)| hash)
        .collect();
    kept.sort_unstable();
    kept.into_iter().zip(0..).collect()
}

/// Loss and gradient at a point.
fn slope(matrix: &Matrix, l2: f32, at: &[f32], gradient: &mut [f32]) -> f64 {
    let bias = (matrix.width - 1) * KINDS;
    let mut loss = 0.0_f64;
    for (place, (weight, slope)) in at.iter().zip(gradient.iter_mut()).enumerate() {
        let held = if place >= bias { 0.0 } else { l2 };
        *slope = held * weight;
        loss += 0.5 * f64::from(held * weight * weight);
    }
    for row in 0..matrix.kinds.len() {
        let span = matrix.starts[row]..matrix.starts[row + 1];
        let mut logits = [0.0_f32; KINDS];
        for (column, value) in matrix.columns[span.clone()]
            .iter()
            .zip(&matrix.values[span.clone()])
        {
            let from = *column as usize * KINDS;
            for (logit, weight) in logits.iter_mut().zip(&at[from..from + KINDS]) {
                *logit += value * weight;
            }
        }
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let powers = logits.map(|logit| (logit - most).exp());
        let whole: f32 = powers.iter().sum();
        let kind = matrix.kinds[row];
        let weight = matrix.weights[row];
        loss -= f64::from(weight) * f64::from((powers[kind] / whole).max(1e-30).ln());
        let mut error = powers.map(|power| weight * power / whole);
        error[kind] -= weight;
        for (column, value) in matrix.columns[span.clone()]
            .iter()
            .zip(&matrix.values[span])
        {
            let from = *column as usize * KINDS;
            for (slope, error) in gradient[from..from + KINDS].iter_mut().zip(error) {
                *slope += value * error;
            }
        }
    }
    loss
}

/// Limited-memory BFGS with a backtracking search.
fn minimize(matrix: &Matrix, l2: f32, steps: usize) -> Vec<f32> {
    const MEMORY: usize = 8;
    let size = matrix.width * KINDS;
    let mut at = vec![0.0_f32; size];
    let mut gradient = vec![0.0_f32; size];
    let mut loss = slope(matrix, l2, &at, &mut gradient);
    let mut past: Vec<(Vec<f32>, Vec<f32>, f64)> = Vec::new();
    for _ in 0..steps {
        let direction = downhill(&gradient, &past);
        let descent = dot(&direction, &gradient);
        if descent >= 0.0 {
            break;
        }
        let mut length = if past.is_empty() {
            (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0)
        } else {
            1.0
        };
        let mut next = at.clone();
        let mut there = vec![0.0_f32; size];
        let reached = loop {
            for ((next, at), by) in next.iter_mut().zip(&at).zip(&direction) {
                *next = at + length as f32 * by;
            }
            let reached = slope(matrix, l2, &next, &mut there);
            if reached <= loss + 1e-4 * length * descent || length < 1e-6 {
                break reached;
            }
            length *= 0.5;
        };
        let moved: Vec<f32> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let bent: Vec<f32> = there.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curve = dot(&moved, &bent);
        if curve > 1e-10 {
            if past.len() == MEMORY {
                past.remove(0);
            }
            past.push((moved, bent, 1.0 / curve));
        }
        let gain = loss - reached;
        at = next;
        gradient = there;
        loss = reached;
        if gain.abs() < 1e-5 * loss.abs() {
            break;
        }
    }
    at
}

fn downhill(gradient: &[f32], past: &[(Vec<f32>, Vec<f32>, f64)]) -> Vec<f32> {
    let mut direction: Vec<f32> = gradient.iter().map(|slope| -slope).collect();
    let mut parts = Vec::new();
    for (moved, bent, inverse) in past.iter().rev() {
        let part = inverse * dot(moved, &direction);
        add(&mut direction, -part, bent);
        parts.push(part);
    }
    if let Some((_, bent, inverse)) = past.last() {
        let scale = (1.0 / (inverse * dot(bent, bent))) as f32;
        direction.iter_mut().for_each(|value| *value *= scale);
    }
    for ((moved, bent, inverse), part) in past.iter().zip(parts.into_iter().rev()) {
        let back = inverse * dot(bent, &direction);
        add(&mut direction, part - back, moved);
    }
    direction
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

fn add(to: &mut [f32], factor: f64, what: &[f32]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += factor as f32 * what;
    }
}

/// The weights as small integers in the table.
fn packed(known: &BTreeMap<u64, u32>, favor: &[f32], found: &[f32], slots: usize) -> Weights {
    let mut weights = Weights::empty(slots);
    let row = |at: usize| &found[at * KINDS..(at + 1) * KINDS];
    let mut order: Vec<(u64, Vec<f32>)> = Vec::new();
    for (hash, at) in known {
        let at = *at as usize;
        let favored: Vec<f32> = row(at).iter().map(|weight| weight * favor[at]).collect();
        order.push((*hash, favored));
    }
    for kind in 0..KINDS {
        let sizes = order.iter().map(|(_, row)| row[kind].abs());
        weights.scale[kind] = sizes.fold(1e-6, f32::max) / Weights::MOST;
    }
    let loud = |row: &[f32]| row.iter().map(|weight| weight.abs()).fold(0.0, f32::max);
    order.sort_by(|a, b| loud(&b.1).total_cmp(&loud(&a.1)).then(a.0.cmp(&b.0)));
    for (hash, row) in order {
        let mut units = [0.0; KINDS];
        for ((units, weight), scale) in units.iter_mut().zip(row).zip(weights.scale) {
            *units = weight / scale;
        }
        weights.put(hash, units);
    }
    for (at, row_of) in weights.lexicon.iter_mut().enumerate() {
        row_of.copy_from_slice(row(known.len() + at));
    }
    weights.bias.copy_from_slice(row(known.len() + LEXICON));
    weights
}
