//! Secrets whose makers give them a form of their own: what they begin with, what they are written in, how long they are.
//!
//! The table is our own, from what the makers document. A form that is shared with harmless identifiers is not in it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use memchr::memmem;

use crate::text::{Found, begins_word, byte, is_base64, is_word, piece, run};

/// What the part after the prefix is written in.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_` and `-`.
    Url,
    /// The same and `.`, `+`, `/`, `=`.
    Wide,
    /// Hexadecimal digits.
    Hex,
    /// Capitals and digits.
    Upper,
}

impl Body {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Url => is_word(byte) || byte == b'-',
            Self::Wide => is_base64(byte) || matches!(byte, b'.' | b'='),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        }
    }
}

/// How a secret is written.
#[derive(Debug, Clone, Copy)]
struct Form {
    kind: &'static str,
    prefix: &'static str,
    body: Body,
    least: usize,
    /// Beyond this it is something else.
    most: usize,
}

const fn form(kind: &'static str, prefix: &'static str, body: Body, least: usize) -> Form {
    Form {
        kind,
        prefix,
        body,
        least,
        most: 4096,
    }
}

const fn exact(kind: &'static str, prefix: &'static str, body: Body, length: usize) -> Form {
    Form {
        kind,
        prefix,
        body,
        least: length,
        most: length,
    }
}

use Body::{Alnum, Hex, Upper, Url, Wide};

static FORMS: &[Form] = &[
    // Who serves models.
    form("anthropic-key", "sk-ant-", Url, 20),
    form("openai-key", "sk-proj-", Url, 20),
    form("openai-key", "sk-svcacct-", Url, 20),
    form("openai-key", "sk-admin-", Url, 20),
    form("openrouter-key", "sk-or-", Url, 20),
    form("langfuse-key", "sk-lf-", Url, 20),
    form("provider-key", "sk-", Alnum, 20),
    exact("google-key", "AIza", Url, 35),
    form("google-key", "AQ.Ab", Url, 30),
    form("google-token", "ya29.", Wide, 20),
    form("google-secret", "GOCSPX-", Url, 20),
    form("groq-key", "gsk_", Alnum, 30),
    form("xai-key", "xai-", Alnum, 40),
    form("perplexity-key", "pplx-", Alnum, 40),
    form("nvidia-key", "nvapi-", Url, 40),
    form("hugging-face-token", "hf_", Alnum, 30),
    form("hugging-face-token", "api_org_", Alnum, 30),
    form("replicate-token", "r8_", Alnum, 30),
    form("fireworks-key", "fw_", Alnum, 20),
    form("together-key", "tgp_v1_", Url, 30),
    form("cerebras-key", "csk-", Alnum, 30),
    form("wayproof-key", "wp_key_", Url, 24),
    form("wayproof-key", "wp_job_", Url, 24),
    // Clouds.
    exact("aws-access-key", "AKIA", Upper, 16),
    exact("aws-access-key", "ASIA", Upper, 16),
    exact("aws-access-key", "ABIA", Upper, 16),
    exact("aws-access-key", "ACCA", Upper, 16),
    form("aws-bedrock-key", "ABSK", Wide, 100),
    form("digitalocean-token", "dop_v1_", Hex, 64),
    form("digitalocean-token", "doo_v1_", Hex, 64),
    form("digitalocean-token", "dor_v1_", Hex, 64),
    form("cloudflare-key", "v1.0-", Url, 100),
    form("vault-token", "hvs.", Url, 24),
    form("vault-token", "hvb.", Url, 24),
    form("pulumi-token", "pul-", Hex, 40),
    form("fly-token", "fo1_", Url, 40),
    form("fly-token", "fm2_", Wide, 60),
    form("databricks-token", "dapi", Hex, 32),
    form("grafana-token", "glc_", Wide, 32),
    form("grafana-token", "glsa_", Url, 32),
    form("new-relic-key", "NRAK-", Upper, 27),
    form("sentry-token", "sntrys_", Wide, 40),
    form("sentry-token", "sntryu_", Hex, 64),
    form("planetscale-token", "pscale_tkn_", Wide, 30),
    form("planetscale-token", "pscale_pw_", Wide, 30),
    form("supabase-token", "sbp_", Hex, 40),
    form("supabase-key", "sb_secret_", Url, 20),
    // Forges and registries.
    form("github-token", "ghp_", Alnum, 30),
    form("github-token", "gho_", Alnum, 30),
    form("github-token", "ghu_", Alnum, 30),
    form("github-token", "ghs_", Wide, 30),
    form("github-token", "ghr_", Alnum, 30),
    form("github-token", "github_pat_", Url, 36),
    form("gitlab-token", "glpat-", Wide, 20),
    form("gitlab-token", "gldt-", Url, 20),
    form("gitlab-token", "glrt-", Wide, 20),
    form("gitlab-token", "glptt-", Hex, 40),
    form("gitlab-token", "glcbt-", Url, 20),
    form("gitlab-token", "glsoat-", Url, 20),
    form("gitlab-token", "glft-", Url, 20),
    form("gitlab-token", "glimt-", Url, 20),
    form("gitlab-token", "glagent-", Url, 40),
    form("atlassian-token", "ATATT3", Wide, 40),
    form("atlassian-token", "ATCTT3", Wide, 40),
    form("bitbucket-token", "ATBB", Wide, 28),
    form("npm-token", "npm_", Alnum, 36),
    form("pypi-token", "pypi-AgE", Url, 50),
    exact("crates-token", "cio", Alnum, 32),
    form("rubygems-token", "rubygems_", Hex, 48),
    form("docker-token", "dckr_pat_", Url, 20),
    form("docker-token", "dckr_oat_", Url, 20),
    // Talk, mail, money, the rest.
    form("slack-token", "xoxb-", Url, 16),
    form("slack-token", "xoxp-", Url, 16),
    form("slack-token", "xoxa-", Url, 16),
    form("slack-token", "xoxr-", Url, 16),
    form("slack-token", "xoxs-", Url, 16),
    form("slack-token", "xoxc-", Url, 16),
    form("slack-token", "xoxd-", Wide, 16),
    form("slack-token", "xoxe.", Wide, 16),
    form("slack-token", "xapp-", Url, 16),
    form("slack-webhook", "hooks.slack.com/services/", Wide, 20),
    form("slack-webhook", "hooks.slack.com/workflows/", Wide, 20),
    form("discord-webhook", "discord.com/api/webhooks/", Wide, 40),
    form("discord-webhook", "discordapp.com/api/webhooks/", Wide, 40),
    form("stripe-key", "sk_live_", Alnum, 16),
    form("stripe-key", "sk_test_", Alnum, 16),
    form("stripe-key", "rk_live_", Alnum, 16),
    form("stripe-key", "rk_test_", Alnum, 16),
    form("webhook-secret", "whsec_", Wide, 20),
    form("sendgrid-key", "SG.", Wide, 40),
    form("mailchimp-key", "md-", Url, 22),
    form("twilio-key", "SK", Hex, 32),
    form("shopify-token", "shpat_", Hex, 32),
    form("shopify-token", "shpss_", Hex, 32),
    form("shopify-token", "shpca_", Hex, 32),
    form("square-token", "sq0atp-", Url, 22),
    form("square-token", "sq0csp-", Url, 40),
    form("linear-key", "lin_api_", Alnum, 32),
    form("notion-token", "ntn_", Alnum, 40),
    form("figma-token", "figd_", Url, 30),
    form("postman-key", "PMAK-", Url, 50),
    form("posthog-key", "phx_", Alnum, 40),
    form("telegram-token", "/bot", Wide, 40),
    form("age-key", "AGE-SECRET-KEY-1", Upper, 50),
    form("1password-token", "ops_eyJ", Wide, 100),
    form("private-key", "b3BlbnNzaC1rZXktdjE", Wide, 100),
];

