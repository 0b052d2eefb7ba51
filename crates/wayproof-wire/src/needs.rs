//! What a request asks of whoever answers, beside words: tools, images, and what a provider keeps for it.
//!
//! It reads only what it is pointed at, so that a turn costs what is new in it. It refuses to judge: whether a model
//! can is the catalog's to know.

use std::borrow::Cow;

use memchr::memmem;

use crate::json::Json;
use crate::protocol::Protocol;
use crate::view::Request;

/// What a request continues from without bringing it along, because its provider keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// The field that names it.
    pub field: &'static str,
    /// Its id.
    pub id: Cow<'a, str>,
}

/// The fields of Responses that name what a provider keeps. The first is an answer, the second a conversation.
const KEPT: [&str; 2] = ["previous_response_id", "conversation"];

impl Request<'_> {
    /// What the request continues from and does not bring along, if there is such a thing.
    pub fn kept(&self) -> Option<Kept<'_>> {
        if self.peek.protocol != Protocol::Responses {
            return None;
        }
        KEPT.into_iter().find_map(|field| {
            let value = self.json(field)?;
            let id = value.text().or_else(|| value.get("id")?.text())?;
            Some(Kept { field, id })
        })
    }

    /// Whether its answer is to be kept by the provider, so that a later request may continue from it.
    pub fn is_to_be_kept(&self) -> bool {
        self.peek.protocol == Protocol::Responses
            && self.json("store").and_then(Json::boolean) != Some(false)
    }

    /// Whether it brings tools that the model may call.
    pub fn has_tools(&self) -> bool {
        self.json("tools")
            .is_some_and(|tools| tools.elements().next().is_some())
    }

    /// Whether one of the items from this index on shows an image.
    pub fn has_images(&self, from: usize) -> bool {
        (from..self.len())
            .filter_map(|index| self.raw_item(index))
            // Every protocol has the word where it has an image, and most items have neither.
            .filter(|item| memmem::find(item, b"image").is_some())
            .any(|item| shows_image(self.peek.protocol, Json::new(item)))
    }
}

fn shows_image(protocol: Protocol, item: Json<'_>) -> bool {
    match protocol {
        Protocol::Messages | Protocol::Chat => any_part(item.get("content")),
        Protocol::Responses => {
            let [content, output] = item.pick(["content", "output"]);
            any_part(content) || any_part(output)
        }
        Protocol::Gemini => any_blob(item.get("parts")),
        Protocol::Ollama => item
            .get("images")
            .is_some_and(|images| images.elements().next().is_some()),
        Protocol::Completions | Protocol::Fim => false,
    }
}

/// Parts that say by their type what they are; results of tools have parts of their own.
fn any_part(parts: Option<Json<'_>>) -> bool {
    let mut parts = parts.into_iter().flat_map(Json::elements);
    parts.any(
        |part| match part.get("type").and_then(Json::text).as_deref() {
            Some("image" | "image_url" | "input_image") => true,
            Some("tool_result") => any_part(part.get("content")),
            _ => false,
        },
    )
}

/// Parts that say by their media type what they are.
fn any_blob(parts: Option<Json<'_>>) -> bool {
    let mut parts = parts.into_iter().flat_map(Json::elements);
    parts.any(|part| {
        let mut fields = part.fields();
        fields.any(|(name, value)| match &*name {
            "inlineData" | "inline_data" | "fileData" | "file_data" => ["mimeType", "mime_type"]
                .into_iter()
                .find_map(|name| value.get(name)?.text())
                .is_some_and(|kind| kind.starts_with("image/")),
            "functionResponse" | "function_response" => any_blob(value.get("parts")),
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::peek::peek;
    use crate::protocol::Protocol;
    use crate::view::Request;

    #[rstest]
    #[case(
        Protocol::Messages,
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image","source":{}}]}]}"#,
        true
    )]
    #[case(
        Protocol::Messages,
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"image"}]}]}]}"#,
        true
    )]
    #[case(
        Protocol::Messages,
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"{\"type\":\"image\"}"}]}]}"#,
        false
    )]
    #[case(
        Protocol::Chat,
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#,
        true
    )]
    #[case(
        Protocol::Chat,
        r#"{"model":"m","messages":[{"role":"user","content":"an image"}]}"#,
        false
    )]
    #[case(
        Protocol::Responses,
        r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]}"#,
        true
    )]
    #[case(
        Protocol::Responses,
        r#"{"model":"m","input":[{"type":"function_call_output","output":[{"type":"input_image"}]}]}"#,
        true
    )]
    #[case(Protocol::Responses, r#"{"model":"m","input":"image"}"#, false)]
    #[case(
        Protocol::Gemini,
        r#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png"}}]}]}"#,
        true
    )]
    #[case(
        Protocol::Gemini,
        r#"{"contents":[{"parts":[{"fileData":{"mime_type":"application/pdf"}}]}]}"#,
        false
    )]
    #[case(
        Protocol::Ollama,
        r#"{"model":"m","messages":[{"role":"user","content":"","images":["AA"]}]}"#,
        true
    )]
    #[case(
        Protocol::Ollama,
        r#"{"model":"m","messages":[{"role":"user","content":"","images":[]}]}"#,
        false
    )]
    fn images_are_seen_in_every_protocol(
        #[case] protocol: Protocol,
        #[case] body: &str,
        #[case] shows: bool,
    ) {
        let peek = peek(protocol, body.as_bytes()).unwrap();
        let request = Request {
            body: body.as_bytes(),
            peek: &peek,
        };
        assert_eq!(request.has_images(0), shows);
        assert!(!request.has_images(1));
    }

    #[rstest]
    #[case(r#"{"model":"m","input":[],"previous_response_id":"resp_1"}"#, Some(("previous_response_id", "resp_1")), true)]
    #[case(r#"{"model":"m","input":[],"conversation":{"id":"conv_1"}}"#, Some(("conversation", "conv_1")), true)]
    #[case(r#"{"model":"m","input":[],"conversation":"conv_1","store":false}"#, Some(("conversation", "conv_1")), false)]
    #[case(
        r#"{"model":"m","input":[],"previous_response_id":null,"store":true,"tools":[]}"#,
        None,
        true
    )]
    #[case(
        r#"{"model":"m","input":[],"previous_response_id":7,"store":null}"#,
        None,
        true
    )]
    fn what_a_provider_keeps_is_named(
        #[case] body: &str,
        #[case] expected: Option<(&str, &str)>,
        #[case] is_to_be_kept: bool,
    ) {
        let peek = peek(Protocol::Responses, body.as_bytes()).unwrap();
        let request = Request {
            body: body.as_bytes(),
            peek: &peek,
        };
        let kept = request.kept();
        let kept = kept.as_ref().map(|kept| (kept.field, &*kept.id));
        assert_eq!(kept, expected);
        assert_eq!(request.is_to_be_kept(), is_to_be_kept);
        assert!(!request.has_tools());
    }
}
