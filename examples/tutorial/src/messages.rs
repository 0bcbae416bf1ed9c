//! Text messages: keywords, and pictures.

use actix_twilio::{
    ProtectedScope,
    twiml::{Body, Media, Message, MessagingResponse},
    validate_twilio_request,
    webhook::IncomingMessage,
};
use actix_web::web;

use crate::shop::Shop;

const PICTURE: &str = "https://example.com/thanks.png";

pub(crate) fn routes() -> ProtectedScope {
    ProtectedScope::new("/messages").post("/incoming", receive_message)
}

/// Answers a message. A picture gets a number in the gallery, so each message is handled once, even if Twilio or a
/// stranger sends it again.
#[validate_twilio_request(once)]
async fn receive_message(message: IncomingMessage, shop: web::Data<Shop>) -> MessagingResponse {
    if message.opt_out_type.is_some() {
        // Twilio has answered STOP, START or HELP already.
        return MessagingResponse::new();
    }
    let files = message.media.into_iter();
    let pictures = files.filter(|file| {
        let content_type = file.content_type.as_deref().unwrap_or_default();
        content_type.starts_with("image/")
    });
    let mut pictures = pictures.map(|picture| picture.url).peekable();
    if pictures.peek().is_some() {
        let number = shop.add_pictures(pictures);
        let text = format!("Thank you! This is picture {number} in our gallery.");
        return answer(Message::new(Body::new(text)).child(Media::new(PICTURE)));
    }
    answer(Message::new(reply(&message.body)))
}

fn answer(message: Message) -> MessagingResponse {
    MessagingResponse::new().child(message.action("/status/message"))
}

/// Returns the reply to a keyword, in any case.
fn reply(text: &str) -> &'static str {
    let text = text.to_lowercase();
    let mut words = text.split_whitespace();
    match (words.next(), words.next()) {
        (Some("hours"), _) => "We are open from 9 to 6, Monday to Saturday.",
        (Some("repair"), Some(number)) => {
            Shop::repair(number).unwrap_or("We have no repair with this number.")
        }
        _ => {
            "Write HOURS, or REPAIR and the number of your repair, or send us a picture of your bicycle."
        }
    }
}
