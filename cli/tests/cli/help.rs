//! The help that a new user reads first, and colours in a terminal.

use crate::support::{run, serve_raw, tool};

/// The commands, as `--help` lists them.
pub(crate) fn commands() -> Vec<String> {
    let help = run(&["--help"]).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    // A description may take more lines, which are indented further.
    let names = list.lines().filter(|line| !line.starts_with("   "));
    let names = names.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.filter(|name| name != "help").collect()
}

/// The commands that sign or verify, and the two that install what belongs to the tool.
fn is_about_requests(command: &str) -> bool {
    !["completions", "man"].contains(&command)
}

#[test]
fn help_lists_each_command_in_the_order_of_its_use() {
    assert_eq!(
        commands(),
        [
            "check",
            "send",
            "call",
            "text",
            "sign",
            "verify",
            "explain",
            "listen",
            "completions",
            "man"
        ]
    );
}

#[test]
fn help_leads_through_every_command() {
    let top = run(&["--help"]);
    assert_eq!(top.status, 0);
    for text in [
        "export TWILIO_AUTH_TOKEN=",
        "twilio-webhook send sms http://localhost:8080/message",
        "twilio-webhook check http://localhost:8080/message",
        "twilio-webhook call http://localhost:8080/voice --keys 1",
        "twilio-webhook text http://localhost:8080/message --say Hi",
        "Exit status: 0",
    ] {
        assert!(top.stdout.contains(text), "{text}: {}", top.stdout);
    }
    for name in &commands() {
        let help = run(&[name, "--help"]);
        assert_eq!(help.status, 0);
        let example = format!("Examples:\n  twilio-webhook {name} ");
        assert!(help.stdout.contains(&example), "{}", help.stdout);
        let takes_token = help.stdout.contains("--token-file");
        assert_eq!(takes_token, is_about_requests(name), "{}", help.stdout);
    }
}

#[test]
fn form_of_the_output_is_one_option_in_every_command() {
    for name in commands().iter().filter(|name| is_about_requests(name)) {
        let (short, long) = (run(&[name, "-h"]).stdout, run(&[name, "--help"]).stdout);
        assert!(long.contains("--format <FORMAT>"), "{name}: {long}");
        assert!(
            long.contains("- text:") && long.contains("- json:"),
            "{name}: {long}"
        );
        assert!(
            !long.contains("--json ") && !long.contains("--json\n"),
            "{name}: {long}"
        );
        // The summary is for a glance, and says where the rest is.
        assert!(short.contains("see more with '--help'"), "{name}: {short}");
        assert!(
            short.lines().count() * 3 < long.lines().count() * 2,
            "{name}: {short}"
        );
        assert_eq!(run(&[name, "--format", "xml"]).status, 2, "{name}");
    }
    let sign = run(&["sign", "--help"]).stdout;
    let sign = sign.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        sign.contains("`curl -d From=+1415` sends a space in place of the +"),
        "{sign}"
    );
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
