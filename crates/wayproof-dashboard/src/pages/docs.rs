//! The glossary and the guides as they ship with the binary, readable without a network.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};

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
    let mut out = String::new();
    html::push_html(&mut out, events);
    // What scrolls sideways can be reached by keyboard.
    out.replace("<pre>", "<pre tabindex=\"0\">")
        .replace(
            "<table>",
            "<div class=\"scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>",
        )
        .replace("</table>", "</table></div>")
}

fn target(link: &str) -> CowStr<'static> {
    if link.starts_with("https://") || link.starts_with("http://") || link.starts_with('#') {
        return link.to_owned().into();
    }
    let file = link.split('#').next().unwrap_or_default();
    let name = file.rsplit('/').next().unwrap_or_default();
    let doc = DOCS
        .iter()
        .find(|doc| doc.file.ends_with(&format!("/{name}")) && !name.is_empty());
    doc.map_or_else(|| "/docs".to_owned(), |doc| format!("/docs/{}", doc.name))
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
            html.contains("href=\"/docs/agents\"") && html.contains("tabindex=\"0\"><table>"),
            "{html}"
        );
    }

    #[test]
    fn every_document_has_a_title_and_renders() {
        for doc in &DOCS {
            assert!(doc.text.starts_with("# "), "{}", doc.name);
            assert!(rendered(doc.text).len() > doc.text.len() / 2);
        }
    }
}
