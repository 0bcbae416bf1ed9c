//! Which name was meant.

/// Returns the name that was probably meant: the same in another case, or one or two letters away.
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
    (distance <= 2 && distance * 3 < name.len().max(2) * 2).then_some(name)
}
