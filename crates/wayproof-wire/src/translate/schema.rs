//! Gemini's own schemas name their types in capitals; everybody else wants JSON Schema.

use std::borrow::Cow;

use crate::json::Json;
use crate::translate::out::Out;

/// The kinds of a schema in Gemini's spelling.
const TYPES: [(&[u8], &str); 7] = [
    (b"STRING", "string"),
    (b"NUMBER", "number"),
    (b"INTEGER", "integer"),
    (b"BOOLEAN", "boolean"),
    (b"ARRAY", "array"),
    (b"OBJECT", "object"),
    (b"NULL", "null"),
];

/// How deep schemas are followed; what is deeper stays as it is.
const DEPTH: u32 = 64;

/// The schema with its types in lower case.
pub(crate) fn lower_types(schema: Json<'_>) -> Cow<'_, [u8]> {
    let has_capitals = TYPES.iter().any(|(upper, _)| {
        let mut quoted = vec![b'"'];
        quoted.extend_from_slice(upper);
        quoted.push(b'"');
        memchr::memmem::find(schema.bytes(), &quoted).is_some()
    });
    if !has_capitals {
        return Cow::Borrowed(schema.bytes());
    }
    let mut out = Out::with_capacity(schema.bytes().len());
    write(schema, &mut out, DEPTH);
    Cow::Owned(out.into_bytes())
}

fn write(value: Json<'_>, out: &mut Out, depth: u32) {
    if depth == 0 || !(value.is_object() || value.is_array()) {
        out.raw(value.bytes());
    } else if value.is_array() {
        out.array(|out| {
            for element in value.elements() {
                write(element, out, depth - 1);
            }
        });
    } else {
        out.object(|out| {
            for (key, value) in value.fields() {
                out.key(&crate::translate::out::escaped(&key));
                let lower = (key == "type")
                    .then(|| value.inside())
                    .flatten()
                    .and_then(|word| TYPES.iter().find(|(upper, _)| *upper == word));
                match lower {
                    Some((_, lower)) => out.word(lower),
                    None => write(value, out, depth - 1),
                }
            }
        });
    }
}
