//! A contract as a GitHub-flavoured Markdown page. It holds the whole document.
//!
//! Markup and HTML in the document are escaped.

use domain::contract::{Property, SchemaObject};
use serde_json::{Map, Value};

use super::element::{Element, Export};
use super::json::pointer;
use super::page::{FACTS, SECTIONS, columns_of, compact, is_list_of_things, key_words, words};

pub(super) fn export(export: &Export<'_>) -> String {
    let ledger = &export.ledger;
    let mut page = Page { export, text: String::new() };
    // Unlike in schemas, which standard a document follows is worth a line here.
    let title = ledger.take_text("", "name").unwrap_or(&export.contract.document_id);
    page.heading(1, title);
    let facts: Vec<_> = FACTS.iter().filter_map(|name| Some((*name, ledger.take_text("", name)?))).collect();
    if !facts.is_empty() {
        page.text.push_str("\n| | |\n|---|---|\n");
        for (name, value) in facts {
            page.text.push_str(&format!("| {} | {} |\n", words(name), cell(value)));
        }
    }
    for name in ["purpose", "usage", "limitations"] {
        if let Some(text) = ledger.take_text("/description", name) {
            page.heading(2, &words(name));
            page.paragraphs(text);
        }
    }
    for object in &export.objects {
        page.object(object);
    }
    for name in SECTIONS {
        if let Some(rest) = ledger.take_rest(&pointer("", name)) {
            page.heading(2, &words(name));
            page.value(&rest);
        }
    }
    if let Some(Value::Object(rest)) = ledger.take_rest("") {
        page.heading(2, "More");
        page.fields(&rest);
    }
    page.text
}

struct Page<'a> {
    export: &'a Export<'a>,
    text: String,
}

impl Page<'_> {
    fn heading(&mut self, level: usize, title: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&format!("{} {}\n", "#".repeat(level), inline(title)));
    }

    fn paragraphs(&mut self, text: &str) {
        for line in text.lines() {
            let line = inline(line.trim());
            // What would begin a list, a rule or a heading at the beginning of a line.
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let begins_list = digits > 0 && line[digits..].starts_with(['.', ')']);
            self.text.push('\n');
            if begins_list {
                self.text.push_str(&format!("{}\\{}\n", &line[..digits], &line[digits..]));
            } else if line.starts_with(['-', '+', '=']) {
                self.text.push_str(&format!("\\{line}\n"));
            } else {
                self.text.push_str(&format!("{line}\n"));
            }
        }
    }

    fn object(&mut self, object: &Element<'_, SchemaObject>) {
        let ledger = &self.export.ledger;
        ledger.hold(&pointer(&object.path, "name"));
        self.heading(2, &object.it.name);
        if let Some(description) = ledger.take_text(&object.path, "description") {
            self.paragraphs(description);
        }
        if !object.it.properties.is_empty() {
            self.text
                .push_str("\n| column | type | required | key | description | more |\n|---|---|---|---|---|---|\n");
            // Measures too: this page is not a table.
            for (index, property) in object.it.properties.iter().enumerate() {
                let path = format!("{}/properties/{index}", object.path);
                self.row(&Element { it: property, path }, &cell(&property.name));
            }
        }
        if let Some(rest) = ledger.take_rest(&pointer(&object.path, "quality")) {
            self.heading(3, "Quality");
            self.value(&rest);
        }
        if let Some(Value::Object(rest)) = ledger.take_rest(&object.path) {
            self.text.push('\n');
            for (name, value) in &rest {
                self.text.push_str(&format!("- {}: {}\n", words(name), cell(&compact(value))));
            }
        }
    }

    /// The row of a column, then those of what it contains.
    fn row(&mut self, property: &Element<'_, Property>, name: &str) {
        let ledger = &self.export.ledger;
        let path = &property.path;
        ledger.hold(&pointer(path, "name"));
        ledger.hold_defaults(path);
        let it = property.it;
        let logical = ledger.take_text(path, "logicalType");
        let physical = ledger.take_text(path, "physicalType");
        let kind: Vec<_> = [logical, physical].into_iter().flatten().map(cell).collect();
        let key = key_words(ledger, property);
        let description = ledger.take_text(path, "description").map(cell).unwrap_or_default();
        let required = if it.required { "yes" } else { "" };
        let start = self.text.len();
        for (index, member) in it.members.iter().enumerate() {
            let path = format!("{path}/properties/{index}");
            self.row(&Element { it: member, path }, &format!("{name}.{}", cell(&member.name)));
        }
        if let Some(items) = property.items() {
            self.row(&items, &format!("{name}\\[\\]"));
        }
        if let Some((map_key, value)) = property.entry() {
            self.row(&map_key, &format!("{name} (key)"));
            self.row(&value, &format!("{name} (value)"));
        }
        let more = match self.export.ledger.take_rest(path) {
            Some(Value::Object(rest)) => pairs(&rest),
            _ => String::new(),
        };
        let row =
            format!("| {name} | {} | {required} | {} | {description} | {more} |\n", kind.join(" "), key.join(", "));
        // What is left is known after the rows below are written, and stands above them.
        self.text.insert_str(start, &row);
    }

    /// A list of things as a table, one thing as its fields.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) if items.iter().all(Value::is_object) => {
                let columns = columns_of(items);
                let head: Vec<_> = columns.iter().map(|column| cell(&words(column))).collect();
                self.text.push_str(&format!("\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len())));
                for item in items {
                    let cells: Vec<_> = columns
                        .iter()
                        .map(|column| item.get(*column).map(|it| cell(&compact(it))).unwrap_or_default())
                        .collect();
                    self.text.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
            }
            Value::Object(fields) => self.fields(fields),
            other => self.paragraphs(&compact(other)),
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>) {
        let (lists, others): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_list_of_things(value));
        if !others.is_empty() {
            self.text.push('\n');
        }
        for (name, value) in others {
            self.text.push_str(&format!("- {}: {}\n", inline(&words(name)), cell(&compact(value))));
        }
        for (name, value) in lists {
            self.heading(3, &words(name));
            self.value(value);
        }
    }
}

fn pairs(fields: &Map<String, Value>) -> String {
    let pairs: Vec<_> =
        fields.iter().map(|(name, value)| format!("{}: {}", cell(name), cell(&compact(value)))).collect();
    pairs.join("<br>")
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.trim().lines().map(inline).collect::<Vec<_>>().join("<br>")
}

/// A text that means itself, in one line of Markdown.
pub fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' | '\t' => escaped.push(' '),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
