//! TLS: the authorities that are trusted, and errors as sentences.

use std::path::Path;

use rustls::{CertificateError, Error};
use ureq::tls::{PemItem, RootCerts, parse_pem};

use crate::{input::source, outcome::Failure};

/// Reads the certificates of authorities from a file in PEM form.
pub(crate) fn authorities(path: &Path) -> Result<RootCerts, Failure> {
    let pem = source::read(path)?;
    let unreadable =
        |problem| Failure::usage(format_args!("--cacert {}: {problem}", path.display()));
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(unreadable("it is not valid PEM")),
        }
    }
    if certificates.is_empty() {
        return Err(unreadable(
            "it has no certificate in PEM form, which starts with -----BEGIN CERTIFICATE-----",
        ));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Returns the TLS error in an error of the client, if it is one.
pub(crate) fn error(err: &ureq::Error) -> Option<&Error> {
    match err {
        ureq::Error::Rustls(err) => Some(err),
        ureq::Error::Io(err) => err.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Says what went wrong and what to do: a clause without a full stop.
pub(crate) fn describe(err: &Error) -> String {
    match err {
        Error::InvalidCertificate(err) => of_certificate(err),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the endpoint answered with something other than TLS: does this port serve http://?".to_owned()
        }
        Error::PeerIncompatible(_) => {
            "the endpoint has no TLS version or cipher that this tool supports: it needs TLS 1.2 or 1.3".to_owned()
        }
        Error::AlertReceived(alert) => format!(
            "the endpoint ended the TLS handshake with the alert {alert:?}: check that it has a certificate for this host"
        ),
        err => format!("TLS failed: {err}"),
    }
}

fn of_certificate(err: &CertificateError) -> String {
    use CertificateError as Err;
    match err {
        Err::UnknownIssuer => {
            "its certificate is from an authority that is not known: pass the authority's certificate with --cacert"
                .to_owned()
        }
        Err::Expired | Err::ExpiredContext { .. } => {
            "its certificate has expired: renew it".to_owned()
        }
        Err::NotValidYet | Err::NotValidYetContext { .. } => {
            "its certificate is not valid yet: check the clock of this machine".to_owned()
        }
        Err::NotValidForName => "its certificate is for another host name".to_owned(),
        Err::NotValidForNameContext { presented, .. } => format!(
            "its certificate is not for this host name: it is for {}",
            names(presented)
        ),
        Err::Revoked => "its certificate was revoked: renew it".to_owned(),
        // The only sign of it is the name that the verifier gives it.
        Err::Other(err) if err.to_string().contains("CaUsedAsEndEntity") => {
            "its certificate is one of an authority: use a certificate that the authority signed, and pass the \
             authority's with --cacert"
                .to_owned()
        }
        err => format!("its certificate is not valid: {err}"),
    }
}

fn names(presented: &[String]) -> String {
    let names: Vec<_> = presented
        .iter()
        .map(|name| {
            let name = name.strip_prefix("DnsName(\"").unwrap_or(name);
            name.strip_suffix("\")").unwrap_or(name)
        })
        .collect();
    match names[..] {
        [] => "none".to_owned(),
        _ => names.join(", "),
    }
}
