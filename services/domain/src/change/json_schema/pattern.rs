//! What can be said of patterns without running them: those that are a literal beginning of a text, with or without its
//! end. Of all others nothing is known but that a pattern is found where it is found.

/// The texts in which a pattern is found: those that begin with a literal.
#[derive(Clone, Copy)]
struct Found<'a> {
    beginning: &'a str,
    end: End,
}

/// What may follow the beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Anything,
    /// Anything on the same line: `.` is no line break.
    OneLine,
    Nothing,
}

impl<'a> Found<'a> {
    fn of(pattern: &'a str) -> Option<Self> {
        let Some(rest) = pattern.strip_prefix('^') else {
            // An unanchored pattern that may be empty is found in every text.
            let is_empty = matches!(pattern, "" | ".*" | "$" | ".*$");
            return is_empty.then_some(Self { beginning: "", end: End::Anything });
        };
        let (beginning, end) = if let Some(beginning) = rest.strip_suffix(".*$") {
            (beginning, End::OneLine)
        } else if let Some(beginning) = rest.strip_suffix(".*") {
            (beginning, End::Anything)
        } else if let Some(beginning) = rest.strip_suffix('$') {
            (beginning, End::Nothing)
        } else {
            (rest, End::Anything)
        };
        let is_literal = beginning.chars().all(|c| c.is_alphanumeric() || "_-/:@ ".contains(c));
        is_literal.then_some(Self { beginning, end })
    }
}

/// Whether the pattern is found in every text, so that it demands nothing.
pub(super) fn is_found_everywhere(pattern: &str) -> bool {
    Found::of(pattern).is_some_and(|found| found.beginning.is_empty() && found.end == End::Anything)
}

/// The one text in which the pattern is found, if there is only one.
pub(super) fn only_text(pattern: &str) -> Option<&str> {
    Found::of(pattern).filter(|found| found.end == End::Nothing).map(|found| found.beginning)
}

/// Whether `outer` is known to be found wherever `inner` is.
pub(super) fn covers(outer: &str, inner: &str) -> bool {
    if outer == inner {
        return true;
    }
    let (Some(outer), Some(inner)) = (Found::of(outer), Found::of(inner)) else { return false };
    match outer.end {
        End::Anything => inner.beginning.starts_with(outer.beginning),
        End::OneLine => inner.end != End::Anything && inner.beginning.starts_with(outer.beginning),
        End::Nothing => inner.end == End::Nothing && inner.beginning == outer.beginning,
    }
}

/// Whether no text is known to have both.
pub(super) fn are_disjoint(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (Found::of(one), Found::of(other)) else { return false };
    match (one.end, other.end) {
        (End::Nothing, End::Nothing) => one.beginning != other.beginning,
        (End::Nothing, End::Anything | End::OneLine) => !one.beginning.starts_with(other.beginning),
        (End::Anything | End::OneLine, End::Nothing) => !other.beginning.starts_with(one.beginning),
        (End::Anything | End::OneLine, End::Anything | End::OneLine) => {
            !one.beginning.starts_with(other.beginning) && !other.beginning.starts_with(one.beginning)
        }
    }
}
