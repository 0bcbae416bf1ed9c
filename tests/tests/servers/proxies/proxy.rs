//! nginx, HAProxy and Apache as they run in front of apps: each a process of its own, on an address
//! of the loopback of its own, with a configuration that users write. And a client that is not ours.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// The folder that all files of this process go to.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("proxies-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    make_certificate(&folder);
    folder
});

/// Writes `example.com.key`, and `example.com.pem` with the certificate and, for HAProxy, the key.
fn make_certificate(folder: &Path) {
    let (key, cert) = (folder.join("example.com.key"), folder.join("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"])
        .args(["-pkeyopt", "ec_paramgen_curve:P-256"])
        .args(["-subj", "/CN=example.com"])
        .args(["-addext", "subjectAltName=DNS:example.com"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{made:?}");
    let both = [fs::read(&cert).unwrap(), fs::read(&key).unwrap()].concat();
    fs::write(folder.join("example.com.pem"), both).unwrap();
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
    Apache,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Apache];

    /// The configuration for an app at the root of `https://example.com`.
    pub(crate) fn plain(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../../data/proxies/nginx.conf"),
            Self::Haproxy => include_str!("../../../data/proxies/haproxy.cfg"),
            Self::Apache => include_str!("../../../data/proxies/apache.conf"),
        }
    }

    /// The configuration for an app under `https://example.com/twilio/`, a prefix that is stripped.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../../data/proxies/nginx-prefix.conf"),
            Self::Haproxy => include_str!("../../../data/proxies/haproxy-prefix.cfg"),
            Self::Apache => include_str!("../../../data/proxies/apache-prefix.conf"),
        }
    }

    /// The configuration for a proxy behind another one.
    pub(crate) fn inner(self) -> &'static str {
        match self {
            Self::Nginx => include_str!("../../../data/proxies/nginx-inner.conf"),
            Self::Haproxy => include_str!("../../../data/proxies/haproxy-inner.cfg"),
            Self::Apache => include_str!("../../../data/proxies/apache-inner.conf"),
        }
    }

    /// Whether a line of a configuration sets, adds or removes a forwarded header.
    pub(crate) fn is_header_line(self, line: &str) -> bool {
        let line = line.trim_start();
        match self {
            Self::Nginx => line.starts_with("proxy_set_header X-"),
            Self::Haproxy => line.starts_with("http-request ") && line.contains("-header X-"),
            Self::Apache => line.starts_with("RequestHeader ") || line.starts_with("ProxyAdd"),
        }
    }

    /// Whether a line of a configuration is one that users need: on headers or on the path, but not on
    /// where the proxy listens or on certificates.
    pub(crate) fn is_essential_line(self, line: &str) -> bool {
        let starts: &[&str] = match self {
            Self::Nginx => &["proxy_", "location "],
            Self::Haproxy => &["http-request "],
            Self::Apache => &["RequestHeader ", "Proxy", "AllowEncodedSlashes "],
        };
        starts.iter().any(|start| line.starts_with(start))
    }

    /// The blocks of a page in Markdown that show a configuration of this proxy.
    pub(crate) fn blocks_of(self, page: &str) -> Vec<&str> {
        let opening = match self {
            Self::Nginx => "\n```nginx\n",
            Self::Haproxy => "\n```haproxy\n",
            Self::Apache => "\n```apache\n",
        };
        page.split(opening)
            .skip(1)
            .map(|rest| rest.split("\n```\n").next().unwrap())
            .collect()
    }

    /// The command that runs the proxy in the foreground, as a single process.
    fn command(self, folder: &Path) -> Command {
        let file = folder.join("main.conf");
        let mut command = Command::new(match self {
            Self::Nginx => "/usr/sbin/nginx",
            Self::Haproxy => "/usr/sbin/haproxy",
            Self::Apache => "/usr/sbin/apache2",
        });
        match self {
            Self::Nginx => command.arg("-p").arg(folder).arg("-c").arg(file),
            Self::Haproxy => command.args(["-db", "-f"]).arg(file),
            Self::Apache => command.args(["-X", "-f"]).arg(file),
        };
        command
    }

    /// What Debian's packages have around a site's configuration.
    fn main(self, site: &str, folder: &Path, address: SocketAddr) -> String {
        let folder = folder.display();
        match self {
            Self::Nginx => {
                let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .map(|name| format!("{name}_temp_path {folder}/{name};\n"))
                    .concat();
                format!(
                    "daemon off; master_process off; pid {folder}/pid; error_log stderr;\n\
                     events {{}}\n\
                     http {{\naccess_log off;\n{temp}{site}}}\n",
                )
            }
            Self::Haproxy => format!(
                "defaults\n timeout client 30s\n timeout server 30s\n timeout connect 5s\n{site}",
            ),
            Self::Apache => {
                let modules: String = [
                    "mpm_event",
                    "authz_core",
                    "socache_shmcb",
                    "ssl",
                    "http2",
                    "headers",
                    "proxy",
                    "proxy_http",
                ]
                .map(|name| format!("LoadModule {name}_module {APACHE_MODULES}/mod_{name}.so\n"))
                .concat();
                format!(
                    "{modules}ServerRoot {folder}\nServerName localhost\nPidFile {folder}/pid\n\
                     DefaultRuntimeDir {folder}\nErrorLog {folder}/log\nListen {address}\n\
                     User www-data\nGroup www-data\n{site}",
                )
            }
        }
    }
}

