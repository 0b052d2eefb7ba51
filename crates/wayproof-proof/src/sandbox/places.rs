//! What a command will see of the file system. It refuses to show a directory only because a link points at it from
//! somewhere shown: links are shown as links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Confined, SandboxError, toolchain};

/// The system's own directories. On most systems some of them are links into `/usr`, and stay so.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/gnu/store",
    "/sys/devices/system/cpu",
];

/// What of `/etc` programs need to start, to look up names and to trust certificates; no passwords, no keys.
const ETC: &[&str] = &[
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "group",
    "host.conf",
    "hostname",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "locale.alias",
    "magic",
    "magic.mime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
];

/// Families of names in `/etc` that language runtimes keep their settings under.
const ETC_FAMILIES: &[&str] = &["java", "python", "maven", "php", "ruby", "dotnet"];

/// The most links followed on one path.
const LINK_LIMIT: usize = 40;

/// What is visible, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Places {
    /// Shown, and never changed.
    pub(super) read_only: BTreeSet<PathBuf>,
    /// Shown, and free to change.
    pub(super) writable: BTreeSet<PathBuf>,
    /// Links on the way to them, with what they say.
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
    /// Empty directories of the command's own, in memory.
    pub(super) scratch: BTreeSet<PathBuf>,
}

impl Places {
    /// Works out what a command needs; completes its environment where a toolchain has to be told where it lives.
    pub(super) fn new(
        confined: &Confined,
        env: &mut BTreeMap<String, String>,
    ) -> Result<Self, SandboxError> {
        let mut places = Self::default();
        for path in &confined.writable {
            let real = places
                .reveal(path)
                .ok_or_else(|| SandboxError::Missing(path.clone()))?;
            places.writable.insert(real);
        }
        for path in &confined.readable {
            let real = places
                .reveal(path)
                .ok_or_else(|| SandboxError::Missing(path.clone()))?;
            places.read_only.insert(real);
        }
        let etc = ETC
            .iter()
            .map(|name| Path::new("/etc").join(name))
            .chain(etc_families());
        for path in SYSTEM.iter().map(PathBuf::from).chain(etc) {
            places.show(&path);
        }
        let tools = toolchain::find(env);
        for path in &tools.directories {
            places.show(path);
        }
        for (name, value) in tools.env {
            env.entry(name).or_insert(value);
        }
        let home = env
            .get("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute());
        for path in home.into_iter().chain([PathBuf::from("/tmp")]) {
            let is_covered = places.writable.iter().any(|shown| path.starts_with(shown));
            if !is_covered {
                places.scratch.insert(path);
            }
        }
        places.writable.retain(|path| path != Path::new("/"));
        Ok(places)
    }

    /// Gives the real path of a directory that is visible.
    pub(super) fn inside(&self, path: &Path) -> Result<PathBuf, SandboxError> {
        let real = fs::canonicalize(path).map_err(|_| SandboxError::Missing(path.to_owned()))?;
        let is_shown = self
            .read_only
            .iter()
            .chain(&self.writable)
            .any(|shown| real.starts_with(shown));
        if is_shown {
            Ok(real)
        } else {
            Err(SandboxError::OutsidePlaces(path.to_owned()))
        }
    }

    /// Shows something that may be missing.
    fn show(&mut self, path: &Path) {
        if let Some(real) = self.reveal(path) {
            self.read_only.insert(real);
        }
    }

    /// Follows a path to what it really names, noting every link on the way.
    fn reveal(&mut self, path: &Path) -> Option<PathBuf> {
        let mut real = PathBuf::from("/");
        let mut rest: VecDeque<OsString> = path
            .components()
            .map(|part| part.as_os_str().to_owned())
            .collect();
        let mut followed = 0;
        while let Some(part) = rest.pop_front() {
            match Path::new(&part).components().next() {
                Some(Component::ParentDir) => {
                    real.pop();
                }
                Some(Component::Normal(name)) => {
                    let next = real.join(name);
                    if !fs::symlink_metadata(&next).ok()?.is_symlink() {
                        real = next;
                        continue;
                    }
                    followed += 1;
                    if followed > LINK_LIMIT {
                        return None;
                    }
                    let target = fs::read_link(&next).ok()?;
                    if target.is_absolute() {
                        real = PathBuf::from("/");
                    }
                    for part in target.components().rev() {
                        rest.push_front(part.as_os_str().to_owned());
                    }
                    self.links.insert(next, target);
                }
                Some(Component::RootDir | Component::CurDir | Component::Prefix(_)) | None => {}
            }
        }
        Some(real)
    }
}

/// Lists what of `/etc` belongs to a language runtime.
fn etc_families() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/etc") else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str()
                .is_some_and(|name| ETC_FAMILIES.iter().any(|family| name.starts_with(family)))
        })
        .map(|entry| entry.path())
        .collect()
}
