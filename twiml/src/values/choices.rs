//! Values of fixed sets. A value that is newer than this crate is set with `attribute`.

#[cfg(feature = "lint")]
use super::Kind;
use super::Value;

/// Defines sets of values. `or` lists more values that Twilio takes for the same.
macro_rules! choices {
    ($(
        $(#[$doc:meta])*
        $type:ident { $($variant:ident = $value:literal),+ $(,)? $(; or $($other:literal),+)? }
    )+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $(#[doc = concat!("`", $value, "`")] $variant,)+
        }

        impl $type {
            /// Returns the value as Twilio writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $value,)+
                }
            }
        }

        impl Value for $type {
            #[cfg(feature = "lint")]
            const KIND: Kind = Kind::Choice(&[$($value,)+ $($($other,)+)?]);

            fn into_text(self) -> String {
                self.as_str().to_owned()
            }

            #[cfg(test)]
            fn sample() -> Self {
                [$(Self::$variant),+][0]
            }
        }
    )+};
}

choices! {
    /// The HTTP method of a request that Twilio makes. It makes a `POST` if nothing else is said.
    Method { Get = "GET", Post = "POST" }

    /// What a `<Gather>` takes.
    GatherInput { Dtmf = "dtmf", Speech = "speech" }

    /// Why a call is rejected: what the caller hears.
    RejectReason { Rejected = "rejected", Busy = "busy" }

    /// Whether silence at both ends of a recording is cut off.
    Trim { TrimSilence = "trim-silence", DoNotTrim = "do-not-trim" }

    /// The events of a recording.
    RecordingEvent { InProgress = "in-progress", Completed = "completed", Absent = "absent" }

    /// Which side of a call is recorded.
    RecordingTrack { Inbound = "inbound", Outbound = "outbound", Both = "both" }

    /// Whether both sides of a call are recorded into one channel or two.
    RecordingChannels { Mono = "mono", Dual = "dual" }

    /// Which side of a call is streamed or transcribed.
    Track { Inbound = "inbound_track", Outbound = "outbound_track", Both = "both_tracks" }

    /// Whether and from when on a dialed call is recorded.
    DialRecord {
        DoNotRecord = "do-not-record",
        FromAnswer = "record-from-answer",
        FromRinging = "record-from-ringing",
        FromAnswerDual = "record-from-answer-dual",
        FromRingingDual = "record-from-ringing-dual";
        or "true", "false"
    }

    /// The progress of a call that is dialed.
    CallEvent { Initiated = "initiated", Ringing = "ringing", Answered = "answered", Completed = "completed" }

    /// Events that `<Dial>` reports.
    DialEvent { CallProgress = "call-progress-event" }

    /// How an answering machine is detected.
    MachineDetection { Enable = "Enable", DetectMessageEnd = "DetectMessageEnd" }

    /// The ringback tone of a country.
    RingTone {
        At = "at", Au = "au", Be = "be", Bg = "bg", Br = "br", Ch = "ch", Cl = "cl", Cn = "cn", Cz = "cz", De = "de",
        Dk = "dk", Ee = "ee", Es = "es", Fi = "fi", Fr = "fr", Gr = "gr", Hu = "hu", Il = "il", In = "in", It = "it",
        Jp = "jp", Lt = "lt", Mx = "mx", My = "my", Nl = "nl", No = "no", Nz = "nz", Ph = "ph", Pl = "pl", Pt = "pt",
        Ru = "ru", Se = "se", Sg = "sg", Th = "th", Tw = "tw", Uk = "uk", Us = "us", UsOld = "us-old", Ve = "ve",
        Za = "za"
    }

    /// Whether a beep is played when someone joins or leaves a conference.
    Beep { Always = "true", Never = "false", OnEnter = "onEnter", OnExit = "onExit" }

    /// Whether a conference is recorded.
    ConferenceRecord { DoNotRecord = "do-not-record", FromStart = "record-from-start"; or "true", "false" }

    /// Where the audio of a conference is mixed.
    Region {
        Us1 = "us1", Us2 = "us2", Ie1 = "ie1", De1 = "de1", Sg1 = "sg1", Br1 = "br1", Au1 = "au1", Jp1 = "jp1"
    }

    /// The size of the buffer that smoothes out irregular packets of a participant.
    JitterBuffer { Large = "large", Medium = "medium", Small = "small", Off = "off" }

    /// The events of a conference.
    ConferenceEvent {
        Start = "start", End = "end", Join = "join", Leave = "leave", Mute = "mute", Hold = "hold", Modify = "modify",
        Speaker = "speaker", Announcement = "announcement"
    }

    /// The events of a call in a conversation.
    ConversationEvent {
        Initiated = "call-initiated", Ringing = "call-ringing", Answered = "call-answered", Completed = "call-completed"
    }

    /// What interrupts a text that is spoken to the caller.
    Interruption { None = "none", Dtmf = "dtmf", Speech = "speech", Any = "any"; or "true", "false" }

    /// How easily the caller's speech interrupts.
    Sensitivity { Low = "low", Medium = "medium", High = "high" }

    /// Whether numbers, dates and the like are read out as words.
    Normalization { On = "on", Auto = "auto", Off = "off" }

    /// The account that is debited.
    BankAccount {
        ConsumerChecking = "consumer-checking", ConsumerSavings = "consumer-savings",
        CommercialChecking = "commercial-checking", CommercialSavings = "commercial-savings"
    }

    /// How a payment is made.
    PaymentMethod { AchDebit = "ach-debit", CreditCard = "credit-card" }

    /// How payment data are entered.
    PayInput { Dtmf = "dtmf" }

    /// What the token of a payment is good for.
    TokenType { OneTime = "one-time", Reusable = "reusable", PaymentMethod = "payment-method" }

    /// A type of card.
    CardType {
        Visa = "visa", Mastercard = "mastercard", Amex = "amex", Maestro = "maestro", Discover = "discover",
        Optima = "optima", Jcb = "jcb", DinersClub = "diners-club", Enroute = "enroute"
    }

    /// What a `<Prompt>` asks for.
    PromptFor {
        PaymentCardNumber = "payment-card-number", ExpirationDate = "expiration-date", SecurityCode = "security-code",
        PostalCode = "postal-code", PaymentProcessing = "payment-processing",
        BankAccountNumber = "bank-account-number", BankRoutingNumber = "bank-routing-number"
    }

    /// What went wrong at the last attempt to enter payment data.
    PromptError {
        Timeout = "timeout", InvalidCardNumber = "invalid-card-number", InvalidCardType = "invalid-card-type",
        InvalidDate = "invalid-date", InvalidSecurityCode = "invalid-security-code",
        InternalError = "internal-error", InputMatchingFailed = "input-matching-failed"
    }

    /// The length of a pause, as a word.
    BreakStrength {
        None = "none", XWeak = "x-weak", Weak = "weak", Medium = "medium", Strong = "strong", XStrong = "x-strong"
    }

    /// How strongly words are stressed.
    EmphasisLevel { Strong = "strong", Moderate = "moderate", Reduced = "reduced" }

    /// How a pronunciation is written.
    Alphabet {
        Ipa = "ipa", XSampa = "x-sampa", Jyutping = "x-amazon-jyutping", Pinyin = "x-amazon-pinyin",
        PronKana = "x-amazon-pron-kana", Yomigana = "x-amazon-yomigana"
    }

    /// What words mean, so that they are read out as such.
    InterpretAs {
        Characters = "characters", SpellOut = "spell-out", Cardinal = "cardinal", Number = "number",
        Ordinal = "ordinal", Digits = "digits", Fraction = "fraction", Unit = "unit", Date = "date", Time = "time",
        Address = "address", Expletive = "expletive", Telephone = "telephone"
    }

    /// The parts of a date, in order.
    DateFormat {
        Mdy = "mdy", Dmy = "dmy", Ymd = "ymd", Md = "md", Dm = "dm", Ym = "ym", My = "my", D = "d", M = "m", Y = "y",
        Yyyymmdd = "yyyymmdd"
    }
}
