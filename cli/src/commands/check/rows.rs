//! Builds the requests to try: genuine ones, and forgeries of them.

use crate::{
    endpoint::{
        Endpoint, events,
        message::{Message, Method},
        url::Url,
    },
    input::params::{self, FORM, FORM_IN_UTF8, Param},
    outcome::Failure,
};

/// The shapes in which Twilio sends an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    Form,
    Get,
    Json,
    WebSocket,
}

impl Shape {
    /// All shapes over HTTP.
    pub(crate) const HTTP: [Self; 3] = [Self::Form, Self::Get, Self::Json];

    pub(crate) const ALL: [Self; 4] = [Self::Form, Self::Get, Self::Json, Self::WebSocket];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Get => "GET",
            Self::Json => "JSON",
            Self::WebSocket => "WebSocket",
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::Form | Self::Json => Method::Post,
            Self::Get | Self::WebSocket => Method::Get,
        }
    }
}

/// What the endpoint must do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expected {
    Accept,
    Refuse,
}

/// A request to try, ready to be sent.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) expected: Expected,
    pub(crate) message: Message,
    /// The values of the signature headers, one for each header.
    pub(crate) signatures: Vec<String>,
}

/// The content of the requests.
pub(crate) struct Material {
    pub(crate) params: Vec<Param>,
    pub(crate) json: Vec<u8>,
}

/// A genuine request: the parameters, and the pairs that are added to them.
struct Genuine {
    name: &'static str,
    shape: Shape,
    /// The content type of a form.
    content_type: &'static str,
    /// Further pairs, URL-encoded.
    more: &'static str,
    /// How many times [`LETTERS`] is added.
    letters: usize,
}

const GENUINE: &[Genuine] = &[
    form("parameters", ""),
    form(
        "repeated keys",
        "&MessagingBinding.Address=%2B14158675310&MessagingBinding.Address=%2B14150000000\
         &MessagingBinding.Address=%2B14158675310",
    ),
    form("empty values", "&CalledCity=&CalledZip=&Called"),
    form(
        "Unicode",
        "&ProfileName=Zo%C3%AB+Zoe%CC%88+%E6%9D%8E+%F0%9F%99%82",
    ),
    form(
        "+ and %20",
        "&CallerCity=NEW+YORK&CallerState=NEW%20YORK&ButtonText=1%2B1",
    ),
    form(
        "white space around values",
        "&ButtonText=++two+blanks%20%09&ButtonPayload=%0D%0Alines%0D%0A",
    ),
    // 9,000 bytes: nearly the longest message that Twilio sends.
    Genuine {
        letters: 150,
        ..form("long body", "&TranscriptionText=")
    },
    Genuine {
        content_type: FORM_IN_UTF8,
        ..form("charset in the content type", "")
    },
    get("parameters", ""),
    get("+ and %20", "&CallerCity=NEW+YORK&CallerState=NEW%20YORK"),
    get("escaped punctuation", "&ButtonText=%2Fa%2C+b%3F+%28c%29"),
    Genuine {
        shape: Shape::Json,
        ..form("bodySHA256", "")
    },
    Genuine {
        shape: Shape::WebSocket,
        ..form("handshake", "")
    },
];

const fn get(name: &'static str, more: &'static str) -> Genuine {
    Genuine {
        shape: Shape::Get,
        ..form(name, more)
    }
}

const fn form(name: &'static str, more: &'static str) -> Genuine {
    Genuine {
        name,
        shape: Shape::Form,
        content_type: FORM,
        more,
        letters: 0,
    }
}

/// Ten letters that are not ASCII, URL-encoded.
const LETTERS: &str = "%C3%A4%C3%B6%C3%BC%C3%9F%C3%A9%C3%A8%C3%AA%C3%AB%C3%AF%C3%AE";

/// A way to forge a request.
struct Forgery {
    name: &'static str,
    shapes: &'static [Shape],
    forge: Forge,
}

enum Forge {
    /// Sends the message with other signature headers.
    Signatures(fn(&Endpoint, &Message) -> Result<Vec<String>, Failure>),
    /// Sends a changed message with the signature of the genuine one.
    Message(fn(&mut Message, &Material)),
    /// Sends the message without `bodySHA256`, with a valid signature of the URL that is left.
    Unhashed,
}