static PREFIXES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let prefixes = FORMS.iter().map(|form| form.prefix);
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::Standard)
        .build(prefixes)
        .ok()
});

/// What is longer than the part that makes a token of a web login.
const TOKEN: &str = "eyJ";

/// Finds every secret that has a form of its own.
pub(crate) fn find(line: &[u8], found: &mut Vec<Found>) {
    if let Some(prefixes) = PREFIXES.as_ref() {
        for hit in prefixes.find_overlapping_iter(line) {
            let Some(form) = FORMS.get(hit.pattern().as_usize()) else {
                continue;
            };
            found.extend(form.at(line, hit.start()));
        }
    }
    find_tokens(line, found);
}

impl Form {
    fn at(&self, line: &[u8], start: usize) -> Option<Found> {
        let is_path = self.prefix.starts_with('/') || self.prefix.contains(".com/");
        if !is_path && !begins_word(line, start) {
            return None;
        }
        let from = start + self.prefix.len();
        let end = run(line, from, |byte| self.body.has(byte));
        let body = piece(line, from..end);
        // What ends a sentence is no part of it.
        let body = body.strip_suffix(b".").unwrap_or(body);
        let end = from + body.len();
        let is_long = body.len() >= self.least && body.len() <= self.most;
        let goes_on = byte(line, end).is_some_and(is_word);
        if !is_long || goes_on || is_made_up(body) {
            return None;
        }
        // A short prefix is also what words begin with.
        let is_word_like = self.prefix.len() < 5
            && body.iter().any(u8::is_ascii_lowercase)
            && !body.iter().any(u8::is_ascii_digit);
        let has_letters = body.iter().any(u8::is_ascii_alphabetic);
        (has_letters && !is_word_like).then(|| Found::new(self.kind, start..end))
    }
}

/// `sk-xxxxxxxxxxxxxxxxxxxx` and the like stand in documents and are nobody's.
fn is_made_up(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    for byte in body {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() < 5
}

/// Finds JSON Web Tokens: three parts with points between them, the first of which begins a JSON object.
fn find_tokens(line: &[u8], found: &mut Vec<Found>) {
    let wanted = TOKEN.as_bytes();
    let mut at = 0;
    while let Some(offset) = memmem::find(piece(line, at..line.len()), wanted) {
        let start = at + offset;
        at = start + wanted.len();
        if !begins_word(line, start) {
            continue;
        }
        let mut end = start;
        let mut parts = 0;
        loop {
            let stop = run(line, end, |byte| Url.has(byte));
            let is_signature = parts == 2;
            if stop - end < if is_signature { 16 } else { 10 } {
                break;
            }
            parts += 1;
            end = stop;
            if parts == 3 || byte(line, end) != Some(b'.') {
                break;
            }
            end += 1;
        }
        if parts == 3 {
            found.push(Found::new("web-token", start..end));
            at = end;
        }
    }
}
