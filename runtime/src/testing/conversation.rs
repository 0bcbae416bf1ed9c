//! Conversations of messages that a test has with an app in the same process.

use std::{fmt, panic::Location};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
};
use twilio_twiml::{
    attributes::Method,
    walk::{Answer, FaultKind, MessageWalk, Next, NoAnswer, Step},
};

use super::{
    Signer, Transcript, fail,
    script::{Expected, Line, Runner, Walk, url_of},
};

/// A conversation of messages with an app in the same process: what is sent, and what is expected.
///
/// It works like a [`Call`](super::Call): each request is signed, what is expected has to happen in this order, and a
/// fault of the app fails the test.
///
/// # Examples
///
/// ```
/// use actix_twilio::{
///     testing::{Conversation, Signer},
///     twiml::{Message, MessagingResponse},
///     validate_twilio_request,
///     webhook::IncomingMessage,
/// };
/// use actix_web::{App, post, test::init_service};
///
/// #[post("/message")]
/// #[validate_twilio_request]
/// async fn message(message: IncomingMessage) -> MessagingResponse {
///     match message.body.as_str() {
///         "STOP" => MessagingResponse::new(),
///         text => MessagingResponse::new().child(Message::new(format!("You wrote {text}."))),
///     }
/// }
///
/// # #[actix_web::main]
/// # async fn main() {
/// // #[actix_web::test]
/// // async fn messages_are_answered() {
/// let signer = Signer::new("a token for tests");
/// let config = signer.config("https://example.com");
/// let app = init_service(App::new().app_data(config).service(message)).await;
///
/// Conversation::with("/message")
///     .send("Hi")
///     .expect_reply("You wrote Hi.")
///     .send("STOP")
///     .expect_no_reply()
///     .run(&app, &signer)
///     .await;
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a conversation does nothing until it is run"]
pub struct Conversation {
    url: String,
    walk: Result<MessageWalk, String>,
    script: Vec<Line<Doing>>,
}

#[derive(Debug, Clone)]
enum Doing {
    Send(String, Vec<(String, String)>),
    Expect(Expected),
}

impl Conversation {
    /// Begins a conversation whose webhook has this path, or this URL if the app is not at `https://example.com`.
    pub fn with(path_or_url: &str) -> Self {
        let url = url_of(path_or_url);
        Self {
            walk: MessageWalk::new(&url),
            url,
            script: Vec::new(),
        }
    }

    fn set(mut self, set: impl FnOnce(MessageWalk) -> Result<MessageWalk, String>) -> Self {
        self.walk = self.walk.and_then(set);
        self
    }

    /// Sets a parameter of each request, such as `From`. The others are samples.
    pub fn param(self, name: &str, value: &str) -> Self {
        self.set(|walk| Ok(walk.param(name, value)))
    }

    /// Requests the webhook with `GET` instead of `POST`.
    pub fn with_get(self) -> Self {
        self.set(|walk| Ok(walk.method(Method::Get)))
    }

    /// Sets the path or the URL that Twilio requests after an error.
    pub fn fallback_url(self, path_or_url: &str) -> Self {
        self.set(|walk| walk.fallback_url(path_or_url))
    }

    #[track_caller]
    fn doing(mut self, doing: Doing) -> Self {
        self.script.push((doing, Location::caller()));
        self
    }

    /// Sends a message.
    #[track_caller]
    pub fn send(self, text: impl Into<String>) -> Self {
        self.doing(Doing::Send(text.into(), Vec::new()))
    }

    /// Sends a message with files: the URL and the content type of each one, such as `image/jpeg`.
    #[track_caller]
    pub fn send_media(self, text: impl Into<String>, media: &[(&str, &str)]) -> Self {
        let owned = |(url, kind): &(&str, &str)| ((*url).to_owned(), (*kind).to_owned());
        self.doing(Doing::Send(text.into(), media.iter().map(owned).collect()))
    }

    /// Expects a message of the app that has this in its text.
    #[track_caller]
    pub fn expect_reply(self, text: impl Into<String>) -> Self {
        self.doing(Doing::Expect(Expected::Reply(text.into())))
    }

    /// Expects a message of the app with a file of this URL.
    #[track_caller]
    pub fn expect_media(self, url: impl Into<String>) -> Self {
        self.doing(Doing::Expect(Expected::Media(url.into())))
    }

    /// Expects that no more messages of the app follow until the next one is sent.
    #[track_caller]
    pub fn expect_no_reply(self) -> Self {
        self.doing(Doing::Expect(Expected::NoReply))
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

    /// Has the conversation, and returns what happened.
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
                    Doing::Send(text, media) => {
                        runner.advance().await;
                        let media: Vec<_> = media
                            .iter()
                            .map(|(url, kind)| (url.as_str(), kind.as_str()))
                            .collect();
                        runner.walk.send(&text, &media);
                        runner.note();
                    }
                }
            }
            runner.advance().await;
            runner.finish(at)
        }
    }
}

impl Walk for MessageWalk {
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
