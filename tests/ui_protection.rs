//! What the compiler says of routes that are not, or can't be, protected.

#[test]
fn wrong_protection_is_told_where_it_stands() {
    let required = std::env::var_os("UI_TESTS").is_some_and(|mode| mode == "required");
    let version = std::process::Command::new("rustc")
        .arg("--version")
        .output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = version.unwrap_or_else(|err| err.to_string());
    if !version.starts_with("rustc 1.95.") {
        println!("messages are frozen for rustc 1.95, and this is {version}");
        assert!(!required, "UI_TESTS=required, but this is {version}");
        return;
    }
    trybuild::TestCases::new().compile_fail("ui_protection/*.rs");
}
