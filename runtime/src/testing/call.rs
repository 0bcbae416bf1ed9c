//! Calls that a test makes to an app in the same process.

use std::{fmt, panic::Location};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
};
use twilio_twiml::{
    attributes::Method,
    walk::{Act, Answer, CallWalk, DialOutcome, FaultKind, Next, NoAnswer, Step},
};

use super::{
    Signer, Transcript, fail,
    script::{Expected, Line, Runner, Walk, url_of},
};

/// A call to an app in the same process: what the caller does, and what is expected.
///
/// Twilio's part is played by an [interpreter](crate::twiml::walk), which signs each request. So validation is on.
/// What is expected has to happen in this order; other things may happen in between. The test fails if it does not,
/// and if the app has a [`Fault`](super::Fault) that is not [expected](Self::expect_fault): the lint's findings, an
/// action that is not found, a loop. The message has the transcript so far.
///
/// At the end of the script, the caller hangs up.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     testing::{Call, Signer},
///     twiml::{Dial, Gather, Hangup, Say, VoiceResponse},
///     validate_twilio_request,
///     webhook::GatherResult,
/// };
/// use actix_web::{App, post, test::init_service};
///
/// #[post("/voice")]
/// #[validate_twilio_request]
/// async fn voice() -> VoiceResponse {
///     let question = Say::new("Press 1 for sales.");
///     VoiceResponse::new()
///         .child(Gather::new().num_digits(1).action("/choice").child(question))
///         .child(Say::new("Goodbye."))
///         .child(Hangup::new())
/// }
///
/// #[post("/choice")]
/// #[validate_twilio_request]
/// async fn choice(result: GatherResult) -> VoiceResponse {
///     match result.digits.as_deref() {
///         Some("1") => VoiceResponse::new().child(Dial::new("+14158675310")),
///         _ => VoiceResponse::new().child(Say::new("There is no such choice.")),
///     }
/// }
///
/// # #[actix_web::main]
/// # async fn main() {
/// // #[actix_web::test]
/// // async fn callers_reach_sales() {
/// let signer = Signer::new("a token for tests");
/// let config = signer.config("https://example.com");
/// let app = init_service(App::new().app_data(config).service(voice).service(choice)).await;
///
/// Call::to("/voice")
///     .expect_say("Press 1")
///     .press("1")
///     .expect_dial("+14158675310")
///     .busy()
///     .expect_end()
///     .run(&app, &signer)
///     .await;
///
/// Call::to("/voice").silence().expect_say("Goodbye").expect_end().run(&app, &signer).await;
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a call does nothing until it is run"]
pub struct Call {
    url: String,
    walk: Result<CallWalk, String>,
    script: Vec<Line<Doing>>,
}

#[derive(Debug, Clone)]
enum Doing {
    Act(Act),
    Expect(Expected),
}

impl Call {
    /// Begins a call whose webhook has this path, or this URL if the app is not at `https://example.com`.
    pub fn to(path_or_url: &str) -> Self {
        let url = url_of(path_or_url);
        Self {
            walk: CallWalk::new(&url),
            url,
            script: Vec::new(),
        }
    }

    fn set(mut self, set: impl FnOnce(CallWalk) -> Result<CallWalk, String>) -> Self {
        self.walk = self.walk.and_then(set);
        self
    }

    /// Sets a parameter of each request, such as `From` or `CallSid`. The others are samples.
    pub fn param(self, name: &str, value: &str) -> Self {
        self.set(|walk| Ok(walk.param(name, value)))
    }

    /// Requests the webhook with `GET` instead of `POST`.
    pub fn with_get(self) -> Self {
        self.set(|walk| Ok(walk.method(Method::Get)))
    }

    /// Sets the path or the URL that is informed when the call has ended.
    pub fn status_callback(self, path_or_url: &str) -> Self {
        self.set(|walk| walk.status_callback(path_or_url))
    }

    /// Sets the path or the URL that Twilio requests after an error.
    pub fn fallback_url(self, path_or_url: &str) -> Self {
        self.set(|walk| walk.fallback_url(path_or_url))
    }

    /// Sets how many requests the call makes at most; 100 is the default.
    pub fn max_requests(self, max: usize) -> Self {
        self.set(|walk| Ok(walk.max_requests(max)))
    }

    #[track_caller]
    fn doing(mut self, doing: Doing) -> Self {
        self.script.push((doing, Location::caller()));
        self
    }

    /// Expects that the app says this, among other words, or Twilio if the app has failed. Markup of the speech does not
    /// count.
    #[track_caller]
    pub fn expect_say(self, text: impl Into<String>) -> Self {
        self.doing(Doing::Expect(Expected::Say(text.into())))
    }

    /// Expects that the app plays this URL, or one that has this in it.
    #[track_caller]
    pub fn expect_play(self, url: impl Into<String>) -> Self {
        self.doing(Doing::Expect(Expected::Play(url.into())))
    }

