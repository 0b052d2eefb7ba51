//! What is found and what survives, measured on a table. Secrets are put together here, so that no scanner of
//! repositories takes them for somebody's.

use proptest::prelude::*;
use wayproof_redact::{Stream, redact, redact_json};

/// Letters and digits that look random and are the same in every run.
fn random(alphabet: &str, length: usize, seed: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state >> 33).unwrap_or(0) % letters.len();
            letters.get(at).copied().unwrap_or_default()
        })
        .collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Secrets by kind, `seed` for different ones.
#[expect(clippy::too_many_lines, reason = "a table")]
fn secrets(seed: u64) -> Vec<(&'static str, String)> {
    let alnum = |length: usize| random(ALNUM, length, seed + 1);
    let url = |length: usize| format!("{}a1B", random(URL, length - 3, seed + 2));
    let hex = |length: usize| random(HEX, length, seed + 3);
    let upper = |length: usize| random(UPPER, length, seed + 4);
    let base64 = |length: usize| random(BASE64, length, seed + 5);
    vec![
        (
            "anthropic",
            format!("sk-ant-api03-{}-{}AA", url(60), url(20)),
        ),
        (
            "openai project",
            format!("sk-proj-{}T3BlbkFJ{}", url(50), url(40)),
        ),
        ("openai", format!("sk-{}", alnum(48))),
        ("openrouter", format!("sk-or-v1-{}", hex(64))),
        ("google", format!("AIza{}", url(35))),
        ("google oauth", format!("ya29.{}", url(80))),
        ("google secret", format!("GOCSPX-{}", url(28))),
        ("groq", format!("gsk_{}", alnum(52))),
        ("xai", format!("xai-{}", alnum(80))),
        ("perplexity", format!("pplx-{}", alnum(48))),
        ("nvidia", format!("nvapi-{}", url(64))),
        ("hugging face", format!("hf_{}1a", alnum(34))),
        ("replicate", format!("r8_{}", alnum(37))),
        ("wayproof", format!("wp_key_{}_{}", alnum(12), alnum(43))),
        ("aws", format!("AKIA{}", upper(16))),
        ("aws session", format!("ASIA{}", upper(16))),
        ("digitalocean", format!("dop_v1_{}", hex(64))),
        ("vault", format!("hvs.{}", url(90))),
        ("databricks", format!("dapi{}", hex(32))),
        ("grafana", format!("glsa_{}_{}", alnum(32), hex(8))),
        ("github", format!("ghp_{}", alnum(36))),
        ("github server", format!("ghs_{}", alnum(36))),
        (
            "github fine",
            format!("github_pat_{}_{}", alnum(22), alnum(59)),
        ),
        ("gitlab", format!("glpat-{}", url(20))),
        ("atlassian", format!("ATATT3xFfGF0{}", url(170))),
        ("npm", format!("npm_{}", alnum(36))),
        ("pypi", format!("pypi-AgEIcHlwaS5vcmc{}", url(150))),
        ("crates", format!("cio{}", alnum(32))),
        ("rubygems", format!("rubygems_{}", hex(48))),
        ("docker", format!("dckr_pat_{}", url(27))),
        ("slack", format!("xoxb-{}-{}", hex(12), alnum(24))),
        (
            "slack hook",
            format!(
                "hooks.slack.com/services/T{}/B{}/{}",
                upper(8),
                upper(8),
                alnum(24)
            ),
        ),
        ("stripe", format!("sk_live_{}", alnum(24))),
        ("webhook", format!("whsec_{}", base64(32))),
        ("sendgrid", format!("SG.{}.{}", url(22), url(43))),
        ("shopify", format!("shpat_{}", hex(32))),
        ("linear", format!("lin_api_{}", alnum(40))),
        ("age", format!("AGE-SECRET-KEY-1{}", upper(58))),
        (
            "jwt",
            format!("eyJhbGciOiJIUzI1NiJ9.eyJ{}.{}", url(60), url(43)),
        ),
        ("unnamed", format!("{}x7Q", alnum(40))),
    ]
}

/// Texts around a secret that it is found in.
const AROUND: [(&str, &str); 10] = [
    ("\u{1b}[2m=\u{1b}[0m", "\u{1b}[0m"),
    ("", ""),
    ("use ", " please"),
    ("KEY=", "\n"),
    ("{\"key\":\"", "\"}"),
    ("(", ")"),
    ("line\\n", "\\nline"),
    ("'", "',"),
    ("curl -H 'x-api-key: ", "' https://host/"),
    ("> ", "."),
];

