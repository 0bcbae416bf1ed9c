//! The tests are in `tests/browser`.
