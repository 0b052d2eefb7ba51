//! Settings files on disk: read whole, written at once or not at all, with the owner's links and permissions kept.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::exit::Mistake;

/// A settings file larger than this is none.
const LIMIT: u64 = 64 << 20;

/// As many links as the system itself follows.
const MOST_LINKS: usize = 40;

/// A settings file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Where it really is, behind links.
    pub(crate) target: PathBuf,
    /// What it says, if it is there.
    pub(crate) text: Option<String>,
}

/// Reads a file that may not be there.
pub(crate) fn read(path: &Path) -> Result<Found, Mistake> {
    let problem = |why: String| Mistake(format!("{} {why}", path.display()));
    let target = behind_links(path).map_err(|why| problem(why.to_string()))?;
    let metadata = match fs::metadata(&target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Found { target, text: None });
        }
        Err(error) => return Err(problem(format!("cannot be read: {error}"))),
    };
    if !metadata.is_file() {
        return Err(problem("is no file".to_owned()));
    }
    if metadata.len() > LIMIT {
        return Err(problem("is larger than any settings file".to_owned()));
    }
    let mut bytes = Vec::new();
    fs::File::open(&target)
        .and_then(|file| file.take(LIMIT).read_to_end(&mut bytes))
        .map_err(|error| problem(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| problem("is not text in UTF-8".to_owned()))?;
    Ok(Found {
        target,
        text: Some(text),
    })
}

/// The file that a path means, also where it is not there yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&target) {
            Ok(link) => {
                let folder = target.parent().unwrap_or(Path::new("/"));
                target = folder.join(link);
            }
            // No link, or nothing at all.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::NotFound
                ) =>
            {
                return Ok(target);
            }
            Err(error) => return Err(io::Error::other(format!("cannot be read: {error}"))),
        }
    }
    Err(io::Error::other("is a link that leads back to itself"))
}

/// Makes the folders of a file and returns the ones that were not there, outermost first.
pub(crate) fn make_folders(target: &Path) -> Result<Vec<PathBuf>, Mistake> {
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut made: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|folder| !folder.exists())
        .map(Path::to_owned)
        .collect();
    made.reverse();
    fs::create_dir_all(folder).map_err(|error| {
        let sentence = format!("the folder {} cannot be made: {error}", folder.display());
        Mistake(sentence)
    })?;
    Ok(made)
}

/// Writes a file through one beside it; who may read it stays as it was, and a new one is for its owner alone.
pub(crate) fn write(target: &Path, text: &str) -> Result<(), Mistake> {
    let problem =
        |error: io::Error| Mistake(format!("{} cannot be written: {error}", target.display()));
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(problem)?;
    beside.write_all(text.as_bytes()).map_err(problem)?;
    if let Ok(before) = fs::metadata(target) {
        // A file that is protected from writing is not gone around.
        if before.permissions().readonly() {
            return Err(problem(io::ErrorKind::PermissionDenied.into()));
        }
        let new = beside.as_file().metadata().map_err(problem)?;
        if (before.uid(), before.gid()) != (new.uid(), new.gid()) {
            chown(beside.path(), Some(before.uid()), Some(before.gid())).map_err(problem)?;
        }
        fs::set_permissions(beside.path(), before.permissions()).map_err(problem)?;
    }
    beside.as_file().sync_all().map_err(problem)?;
    beside
        .persist(target)
        .map_err(|error| problem(error.error))?;
    Ok(())
}

/// Removes a file that was made here.
pub(crate) fn remove(target: &Path) -> Result<(), Mistake> {
    fs::remove_file(target)
        .map_err(|error| Mistake(format!("{} cannot be removed: {error}", target.display())))
}

/// Removes the folders that were made for a file, innermost first, as far as they are empty.
pub(crate) fn remove_folders(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        // Somebody else's file in it is a good reason to keep it.
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// What a text is compared by.
pub(crate) fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}
