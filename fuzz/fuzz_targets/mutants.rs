//! Reports of mutation tools are read or left out; an edit that fits leaves text before and after it as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_proof::{Edit, apply, cargo_mutants_list, mutmut_names, mutmut_shown, stryker_report};

fuzz_target!(|input: (&str, &str)| {
    let (report, source) = input;
    let _names = mutmut_names(report.as_bytes());
    let mut read = mutmut_shown(report);
    read.extend(stryker_report(report.as_bytes()).mutants);
    read.extend(cargo_mutants_list(report.as_bytes()));
    for one in read {
        let Some((line, text)) = apply(source, &one.edit) else {
            continue;
        };
        assert!(line > 0);
        if let Edit::Span { put, .. } = &one.edit {
            assert!(text.len() >= put.len());
        }
    }
});
