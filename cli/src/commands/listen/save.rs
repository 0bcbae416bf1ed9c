//! Appends each request to a file, for `--replay`, `verify --jsonl` and `explain`.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    commands::listen::lines::is_complete,
    input::source,
    inspect::history::{Change, History},
    outcome::Failure,
    terminal::{self, line},
};

/// The largest size of the file in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A file that only its owner can read: requests in it can be sent again.
pub(super) struct Saver {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Saver {
    /// Opens a regular file, or creates it, and refuses `-`. A symbolic link is not followed: it may lead to a file of another
    /// program.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        if source::is_stdin(path) {
            return Err(Failure::usage(
                "--save needs a file: for objects on the standard output, pass --format json",
            ));
        }
        Self::open_file(path).map_err(|problem| {
            Failure::usage(format_args!(
                "cannot write {}: {problem}",
                line(&path.to_string_lossy())
            ))
        })
    }

    fn open_file(path: &Path) -> Result<Self, String> {
        let unusable = |err: io::Error| err.to_string();
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let found = match path.symlink_metadata() {
            // Looked at before it is opened, since that would wait for the reader of a pipe.
            Ok(found) => Some(regular(found)?),
            Err(err) if err.kind() == ErrorKind::NotFound => {
                options.create_new(true);
                None
            }
            Err(err) => return Err(unusable(err)),
        };
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(unusable)?;
        let metadata = file.metadata().map_err(unusable)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, PermissionsExt};
            let is_another =
                |found: Metadata| (found.dev(), found.ino()) != (metadata.dev(), metadata.ino());
            if found.is_some_and(is_another) {
                return Err("another file took its place: try again".to_owned());
            }
            // A file that was there may be open to others.
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(unusable)?;
        }
        #[cfg(not(unix))]
        let _ = found;
        let mut saver = Self {
            path: path.to_owned(),
            size: metadata.len(),
            file: file.try_clone().map_err(unusable)?,
        };
        if !ends_a_line(&mut file).map_err(unusable)? {
            saver.size += 1;
            saver.file.write_all(b"\n").map_err(unusable)?;
        }
        Ok(saver)
    }

    /// Appends an exchange that has ended.
    ///
    /// # Errors
    ///
    /// Returns an error, which was reported, if nothing more can be saved.
    pub(super) fn save(
        &mut self,
        history: &History,
        change: Result<Change, u64>,
    ) -> io::Result<()> {
        let Ok(Change::Added(id) | Change::Closed(id)) = change else {
            if let Err(missed) = change {
                self.warn_of(missed);
            }
            return Ok(());
        };
        let Some(exchange) = history.get(id) else {
            self.warn_of(1);
            return Ok(());
        };
        if !is_complete(&exchange) {
            return Ok(());
        }
        let object = terminal::json(&*exchange)? + "\n";
        self.size += object.len() as u64;
        let written = if self.size > LIMIT {
            Err(io::Error::other("it has 64 MiB"))
        } else {
            self.file.write_all(object.as_bytes())
        };
        if let Err(err) = &written {
            self.warn(&format!(
                "nothing more is saved ({err}): save to another file"
            ));
        }
        written
    }

    fn warn_of(&self, missed: u64) {
        let requests = terminal::counted(missed, "request was", "requests were");
        self.warn(&format!("{requests} not saved: too many came at a time"));
    }

    fn warn(&self, text: &str) {
        let path = self.path.to_string_lossy();
        // If stderr is closed, there is nowhere left to report that.
        let _ = writeln!(io::stderr(), "warning: --save {}: {text}", line(&path));
    }
}

/// Checks that something is a regular file.
fn regular(found: Metadata) -> Result<Metadata, String> {
    let kind = found.file_type();
    match () {
        () if kind.is_file() => Ok(found),
        () if kind.is_dir() => Err("it is a directory: pass a file in it".to_owned()),
        () if kind.is_symlink() => {
            Err("it is a symbolic link: pass the file that it leads to".to_owned())
        }
        () => Err("it is not a regular file, but a pipe or a device: pass another path".to_owned()),
    }
}

/// Returns whether a file is empty or ends with a line end. A full disk or an editor may have left the last line without one.
fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::inspect::{
        exchange::{Exchange, Request, Source},
        history::{Change, History},
    };

    #[test]
    fn a_disk_that_is_full_ends_the_saving() {
        let history = History::new();
        history.add(Exchange::of(1, 0, Source::Arrived, Request::default()));
        let full = Path::new("/dev/full");
        let mut saver = Saver {
            path: full.to_owned(),
            file: OpenOptions::new().write(true).open(full).unwrap(),
            size: 0,
        };
        let err = saver.save(&history, Ok(Change::Added(1))).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::StorageFull);
        // Nothing is to be saved.
        assert!(saver.save(&history, Ok(Change::Updated(1))).is_ok());
    }
}