    /// Expects that the app dials this number, or `client:..`, `conference:..`, `queue:..`, `sip:..`.
    #[track_caller]
    pub fn expect_dial(self, who: impl Into<String>) -> Self {
        self.doing(Doing::Expect(Expected::Dial(who.into())))
    }

    /// Expects a request to this path, or this URL, with these parameters among others: an action, or a callback.
    #[track_caller]
    pub fn expect_request(self, path_or_url: impl Into<String>, params: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let params = params.iter().map(owned).collect();
        self.doing(Doing::Expect(Expected::Request(path_or_url.into(), params)))
    }

    /// Expects a fault of this kind. Without it, the test fails because of the fault.
    #[track_caller]
    pub fn expect_fault(self, kind: FaultKind) -> Self {
        self.doing(Doing::Expect(Expected::Fault(kind)))
    }

    /// Expects that the app ends the call: by `<Hangup>`, by `<Reject>`, or after the last verb.
    #[track_caller]
    pub fn expect_end(self) -> Self {
        self.doing(Doing::Expect(Expected::End))
    }

    /// Presses keys in a `<Gather>`, or ends a `<Record>` with a key.
    #[track_caller]
    pub fn press(self, keys: impl Into<String>) -> Self {
        self.doing(Doing::Act(Act::Press(keys.into())))
    }

    /// Says something in a `<Gather>` that takes speech.
    #[track_caller]
    pub fn say(self, text: impl Into<String>) -> Self {
        self.doing(Doing::Act(Act::Say(text.into())))
    }

    /// Is silent in a `<Gather>` or a `<Record>`, until Twilio goes on.
    #[track_caller]
    pub fn silence(self) -> Self {
        self.doing(Doing::Act(Act::Silence))
    }

    /// Speaks for so many seconds in a `<Record>`.
    #[track_caller]
    pub fn record(self, seconds: u32) -> Self {
        self.doing(Doing::Act(Act::Record(seconds)))
    }

    /// Lets a `<Dial>` be answered, and the called party hang up after a while.
    #[track_caller]
    pub fn answered(self) -> Self {
        self.doing(Doing::Act(Act::Dial(DialOutcome::Answered)))
    }

    /// Lets a `<Dial>` reach a busy line.
    #[track_caller]
    pub fn busy(self) -> Self {
        self.doing(Doing::Act(Act::Dial(DialOutcome::Busy)))
    }

    /// Lets nobody answer a `<Dial>`.
    #[track_caller]
    pub fn no_answer(self) -> Self {
        self.doing(Doing::Act(Act::Dial(DialOutcome::NoAnswer)))
    }

    /// Lets a `<Dial>` fail, as with a number that does not exist.
    #[track_caller]
    pub fn failed(self) -> Self {
        self.doing(Doing::Act(Act::Dial(DialOutcome::Failed)))
    }

    /// Lets somebody take the caller out of the queue of an `<Enqueue>`, and talk.
    #[track_caller]
    pub fn connect(self) -> Self {
        self.doing(Doing::Act(Act::Connect))
    }

    /// Hangs up while Twilio waits for the caller.
    #[track_caller]
    pub fn hang_up(self) -> Self {
        self.doing(Doing::Act(Act::HangUp))
    }

    /// Makes the call, and returns what happened.
    ///
    /// # Panics
    ///
    /// The future panics if something else happens than is expected, or if the app has a fault.
    #[track_caller]
    pub fn run<'a, S, B, E>(
        self,
        app: &'a S,
        signer: &'a Signer,
    ) -> impl Future<Output = Transcript> + use<'a, S, B, E>
    where
        S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = E>,
        B: MessageBody,
        E: fmt::Debug,
    {
        let at = Location::caller();
        let walk = self.walk.unwrap_or_else(|problem| fail(&problem));
        let (url, script) = (self.url, self.script);
        async move {
            let mut runner = Runner::new(walk, &url, app, signer);
            for (doing, at) in script {
                match doing {
                    Doing::Expect(expected) => runner.expect(&(expected, at)).await,
                    Doing::Act(act) => {
                        runner.advance().await;
                        if let Err(misfit) = runner.walk.act(&act) {
                            runner.fail(&misfit.to_string(), at);
                        }
                        runner.note();
                    }
                }
            }
            while runner.advance().await.is_some() {
                if runner.walk.act(&Act::HangUp).is_err() {
                    break;
                }
            }
            runner.finish(at)
        }
    }
}

impl Walk for CallWalk {
    fn advance(&mut self) -> Next {
        self.advance()
    }

    fn answer(&mut self, answer: Result<Answer<'_>, NoAnswer>) {
        self.answer(answer);
    }

    fn steps(&mut self) -> Vec<Step> {
        self.steps()
    }
}
