//! Messages that came in, and the status of messages that were sent.

use std::fmt;

use super::{
    field::Group,
    parameters::Parameters,
    table::{choices, part, webhook},
};

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
        required "AccountSid" => account_sid: String,
        /// The message, `SM` or `MM` and 32 hex digits.
        required "MessageSid" => message_sid: String,
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
        /// The kind of a WhatsApp message: `text`, `image`, `button`, `interactive`, `location` and others.
        "MessageType" => message_type: Option<String>,
        /// WhatsApp: the name that the sender chose.
        "ProfileName" => profile_name: Option<String>,
        /// WhatsApp: the sender's id, usually the phone number without `+`.
        "WaId" => wa_id: Option<String>,
        /// The sender's id at the channel, if it is not a phone number.
        "ExternalUserId" => external_user_id: Option<String>,
        /// What the channel knows about the message: JSON with `type` and `data`.
        "ChannelMetadata" => channel_metadata: Option<String>,
        /// WhatsApp and RCS: the text of the button that was pressed.
        "ButtonText" => button_text: Option<String>,
        /// WhatsApp and RCS: the payload of the button that was pressed, as the template has it.
        "ButtonPayload" => button_payload: Option<String>,
        /// WhatsApp and RCS: the kind of the button that was pressed, such as `REPLY` or `ACTION`.
        "ButtonType" => button_type: Option<String>,
        /// WhatsApp: the answer to an interactive message, such as a flow, as JSON.
        "InteractiveData" => interactive_data: Option<String>,
        /// WhatsApp: what was entered in a flow, as JSON.
        "FlowData" => flow_data: Option<String>,
        /// WhatsApp and RCS: the latitude of a location, in degrees.
        "Latitude" => latitude: Option<f64>,
        /// WhatsApp and RCS: the longitude of a location, in degrees.
        "Longitude" => longitude: Option<f64>,
        /// WhatsApp and RCS: the address of a location.
        "Address" => address: Option<String>,
        /// WhatsApp and RCS: the name of a location.
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
    and {
        /// The media, `MediaUrl0` and `MediaContentType0` and so on.
        "Media" => media: Vec<Media>,
        /// WhatsApp: the ad or the post from which the sender came.
        "Referral" => referral: Option<Box<Referral>>,
    }
}

part! {
    /// The ad or the post on Facebook or Instagram from which the sender of a message came.
    ///
    /// It is in a box, because few messages have one, and all others are smaller without it.
    pub struct Referral {
        /// The text of the ad or the post.
        "Body" => body: Option<String>,
        /// The headline of the ad or the post.
        "Headline" => headline: Option<String>,
        /// The id of the ad or the post at Meta.
        "SourceId" => source_id: Option<String>,
        /// `ad` or `post`.
        "SourceType" => source_type: Option<String>,
        /// The URL of the ad or the post.
        "SourceUrl" => source_url: Option<String>,
        /// The id of the picture or video in the ad or the post.
        "MediaId" => media_id: Option<String>,
        /// The MIME type of the picture or video in the ad or the post.
        "MediaContentType" => media_content_type: Option<String>,
        /// The URL of the picture or video in the ad or the post.
        "MediaUrl" => media_url: Option<String>,
        /// The number of pictures and videos in the ad or the post.
        "NumMedia" => num_media: Option<u32>,
        /// The click on the ad, as Meta identifies it. Twilio sends it once and keeps no copy.
        "CtwaClid" => ctwa_clid: Option<String>,
    }
}

/// A picture or another file that came with a message.
///
/// Its `Debug` does not print the URL.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Media {
    /// Where the file can be fetched, usually with the account's credentials.
    pub url: String,
    /// The MIME type of the file, such as `image/jpeg`.
    pub content_type: Option<String>,
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").finish_non_exhaustive()
    }
}

/// The names of what is known of each file, before its number.
const MEDIA_URL: &str = "MediaUrl";
const MEDIA_CONTENT_TYPE: &str = "MediaContentType";

impl Group for Vec<Media> {
    /// Takes files from number 0 up to the first gap, and the first value of each name.
    fn take(&mut self, prefix: &str, other: &mut Parameters) {
        let number = |name: &str, stem| {
            let digits = name.strip_prefix(stem)?;
            let number: usize = digits.parse().ok()?;
            (number.to_string() == digits).then_some(number)
        };
        if !other.has_prefix(prefix) {
            return;
        }
        let mut numbers: Vec<_> = other
            .iter()
            .filter_map(|(name, _)| number(name, MEDIA_URL))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        let count = (0..).zip(&numbers).take_while(|(at, number)| at == *number);
        let mut files = vec![(None, None); count.count()];
        other.take(|name, value| {
            if let Some((url @ None, _)) = number(name, MEDIA_URL).and_then(|at| files.get_mut(at))
            {
                *url = Some(value.to_owned());
                return true;
            }
            let at = number(name, MEDIA_CONTENT_TYPE);
            if let Some((_, content_type @ None)) = at.and_then(|at| files.get_mut(at)) {
                *content_type = (!value.is_empty()).then(|| value.to_owned());
                return true;
            }
            false
        });
        let files = files.into_iter().map(|(url, content_type)| Media {
            url: url.unwrap_or_default(),
            content_type,
        });
        *self = files.collect();
    }

    fn write(&self, _: &str, to: &mut Parameters) {
        for (number, Media { url, content_type }) in self.iter().enumerate() {
            to.push(&format!("{MEDIA_URL}{number}"), url);
            if let Some(content_type) = content_type {
                to.push(&format!("{MEDIA_CONTENT_TYPE}{number}"), content_type);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.iter().map(|media| (&media.url, &media.content_type));
        f.debug_list().entries(all).finish()
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
        required "AccountSid" => account_sid: String,
        /// The message, `SM` or `MM` and 32 hex digits.
        required "MessageSid" => message_sid: String,
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
        /// The older name of `MessageSid`, with the same value.
        "SmsSid" => sms_sid: Option<String>,
        /// The older name of `MessageStatus`, with the same value.
        "SmsStatus" => sms_status: Option<MessageStatus>,
        /// Why the message failed, in words.
        "ErrorMessage" => error_message: Option<String>,
        /// Channels such as WhatsApp: the channel that sent the message, `XE` and 32 hex digits.
        "ChannelInstallSid" => channel_install_sid: Option<String>,
        /// Channels such as WhatsApp: the channel, such as `whatsapp`.
        "ChannelPrefix" => channel_prefix: Option<String>,
        /// Channels such as WhatsApp: the recipient's address at the channel.
        "ChannelToAddress" => channel_to_address: Option<String>,
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
        /// Delivered to some of the recipients.
        PartiallyDelivered = "partially_delivered",
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
