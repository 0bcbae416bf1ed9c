//! Appends each request to a file, for `--replay`, `verify --jsonl` and `explain`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    commands::listen::lines::is_complete,
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
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let unusable = |err: io::Error| {
            Failure::usage(format_args!(
                "cannot write {}: {err}",
                path.to_string_lossy()
            ))
        };
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(unusable)?;
        let metadata = file.metadata().map_err(unusable)?;
        // A file that was there may be open to others.
        #[cfg(unix)]
        if metadata.is_file() {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))
                .map_err(unusable)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            size: metadata.len(),
        })
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
                self.warn(&format!(
                    "{missed} requests were not saved: too many came at a time"
                ));
            }
            return Ok(());
        };
        let Some(exchange) = history.get(id).filter(|exchange| is_complete(exchange)) else {
            return Ok(());
        };
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

    fn warn(&self, text: &str) {
        let path = self.path.to_string_lossy();
        // If stderr is closed, there is nowhere left to report that.
        let _ = writeln!(io::stderr(), "warning: --save {}: {text}", line(&path));
    }
}