#[test]
fn every_form_is_found_in_every_setting() {
    let mut missed = Vec::new();
    let mut tried = 0;
    for seed in [11, 222, 3_333] {
        for (kind, secret) in secrets(seed) {
            for (before, after) in AROUND {
                tried += 1;
                let text = format!("{before}{secret}{after}");
                let redacted = redact(&text);
                if redacted.contains(&secret) || !redacted.contains("[redacted:") {
                    missed.push(format!("{kind}: {text}"));
                }
                // Nothing of it is left but the ends of a part that is no secret by itself.
                let middle = secret.get(secret.len() / 2..secret.len() - 4).unwrap();
                if redacted.contains(middle) {
                    missed.push(format!("{kind}, a part: {redacted}"));
                }
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {tried} missed: {missed:#?}",
        missed.len()
    );
}

#[test]
fn what_is_named_a_secret_is_found() {
    let value = random(ALNUM, 12, 5) + "q7";
    for (text, secret) in [
        (format!("password = \"{value}\""), value.as_str()),
        ("DB_PASSWORD=hunter2".to_owned(), "hunter2"),
        (
            "  \"password\": \"correct horse\"".to_owned(),
            "correct horse",
        ),
        ("password: 'letmein'".to_owned(), "letmein"),
        (
            format!("aws_secret_access_key = {}", random(BASE64, 40, 9)),
            &random(BASE64, 40, 9),
        ),
        (format!("api_key: {value}"), &value),
        (format!("{{\\\"apiKey\\\":\\\"{value}\\\"}}"), &value),
        (format!("Authorization: Bearer {value}{value}"), &value),
        (
            format!("authorization: Basic {}", "dXNlcjpodW50ZXIy"),
            "dXNlcjpodW50ZXIy",
        ),
        (format!("Cookie: session={value}; theme=dark"), &value),
        (format!("\"x-api-key\": \"{value}\""), &value),
        (format!("postgres://app:{value}@db.internal/app"), &value),
        (
            "mongodb+srv://root:p%40ss@cluster0.mongodb.net".to_owned(),
            "p%40ss",
        ),
        ("https://user:pa@ss1@host/".to_owned(), "pa@ss1"),
        (
            format!(
                "AccountName=a;AccountKey={}==;EndpointSuffix=x",
                random(BASE64, 86, 3)
            ),
            &random(BASE64, 86, 3),
        ),
        (format!("mysql --password {value} -h db"), &value),
        (format!("curl -u admin:{value} https://host"), &value),
        (format!("client_secret={value}&grant_type=x"), &value),
    ] {
        let redacted = redact(&text);
        assert!(!redacted.contains(secret), "{text} became {redacted}");
    }
}

fn key_block(lines: usize) -> String {
    let body: String = (0..lines)
        .map(|line| random(BASE64, 64, 70 + line as u64) + "\n")
        .collect();
    format!(
        "-----BEGIN RSA PRIVATE {0}-----\n{body}-----END RSA PRIVATE {0}-----",
        "KEY"
    )
}

#[test]
fn private_keys_are_found_whole_and_cut_off() {
    let block = key_block(12);
    for text in [
        format!("before\n{block}\nafter"),
        format!("before {} after", block.replace('\n', "\\n")),
        format!(
            "before\n{}\nafter",
            block
                .lines()
                .map(|line| format!("+{line}\n"))
                .collect::<String>()
        ),
        format!(
            "before\n{}\nafter",
            block
                .lines()
                .enumerate()
                .map(|(at, line)| format!("{at:6}\t{line}\n"))
                .collect::<String>()
        ),
        format!("before\n{}", block.split("-----END").next().unwrap()),
        format!(
            "before\n{}\nthis is a sentence of the text after it\nafter",
            block.split("-----END").next().unwrap()
        ),
        format!("before\n{}\nafter", block.replace('\n', "\r\n")),
    ] {
        let redacted = redact(&text);
        for line in block.lines().filter(|line| !line.starts_with('-')) {
            assert!(!redacted.contains(line), "{redacted}");
        }
        assert!(redacted.starts_with("before"), "{redacted}");
        assert!(
            redacted.contains("after") || !text.contains("after"),
            "{redacted}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_no_secret_survives() {
    let image = random(BASE64, 6_000, 42);
    let wrapped: String = image
        .as_bytes()
        .chunks(76)
        .map(|line| format!("{}\n", std::str::from_utf8(line).unwrap()))
        .collect();
    let certificate = format!("-----BEGIN CERTIFICATE-----\n{wrapped}-----END CERTIFICATE-----\n");
    let hex = |length: usize| random(HEX, length, 8);
    let base64 = |length: usize| random(BASE64, length, 8);
    let texts = [
        format!("commit {}\nAuthor: Ana <ana@example.org>", hex(40)),
        format!("index {}..{} 100644", hex(7), hex(7)),
        format!("sha256:{}", hex(64)),
        format!("{}  ./target/file", hex(64)),
        "0196f5a2-7d2c-7c31-9f0e-2f5b7a1c9d3e".to_owned(),
        "0196F5A2-7D2C-7C31-9F0E-2F5B7A1C9D3E".to_owned(),
        format!("\"integrity\": \"sha512-{}==\"", base64(86)),
        format!("\"integrity\": \"sha256-{}=\"", base64(43)),
        format!("golang.org/x/net v0.30.0 h1:{}=", base64(43)),
        format!("SHA256:{} ana@host (ED25519)", base64(43)),
        format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} ana@host", base64(43)),
        format!("data:image/png;base64,{image}"),
        format!("<img src=\"data:image/png;base64,{}\">", image.get(..120).unwrap()),
        wrapped,
        certificate,
        format!("msg_01{}", random(ALNUM, 22, 3)),
        format!("toolu_01{}", random(ALNUM, 22, 4)),
        format!("req_011{}", random(ALNUM, 21, 5)),
        format!("chatcmpl-{}", random(ALNUM, 29, 6)),
        format!("call_{}", random(ALNUM, 24, 7)),
        format!("resp_{}", hex(48)),
        "let token = lexer.next_token();".to_owned(),
        "fn password(&self) -> Option<&str>".to_owned(),
        "password: str, token: Optional[str] = None".to_owned(),
        "password: String,".to_owned(),
        "max_tokens=4096, input_tokens: 1234567890".to_owned(),
        "\"token_count\": 12345, \"secret_name\": \"db-main\"".to_owned(),
        "if password == other.password {".to_owned(),
        "const TOKEN = process.env.GITHUB_TOKEN".to_owned(),
        "token: ${{ secrets.GITHUB_TOKEN }}".to_owned(),
        "PASSWORD=${POSTGRES_PASSWORD}".to_owned(),
        "PASSWORD=<your password>".to_owned(),
        "export OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "Authorization: Bearer $TOKEN".to_owned(),
        "the secret of a good soup is time; the token ring was slow".to_owned(),
        "postgres://app:${PASSWORD}@db/app and postgres://db:5432/app".to_owned(),
        "git@github.com:owner/repo.git https://github.com/owner/repo".to_owned(),
        "ssh://git@host.example:2222/repo.git".to_owned(),
        "src/main/java/com/example/AbstractSingletonProxyFactoryBean2Test.java".to_owned(),
        "crates/wayproof-ledger/src/query/V2ReportRowsByDayAndModelTest.rs".to_owned(),
        "test_that_a_very_long_name_of_a_test_survives_even_with_2_digits".to_owned(),
        "getUserByIdAndEmailOrPhoneNumberV2WithRetriesAndTimeoutMs".to_owned(),
        "XMLHttpRequestEventTargetPrototypeAddEventListener2Handler".to_owned(),
        "my-very-long-kebab-case-name-with-Version-2-and-More-parts".to_owned(),
        "task-1234567890123456789012345 disk-abcdefghijklmnopqrstuvwx".to_owned(),
        "s.starts_with(\"-----BEGIN RSA PRIVATE KEY-----\") // a check".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----".to_owned(),
        "https://example.org/a?utm_source=Newsletter2024&utm_campaign=SpringSale".to_owned(),
        "2026-11-30T04:16:28.123456789Z 1732939200000000000".to_owned(),
        "docker run -u 1000:1000000 image".to_owned(),
        "unix:///var/run/docker.sock http://[::1]:8080/".to_owned(),
        "Grüße aus Köln: das Passwort ist geheim 🔑".to_owned(),
    ];
    let wrong: Vec<_> = texts
        .iter()
        .filter(|text| redact(text) != text.as_str())
        .map(|text| redact(text).into_owned())
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} changed: {wrong:#?}",
        wrong.len(),
        texts.len()
    );
}

#[test]
fn names_of_json_count_and_other_bytes_stay() {
    let key = format!("ghp_{}", random(ALNUM, 36, 1));
    let id = random(ALNUM, 30, 2);
    let text = format!(
        "{{ \"password\" : \"tulip\",\n\t\"request_id\":\"{id}\", \"n\":1.50e1, \"why\":\"it said {key}\\nand \\u00e9\", \"digest\":\"{id}\" }}"
    );
    let redacted = redact_json(&text);
    assert_eq!(
        redacted,
        format!(
            "{{ \"password\" : \"[redacted:assigned-secret]\",\n\t\"request_id\":\"{id}\", \"n\":1.50e1, \"why\":\"it said [redacted:github-token]\\nand é\", \"digest\":\"{id}\" }}"
        )
    );
    let nested = format!("{{\"arguments\":\"{{\\\"token\\\":\\\"{id}\\\"}}\"}}");
    assert!(!redact_json(&nested).contains(&id));
    assert!(serde_json::from_str::<serde_json::Value>(&redact_json(&nested)).is_ok());
    for broken in [
        "",
        "\"",
        "{\"a\":\"",
        "\"\\",
        "{\"a\":\"\\ud800 secret\"}",
        "[[[[\"x",
    ] {
        assert_eq!(redact_json(broken), broken);
    }
}

fn in_pieces(text: &[u8], ends: &[usize]) -> Vec<u8> {
    let (mut stream, mut out, mut at) = (Stream::new(), Vec::new(), 0);
    let mut ends: Vec<_> = ends.iter().map(|end| end % (text.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(text.len());
    for end in ends {
        stream.push(&text[at..end], &mut out);
        at = end;
    }
    stream.finish(&mut out);
    out
}

#[test]
fn no_border_between_pieces_hides_a_secret() {
    let block = key_block(3);
    for (_, secret) in secrets(77).into_iter().chain([
        ("block", block),
        ("url", "redis://:s3cr3tPw@cache:6379".to_owned()),
    ]) {
        let text = format!("first line\nsecond {secret} end\nlast");
        let whole = redact(&text).into_owned();
        for at in 0..text.len() {
            assert_eq!(
                in_pieces(text.as_bytes(), &[at]),
                whole.as_bytes(),
                "cut at {at}"
            );
        }
        let bytes: Vec<usize> = (0..text.len()).collect();
        assert_eq!(in_pieces(text.as_bytes(), &bytes), whole.as_bytes());
    }
}

#[test]
fn a_line_without_an_end_is_bounded_and_the_same_in_any_pieces() {
    let secret = format!("ghp_{}", random(ALNUM, 36, 1));
    let text = format!(
        "{} {secret} {}",
        "word ".repeat(300_000),
        "x".repeat(1_500_000)
    );
    let whole = redact(&text);
    assert!(!whole.contains(&secret));
    assert_eq!(
        in_pieces(text.as_bytes(), &[1, 900_000, 1_048_576, 1_500_020]),
        whole.as_bytes()
    );
    let mut stream = Stream::new();
    let mut out = Vec::new();
    stream.push(text.as_bytes(), &mut out);
    assert!(
        out.len() > text.len() / 2,
        "what is sure is written at once"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_make_no_difference_and_twice_is_once(
        parts in prop::collection::vec(prop_oneof![
            "[ -~\\n]{0,40}",
            "\\PC{0,20}",
            Just("password=".to_owned()),
            Just("-----BEGIN EC PRIVATE KEY-----".to_owned()),
            Just("-----END EC PRIVATE KEY-----".to_owned()),
            Just("Authorization: Bearer ".to_owned()),
            (0..40_usize, 0..1_000_u64).prop_map(|(at, seed)| secrets(seed)[at].1.clone()),
            "[A-Za-z0-9+/]{20,80}",
        ], 0..12),
        ends in prop::collection::vec(0..4_096_usize, 0..12),
    ) {
        let text = parts.concat();
        let once = redact(&text).into_owned();
        prop_assert_eq!(in_pieces(text.as_bytes(), &ends), once.as_bytes());
        prop_assert_eq!(redact(&once), once.as_str());
        let json = serde_json::to_string(&serde_json::json!({"text": text, "list": [text]})).unwrap();
        let redacted = redact_json(&json);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&redacted).is_ok());
    }

    #[test]
    fn no_bytes_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..600), ends in prop::collection::vec(0..600_usize, 0..6)) {
        let whole = in_pieces(&bytes, &[]);
        prop_assert_eq!(in_pieces(&bytes, &ends), whole);
        let text = String::from_utf8_lossy(&bytes);
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once), once.as_str());
        drop(redact_json(&text));
    }
}
