//! What Twilio requires is an argument.

use actix_twilio::twiml::{Connect, Dial, Parameter, Redirect, Stream, ssml::Lang};

fn main() {
    let _ = Redirect::new();
    let _ = Dial::new();
    let _ = Connect::new();
    let _ = Connect::new(Stream::new());
    let _ = Parameter::new("room");
    let _ = Lang::new("Bonjour");
}
