//! Assertions that the unit tests share.

use proc_macro2::TokenStream;

/// Asserts that there are as many messages as expected texts, and that each contains its text.
#[track_caller]
pub(crate) fn assert_messages(messages: &[String], expected: &[&str], name: &str) {
    assert_eq!(messages.len(), expected.len(), "{name}: {messages:#?}");
    for (message, text) in messages.iter().zip(expected) {
        assert!(message.contains(text), "{name}: {message}");
    }
}

/// Asserts that the tokens are those of the expected text.
#[track_caller]
pub(crate) fn assert_tokens(tokens: &TokenStream, expected: &str, name: &str) {
    // Where spaces are printed depends on how the tokens were made.
    let print = |tokens: &TokenStream| tokens.to_string().replace(' ', "");
    let expected = expected.parse().unwrap();
    assert_eq!(print(tokens), print(&expected), "{name}");
}
