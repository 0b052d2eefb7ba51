//! The embedded catalog, its generator and exact cost.

use proptest::prelude::*;
use wayproof_engine::{
    BuildError, Catalog, CatalogSources, PriceRow, Rates, build_catalog, cost, cost_exact,
};
use wayproof_wire::Usage;

const NOVEMBER: i64 = 1_795_305_600_000_000;
const JUNE: i64 = 1_780_272_000_000_000;

const SOURCE: &str = r"
providers: list[Provider] = [
    Provider(
        id='groq',
        name='Acme, Inc.',
        price_comments='it\'s \'odd\'',
        fallback_model_providers=['other'],
        extractors=[UsageExtractor(root='usage', mappings=[], api_flavor='default')],
        models=[
            ModelInfo(
                id='swift-1',
                match=ClauseOr(or_=[ClauseEquals(equals='swift-1'), ClauseRegex(regex='^swift-1[-@]\\d{8}$')]),
                context_window=200_000,
                prices=[
                    ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('6'))),
                    ConditionalPrice(
                        constraint=StartDateConstraint(start_date=datetime.date(2026, 7, 30)),
                        prices=ModelPrice(
                            input_mtok=TieredPrices(base=Decimal('0.2'), tiers=[Tier(start=1000, price=Decimal('0.4'))]),
                            cache_read_mtok=Decimal('0.0125'),
                            output_mtok=Decimal('1.2'),
                        ),
                    ),
                ],
                price_variants=[PriceVariant(when={'processing': 'batch'}, prices=ModelPrice())],
            ),
            ModelInfo(id='swift-image', match=ClauseStartsWith(starts_with='swift-i'), prices=ModelPrice(input_mtok=Decimal('9'))),
            ModelInfo(id='swift-any', match=ClauseContains(contains='swift'), prices=ModelPrice(input_mtok=Decimal('2'), output_mtok=Decimal('3'))),
        ],
    ),
    Provider(id='other', name='Other', models=[ModelInfo(id='slow', match=ClauseEquals(equals='slow'), context_window=8)]),
]
";

const NO_ROWS: &str = r#"{"source": "", "date": "2026-11-22", "providers": []}"#;

/// Rows about models of the source, by their names, and about others. `swift-any` has none of its own, so it is told what
/// all say alike whose names it answers to.
const ABILITIES: &str = r#"{
    "sample_spec": {"litellm_provider": "one of many", "mode": "one of: chat, embedding"},
    "groq/swift-1": {"litellm_provider": "groq", "mode": "chat", "max_input_tokens": 100, "max_output_tokens": 90,
        "supports_function_calling": true, "supports_vision": true, "supports_pdf_input": true,
        "supports_reasoning": true, "supports_none_reasoning_effort": true, "supports_xhigh_reasoning_effort": false,
        "supports_sampling_params": false},
    "groq/swift-1-20261122": {"litellm_provider": "groq", "mode": "chat", "max_output_tokens": 1},
    "groq/a-swift": {"litellm_provider": "groq", "mode": "chat", "max_input_tokens": 100, "max_output_tokens": 100,
        "supports_function_calling": false, "supports_vision": false, "reasoning_effort_levels": ["high", "low", "odd"]},
    "groq/b-swift": {"litellm_provider": "groq", "mode": "chat", "max_input_tokens": 200, "max_output_tokens": 100,
        "supports_function_calling": false, "supports_vision": false, "reasoning_effort_levels": ["low", "high"]},
    "groq/swift-image": {"litellm_provider": "groq", "mode": "image_generation", "supports_vision": true},
    "groq/slow": {"litellm_provider": "groq", "mode": "chat", "supports_vision": true},
    "elsewhere/swift-1": {"litellm_provider": "elsewhere", "mode": "chat", "max_output_tokens": 7}
}"#;

fn built(source: &str) -> Result<String, BuildError> {
    let sources = CatalogSources {
        prices: source,
        abilities: ABILITIES,
        own: NO_ROWS,
    };
    build_catalog(sources, "a test", "2026-11-22")
}

fn usage(input: u64, output: u64) -> Usage {
    Usage {
        input: Some(input),
        output: Some(output),
        ..Usage::default()
    }
}

