//! Recognizes WebSocket handshakes.

use actix_web::{
    HttpRequest,
    http::{
        Method, Version,
        header::{CONNECTION, CONTENT_LENGTH, SEC_WEBSOCKET_KEY, TRANSFER_ENCODING, UPGRADE},
    },
};

/// Returns whether a request opens a WebSocket (R12). Its payload is then that of the WebSocket, and never ends.
///
/// actix's decoder treats a payload as endless if the request has `Upgrade: websocket`. Here, a request with that
/// header that is not a handshake is an ordinary one, and its body is bounded in size and time.
pub(crate) fn is_websocket_handshake(req: &HttpRequest) -> bool {
    // R12
    if req.method() != Method::GET || req.version() != Version::HTTP_11 {
        return false;
    }
    let headers = req.headers();
    let mut upgrades = headers.get_all(UPGRADE);
    upgrades
        .next()
        .is_some_and(|upgrade| upgrade.as_bytes().eq_ignore_ascii_case(b"websocket"))
        && upgrades.next().is_none()
        && headers.get_all(CONNECTION).any(|line| {
            line.as_bytes()
                .split(|byte| *byte == b',')
                .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
        })
        && headers
            .get(SEC_WEBSOCKET_KEY)
            .is_some_and(|key| !key.is_empty())
        && !headers.contains_key(TRANSFER_ENCODING)
        && headers.get_all(CONTENT_LENGTH).all(|length| length == "0")
}
