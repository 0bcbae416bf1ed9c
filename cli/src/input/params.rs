//! Parses the parameters of `-d NAME=VALUE`, and writes parameters as a form.

use crate::outcome::Failure;

pub(crate) use twilio_signature::header::FORM;

/// The content type of a form as Twilio often writes it.
pub(crate) const FORM_IN_UTF8: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// A parameter, decoded.
pub(crate) type Param = (String, String);

/// Parses the values of `-d`. A value may be empty and may have any character in it.
pub(crate) fn parse(options: &[String]) -> Result<Vec<Param>, Failure> {
    options
        .iter()
        .map(|option| match option.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(Failure::usage(
                "-d needs a name, an equals sign and a value, such as Body=Hi",
            )),
        })
        .collect()
}

/// Replaces the defaults that have the name of an override, and appends the overrides.
pub(crate) fn overridden(defaults: &[(&str, &str)], mut overrides: Vec<Param>) -> Vec<Param> {
    let mut params = Vec::new();
    for (name, value) in defaults {
        if overrides.iter().all(|(other, _)| other != name) {
            params.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    params.append(&mut overrides);
    params
}

/// Writes parameters as a URL-encoded form.
pub(crate) fn encode(params: &[Param]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
}
