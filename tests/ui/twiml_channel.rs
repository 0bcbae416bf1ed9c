//! A call is not answered with a message, and a message not with a verb for calls.

use actix_twilio::twiml::{Message, MessagingResponse, Say, VoiceResponse};

fn main() {
    let _ = VoiceResponse::new().child(Message::new("Hello"));
    let _ = MessagingResponse::new().child(Say::new("Hello"));
}
