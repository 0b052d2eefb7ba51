//! Samples of code in a document: whether they are well-formed in their language, in the sandbox where a tool has to say.
//!
//! It refuses to run them: what a sample does needs a world that the document does not describe.

use wayproof_receipt::predicate::{Check, CheckKind, CheckResult, Side};

use super::markdown::Block;
use crate::{
    row::Case,
    run::{Command, Trouble},
};

/// What became of one sample.
#[derive(Debug)]
pub(crate) enum Sample {
    /// It is well-formed, or no code at all.
    Good(Option<Check>),
    /// It is not, in the words of whoever said so.
    Bad(String, Option<Check>),
    /// Nobody here can say.
    Unchecked,
}

/// Looks at one sample.
pub(crate) fn check(case: &Case<'_>, block: &Block<'_>) -> Result<Sample, Trouble> {
    let info = block.sample.as_deref().unwrap_or_default();
    let language = info
        .split([',', ' ', '{'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_left_out = info
        .split([',', ' ', '{', '}'])
        .any(|word| matches!(word, "ignore" | "compile_fail"));
    let text = block.text();
    if is_left_out || text.trim().is_empty() {
        return Ok(Sample::Good(None));
    }
    if text.contains('\u{2026}') || text.lines().any(|line| line.trim() == "...") {
        // Something is left out for the reader, so it is not meant to be whole.
        return Ok(Sample::Unchecked);
    }
    match language.as_str() {
        "json" => Ok(said(
            serde_json::from_str::<serde_json::Value>(&text)
                .err()
                .map(|error| error.to_string()),
        )),
        "toml" => Ok(said(
            text.parse::<toml::Table>()
                .err()
                .map(|error| error.message().to_owned()),
        )),
        "rust" | "rs" => Ok(said(rust(&text))),
        "python" | "py" | "python3" => python(case, &text),
        "javascript" | "js" | "mjs" => node(case, &text),
        "go" => go(case, &text),
        "sh" | "bash" | "shell" => shell(case, &text),
        "yaml" | "yml" => yaml(case, &text),
        "" | "text" | "txt" | "console" | "plain" | "diff" | "markdown" | "md" | "mermaid"
        | "gitignore" | "csv" | "http" | "output" => Ok(Sample::Good(None)),
        _ => Ok(Sample::Unchecked),
    }
}

fn said(problem: Option<String>) -> Sample {
    match problem {
        None => Sample::Good(None),
        Some(problem) => Sample::Bad(problem, None),
    }
}

/// Items, or what stands inside a function; lines that rustdoc hides are code, too.
fn rust(text: &str) -> Option<String> {
    let shown: Vec<&str> = text
        .lines()
        .map(|line| {
            let trimmed = line.trim_start();
            if trimmed == "#" {
                ""
            } else {
                trimmed.strip_prefix("# ").unwrap_or(line)
            }
        })
        .collect();
    let text = shown.join("\n");
    let inside = format!("async fn sample() {{\n{text}\n}}");
    match (syn::parse_file(&text), syn::parse_file(&inside)) {
        (Ok(_), _) | (_, Ok(_)) => None,
        (Err(error), Err(_)) => Some(error.to_string()),
    }
}

fn python(case: &Case<'_>, text: &str) -> Result<Sample, Trouble> {
    let script = "import ast, sys\nast.parse(open(sys.argv[1], encoding='utf-8').read(), 'sample')";
    if text.lines().any(|line| line.starts_with(">>> ")) {
        // What was typed, without what was answered.
        let typed: Vec<&str> = text
            .lines()
            .filter_map(|line| {
                line.strip_prefix(">>> ")
                    .or_else(|| line.strip_prefix("... "))
            })
            .collect();
        return by_tool(
            case,
            "python3",
            &["-I", "-c", script],
            ("sample.py", &typed.join("\n")),
        );
    }
    by_tool(case, "python3", &["-I", "-c", script], ("sample.py", text))
}

fn node(case: &Case<'_>, text: &str) -> Result<Sample, Trouble> {
    let as_module = by_tool(case, "node", &["--check"], ("sample.mjs", text))?;
    if let Sample::Bad(..) = as_module {
        let as_script = by_tool(case, "node", &["--check"], ("sample.cjs", text))?;
        if let Sample::Good(_) = as_script {
            return Ok(as_script);
        }
    }
    Ok(as_module)
}

fn go(case: &Case<'_>, text: &str) -> Result<Sample, Trouble> {
    let forms = [
        text.to_owned(),
        format!("package sample\n{text}\n"),
        format!("package sample\nfunc sample() {{\n{text}\n}}\n"),
    ];
    let mut last = Sample::Unchecked;
    for form in forms {
        last = by_tool(case, "gofmt", &["-e", "-l"], ("sample.go", &form))?;
        if !matches!(last, Sample::Bad(..)) {
            break;
        }
    }
    Ok(last)
}

fn shell(case: &Case<'_>, text: &str) -> Result<Sample, Trouble> {
    if text.lines().any(|line| line.starts_with("$ ")) {
        return Ok(Sample::Unchecked);
    }
    let sample = by_tool(case, "bash", &["-n"], ("sample.sh", text))?;
    match sample {
        Sample::Unchecked => by_tool(case, "sh", &["-n"], ("sample.sh", text)),
        sample => Ok(sample),
    }
}

fn yaml(case: &Case<'_>, text: &str) -> Result<Sample, Trouble> {
    let script = "import sys\ntry:\n import yaml\nexcept ImportError:\n sys.exit(77)\nlist(yaml.parse(open(sys.argv[1], encoding='utf-8')))";
    let sample = by_tool(
        case,
        "python3",
        &["-I", "-c", script],
        ("sample.yaml", text),
    )?;
    let is_missing = match &sample {
        Sample::Bad(_, Some(check)) => check.exit_status == Some(77),
        Sample::Bad(_, None) | Sample::Good(_) => false,
        Sample::Unchecked => true,
    };
    if is_missing {
        let script = "require 'yaml'; YAML.parse_stream(File.read(ARGV[0]))";
        return by_tool(case, "ruby", &["-e", script], ("sample.yaml", text));
    }
    Ok(sample)
}

/// Has a tool read the sample as a file, confined like every check.
fn by_tool(
    case: &Case<'_>,
    program: &str,
    args: &[&str],
    (name, text): (&str, &str),
) -> Result<Sample, Trouble> {
    let Some(program) = case.host.machine.find(program) else {
        return Ok(Sample::Unchecked);
    };
    let folder = case.host.fresh("sample")?;
    let file = folder.join(name);
    std::fs::write(&file, text).map_err(Trouble::io("write a sample"))?;
    let mut argv = vec![program.to_string_lossy().into_owned()];
    argv.extend(args.iter().map(|arg| (*arg).to_owned()));
    argv.push(file.to_string_lossy().into_owned());
    let (ran, mut check) = case.host.run(Command {
        kind: CheckKind::Lint,
        argv,
        cwd: folder.clone(),
        env: Vec::new(),
        writable: vec![folder],
        readable: Vec::new(),
        tree: &case.trees.head,
    })?;
    check.side = Side::Head;
    if ran.exit == Some(0) {
        return Ok(Sample::Good(Some(check)));
    }
    if check.result != CheckResult::Failed {
        return Ok(Sample::Unchecked);
    }
    let errors = String::from_utf8_lossy(&ran.stderr);
    let said = errors
        .lines()
        .rfind(|line| line.contains("rror") || line.contains(": "))
        .or_else(|| errors.lines().next())
        .unwrap_or("its checker said nothing");
    let place = file.to_string_lossy();
    Ok(Sample::Bad(
        said.trim().replace(place.as_ref(), name),
        Some(check),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_is_read_as_items_and_as_statements() {
        assert_eq!(rust("fn main() {}\n"), None);
        assert_eq!(
            rust("# use std::fs;\nlet x = fs::read(\"a\").await?;\nx.len()"),
            None
        );
        assert!(rust("fn main( {").is_some());
    }
}
