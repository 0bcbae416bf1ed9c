//! What a key file contained when it was last read.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{Error, Read},
    mem,
    path::Path,
    time::{Duration, SystemTime},
};

use twilio_signature::{AccountSid, AuthToken, ConfigError, RequestValidator};

use crate::keys::map::KeyMap;

/// The character that some editors write at the start of a UTF-8 file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The largest length of the file in bytes. It is enough for more than 200 000 accounts.
const MAX_LEN: usize = 16 * 1024 * 1024;

const TICK: Duration = Duration::from_secs(2);

/// What the file contained, and when.
pub(super) struct Snapshot {
    stamp: Stamp,
    /// Whether any later change must change the stamp. The clock of a file system may tick only every two seconds.
    settled: bool,
    keys: KeyMap,
    /// The accounts of all contents that were read before, until the last change is settled. `None` stands for the
    /// default keys.
    before: HashSet<Option<AccountSid>>,
}

impl Snapshot {
    pub(super) fn read(path: &Path, stamp: Stamp) -> Result<Self, ConfigError> {
        let was_settled = stamp.is_settled(SystemTime::now());
        let text = read_text(path)?;
        // The file may have changed after the stamp was taken.
        let settled = was_settled && Stamp::of(path)? == stamp;
        Ok(Self {
            stamp,
            settled,
            keys: parse(path, &text)?,
            before: HashSet::new(),
        })
    }

    /// Reads the file again if it may have changed.
    pub(super) fn refresh(&mut self, path: &Path) -> Result<(), ConfigError> {
        // Taken before the file is read, so that a change meanwhile is read the next time.
        let stamp = Stamp::of(path)?;
        if stamp != self.stamp || !self.settled {
            self.replace_by(Self::read(path, stamp)?);
        }
        Ok(())
    }

    fn replace_by(&mut self, new: Self) {
        let mut old = mem::replace(self, new);
        if !self.settled {
            // A file may be written in several steps, and each may have accounts that the next does not have yet.
            old.before.extend(old.keys.into_accounts());
            self.before = old.before;
        }
    }

    pub(super) fn find(
        &self,
        path: &Path,
        account: Option<&AccountSid>,
    ) -> Result<Option<RequestValidator>, ConfigError> {
        match self.keys.get(account) {
            None if self.before.contains(&account.cloned()) => {
                Err(half_written(path, "it lost an account less than 2 s ago"))
            }
            keys => Ok(keys.cloned()),
        }
    }
}

/// What shows that a file has changed.
#[derive(PartialEq, Eq)]
pub(super) struct Stamp {
    /// In bytes.
    len: u64,
    modified: Option<SystemTime>,
    /// Device, inode and change time: a file that is renamed into place has others, whatever else it has in common.
    #[cfg(unix)]
    identity: [i64; 4],
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Result<Self, ConfigError> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;

        let metadata = fs::metadata(path).map_err(|err| unreadable(path, &err))?;
        // To open a named pipe would wait for someone to write to it, and some devices have no end.
        if !metadata.is_file() {
            return Err(unusable(path, "is not a regular file"));
        }
        Ok(Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            identity: [
                metadata.dev().cast_signed(),
                metadata.ino().cast_signed(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ],
        })
    }

    /// Returns whether any later change must change the stamp. The system sets the change time; anyone may set the time
    /// of modification, for example to a year from now.
    fn is_settled(&self, now: SystemTime) -> bool {
        #[cfg(unix)]
        let changed = {
            let [_, _, seconds, _] = self.identity;
            let seconds = u64::try_from(seconds).unwrap_or_default();
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
        };
        #[cfg(not(unix))]
        let changed = self.modified;
        let age = changed.and_then(|changed| now.duration_since(changed).ok());
        age.is_some_and(|age| age > TICK)
    }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let file = File::open(path).map_err(|err| unreadable(path, &err))?;
    let mut text = Vec::new();
    // One byte more shows that the file is too large.
    file.take(MAX_LEN as u64 + 1)
        .read_to_end(&mut text)
        .map_err(|err| unreadable(path, &err))?;
    if text.len() > MAX_LEN {
        return Err(unusable(path, "is larger than 16 MiB"));
    }
    String::from_utf8(text).map_err(|_| unusable(path, "is not in UTF-8"))
}

fn parse(path: &Path, text: &str) -> Result<KeyMap, ConfigError> {
    // R15
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim().is_empty() {
        return Err(half_written(path, "it is empty"));
    }
    if !text.ends_with('\n') {
        return Err(half_written(path, "its last line has no line end"));
    }
    let mut keys = KeyMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        keys = add_line(keys, line).map_err(|err| {
            ConfigError::new(
                "key file",
                format!("{}, line {number}: {err}", path.display()),
                "write an account SID or `default`, a space, and tokens separated by commas",
            )
        })?;
    }
    if keys.is_empty() {
        return Err(half_written(path, "it has no keys"));
    }
    Ok(keys)
}

