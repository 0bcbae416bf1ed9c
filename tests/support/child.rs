//! Tests that run in a process of their own, with an environment of their own.

use std::{any::type_name, env, ffi::OsStr, process::Command};

/// Names the test that a process was started for, and with [`CASE`] the case.
const CHILD: &str = "ACTIX_TWILIO_TEST_CHILD";
const CASE: &str = "ACTIX_TWILIO_TEST_CASE";

/// No environment variables.
pub const NO_VARIABLES: [(&str, &str); 0] = [];

/// Runs the rest of a test, which is a closure of its, in a process of its own, with these environment
/// variables and no other one that the library reads.
///
/// # Panics
///
/// Panics if the test fails there or was not run.
#[track_caller]
pub fn in_child<N: AsRef<OsStr>, V: AsRef<OsStr>, R: FnOnce()>(
    variables: impl IntoIterator<Item = (N, V)>,
    run: R,
) {
    let test = test_of::<R>();
    if is_child(test) {
        return run();
    }
    start(test, variables, "");
}

/// Runs the rest of a test, which is a closure of its, once for each case of a table, each time in a process of
/// its own: with the environment variables of the case, and no other one that the library reads. The closure
/// gets the case's name, which comes first in the table's rows.
///
/// # Panics
///
/// Panics if the test fails in one of the processes or was not run.
#[track_caller]
pub fn in_children<C, N: AsRef<OsStr>, V: AsRef<OsStr>, I: IntoIterator<Item = (N, V)>, R>(
    cases: impl IntoIterator<Item = C>,
    variables: impl Fn(&C) -> I,
    run: R,
) where
    R: FnOnce(C),
{
    let test = test_of::<R>();
    let mut cases = cases.into_iter().enumerate();
    if is_child(test) {
        let number = env::var(CASE).expect("the parent says which case");
        let case = cases.find(|(index, _)| index.to_string() == number);
        return run(case.expect("there is such a case").1);
    }
    for (index, case) in cases {
        start(test, variables(&case), &index.to_string());
    }
}

/// Returns the name of the test that a closure is written in.
fn test_of<R>() -> &'static str {
    // The path of the closure's type, such as `logs::logs::flood::{{closure}}`, begins with that of the test,
    // and the test's own begins with the crate's name.
    let path = type_name::<R>();
    let (path, _) = path.split_once("::{{closure}}").expect("a closure");
    path.split_once("::").expect("a test is in a crate").1
}

fn is_child(test: &str) -> bool {
    env::var(CHILD).is_ok_and(|child| child == test)
}

#[track_caller]
fn start<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    test: &str,
    variables: impl IntoIterator<Item = (N, V)>,
    case: &str,
) {
    let out = Command::new(env::current_exe().expect("a test knows its program"))
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env_remove("TWILIO_AUTH_TOKEN")
        .env_remove("TWILIO_WEBHOOK_BASE_URL")
        .env_remove("TWILIO_VALIDATION")
        .env(CHILD, test)
        .env(CASE, case)
        .envs(variables)
        .output()
        .expect("a test can be run");
    let said = String::from_utf8_lossy(&out.stdout);
    print!("{said}");
    assert!(
        out.status.success() && said.contains("1 passed"),
        "{test} {case} in a process of its own:\n{}",
        String::from_utf8_lossy(&out.stderr)
    );
}
