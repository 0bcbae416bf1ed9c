//! Reads files, the standard input for `-`, and environment variables.

use std::{
    env::{self, VarError},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use zeroize::Zeroizing;

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

/// Reads a file of secrets, or the standard input for `-`, as text.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(read(path)?);
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::usage(format_args!(
            "{} is not text in UTF-8",
            path.display()
        ))),
    }
}

/// Returns a secret from the environment.
pub(crate) fn variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match env::var(name) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::usage(format_args!("{name} is not text in UTF-8")))
        }
    }
}

/// Checks that at most one input is the standard input. Each is given as whether it is.
pub(crate) fn at_most_one_stdin(inputs: &[bool]) -> Result<(), Failure> {
    if inputs.iter().filter(|is_stdin| **is_stdin).count() > 1 {
        return Err(Failure::usage(
            "only one of the inputs can be the standard input",
        ));
    }
    Ok(())
}

/// Returns whether this path means the standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Says that an input can't be read.
pub(crate) fn unreadable(path: &Path, err: &io::Error) -> Failure {
    Failure::usage(format_args!("{} can't be read: {err}", path.display()))
}
