//! How each agent is pointed at the gateway, learns that it is not done, and is called again.
//!
//! One line an agent in each function; what an agent sends on the wire is the business of `wayproof-wire`.

use std::path::Path;

use serde_json::{Value, json};

/// The agents that are started in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agent {
    ClaudeCode,
    Codex,
    Copilot,
    GeminiCli,
    Aider,
    Other,
}

/// What an agent must know to work through the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Pointing {
    /// The gateway, without a path.
    pub(crate) gateway: String,
    /// The key that binds every exchange to the job.
    pub(crate) key: String,
    /// The command of the stop hook.
    pub(crate) hook: String,
    /// Where the stop hook finds this run.
    pub(crate) socket: String,
    /// Whether the agent presents its own sign-in to the provider.
    pub(crate) keeps_sign_in: bool,
    /// Whether the environment names the agent's model already.
    pub(crate) has_model: bool,
    /// Whether the environment has an agent of several protocols speak Messages.
    pub(crate) in_messages: bool,
}

/// A command line with its additions to the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
}

/// The header that carries a job's key beside an agent's own sign-in.
const KEY_HEADER: &str = "x-wayproof-key";

impl Agent {
    /// Tells the agent from the program that is started.
    pub(crate) fn of(program: &str) -> Self {
        let name = Path::new(program)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        match name.as_deref() {
            Some("claude") => Self::ClaudeCode,
            Some("codex") => Self::Codex,
            Some("copilot") => Self::Copilot,
            Some("gemini") => Self::GeminiCli,
            Some("aider") => Self::Aider,
            _ => Self::Other,
        }
    }

    /// Whether the agent asks a hook before it ends, so that it can be sent back to work in place.
    pub(crate) fn has_stop_hook(self) -> bool {
        match self {
            Self::ClaudeCode => true,
            Self::Codex | Self::Copilot | Self::GeminiCli | Self::Aider | Self::Other => false,
        }
    }

    /// The first start.
    ///
    /// # Errors
    /// When the user's own settings of the agent cannot be read.
    pub(crate) fn launch(self, command: &[String], point: &Pointing) -> Result<Launch, String> {
        let (program, args) = command.split_first().ok_or("there is no command to run")?;
        let mut args = args.to_vec();
        match self {
            Self::ClaudeCode => add_stop_hook(&mut args, &point.hook)?,
            Self::Codex => {
                args.splice(0..0, codex_provider(point, names_model(&args)));
            }
            Self::Copilot | Self::GeminiCli | Self::Aider | Self::Other => {}
        }
        Ok(Launch {
            program: program.clone(),
            args,
            env: self.environment(point, command),
        })
    }

    /// The same job again with what the proof found, or nothing where the agent cannot be called unattended.
    pub(crate) fn again(
        self,
        command: &[String],
        point: &Pointing,
        fact: &str,
        session: Option<&str>,
    ) -> Option<Launch> {
        let (program, args) = command.split_first()?;
        let prompt = prompt_index(args)?;
        let mut args = args.to_vec();
        if let Some(argument) = args.get_mut(prompt) {
            fact.clone_into(argument);
        }
        match self {
            Self::Codex => {
                let last = || "--last".to_owned();
                let resume = [
                    "resume".to_owned(),
                    session.map_or_else(last, str::to_owned),
                ];
                args.splice(prompt..prompt, resume);
                args.splice(0..0, codex_provider(point, names_model(&args)));
            }
            Self::ClaudeCode | Self::Copilot => args.insert(0, "--continue".to_owned()),
            Self::GeminiCli => {
                args.splice(0..0, ["--resume".to_owned(), "latest".to_owned()]);
            }
            Self::Aider => args.insert(0, "--restore-chat-history".to_owned()),
            Self::Other => {}
        }
        Some(Launch {
            program: program.clone(),
            args,
            env: self.environment(point, command),
        })
    }

