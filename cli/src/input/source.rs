//! Inputs that are given as a file or, by `-`, as the standard input.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use crate::outcome::Failure;

/// Opens a file, or the standard input for `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if is_stdin(path) {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).map_err(|err| unreadable(path, &err))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Reads a file, or the standard input for `-`, to its end.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path)?
        .read_to_end(&mut bytes)
        .map_err(|err| unreadable(path, &err))?;
    Ok(bytes)
}

/// Returns whether this path means the standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Says that an input can't be read.
pub(crate) fn unreadable(path: &Path, err: &io::Error) -> Failure {
    Failure::usage(format_args!("{} can't be read: {err}", path.display()))
}