fn half_written(path: &Path, sign: &str) -> ConfigError {
    ConfigError::new(
        "key file",
        format!("{} may be half-written: {sign}", path.display()),
        "write another file, with a line end after the last line, and rename it into place",
    )
}

fn unreadable(path: &Path, err: &Error) -> ConfigError {
    unusable(path, &format!("can't be read: {err}"))
}

fn unusable(path: &Path, problem: &str) -> ConfigError {
    ConfigError::new(
        "key file",
        format!("{} {problem}", path.display()),
        "set the path of a file that the app can read",
    )
}

fn add_line(keys: KeyMap, line: &str) -> Result<KeyMap, ConfigError> {
    let (owner, tokens) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if tokens
        .split(',')
        .any(|token| token.trim().contains(char::is_whitespace))
    {
        return Err(ConfigError::new(
            "Auth Token",
            "it contains a space",
            "separate tokens by commas",
        ));
    }
    let tokens = AuthToken::parse_list(tokens)?;
    let validator = RequestValidator::new(tokens)?;
    let account = match owner {
        "default" => None,
        sid => Some(sid.parse()?),
    };
    if keys.get(account.as_ref()).is_some() {
        return Err(ConfigError::new(
            "account",
            "it already has a line",
            "write all of its tokens on one line",
        ));
    }
    Ok(match account {
        Some(account) => keys.account(account, validator),
        None => keys.default_keys(validator),
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::{
        super::{KeyFile, tests::TestPath},
        *,
    };

    const A: &str = "AC0000000000000000000000000000000a";
    const B: &str = "AC0000000000000000000000000000000b";
    const C: &str = "AC0000000000000000000000000000000c";

    #[test]
    fn a_file_that_changed_after_its_stamp_was_taken_is_read_again() {
        let path = TestPath::new("changed");
        path.write("default 12345\n");
        let stamp = Stamp {
            len: 0,
            modified: Some(SystemTime::UNIX_EPOCH),
            #[cfg(unix)]
            identity: [0; 4],
        };
        assert!(stamp.is_settled(SystemTime::now()));
        assert!(!Snapshot::read(&path.0, stamp).unwrap().settled);
    }

    #[test]
    fn a_file_of_more_than_16_mib_is_refused() {
        let path = TestPath::new("large");
        let lines = format!("{A} a\n#");
        let file = |len| lines.clone() + &" ".repeat(len - lines.len() - 1) + "\n";
        path.write(&file(MAX_LEN));
        assert!(KeyFile::new(&path.0).is_ok());
        path.write(&file(MAX_LEN + 1));
        let err = KeyFile::new(&path.0).unwrap_err().to_string();
        assert!(err.contains("is larger than 16 MiB"), "{err}");
    }

    #[test]
    fn a_file_without_keys_is_half_written_whatever_its_age() {
        for text in ["", "\n", "# comment\n", "\n# comment\n  \n", "\u{feff}#\n"] {
            let err = parse(Path::new("keys"), text).unwrap_err().to_string();
            assert!(err.contains("half-written"), "{text:?}: {err}");
        }
    }

    #[test]
    fn an_account_that_any_of_several_changes_in_a_row_had_is_not_unknown() {
        let path = Path::new("keys");
        let snapshot = |accounts: &[&str], settled| Snapshot {
            stamp: Stamp {
                len: 1,
                modified: None,
                identity: [1, 2, 3, 4],
            },
            settled,
            keys: parse(path, &(accounts.join(" t\n") + " t\n")).unwrap(),
            before: HashSet::new(),
        };
        let known = |last: &Snapshot| {
            [A, B, C].map(|account| {
                let found = last.find(path, Some(&account.parse().unwrap()));
                found.map(|keys| keys.is_some()).ok()
            })
        };
        let mut last = snapshot(&[A], true);
        last.replace_by(snapshot(&["default", B], false));
        assert_eq!(known(&last), [None, Some(true), Some(false)]);
        last.replace_by(snapshot(&["default"], false));
        assert_eq!(known(&last), [None, None, Some(false)]);
        assert!(last.find(path, None).unwrap().is_some());
        last.replace_by(snapshot(&[A], false));
        assert_eq!(known(&last), [Some(true), None, Some(false)]);
        assert!(last.find(path, None).is_err());
        last.replace_by(snapshot(&[A], true));
        assert_eq!(known(&last), [Some(true), Some(false), Some(false)]);
        assert!(last.find(path, None).unwrap().is_none());
    }

    #[test]
    fn a_file_is_settled_two_seconds_after_its_change_whatever_time_it_was_given() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for modified in [None, Some(at(0)), Some(at(1000)), Some(at(1_000_000))] {
            let stamp = Stamp {
                len: 1,
                modified,
                identity: [1, 2, 1000, 5],
            };
            for (now, settled) in [(999, false), (1002, false), (1004, true)] {
                assert_eq!(stamp.is_settled(at(now)), settled, "{modified:?} {now}");
            }
        }
    }
}
