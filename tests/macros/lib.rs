//! What the tests ask the compiler for: the files of a folder as modules, and how it was called.

#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "what fails here is the tests' own"
)]

use std::{env, fs, path::Path};

use proc_macro::TokenStream;

/// Makes each file of a folder of the package a module, but for `main.rs`.
///
/// The compiler does not look for new files in what it has compiled: a test fails until it does.
// Input: `"tests/log"`
// Output: `mod logs; mod secrets; #[test] fn every_file_is_a_module() { .. }`
#[proc_macro]
pub fn modules(folder: TokenStream) -> TokenStream {
    let folder = folder.to_string();
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap();
    let files = fs::read_dir(Path::new(&package).join(folder.trim_matches('"'))).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|file| Some(file.strip_suffix(".rs")?.to_owned()))
        .filter(|name| name != "main")
        .collect();
    names.sort();
    let modules = names.join("; mod ");
    let output = format!(
        "mod {modules};
        #[test] fn every_file_is_a_module() {{
            ::actix_twilio_tests::assert_modules({folder}, &{names:?});
        }}"
    );
    output.parse().unwrap()
}

/// Yields the arguments that the compiler was called with, as a slice of texts.
#[proc_macro]
pub fn compiler_arguments(_: TokenStream) -> TokenStream {
    let arguments: Vec<_> = env::args().skip(1).collect();
    format!("&{arguments:?}").parse().unwrap()
}
