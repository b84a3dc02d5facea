//! Names of subjects, prefixes and scopes, and the budget that comparisons share.

use domain::change::message::{Budget, TooComplex};
use domain::registry::{Prefix, Scope, Subject};

#[test]
fn one_text_means_one_subject() {
    for (text, context, name) in [
        ("orders-value", ".", "orders-value"),
        (":.:orders", ".", "orders"),
        (":.staging:orders", ".staging", "orders"),
        (":.staging:a:b", ".staging", "a:b"),
        (":.staging::a", ".staging", ":a"),
        ("a:.b:c", ".", "a:.b:c"),
        (":a", ".", ":a"),
        ("*", ".", "*"),
    ] {
        let subject: Subject = text.parse().unwrap();
        assert_eq!((subject.context(), subject.name()), (context, name), "{text}");
        assert_eq!(subject.to_string().parse(), Ok(subject), "{text}");
    }
    for text in
        ["", ":.", ":.a", ":.a:", ":.:", ":*:", ":*:a", ":.::.a:b", ":.a::.b:c", ":.a::*:b", "__GLOBAL", "a\u{7f}"]
    {
        assert!(text.parse::<Subject>().is_err(), "{text}");
    }
}

#[test]
fn a_prefix_is_of_one_context_or_of_all() {
    let subjects = ["orders", "other", ":.a:orders", ":.ab:orders"];
    for (text, expected) in [
        ("", "orders other"),
        ("or", "orders"),
        (":.:or", "orders"),
        (":.a:", ":.a:orders"),
        (":.a", ":.a:orders"),
        (":.a:x", ""),
        (":*:", "orders other :.a:orders :.ab:orders"),
        (":*:ord", "orders :.a:orders :.ab:orders"),
    ] {
        let prefix = Prefix::parse(text);
        let matching: Vec<&str> =
            subjects.into_iter().filter(|subject| prefix.matches(&subject.parse().unwrap())).collect();
        assert_eq!(matching.join(" "), expected, "{text}");
    }
    assert_eq!(Prefix::of_all(), Prefix::parse(":*:"));
}

#[test]
fn scopes_hold_what_is_in_them() {
    for (scope, subject, expected) in [
        (":.__GLOBAL:", ":.a:x", true),
        (":.:", "x", true),
        (":.:", ":.a:x", false),
        (":.a:", ":.a:x", true),
        ("x", "x", true),
        ("x", ":.a:x", false),
    ] {
        let scope = Scope::parse(scope).unwrap();
        assert_eq!(scope.contains(&subject.parse().unwrap()), expected, "{scope} {subject}");
        assert_eq!(scope.is_top(), matches!(scope.to_string().as_str(), ":.:" | ":.__GLOBAL:"), "{scope}");
    }
}

#[test]
fn comparisons_take_from_what_they_share() {
    let mut shared = Budget::HISTORY;
    let all = |budget: &mut Budget| -> Result<(), TooComplex> {
        while budget.take(1).is_ok() {}
        Ok(())
    };
    let mut n_comparisons = 0;
    while shared.take(1).is_ok() {
        assert_eq!(shared.compare(all), Ok(()));
        n_comparisons += 1;
    }
    assert!((8..12).contains(&n_comparisons), "{n_comparisons}");
    assert_eq!(shared.compare(|budget| budget.take(2_000)), Err(TooComplex));
    let mut shared = Budget::HISTORY;
    assert_eq!(shared.compare(|budget| budget.take(500_001)), Err(TooComplex), "one takes no more than it may alone");
}
