//! The documents of a text.

/// The parts of a text between lines that begin with `---`, each with the number of its first line. YAML forbids such
/// a line inside of any value, so looking at the beginnings of lines is enough; JSON has none.
pub(crate) fn split(text: &str) -> Vec<(&str, u64)> {
    let mut parts = Vec::new();
    let (mut start, mut first_line) = (0, 1);
    let (mut offset, mut line_number) = (0, 1);
    for line in text.split_inclusive('\n') {
        let is_marker =
            line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if is_marker && offset > start {
            parts.push((&text[start..offset], first_line));
            (start, first_line) = (offset, line_number);
        }
        offset += line.len();
        line_number += 1;
    }
    parts.push((&text[start..], first_line));
    parts.retain(|(part, _)| holds_something(part));
    parts
}

/// Whether a part has anything besides comments, blank lines, directives and markers.
fn holds_something(part: &str) -> bool {
    part.lines().any(|line| {
        let line = line.strip_prefix("---").unwrap_or(line).trim_matches(['\u{feff}', ' ', '\t', '\r']);
        !line.is_empty() && !line.starts_with(['#', '%']) && line != "..."
    })
}