#[test]
fn the_snapshot_prices_the_models_of_the_built_in_policy() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.date(), "2026-11-30");
    for class in wayproof_engine::Policy::builtin().classes() {
        for target in class
            .targets
            .iter()
            .filter(|target| target.provider != "ollama")
        {
            let row = catalog.price(&target.provider, &target.model, NOVEMBER);
            assert!(row.is_some(), "{target} has no price");
        }
    }
    // Facts checked by hand against the providers' price lists.
    let opus = catalog
        .price("anthropic", "claude-opus-5-5", NOVEMBER)
        .unwrap();
    let full = Usage {
        input: Some(1_000),
        cache_read: Some(10_000),
        cache_write_5m: Some(2_000),
        cache_write_1h: Some(500),
        output: Some(300),
        reasoning: Some(200),
    };
    // 1,000 x $4 + 10,000 x $0.20 + 2,000 x $5 + 500 x $8 + 500 x $20, a million tokens each.
    assert_eq!(cost(opus, &full), Some(30_000_000));
    assert_eq!(
        catalog.context_window("anthropic", "claude-opus-5-5-20261001"),
        Some(1_000_000)
    );
    assert!(
        catalog.price("azure", "gpt-6.1-sol", NOVEMBER).is_some(),
        "azure serves openai's models"
    );
    assert!(
        catalog
            .price("azure", "mai-code-1.1-flash", NOVEMBER)
            .is_some(),
        "our own row"
    );
    assert!(
        catalog
            .price("gemini", "gemini-3.8-flash", NOVEMBER)
            .is_some(),
        "gemini is google"
    );
    assert!(
        catalog
            .price("anthropic", "gpt-6.1-sol", NOVEMBER)
            .is_none()
    );
    assert!(catalog.price("mock", "claude-opus-5-5", NOVEMBER).is_none());
}

#[test]
fn prices_step_by_date_and_by_length() {
    let catalog = Catalog::embedded();
    let luna = |at| catalog.price("openai", "gpt-5.6-luna", at).unwrap();
    assert_eq!(cost(luna(JUNE), &usage(1_000_000, 0)), Some(2_000_000_000));
    assert_eq!(
        cost(luna(NOVEMBER), &usage(1_000_000, 0)),
        Some(400_000_000)
    );
    assert_eq!(cost(luna(NOVEMBER), &usage(272_000, 0)), Some(54_400_000));
    assert_eq!(cost(luna(NOVEMBER), &usage(272_001, 0)), Some(108_800_400));
    // What was read from a cache counts for the step.
    let long = Usage {
        cache_read: Some(272_000),
        ..usage(1, 0)
    };
    assert_eq!(cost(luna(NOVEMBER), &long), Some(10_880_400));
}

#[test]
fn prices_may_change_by_the_hour() {
    let catalog = Catalog::embedded();
    let hour = 3_600_000_000;
    let flash = |at| {
        catalog
            .price("deepseek", "deepseek-flash", at)
            .unwrap()
            .steps[0]
            .input
    };
    assert_eq!(flash(NOVEMBER), 150_000_000);
    assert_eq!(flash(NOVEMBER + 2 * hour), 300_000_000);
    assert_eq!(flash(NOVEMBER + 5 * hour), 150_000_000);
}

#[test]
fn unknown_stays_unknown() {
    let row = Catalog::embedded()
        .price("openai", "gpt-5-mini", NOVEMBER)
        .unwrap();
    assert_eq!(cost(row, &Usage::default()), None);
    assert_eq!(
        cost(
            row,
            &Usage {
                output: None,
                ..usage(10, 10)
            }
        ),
        None
    );
    assert!(cost(row, &usage(10, 10)).is_some());
    let unpriced = Usage {
        cache_write_1h: Some(1),
        ..usage(10, 10)
    };
    assert_eq!(cost(row, &unpriced), None, "a bucket without a rate");
}

#[test]
fn a_catalog_is_built_from_the_source() {
    let text = built(SOURCE).unwrap();
    insta::assert_snapshot!(text);
    let catalog = Catalog::parse(&text).unwrap();
    let input = |model: &str, at| {
        catalog
            .price("groq", model, at)
            .and_then(|row| row.rates(0))
            .map(|rates| rates.input)
    };
    assert_eq!(input("swift-1", JUNE), Some(1_000_000_000));
    assert_eq!(input("swift-1", NOVEMBER), Some(200_000_000));
    assert_eq!(input("Swift-1@20261122", NOVEMBER), Some(200_000_000));
    assert_eq!(
        input("swift-1-2026112", NOVEMBER),
        Some(2_000_000_000),
        "seven digits are no date"
    );
    assert_eq!(
        input("swift-image-2", NOVEMBER),
        None,
        "not priced by tokens of text"
    );
    assert_eq!(catalog.context_window("groq", "slow"), Some(8));
}

