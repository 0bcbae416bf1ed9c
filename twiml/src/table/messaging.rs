//! Answers to messages: <https://www.twilio.com/docs/messaging/twiml>.

use super::{elements, voice::Redirect};
use crate::values::{Method, Url};

elements! {
    /// An answer to a message. An empty one sends nothing back.
    MessagingResponse = "Response", "https://www.twilio.com/docs/messaging/twiml" {
        fn new();
        [Message, Redirect]
    }

    /// Sends a message back: text, or a [`Body`] and [`Media`].
    Message = "Message", "https://www.twilio.com/docs/messaging/twiml/message" {
        fn new(<content>);
        "to" => to: String,
        "from" => from_: String,
        "action" => action: Url,
        "method" => method: Method,
        /// Twilio prefers `action`.
        "statusCallback" => status_callback: Url,
        ["#text", Body, Media]
    }

    /// The text of a message that has media, too.
    Body = "Body", "https://www.twilio.com/docs/messaging/twiml/message" {
        fn new("#text" => text: String);
    }

    /// A picture or another file in a message.
    Media = "Media", "https://www.twilio.com/docs/messaging/twiml/message" {
        fn new("#text" => url: Url);
    }
}
