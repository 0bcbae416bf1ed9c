//! Reads files, the standard input (written `-`) and environment variables.

use std::{
    borrow::Cow,
    env::{self, VarError},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::outcome::Failure;

/// The largest file in bytes that is read as a whole.
const READ_LIMIT: u64 = 64 * 1024 * 1024;

/// The largest captured request in bytes: eight times the largest body that the library accepts by default. Somebody else
/// may have written it, and it takes many times the memory of its text, and is hashed for each key and URL.
pub(crate) const CAPTURE_LIMIT: u64 = 2 * 1024 * 1024;

/// Opens a file, or the standard input if the path is `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if is_stdin(path) {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).map_err(|err| unreadable(path, &err))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Reads a whole file, or the whole standard input if the path is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    read_up_to(path, READ_LIMIT)
}

/// Reads a whole input that is not longer than a limit in bytes.
pub(crate) fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path)?
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|err| unreadable(path, &err))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::usage(format_args!(
            "{} is longer than {limit} bytes",
            name(path)
        )));
    }
    Ok(bytes)
}

/// Reads a line with its line end, or nothing at the end of the input. Returns whether the whole line
/// was kept: the rest of a line that is longer than [`CAPTURE_LIMIT`] is skipped.
pub(crate) fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let read = lines.by_ref().take(CAPTURE_LIMIT).read_until(b'\n', line)?;
    if read as u64 == CAPTURE_LIMIT && line.last() != Some(&b'\n') {
        return lines.skip_until(b'\n').map(|skipped| skipped == 0);
    }
    Ok(true)
}

/// Reads secrets from a file, or from the standard input if the path is `-`, as text.
pub(crate) fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = Zeroizing::new(read(path)?);
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::usage(format_args!(
            "{} is not UTF-8 text",
            name(path)
        ))),
    }
}

/// Returns a secret from an environment variable, or `None` if it is not set.
pub(crate) fn variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match env::var(name) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(Failure::usage(format_args!("{name} is not UTF-8 text")))
        }
    }
}

/// Checks that at most one input is read from the standard input; `inputs` has `true` for each that is.
pub(crate) fn at_most_one_stdin(inputs: &[bool]) -> Result<(), Failure> {
    if inputs.iter().filter(|is_stdin| **is_stdin).count() > 1 {
        return Err(Failure::usage(
            "two inputs come from the standard input: pass one of them as a file",
        ));
    }
    Ok(())
}

/// Returns whether a path is `-`, which means the standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns the error for an input that cannot be read.
pub(crate) fn unreadable(path: &Path, err: &io::Error) -> Failure {
    Failure::usage(format_args!("cannot read {}: {err}", name(path)))
}

/// Returns the name of an input for an error message.
fn name(path: &Path) -> Cow<'_, str> {
    if is_stdin(path) {
        "the standard input".into()
    } else {
        path.to_string_lossy()
    }
}
