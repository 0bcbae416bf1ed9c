//! Hosts that are not found, and the proxy of the environment.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use crate::support::{OK, record, run, serve_raw, tool, unwrapped};

#[test]
fn proxy_of_the_environment_is_not_asked_for_this_machine() {
    let url = serve_raw();
    let with_proxy = |args: &[&str], proxy: &str| {
        let tool = tool(args).env("HTTP_PROXY", proxy).env("ALL_PROXY", proxy);
        tool.env("HTTPS_PROXY", proxy).run()
    };
    let (proxy, asked) = record(vec!["HTTP/1.1 502 Bad Gateway\r\n\r\n"; 2]);
    assert_eq!(with_proxy(&["check", &url], &proxy).status, 0);
    assert_eq!(asked.try_iter().count(), 0);
    let help = unwrapped(&run(&["--help"]).stdout);
    assert!(help.contains("Requests to this machine (localhost, 127.0.0.0/8, ::1) never do."));
    // The name is not looked up: the proxy does that.
    let away = ["send", "sms", "http://webhooks.example.com/"];
    assert_eq!(with_proxy(&away, &proxy).status, 3);
    assert!(asked.recv().unwrap().contains("webhooks.example.com"));
}

/// Each command that sends requests, without its URL.
const COMMANDS: [&[&str]; 4] = [
    &["send", "sms"],
    &["check"],
    &["call"],
    &["text", "--say", "Hi"],
];

#[test]
fn a_host_that_is_not_found_cannot_be_reached() {
    // A label may have 63 characters, so no server is asked.
    let url = format!("http://{}.invalid/", "a".repeat(64));
    for command in COMMANDS {
        let output = run(&[command, &[&url]].concat());
        assert_eq!((output.status, &*output.stdout), (3, ""), "{output:?}");
        assert!(
            output
                .stderr
                .contains(": the host name is not found; check"),
            "{output:?}"
        );
    }
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_value() {
    let refusals = [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "proxy server responded 407",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\n\r\n",
            "proxy server responded 502",
        ),
    ];
    let unknown = format!("ada:marker-pw@{}.invalid:1", "a".repeat(64));
    for command in COMMANDS {
        let through = |proxy: &str, said: &str| {
            let args = [command, &["http://webhooks.example.com/"]].concat();
            let output = tool(&args)
                .env("http_proxy", &format!("http://{proxy}"))
                .run();
            assert_eq!((output.status, &*output.stdout), (3, ""), "{output:?}");
            let start =
                "cannot reach http://webhooks.example.com/ through the proxy in http_proxy: the ";
            assert!(
                output.stderr.contains(&[start, said].concat()),
                "{said}: {output:?}"
            );
        };
        for (answer, said) in refusals {
            let (url, _requests) = record(vec![answer]);
            through(&url.replace("http://", "ada:marker-pw@"), said);
        }
        through("ada:marker-pw@127.0.0.1:1", "proxy refused the connection");
        through(&unknown, "proxy's host name is not found");
    }
}

/// Starts a proxy that answers with a start and then with a byte now and then, without an end.
fn dripping(start: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _request = stream.read(&mut [0; 4096]);
            stream.write_all(start.as_bytes()).unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        }
    });
    address
}

#[test]
fn a_proxy_that_drips_is_given_up_in_time() {
    let connected = "HTTP/1.1 200 OK\r\n\r\n";
    // A record of TLS with 16,000 bytes is announced.
    let record = "HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03\x3e\x40\x02";
    let cases = [
        ("HTTP/1.1 200 ", "http", "--connect-timeout"),
        ("HTTP/1.1 200 OK\r\nX-More: ", "http", "--connect-timeout"),
        ("HTTP/1.1 200 OK\r\nX-More: ", "https", "--connect-timeout"),
        (record, "https", "--connect-timeout"),
        (connected, "http", "is not HTTP"),
    ];
    for (start, scheme, said) in cases {
        let url = format!("{scheme}://webhooks.example.com/");
        let proxy = dripping(start);
        let through = |args: &[&str]| {
            let started = Instant::now();
            let output = tool(args).env("HTTP_PROXY", &proxy).run();
            assert!(started.elapsed() < Duration::from_secs(10), "{args:?}");
            output
        };
        let output = through(&["send", "sms", &url, "--connect-timeout", "1"]);
        assert_eq!((output.status, &*output.stdout), (3, ""), "{output:?}");
        assert!(output.stderr.contains(said), "{start:?}: {output:?}");
        // The time of all requests may be shorter than the one for connecting.
        through(&["check", &url, "--max-time", "1"]);
    }
}

