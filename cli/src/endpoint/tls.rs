//! TLS: the authorities that are trusted, and errors as sentences.

use std::path::Path;

use rustls::{AlertDescription, CertificateError, Error, RootCertStore, pki_types::CertificateDer};
use ureq::tls::{PemItem, RootCerts, parse_pem};

use crate::{input::source, outcome::Failure, terminal};

/// Reads the certificates of authorities from a file in PEM form.
pub(crate) fn authorities(path: &Path) -> Result<RootCerts, Failure> {
    let pem = source::read(path)?;
    let unreadable =
        |problem: &str| Failure::usage(format_args!("--cacert {}: {problem}", path.display()));
    let mut certificates = Vec::new();
    for item in parse_pem(source::without_mark(&pem)) {
        match item {
            Ok(PemItem::Certificate(certificate)) => {
                // The client leaves out what it can't parse, and then does not know the authority.
                let der = CertificateDer::from(certificate.der());
                if RootCertStore::empty().add(der).is_err() {
                    let number = certificates.len() + 1;
                    return Err(unreadable(&format!(
                        "its certificate number {number} is not a certificate"
                    )));
                }
                certificates.push(certificate);
            }
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

/// Says what went wrong and what to do: a clause without a full stop. `has_cacert` is whether `--cacert` was passed.
pub(crate) fn describe(err: &Error, has_cacert: bool) -> String {
    match err {
        Error::InvalidCertificate(err) => of_certificate(err, has_cacert),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the endpoint answered with something other than TLS: does this port serve http://?".to_owned()
        }
        Error::PeerIncompatible(_) => {
            "the endpoint has no TLS version or cipher that this tool supports: it needs TLS 1.2 or 1.3".to_owned()
        }
        Error::AlertReceived(alert) => of_alert(*alert),
        err => shortened(&format!("TLS failed: {err}")),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let advice = match alert {
        Alert::ProtocolVersion => {
            "it has no TLS version that this tool supports: it needs TLS 1.2 or 1.3"
        }
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            "it may have no cipher that this tool supports, or ask for a certificate of the client, which this tool does not have"
        }
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied => {
            "it asks for a certificate of the client, which this tool does not have: let it take requests without one"
        }
        Alert::UnrecognisedName => "check that it has a certificate for this host",
        _ => "see its log",
    };
    format!("the endpoint ended the TLS handshake with the alert {alert:?}: {advice}")
}

fn of_certificate(err: &CertificateError, has_cacert: bool) -> String {
    use CertificateError as Err;
    // Some errors can be told only by the name that the verifier gives them.
    let is_other = |name: &str| matches!(err, Err::Other(err) if err.to_string().contains(name));
    match err {
        Err::UnknownIssuer if has_cacert => {
            "its certificate does not lead to an authority of --cacert: let the endpoint send its whole chain, with each \
             intermediate certificate, since Twilio refuses an incomplete one; or pass the authority that signed it"
                .to_owned()
        }
        Err::UnknownIssuer => {
            "its certificate is from an authority that is not known: pass the authority's certificate with --cacert; or, \
             if it is a public authority, let the endpoint send its intermediate certificate, too, which Twilio needs"
                .to_owned()
        }
        Err::BadSignature if has_cacert => {
            "its certificate is not signed with the key of the authority of that name in --cacert: pass the authority's \
             current certificate"
                .to_owned()
        }
        Err::UnsupportedSignatureAlgorithmContext { .. }
        | Err::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its certificate is signed with an algorithm that this tool does not support, such as SHA-1: renew it with \
             SHA-256"
                .to_owned()
        }
        Err::InvalidPurpose | Err::InvalidPurposeContext { .. } => {
            "its certificate is not for servers: use one whose extended key usage has serverAuth".to_owned()
        }
        Err::Expired | Err::ExpiredContext { .. } => {
            "its certificate has expired: renew it".to_owned()
        }
        Err::NotValidYet | Err::NotValidYetContext { .. } => {
            "its certificate is not valid yet: check the clock of this machine".to_owned()
        }
        Err::NotValidForName => "its certificate is for another host name".to_owned(),
        Err::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "its certificate names no host: use one that has the host as a subject alternative name".to_owned()
        }
        Err::NotValidForNameContext { presented, .. } => format!(
            "its certificate is not for this host name: it is for {}",
            names(presented)
        ),
        Err::Revoked => "its certificate was revoked: renew it".to_owned(),
        _ if is_other("UnsupportedCertVersion") => {
            "its certificate, or one of an authority, has an X.509 version that this tool does not support: use one of \
             version 3, which has the host as a subject alternative name"
                .to_owned()
        }
        _ if is_other("NameConstraintViolation") => {
            "its certificate is from an authority that may not sign for this host name: use one from another authority"
                .to_owned()
        }
        _ if is_other("CaUsedAsEndEntity") => {
            "its certificate is one of an authority: use a certificate that the authority signed, and pass the \
             authority's with --cacert"
                .to_owned()
        }
        err => shortened(&format!("its certificate is not valid: {err:?}")) + ": use another one",
    }
}

/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 5;

/// The longest text from a certificate in characters.
const MAX_TEXT: usize = 300;

fn names(presented: &[String]) -> String {
    let mut names: Vec<_> = presented
        .iter()
        .take(MAX_NAMES)
        .map(|name| {
            let name = name.strip_prefix("DnsName(\"").unwrap_or(name);
            shortened(name.strip_suffix("\")").unwrap_or(name))
        })
        .collect();
    match presented.len() {
        0 => "none".to_owned(),
        count if count > MAX_NAMES => {
            names.push(format!("and {} more", count - MAX_NAMES));
            names.join(", ")
        }
        _ => names.join(", "),
    }
}

/// Cuts a text that has parts of a certificate.
fn shortened(text: &str) -> String {
    // A password whose `@` is cut off could not be recognized.
    let text = &*terminal::without_passwords(text);
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "..",
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{error::Error as StdError, sync::Arc};

    use rustls::OtherError;

    use super::*;

    #[test]
    fn errors_without_a_type_of_their_own_have_advice() {
        for (name, said) in [
            ("UnsupportedCertVersion", "use one of version 3"),
            ("NameConstraintViolation", "use one from another authority"),
            (
                "CaUsedAsEndEntity",
                "a certificate that the authority signed",
            ),
            (
                "Unheard",
                "is not valid: Other(OtherError(\"Unheard\")): use another one",
            ),
        ] {
            let err = OtherError(Arc::from(Box::<dyn StdError + Send + Sync>::from(name)));
            let err = Error::InvalidCertificate(CertificateError::Other(err));
            let shown = describe(&err, true);
            assert!(shown.contains(said), "{shown}");
        }
    }

    #[test]
    fn a_certificate_with_many_names_is_described_shortly() {
        let presented = |count: usize| {
            let names = (0..count).map(|n| format!("DnsName(\"{n}.example\")"));
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(&presented(0)), "none");
        assert_eq!(names(&presented(2)), "0.example, 1.example");
        let many = names(&presented(3000));
        assert!(
            many.starts_with("0.example, ") && many.ends_with("4.example, and 2995 more"),
            "{many}"
        );
        assert!(names(&["\u{e4}".repeat(10_000)]).chars().count() <= MAX_TEXT + 2);
        let name = "a".repeat(MAX_TEXT - 20) + ".https://u:password@h";
        assert!(!names(&[name]).contains("pass"));
    }
}
