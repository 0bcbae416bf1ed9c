//! Keys in a file that may change while the app runs.

use std::{
    fmt, fs,
    io::Error,
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use actix_web::rt::task::spawn_blocking;

use twilio_signature::{AuthToken, ConfigError, RequestValidator};

use super::{
    map::KeyMap,
    store::{KeyQuery, KeyStore, KeyStoreError},
};

/// Reads the keys of accounts from a file, and reads it again when it changes, so that tokens can be rotated and
/// accounts added without a restart.
///
/// Each line has an account's SID, white space, and the account's Auth Tokens, separated by commas. A line that
/// starts with `default` in place of a SID is for requests that name no account. Empty lines and lines that start
/// with `#` are ignored:
///
/// ```text
/// # account                          tokens
/// AC00000000000000000000000000000001 0123456789abcdef0123456789abcdef
/// AC00000000000000000000000000000002 new-token,old-token
/// default                            0123456789abcdef0123456789abcdef
/// ```
///
/// The file is read again if its length, its modification time or, on Unix, its inode or its change time differs.
/// The app looks at these when it looks up an account that it did not look up in the last 10 s, and when a signature
/// does not match.
///
/// # Security
///
/// Replace the file in one step: write another file, then rename it. A half-written file is an error, and requests
/// get a 500 until it is complete: the last contents are not used meanwhile, since they may have a token that is
/// being revoked. A file counts as half-written if it has no keys, if its last line has no line end, or, for two
/// seconds after a change, for the accounts that it no longer has. Make sure that only the app can read the file.
///
/// # Examples
///
/// ```no_run
/// use actix_twilio::{TwilioConfig, keys::KeyFile};
///
/// let config = TwilioConfig::builder().key_store(KeyFile::new("/etc/webhooks/keys")?).build()?;
/// # Ok::<(), actix_twilio::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct KeyFile(Arc<Inner>);

struct Inner {
    path: PathBuf,
    /// The last contents. While a request reads the file again, others wait for it and do not read it themselves.
    last: Mutex<Snapshot>,
}

struct Snapshot {
    stamp: Stamp,
    /// Whether any later change must change the stamp. The clock of a file system may tick only every two seconds.
    settled: bool,
    keys: KeyMap,
    /// What the file had before it changed, until the change is settled.
    before: Option<KeyMap>,
}

/// The character that some editors write at the start of a UTF-8 file.
const BYTE_ORDER_MARK: char = '\u{feff}';

const TICK: Duration = Duration::from_secs(2);

/// What shows that a file has changed.
#[derive(PartialEq, Eq)]
struct Stamp {
    /// In bytes.
    len: u64,
    modified: Option<SystemTime>,
    /// Device, inode and change time: a file that is renamed into place has others, whatever else it has in common.
    #[cfg(unix)]
    identity: [i64; 4],
}

impl Stamp {
    fn of(path: &Path) -> Result<Self, ConfigError> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;

        let metadata = fs::metadata(path).map_err(|err| unreadable(path, &err))?;
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

impl KeyFile {
    /// Constructs a store from the path of a file, and reads the file to check it.
    ///
    /// # Errors
    ///
    /// Returns an error if the file can't be read or a line is wrong.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        let last = Snapshot::read(&path, Stamp::of(&path)?)?;
        Ok(Self(Arc::new(Inner {
            path,
            last: Mutex::new(last),
        })))
    }
}

impl Inner {
    fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, ConfigError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken before the file is read, so that a change meanwhile is read the next time.
        let stamp = Stamp::of(&self.path)?;
        if stamp != last.stamp || !last.settled {
            let mut new = Snapshot::read(&self.path, stamp)?;
            if !new.settled {
                // The oldest contents count: a file may be written in several steps.
                new.before = last.before.take();
                if new.before.is_none() && new.stamp != last.stamp {
                    new.before = Some(mem::take(&mut last.keys));
                }
            }
            *last = new;
        }
        let account = query.account.as_ref();
        let had = |keys: &KeyMap| keys.get(account).is_some();
        match last.keys.get(account) {
            None if last.before.as_ref().is_some_and(had) => Err(half_written(
                &self.path,
                "it lost an account less than 2 s ago",
            )),
            keys => Ok(keys.cloned()),
        }
    }
}

impl KeyStore for KeyFile {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        let (inner, query) = (Arc::clone(&self.0), query.clone());
        Ok(spawn_blocking(move || inner.keys(&query)).await??)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.0.path).finish()
    }
}

impl Snapshot {
    fn read(path: &Path, stamp: Stamp) -> Result<Self, ConfigError> {
        let settled = stamp.is_settled(SystemTime::now());
        let text = fs::read_to_string(path).map_err(|err| unreadable(path, &err))?;
        // R15
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
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
        Ok(Self {
            stamp,
            settled,
            keys,
            before: None,
        })
    }
}

fn half_written(path: &Path, sign: &str) -> ConfigError {
    ConfigError::new(
        "key file",
        format!("{} may be half-written: {sign}", path.display()),
        "write another file, with a line end after the last line, and rename it into place",
    )
}

fn unreadable(path: &Path, err: &Error) -> ConfigError {
    ConfigError::new(
        "key file",
        format!("{} can't be read: {err}", path.display()),
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

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
