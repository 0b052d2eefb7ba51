//! Connecting agents: settings change as little as possible, come back byte for byte, and what is connected works.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use serde_json::Value;

use wayproof_testkit::{Captured, Provider, Reply};

use crate::{
    environment::{Environment, Said},
    up::Up,
};

/// An agent, a file of its settings under the home directory, what its owner wrote there, and a word that we add.
const WRITTEN: [(&str, &str, &str, &str); 17] = [
    (
        "claude-code",
        ".claude.json",
        "{\n  \"numStartups\": 3,\n  \"mcpServers\": {\"mine\": {\"command\": \"x\"}},\n  \"projects\": {}\n}",
        "\"wayproof\"",
    ),
    (
        "copilot-cli",
        ".copilot/mcp-config.json",
        "{\"mcpServers\":{}}\n",
        "\"wayproof\"",
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "{\n\t// mine\n\t\"servers\": {}\n}\n",
        "\"wayproof\"",
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\"ui\": {\"theme\": \"x\"}}",
        "mcpServers",
    ),
    (
        "claude-code",
        ".claude/settings.json",
        "{\n    // mine\n    \"model\": \"opus\",\n    \"env\": {\"A\": \"1\"},\n    \"hooks\": {\"Stop\": [{\"hooks\": []}]},\n    \"statusLine\": {\"type\": \"command\", \"command\": \"mine\"}\n}\n",
        "ANTHROPIC_BASE_URL",
    ),
    (
        "codex",
        ".codex/config.toml",
        "# Codex\r\nmodel = \"gpt-6.1-sol\" # dear\r\n\r\n[projects.\"/src/a.b\"]\r\ntrust_level = \"trusted\"\r\n",
        "model_providers.wayproof",
    ),
    (
        "gemini-cli",
        ".gemini/.env",
        "# keys\nexport GEMINI_API_KEY='secret value'\n",
        "GOOGLE_GEMINI_BASE_URL",
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\n  // mine\n  \"hooks\": {\"AfterAgent\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"mine\"}]}]},\n  \"model\": {\"name\": \"mine\"}\n}\n",
        "hook stop --standing",
    ),
    (
        "copilot-cli",
        ".copilot/settings.json",
        "{\n  \"theme\": \"dark\",\n  \"hooks\": {\"agentStop\": [{\"type\": \"command\", \"bash\": \"mine\"}]}\n}",
        "hook stop --standing",
    ),
    (
        "qwen-code",
        ".qwen/settings.json",
        "{\"hooks\":{\"Stop\":[{\"hooks\":[{\"type\":\"command\",\"command\":\"mine\"}]}]}}",
        "hook stop --standing",
    ),
    (
        "aider",
        ".aider.conf.yml",
        "# aider\nmodel: sonnet # the usual\nread:\n  - CONVENTIONS.md\n",
        "openai-api-base",
    ),
    (
        "opencode",
        ".config/opencode/opencode.jsonc",
        "{\n\t// tabs\n\t\"provider\": {\n\t\t\"mine\": {},\n\t},\n}",
        "@ai-sdk/openai-compatible",
    ),
    (
        "qwen-code",
        ".qwen/settings.json",
        "{\"ui\":{\"theme\":\"x\"}}",
        "selectedType",
    ),
    (
        "cline",
        ".cline/data/settings/providers.json",
        "{\"version\":1,\"lastUsedProvider\":\"anthropic\",\"providers\":{\"anthropic\":{\"settings\":{}}}}",
        "openai-compatible",
    ),
    (
        "continue",
        ".continue/config.yaml",
        "name: Mine\nversion: 0.0.1\nschema: v1\nmodels:\n- name: a\n  provider: ollama\n# end\n",
        "Wayproof",
    ),
    (
        "pi",
        ".pi/agent/settings.json",
        "{\n  \"defaultModel\": \"a\"\n}\n",
        "wayproof-auto",
    ),
    (
        "vscode",
        ".config/Code/User/chatLanguageModels.json",
        "[\n\t{\n\t\t\"name\": \"Ollama\",\n\t\t\"vendor\": \"ollama\"\n\t}\n]\n",
        "customendpoint",
    ),
];

fn write(environment: &Environment, file: &str, text: &str) -> std::path::PathBuf {
    let file = environment.path("home").join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file
}

pub(crate) fn connect(environment: &Environment, agent: &str) -> Said {
    let said = environment.run(&["connect", agent]);
    assert_eq!(said.status, 0, "{said:?}");
    said
}

