//! A table of outcomes is read or refused; what is read can be tried, and its ranges are in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wayproof_engine::{Cascade, Share, backtest, read_outcomes};

fuzz_target!(|text: &str| {
    let Ok(outcomes) = read_outcomes(text, &[]) else {
        return;
    };
    let models: Vec<String> = outcomes.models().take(3).map(str::to_owned).collect();
    let cascade = Cascade::new(models).expect("names of models make a cascade");
    let result = backtest(&outcomes, &cascade).expect("every model is there");
    for leak in [Share::NONE, Share::ALL] {
        for span in [result.solved(leak), result.cost_nano_usd(leak)] {
            assert!(span.high.is_none_or(|high| span.low <= high), "{span:?}");
        }
    }
});
