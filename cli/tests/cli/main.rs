//! Runs the real tool against real servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auth;
mod check;
mod copied;
mod curl;
mod explain;
mod flask;
mod help;
mod inspected;
mod install;
mod junit;
mod limits;
mod listen;
mod meanings;
mod packaging;
mod page;
mod pasted;
mod proxy;
mod secrets;
mod send;
mod shown;
mod sign;
mod support;
mod tls;
mod verify;
mod walk;

/// Cargo ignores a file that is not declared above.
#[test]
fn every_file_is_a_module() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let declaration = format!("mod {name};");
        let is_declared = include_str!("main.rs")
            .lines()
            .any(|line| line == declaration);
        assert!(is_declared || name == "main", "{name} is not declared");
    }
}
