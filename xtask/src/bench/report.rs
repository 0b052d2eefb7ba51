//! The page of results: every figure beside its limit, with the conditions it was measured under.

use std::fmt::Write;

use super::{
    Conditions, Extra, Figures, Results,
    cases::{CASES, Mode, RATE_WITH_LIVE_PAGES, WATCHED, WATCHED_RATE, WITH_LIVE_PAGES},
    percentile,
    targets::OURS,
};
use crate::run::{command, read};

/// Renders the page.
pub(crate) fn page(
    results: &Results,
    extra: &[Extra],
    decisions: &[(&str, f64)],
    conditions: &Conditions,
) -> String {
    let mut page = String::from(
        "# Performance\n\n\
         Made by `cargo xtask bench --write`. Direct access, nginx and the gateway are measured in one run; the gateway's ledger is on.\n\
         The target has one core; the provider and the load share the other. Every request differs from every other,\n\
         and except for the rows named *turn* each is a conversation of its own.\n\
         Processor time is user and system time of the target's processes, whatever the kernel charges them for loopback included.\n\n",
    );
    push(
        &mut page,
        format_args!(
            "- rounds: {}, interleaved; figures are medians\n",
            conditions.rounds
        ),
    );
    push(&mut page, format_args!("- processor: {}\n", cpu_model()));
    push(
        &mut page,
        format_args!(
            "- kernel: {}",
            read(&mut command("uname", &["-sr"])).unwrap_or_default()
        ),
    );
    push(
        &mut page,
        format_args!(
            "- compiler: {}",
            read(&mut command("rustc", &["--version"])).unwrap_or_default()
        ),
    );
    let write = |percent| percentile(&conditions.durable_writes_us, percent);
    push(
        &mut page,
        format_args!(
            "- a durable write of 1 KB at 20 a second: p50 {:.0} µs, p99 {:.0} µs. Answers do not wait for it unless they are told to (`--sync-before-answer`); proofs and receipts do.\n",
            write(50),
            write(99)
        ),
    );
    processor_time(&mut page, results);
    latency(&mut page, results);
    live_pages(&mut page, results);
    page.push_str("\n## Memory and start\n\n| target | start to first answer, ms | after it, MiB | after 100,000 exchanges at 32 connections, MiB |\n|---|---|---|---|\n");
    for row in extra {
        push(
            &mut page,
            format_args!(
                "| {} | {:.0} | {:.1} | {:.1} |\n",
                row.name, row.start_ms, row.idle_mib, row.after_mib
            ),
        );
    }
    page.push_str("| *limit* | 150 | 25 | 64 |\n");
    page.push_str(
        "\n## Decision\n\nClassify, fold evidence and decide, for a body of 143 KB, in µs; the limit is 100.\n\n| request | median |\n|---|---|\n",
    );
    for (name, microseconds) in decisions {
        push(&mut page, format_args!("| {name} | {microseconds:.1} |\n"));
    }
    page
}

fn processor_time(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Processor time, CPU-seconds per 1,000 requests\n\n\
         The limits were set on a quiet machine; *× nginx* compares within this run what a slower machine moves alike.\n\n\
         | case | limit | wayproof | limit × nginx | wayproof × nginx | others |\n|---|---|---|---|---|---|\n");
    for case in CASES.iter().filter(|case| case.cpu_limit.is_some()) {
        let Some(ours) = median(results, case.name, OURS, |figures| figures.cpu_ms) else {
            continue;
        };
        let others: Vec<String> = names(results, case.name)
            .into_iter()
            .filter(|name| name != OURS && name != "direct")
            .filter_map(|name| {
                let value = median(results, case.name, &name, |figures| figures.cpu_ms)?;
                Some(format!("{name} {value:.3}"))
            })
            .collect();
        let limit = case.cpu_limit.unwrap_or_default();
        let nginx = median(results, case.name, "nginx", |figures| figures.cpu_ms);
        let times = nginx.filter(|nginx| *nginx > 0.0).map(|nginx| ours / nginx);
        push(
            page,
            format_args!(
                "| {} | {limit} | {ours:.3} | {:.1} | {:.1} | {} |\n",
                case.name,
                limit / case.nginx_then(),
                times.unwrap_or_default(),
                others.join(", ")
            ),
        );
    }
}

