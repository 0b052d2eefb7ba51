//! G8: code that nobody can read, because it is run from a text that has to be decoded first.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::{Finding, Severity};

use super::{Scene, added_numbers, finding, speaks_of, without_tests};
use crate::code::{Code, Kind, Token};

/// Calls that run a text.
const RUNS: &[&str] = &[
    "exec",
    "eval",
    "Function",
    "runInThisContext",
    "runInNewContext",
    "instance_eval",
    "class_eval",
    "create_function",
    "import_module",
    "loads",
];
/// Calls that make a text of another.
const DECODES: &[&str] = &[
    "b64decode",
    "a85decode",
    "b85decode",
    "unhexlify",
    "fromhex",
    "decompress",
    "decode64",
    "strict_decode64",
    "base64_decode",
    "gzinflate",
    "gzuncompress",
    "hex2bin",
    "str_rot13",
    "atob",
    "fromCharCode",
    "unescape",
    "rot13",
    "rot_13",
    "unpack1",
];
/// Encodings that are named in a text.
const ENCODINGS: &[&str] = &["base64", "hex", "rot13", "rot_13"];

/// Looks for them: a line that the change adds runs something, and decodes it on the line or on one beside it.
pub(super) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    scene
        .sources()
        .filter(|change| speaks_of(change, RUNS))
        .filter_map(|change| {
            let source = without_tests(change);
            let text = source.after.as_deref()?;
            let code = Code::read(&change.path, text)?;
            let added: BTreeSet<u32> = added_numbers(&source);
            let line = veiled(&code, &added)?;
            let what = "the source runs code that it decodes first, so nobody can read it";
            Some(finding(
                "G8",
                Severity::High,
                &change.path,
                Some(line),
                what,
            ))
        })
        .collect()
}

fn veiled(code: &Code<'_>, added: &BTreeSet<u32>) -> Option<u32> {
    const NEAR: u32 = 3;
    let new = || {
        let tokens = code.tokens.iter().enumerate();
        tokens.filter(|(_, token)| added.contains(&token.line))
    };
    let decodes = |token: &Token<'_>| match token.kind {
        Kind::Word => DECODES.contains(&token.text),
        Kind::Text => ENCODINGS.contains(&token.text),
        Kind::Number | Kind::Sign => false,
    };
    let lines: BTreeSet<u32> = new()
        .filter(|(_, token)| decodes(token))
        .map(|(_, token)| token.line)
        .collect();
    let mut runs = new().filter(|(at, token)| {
        let is_loader = token.text == "loads";
        let of_objects = || {
            at.checked_sub(2)
                .and_then(|at| code.at(at))
                .is_some_and(|owner| matches!(owner.text, "marshal" | "pickle" | "dill"))
        };
        // `pattern.exec(text)` looks for something.
        let is_search = token.text == "exec" && code.is_member(*at);
        token.kind == Kind::Word
            && RUNS.contains(&token.text)
            && code.is_called(*at)
            && !is_search
            && (!is_loader || of_objects())
    });
    runs.find_map(|(_, token)| {
        let near = token.line.saturating_sub(NEAR)..=token.line + NEAR;
        lines.range(near).next().map(|_| token.line)
    })
}

#[cfg(test)]
mod tests {
    use super::look;
    use crate::gaming::tests::scene_of;

    #[test]
    fn decoded_code_is_seen_and_decoded_data_is_not() {
        let count = |path: &str, text: &str| scene_of("bug-fix", path, "", text, look).len();
        for (path, text) in [
            ("a.py", "exec(base64.b64decode(\"aWYgMToK\"))\n"),
            ("a.py", "code = bytes.fromhex(\"6966\")\nexec(code)\n"),
            ("a.py", "run = marshal.loads(zlib.decompress(blob))\n"),
            ("a.js", "value = eval(atob('MTA='))\n"),
            (
                "a.js",
                "new Function(Buffer.from('MTA=', 'base64').toString())()\n",
            ),
            ("a.rb", "eval(Base64.decode64('MTA='))\n"),
            ("a.php", "<?php\neval(base64_decode('MTA='));\n"),
        ] {
            assert_eq!(count(path, text), 1, "{text}");
        }
        for (path, text) in [
            ("a.py", "data = json.loads(base64.b64decode(text))\n"),
            ("a.py", "exec(compile(source, name, 'exec'))\n"),
            (
                "a.js",
                "const bytes = atob(text)\nconst found = pattern.exec(text)\n",
            ),
            ("a.js", "const text = Buffer.from(body, 'base64')\n"),
        ] {
            assert_eq!(count(path, text), 0, "{text}");
        }
    }
}