#[test]
fn what_the_catalog_cannot_express_is_refused() {
    let refused = |from: &str, to: &str| built(&SOURCE.replace(from, to)).unwrap_err();
    assert!(matches!(
        refused("providers:", "others:"),
        BuildError::NoProviders
    ));
    assert!(matches!(
        refused("ClauseContains(", "ClauseOdd("),
        BuildError::Unknown { .. }
    ));
    assert!(matches!(
        refused(r"[-@]\\d{8}", r".+"),
        BuildError::Unknown { .. }
    ));
    assert!(matches!(
        refused("Decimal('9')", "Decimal('-9')"),
        BuildError::Unknown { .. }
    ));
    assert!(matches!(
        refused("datetime.date(2026, 7, 30)", "soon()"),
        BuildError::Unknown { .. }
    ));
    assert!(matches!(
        refused("datetime.date(2026, 7, 30)", "datetime.date(2026, 13, 1)"),
        BuildError::Overrides(_)
    ));
    assert!(matches!(
        refused("name='Other', ", "name='Other' "),
        BuildError::Literal(_)
    ));
}

fn buckets() -> impl Strategy<Value = Usage> {
    let tokens = || 0..2_000_000_u64;
    (tokens(), tokens(), tokens(), tokens(), tokens(), tokens()).prop_map(
        |(input, cache_read, cache_write_5m, cache_write_1h, output, reasoning)| Usage {
            input: Some(input),
            cache_read: Some(cache_read),
            cache_write_5m: Some(cache_write_5m),
            cache_write_1h: Some(cache_write_1h),
            output: Some(output),
            reasoning: Some(reasoning),
        },
    )
}

fn row() -> impl Strategy<Value = PriceRow> {
    let rate = || 0..100_000_000_000_i64;
    (rate(), rate(), rate(), rate(), rate(), rate()).prop_map(
        |(input, output, read, short, long, reasoning)| PriceRow {
            model: "m".to_owned(),
            from_us: None,
            daily_minutes: None,
            steps: vec![Rates {
                over: 0,
                input,
                output,
                cache_read: Some(read),
                cache_write_5m: Some(short),
                cache_write_1h: Some(long),
                reasoning: Some(reasoning),
            }],
            as_of: "2026-11-22".into(),
        },
    )
}

fn sum(a: &Usage, b: &Usage) -> Usage {
    let add = |a: Option<u64>, b: Option<u64>| a.zip(b).map(|(a, b)| a + b);
    Usage {
        input: add(a.input, b.input),
        cache_read: add(a.cache_read, b.cache_read),
        cache_write_5m: add(a.cache_write_5m, b.cache_write_5m),
        cache_write_1h: add(a.cache_write_1h, b.cache_write_1h),
        output: add(a.output, b.output),
        reasoning: add(a.reasoning, b.reasoning),
    }
}

proptest! {
    #[test]
    fn cost_is_additive_and_never_negative(row in row(), a in buckets(), b in buckets()) {
        let exact = |usage: &Usage| cost_exact(&row, usage).unwrap();
        prop_assert_eq!(exact(&sum(&a, &b)), exact(&a) + exact(&b));
        prop_assert!(exact(&a) >= 0);
        let rounded = i128::from(cost(&row, &a).unwrap()) * 1_000_000;
        prop_assert!((rounded - exact(&a)).abs() <= 500_000);
    }

    #[test]
    fn nothing_costs_more_than_its_bound(row in row(), spent in buckets(), more in 0..9_u64, dear in 0..900_000_u64) {
        let mut row = row;
        let long = Rates { over: dear, input: row.steps[0].input / 2, ..row.steps[0] };
        row.steps.push(long);
        let input = spent.total_input().unwrap() + more;
        let output = spent.output.unwrap() + spent.reasoning.unwrap() + more;
        let most = wayproof_engine::worst_cost(&row, input, output).unwrap();
        prop_assert!(cost(&row, &spent).unwrap() <= most);
    }

    #[test]
    fn a_missing_count_or_rate_is_never_zero(row in row(), a in buckets()) {
        prop_assert_eq!(cost(&row, &Usage { input: None, ..a }), None);
        prop_assert_eq!(cost(&row, &Usage { output: None, ..a }), None);
        let mut bare = row.clone();
        bare.steps[0].cache_read = None;
        let used = a.cache_read != Some(0);
        prop_assert_eq!(cost(&bare, &a).is_none(), used);
    }
}
