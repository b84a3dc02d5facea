//! The media type of an answer: JSON under one of three names, chosen by the client's `Accept`.
//!
//! `headers-accept` is not used for it: it rejects the default `Accept` of Java's HTTP client (`*; q=.2`), and prefers the
//! client's order where two names have the same weight.

/// The media type of answers unless the client accepts only another one.
pub(super) const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";

/// The names in order of preference.
const TYPES: [&str; 3] = [MEDIA_TYPE, "application/vnd.schemaregistry+json", "application/json"];

/// The preferred name by a client's `Accept` (RFC 9110, section 12.5.1); `None` if it accepts none of them.
pub(super) fn chosen(accept: &str) -> Option<&'static str> {
    if accept.trim().is_empty() {
        return Some(MEDIA_TYPE);
    }
    let mut best: Option<(f32, &'static str)> = None;
    for name in TYPES {
        let weight = weight(accept, name);
        if weight > 0.0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
            best = Some((weight, name));
        }
    }
    best.map(|(_, name)| name)
}

/// The weight of a name, by the most specific range that matches it.
fn weight(accept: &str, name: &str) -> f32 {
    let mut found = (0, 0.0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let exactness = match parts.next().as_deref() {
            Some("*/*") => 1,
            Some("application/*") => 2,
            Some(word) if word == name => 3,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if exactness > found.0 {
            found = (exactness, weight);
        }
    }
    found.1
}
