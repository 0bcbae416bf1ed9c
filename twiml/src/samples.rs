//! A document for each element of the table, in each place and with each attribute: what is written is what the lint
//! takes, and what Twilio's own builders write.

mod builders;

use crate::{
    ChildOf, Element, MessagingResponse, Node, Parsed, VoiceResponse, check,
    element::{TEXT, Typed},
    lint::specs,
    table::Spec,
};

/// XML that goes anywhere.
pub(crate) struct Raw(String);

impl crate::element::private::Sealed for Raw {}

impl Node for Raw {
    fn write(self, xml: &mut String) {
        xml.push_str(&self.0);
    }
}

impl<Parent> ChildOf<Parent> for Raw {}

/// What may be inside of an element: text, or its first child.
pub(crate) fn content<T: Typed>() -> Raw {
    let spec = T::spec();
    Raw(match spec.children {
        [child, ..] if !spec.holds_text => samples(child()).remove(0),
        _ => "text &lt;".to_owned(),
    })
}

/// An element from each constructor, as XML.
fn samples(spec: &Spec) -> Vec<String> {
    let xml = |element: Element| {
        let mut xml = String::new();
        element.write(&mut xml);
        xml
    };
    (spec.samples)().into_iter().map(xml).collect()
}

/// A document for each place in which each element may be, with the element at its root. SSML may be nested without end:
/// each pair is there once.
fn documents() -> Vec<(&'static Spec, String)> {
    let mut documents = Vec::new();
    for root in [VoiceResponse::spec(), MessagingResponse::spec()] {
        // From the root on, each element with those around it.
        let mut paths: Vec<Vec<&'static Spec>> = vec![vec![root]];
        let mut index = 0;
        while let Some(path) = paths.get(index).cloned() {
            let children = path.last().map_or(&[][..], |parent| parent.children);
            for child in children {
                let samples = samples(child()).into_iter();
                documents.extend(samples.map(|xml| (root, within(&path, xml))));
                if !paths
                    .iter()
                    .any(|path| path.iter().any(|spec| std::ptr::eq(*spec, child())))
                {
                    paths.push([path.as_slice(), &[child()]].concat());
                }
            }
            index += 1;
        }
    }
    documents
}

fn within(path: &[&Spec], xml: String) -> String {
    path.iter().rev().fold(xml, |xml, spec| {
        let around = (spec.samples)().remove(0).without_content();
        let mut document = String::new();
        around.child(Raw(xml)).write(&mut document);
        document
    })
}

#[test]
fn the_lint_takes_each_element_in_each_place_with_each_attribute() {
    let documents = documents();
    assert!(documents.len() > 140, "{}", documents.len());
    for (_, document) in &documents {
        let findings = check(document);
        assert!(findings.is_empty(), "{document}\n{findings:?}");
    }
    let all: String = documents
        .into_iter()
        .map(|(_, document)| document)
        .collect();
    for spec in specs() {
        assert!(all.contains(&format!("<{}", spec.name)), "{}", spec.name);
        let required = spec.needs.iter().flat_map(|needs| needs.values);
        for (name, _) in required
            .chain(spec.attributes)
            .filter(|(name, _)| *name != TEXT)
        {
            assert!(all.contains(&format!(" {name}=\"")), "{} {name}", spec.name);
        }
    }
}

#[test]
fn each_element_is_read_as_it_was_written() {
    for (_, document) in documents() {
        let read = Parsed::parse(&document).unwrap();
        assert_eq!(read.name(), "Response");
        assert!(document.contains("text &lt;") == format!("{read}").contains("text <"));
    }
}
