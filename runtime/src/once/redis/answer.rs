//! An answer as the bytes that Redis stores.

use actix_web::{
    http::{StatusCode, header::HeaderValue},
    web::Bytes,
};

use crate::once::store::StoredAnswer;

/// Writes the status, the content type and the location, each after its length, and the body.
pub(super) fn encode(answer: &StoredAnswer) -> Vec<u8> {
    let (content_type, content_type_len) = with_len(answer.content_type.as_ref());
    let (location, location_len) = with_len(answer.location.as_ref());
    [
        &answer.status.as_u16().to_be_bytes()[..],
        &content_type_len,
        content_type,
        &location_len,
        location,
        &answer.body,
    ]
    .concat()
}

fn with_len(value: Option<&HeaderValue>) -> (&[u8], [u8; 2]) {
    let value = value.map_or(&[][..], HeaderValue::as_bytes);
    match u16::try_from(value.len()) {
        Ok(len) => (value, len.to_be_bytes()),
        Err(_) => (&[], [0, 0]),
    }
}

/// Reads an answer, or returns `None` if it is malformed.
pub(super) fn decode(answer: &[u8]) -> Option<StoredAnswer> {
    let (status, rest) = answer.split_first_chunk()?;
    let (content_type, rest) = split_value(rest)?;
    let (location, body) = split_value(rest)?;
    Some(StoredAnswer {
        status: StatusCode::from_u16(u16::from_be_bytes(*status)).ok()?,
        content_type,
        location,
        body: Bytes::copy_from_slice(body),
    })
}

fn split_value(bytes: &[u8]) -> Option<(Option<HeaderValue>, &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (value, rest) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
    let value = match value {
        [] => None,
        value => Some(HeaderValue::from_bytes(value).ok()?),
    };
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_stored_as_they_were_and_malformed_ones_are_refused() {
        let answers = [
            StoredAnswer::EMPTY,
            StoredAnswer {
                status: StatusCode::OK,
                content_type: Some(HeaderValue::from_static("application/xml")),
                body: Bytes::from_static(b"<Response/>"),
                ..StoredAnswer::EMPTY
            },
            StoredAnswer {
                status: StatusCode::FOUND,
                location: Some(HeaderValue::from_static("/next")),
                ..StoredAnswer::EMPTY
            },
            StoredAnswer {
                status: StatusCode::NOT_FOUND,
                body: Bytes::from_static(b"\xFF\0"),
                ..StoredAnswer::EMPTY
            },
        ];
        for answer in answers {
            let encoded = encode(&answer);
            assert_eq!(decode(&encoded).as_ref(), Some(&answer));
            let values = [&answer.content_type, &answer.location];
            let values = values.map(|value| value.as_ref().map_or(0, HeaderValue::len));
            for len in 0..6 + values.iter().sum::<usize>() {
                assert_eq!(decode(&encoded[..len]), None);
            }
        }
        for malformed in [
            &b"\0\x01\0\0\0\0"[..],
            b"\0\xC8\xFF\xFFx",
            b"\0\xC8\0\0\xFF\xFFx",
            b"\0\xC8\0\x01\n\0\0",
            b"\0\xC8\0\0\0\x01\n",
        ] {
            assert_eq!(decode(malformed), None);
        }
    }
}
