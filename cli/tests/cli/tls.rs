//! `https` endpoints: the authorities that are trusted, and errors as sentences.
//!
//! The certificates in `tests/tls` are of authorities whose keys nobody has.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::support::{OK, file, run, serve_open};

fn path(name: &str) -> String {
    format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Starts a server that answers every request over TLS with 200, with a certificate of `tests/tls`.
fn serve_tls(certificate: &str) -> String {
    let chain = CertificateDer::from_pem_file(path(certificate)).unwrap();
    let key = PrivateKeyDer::from_pem_file(path("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust the certificate sends no request.
            if stream.read(&mut [0; 4096]).is_ok() {
                stream.write_all(OK.as_bytes()).ok();
            }
        }
    });
    format!("https://127.0.0.1:{port}/")
}

#[test]
fn endpoint_with_a_certificate_of_ones_own_needs_its_authority() {
    let url = serve_tls("good.pem");
    let output = run(&["send", "sms", &url]);
    assert_eq!((output.status, output.stdout.as_str()), (3, ""));
    assert!(output.stderr.contains("--cacert"), "{output:?}");
    let output = run(&["send", "sms", &url, "--cacert", &path("authority.pem")]);
    assert_eq!(output.status, 0, "{output:?}");
    assert_eq!(output.stdout, "HTTP 200\n");
    let authority = std::fs::read_to_string(path("authority.pem")).unwrap();
    let marked = file("tls-marked.pem", &format!("\u{feff}{authority}"));
    assert_eq!(run(&["send", "sms", &url, "--cacert", &marked]).status, 0);
    let output = run(&["check", &url, "--cacert", &path("authority.pem")]);
    assert_eq!(output.status, 1, "{output:?}");
    assert!(
        output.stdout.contains("a forgery was accepted"),
        "{output:?}"
    );
    let websocket = url.replace("https://", "wss://");
    let output = run(&[
        "send",
        "media-stream",
        &websocket,
        "--cacert",
        &path("authority.pem"),
    ]);
    assert_eq!(
        (output.status, output.stdout.as_str()),
        (1, "HTTP 200\n"),
        "{output:?}"
    );
}

#[test]
fn errors_of_tls_say_what_to_do() {
    let plain = serve_open();
    let cases = [
        (serve_tls("other.pem"), "it is for other.example"),
        (serve_tls("expired.pem"), "has expired: renew it"),
        (
            plain.replace("http://", "https://"),
            "does this port serve http://?",
        ),
    ];
    for (url, sentence) in cases {
        let output = run(&["send", "sms", &url, "--cacert", &path("authority.pem")]);
        assert_eq!((output.status, output.stdout.as_str()), (3, ""), "{url}");
        assert!(output.stderr.contains(sentence), "{sentence}: {output:?}");
        for debug in ["InvalidCertificate", "InvalidMessage", "Context", "DnsName"] {
            assert!(!output.stderr.contains(debug), "{output:?}");
        }
    }
}

#[test]
fn certificates_that_are_not_accepted_have_advice() {
    let cases = [
        (
            "good.pem",
            None,
            "an authority that is not known: pass the authority's certificate with --cacert; or",
        ),
        (
            "good.pem",
            Some("other-authority.pem"),
            "does not lead to an authority of --cacert",
        ),
        // The intermediate certificate is not sent.
        (
            "incomplete.pem",
            Some("other-authority.pem"),
            "let the endpoint send its whole chain, with each intermediate certificate",
        ),
        (
            "good.pem",
            Some("replaced-authority.pem"),
            "pass the authority's current certificate",
        ),
        (
            "nameless.pem",
            Some("other-authority.pem"),
            "names no host: use one that has the host as a subject alternative name",
        ),
        (
            "client.pem",
            Some("other-authority.pem"),
            "is not for servers: use one whose extended key usage has serverAuth",
        ),
        (
            "sha1.pem",
            Some("other-authority.pem"),
            "renew it with SHA-256",
        ),
    ];
    for (certificate, authority, said) in cases {
        let url = serve_tls(certificate);
        let authority = authority.map(path);
        let authority = authority.as_ref().map(|path| ["--cacert", path]);
        let args = [
            &["send", "sms", &*url][..],
            authority.as_ref().map_or(&[], |args| args),
        ]
        .concat();
        let output = run(&args);
        assert_eq!(output.status, 3, "{certificate}: {output:?}");
        assert!(output.stderr.contains(said), "{certificate}: {output:?}");
        for debug in ["OtherError", "Context", "BadSignature"] {
            assert!(!output.stderr.contains(debug), "{output:?}");
        }
    }
}

#[test]
fn http_to_a_port_of_tls_is_said_to_be() {
    let url = serve_tls("good.pem").replace("https://", "http://");
    let output = run(&["send", "sms", &url]);
    assert_eq!(output.status, 3);
    assert!(
        output.stderr.contains("is not HTTP") || output.stderr.contains("closed the connection"),
        "{output:?}"
    );
}

#[test]
fn file_without_certificates_is_wrong_usage() {
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    for path in [
        "no-such-file".to_owned(),
        path("server.key"),
        file("tls-empty.pem", ""),
        file("tls-broken.pem", broken),
    ] {
        let output = run(&["check", "https://127.0.0.1:1/", "--cacert", &path]);
        assert_eq!((output.status, output.stdout.as_str()), (2, ""), "{path}");
        assert!(output.stderr.contains(&path), "{output:?}");
    }
}

#[test]
fn a_file_of_authorities_with_something_else_is_refused() {
    let good = std::fs::read_to_string(path("authority.pem")).unwrap();
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, text, number) in [
        ("tls-junk.pem", junk.to_owned(), 1),
        ("tls-second.pem", good + junk, 2),
    ] {
        let output = run(&[
            "send",
            "sms",
            "https://127.0.0.1:1/",
            "--cacert",
            &file(name, &text),
        ]);
        assert_eq!(output.status, 2, "{output:?}");
        let said = format!("{name}: its certificate number {number} is not a certificate");
        assert!(output.stderr.contains(&said), "{output:?}");
    }
}

#[test]
fn alerts_have_the_advice_that_is_theirs() {
    for (alert, said) in [
        (70, "TLS 1.2 or 1.3"),
        (116, "asks for a certificate of the client"),
        (40, "no cipher"),
        (112, "has a certificate for this host"),
        (80, "see its log"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0));
            stream.write_all(&[21, 3, 3, 0, 2, 2, alert]).unwrap();
            // The client closes the connection.
            stream.read_to_end(&mut Vec::new()).ok();
        });
        let output = run(&["send", "sms", &format!("https://127.0.0.1:{port}/")]);
        assert_eq!(output.status, 3, "{output:?}");
        assert!(output.stderr.contains(said), "{alert}: {output:?}");
    }
}
