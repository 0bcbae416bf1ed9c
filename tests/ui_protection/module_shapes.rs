//! Routes that stand in odd places, and handlers of odd shapes.

use actix_twilio::validate_twilio_request;

macro_rules! routes {
    ($($anything:tt)*) => {};
}

#[validate_twilio_request]
mod webhooks {
    use std::future::{Future, Ready, ready};

    use actix_web::{Route, post, web, web::ServiceConfig};

    #[post("/message")]
    async fn message() -> &'static str {
        routes!();
        "protected"
    }

    struct Routes;

    impl Routes {
        routes!();
    }

    trait Registers {
        routes!();
    }

    async fn helper() {
        routes!();
    }

    const NOTHING: () = {
        routes!();
    };

    pub fn with_impl() -> impl Future<Output = &'static str> {
        ready("open?")
    }

    fn with_name() -> Ready<&'static str> {
        ready("open?")
    }

    fn answer() -> Alias {
        ready("open?")
    }

    type Alias = Ready<&'static str>;

    fn configure(cfg: &mut ServiceConfig, flag: bool) {
        const {
            routes!();
        }
        cfg.route("/if", web::to(if flag { answer } else { with_name }));
        cfg.route("/match", web::to(match flag { _ => || async { "open?" } }));
        cfg.route("/unsafe", web::to(unsafe { answer }));
        cfg.route("/index", web::to([answer][0]));
        cfg.route("/clone", web::to(answer.clone()));
        cfg.route("/parentheses", (Route::to)(web::get(), || async { "open?" }));
        cfg.route("/loop", web::to(loop { break || async { "open?" }; }));
        cfg.route("/label", web::to('found: { break 'found answer; }));
    }
}

fn main() {}
