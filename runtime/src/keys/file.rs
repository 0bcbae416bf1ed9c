//! Keys in a file that may change while the app runs.

use std::{
    collections::HashSet,
    fmt,
    fs::{self, File},
    io::{Error, Read},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix_web::rt::task::spawn_blocking;
use tokio::sync::Mutex;
use twilio_signature::{AccountSid, AuthToken, ConfigError, RequestValidator};

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
/// It must be a regular file or a link to one, of at most 16 MiB. Anything else, such as a named pipe, is an error, at
/// the start and later. If the file system hangs, [`KeyFile::new`] waits for it. Later, one thread waits for it, and
/// requests whose lookup reaches its time limit get a 500 until the file system answers.
///
/// # Security
///
/// Replace the file in one step: write another file, then rename it. A half-written file is an error, and requests
/// get a 500 until it is complete: the last contents are not used meanwhile, since they may have a token that is
/// being revoked. A file counts as half-written if it has no keys, if its last line has no line end, or, for two
/// seconds after a change, for the accounts that it no longer has. If it changes again within that
/// time, the accounts of all contents that the app has read meanwhile count, and of those before the first change. Make
/// sure that only the app can read the file.
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
pub struct KeyFile {
    path: Arc<Path>,
    /// The last contents. A thread that looks at the file holds the lock, even after its request was given up. So if the
    /// file system hangs, it takes one thread: other requests wait for the lock without a thread.
    last: Arc<Mutex<Snapshot>>,
}

struct Snapshot {
    /// When it began to be read. It is new enough for all lookups that began before.
    read_at: Instant,
    stamp: Stamp,
    /// Whether any later change must change the stamp. The clock of a file system may tick only every two seconds.
    settled: bool,
    keys: KeyMap,
    /// The accounts of all contents that were read before, until the last change is settled. `None` stands for the
    /// default keys.
    before: HashSet<Option<AccountSid>>,
}

/// The character that some editors write at the start of a UTF-8 file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The largest length of the file in bytes. It is enough for more than 200 000 accounts.
const MAX_LEN: usize = 16 * 1024 * 1024;

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

impl KeyFile {
    /// Constructs a store from the path of a file, and reads the file to check it.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not a regular file, if it can't be read, is larger than 16 MiB or has no keys, or if a
    /// line is wrong.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path = path.into();
        let last = Snapshot::read(&path, Stamp::of(&path)?)?;
        Ok(Self {
            path: path.into(),
            last: Arc::new(Mutex::new(last)),
        })
    }
}

impl KeyStore for KeyFile {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        let began = Instant::now();
        let (path, account) = (Arc::clone(&self.path), query.account.clone());
        let mut last = Arc::clone(&self.last).lock_owned().await;
        // All lookups that wait while the file is read need one more reading together, and no thread.
        if last.read_at >= began {
            return Ok(last.find(&path, account.as_ref())?);
        }
        let keys = move || {
            last.refresh(&path)?;
            last.find(&path, account.as_ref())
        };
        Ok(spawn_blocking(keys).await??)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.path).finish()
    }
}

impl Snapshot {
    fn read(path: &Path, stamp: Stamp) -> Result<Self, ConfigError> {
        let read_at = Instant::now();
        let was_settled = stamp.is_settled(SystemTime::now());
        let text = read_text(path)?;
        // The file may have changed after the stamp was taken.
        let settled = was_settled && Stamp::of(path)? == stamp;
        Ok(Self {
            read_at,
            stamp,
            settled,
            keys: parse(path, &text)?,
            before: HashSet::new(),
        })
    }

    /// Reads the file again if it may have changed.
    fn refresh(&mut self, path: &Path) -> Result<(), ConfigError> {
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

    fn find(
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
    use super::*;

    use std::{
        env,
        os::unix::net::UnixListener,
        pin::pin,
        process,
        task::{Context, Waker},
    };

    use tokio::runtime::{Builder, Runtime};

    const A: &str = "AC0000000000000000000000000000000a";
    const B: &str = "AC0000000000000000000000000000000b";
    const C: &str = "AC0000000000000000000000000000000c";

    /// A path that names nothing at first, and nothing after the test.
    struct TestPath(PathBuf);

    impl TestPath {
        fn new(name: &str) -> Self {
            let name = format!("actix-twilio-file-{}-{name}", process::id());
            Self(env::temp_dir().join(name))
        }

        fn write(&self, text: &str) {
            fs::write(&self.0, text).unwrap();
        }
    }

    impl Drop for TestPath {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn query(account: &str) -> KeyQuery {
        KeyQuery {
            account: Some(account.parse().unwrap()),
            shared_key: None,
        }
    }

    fn one_blocking_thread() -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(1).build().unwrap()
    }

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
    fn lookups_that_wait_while_the_file_is_read_need_one_more_reading_together() {
        let path = TestPath::new("waiting");
        path.write("default 12345\n");
        // The file has just been written, so it is read again and again.
        let store = KeyFile::new(&path.0).unwrap();
        let query = query(A);
        one_blocking_thread().block_on(async {
            let reading = store.last.lock().await;
            let mut cx = Context::from_waker(Waker::noop());
            let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(store.keys(&query))).collect();
            for lookup in &mut waiting {
                assert!(lookup.as_mut().poll(&mut cx).is_pending());
            }
            drop(reading);
            let mut waiting = waiting.into_iter();
            assert!(waiting.next().unwrap().await.unwrap().is_none());
            for mut lookup in waiting {
                assert!(lookup.as_mut().poll(&mut cx).is_ready());
            }
        });
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_the_start_and_later() {
        let path = TestPath::new("socket");
        path.write(&format!("{A} a\n"));
        let store = KeyFile::new(&path.0).unwrap();
        fs::remove_file(&path.0).unwrap();
        let socket = UnixListener::bind(&path.0).unwrap();
        let refused = format!("{} is not a regular file", path.0.display());
        let err = KeyFile::new(&path.0).unwrap_err().to_string();
        assert!(err.contains(&refused), "{err}");
        // A device that has no end.
        let err = KeyFile::new("/dev/zero").unwrap_err().to_string();
        assert!(err.contains("/dev/zero is not a regular file"), "{err}");
        one_blocking_thread().block_on(async {
            let err = store.keys(&query(A)).await.unwrap_err().to_string();
            assert!(err.contains(&refused), "{err}");
            drop(socket);
            fs::remove_file(&path.0).unwrap();
            path.write(&format!("{A} a\n"));
            assert!(store.keys(&query(A)).await.unwrap().is_some());
        });
    }

    #[test]
    fn lookups_that_wait_while_the_file_system_hangs_take_no_thread() {
        let path = TestPath::new("hangs");
        path.write(&format!("{A} a\n"));
        let store = KeyFile::new(&path.0).unwrap();
        one_blocking_thread().block_on(async {
            // As the thread does that waits for the file system.
            let reading = store.last.lock().await;
            for _ in 0..100 {
                let query = query(A);
                let given_up = pin!(store.keys(&query));
                let mut cx = Context::from_waker(Waker::noop());
                assert!(given_up.poll(&mut cx).is_pending());
            }
            // The only thread is free.
            spawn_blocking(|| ()).await.unwrap();
            drop(reading);
            assert!(store.keys(&query(A)).await.unwrap().is_some());
        });
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
            read_at: Instant::now(),
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
                let found = last.find(path, query(account).account.as_ref());
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