const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

/// A running proxy, which ends when this is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    folder: PathBuf,
    child: Mutex<Child>,
}

impl Proxy {
    /// Starts a proxy with a configuration as in the documentation, but on a free port, with the test's
    /// certificate, and before this upstream.
    #[track_caller]
    pub(crate) fn start(kind: Kind, site: &str, upstream: SocketAddr) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = FOLDER.join(number.to_string());
        fs::create_dir_all(&folder).unwrap();
        let address = address(number);

        assert!(site.contains("127.0.0.1:8080"), "the app's address");
        let listening = ["listen 443", "bind :443", "*:443", "127.0.0.1:8081"]
            .into_iter()
            .find(|listening| site.contains(listening))
            .expect("the configuration listens");
        let here = match listening.split_once(' ') {
            Some((word, _)) => format!("{word} {address}"),
            None => address.to_string(),
        };
        let site = site
            .replace(listening, &here)
            .replace("127.0.0.1:8080", &upstream.to_string())
            .replace("/etc/ssl", &FOLDER.display().to_string());
        fs::write(folder.join("main.conf"), kind.main(&site, &folder, address)).unwrap();

        let log = fs::File::create(folder.join("stderr")).unwrap();
        let child = kind
            .command(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|err| panic!("{kind:?} is installed: {err}"));
        let proxy = Self {
            address,
            folder,
            child: Mutex::new(child),
        };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            let state = proxy.state();
            assert!(state.starts_with("running"), "{kind:?}: {state}\n{site}");
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{kind:?}: {state}\n{site}"
            );
            sleep(Duration::from_millis(5));
        }
        proxy
    }

    /// Whether the proxy still runs, and what it wrote to its logs.
    fn state(&self) -> String {
        let ended = self.child.lock().unwrap().try_wait().unwrap();
        let log = |name| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let state = ended.map_or_else(|| "running".to_owned(), |status| status.to_string());
        format!("{state}\n{}{}", log("stderr"), log("log"))
    }
}

/// Returns an address of the loopback that this proxy alone uses: servers and clients of other tests, which could
/// take its port before it does, are on 127.0.0.1.
fn address(number: u32) -> SocketAddr {
    let first = Ipv4Addr::new(127, 128, 0, 0).to_bits();
    let of_process = (std::process::id() % 0x2000) << 10;
    SocketAddr::from((Ipv4Addr::from_bits(first + of_process + number), 8443))
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A request that curl sends as it is: curl escapes nothing and follows nothing.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    /// The URL as Twilio has it; the connection goes to the proxy all the same.
    pub(crate) url: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

impl Version {
    pub(crate) const ALL: [Self; 2] = [Self::Http1, Self::Http2];
}

/// Returns the status and the body of the answer.
#[track_caller]
pub(crate) fn curl(
    version: Version,
    proxy: &Proxy,
    req: &Request,
) -> impl Future<Output = (u16, String)> {
    let (option, spoken) = match version {
        Version::Http1 => ("--http1.1", "1.1"),
        Version::Http2 => ("--http2", "2"),
    };
    let mut curl = tokio::process::Command::new("curl");
    curl.args([
        "-q",
        "--silent",
        "--show-error",
        "--path-as-is",
        "--globoff",
    ])
    .args(["--noproxy", "*", "--max-time", "20", option])
    .args(["--write-out", "\n%{http_code} %{http_version}"])
    .args(["--connect-to", &format!("::{}", proxy.address)])
    .arg("--cacert")
    .arg(FOLDER.join("example.com.pem"))
    .args(["--request", req.method]);
    for header in &req.headers {
        curl.args(["--header", header]);
    }
    if !req.body.is_empty() {
        curl.args(["--data-raw", &req.body]);
    }
    let output = curl.arg(&req.url).kill_on_drop(true).output();
    async move {
        let output = output.await.expect("curl is installed");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, last) = text.rsplit_once('\n').unwrap();
        let (status, version) = last.split_once(' ').unwrap();
        assert_eq!(version, spoken, "{output:?}, proxy {}", proxy.state());
        (status.parse().unwrap(), body.to_owned())
    }
}

/// Opens a connection through TLS, for whoever speaks something else than curl does.
pub(crate) fn tls(proxy: &Proxy) -> tokio::process::Child {
    tokio::process::Command::new("openssl")
        .args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-servername",
            "example.com",
        ])
        .args(["-verify_hostname", "example.com", "-alpn", "http/1.1"])
        .args(["-connect", &proxy.address.to_string()])
        .arg("-CAfile")
        .arg(FOLDER.join("example.com.pem"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("openssl is installed")
}
