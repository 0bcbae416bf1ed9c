//! Names, values and nesting, against the table; and verbs that are never reached.

use roxmltree::{Document, Node, TextPos};

use super::{
    Channel, Finding, FindingKind, MAX_DEPTH, SHORTEN, names::nearest, shown, too_long, value,
};
use crate::{
    Message, MessagingResponse, Sms, VoiceResponse,
    element::{TEXT, Typed},
    table::{Needs, Spec},
    values::Kind,
};

/// More findings than these help nobody.
const MAX_FINDINGS: usize = 100;

pub(super) fn check(document: &Document<'_>, channel: Option<Channel>) -> Vec<Finding> {
    let root = document.root_element();
    let mut linter = Linter {
        document,
        findings: Vec::new(),
    };
    if name(root) != "Response" {
        linter.report(
            FindingKind::Syntax,
            root.range().start,
            format!("the root is <{}>", shown(&name(root))),
            "write <Response>, in this case",
        );
        return linter.findings;
    }
    let channel = channel.unwrap_or_else(|| guess(root));
    let spec = match channel {
        Channel::Voice => VoiceResponse::spec(),
        Channel::Messaging => MessagingResponse::spec(),
    };
    linter.elements(root, spec, channel);
    linter.flow(root);
    let mut findings = linter.findings;
    findings.sort_by_key(|finding| (finding.line, finding.column));
    findings
}

/// A document with a verb for messages and none for calls answers a message.
fn guess(root: Node<'_, '_>) -> Channel {
    let holds = |spec: &Spec, verb: &str| spec.children.iter().any(|child| child().name == verb);
    let mut verbs = root.children().filter(Node::is_element).map(name);
    let is_for_messages = |verb: &String| verb == Message::spec().name;
    let is_for_calls = |verb: &String| {
        holds(VoiceResponse::spec(), verb) && !holds(MessagingResponse::spec(), verb)
    };
    let voice = verbs.clone().any(|verb| is_for_calls(&verb));
    if !voice && verbs.any(|verb| is_for_messages(&verb)) {
        Channel::Messaging
    } else {
        Channel::Voice
    }
}

struct Linter<'a, 'input> {
    document: &'a Document<'input>,
    findings: Vec<Finding>,
}

impl<'a, 'input> Linter<'a, 'input> {
    fn report(
        &mut self,
        kind: FindingKind,
        at: usize,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        if self.findings.len() < MAX_FINDINGS {
            let position: TextPos = self.document.text_pos_at(at);
            self.findings
                .push(Finding::new(kind, position, message, advice));
        }
    }

    fn schema(&mut self, at: usize, message: impl Into<String>, advice: impl Into<String>) {
        self.report(FindingKind::Schema, at, message, advice);
    }

    /// Checks an element and all that is inside. What is inside of an unknown element is not looked at.
    fn elements(&mut self, root: Node<'a, 'input>, spec: &'static Spec, channel: Channel) {
        let mut open = vec![(root, spec, 0)];
        while let Some((node, spec, depth)) = open.pop() {
            if depth > MAX_DEPTH {
                self.schema(
                    node.range().start,
                    format!(
                        "<{}> is nested more than {MAX_DEPTH} elements deep",
                        spec.name
                    ),
                    "nest elements less deeply",
                );
                continue;
            }
            self.attributes(node, spec);
            self.needs(node, spec);
            self.text(node, spec);
            self.length(node, spec);
            for child in node.children().filter(Node::is_element) {
                if self.findings.len() >= MAX_FINDINGS {
                    return;
                }
                let found = name(child);
                let mut known = spec.children.iter().map(|child| child());
                match known.find(|known| known.name == found) {
                    Some(known) => open.push((child, known, depth + 1)),
                    None => self.misplaced(child, &found, spec, channel),
                }
            }
        }
    }

    fn attributes(&mut self, node: Node<'a, 'input>, spec: &Spec) {
        let names: Vec<_> = attributes(spec).map(|(name, _)| name).collect();
        for attribute in node.attributes() {
            if self.findings.len() >= MAX_FINDINGS {
                return;
            }
            let found = match attribute.namespace() {
                // Where to find a schema: it means nothing to Twilio.
                Some("http://www.w3.org/2001/XMLSchema-instance") => continue,
                Some("http://www.w3.org/XML/1998/namespace") => format!("xml:{}", attribute.name()),
                Some(namespace) => format!("{{{namespace}}}{}", attribute.name()),
                None => attribute.name().to_owned(),
            };
            let at = attribute.range().start;
            let Some((_, kind)) = attributes(spec).find(|(name, _)| *name == found) else {
                let advice = match nearest(&found, &names) {
                    Some(name) => format!("write {name:?}"),
                    None if names.is_empty() => "remove it: the element has none".to_owned(),
                    None => format!("remove it, or see {}", spec.docs),
                };
                let message = format!("<{}> has no attribute {:?}", spec.name, shown(&found));
                self.schema(at, message, advice);
                continue;
            };
            if let Some(advice) = value::advice(kind, attribute.value()) {
                let value = shown(attribute.value());
                let message = format!("<{}> does not take {found}={value:?}", spec.name);
                self.schema(at, message, advice);
            }
        }
    }