/// Every file of the home directory but our own, with what it says.
fn tree(folder: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("home/.local") {
            continue;
        }
        if path.is_dir() {
            all.push((path.clone(), String::new()));
            all.extend(tree(&path));
        } else {
            all.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn every_agents_settings_come_back_byte_for_byte() {
    for (agent, file, text, ours) in WRITTEN {
        let environment = Environment::new();
        let file = write(&environment, file, text);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let before = tree(&environment.path("home"));
        let dry = environment.run(&["connect", agent, "--dry-run"]);
        assert!(
            dry.status == 0 && dry.out.contains(ours),
            "{agent}: {dry:?}"
        );
        assert_eq!(tree(&environment.path("home")), before, "{agent}");
        connect(&environment, agent);
        let changed = fs::read_to_string(&file).unwrap();
        assert!(changed.contains(ours), "{agent}: {changed}");
        for line in text
            .lines()
            .filter(|line| line.contains("//") || line.starts_with('#'))
        {
            assert!(changed.contains(line.trim_end()), "{agent}: {changed}");
        }
        assert_eq!(text.contains("\r\n"), changed.contains("\r\n"), "{agent}");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640, "{agent}");
        let connected = tree(&environment.path("home"));
        let again = connect(&environment, agent);
        assert!(again.out.contains("already"), "{agent}: {again:?}");
        assert_eq!(tree(&environment.path("home")), connected, "{agent}");
        let said = environment.run(&["disconnect", agent]);
        assert_eq!(said.status, 0, "{agent}: {said:?}");
        let after = tree(&environment.path("home"));
        assert_eq!(after, before, "{agent}");
        let twice = environment.run(&["disconnect", agent]);
        assert!(
            twice.status == 0 && twice.out.contains("not connected"),
            "{twice:?}"
        );
    }
}

#[test]
fn files_that_were_not_there_are_gone_afterwards() {
    for (agent, ..) in WRITTEN {
        let environment = Environment::new();
        connect(&environment, agent);
        assert!(!tree(&environment.path("home")).is_empty(), "{agent}");
        environment.run(&["disconnect", agent]);
        let left = tree(&environment.path("home"));
        assert_eq!(left, [], "{agent}");
    }
}

#[test]
fn what_the_owner_changed_since_stays() {
    for (agent, file, text, ours) in WRITTEN {
        let environment = Environment::new();
        let file = write(&environment, file, text);
        connect(&environment, agent);
        // A line of the owner's in a place where each format takes one.
        let connected = fs::read_to_string(&file).unwrap();
        let (own, edited) = match file.extension().and_then(|kind| kind.to_str()) {
            Some("json" | "jsonc") if text.starts_with('[') => (
                "\"name\": \"More\"",
                connected.replacen('[', "[ {\"name\": \"More\"},", 1),
            ),
            Some("json" | "jsonc") => ("\"zz\": 1", connected.replacen('{', "{ \"zz\": 1,", 1)),
            Some("toml") => ("zz = 1", format!("zz = 1\r\n{connected}")),
            Some("yml" | "yaml") => ("zz: 1", format!("zz: 1\n{connected}")),
            _ => ("ZZ=1", format!("ZZ=1\n{connected}")),
        };
        fs::write(&file, &edited).unwrap();
        let said = environment.run(&["disconnect", agent]);
        assert_eq!(said.status, 0, "{agent}: {said:?}");
        let after = fs::read_to_string(&file).unwrap();
        assert!(
            after.contains(own) && !after.contains(ours),
            "{agent}: {after}"
        );
        for line in text
            .lines()
            .filter(|line| line.contains("//") || line.starts_with('#'))
        {
            assert!(after.contains(line.trim_end()), "{agent}: {after}");
        }
    }
}

#[test]
fn a_value_that_the_owner_put_in_our_place_is_left_and_named() {
    let environment = Environment::new();
    let file = write(&environment, ".claude/settings.json", "{}\n");
    connect(&environment, "claude");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("http://127.0.0.1:4417", "https://elsewhere"),
    )
    .unwrap();
    let listed = environment.run(&["connect", "--list", "--json"]).json();
    assert_eq!(listed[0]["state"], "drifted", "{listed:#}");
    let said = environment.run(&["disconnect", "claude"]);
    assert!(
        said.status == 0
            && said
                .out
                .contains("env.ANTHROPIC_BASE_URL was changed since"),
        "{said:?}"
    );
    let left: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(
        left,
        serde_json::json!({"env": {"ANTHROPIC_BASE_URL": "https://elsewhere"}})
    );
}

