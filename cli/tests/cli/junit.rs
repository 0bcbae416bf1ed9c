//! `check --junit`: a report for CI systems that says what the exit status says.

use std::{collections::BTreeSet, fs};

use actix_web::{HttpResponse, web};
use quick_xml::{Reader, events::Event};

use crate::support::{
    self, ROWS, assert_wrong_usage, file, record, run, serve, serve_open, serve_raw, tool,
};

/// A test of a report: its class and name, and the element in it with its message.
type Case = (String, String, Option<(String, String)>);

/// Parses a report, whose counts must be those of its tests.
#[track_caller]
fn cases(path: &str) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap();
    let mut reader = Reader::from_str(&text);
    let (mut cases, mut counts) = (Vec::<Case>::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        let (Event::Start(element) | Event::Empty(element)) = &event else {
            if matches!(event, Event::Eof) {
                break;
            }
            continue;
        };
        let attribute = |name: &str| {
            let attribute = element.try_get_attribute(name).unwrap().unwrap();
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
            value.unwrap().into_owned()
        };
        let name = element.name();
        let name: &str = name.as_ref();
        match name {
            "testsuites" | "testsuite" => counts.push(
                ["tests", "failures", "errors", "skipped"]
                    .map(|name| attribute(name).parse::<usize>().unwrap()),
            ),
            "testcase" => cases.push((attribute("classname"), attribute("name"), None)),
            outcome => {
                cases.last_mut().unwrap().2 = Some((outcome.to_owned(), attribute("message")));
            }
        }
    }
    let of = |outcome: &str| {
        let outcomes = cases.iter().filter_map(|case| case.2.as_ref());
        outcomes.filter(|(name, _)| name == outcome).count()
    };
    let expected = [cases.len(), of("failure"), of("error"), of("skipped")];
    assert_eq!(counts, [expected; 2], "{text}");
    cases
}

/// Returns the messages of an outcome.
fn messages<'c>(cases: &'c [Case], outcome: &str) -> Vec<&'c str> {
    let outcomes = cases.iter().filter_map(|case| case.2.as_ref());
    let outcomes = outcomes.filter(|(name, _)| name == outcome);
    outcomes.map(|(_, message)| message.as_str()).collect()
}

#[test]
fn report_fails_exactly_if_the_check_does() {
    let takes_forms = serve(|app| {
        app.route("/raw", web::post().to(support::raw));
    }) + "/raw";
    let (raw, open, nothing) = (serve_raw(), serve_open(), serve(|_| ()));
    let endpoints: [(&str, &str, &[&str]); 6] = [
        ("raw", &raw, &["--strict"]),
        ("forms", &takes_forms, &[]),
        ("strict", &takes_forms, &["--strict"]),
        ("open", &open, &[]),
        ("nothing", &nothing, &[]),
        ("tutorial", &open, &["--preset", "tutorial"]),
    ];
    let mut statuses = Vec::new();
    for (name, url, args) in endpoints {
        let path = file(&format!("junit-{name}.xml"), "an older report");
        let output = run(&[&["check", url, "--junit", &path], args].concat());
        let cases = cases(&path);
        let failed =
            !messages(&cases, "failure").is_empty() || !messages(&cases, "error").is_empty();
        assert_eq!(failed, output.status == 1, "{name}: {output:?}");
        assert!(!output.stdout.is_empty(), "{name}");
        statuses.push(output.status);
    }
    assert_eq!(statuses, [0, 0, 1, 1, 1, 1]);
}

#[test]
fn report_has_a_test_for_each_request_and_one_for_the_check() {
    let path = file("junit-each.xml", "");
    assert_eq!(run(&["check", &serve_raw(), "--junit", &path]).status, 0);
    let cases = cases(&path);
    assert_eq!(cases.len(), ROWS + 1);
    let named = |(class, name, _): &Case| (class.clone(), name.clone());
    let unique: BTreeSet<_> = cases.iter().map(named).collect();
    assert_eq!(unique.len(), cases.len(), "a name is there twice");

    let path = file("junit-open.xml", "");
    assert_eq!(run(&["check", &serve_open(), "--junit", &path]).status, 1);
    let cases = self::cases(&path);
    assert!(messages(&cases, "failure").contains(&"a forgery was accepted (status 200)"));
}

#[test]
fn endpoint_that_is_not_there_is_an_error_in_the_report() {
    let path = file("junit-gone.xml", "an older report");
    let output = run(&["check", "http://127.0.0.1:1/", "--junit", &path]);
    assert_eq!(output.status, 3);
    let cases = cases(&path);
    let [message] = *messages(&cases, "error") else {
        panic!("{cases:?}")
    };
    assert!(output.stderr.contains(message), "{output:?}: {message}");
}

#[test]
fn a_check_that_does_not_begin_leaves_no_older_report() {
    let two_lines = file("junit-token", "one\ntwo\n");
    for args in [
        &["http://127.0.0.1:99999/"][..],
        &["0123456789abcdef0123456789abcdef"],
        &["mailto:ada:marker-pw@h"],
        &["http://ada:marker-pw@127.0.0.1:1/0123456789abcdef0123456789abcdef"],
        &["http://127.0.0.1:1/", "--cacert", "/no/such/file"],
        &["http://127.0.0.1:1/", "--token-file", &two_lines],
    ] {
        let path = file("junit-older.xml", "an older report");
        let output = run(&[&["check", "--junit", &path], args].concat());
        assert_eq!(output.status, 2, "{args:?}");
        let report = fs::read_to_string(&path).unwrap();
        assert!(
            !report.contains("0123456789") && !report.contains("marker"),
            "{report}"
        );
        let cases = cases(&path);
        let [message] = *messages(&cases, "error") else {
            panic!("{cases:?}")
        };
        assert!(output.stderr.contains(message), "{output:?}: {message}");
    }
}

#[test]
fn whatever_an_endpoint_answers_is_escaped_and_cut() {
    let long = "x".repeat(10_000);
    let answer = format!(
        "HTTP/1.1 302 Found\r\nLocation: /<a>&\"]]>{long}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let answers = vec![&*answer.leak(); 100];
    let (url, _requests) = record(answers);
    let path = file("junit-escaped.xml", "");
    let url = format!("{url}/?a&b");
    assert_eq!(run(&["check", &url, "--junit", &path]).status, 1);
    assert!(!cases(&path).is_empty());
    let report = fs::read_to_string(&path).unwrap();
    assert!(!report.contains("<a>"), "{report}");
    assert!(
        report.contains("&lt;a&gt;") && report.contains("?a&amp;b"),
        "{report}"
    );
    assert!(report.len() < 2 * 2_500 * (ROWS + 1), "{}", report.len());
}

#[test]
fn report_that_can_not_be_written_is_wrong_usage_and_nothing_is_sent() {
    let (url, requests) = record(vec![support::OK]);
    assert_wrong_usage(&[&["check", &url, "--junit", "/no/such/folder/report.xml"]]);
    assert!(requests.try_recv().is_err());
}

#[test]
fn likely_causes_are_in_the_report() {
    let url = serve(|app| {
        app.default_service(web::to(HttpResponse::Forbidden));
    });
    let path = file("junit-causes.xml", "");
    assert_eq!(tool(&["check", &url, "--junit", &path]).run().status, 1);
    let cases = cases(&path);
    let whole = cases.iter().find(|(class, ..)| class == "check").unwrap();
    let (outcome, message) = whole.2.as_ref().unwrap();
    assert_eq!(outcome, "failure");
    assert!(
        message.contains("nothing is verified") && message.contains("token"),
        "{message}"
    );
}
