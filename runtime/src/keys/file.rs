//! Keys in a file that may change while the app runs.

mod snapshot;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use actix_web::rt::task::spawn_blocking;
use tokio::sync::Mutex;
use twilio_signature::{ConfigError, RequestValidator};

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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    use std::{
        env, fs,
        os::unix::net::UnixListener,
        pin::pin,
        process,
        task::{Context, Waker},
    };

    use tokio::runtime::{Builder, Runtime};

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

    fn one_blocking_thread() -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.max_blocking_threads(1).build().unwrap()
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
}
