//! Walks calls and conversations: which webhook Twilio requests next, what the caller hears, and what is wrong.
//!
//! A [`CallWalk`] or a [`MessageWalk`] sends nothing and waits for nothing. It says which [`Request`] Twilio would make
//! next, takes the [`Answer`], and tells the [`Step`]s that follow: what the app says, what Twilio does, and the
//! [`Fault`]s. Then it asks for what the caller does: keys, speech, silence.
//!
//! # Examples
//!
//! ```
//! use twilio_twiml::walk::{Act, Answer, CallWalk, Next, Step};
//!
//! let mut walk = CallWalk::new("https://example.com/voice")?;
//! let mut transcript = Vec::new();
//! loop {
//!     match walk.advance() {
//!         Next::Answer(request) => {
//!             // Sign the request, and send it to the app.
//!             let body = match request.param("Digits") {
//!                 None => "<Response><Gather><Say>Press 1</Say></Gather><Say>Bye</Say></Response>",
//!                 Some(_) => "<Response><Say>Thank you</Say><Hangup/></Response>",
//!             };
//!             let answer = Answer { status: 200, content_type: Some("text/xml"), location: None, body: body.as_bytes() };
//!             walk.answer(Ok(answer));
//!         }
//!         Next::Act(_) => walk.act(&Act::Press("1#".to_owned()))?,
//!         Next::End => break,
//!     }
//!     transcript.extend(walk.steps());
//! }
//! transcript.extend(walk.steps());
//! assert!(transcript.contains(&Step::Said("Thank you".to_owned())));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is walked, and where Twilio documents it
//!
//! | what | how | source |
//! |---|---|---|
//! | `<Gather>` | Keys end with one of `finishOnKey`, with `numDigits`, or with a pause. The `action` is the document itself if there is none. Without input, the next verb follows, unless `actionOnEmptyResult` is set | [gather](https://www.twilio.com/docs/voice/twiml/gather) |
//! | `<Redirect>` | With `POST`, and without what was pressed before | [redirect](https://www.twilio.com/docs/voice/twiml/redirect) |
//! | `<Dial>` | Its calls are answered or not; their `statusCallback`s and the document of their `url`; then the `action` with `DialCallStatus`, or the next verb | [dial](https://www.twilio.com/docs/voice/twiml/dial), [number](https://www.twilio.com/docs/voice/twiml/number) |
//! | `<Record>` | An empty recording leads to the next verb, any other one to the `action`, which is the document itself if there is none | [record](https://www.twilio.com/docs/voice/twiml/record) |
//! | `<Enqueue>`, `<Leave>` | The document of `waitUrl` is walked once; then somebody takes the caller out. The `action`, or the next verb | [enqueue](https://www.twilio.com/docs/voice/twiml/enqueue) |
//! | `<Connect>` | The session ends at once; the `action`, or the next verb | [connect](https://www.twilio.com/docs/voice/twiml/connect) |
//! | `<Refer>`, `<Pay>`, `<Sms>` | They succeed; the `action`, or the next verb | [refer](https://www.twilio.com/docs/voice/twiml/refer), [pay](https://www.twilio.com/docs/voice/twiml/pay) |
//! | `<Message>` | Its `statusCallback`, then the `action`, or the next verb | [message](https://www.twilio.com/docs/messaging/twiml/message) |
//! | redirects of HTTP | 301, 302 and 303 are followed with `GET`, without parameters, which is a fault; 307 keeps them; others are error 11216 | [11216](https://www.twilio.com/docs/api/errors/11216), [11215](https://www.twilio.com/docs/api/errors/11215) |
//! | errors | The fallback URL gets `ErrorCode` and `ErrorUrl`. Without one, Twilio tells the caller that an application error has occurred | [reliability](https://www.twilio.com/docs/usage/security/availability-reliability), [11200](https://www.twilio.com/docs/api/errors/11200) |
//! | other answers | Text is read or sent, sound is played, and then the call ends | [your response](https://www.twilio.com/docs/voice/twiml) |
//! | callbacks | They should be answered with 204, or with TwiML: warning 15003 | [15003](https://www.twilio.com/docs/api/errors/15003) |
//! | long messages | A message of more than 1,600 characters is not sent, and neither are its callbacks and its `action` requested | [21617](https://www.twilio.com/docs/api/errors/21617) |
//! | messages | At most 50 documents for one message: warning 14106 | [14106](https://www.twilio.com/docs/api/errors/14106) |
//!
//! # What is not walked
//!
//! No sound is made, fetched or recognized: speech is the text that you pass, and recordings exist in name only. No carrier,
//! no telephone, no WebSocket and no REST API is there: the status of a call that the app changes by REST stays as it was.
//! Times are made up, and no timeout is waited for. The documents of a `url` or of a conference's `waitUrl` are requested
//! and checked, not followed. `referUrl`, `amdStatusCallback`, the `<Prompt>`s of `<Pay>` and the retries of
//! [connection overrides](https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides) are left out, and so are
//! cookies.

mod call;
mod message;
mod request;
pub mod sample;
mod session;
mod step;
#[cfg(test)]
mod tests;

pub use self::{
    call::{Act, CallWalk, DialOutcome, Misfit, Next, Wait},
    message::MessageWalk,
    request::{Answer, NoAnswer, Reason, Request},
    step::{Fault, FaultKind, Reply, Step},
};
