//! The last steps before a command starts: limits, no privileges, Landlock, seccomp. It refuses to start below the
//! floor that was demanded.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use landlock::{
    ABI, Access, AccessFs, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit, setsid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

use super::seccomp::{self, Sockets};
use super::spec::{Note, Spec, Status, Way};
use super::{IsolationFloor, Limits, private, sys};

/// The newest Landlock rights this code was written for; older kernels get what they know of them.
const LANDLOCK: ABI = ABI::V9;
/// What the child exits with when the program never started.
const NEVER_STARTED: i32 = 127;
/// Files a process may have open.
const OPEN_FILES: u64 = 4096;

/// Turns this process into the command; gives an exit status only when that failed.
pub(super) fn become_command(spec: &Spec, way: Way, status: &Status) -> i32 {
    let mut lacking = Vec::new();
    let mut step = |name: &str, result: Result<String, String>| match result {
        Ok(held) => status.held(&held),
        Err(reason) => {
            status.lacking(name, reason);
            lacking.push(name.to_owned());
        }
    };
    // A failing setsid means this process leads a group already, which serves as well.
    setsid().ok();
    let limited = limit(&spec.limits, way).map(|()| "rlimits".to_owned());
    step("rlimits", limited.map_err(|error| error.to_string()));
    let unprivileged = drop_privileges().map(|()| "no-new-privs".to_owned());
    step(
        "no-new-privs",
        unprivileged.map_err(|error| error.to_string()),
    );
    step("landlock", landlock(spec, way));
    let (sockets, name) = match way {
        Way::Own | Way::Bwrap => (Sockets::Any, "seccomp"),
        Way::Bare => (Sockets::Local, "seccomp-no-inet"),
    };
    let filtered = seccomp::apply(sockets);
    if way == Way::Bare && filtered.is_ok() {
        status.held("seccomp");
    }
    step(name, filtered.map(|()| name.to_owned()));
    if way == Way::Bare
        && spec.floor == IsolationFloor::NoNetwork
        && lacking.iter().any(|one| one == name)
    {
        status.say(&Note::BelowFloor("netns, seccomp".to_owned()));
        return NEVER_STARTED;
    }
    let error = start(spec, way);
    status.say(&Note::CannotStart(error.to_string()));
    NEVER_STARTED
}

/// Starts the program in place of this one.
fn start(spec: &Spec, way: Way) -> std::io::Error {
    if let Err(error) = sys::close_on_exec() {
        return error;
    }
    let [program, arguments @ ..] = spec.argv.as_slice() else {
        return std::io::Error::other("the command is empty");
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where a confined command becomes a process"
    )]
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .envs(&spec.env)
        .current_dir(&spec.cwd)
        .stdin(Stdio::null());
    match way {
        Way::Own | Way::Bwrap => {}
        Way::Bare => {
            command
                .env("HOME", spec.private.join(private::HOME))
                .env("TMPDIR", spec.private.join(private::TMP));
        }
    }
    command.exec()
}

/// Bounds what each process may use.
fn limit(limits: &Limits, way: Way) -> rustix::io::Result<()> {
    let mut bounds = vec![
        (Resource::Core, 0),
        (Resource::Cpu, limits.cpu_s),
        (Resource::Data, limits.memory_bytes),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Nofile, OPEN_FILES),
    ];
    match way {
        // In a user namespace of its own a command is counted alone.
        Way::Own | Way::Bwrap => bounds.push((Resource::Nproc, limits.processes)),
        Way::Bare => {}
    }
    for (resource, bound) in bounds {
        let hard = rustix::process::getrlimit(resource)
            .maximum
            .unwrap_or(u64::MAX);
        let bound = Some(bound.min(hard));
        setrlimit(
            resource,
            Rlimit {
                current: bound,
                maximum: bound,
            },
        )?;
    }
    Ok(())
}

/// Gives up every capability, and every way to get one back.
fn drop_privileges() -> rustix::io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        // A capability this kernel does not know, or this process may not drop, is caught by the two steps below.
        remove_capability_from_bounding_set(capability).ok();
    }
    let none = CapabilitySet::empty();
    set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    set_no_new_privs(true)
}

/// Confines this process to its places, whatever the mounts say.
fn landlock(spec: &Spec, way: Way) -> Result<String, String> {
    let status = restrict(spec, way).map_err(|error| error.to_string())?;
    match (status.ruleset, status.landlock) {
        (
            RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
            LandlockStatus::Available { effective_abi, .. },
        ) => Ok(format!("landlock-abi{}", effective_abi as u8)),
        (_, status) => Err(format!("{status:?}")),
    }
}

/// Builds and enforces the Landlock rules.
fn restrict(spec: &Spec, way: Way) -> Result<landlock::RestrictionStatus, RulesetError> {
    let read = AccessFs::from_read(LANDLOCK);
    let all = AccessFs::from_all(LANDLOCK);
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev | AccessFs::ReadDir;
    let scratch: Vec<PathBuf> = match way {
        Way::Own | Way::Bwrap => spec
            .places
            .scratch
            .iter()
            .cloned()
            .chain([PathBuf::from("/dev/shm")])
            .collect(),
        Way::Bare => vec![
            spec.private.join(private::HOME),
            spec.private.join(private::TMP),
        ],
    };
    let devices = [
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/dev/random",
        "/dev/urandom",
        "/dev/pts",
        "/dev/tty",
    ];
    let mut rules = Ruleset::default()
        .handle_access(all)?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?
        .add_rules(path_beneath_rules(&spec.places.read_only, read))?
        .add_rules(path_beneath_rules(&spec.places.writable, all))?
        .add_rules(path_beneath_rules(&scratch, all))?
        .add_rules(path_beneath_rules(devices, device))?
        .add_rules(path_beneath_rules(
            ["/proc"],
            AccessFs::ReadFile | AccessFs::ReadDir,
        ))?;
    match way {
        // The root holds nothing but these places, so listing it tells nothing.
        Way::Own | Way::Bwrap => {
            rules = rules.add_rules(path_beneath_rules([Path::new("/")], AccessFs::ReadDir))?;
        }
        Way::Bare => {}
    }
    rules.restrict_self()
}