#[test]
fn a_proxy_that_does_not_speak_http_is_named() {
    let url = "http://webhooks.example.com/";
    let commands = [
        &["send", "sms", url][..],
        &["check", url],
        &["call", url],
        &["text", url, "--say", "Hi"],
    ];
    for command in commands {
        let (ssh, _requests) = record(vec!["SSH-2.0-OpenSSH_9.9\r\n"]);
        let (closed, _requests) = record(vec![""]);
        // A connection is reset if it is closed before the request is read.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reset = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.peek(&mut [0]).unwrap();
        });
        for (proxy, said) in [
            (ssh, ", is not HTTP"),
            (closed, ": the proxy server did not respond"),
            (reset, ", closed the connection"),
        ] {
            let output = tool(command).env("HTTP_PROXY", &proxy).run();
            let said = format!("the proxy in HTTP_PROXY{said}");
            assert_eq!((output.status, &*output.stdout), (3, ""), "{output:?}");
            assert!(output.stderr.contains(&said), "{said}: {output:?}");
        }
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_and_not_gone_past() {
    let cases = [
        (
            "ALL_PROXY",
            "socks5://ada:marker-pw@127.0.0.1:1",
            "names a SOCKS proxy",
        ),
        ("all_proxy", "socks4a://127.0.0.1:1", "names a SOCKS proxy"),
        (
            "HTTPS_PROXY",
            "ftp://marker-host:1",
            "is not the URL of a proxy",
        ),
        ("HTTP_PROXY", "marker:::", "is not the URL of a proxy"),
        ("http_proxy", "http://[::1", "is not the URL of a proxy"),
        ("https_proxy", "http://", "is not the URL of a proxy"),
        // The HTTP client would take port 80.
        (
            "HTTP_PROXY",
            "http://ada:marker-pw@127.0.0.1:65616",
            "is not the URL of a proxy",
        ),
        ("ALL_PROXY", "127.0.0.1:8o", "is not the URL of a proxy"),
    ];
    for (variable, value, said) in cases {
        // It is an address of this machine, and not one of the loopback's.
        let (url, requests) = record(vec![OK; 6]);
        let away = url.replace("127.0.0.1", "0.0.0.0");
        let send = |url: &str| tool(&["send", "sms", url]).env(variable, value);
        let output = send(&away).run();
        assert_eq!((output.status, &*output.stdout), (2, ""), "{output:?}");
        assert!(
            output.stderr.contains(&format!("error: {variable} {said}")),
            "{output:?}"
        );
        assert_eq!(requests.try_iter().count(), 0, "{variable}");
        // Where no proxy is asked for, none is needed.
        assert_eq!(send(&url).run().status, 0, "{variable}");
        for hosts in [
            "example.com,0.0.0.0",
            "example.com, 0.0.0.0",
            " 0.0.0.0 ,example.com",
            "example.com 0.0.0.0",
        ] {
            let output = send(&away).env("NO_PROXY", hosts).run();
            assert_eq!(output.status, 0, "{variable} {hosts}");
        }
        assert_eq!(
            tool(&["send", "sms", &away]).env(variable, "").run().status,
            0,
            "{variable}"
        );
    }
}

#[test]
fn other_forms_of_this_machines_address_need_no_proxy() {
    for host in ["127.1", "2130706433", "0x7f.1"] {
        let (url, _requests) = record(vec![OK]);
        let url = url.replace("127.0.0.1", host);
        let output = tool(&["send", "sms", &url])
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .run();
        assert_eq!(output.status, 0, "{host}: {output:?}");
    }
}
