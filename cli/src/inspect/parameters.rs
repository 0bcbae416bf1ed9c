//! The parameters of a request, decoded.

use twilio_signature::header::FORM;

use crate::{inspect::exchange::Exchange, terminal};

/// Where a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Place {
    Body,
    Query,
}

/// A parameter, with bytes that are not UTF-8 replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Iterates over the parameters of a request: those of its form, and those of its query.
pub(crate) fn of(exchange: &Exchange) -> Vec<Parameter> {
    let body = exchange.request.wire.body();
    let form = if is_form(exchange) { &*body } else { &[] };
    let parse = |place, text| {
        form_urlencoded::parse(text).map(move |(name, value)| Parameter {
            place,
            name: name.into_owned(),
            value: value.into_owned(),
        })
    };
    parse(Place::Body, form)
        .chain(parse(Place::Query, query(exchange).as_bytes()))
        .collect()
}

/// Returns the value of the first of these names that a request has a value for.
pub(crate) fn first<'p>(parameters: &'p [Parameter], names: &[&str]) -> Option<&'p str> {
    names.iter().find_map(|name| {
        let mut found = parameters
            .iter()
            .filter(|parameter| parameter.name == *name);
        found
            .find(|parameter| !parameter.value.is_empty())
            .map(|parameter| &*parameter.value)
    })
}

/// Returns whether the body is a form.
pub(crate) fn is_form(exchange: &Exchange) -> bool {
    let content_type = content_type(exchange).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case(FORM)
}

/// Returns the content type of the request.
pub(crate) fn content_type(exchange: &Exchange) -> Option<String> {
    let value = exchange.request.wire.values("Content-Type").next()?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Returns the target of a request that asks for a path, as all of Twilio's do.
///
/// # Errors
///
/// Returns an error for any other request. The target is appended to the address of the app, and one without a slash can
/// turn both into the address of another host: `http://localhost:8080@attacker.example/`. That host would get a genuine
/// signature.
pub(crate) fn target(exchange: &Exchange) -> Result<&str, &'static str> {
    let target = &*exchange.request.target;
    if target.starts_with('/') {
        Ok(target)
    } else {
        Err(
            "the request does not ask for a path, so it is not Twilio's: its target does not start with a slash",
        )
    }
}

/// Returns the target of the request without a password. Only a target that is not a path can have one.
pub(crate) fn shown_target(exchange: &Exchange) -> String {
    let target = &exchange.request.target;
    if target.starts_with('/') {
        target.clone()
    } else {
        terminal::without_passwords(target)
    }
}

/// Returns the path of the request, without its query.
pub(crate) fn path(exchange: &Exchange) -> &str {
    let target = &exchange.request.target;
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// Returns the query of the request.
pub(crate) fn query(exchange: &Exchange) -> &str {
    let target = &exchange.request.target;
    target.split_once('?').map_or("", |(_, query)| query)
}
