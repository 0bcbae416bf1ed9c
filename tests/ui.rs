//! What the compiler says where the attribute is used wrongly: the messages are frozen in `ui/`.

use std::{
    env,
    io::{self, Write},
    process::Command,
};

/// The toolchain whose messages are frozen: the one that `.ci/run` uses.
const TOOLCHAIN: &str = "rustc 1.95.";

#[test]
fn compiler_messages_are_as_frozen() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc)
        .arg("--version")
        .output()
        .unwrap()
        .stdout;
    let version = String::from_utf8(version).unwrap();
    if !version.starts_with(TOOLCHAIN) {
        let problem =
            format!("other compilers word messages differently than {TOOLCHAIN}: {version}");
        let required = env::var_os("UI_TESTS").is_some_and(|tests| tests == "required");
        assert!(!required, "{problem}");
        // Written past the test harness, which hides what a passing test prints.
        writeln!(
            io::stderr(),
            "compiler messages are not compared: {problem}"
        )
        .unwrap();
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*.rs");
    cases.pass("ui/pass/*.rs");
}
