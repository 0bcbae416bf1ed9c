//! The files of a folder as modules.

use std::{fs, path::Path};

/// Asserts that these are the names of all files of a folder, but for `main.rs`.
#[track_caller]
pub fn assert_modules(folder: &str, modules: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_source = path.extension().is_some_and(|end| end == "rs");
        assert!(
            !is_source || name == "main" || modules.contains(&name),
            "{} is new: change a file beside it, so that cargo compiles it",
            path.display(),
        );
    }
}
