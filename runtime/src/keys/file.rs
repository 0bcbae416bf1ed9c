//! Keys in a file that may change while the app runs.

mod snapshot;

use std::{
    fmt, iter,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use tokio::sync::oneshot;
use twilio_signature::{AccountSid, ConfigError, RequestValidator};

use self::snapshot::{Snapshot, Stamp};
use super::store::{KeyQuery, KeyStore, KeyStoreError};

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
/// the start and later.
///
/// One thread, which ends with the last clone of the store, reads the file. Lookups that wait for it share its next look
/// at the file. A process that forks afterwards has no such thread, so fork first. If the file system hangs,
/// [`KeyFile::new`] waits for it; later, requests whose lookup reaches its time limit get a 500 until the file system
/// answers.
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
    lookups: SyncSender<Lookup>,
}

/// A lookup that waits for the thread that reads the file.
struct Lookup {
    account: Option<AccountSid>,
    keys: oneshot::Sender<Result<Option<RequestValidator>, ConfigError>>,
}

/// The largest number of lookups that wait, including those that were given up because the file system hangs.
const MAX_WAITING: usize = 1024;

impl KeyFile {
    /// Constructs a store from the path of a file, and reads the file to check it.
    ///
    /// # Errors
    ///
    /// Returns an error if it is not a regular file, if it can't be read, is larger than 16 MiB or has no keys, if a
    /// line is wrong, or if no thread can be started.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        let path: Arc<Path> = path.into().into();
        let last = Snapshot::read(&path, Stamp::of(&path)?)?;
        let (store, waiting) = Self::unread(&path);
        thread::Builder::new()
            .name("twilio-key-file".to_owned())
            .spawn(move || answer(&waiting, last, &path))
            .map_err(|err| {
                ConfigError::new(
                    "key file",
                    format!("no thread can be started to read it: {err}"),
                    "let the app start more threads",
                )
            })?;
        Ok(store)
    }

    /// Returns a store whose lookups wait for whoever has the receiver.
    fn unread(path: &Arc<Path>) -> (Self, Receiver<Lookup>) {
        let (lookups, waiting) = mpsc::sync_channel(MAX_WAITING);
        let path = Arc::clone(path);
        (Self { path, lookups }, waiting)
    }
}

impl KeyStore for KeyFile {
    async fn keys(&self, query: &KeyQuery) -> Result<Option<RequestValidator>, KeyStoreError> {
        let (keys, found) = oneshot::channel();
        let account = query.account.clone();
        let lookup = Lookup { account, keys };
        if self.lookups.try_send(lookup).is_err() {
            return Err("nobody reads the key file: its file system may hang".into());
        }
        Ok(found.await??)
    }
}

/// Answers lookups until there is no store that could send more.
fn answer(waiting: &Receiver<Lookup>, mut last: Snapshot, path: &Path) {
    while let Some(lookups) = next(waiting) {
        // A lookup must see each change that was made before it began, so the look at the file begins after all of them.
        let looked = last.refresh(path);
        for Lookup { account, keys } in lookups {
            let found = match &looked {
                Ok(()) => last.find(path, account.as_ref()),
                Err(err) => Err(err.clone()),
            };
            // An error means that the lookup was given up.
            let _ = keys.send(found);
        }
    }
}

/// Waits for a lookup, and returns it with all others that wait.
fn next(waiting: &Receiver<Lookup>) -> Option<Vec<Lookup>> {
    let first = waiting.recv().ok()?;
    let others = waiting.try_iter().take(MAX_WAITING);
    Some(iter::once(first).chain(others).collect())
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.path).finish()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    use std::{
        env, fs,
        os::unix::net::UnixListener,
        pin::Pin,
        process,
        task::{Context, Waker},
    };

    use tokio::runtime::{Builder, Runtime};

    type Found = Result<Option<RequestValidator>, KeyStoreError>;

    const A: &str = "AC0000000000000000000000000000000a";

    /// A path that names nothing at first, and nothing after the test.
    pub(super) struct TestPath(pub(super) PathBuf);

    impl TestPath {
        pub(super) fn new(name: &str) -> Self {
            let name = format!("actix-twilio-file-{}-{name}", process::id());
            Self(env::temp_dir().join(name))
        }

        pub(super) fn write(&self, text: &str) {
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

    fn runtime() -> Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    /// Begins lookups that nobody answers yet, and gives them up if they are dropped.
    fn begun<'s>(
        store: &'s KeyFile,
        query: &'s KeyQuery,
        count: usize,
    ) -> Vec<Pin<Box<dyn Future<Output = Found> + 's>>> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut begin = || {
            let mut lookup: Pin<Box<dyn Future<Output = Found>>> = Box::pin(store.keys(query));
            assert!(lookup.as_mut().poll(&mut cx).is_pending());
            lookup
        };
        (0..count).map(|_| begin()).collect()
    }

    #[test]
    fn lookups_that_wait_share_one_look_at_the_file() {
        let (store, waiting) = KeyFile::unread(&Path::new("keys").into());
        let query = query(A);
        let lookups = begun(&store, &query, 100);
        assert_eq!(next(&waiting).unwrap().len(), 100);
        drop(lookups);
        drop(store);
        assert!(next(&waiting).is_none());
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
        runtime().block_on(async {
            let err = store.keys(&query(A)).await.unwrap_err().to_string();
            assert!(err.contains(&refused), "{err}");
            drop(socket);
            fs::remove_file(&path.0).unwrap();
            path.write(&format!("{A} a\n"));
            assert!(store.keys(&query(A)).await.unwrap().is_some());
        });
    }

    #[test]
    fn lookups_that_wait_while_the_file_system_hangs_take_no_thread_and_are_bounded() {
        let file = TestPath::new("hangs");
        file.write(&format!("{A} a\n"));
        let path: Arc<Path> = file.0.clone().into();
        let last = Snapshot::read(&path, Stamp::of(&path).unwrap()).unwrap();
        // Nobody answers, as while the file system hangs.
        let (store, waiting) = KeyFile::unread(&path);
        let query = query(A);
        drop(begun(&store, &query, MAX_WAITING));
        runtime().block_on(async {
            assert!(store.keys(&query).await.is_err());
            let reader = thread::spawn(move || answer(&waiting, last, &path));
            // A lookup finds no room until the first look is over.
            while store.keys(&query).await.is_err() {
                thread::yield_now();
            }
            assert!(store.keys(&query).await.unwrap().is_some());
            drop(store);
            reader.join().unwrap();
        });
    }
}
