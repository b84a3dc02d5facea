//! A contract as one HTML page, which needs no other file. It holds the whole document.
//!
//! Every text of the document is escaped, nothing in it becomes a link, and the page's own policy forbids scripts and
//! all that is fetched.

use domain::contract::{Property, SchemaObject};
use serde_json::{Map, Value};

use super::element::{Element, Export};
use super::json::pointer;
use super::page::{FACTS, SECTIONS, columns_of, compact, is_list_of_things, key_words, words};

/// Both colour schemes reach the contrast that WCAG 2.2 AA asks for.
const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1a1a1a;--page:#fff;--quiet:#555;--line:#c4c4c4;--head:#f0f0f0;--link:#0b57a4}
@media(prefers-color-scheme:dark){:root{--text:#e8e8e8;--page:#161616;--quiet:#b4b4b4;--line:#4a4a4a;--head:#262626;--link:#8cc0ff}}
body{margin:0 auto;max-width:75rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--text);background:var(--page)}
h1,h2,h3{line-height:1.25;overflow-wrap:anywhere}
h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
a{color:var(--link)}
p,td,th,dd{white-space:pre-line;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.scroll:focus-visible{outline:2px solid var(--link)}
table{border-collapse:collapse;min-width:100%}
caption{text-align:start;color:var(--quiet);padding:.25rem 0}
th,td{border:1px solid var(--line);padding:.25rem .5rem;text-align:start;vertical-align:top;min-width:4rem}
thead th{background:var(--head)}
tbody th{font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}
dt{color:var(--quiet)}
dd{margin:0}
@media print{.scroll{overflow:visible}nav{display:none}}
";

pub(super) fn export(export: &Export<'_>) -> String {
    let ledger = &export.ledger;
    let title = ledger.take_text("", "name").unwrap_or(&export.contract.document_id);
    let mut page = Page { export, body: String::new(), sections: Vec::new() };
    let facts = FACTS.iter().filter_map(|name| Some((words(name), ledger.take_text("", name)?.to_owned())));
    page.list(&facts.collect::<Vec<_>>());
    for name in ["purpose", "usage", "limitations"] {
        if let Some(text) = ledger.take_text("/description", name) {
            page.section(&words(name), |page| page.paragraphs(text));
        }
    }
    for object in &export.objects {
        page.section(&object.it.name, |page| page.object(object));
    }
    for name in SECTIONS {
        if let Some(rest) = ledger.take_rest(&pointer("", name)) {
            page.section(&words(name), |page| page.value(&words(name), &rest));
        }
    }
    if let Some(Value::Object(rest)) = ledger.take_rest("") {
        page.section("More", |page| page.fields(&rest));
    }
    page.document(title)
}

struct Page<'a> {
    export: &'a Export<'a>,
    body: String,
    /// The titles of the sections, in their order.
    sections: Vec<String>,
}

impl Page<'_> {
    fn document(&self, title: &str) -> String {
        let title = escaped(title);
        let links = (1..).zip(&self.sections);
        let links: Vec<_> =
            links.map(|(number, title)| format!("<li><a href=\"#s{number}\">{}</a></li>\n", escaped(title))).collect();
        let contents = match links.concat() {
            links if links.is_empty() => links,
            links => format!("<nav aria-label=\"Contents\">\n<ul>\n{links}</ul>\n</nav>\n"),
        };
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n</header>\n\
             {contents}<main>\n{}</main>\n</body>\n</html>\n",
            self.body
        )
    }

    fn section(&mut self, title: &str, content: impl FnOnce(&mut Self)) {
        self.sections.push(title.to_owned());
        let id = self.sections.len();
        self.body.push_str(&format!("<section aria-labelledby=\"s{id}\">\n<h2 id=\"s{id}\">{}</h2>\n", escaped(title)));
        content(self);
        self.body.push_str("</section>\n");
    }

    fn heading(&mut self, title: &str) {
        self.body.push_str(&format!("<h3>{}</h3>\n", escaped(title)));
    }

    fn paragraphs(&mut self, text: &str) {
        let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
        paragraphs.for_each(|paragraph| self.body.push_str(&format!("<p>{}</p>\n", escaped(paragraph))));
    }

    fn list(&mut self, entries: &[(String, String)]) {
        if !entries.is_empty() {
            self.body.push_str(&definitions(entries));
            self.body.push('\n');
        }
    }

    /// A table that can be wider than the window. The first cell of each row is its name.
    fn table(&mut self, caption: &str, head: &[String], rows: &[String]) {
        let caption = escaped(caption);
        let head: Vec<_> = head.iter().map(|cell| format!("<th scope=\"col\">{}</th>", escaped(cell))).collect();
        self.body.push_str(&format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n<table>\n\
             <caption>{caption}</caption>\n<thead>\n<tr>{}</tr>\n</thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
            head.concat(),
            rows.concat()
        ));
    }

    fn object(&mut self, object: &Element<'_, SchemaObject>) {
        let ledger = &self.export.ledger;
        ledger.hold(&pointer(&object.path, "name"));
        if let Some(description) = ledger.take_text(&object.path, "description") {
            self.paragraphs(description);
        }
        let mut rows = Vec::new();
        // Measures too: this page is not a table.
        for (index, property) in object.it.properties.iter().enumerate() {
            let path = format!("{}/properties/{index}", object.path);
            self.row(&Element { it: property, path }, &property.name, &mut rows);
        }
        if !rows.is_empty() {
            let head = ["Column", "Type", "Required", "Key", "Description", "More"].map(str::to_owned);
            self.table(&format!("Columns of {}", object.it.name), &head, &rows);
        }
        if let Some(rest) = ledger.take_rest(&pointer(&object.path, "quality")) {
            self.heading("Quality");
            self.value(&format!("Quality of {}", object.it.name), &rest);
        }
        if let Some(Value::Object(rest)) = ledger.take_rest(&object.path) {
            self.list(&entries(&rest));
        }
    }

    /// The row of a column, then those of what it contains.
    fn row(&self, property: &Element<'_, Property>, name: &str, rows: &mut Vec<String>) {
        let ledger = &self.export.ledger;
        let (it, path) = (property.it, &property.path);
        ledger.hold(&pointer(path, "name"));
        ledger.hold_defaults(path);
        let kind = [ledger.take_text(path, "logicalType"), ledger.take_text(path, "physicalType")];
        let kind: Vec<_> = kind.into_iter().flatten().collect();
        let key = key_words(ledger, property);
        let description = ledger.take_text(path, "description").unwrap_or_default().trim();
        let required = if it.required { "yes" } else { "" };
        let own = rows.len();
        for (index, member) in it.members.iter().enumerate() {
            let path = format!("{path}/properties/{index}");
            self.row(&Element { it: member, path }, &format!("{name}.{}", member.name), rows);
        }
        if let Some(items) = property.items() {
            self.row(&items, &format!("{name}[]"), rows);
        }
        if let Some((map_key, value)) = property.entry() {
            self.row(&map_key, &format!("{name} (key)"), rows);
            self.row(&value, &format!("{name} (value)"), rows);
        }
        let more = match ledger.take_rest(path) {
            Some(Value::Object(rest)) => definitions(&entries(&rest)),
            _ => String::new(),
        };
        let cells = [&kind.join(" "), required, &key.join(", "), description];
        let cells: Vec<_> = cells.iter().map(|text| format!("<td>{}</td>", escaped(text))).collect();
        let name = escaped(name);
        let row = format!("<tr><th scope=\"row\">{name}</th>{}<td>{more}</td></tr>\n", cells.concat());
        // What is left is known after the rows below are written, and stands above them.
        rows.insert(own, row);
    }

    /// A list of things as a table, one thing as its fields.
    fn value(&mut self, caption: &str, value: &Value) {
        match value {
            Value::Array(things) if is_list_of_things(value) => {
                let columns = columns_of(things);
                let head: Vec<_> = columns.iter().map(|column| words(column)).collect();
                let cell = |thing: &Value, column: &String| {
                    let text = thing.get(column).map(shown).unwrap_or_default();
                    format!("<td>{}</td>", escaped(text.trim()))
                };
                let row = |thing: &Value| {
                    let cells: Vec<_> = columns.iter().map(|column| cell(thing, column)).collect();
                    format!("<tr>{}</tr>\n", cells.concat())
                };
                let rows: Vec<_> = things.iter().map(row).collect();
                self.table(caption, &head, &rows);
            }
            Value::Object(fields) => self.fields(fields),
            other => self.paragraphs(&shown(other)),
        }
    }

    fn fields(&mut self, fields: &Map<String, Value>) {
        let (lists, others): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_list_of_things(value));
        let others: Vec<_> = others.into_iter().map(|(name, value)| (words(name), shown(value))).collect();
        self.list(&others);
        for (name, value) in lists {
            self.heading(&words(name));
            self.value(&words(name), value);
        }
    }
}

fn entries(fields: &Map<String, Value>) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (words(name), shown(value))).collect()
}

/// A value in one text: things a line each, their fields with commas.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(things) if is_list_of_things(value) => things.iter().map(shown).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| match value {
                Value::Object(_) => format!("{name}: {{{}}}", shown(value)),
                Value::Array(_) => format!("{name}: [{}]", shown(value)),
                leaf => format!("{name}: {}", shown(leaf)),
            };
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        other => compact(other),
    }
}

fn definitions(entries: &[(String, String)]) -> String {
    let entry =
        |(name, value): &(String, String)| format!("<dt>{}</dt><dd>{}</dd>", escaped(name), escaped(value.trim()));
    let entries: Vec<_> = entries.iter().map(entry).collect();
    format!("<dl>{}</dl>", entries.concat())
}

/// A text that means itself, between tags and in quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(character),
            control if control.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}
