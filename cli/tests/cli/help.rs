//! The help that a new user reads first, and colours in a terminal.

use crate::support::{run, serve_raw, tool};

#[test]
fn help_leads_through_every_command() {
    let top = run(&["--help"]);
    assert_eq!(top.status, 0);
    for text in [
        "export TWILIO_AUTH_TOKEN=",
        "twilio-webhook send sms http://localhost:8080/message",
        "twilio-webhook check http://localhost:8080/message",
        "Exit status: 0",
    ] {
        assert!(top.stdout.contains(text), "{text}: {}", top.stdout);
    }
    for name in ["check", "send", "sign", "verify", "explain"] {
        let help = run(&[name, "--help"]);
        assert_eq!(help.status, 0);
        let example = format!("Examples:\n  twilio-webhook {name} ");
        assert!(help.stdout.contains(&example), "{}", help.stdout);
        assert!(help.stdout.contains("--token-file"), "{}", help.stdout);
    }
}

/// That the other tests see no colours means something only if there are colours to turn off.
#[test]
fn colours_are_there_to_be_left_out() {
    let url = serve_raw();
    let output = |no_color: &str| {
        let check = tool(&["check", &url]);
        let check = check.env("CLICOLOR_FORCE", "1").env("NO_COLOR", no_color);
        check.run_in_colour().stdout
    };
    assert!(output("").contains("\x1b["));
    assert!(!output("1").contains('\x1b'));
    assert!(!run(&["check", &url]).stdout.contains('\x1b'));
}