    /// Checks that what Twilio requires is there, in one of the ways.
    fn needs(&mut self, node: Node<'a, 'input>, spec: &Spec) {
        if spec.needs.iter().any(|needs| has(node, needs)) {
            return;
        }
        let ways: Vec<_> = spec.needs.iter().map(|needs| ways(needs, spec)).collect();
        let message = format!("<{}> lacks what it requires", spec.name);
        let advice = format!("add {}", ways.join(", or "));
        self.schema(node.range().start, message, advice);
    }

    fn text(&mut self, node: Node<'a, 'input>, spec: &Spec) {
        let kind = spec.needs.iter().flat_map(|needs| needs.values);
        let kind = kind.into_iter().find(|(name, _)| *name == TEXT);
        if let Some((_, kind)) = kind {
            let text = text(node);
            if let Some(advice) = value::advice(*kind, text.trim())
                && !text.trim().is_empty()
            {
                let message = format!("<{}> does not take the text {:?}", spec.name, shown(&text));
                self.schema(node.range().start, message, advice);
            }
        } else if !spec.holds_text {
            let texts = node.children().filter(Node::is_text);
            let mut texts = texts.filter(|text| !text.text().unwrap_or_default().trim().is_empty());
            if let Some(stray) = texts.next() {
                let text = stray.text().unwrap_or_default();
                // References are longer than what they stand for, so this is at most where the text starts. Other
                // blanks than these have several bytes, and might be cut.
                let blanks = text.len() - text.trim_ascii_start().len();
                let message = format!(
                    "<{}> has no text in it: {:?}",
                    spec.name,
                    shown(text.trim())
                );
                let holds = |name: &str| spec.children.iter().any(|child| child().name == name);
                let advice = match ["Say", "Message"].into_iter().find(|name| holds(name)) {
                    Some(name) => format!("put the text into <{name}>"),
                    None => "remove the text".to_owned(),
                };
                self.schema(stray.range().start + blanks, message, advice);
            }
        }
    }

    /// Reports a message that is longer than Twilio sends.
    fn length(&mut self, node: Node<'a, 'input>, spec: &Spec) {
        if ![Message::spec().name, Sms::spec().name].contains(&spec.name) {
            return;
        }
        let bodies = node.children().filter(|child| name(*child) == "Body");
        let bodies: String = bodies.map(text).collect();
        let message = match &*bodies {
            "" => text(node),
            _ => bodies,
        };
        if let Some(message) = too_long(&message) {
            self.report(FindingKind::Length, node.range().start, message, SHORTEN);
        }
    }

    /// Reports an element that is not one of those that `parent` holds.
    fn misplaced(&mut self, node: Node<'a, 'input>, found: &str, parent: &Spec, channel: Channel) {
        let at = node.range().start;
        let all = specs();
        let holds = |spec: &Spec| spec.children.iter().any(|child| child().name == found);
        let elsewhere: Vec<_> = all
            .iter()
            .filter(|spec| holds(spec))
            .map(|spec| spec.name)
            .collect();
        if elsewhere.is_empty() {
            let here: Vec<_> = parent.children.iter().map(|child| child().name).collect();
            let names: Vec<_> = all.iter().map(|spec| spec.name).collect();
            let advice = match nearest(found, &here).or_else(|| nearest(found, &names)) {
                Some(name) => format!("write <{name}>"),
                None => format!("remove it, or see {}", parent.docs),
            };
            return self.schema(at, format!("Twilio has no <{}>", shown(found)), advice);
        }
        let is_root = parent.name == "Response";
        let answers = match channel {
            _ if !is_root => "",
            Channel::Voice => " of a call",
            Channel::Messaging => " to a message",
        };
        let advice = match parent.children {
            _ if is_root && elsewhere.contains(&"Response") => {
                "answer a call with verbs for calls, and a message with <Message>".to_owned()
            }
            _ if is_root => format!("put it into <{}>", elsewhere.join(">, <")),
            [] => format!("close <{}> before it", parent.name),
            children => format!("use {} there, or see {}", list(children), parent.docs),
        };
        let message = format!("<{found}> can't be inside of <{}>{answers}", parent.name);
        self.schema(at, message, advice);
    }

