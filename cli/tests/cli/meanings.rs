//! The sentences with which the inspector explains parameters are those of the library's types.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

/// A field: the name of its parameter, its type and its sentence.
type Field = (String, String, String);

/// The types of a file by their names: those of webhooks, and those of parts of webhooks.
#[derive(Default)]
struct Types {
    webhooks: Vec<(String, Vec<Field>)>,
    parts: BTreeMap<String, Vec<Field>>,
}

impl Types {
    fn read(&mut self, source: &str) {
        for (start, is_part) in [("\nwebhook! {\n", false), ("\npart! {\n", true)] {
            for block in source.split(start).skip(1) {
                let block = block.split("\n}\n").next().unwrap();
                let (_, rest) = block.split_once("pub struct ").unwrap();
                let name = rest.split(' ').next().unwrap().to_owned();
                if is_part {
                    self.parts.insert(name, fields(rest));
                } else {
                    self.webhooks.push((name, fields(rest)));
                }
            }
        }
    }

    /// Writes the table: a group of parameters has the names of its part, with the group's in front.
    fn table(&self) -> String {
        let mut table = String::new();
        for (name, fields) in &self.webhooks {
            writeln!(table, "# {name}").unwrap();
            for (parameter, field_type, meaning) in fields {
                let part = self.parts.iter().find(|(part, _)| {
                    field_type
                        .split(|c: char| !c.is_alphanumeric())
                        .any(|word| word == **part)
                });
                match part {
                    Some((_, fields)) => {
                        for (suffix, _, meaning) in fields {
                            writeln!(table, "{parameter}{suffix}\t{meaning}").unwrap();
                        }
                    }
                    None => writeln!(table, "{parameter}\t{meaning}").unwrap(),
                }
            }
        }
        table
    }
}

/// Reads lines such as `/// The call.` and `"CallSid" => call_sid: String,`.
fn fields(block: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut doc: Vec<&str> = Vec::new();
    for line in block.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push(text.trim());
            continue;
        }
        let line = line.strip_prefix("required ").unwrap_or(line);
        if let Some((name, field)) = line
            .strip_prefix('"')
            .and_then(|rest| rest.split_once("\" => "))
        {
            let (_, field_type) = field.split_once(": ").unwrap();
            let paragraph: Vec<_> = doc
                .iter()
                .copied()
                .take_while(|line| !line.is_empty())
                .collect();
            fields.push((
                name.to_owned(),
                field_type.to_owned(),
                plain(&paragraph.join(" ")),
            ));
        }
        doc.clear();
    }
    fields
}

/// Removes the marks of Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let (shown, after) = link.split_once(']').unwrap();
        plain.push_str(before);
        plain.push_str(shown);
        rest = match after.strip_prefix('(') {
            Some(target) => target.split_once(')').unwrap().1,
            None => after,
        };
    }
    (plain + rest).replace(['`', '<', '>'], "")
}

#[test]
fn meanings_are_those_of_the_types() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut types = Types::default();
    let folder = package.join("../runtime/src/webhook");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        types.read(&fs::read_to_string(path).unwrap());
    }
    let table = types.table();
    assert!(table.lines().count() > 150, "{table}");
    let path = package.join("src/inspect/page/meanings.tsv");
    if std::env::var_os("MEANINGS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, &table).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written == table,
        "the types have changed: run MEANINGS=overwrite cargo test -p twilio-webhook meanings"
    );
}