    fn environment(self, point: &Pointing, command: &[String]) -> Vec<(String, String)> {
        let base = &point.gateway;
        let v1 = format!("{base}/v1");
        let header = format!("{KEY_HEADER}: {}", point.key);
        let mut variables = vec![
            ("WAYPROOF_GATEWAY", base.clone()),
            ("WAYPROOF_API_KEY", point.key.clone()),
            ("WAYPROOF_RUN_SOCKET", point.socket.clone()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ];
        let claude = |variables: &mut Vec<(&'static str, String)>| {
            variables.push(("ANTHROPIC_BASE_URL", base.clone()));
            variables.push(("ANTHROPIC_CUSTOM_HEADERS", header.clone()));
            if !point.keeps_sign_in {
                variables.push(("ANTHROPIC_AUTH_TOKEN", point.key.clone()));
            }
        };
        let open_ai = |variables: &mut Vec<(&'static str, String)>| {
            variables.push(("OPENAI_BASE_URL", v1.clone()));
            variables.push(("OPENAI_API_BASE", v1.clone()));
            variables.push(("OPENAI_API_KEY", point.key.clone()));
        };
        match self {
            Self::ClaudeCode => claude(&mut variables),
            Self::Codex => {}
            Self::Copilot => {
                let (place, kind) = if point.in_messages {
                    (base.clone(), "anthropic")
                } else {
                    (v1.clone(), "openai")
                };
                variables.extend([
                    ("COPILOT_PROVIDER_BASE_URL", place),
                    ("COPILOT_PROVIDER_TYPE", kind.to_owned()),
                    ("COPILOT_PROVIDER_API_KEY", point.key.clone()),
                ]);
                // It does not start with a provider of one's own and no model.
                if !point.has_model && !names_model(command) {
                    variables.push(("COPILOT_MODEL", "wayproof-auto".to_owned()));
                }
            }
            Self::GeminiCli => variables.extend([
                ("GOOGLE_GEMINI_BASE_URL", base.clone()),
                ("GEMINI_API_KEY", point.key.clone()),
                ("GEMINI_CLI_CUSTOM_HEADERS", header.clone()),
            ]),
            Self::Aider => open_ai(&mut variables),
            Self::Other => {
                claude(&mut variables);
                open_ai(&mut variables);
            }
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// The text of what the agent is asked, where the command line has it.
pub(crate) fn prompt_of(command: &[String]) -> Option<&str> {
    let args = command.get(1..)?;
    args.get(prompt_index(args)?).map(String::as_str)
}

/// The prompt is the last argument that is no flag and reads like a sentence.
fn prompt_index(args: &[String]) -> Option<usize> {
    args.iter()
        .rposition(|arg| !arg.starts_with('-') && arg.trim().contains(char::is_whitespace))
}

fn names_model(args: &[String]) -> bool {
    args.iter()
        .any(|arg| arg == "-m" || arg == "--model" || arg.starts_with("--model="))
}

/// Codex takes its provider from the command line, so its own files stay as they are.
fn codex_provider(point: &Pointing, names_model: bool) -> Vec<String> {
    let base = json!(format!("{}/v1", point.gateway));
    let sign_in = if point.keeps_sign_in {
        format!(
            "requires_openai_auth = true, env_http_headers = {{ \"{KEY_HEADER}\" = \"WAYPROOF_API_KEY\" }}"
        )
    } else {
        "env_key = \"WAYPROOF_API_KEY\"".to_owned()
    };
    let provider = format!(
        "model_providers.wayproof={{ name = \"wayproof\", base_url = {base}, wire_api = \"responses\", {sign_in} }}"
    );
    let mut settings = vec!["model_provider=\"wayproof\"".to_owned(), provider];
    if !names_model {
        // An unknown name makes Codex use its plain tools, which every model can serve.
        settings.push("model=\"wayproof-auto\"".to_owned());
    }
    settings
        .into_iter()
        .flat_map(|setting| ["-c".to_owned(), setting])
        .collect()
}

/// Adds our stop hook to the settings that the user gives on the command line, or gives the only ones.
fn add_stop_hook(args: &mut Vec<String>, hook: &str) -> Result<(), String> {
    let given = args.iter().position(|arg| arg == "--settings");
    let mut settings = match given.and_then(|at| args.get(at + 1)) {
        Some(text) => read_settings(text)?,
        None => json!({}),
    };
    let ours = json!({"hooks": [{"type": "command", "command": hook, "timeout": 3600}]});
    match settings
        .pointer_mut("/hooks/Stop")
        .and_then(Value::as_array_mut)
    {
        Some(hooks) => hooks.push(ours),
        None => match settings.get_mut("hooks").and_then(Value::as_object_mut) {
            Some(hooks) => {
                hooks.insert("Stop".to_owned(), json!([ours]));
            }
            None => settings["hooks"] = json!({"Stop": [ours]}),
        },
    }
    let settings = settings.to_string();
    match given.and_then(|at| args.get_mut(at + 1)) {
        Some(text) => *text = settings,
        None => {
            args.splice(0..0, ["--settings".to_owned(), settings]);
        }
    }
    Ok(())
}

fn read_settings(text: &str) -> Result<Value, String> {
    let content = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        std::fs::read_to_string(text)
            .map_err(|error| format!("the agent's settings file {text} cannot be read: {error}"))?
    };
    serde_json::from_str(&content)
        .map_err(|error| format!("the agent's settings are not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{Agent, Pointing, prompt_of};

    fn point() -> Pointing {
        Pointing {
            gateway: "http://127.0.0.1:4417".into(),
            key: "wp_job_x".into(),
            hook: "wayproof hook stop".into(),
            socket: "/run/s".into(),
            keeps_sign_in: false,
            has_model: false,
            in_messages: false,
        }
    }

    fn words(line: &[&str]) -> Vec<String> {
        line.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn the_prompt_is_the_last_sentence() {
        let command = words(&["claude", "-p", "fix the test", "--output-format", "text"]);
        assert_eq!(prompt_of(&command), Some("fix the test"));
        assert_eq!(prompt_of(&words(&["claude"])), None);
    }

    #[test]
    fn users_hooks_stay_beside_ours() {
        let own = r#"{"hooks":{"Stop":[{"hooks":[]}],"PreToolUse":[]},"model":"x"}"#;
        let command = words(&["claude", "--settings", own, "-p", "fix it"]);
        let launch = Agent::of("/usr/bin/claude")
            .launch(&command, &point())
            .unwrap();
        let settings: serde_json::Value = serde_json::from_str(&launch.args[1]).unwrap();
        assert_eq!(settings["hooks"]["Stop"].as_array().map(Vec::len), Some(2));
        assert_eq!(settings["model"], "x");
    }

    #[test]
    fn copilot_gets_a_model_unless_it_has_one() {
        let model = |line: &[&str], has_model| {
            let point = Pointing {
                has_model,
                ..point()
            };
            let launch = Agent::Copilot.launch(&words(line), &point).unwrap();
            launch.env.iter().any(|(name, _)| name == "COPILOT_MODEL")
        };
        assert!(model(&["copilot", "-p", "fix it"], false));
        assert!(!model(&["copilot", "-p", "fix it"], true));
        assert!(!model(&["copilot", "--model", "x", "-p", "fix it"], false));
    }

    #[test]
    fn codex_resumes_the_session_with_the_fact() {
        let command = words(&["codex", "exec", "--full-auto", "fix the test"]);
        let again = Agent::Codex
            .again(&command, &point(), "it still fails", Some("s-1"))
            .unwrap();
        let tail = &again.args[again.args.len() - 5..];
        assert_eq!(
            tail,
            ["exec", "--full-auto", "resume", "s-1", "it still fails"]
        );
        assert!(again.args.contains(&"model=\"wayproof-auto\"".to_owned()));
    }
}
