//! What became of calls and of the messages that were sent. Twilio wants no answer to it: an empty 204.

use actix_twilio::{
    ProtectedScope,
    twiml::NoContent,
    validate_twilio_request,
    webhook::{CallStatus, CallStatusCallback, MessageStatus, MessageStatusCallback},
};

pub(crate) fn routes() -> ProtectedScope {
    ProtectedScope::new("/status")
        .post("/call", receive_call_status)
        .post("/message", receive_message_status)
}

#[validate_twilio_request]
async fn receive_call_status(call: CallStatusCallback) -> NoContent {
    match call.call_status {
        Some(CallStatus::Completed) => {
            tracing::info!(
                call = call.call_sid,
                seconds = call.call_duration,
                "a call ended"
            );
        }
        Some(CallStatus::Busy | CallStatus::Failed | CallStatus::NoAnswer) => {
            tracing::warn!(call = call.call_sid, "a call was not answered");
        }
        _ => {}
    }
    NoContent
}

#[validate_twilio_request]
async fn receive_message_status(message: MessageStatusCallback) -> NoContent {
    if let Some(MessageStatus::Undelivered | MessageStatus::Failed) = message.message_status {
        let error = message.error_code;
        tracing::warn!(
            message = message.message_sid,
            error,
            "a message was not delivered"
        );
    }
    NoContent
}