fn latency(page: &mut String, results: &Results) {
    page.push_str(
        "\n## Latency at a constant rate, added to direct access, µs\n\n\
         Latency counts from when a request was due. For streams it is the time to the first text delta. Failures count every request and every stream that was not whole.\n\n\
         | case | target | p50 | p99 | deltas per read | failed |\n|---|---|---|---|---|---|\n",
    );
    for case in CASES
        .iter()
        .filter(|case| matches!(case.mode, Mode::Rate { .. }))
    {
        let pick = |percent: u8| {
            move |figures: &Figures| match (case.is_streaming, percent) {
                (true, 50) => figures.first_delta_p50_us,
                (true, _) => figures.first_delta_p99_us,
                (false, 50) => figures.p50_us,
                (false, _) => figures.p99_us,
            }
        };
        for name in names(results, case.name) {
            let added = |percent| {
                let own = median(results, case.name, &name, pick(percent))?;
                Some(own - median(results, case.name, "direct", pick(percent))?)
            };
            let (Some(p50), Some(p99)) = (added(50), added(99)) else {
                continue;
            };
            let joined = median(results, case.name, &name, |figures| figures.deltas_per_read);
            let failed: u64 = results
                .get(&(case.name, name.clone()))
                .into_iter()
                .flatten()
                .map(|f| f.failed)
                .sum();
            push(
                page,
                format_args!(
                    "| {} | {name} | {p50:.0} | {p99:.0} | {:.2} | {failed} |\n",
                    case.name,
                    joined.unwrap_or_default()
                ),
            );
        }
    }
    page.push_str("| *limit* | | 350 | 1000 | 1.00 | 0 |\n");
}

fn live_pages(page: &mut String, results: &Results) {
    let of = |case, pick: fn(&Figures) -> f64| median(results, case, OURS, pick);
    let both = |pick: fn(&Figures) -> f64| Some((of(WATCHED, pick)?, of(WITH_LIVE_PAGES, pick)?));
    let (Some((alone, watched)), Some((cpu, watched_cpu))) = (
        both(|figures| figures.requests_per_second),
        both(|figures| figures.cpu_ms),
    ) else {
        return;
    };
    push(
        page,
        format_args!(
            "\n## Live pages\n\n{WATCHED} with 500 live pages of the dashboard open: {watched:.0} requests a second instead of {alone:.0}, \
             {:.1} % less; the limit is 5. The gateway took {watched_cpu:.3} CPU-seconds for 1,000 of them, live pages included, instead of {cpu:.3}. \
             The readers of the pages are on the core of the load.\n",
            100.0 * (alone - watched) / alone.max(1e-9),
        ),
    );
    let at_rate = |pick: fn(&Figures) -> f64| {
        Some((of(WATCHED_RATE, pick)?, of(RATE_WITH_LIVE_PAGES, pick)?))
    };
    if let (Some((p50, watched_p50)), Some((p99, watched_p99))) = (
        at_rate(|figures| figures.p50_us),
        at_rate(|figures| figures.p99_us),
    ) {
        push(
            page,
            format_args!(
                "At the rate of {WATCHED_RATE} half of the requests were answered within {watched_p50:.0} µs instead of {p50:.0}, \
                 and 99 of 100 within {watched_p99:.0} instead of {p99:.0}.\n"
            ),
        );
    }
}

fn names(results: &Results, case: &str) -> Vec<String> {
    results
        .keys()
        .filter(|(found, _)| *found == case)
        .map(|(_, name)| name.clone())
        .collect()
}

fn median(
    results: &Results,
    case: &'static str,
    name: &str,
    pick: impl Fn(&Figures) -> f64,
) -> Option<f64> {
    let mut values: Vec<f64> = results
        .get(&(case, name.to_owned()))?
        .iter()
        .map(pick)
        .collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .unwrap_or_default();
    line.split(':')
        .nth(1)
        .unwrap_or("unknown")
        .trim()
        .to_owned()
}

fn push(page: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _written = page.write_fmt(words);
}
