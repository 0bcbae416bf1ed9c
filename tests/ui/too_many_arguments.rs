use actix_twilio::validate_twilio_request;
use actix_web::HttpRequest as Req;

#[validate_twilio_request]
async fn message(
    _1: Req,
    _2: Req,
    _3: Req,
    _4: Req,
    _5: Req,
    _6: Req,
    _7: Req,
    _8: Req,
    _9: Req,
    _10: Req,
    _11: Req,
    _12: Req,
    _13: Req,
    _14: Req,
    _15: Req,
    _16: Req,
    _17: Req,
    _18: Req,
) {
}

fn main() {}