    /// Reports the first verb that is never reached, and a rejection that comes too late.
    fn flow(&mut self, root: Node<'a, 'input>) {
        let verbs = || root.children().filter(Node::is_element);
        for (verb, next) in verbs().zip(verbs().skip(1)) {
            if let Some(reason) = ends(verb) {
                self.report(
                    FindingKind::Flow,
                    next.range().start,
                    format!("<{}> is never reached: {reason}", shown(&name(next))),
                    format!("remove it, or move it before <{}>", name(verb)),
                );
                return;
            }
        }
        if let Some(late) = verbs().skip(1).find(|verb| name(*verb) == "Reject") {
            self.report(
                FindingKind::Flow,
                late.range().start,
                "<Reject> comes after other verbs: the call is answered and billed",
                "let it be the first verb, or write <Hangup/>",
            );
        }
    }
}

/// Returns why no verb after this one is reached.
fn ends(verb: Node<'_, '_>) -> Option<&'static str> {
    let is = |attribute: &str, value: &str| verb.attribute(attribute) == Some(value);
    match name(verb).as_str() {
        "Redirect" => Some("<Redirect> continues with another document"),
        "Hangup" => Some("<Hangup> ends the call"),
        "Reject" => Some("<Reject> ends the call"),
        "Leave" => Some("<Leave> ends this document"),
        "Dial" if verb.has_attribute("action") => {
            Some("<Dial action=\"..\"> continues with another document")
        }
        // https://www.twilio.com/docs/voice/twiml/connect#action
        "Connect" if verb.has_attribute("action") => {
            Some("<Connect action=\"..\"> continues with another document")
        }
        // https://www.twilio.com/docs/voice/twiml/pay
        "Pay" if verb.has_attribute("action") => {
            Some("<Pay action=\"..\"> continues with another document")
        }
        "Gather" if is("actionOnEmptyResult", "true") => {
            Some("<Gather actionOnEmptyResult=\"true\"> continues with another document")
        }
        "Say" | "Play" if is("loop", "0") => Some("loop=\"0\" lasts until the call ends"),
        _ => None,
    }
}

fn name(node: Node<'_, '_>) -> String {
    match node.tag_name().namespace() {
        Some(namespace) => format!("{{{namespace}}}{}", node.tag_name().name()),
        None => node.tag_name().name().to_owned(),
    }
}

fn text(node: Node<'_, '_>) -> String {
    let texts = node.children().filter(Node::is_text);
    texts.filter_map(|text| text.text()).collect()
}

/// Returns all attributes of an element, those that it requires first.
fn attributes(spec: &Spec) -> impl Iterator<Item = (&'static str, Kind)> {
    let required = spec.needs.iter().flat_map(|needs| needs.values);
    let all = required.chain(spec.attributes).copied();
    all.filter(|(name, _)| *name != TEXT)
}

/// Whether an element has all that a constructor takes.
fn has(node: Node<'_, '_>, needs: &Needs) -> bool {
    let has_text = || !text(node).trim().is_empty();
    let has_child = || node.children().any(|child| child.is_element());
    let has_value = |(name, kind): &(&str, Kind)| match node.attribute(*name) {
        _ if *name == TEXT => has_text(),
        Some(value) => !matches!(kind, Kind::Url(_)) || !value.trim().is_empty(),
        None => *name == "xml:lang" && has_xml_lang(node),
    };
    (!needs.content || has_text() || has_child()) && needs.values.iter().all(has_value)
}

fn has_xml_lang(node: Node<'_, '_>) -> bool {
    node.has_attribute(("http://www.w3.org/XML/1998/namespace", "lang"))
}

/// Describes what a constructor takes.
fn ways(needs: &Needs, spec: &Spec) -> String {
    let content = match spec.children {
        _ if !needs.content => None,
        [] => Some("text".to_owned()),
        children if spec.holds_text => Some(format!("text or {}", list(children))),
        children => Some(list(children)),
    };
    let values = needs.values.iter().map(|(name, _)| match *name {
        TEXT => "text".to_owned(),
        name => format!("the attribute {name:?}"),
    });
    let all: Vec<_> = content.into_iter().chain(values).collect();
    all.join(" and ")
}

/// Lists elements: `<Say>, <Play> or <Pause>`.
fn list(specs: &[fn() -> &'static Spec]) -> String {
    let names: Vec<_> = specs
        .iter()
        .map(|spec| format!("<{}>", spec().name))
        .collect();
    match names.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} or {last}", all.join(", ")),
        names => names.concat(),
    }
}

/// Returns all elements of the table.
pub(crate) fn specs() -> Vec<&'static Spec> {
    let mut all: Vec<&'static Spec> = vec![VoiceResponse::spec(), MessagingResponse::spec()];
    let mut index = 0;
    while let Some(spec) = all.get(index) {
        for child in spec.children {
            let child = child();
            if !all.iter().any(|known| std::ptr::eq(*known, child)) {
                all.push(child);
            }
        }
        index += 1;
    }
    all
}
