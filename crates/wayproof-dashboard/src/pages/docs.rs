//! The glossary and the guides as they ship with the binary, readable without a network.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::frame::{Frame, page};
use crate::problem::Problem;

struct Doc {
    /// Its name in addresses.
    name: &'static str,
    /// Its place in the repository, by which others link to it.
    file: &'static str,
    group: &'static str,
    text: &'static str,
}

macro_rules! doc {
    ($name:literal, $group:literal, $file:literal) => {
        Doc {
            name: $name,
            file: $file,
            group: $group,
            text: include_str!(concat!("../../../../docs/", $file)),
        }
    };
}

static DOCS: [Doc; 13] = [
    doc!("glossary", "Concepts", "concepts/glossary.md"),
    doc!("agents", "Guides", "guide/agents.md"),
    doc!("budgets", "Guides", "guide/budgets.md"),
    doc!("dashboard", "Guides", "guide/dashboard.md"),
    doc!("gate", "Guides", "guide/gate.md"),
    doc!("ledger", "Guides", "guide/ledger.md"),
    doc!("proof", "Guides", "guide/proof.md"),
    doc!("providers", "Guides", "guide/providers.md"),
    doc!("review", "Guides", "guide/review.md"),
    doc!("scaling", "Guides", "guide/scaling.md"),
    doc!("telemetry", "Guides", "guide/telemetry.md"),
    doc!("cli", "Reference", "reference/cli.md"),
    doc!("policy", "Reference", "reference/policy.md"),
];

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    frame: Frame,
    docs: Vec<Entry>,
    title: String,
    body: String,
}

struct Entry {
    name: &'static str,
    title: String,
    group: &'static str,
    is_current: bool,
}

impl Doc {
    fn title(&self) -> String {
        let first = self.text.lines().find_map(|line| line.strip_prefix("# "));
        first.unwrap_or(self.name).to_owned()
    }
}

fn entries(current: Option<&str>) -> Vec<Entry> {
    let entries = DOCS.iter().map(|doc| Entry {
        name: doc.name,
        title: doc.title(),
        group: doc.group,
        is_current: current == Some(doc.name),
    });
    entries.collect()
}

/// All of them.
pub(crate) async fn list(frame: Frame) -> Result<Response, Problem> {
    std::future::ready(page(&DocsPage {
        frame,
        docs: entries(None),
        title: "Docs".to_owned(),
        body: String::new(),
    }))
    .await
}

/// One of them.
pub(crate) async fn show(Path(name): Path<String>, frame: Frame) -> Result<Response, Problem> {
    let found = DOCS.iter().find(|doc| doc.name == name).ok_or_else(|| {
        Problem::new(
            axum::http::StatusCode::NOT_FOUND,
            "Not found",
            "There is no such document here.",
        )
    });
    let doc = std::future::ready(found).await?;
    page(&DocsPage {
        frame,
        docs: entries(Some(doc.name)),
        title: doc.title(),
        body: rendered(doc.text),
    })
}

/// Markdown as HTML. Markup in it is text, links lead to other documents here or out of the gateway.
fn rendered(text: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events = Parser::new_ext(text, options).map(|event| match event {
        Event::Html(words) | Event::InlineHtml(words) => Event::Text(words),
        Event::Start(Tag::Link {
            link_type,
            dest_url,
            title,
            id,
        }) => Event::Start(Tag::Link {
            link_type,
            dest_url: target(&dest_url),
            title,
            id,
        }),
        other => other,
    });
    let mut events: Vec<Event<'_>> = events.collect();
    name_headings(&mut events);
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    // What scrolls sideways can be reached by keyboard.
    out.replace("<pre>", "<pre tabindex=\"0\">")
        .replace(
            "<table>",
            "<div class=\"scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>",
        )
        .replace("</table>", "</table></div>")
}

/// Gives each heading the name that links to it use, as forges do.
fn name_headings(events: &mut [Event<'_>]) {
    // The page around the document has this one.
    let mut taken = BTreeSet::from(["main".to_owned()]);
    let mut names = headings(events)
        .into_iter()
        .map(|words| {
            let name = anchor(&words);
            let numbered = (1..).map(|number| format!("{name}-{number}"));
            let mut free = std::iter::once(name.clone())
                .chain(numbered)
                .filter(|name| !taken.contains(name));
            let name = free.next().unwrap_or(name);
            taken.insert(name.clone());
            name
        })
        .collect::<Vec<_>>()
        .into_iter();
    for event in events {
        if let Event::Start(Tag::Heading { id, .. }) = event {
            *id = names.next().map(CowStr::from);
        }
    }
}

/// The words of each heading.
fn headings(events: &[Event<'_>]) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None);
    for event in events {
        match event {
            Event::Start(Tag::Heading { .. }) => open = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => found.extend(open.take()),
            Event::Text(words) | Event::Code(words) => {
                if let Some(open) = &mut open {
                    open.push_str(words);
                }
            }
            _ => {}
        }
    }
    found
}

/// Words as the name of a place: small letters, digits, and hyphens for spaces.
fn anchor(words: &str) -> String {
    let small = words.trim().chars().flat_map(char::to_lowercase);
    let kept = small.filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

fn target(link: &str) -> CowStr<'static> {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return link.to_owned().into();
    }
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    let name = file.rsplit('/').next().unwrap_or_default();
    let doc = DOCS
        .iter()
        .find(|doc| doc.file.ends_with(&format!("/{name}")) && !name.is_empty());
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("#{place}")
    };
    doc.map_or_else(
        || "/docs".to_owned(),
        |doc| format!("/docs/{}{place}", doc.name),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_document_is_text_and_links_stay_inside() {
        let html = rendered(
            "# A\n\n<script>x</script>\n\n[b](../guide/agents.md#x) [c](javascript:alert(1))\n\n|a|\n|-|\n|b|\n",
        );
        assert!(
            !html.contains("<script") && !html.contains("javascript:"),
            "{html}"
        );
        assert!(
            html.contains("href=\"/docs/agents#x\"") && html.contains("tabindex=\"0\"><table>"),
            "{html}"
        );
    }

    #[test]
    fn headings_are_named_as_links_name_them() {
        let html = rendered("# A `b` c: d!\n\n## Main\n\n## Twice\n\n## Twice\n");
        for id in ["a-b-c-d", "main-1", "twice", "twice-1"] {
            assert!(html.contains(&format!(" id=\"{id}\">")), "{id}: {html}");
        }
    }

    #[test]
    fn every_link_between_documents_leads_to_a_place() {
        let pages: Vec<(String, String)> = DOCS
            .iter()
            .map(|doc| (format!("/docs/{}", doc.name), rendered(doc.text)))
            .collect();
        let mut seen = 0;
        for (path, html) in &pages {
            for link in html.split("href=\"").skip(1) {
                let link = link.split('"').next().unwrap();
                let Some((page, place)) = link.split_once('#') else {
                    continue;
                };
                let page = if page.is_empty() { path } else { page };
                let Some((_, html)) = pages.iter().find(|(path, _)| path == page) else {
                    continue;
                };
                seen += 1;
                let place = format!(" id=\"{place}\"");
                assert!(html.contains(&place), "{path} links to {link}");
            }
        }
        assert!(seen > 5, "{seen}");
    }

    #[test]
    fn every_document_has_a_title_and_renders() {
        for doc in &DOCS {
            assert!(doc.text.starts_with("# "), "{}", doc.name);
            assert!(rendered(doc.text).len() > doc.text.len() / 2);
        }
    }
}
