//! Starts the example as a user would, and sends it requests of two accounts.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the tests of the other examples use the rest")]
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{env, fs};

use rusqlite::Connection;
use support::{Example, sign};

#[test]
fn accounts_says_how_to_run_it() {
    let (comment, _) = include_str!("../src/main.rs")
        .split_once("\n\nuse ")
        .unwrap();
    assert!(comment.contains("cargo run --bin accounts`"), "{comment}");
}

#[test]
fn accounts_validates_each_account_with_its_own_token() {
    let database = env::temp_dir().join(format!("accounts-{}.sqlite", std::process::id()));
    let variables = [("DATABASE", database.to_str().unwrap())];
    let app = Example::start(env!("CARGO_BIN_EXE_accounts"), &variables);
    let url = app.url("/message");
    let tenants = [("1", "token of the first"), ("2", "token of the second")];
    for (number, token) in tenants {
        let sid = format!("AC0000000000000000000000000000000{number}");
        Connection::open(&database)
            .unwrap()
            .execute("INSERT INTO accounts VALUES (?, ?)", [&sid[..], token])
            .unwrap();
    }
    for (number, token) in tenants {
        for (other, _) in tenants {
            let sid = format!("AC0000000000000000000000000000000{other}");
            let body = format!("AccountSid={sid}");
            let (status, answer) = app.post("/message", &body, &sign(token, &url, &body));
            let expected = if number == other { 200 } else { 403 };
            assert_eq!(
                status, expected,
                "account {other} with the token of {number}"
            );
            assert_eq!(answer.contains(&sid), number == other, "{answer}");
        }
    }
    let nobody = "Body=Hi";
    assert_eq!(
        app.post("/message", nobody, &sign(tenants[0].1, &url, nobody))
            .0,
        403
    );
    drop(app);
    fs::remove_file(database).unwrap();
}
