//! Attributes have types.

use actix_twilio::twiml::{Dial, Gather, Say, attributes::GatherInput};

fn main() {
    let _ = Gather::new().timeout(5);
    let _ = Gather::new().num_digits("1");
    let _ = Gather::new().method("POST");
    let _ = Gather::new().input(["dtmf", "speech"]);
    let _ = Gather::new().input(GatherInput::Fax);
    let _ = Dial::new("+14158675310").answer_on_bridge("yes");
    let _ = Say::new("Hello").langauge("en-GB");
}
