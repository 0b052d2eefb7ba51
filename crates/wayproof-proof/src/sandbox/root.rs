//! A root directory that holds only what a command may see. It refuses to leave the old root reachable.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change,
    unmount,
};
use rustix::process::{chdir, pivot_root};

use super::private;
use super::spec::Spec;
use super::sys::{Reach, set_mount_attributes};

/// The devices every program expects.
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom"];
/// Links every program expects in `/dev`.
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// What goes to a path of the new root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    ReadOnly,
    Writable,
    Scratch,
}

/// Builds the root and moves into it. Runs as the first process of a new PID namespace.
pub(super) fn enter(spec: &Spec) -> Result<(), String> {
    let root = spec.private.join(private::ROOT);
    let text = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )
    .map_err(|error| text("private mounts", &error))?;
    tmpfs(&root, 64 << 20, 0o755).map_err(|error| text("new root", &error))?;
    place_all(spec, &root)?;
    devices(&root, spec.limits.memory_bytes / 2).map_err(|error| text("/dev", &error))?;
    proc(&root, spec.limits.processes).map_err(|error| text("/proc", &error))?;
    links(spec, &root);
    switch(&root).map_err(|error| text("pivot_root", &error))
}

/// Mounts every visible place, parents before what is below them.
fn place_all(spec: &Spec, root: &Path) -> Result<(), String> {
    let places = &spec.places;
    let mut pieces: Vec<(&PathBuf, Piece)> = Vec::new();
    pieces.extend(places.scratch.iter().map(|path| (path, Piece::Scratch)));
    pieces.extend(places.read_only.iter().map(|path| (path, Piece::ReadOnly)));
    pieces.extend(places.writable.iter().map(|path| (path, Piece::Writable)));
    // A stable sort keeps writable after read-only for one path, so the wider wish holds.
    pieces.sort_by(|one, other| one.0.cmp(other.0));
    let mut done: Vec<(&PathBuf, Piece)> = Vec::new();
    for (path, piece) in pieces {
        let around = done.iter().rev().find(|(outer, _)| path.starts_with(outer));
        let is_covered =
            around.is_some_and(|(_, outer)| *outer == piece && piece != Piece::Scratch);
        if is_covered {
            continue;
        }
        place(path, piece, root, spec.limits.memory_bytes / 2)
            .map_err(|error| format!("mount {}: {error}", path.display()))?;
        done.push((path, piece));
    }
    Ok(())
}

/// Mounts one place.
fn place(path: &Path, piece: Piece, root: &Path, scratch_bytes: u64) -> io::Result<()> {
    let target = below(root, path);
    match piece {
        Piece::Scratch => {
            fs::create_dir_all(&target)?;
            tmpfs(&target, scratch_bytes, 0o1777)
        }
        Piece::ReadOnly => {
            bind(path, &target)?;
            let attributes =
                libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
            set_mount_attributes(&target, attributes, Reach::All)
        }
        Piece::Writable => {
            bind(path, &target)?;
            set_mount_attributes(
                &target,
                libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
                Reach::All,
            )
        }
    }
}

/// Gives the place of an absolute path below the new root.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Shows a file or directory at a path, which is made when missing.
fn bind(source: &Path, target: &Path) -> io::Result<()> {
    if fs::symlink_metadata(source)?.is_dir() {
        fs::create_dir_all(target)?;
    } else if fs::symlink_metadata(target).is_err() {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        File::create(target)?;
    }
    Ok(mount_bind_recursive(source, target)?)
}

/// Mounts an empty directory in memory.
fn tmpfs(target: &Path, bytes: u64, mode: u32) -> io::Result<()> {
    let options = CString::new(format!("size={bytes},mode={mode:o}"))?;
    Ok(mount(
        "tmpfs",
        target,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV,
        options.as_c_str(),
    )?)
}

/// Makes a `/dev` of harmless devices.
fn devices(root: &Path, memory_bytes: u64) -> io::Result<()> {
    let dev = root.join("dev");
    fs::create_dir_all(&dev)?;
    tmpfs(&dev, 1 << 20, 0o755)?;
    for name in DEVICES {
        let target = dev.join(name);
        bind(&Path::new("/dev").join(name), &target)?;
        set_mount_attributes(
            &target,
            libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC,
            Reach::One,
        )?;
    }
    for (name, target) in DEVICE_LINKS {
        symlink(target, dev.join(name))?;
    }
    fs::create_dir(dev.join("shm"))?;
    tmpfs(&dev.join("shm"), memory_bytes, 0o1777)?;
    fs::create_dir(dev.join("pts"))?;
    // Pseudo terminals are a convenience; a kernel that gives none of its own is no reason to run nothing.
    mount(
        "devpts",
        dev.join("pts"),
        "devpts",
        MountFlags::NOSUID | MountFlags::NOEXEC,
        c"newinstance,ptmxmode=0666",
    )
    .ok();
    set_mount_attributes(&dev, libc::MOUNT_ATTR_RDONLY, Reach::One)
}

/// Shows the processes of the new namespace, and nothing of the kernel's that could be written.
fn proc(root: &Path, processes: u64) -> io::Result<()> {
    let target = root.join("proc");
    fs::create_dir_all(&target)?;
    mount(
        "proc",
        &target,
        "proc",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        None,
    )?;
    // Newer kernels keep this bound per namespace; elsewhere the write is refused and the supervisor counts.
    fs::write(
        target.join("sys/kernel/pid_max"),
        processes.max(301).to_string(),
    )
    .ok();
    set_mount_attributes(&target, libc::MOUNT_ATTR_RDONLY, Reach::One)
}

/// Makes the links that lead to visible places, where nothing is yet.
fn links(spec: &Spec, root: &Path) {
    for (path, target) in &spec.places.links {
        let link = below(root, path);
        let is_free = fs::symlink_metadata(&link).is_err();
        let is_ours = !spec
            .places
            .writable
            .iter()
            .any(|shown| path.starts_with(shown));
        if let (true, true, Some(parent)) = (is_free, is_ours, link.parent()) {
            // A link inside a read-only place exists already or cannot be made; both are as intended.
            fs::create_dir_all(parent)
                .and_then(|()| symlink(target, &link))
                .ok();
        }
    }
}

/// Makes the new root the root, and lets go of the old one.
fn switch(root: &Path) -> io::Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    unmount(".", UnmountFlags::DETACH)?;
    chdir("/")?;
    set_mount_attributes(Path::new("/"), libc::MOUNT_ATTR_RDONLY, Reach::One)
}