#[test]
fn links_are_followed_and_kept() {
    let environment = Environment::new();
    let real = write(&environment, "dotfiles/claude.json", "{\"model\":\"opus\"}");
    let link = environment.path("home/.claude/settings.json");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink("../dotfiles/claude.json", &link).unwrap();
    connect(&environment, "claude-code");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(
        fs::read_to_string(&real)
            .unwrap()
            .contains("ANTHROPIC_BASE_URL")
    );
    environment.run(&["disconnect", "claude-code"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "{\"model\":\"opus\"}");
}

#[test]
fn broken_settings_are_refused_in_one_sentence() {
    let cases: [(&str, &str, &[u8]); 6] = [
        (
            "claude-code",
            ".claude/settings.json",
            b"{\"a\": 1 \"b\": 2}",
        ),
        ("claude-code", ".claude/settings.json", b"{\"env\": 1}"),
        ("claude-code", ".claude/settings.json", b"\xff\xfe{}"),
        ("codex", ".codex/config.toml", b"model = "),
        ("aider", ".aider.conf.yml", b"model: [\n"),
        (
            "continue",
            ".continue/config.yaml",
            b"models: [{name: a}]\n",
        ),
    ];
    for (agent, file, bytes) in cases {
        let environment = Environment::new();
        let file = write(&environment, file, "");
        fs::write(&file, bytes).unwrap();
        let said = environment.run(&["connect", agent]);
        assert_eq!(said.status, 2, "{agent}: {said:?}");
        assert_eq!(said.err.trim().lines().count(), 1, "{said:?}");
        assert!(
            said.err
                .contains(file.file_name().unwrap().to_str().unwrap()),
            "{said:?}"
        );
        assert_eq!(fs::read(&file).unwrap(), bytes, "{agent}");
    }
    let environment = Environment::new();
    fs::create_dir_all(environment.path("home/.claude/settings.json")).unwrap();
    assert_eq!(environment.run(&["connect", "claude"]).status, 2);
}

#[test]
fn wrong_arguments_are_mistakes() {
    let environment = Environment::new();
    for args in [
        &["connect"] as &[&str],
        &["connect", "emacs"],
        &["connect", "claude", "--gateway", "127.0.0.1:4417"],
        &["connect", "claude", "--gateway", "http://a@b/?c"],
        &["connect", "--list", "claude"],
        &["disconnect"],
        &["disconnect", "emacs"],
        &["doctor", "emacs"],
    ] {
        let said = environment.run(args);
        assert_eq!(said.status, 2, "{args:?}: {said:?}");
    }
}

#[test]
fn agents_own_variables_say_where_settings_are() {
    let environment = Environment::new();
    let elsewhere = environment.path("elsewhere");
    for (agent, variable, file) in [
        ("claude-code", "CLAUDE_CONFIG_DIR", "settings.json"),
        ("codex", "CODEX_HOME", "config.toml"),
        ("copilot-cli", "COPILOT_HOME", "wayproof.env"),
        ("gemini-cli", "GEMINI_CLI_HOME", ".gemini/.env"),
        ("qwen-code", "QWEN_HOME", "settings.json"),
        ("pi", "PI_CODING_AGENT_DIR", "models.json"),
        ("opencode", "XDG_CONFIG_HOME", "opencode/opencode.json"),
    ] {
        let folder = elsewhere.join(agent);
        let mut command = environment.wayproof(&["connect", agent]);
        let said = Said::of(command.env(variable, &folder).output().unwrap());
        assert_eq!(said.status, 0, "{said:?}");
        assert!(folder.join(file).is_file(), "{agent}: {said:?}");
    }
    let folder = elsewhere.join("by-flag");
    let said = environment.run(&["connect", "aider", "--dir", folder.to_str().unwrap()]);
    assert!(
        said.status == 0 && folder.join(".aider.conf.yml").is_file(),
        "{said:?}"
    );
    let listed = environment.run(&["connect", "--list", "--json"]).json();
    let mut all = listed.as_array().unwrap().iter();
    let aider = all.find(|one| one["agent"] == "aider");
    assert_eq!(aider.unwrap()["state"], "connected", "{listed:#}");
}

#[test]
fn agents_without_a_file_get_steps() {
    let environment = Environment::new();
    for (agent, words) in [
        ("cursor", "Override OpenAI Base URL"),
        ("copilot", "set -a; . '"),
        ("vscode", "Ollama"),
    ] {
        let said = connect(&environment, agent);
        assert!(said.out.contains(words), "{said:?}");
    }
}

#[test]
fn a_gateways_key_goes_into_the_settings_and_is_never_shown() {
    const KEY: &str = "wp_key_test_4f1c";
    for (agent, file, text, _) in WRITTEN {
        let environment = Environment::new();
        let file = write(&environment, file, text);
        let before = tree(&environment.path("home"));
        let run = |more: &[&str]| {
            let args = [&["connect", agent, "--key-env", "GATE_KEY"], more].concat();
            let mut command = environment.wayproof(&args);
            Said::of(command.env("GATE_KEY", KEY).output().unwrap())
        };
        for more in [&["--dry-run"][..], &[], &["--json"]] {
            let said = run(more);
            assert_eq!(said.status, 0, "{agent}: {said:?}");
            let shown = format!("{}{}", said.out, said.err);
            assert!(!shown.contains(KEY), "{agent}: {said:?}");
        }
        let now = tree(&environment.path("home"));
        assert!(
            now.iter().any(|(_, text)| text.contains(KEY)),
            "{agent}: {now:?}"
        );
        environment.run(&["disconnect", agent]);
        assert_eq!(tree(&environment.path("home")), before, "{agent}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "{agent}");
    }
    let environment = Environment::new();
    let said = environment.run(&["connect", "aider", "--key-env", "GATE_KEY"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(
        said.err
            .contains("--key-env GATE_KEY: the variable is not set"),
        "{said:?}"
    );
}

#[test]
fn a_sign_in_stays_beside_a_gateways_key() {
    let environment = Environment::new();
    let mut command = environment.wayproof(&["connect", "claude-code", "--key-env", "GATE_KEY"]);
    command
        .env("GATE_KEY", "wp_key_a")
        .env("ANTHROPIC_API_KEY", "own");
    let said = Said::of(command.output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    let file = environment.path("home/.claude/settings.json");
    let settings: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let variables = &settings["env"];
    assert_eq!(
        variables["ANTHROPIC_CUSTOM_HEADERS"],
        "x-wayproof-key: wp_key_a"
    );
    assert_eq!(variables.get("ANTHROPIC_AUTH_TOKEN"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_cannot_ask_are_told_how_much_fits() {
    let provider = Provider::start(|_: &Captured| Reply::json(500, "{}"));
    let provider = provider.await.unwrap();
    let environment = Environment::new();
    let policy = "version = 1\n[class.fast]\ntargets = [\"anthropic/claude-haiku-5-5\"]\n[class.strong]\ntargets = [\"anthropic/claude-opus-5-5\"]\n";
    environment
        .fixture()
        .write("wayproof.toml", policy)
        .unwrap();
    let read = |file: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(environment.path(file)).unwrap()).unwrap()
    };
    let written = || {
        let pi = read("home/.pi/agent/models.json");
        let opencode = read("home/.config/opencode/opencode.json");
        let pi = &pi["providers"]["wayproof"]["models"][0];
        let opencode = &opencode["provider"]["wayproof"]["models"]["wayproof-auto"]["limit"];
        [
            [&pi["contextWindow"], &pi["maxTokens"]].map(|value| value.as_u64().unwrap()),
            [&opencode["context"], &opencode["output"]].map(|value| value.as_u64().unwrap()),
        ]
    };
    for agent in ["pi", "opencode"] {
        connect(&environment, agent);
    }
    assert_eq!(written(), [[200_000, 32_000]; 2]);
    let up = Up::start_as("anthropic", &environment, &provider).await;
    let shown = up.get("/v1/models/wayproof-auto", "application/json");
    let shown: Value = serde_json::from_str(shown.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let window = shown["context_length"].as_u64().unwrap();
    let output = shown["top_provider"]["max_completion_tokens"]
        .as_u64()
        .unwrap();
    assert!(window > 200_000 && output > 32_000, "{shown}");
    for agent in ["pi", "opencode"] {
        let said = environment.run(&["connect", agent, "--no-check"]);
        assert_eq!(said.status, 0, "{said:?}");
    }
    assert_eq!(written(), [[window, output]; 2]);
    assert_eq!(up.stop(), 0);
    // What was asked then holds as long as nobody can be asked anew.
    let gateway = read("home/.pi/agent/models.json")["providers"]["wayproof"]["baseUrl"].clone();
    let gateway = gateway.as_str().unwrap().trim_end_matches("/v1").to_owned();
    let said = environment.run(&["connect", "pi", "--gateway", &gateway]);
    assert!(said.out.contains("already"), "{said:?}");
    let listed = environment.run(&["connect", "--list"]);
    assert!(!listed.out.contains("drifted"), "{listed:?}");
    provider.stop().await;
}
