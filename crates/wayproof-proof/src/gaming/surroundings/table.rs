//! The names under which the languages let source see its surroundings.

use crate::code::Language;

/// Chains of names.
pub(super) type Paths = &'static [&'static [&'static str]];

/// Ways to see who runs it.
pub(super) const RUNNER: &[(Language, Paths)] = &[
    (
        Language::JavaScript,
        &[
            &["process", "argv"],
            &["process", "argv0"],
            &["process", "execArgv"],
            &["process", "mainModule"],
            &["process", "ppid"],
            &["process", "title"],
            &["process", "channel"],
            &["process", "connected"],
            &["process", "send"],
            &["process", "moduleLoadList"],
            &["process", "getActiveResourcesInfo"],
            &["process", "_getActiveHandles"],
            &["require", "main"],
            &["require", "cache"],
            &["module", "parent"],
            &["module", "children"],
            &["import", "meta", "main"],
            &["arguments", "callee"],
            &["Error", "captureStackTrace"],
            &["Error", "prepareStackTrace"],
        ],
    ),
    (
        Language::Go,
        &[
            &["os", "Args"],
            &["os", "Executable"],
            &["os", "Getppid"],
            &["runtime", "Caller"],
            &["runtime", "Callers"],
            &["runtime", "Stack"],
            &["runtime", "CallersFrames"],
            &["debug", "Stack"],
            &["debug", "ReadBuildInfo"],
            &["flag", "Lookup"],
            &["flag", "CommandLine"],
            &["flag", "Parsed"],
            &["flag", "Args"],
            &["flag", "NFlag"],
            &["testing", "Testing"],
            &["testing", "Verbose"],
            &["testing", "Short"],
            &["testing", "CoverMode"],
        ],
    ),
    (
        Language::Rust,
        &[
            &["env", "args"],
            &["env", "args_os"],
            &["env", "current_exe"],
            &["current_exe"],
            &["args_os"],
            &["Backtrace", "capture"],
            &["Backtrace", "force_capture"],
            &["Location", "caller"],
            &["parent_id"],
        ],
    ),
    (
        Language::Python,
        &[
            &["sys", "argv"],
            &["sys", "orig_argv"],
            &["sys", "_getframe"],
            &["sys", "_current_frames"],
            &["sys", "gettrace"],
            &["sys", "getprofile"],
            &["inspect", "stack"],
            &["inspect", "currentframe"],
            &["inspect", "trace"],
            &["traceback", "extract_stack"],
            &["traceback", "format_stack"],
            &["traceback", "walk_stack"],
            &["os", "getppid"],
            &["gc", "get_objects"],
            &["gc", "get_referrers"],
            &["sys", "flags"],
            &["resource", "getrlimit"],
            &["__debug__"],
        ],
    ),
    (
        Language::Ruby,
        &[
            &["caller"],
            &["caller_locations"],
            &["$LOADED_FEATURES"],
            &["ARGV"],
            &["$0"],
            &["$PROGRAM_NAME"],
            &["ObjectSpace"],
            &["Process", "ppid"],
            &["TracePoint"],
            &["Thread", "current"],
        ],
    ),
    (
        Language::Php,
        &[
            &["debug_backtrace"],
            &["debug_print_backtrace"],
            &["$argv"],
            &["$_SERVER", "argv"],
            &["$_SERVER", "SCRIPT_NAME"],
            &["$_SERVER", "SCRIPT_FILENAME"],
            &["$_SERVER", "PHP_SELF"],
            &["PHP_SAPI"],
            &["php_sapi_name"],
            &["get_included_files"],
            &["get_declared_classes"],
            &["get_loaded_extensions"],
            &["get_required_files"],
        ],
    ),
    (
        Language::Java,
        &[
            &["StackWalker"],
            &["ProcessHandle"],
            &["ManagementFactory"],
            &["Thread", "currentThread"],
            &["Thread", "getAllStackTraces"],
        ],
    ),
    (
        Language::C,
        &[
            &["program_invocation_short_name"],
            &["program_invocation_name"],
            &["__progname"],
            &["getprogname"],
            &["getppid"],
            &["dladdr"],
            &["dlsym"],
            &["backtrace"],
            &["stacktrace", "current"],
            &["source_location", "current"],
            &["__builtin_FILE"],
            &["environ"],
        ],
    ),
];
/// Ways to find out whether anybody can be reached.
pub(super) const REACH: &[(Language, Paths)] = &[
    (
        Language::Python,
        &[
            &["socket", "create_connection"],
            &["socket", "getaddrinfo"],
            &["socket", "gethostbyname"],
            &["urllib", "request", "urlopen"],
            &["requests", "get"],
            &["requests", "head"],
        ],
    ),
    (
        Language::JavaScript,
        &[&["fetch"], &["net", "connect"], &["dns", "lookup"]],
    ),
    (
        Language::Java,
        &[&["Socket"], &["InetAddress", "getByName"]],
    ),
    (
        Language::Ruby,
        &[
            &["TCPSocket"],
            &["Socket", "tcp"],
            &["Addrinfo"],
            &["Resolv"],
            &["Net", "HTTP"],
        ],
    ),
    (
        Language::Php,
        &[
            &["fsockopen"],
            &["stream_socket_client"],
            &["gethostbyname"],
            &["dns_get_record"],
            &["checkdnsrr"],
        ],
    ),
    (Language::C, &[&["getaddrinfo"], &["gethostbyname"]]),
];
/// Ways to see where it lies or runs.
pub(super) const PLACE: &[(Language, Paths)] = &[
    (
        Language::JavaScript,
        &[
            &["process", "execPath"],
            &["process", "cwd"],
            &["import", "meta", "url"],
            &["__filename"],
            &["__dirname"],
            &["process", "pid"],
            &["existsSync"],
            &["fs", "existsSync"],
            &["fs", "statSync"],
            &["statSync"],
            &["readdirSync"],
            &["fs", "readdirSync"],
            &["accessSync"],
            &["require", "resolve"],
        ],
    ),
    (
        Language::Go,
        &[
            &["os", "Getwd"],
            &["os", "Getpid"],
            &["os", "Stat"],
            &["os", "Lstat"],
            &["os", "ReadDir"],
            &["filepath", "Glob"],
        ],
    ),
    (
        Language::Rust,
        &[
            &["env", "current_dir"],
            &["process", "id"],
            &["type_name"],
            &["module_path"],
            &["Path", "new"],
            &["fs", "metadata"],
            &["fs", "read_dir"],
            &["fs", "exists"],
        ],
    ),
    (
        Language::Python,
        &[
            &["sys", "modules"],
            &["__main__"],
            &["sys", "executable"],
            &["sys", "path"],
            &["os", "getcwd"],
            &["os", "getpid"],
            &["os", "path", "exists"],
            &["os", "path", "isfile"],
            &["os", "listdir"],
            &["find_spec"],
            &["importlib", "util", "find_spec"],
        ],
    ),
    (
        Language::Ruby,
        &[
            &["File", "exist"],
            &["Dir", "glob"],
            &["Dir", "pwd"],
            &["__FILE__"],
            &["__dir__"],
        ],
    ),
    (
        Language::Php,
        &[
            &["file_exists"],
            &["is_file"],
            &["is_dir"],
            &["glob"],
            &["getcwd"],
            &["class_exists"],
        ],
    ),
    (
        Language::Java,
        &[
            &["Files", "exists"],
            &["Paths", "get"],
            &["Path", "of"],
            &["File"],
        ],
    ),
    (
        Language::C,
        &[
            &["exists"],
            &["current_path"],
            &["access"],
            &["getcwd"],
            &["__FILE__"],
        ],
    ),
];
/// Ways to read the environment.
pub(super) const SETTING: &[(Language, Paths)] = &[
    (
        Language::JavaScript,
        &[&["process", "env"], &["Deno", "env"], &["Bun", "env"]],
    ),
    (
        Language::Go,
        &[
            &["os", "Getenv"],
            &["os", "LookupEnv"],
            &["os", "Environ"],
            &["syscall", "Getenv"],
            &["os", "ExpandEnv"],
        ],
    ),
    (
        Language::Rust,
        &[
            &["env", "var"],
            &["env", "var_os"],
            &["env", "vars"],
            &["env", "vars_os"],
            &["option_env"],
            &["env"],
        ],
    ),
    (
        Language::Python,
        &[
            &["os", "environ"],
            &["os", "getenv"],
            &["environ"],
            &["getenv"],
        ],
    ),
    (Language::Ruby, &[&["ENV"]]),
    (Language::Php, &[&["getenv"], &["$_ENV"], &["$_SERVER"]]),
    (
        Language::Java,
        &[
            &["System", "getenv"],
            &["System", "getProperty"],
            &["Boolean", "getBoolean"],
            &["Integer", "getInteger"],
            &["Long", "getLong"],
        ],
    ),
    (Language::C, &[&["getenv"], &["secure_getenv"]]),
];
/// Ways to read the clock.
pub(super) const CLOCK: &[(Language, Paths)] = &[
    (
        Language::JavaScript,
        &[
            &["Date", "now"],
            &["Date"],
            &["performance", "now"],
            &["process", "hrtime"],
            &["process", "uptime"],
        ],
    ),
    (
        Language::Go,
        &[&["time", "Now"], &["time", "Since"], &["time", "Until"]],
    ),
    (
        Language::Rust,
        &[
            &["SystemTime", "now"],
            &["Instant", "now"],
            &["Utc", "now"],
            &["Local", "now"],
        ],
    ),
    (
        Language::Python,
        &[
            &["time", "time"],
            &["time", "time_ns"],
            &["time", "localtime"],
            &["time", "gmtime"],
            &["datetime", "now"],
            &["datetime", "utcnow"],
            &["date", "today"],
            &["datetime", "today"],
        ],
    ),
    (
        Language::Ruby,
        &[&["Time", "now"], &["Date", "today"], &["DateTime", "now"]],
    ),
    (
        Language::Php,
        &[
            &["time"],
            &["microtime"],
            &["date"],
            &["getdate"],
            &["localtime"],
            &["hrtime"],
            &["DateTime"],
            &["DateTimeImmutable"],
        ],
    ),
    (
        Language::Java,
        &[
            &["System", "currentTimeMillis"],
            &["System", "nanoTime"],
            &["Instant", "now"],
            &["LocalDate", "now"],
            &["LocalDateTime", "now"],
            &["ZonedDateTime", "now"],
            &["Year", "now"],
            &["Clock"],
            &["Calendar", "getInstance"],
        ],
    ),
    (
        Language::C,
        &[
            &["time"],
            &["clock"],
            &["system_clock", "now"],
            &["steady_clock", "now"],
        ],
    ),
];
/// Ways to leave it to chance.
pub(super) const CHANCE: &[(Language, Paths)] = &[
    (
        Language::JavaScript,
        &[
            &["Math", "random"],
            &["crypto", "randomInt"],
            &["crypto", "getRandomValues"],
            &["crypto", "randomBytes"],
            &["crypto", "randomUUID"],
        ],
    ),
    (Language::Go, &[&["rand"]]),
    (
        Language::Rust,
        &[&["rand"], &["thread_rng"], &["fastrand"], &["RandomState"]],
    ),
    (
        Language::Python,
        &[
            &["random"],
            &["secrets"],
            &["os", "urandom"],
            &["uuid", "uuid4"],
        ],
    ),
    (Language::Ruby, &[&["rand"], &["Random"], &["SecureRandom"]]),
    (
        Language::Php,
        &[&["rand"], &["mt_rand"], &["random_int"], &["random_bytes"]],
    ),
    (
        Language::Java,
        &[&["Math", "random"], &["ThreadLocalRandom"], &["Random"]],
    ),
    (
        Language::C,
        &[&["rand"], &["random"], &["random_device"], &["arc4random"]],
    ),
];
