//! Twilio refuses an element inside of another that does not take it.

use actix_twilio::twiml::{
    Connect, Dial, Gather, Hangup, Message, Say, Stop, Stream, VoiceResponse,
};

fn main() {
    let _ = Dial::new(Say::new("Hello"));
    let _ = Gather::new().child(Dial::new("+14158675310"));
    let _ = Gather::new().child("Press 1");
    let _ = Hangup::new().child(Say::new("Bye"));
    let _ = Stop::new(Stream::new("wss://example.com"));
    let _ = Connect::new("wss://example.com");
    let _ = VoiceResponse::new().child(Stream::new("wss://example.com"));
    let _ = Message::new("Hi").children(["a.png", "b.png"].map(Say::new));
}
