//! Stored hostile text: whatever a model, a tool or a repository says, it is shown and never read as markup.

use axum::http::StatusCode;

use crate::markup::{is_tame, kinds};
use crate::stage::Stage;
use crate::story::{Words, tell};

/// More than a hundred ways in: elements, attributes, addresses, encodings, templates, headers, reordering.
pub(crate) const PAYLOADS: [&str; 110] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script\n>alert(1)</script\n>",
    "<script/src=data:,alert(1)>",
    "</script><script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:alert(1)><text y=9>x</text></a></svg>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    "<math><mi xlink:href=javascript:alert(1)>x",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)//",
    "<IMG \"\"\"><SCRIPT>alert(1)</SCRIPT>\">",
    "<img/src/onerror=alert(1)>",
    "<img src=`x`onerror=alert(1)>",
    "<image src=x onerror=alert(1)>",
    "<body onload=alert(1)>",
    "<body/onpageshow=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc=\"<script>alert(1)</script>\">",
    "<iframe onload=alert(1)>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<applet code=x>",
    "<base href=//evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<link rel=import href=//evil.example>",
    "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
    "<meta http-equiv=set-cookie content=a=b>",
    "<style>@import '//evil.example/x.css';</style>",
    "<style>*{background:url(//evil.example)}</style>",
    "<div style=background:url(javascript:alert(1))>",
    "<div style=\"width:expression(alert(1))\">",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<keygen autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<video src=x onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<form action=javascript:alert(1)><input type=submit>",
    "<button formaction=javascript:alert(1)>x",
    "<isindex action=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href=\"java\tscript:alert(1)\">x</a>",
    "<a href=\"&#106;avascript:alert(1)\">x</a>",
    "<a href=\"jav&#x0A;ascript:alert(1)\">x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<a onmouseover=alert(1)>x</a>",
    "<xss onclick=alert(1) tabindex=1>",
    "<table background=javascript:alert(1)>",
    "<td background=x onerror=alert(1)>",
    "<frameset onload=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<title></title><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</code></pre><script>alert(1)</script>",
    "</main></body></html><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml-stylesheet href=javascript:alert(1)?>",
    "<!DOCTYPE x [<!ENTITY e \"<script>alert(1)</script>\">]>&e;",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "`><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "\" autofocus onfocus=alert(1) x=\"",
    "x onclick=alert(1)",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "/\\evil.example",
    "{{7*7}}",
    "{% raw %}{{ config }}{% endraw %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{constructor.constructor('alert(1)')()}}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\u{ff1c}script\u{ff1e}alert(1)\u{ff1c}/script\u{ff1e}",
    "<scri\0pt>alert(1)</scri\0pt>",
    "<\0script>alert(1)</script>",
    "<img src=x hx-get=/x hx-trigger=load>",
    "<div hx-on:click=alert(1) hx-sse:connect=//evil.example>",
    "<div data-hx-get=//evil.example hx-trigger='load[alert(1)]'>",
    "main\u{202e}gnp.exe",
    "a\u{200b}b\u{2066}c\u{2069}\u{feff}",
    "x\r\nset-cookie: a=b\r\n\r\n<script>alert(1)</script>",
    "event: x\ndata: <script>alert(1)</script>\n\n",
    "'; DROP TABLE jobs; --",
    "a' OR '1'='1",
    "<script>alert(1)<!-- --!><img src=x onerror=alert(2)>",
];

/// Every page that shows what was recorded.
fn paths(job: &str, exchange: &str, receipt: &str) -> Vec<String> {
    let job: String = form_urlencoded::byte_serialize(job.as_bytes()).collect();
    let job = job.replace('+', "%20");
    [
        "/",
        "/jobs",
        "/receipts",
        "/spend?one=agent&two=repo",
        "/spend?one=task&two=model",
        "/policy",
        "/models",
        "/status",
        "/connect",
        "/settings",
    ]
    .into_iter()
    .map(str::to_owned)
    .chain([
        format!("/jobs/{job}"),
        format!("/exchanges/{exchange}"),
        format!("/receipts/{receipt}"),
        format!("/receipts/{receipt}/page"),
    ])
    .collect()
}

#[tokio::test]
async fn hostile_text_is_shown_and_never_read() {
    assert!(PAYLOADS.len() >= 100);
    let benign = Stage::new().await;
    let words = Words::all("a-plain-job", "plain");
    let left = tell(&benign.ledger, &words).await;
    // A list that is long enough gets a link to its next page.
    let mut known = std::collections::BTreeSet::from(["a rel".to_owned()]);
    for path in paths(&words.job, &left.exchange, &left.receipt) {
        known.extend(kinds(&benign.get(&path).await.text));
    }
    let stage = Stage::new().await;
    for (number, payload) in PAYLOADS.iter().enumerate() {
        // Ids of jobs come from agents too; each is hostile and its own.
        let id = format!("{number}{}", payload.replace('\0', ""));
        let words = Words::all(&id, payload);
        let left = tell(&stage.ledger, &words).await;
        for path in paths(&words.job, &left.exchange, &left.receipt) {
            let seen = stage.get(&path).await;
            assert_eq!(
                seen.status,
                StatusCode::OK,
                "{payload:?} {path}: {}",
                seen.text
            );
            let is_document = path.ends_with("/page");
            if !is_document {
                is_tame(&path, &seen.text);
            }
            let strange: Vec<_> = kinds(&seen.text).difference(&known).cloned().collect();
            assert!(strange.is_empty(), "{payload:?} {path}: {strange:?}");
            let unseen = seen
                .text
                .contains(['\0', '\u{202e}', '\u{200b}', '\u{2066}', '\u{feff}']);
            assert!(
                !unseen,
                "{payload:?} {path}: a character that cannot be seen"
            );
        }
    }
}

#[tokio::test]
async fn hostile_words_in_addresses_and_forms_come_back_as_text() {
    let stage = Stage::new().await;
    let mut known = std::collections::BTreeSet::new();
    for path in [
        "/jobs?q=a&task=a&agent=a&repo=a",
        "/receipts?q=a",
        "/models?q=a",
        "/spend?one=a",
        "/jobs/a",
        "/docs/a",
        "/receipts/a",
    ] {
        known.extend(kinds(&stage.get(path).await.text));
    }
    for payload in PAYLOADS {
        let word: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        for path in [
            format!(
                "/jobs?q={word}&task={word}&class={word}&verdict={word}&agent={word}&repo={word}&since={word}&sort={word}&seq={word}"
            ),
            format!("/receipts?q={word}&before={word}"),
            format!("/models?q={word}&from={word}"),
            format!("/spend?one={word}&two={word}&days={word}"),
            format!("/jobs/{}", word.replace('+', "%20")),
            format!("/docs/{}", word.replace('+', "%20")),
            format!("/receipts/{}", word.replace('+', "%20")),
        ] {
            let seen = stage.get(&path).await;
            assert!(seen.status.as_u16() < 500, "{path}: {}", seen.status);
            is_tame(&path, &seen.text);
            let strange: Vec<_> = kinds(&seen.text).difference(&known).cloned().collect();
            assert!(strange.is_empty(), "{payload:?} {path}: {strange:?}");
        }
    }
}
