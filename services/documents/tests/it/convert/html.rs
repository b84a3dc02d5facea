//! The HTML page: well formed, alone, without scripts, and readable by assistive software.

use documents::convert::{Target, export};

/// Every tag and attribute that the page may have.
const TAGS: [&str; 30] = [
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "h1", "h2", "h3", "p", "ul",
    "li", "a", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "!DOCTYPE", "br",
];
const ATTRIBUTES: [&str; 13] = [
    "lang",
    "charset",
    "name",
    "content",
    "http-equiv",
    "id",
    "class",
    "role",
    "aria-label",
    "aria-labelledby",
    "tabindex",
    "scope",
    "href",
];

/// Reads the page, tag by tag.
#[track_caller]
pub(super) fn check(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut headings = Vec::new();
    let mut rest = text;
    let mut ids = std::collections::HashSet::new();
    while let Some((before, after)) = rest.split_once('<') {
        assert!(open.last() == Some(&"style") || !before.contains('>'), "a bracket in a text: {before}");
        let (tag, after) = after.split_once('>').unwrap();
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
            continue;
        }
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(TAGS.contains(&name), "the tag {name}");
        while !attributes.is_empty() && name != "!DOCTYPE" {
            let (key, value) = attributes.split_once("=\"").unwrap();
            let (value, more) = value.split_once('"').unwrap();
            attributes = more.trim_start();
            assert!(ATTRIBUTES.contains(&key), "the attribute {key} of {name}");
            assert!(key != "href" || value.starts_with("#s"), "a link to {value}");
            assert!(key != "id" || ids.insert(value), "twice the id {value}");
        }
        if ["h1", "h2", "h3"].contains(&name) {
            headings.push(name);
        }
        if !["meta", "!DOCTYPE"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    // No level is left out.
    assert_eq!(headings.iter().filter(|heading| **heading == "h1").count(), 1);
    let mut level = "h1";
    for heading in headings {
        assert!(heading <= level || (level, heading) == ("h1", "h2") || (level, heading) == ("h2", "h3"), "{heading}");
        level = heading;
    }
    assert!(text.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""));
    assert_eq!(text.matches("<table>").count(), text.matches("<caption>").count());
    let controls = text.chars().filter(|character| character.is_control() && !['\n', '\t'].contains(character));
    assert_eq!(controls.count(), 0);
}

#[test]
fn markup_in_a_document_is_text() {
    let document = serde_json::json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "x", "name": "<script>alert(1)</script>", "version": "1.0.0",
        "status": "active", "description": { "purpose": "a & b\u{1}\n\n</p><img src=x onerror=alert(1)>" },
        "team": [{ "username": "\" onmouseover=\"alert(1)", "role": "'" }],
        "schema": [{ "name": "</h2><style>", "properties": [{ "name": "a\"b", "description": "first\nsecond" }] }],
    });
    let exported = export(document.to_string().as_bytes(), Target::Html, None).unwrap();
    check(&exported.text);
    for text in [
        "<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>",
        "<p>a &amp; b\u{fffd}</p>",
        "<p>&lt;/p&gt;&lt;img src=x onerror=alert(1)&gt;</p>",
        "<td>&quot; onmouseover=&quot;alert(1)</td><td>&#39;</td>",
        "<h2 id=\"s2\">&lt;/h2&gt;&lt;style&gt;</h2>",
        "<th scope=\"row\">a&quot;b</th><td></td><td></td><td></td><td>first\nsecond</td>",
    ] {
        assert!(exported.text.contains(text), "{text}\n{}", exported.text);
    }
}

#[test]
fn both_colour_schemes_have_the_contrast_of_wcag() {
    let text = export(include_bytes!("orders.odcs.yaml"), Target::Html, None).unwrap().text;
    let colour = |scheme: &str, name: &str| {
        let (_, after) = scheme.split_once(&format!("--{name}:#")).unwrap();
        let digits: String = after.chars().take_while(char::is_ascii_hexdigit).collect();
        let channels: Vec<f64> = match digits.len() {
            3 => digits.chars().map(|digit| f64::from(digit.to_digit(16).unwrap() * 17)).collect(),
            _ => (0..3).map(|at| f64::from(u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).unwrap())).collect(),
        };
        let linear = |channel: f64| {
            let part = channel / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(channels[0]) + 0.7152 * linear(channels[1]) + 0.0722 * linear(channels[2])
    };
    let schemes: Vec<&str> = text.split(":root{").skip(1).collect();
    assert_eq!(schemes.len(), 2);
    assert!(text.contains("@media(prefers-color-scheme:dark){:root{"));
    for scheme in schemes {
        for (front, back) in [("text", "page"), ("quiet", "page"), ("link", "page"), ("text", "head")] {
            let (one, other) = (colour(scheme, front), colour(scheme, back));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{front} on {back}: {contrast:.2}");
        }
    }
}
