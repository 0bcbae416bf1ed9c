//! Reads files, the standard input (written `-`) and environment variables.

use std::{
    borrow::Cow,
    env::{self, VarError},
    fmt,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use zeroize::Zeroizing;

use crate::outcome::Failure;

/// The largest file in bytes that is read as a whole.
const READ_LIMIT: u64 = 64 * 1024 * 1024;

/// The largest file in bytes that secrets are read from. A list of tokens takes many times the memory of its text.
const SECRET_LIMIT: u64 = 1024 * 1024;

/// The largest captured request in bytes: eight times the largest body that the library accepts by default. Somebody else
/// may have written it, and it takes many times the memory of its text, and is hashed for each key and URL.
pub(crate) const CAPTURE_LIMIT: u64 = 2 * 1024 * 1024;

/// Opens a file, or the standard input if the path is `-`.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    open_input(path).map_err(|err| unreadable(path, &err))
}

fn open_input(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if is_stdin(path) {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    Ok(Box::new(BufReader::new(File::open(path)?)))
}

/// Reads a whole input, or returns `None` if it is longer than a limit in bytes.
fn read_bytes(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    open_input(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= limit))
}

/// Reads a whole file, or the whole standard input if the path is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    read_up_to(path, READ_LIMIT)
}

/// Reads a whole input that is not longer than a limit in bytes.
pub(crate) fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let bytes = read_bytes(path, limit).map_err(|err| unreadable(path, &err))?;
    bytes.ok_or_else(|| Failure::usage(format_args!("{} is longer than {limit} bytes", name(path))))
}

/// The number of lines in a row that are none of a command's, after which it reads no more.
pub(crate) const MAX_FOREIGN_LINES: usize = 1_000;

/// Returns the error for an input with too many lines in a row that are none of a command's.
pub(crate) fn foreign(path: &Path, expected: &str) -> Failure {
    Failure::usage(format_args!(
        "none of {MAX_FOREIGN_LINES} lines in a row {expected}, so the rest of {} was not read: pass another file",
        name(path)
    ))
}

/// Removes a byte order mark, which some editors write before a text.
pub(crate) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
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

/// Reads secrets from the file of an option, or from the standard input if the path is `-`, as text.
///
/// # Errors
///
/// The error does not repeat the path, which may be a secret that was passed in place of its file.
pub(crate) fn read_secret(option: &str, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let wrong = |problem: &dyn fmt::Display| {
        let input = if is_stdin(path) {
            "standard input"
        } else {
            "file"
        };
        Failure::usage(format_args!("{option}: the {input} {problem}"))
    };
    let bytes = read_bytes(path, SECRET_LIMIT);
    let bytes = bytes.map_err(|err| wrong(&format_args!("cannot be read: {err}")))?;
    let bytes = bytes.ok_or_else(|| wrong(&format_args!("is longer than {SECRET_LIMIT} bytes")))?;
    let bytes = Zeroizing::new(bytes);
    match str::from_utf8(without_mark(&bytes)) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(wrong(&"is not UTF-8 text")),
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
