//! A small tree of an XML document. It refuses document types (and with them entities), deep nesting and crowds.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::builder::BYTE_LIMIT;

/// The deepest nesting.
const DEPTH_LIMIT: usize = 64;
/// The most elements.
const ELEMENT_LIMIT: usize = 1_000_000;
/// The most bytes of text kept for one element.
const TEXT_LIMIT: usize = 64 << 10;

/// An element with what is in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
    pub(crate) comments: Vec<String>,
}

impl Element {
    /// Gives an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Gives the first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads a document; gives what could be read and, when it is not whole, why.
pub(crate) fn read(bytes: &[u8]) -> (Element, Option<String>) {
    let text =
        String::from_utf8_lossy(bytes.get(..bytes.len().min(BYTE_LIMIT)).unwrap_or_default());
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let mut tree = Tree {
        open: vec![Element::default()],
        elements: 0,
    };
    let problem = loop {
        match reader.read_event() {
            Ok(Event::Eof) if tree.open.len() == 1 => break None,
            Ok(Event::Eof) => break Some("the XML ends in the middle".to_owned()),
            Ok(event) => {
                if let Err(problem) = tree.take(event) {
                    break Some(problem);
                }
            }
            Err(error) => break Some(format!("the XML is malformed: {error}")),
        }
    };
    while tree.open.len() > 1 {
        tree.close();
    }
    (tree.open.pop().unwrap_or_default(), problem)
}

/// The elements that are open, outermost first; the first one is the document.
struct Tree {
    open: Vec<Element>,
    elements: usize,
}

impl Tree {
    /// Takes the next piece of the document.
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => self.start(&start)?,
            Event::Empty(start) => {
                self.start(&start)?;
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => self.text(character.encode_utf8(&mut [0; 4])),
                Ok(None) | Err(_) => self.text(named(&reference.xml10_content())),
            },
            Event::Comment(comment) => {
                if let Some(element) = self.open.last_mut() {
                    element.comments.push(
                        super::builder::cut(comment.xml10_content().trim(), TEXT_LIMIT).to_owned(),
                    );
                }
            }
            Event::DocType(_) => return Err("the XML declares a document type".to_owned()),
            Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    /// Opens an element.
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        self.elements += 1;
        if self.elements > ELEMENT_LIMIT {
            return Err(format!("the XML has more than {ELEMENT_LIMIT} elements"));
        }
        if self.open.len() > DEPTH_LIMIT {
            return Err(format!("the XML is nested deeper than {DEPTH_LIMIT}"));
        }
        let mut element = Element {
            name: start.local_name().as_ref().to_owned(),
            ..Element::default()
        };
        for attribute in start.attributes().with_checks(false).flatten() {
            let value = quick_xml::escape::unescape(&attribute.value).unwrap_or_default();
            let value = super::builder::cut(&value, TEXT_LIMIT).to_owned();
            element
                .attributes
                .push((attribute.key.local_name().as_ref().to_owned(), value));
        }
        self.open.push(element);
        Ok(())
    }

    /// Closes the innermost element.
    fn close(&mut self) {
        if self.open.len() < 2 {
            return;
        }
        if let (Some(element), Some(parent)) = (self.open.pop(), self.open.last_mut()) {
            parent.children.push(element);
        }
    }

    /// Adds text to the innermost element.
    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            let room = TEXT_LIMIT.saturating_sub(element.text.len());
            element.text.push_str(super::builder::cut(text, room));
        }
    }
}

/// Gives the character of a predefined entity; another one stands for nothing.
fn named(entity: &str) -> &'static str {
    match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}