const FORGERIES: &[Forgery] = &[
    Forgery {
        name: "invalid signature",
        shapes: &Shape::ALL,
        forge: Forge::Signatures(|endpoint, message| Ok(vec![invalid(endpoint, message)?])),
    },
    Forgery {
        name: "missing header",
        shapes: &Shape::ALL,
        forge: Forge::Signatures(|_, _| Ok(Vec::new())),
    },
    Forgery {
        name: "empty header",
        shapes: &Shape::ALL,
        forge: Forge::Signatures(|_, _| Ok(vec![String::new()])),
    },
    Forgery {
        name: "wrong token",
        shapes: &Shape::ALL,
        forge: Forge::Signatures(|endpoint, message| {
            Ok(vec![endpoint.sign_with_another_token(message)?])
        }),
    },
    Forgery {
        name: "two signatures, the genuine one first",
        shapes: &Shape::ALL,
        forge: Forge::Signatures(|endpoint, message| {
            Ok(vec![endpoint.sign(message)?, invalid(endpoint, message)?])
        }),
    },
    Forgery {
        name: "two signatures, the genuine one last",
        shapes: &Shape::ALL,
        forge: Forge::Signatures(|endpoint, message| {
            Ok(vec![invalid(endpoint, message)?, endpoint.sign(message)?])
        }),
    },
    Forgery {
        name: "changed value",
        shapes: &[Shape::Form],
        forge: Forge::Message(|message, material| {
            message.body = params::encode(&changed(&material.params)).into_bytes();
        }),
    },
    Forgery {
        name: "added parameter",
        shapes: &[Shape::Form],
        forge: Forge::Message(|message, _| message.body.extend_from_slice(b"&Forged=1")),
    },
    Forgery {
        name: "removed parameter",
        shapes: &[Shape::Form],
        forge: Forge::Message(|message, material| {
            let mut params = material.params.clone();
            if let Some(last) = last(&params) {
                params.remove(last);
            }
            message.body = params::encode(&params).into_bytes();
        }),
    },
    Forgery {
        name: "changed query",
        shapes: &[Shape::Get],
        forge: Forge::Message(|message, material| {
            message.query = params::encode(&changed(&material.params));
        }),
    },
    Forgery {
        name: "parameter added to the query",
        shapes: &Shape::ALL,
        forge: Forge::Message(|message, _| {
            let separator = if message.query.is_empty() { "" } else { "&" };
            message.query.push_str(separator);
            message.query.push_str("Forged=1");
        }),
    },
    Forgery {
        name: "body replaced under a valid URL signature",
        shapes: &[Shape::Json],
        forge: Forge::Message(|message, _| message.body = replaced(&message.body)),
    },
    Forgery {
        name: "no bodySHA256",
        shapes: &[Shape::Json],
        forge: Forge::Unhashed,
    },
];

/// Makes all rows for these shapes, the genuine ones first.
pub(crate) fn matrix(
    endpoint: &Endpoint,
    material: &Material,
    shapes: &[Shape],
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for genuine in GENUINE.iter().filter(|row| shapes.contains(&row.shape)) {
        let message = genuine.message(material);
        rows.push(Row {
            name: genuine.name,
            shape: genuine.shape,
            expected: Expected::Accept,
            signatures: vec![endpoint.sign(&message)?],
            message,
        });
    }
    for shape in shapes {
        let Some(genuine) = GENUINE.iter().find(|row| row.shape == *shape) else {
            continue;
        };
        let message = genuine.message(material);
        for forgery in FORGERIES.iter().filter(|row| row.shapes.contains(shape)) {
            rows.push(forgery.row(endpoint, material, *shape, message.clone())?);
        }
    }
    Ok(rows)
}

/// The parameters in the tutorial's script.
const TUTORIAL_PARAMS: &[(&str, &str)] = &[
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
];

/// Makes the four rows of the tutorial.
pub(crate) fn tutorial(endpoint: &Endpoint, overrides: Vec<Param>) -> Result<Vec<Row>, Failure> {
    let text = params::encode(&params::overridden(TUTORIAL_PARAMS, overrides));
    let mut rows = Vec::new();
    for (shape, message) in [
        (Shape::Get, Message::get(text.clone())),
        (Shape::Form, Message::form(FORM, text)),
    ] {
        for (name, expected) in [("valid", Expected::Accept), ("invalid", Expected::Refuse)] {
            let signature = match expected {
                Expected::Accept => endpoint.sign(&message)?,
                Expected::Refuse => invalid(endpoint, &message)?,
            };
            rows.push(Row {
                name,
                shape,
                expected,
                message: message.clone(),
                signatures: vec![signature],
            });
        }
    }
    Ok(rows)
}

impl Genuine {
    fn message(&self, material: &Material) -> Message {
        let text = params::encode(&material.params) + self.more + &LETTERS.repeat(self.letters);
        match self.shape {
            Shape::Form => Message::form(self.content_type, text),
            Shape::Get => Message::get(text),
            Shape::Json => Message::json(material.json.clone()),
            // Twilio adds nothing to the URL.
            Shape::WebSocket => Message::get(String::new()),
        }
    }
}

impl Forgery {
    fn row(
        &self,
        endpoint: &Endpoint,
        material: &Material,
        shape: Shape,
        mut message: Message,
    ) -> Result<Row, Failure> {
        let signatures = match self.forge {
            Forge::Signatures(signatures) => signatures(endpoint, &message)?,
            Forge::Message(forge) => {
                let signatures = vec![endpoint.sign(&message)?];
                forge(&mut message, material);
                signatures
            }
            Forge::Unhashed => {
                message.query.clear();
                let empty = Message {
                    body: Vec::new(),
                    ..message.clone()
                };
                vec![endpoint.sign(&empty)?]
            }
        };
        Ok(Row {
            name: self.name,
            shape,
            expected: Expected::Refuse,
            message,
            signatures,
        })
    }
}

/// Signs a different URL, as the tutorial's script does for an invalid signature.
fn invalid(endpoint: &Endpoint, message: &Message) -> Result<String, Failure> {
    let url = Url::parse("http://invalid.com", &["http"])?;
    endpoint.sign_for(&url, message)
}

/// Changes the value of the last parameter.
fn changed(params: &[Param]) -> Vec<Param> {
    let mut params = params.to_vec();
    if let Some((_, value)) = last(&params).and_then(|last| params.get_mut(last)) {
        value.push('1');
    }
    params
}

/// Returns the index of the last parameter except the account: without it, an app with several accounts would refuse
/// a forgery for another reason than its signature.
fn last(params: &[Param]) -> Option<usize> {
    params
        .iter()
        .rposition(|(name, _)| !events::is_account(name))
}

/// Replaces a JSON body by a different one that an endpoint would accept, so that only the hash shows
/// the change: another status if there is one, otherwise a space at the end.
fn replaced(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    let other = text.replace("DELIVERED", "FAILED");
    if other == text {
        [json, b" "].concat()
    } else {
        other.into_bytes()
    }
}
