//! What the compiler says where the attribute is used wrongly, and of routes that are not, or can't be,
//! protected: the messages are frozen in `ui/` and `ui_protection/`.

#![expect(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking, and the harness hides what `eprintln!` prints"
)]

use std::{
    env,
    io::{self, Write},
    process::Command,
};

use trybuild::TestCases;

/// The toolchain whose messages are frozen: the one that `.ci/run` uses.
const TOOLCHAIN: &str = "rustc 1.95.";

// One test: the dependencies are built anew for each.
#[test]
fn compiler_messages_are_as_frozen() {
    if let Some(cases) = test_cases() {
        cases.compile_fail("ui/*.rs");
        cases.compile_fail("ui_protection/*.rs");
        cases.pass("ui/pass/*.rs");
    }
}

/// Returns nothing, and says so, if another compiler than that of the frozen messages runs the tests.
fn test_cases() -> Option<TestCases> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .unwrap()
        .stdout;
    let version = String::from_utf8(version).unwrap();
    if version.starts_with(TOOLCHAIN) {
        return Some(TestCases::new());
    }
    let problem = format!("other compilers word messages differently than {TOOLCHAIN}: {version}");
    let required = env::var_os("UI_TESTS").is_some_and(|tests| tests == "required");
    assert!(!required, "{problem}");
    writeln!(
        io::stderr(),
        "compiler messages are not compared: {problem}"
    )
    .unwrap();
    None
}
