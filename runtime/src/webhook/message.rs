//! Messages that came in, and the status of messages that were sent.

use super::form::{Field, Parameters, choices, webhook};

webhook! {
    /// A message that came in: SMS, MMS, WhatsApp, RCS or another channel. Answer it with
    /// [`MessagingResponse`](crate::twiml::MessagingResponse).
    ///
    /// Source: <https://www.twilio.com/docs/messaging/guides/webhook-request>.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_twilio::webhook::IncomingMessage;
    /// use actix_web::web::Query;
    ///
    /// let message = Query::<IncomingMessage>::from_query(
    ///     "From=whatsapp%3A%2B14158675310&Body=&NumMedia=1&New=1\
    ///      &MediaUrl0=https%3A%2F%2Fexample.com%2F1&MediaContentType0=image%2Fpng",
    /// )?;
    /// assert_eq!(message.from, "whatsapp:+14158675310");
    /// assert_eq!(message.media[0].content_type.as_deref(), Some("image/png"));
    /// assert_eq!(message.other.get("New"), Some("1"));
    /// # Ok::<(), actix_web::error::QueryPayloadError>(())
    /// ```
    pub struct IncomingMessage {
        /// The account, `AC` and 32 hex digits.
        "AccountSid" => account_sid: String,
        /// The message, `SM` or `MM` and 32 hex digits.
        "MessageSid" => message_sid: String,
        /// The Messaging Service that the number belongs to, if any.
        "MessagingServiceSid" => messaging_service_sid: Option<String>,
        /// The sender: a phone number in E.164 format, `+14158675310`, a short code, or an address of a
        /// channel, `whatsapp:+14158675310`.
        "From" => from: String,
        /// The recipient: your number or address.
        "To" => to: String,
        /// The text, up to 1,600 characters. It is empty if only media came.
        "Body" => body: String,
        /// The number of parts in which an SMS was sent.
        "NumSegments" => num_segments: Option<u32>,
        /// The number of media; 0 for an SMS.
        "NumMedia" => num_media: u32,
        /// The media, `MediaUrl0` and so on.
        "MediaUrl" => media: Vec<Media>,
        /// The sender's city, as far as it follows from the number.
        "FromCity" => from_city: Option<String>,
        /// The sender's state or province.
        "FromState" => from_state: Option<String>,
        /// The sender's postal code.
        "FromZip" => from_zip: Option<String>,
        /// The sender's country, in two letters.
        "FromCountry" => from_country: Option<String>,
        /// The recipient's city.
        "ToCity" => to_city: Option<String>,
        /// The recipient's state or province.
        "ToState" => to_state: Option<String>,
        /// The recipient's postal code.
        "ToZip" => to_zip: Option<String>,
        /// The recipient's country, in two letters.
        "ToCountry" => to_country: Option<String>,
        /// What the sender asked for: `STOP`, `START` or `HELP`, if Advanced Opt-Out is on.
        "OptOutType" => opt_out_type: Option<String>,
        /// WhatsApp: the name that the sender chose.
        "ProfileName" => profile_name: Option<String>,
        /// WhatsApp: the sender's id, usually the phone number without `+`.
        "WaId" => wa_id: Option<String>,
        /// WhatsApp: the text of the button that was pressed.
        "ButtonText" => button_text: Option<String>,
        /// WhatsApp: the payload of the button that was pressed.
        "ButtonPayload" => button_payload: Option<String>,
        /// WhatsApp: the latitude of a location, in degrees.
        "Latitude" => latitude: Option<f64>,
        /// WhatsApp: the longitude of a location, in degrees.
        "Longitude" => longitude: Option<f64>,
        /// WhatsApp: the address of a location.
        "Address" => address: Option<String>,
        /// WhatsApp: the name of a location.
        "Label" => label: Option<String>,
        /// WhatsApp: whether the message was forwarded.
        "Forwarded" => forwarded: Option<bool>,
        /// WhatsApp: whether the message was forwarded often.
        "FrequentlyForwarded" => frequently_forwarded: Option<bool>,
        /// WhatsApp: the message that this one replies to.
        "OriginalRepliedMessageSid" => original_replied_message_sid: Option<String>,
        /// WhatsApp: the sender of the message that this one replies to.
        "OriginalRepliedMessageSender" => original_replied_message_sender: Option<String>,
    }
}

/// A picture or another file that came with a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Media {
    /// Where the file can be fetched, usually with the account's credentials.
    pub url: String,
    /// The MIME type of the file, such as `image/jpeg`.
    pub content_type: Option<String>,
}

impl Field for Vec<Media> {
    fn extract(name: &str, parameters: &mut Parameters) -> Self {
        let nth = |number| {
            Some(Media {
                url: parameters.take(&format!("{name}{number}"))?,
                content_type: Option::extract(&format!("MediaContentType{number}"), parameters),
            })
        };
        (0..).map_while(nth).collect()
    }
}

webhook! {
    /// The new status of a message that was sent. Answer it with [`NoContent`](crate::twiml::NoContent).
    ///
    /// Callbacks may arrive in another order: the last one that arrives is not always the newest.
    ///
    /// Source: <https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks>.
    pub struct MessageStatusCallback {
        /// The account, `AC` and 32 hex digits.
        "AccountSid" => account_sid: String,
        /// The message, `SM` or `MM` and 32 hex digits.
        "MessageSid" => message_sid: String,
        /// The message's status.
        "MessageStatus" => message_status: Option<MessageStatus>,
        /// The Messaging Service that the message was sent with, if any.
        "MessagingServiceSid" => messaging_service_sid: Option<String>,
        /// The sender: your number or address.
        "From" => from: String,
        /// The recipient.
        "To" => to: String,
        /// Why the message failed or was not delivered: <https://www.twilio.com/docs/api/errors>.
        "ErrorCode" => error_code: Option<u32>,
        /// When the carrier was done with the message, as the carrier says: `YYMMDDhhmm` in the carrier's time.
        "RawDlrDoneDate" => raw_dlr_done_date: Option<String>,
        /// Channels such as WhatsApp: what the channel says about a failure.
        "ChannelStatusMessage" => channel_status_message: Option<String>,
        /// Channels such as WhatsApp: the event, for instance `READ`.
        "EventType" => event_type: Option<String>,
    }
}

choices! {
    /// The status of a message.
    pub enum MessageStatus {
        /// Accepted by a Messaging Service, which has not chosen a sender yet.
        Accepted = "accepted",
        /// Scheduled to be sent later.
        Scheduled = "scheduled",
        /// Canceled before it was sent.
        Canceled = "canceled",
        /// Waiting to be sent.
        Queued = "queued",
        /// On the way to the carrier.
        Sending = "sending",
        /// Accepted by the carrier.
        Sent = "sent",
        /// Delivered, as the carrier confirms.
        Delivered = "delivered",
        /// Not delivered, as the carrier says.
        Undelivered = "undelivered",
        /// Not sent.
        Failed = "failed",
        /// Read by the recipient, if the channel reports that.
        Read = "read",
        /// An incoming message that Twilio is still processing.
        Receiving = "receiving",
        /// An incoming message that has arrived.
        Received = "received",
    }
}
