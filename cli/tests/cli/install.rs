//! What is installed beside the tool: completions for shells, and manual pages.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{
    help::commands,
    support::{assert_wrong_usage, file, run, tool},
};

#[test]
fn completions_of_each_shell_know_each_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = tool(&["completions", shell]).token(None).run();
        assert_eq!(output.status, 0, "{shell}");
        for command in commands() {
            assert!(output.stdout.contains(&command), "{shell}: {command}");
        }
        assert!(output.stdout.contains("public-url"), "{shell}");
    }
    assert_wrong_usage(&[&["completions"], &["completions", "dos"]]);
}

#[test]
fn bash_takes_the_completions() {
    let script = run(&["completions", "bash"]).stdout;
    let Ok(mut bash) = Command::new("bash")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
    else {
        return; // this machine has no bash
    };
    let complete = r#"
        function=$(complete -p twilio-webhook); function=${function#*-F }; function=${function%% *}
        COMP_WORDS=(twilio-webhook che) COMP_CWORD=1
        "$function" twilio-webhook che twilio-webhook
        echo "${COMPREPLY[@]}"
    "#;
    let mut stdin = bash.stdin.take().unwrap();
    stdin.write_all((script + complete).as_bytes()).unwrap();
    drop(stdin);
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "check\n");
}

#[test]
fn manual_has_a_page_for_each_command() {
    let page = tool(&["man"]).token(None).run();
    assert_eq!(page.status, 0);
    assert!(
        page.stdout.contains(".TH twilio-webhook 1"),
        "{}",
        page.stdout
    );

    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("man/man1");
    let _ = fs::remove_dir_all(&folder);
    let output = run(&["man", "--out", folder.to_str().unwrap()]);
    assert_eq!((output.status, &*output.stdout), (0, ""));
    assert_eq!(
        fs::read_to_string(folder.join("twilio-webhook.1")).unwrap(),
        page.stdout
    );
    for command in commands() {
        let page = fs::read_to_string(folder.join(format!("twilio-webhook-{command}.1"))).unwrap();
        assert!(page.contains("SYNOPSIS"), "{command}");
    }
    let below_a_file = file("no-folder", "") + "/man1";
    assert_wrong_usage(&[&["man", "--out", &below_a_file]]);
}
