//! What is in the TwiML of an answer, instead of how it is written.

use twilio_twiml::{Parsed, Twiml, check};

use super::fail;

/// Checks that an answer says the same as `expected`, and that Twilio takes it.
///
/// # Panics
///
/// Panics if the [lint](crate::twiml::check) finds anything in the answer, and if it says something else. The message has
/// both.
///
/// # Examples
///
/// ```
/// use actix_twilio::{testing::assert_twiml, twiml::{Message, MessagingResponse}};
///
/// let body = "<Response><Message>Hi</Message></Response>"; // from `actix_web::test::read_body`
/// assert_twiml(body, MessagingResponse::new().child(Message::new("Hi")));
/// ```
#[track_caller]
pub fn assert_twiml(answer: impl AsRef<[u8]>, expected: impl Into<Twiml>) {
    let answer = read_twiml(answer);
    match Parsed::parse(expected.into().as_str()) {
        Ok(expected) if answer == expected => {}
        Ok(expected) => fail(&format!(
            "the answer is not as expected\n--- expected\n{expected}--- answer\n{answer}"
        )),
        Err(finding) => fail(&format!("what is expected is not TwiML: {finding}")),
    }
}

/// Reads an answer, so that tests can look into it.
///
/// If the answer has something that is newer than this crate, the lint does not know it: use
/// [`Parsed::parse`](crate::twiml::Parsed::parse), which does not check.
///
/// # Panics
///
/// Panics if the [lint](crate::twiml::check) finds anything in the answer.
///
/// # Examples
///
/// ```
/// use actix_twilio::testing::read_twiml;
///
/// let body = "<Response><Dial timeout='10'>+14158675310</Dial></Response>";
/// let answer = read_twiml(body);
/// let dial = answer.find("Dial").expect("a <Dial>");
/// assert_eq!(dial.attribute("timeout"), Some("10"));
/// assert_eq!(dial.text(), "+14158675310");
/// ```
#[must_use]
#[track_caller]
pub fn read_twiml(answer: impl AsRef<[u8]>) -> Parsed {
    let answer = answer.as_ref();
    let mut findings = check(answer);
    let parsed = Parsed::parse(answer);
    if let Err(finding) = &parsed
        && !findings.contains(finding)
    {
        findings.push(finding.clone());
    }
    match parsed {
        Ok(parsed) if findings.is_empty() => parsed,
        _ => {
            let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
            fail(&format!(
                "Twilio does not take this answer as it is\n{}\n--- answer\n{}",
                findings.join("\n"),
                String::from_utf8_lossy(answer)
            ))
        }
    }
}
