//! Which name was meant.

/// Returns the name that was probably meant: the same in another case, or one in which at most two letters differ, and at
/// most a third of them.
pub(super) fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    // Longer names are none of Twilio's, and distances cost the product of the lengths.
    if written.len() > 64 {
        return None;
    }
    let written = written.to_ascii_lowercase();
    let distances = names.iter().map(|name| {
        let distance = strsim::osa_distance(&written, &name.to_ascii_lowercase());
        (distance, *name)
    });
    let (distance, name) = distances.min()?;
    let shorter = written.len().min(name.len());
    (distance <= 2 && distance * 3 <= shorter).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::specs;

    #[test]
    fn only_similar_names_are_proposed() {
        let names: Vec<_> = specs().iter().map(|spec| spec.name).collect();
        let cases = [
            ("Sya", Some("Say")),
            ("Says", Some("Say")),
            ("say", Some("Say")),
            ("GATHER", Some("Gather")),
            ("Gahtre", Some("Gather")),
            ("Redirct", Some("Redirect")),
            ("Hangpu", Some("Hangup")),
            ("Mesage", Some("Message")),
            ("Foo", None),
            ("Bar", None),
            ("Ax", None),
            ("X", None),
            ("", None),
            ("Loop", None),
            ("Sound", None),
            ("Message-and-more", None),
        ];
        for (written, expected) in cases {
            assert_eq!(nearest(written, &names), expected, "{written}");
        }
    }
}
