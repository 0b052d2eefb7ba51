//! Backtests from the command line: figures on one side, one sentence on the other.

use std::{fs, io::Write};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use crate::environment::Environment;

const TABLE: &str = "agent,model,benchmark,instance_id,resolved,cost_usd\n\
x,small,fix,a,1,0.1\nx,large,fix,a,1,1\nx,small,fix,b,0,0.2\nx,large,fix,b,1,2\nx,small,fix,c,,0.3\nx,large,fix,c,0,\n\
y,small,fix,a,0,0.1\n";

#[test]
fn a_cascade_over_a_packed_file_is_exact_and_says_what_is_unknown() {
    let environment = Environment::new();
    let file = environment.path("outcomes.csv.gz");
    let mut packed = GzEncoder::new(fs::File::create(&file).unwrap(), Compression::fast());
    packed.write_all(TABLE.as_bytes()).unwrap();
    packed.finish().unwrap();
    let file = file.to_str().unwrap();
    let args = [
        "policy",
        "backtest",
        "--outcomes",
        file,
        "--where",
        "agent=x",
        "--cascade",
        "small > large",
    ];
    let said = environment.run(&[&args[..], &["--json"]].concat());
    assert_eq!(said.status, 0, "{said:?}");
    let json: Value = serde_json::from_str(&said.out).unwrap();
    let policy = &json["policies"][0];
    assert_eq!(json["tasks"], 3);
    assert_eq!(
        policy["resolved"],
        serde_json::json!({ "low": 2, "high": 3 })
    );
    assert_eq!(
        policy["cost_nano_usd"],
        serde_json::json!({ "low": 2_600_000_000_i64, "high": null })
    );
    assert_eq!(
        (&policy["undetermined_tasks"], &policy["unpriced_attempts"]),
        (&1.into(), &1.into())
    );
    let said = environment.run(&args);
    assert!(
        said.out.contains("small > large") && said.out.contains("2 to 3"),
        "{said:?}"
    );
    assert!(
        said.err
            .contains("up to 1 tasks meet an outcome that is not in the file"),
        "{said:?}"
    );
}

#[test]
fn without_a_cascade_every_model_stands_alone_best_first() {
    let environment = Environment::new();
    let file = environment.path("outcomes.csv");
    fs::write(&file, TABLE).unwrap();
    let said = environment.run(&[
        "policy",
        "backtest",
        "--outcomes",
        file.to_str().unwrap(),
        "--where",
        "agent=x",
    ]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(
        said.out.find("large").unwrap() < said.out.find("small").unwrap(),
        "{}",
        said.out
    );
}

#[test]
fn what_is_wrong_is_told_in_one_sentence() {
    let environment = Environment::new();
    let file = environment.path("outcomes.csv");
    fs::write(&file, TABLE).unwrap();
    let binary = environment.path("binary.csv");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let cut = environment.path("cut.csv.gz");
    fs::write(&cut, [0x1f, 0x8b, 8, 0]).unwrap();
    let (file, binary, cut) = (
        file.to_str().unwrap(),
        binary.to_str().unwrap(),
        cut.to_str().unwrap(),
    );
    let one = ["--where", "agent=x"];
    for (file, args, words) in [
        (file, &[][..], "choose rows of one kind with --where"),
        (file, &["--where", "agent"][..], "COLUMN=VALUE"),
        (
            file,
            &["--where", "agent=z"][..],
            "no row is left with agent=z",
        ),
        (file, &["--where", "colour=red"][..], "no column `colour`"),
        (
            file,
            &[&one[..], &["--cascade", "smal > large"]].concat()[..],
            "did you mean `small`?",
        ),
        (
            file,
            &[&one[..], &["--cascade", "small > small"]].concat()[..],
            "stands twice",
        ),
        (
            file,
            &[&one[..], &["--leak", "20"]].concat()[..],
            "from 0 to 1",
        ),
        ("nowhere.csv", &[][..], "nowhere.csv cannot be read"),
        (binary, &[][..], "UTF-8"),
        (cut, &[][..], "cannot be read"),
    ] {
        let said = environment.run(&[&["policy", "backtest", "--outcomes", file], args].concat());
        assert_eq!(said.status, 2, "{args:?}: {said:?}");
        assert!(said.err.contains(words), "{args:?}: {}", said.err);
        assert_eq!(said.err.trim().lines().count(), 1, "{}", said.err);
    }
}
