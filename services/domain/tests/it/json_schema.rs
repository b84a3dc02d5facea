//! The comparer of JSON Schemas on models made by hand; `documents` tests it on texts.

use domain::change::json_schema::{
    Additional, Annotations, Array, Builder, Criterion, Node, NodeId, Number, Object, Schema, Shape, Text, compare,
};
use domain::change::message::{Difference, Policy, TooComplex};
use domain::decimal::Decimal;

fn schema(build: impl FnOnce(&mut Builder) -> NodeId) -> Schema {
    let mut builder = Builder::default();
    let root = build(&mut builder);
    builder.finish(root).unwrap()
}

fn text() -> Shape {
    Shape::Text(Text { is_required: true, ..Text::default() })
}

fn number(minimum: &str) -> Shape {
    Shape::Number(Number { is_required: true, minimum: Decimal::parse(minimum), ..Number::default() })
}

/// The names and paths of the differences, and `!` before those that break.
fn check(old: &Schema, new: &Schema, policy: Policy, expected: &[&str]) {
    let found = compare(old, new, policy).unwrap();
    let sign = |difference: &Difference| if difference.compatible { "" } else { "!" };
    let found: Vec<String> =
        found.iter().map(|found| format!("{}{} {}", sign(found), found.name, found.path)).collect();
    assert_eq!(found, expected);
}

#[test]
fn numbers_are_compared_as_they_are_written() {
    let decimal = |text: &str| Decimal::parse(text).unwrap();
    for (left, right) in [("1", "1.0"), ("100", "1e2"), ("0.1", "1E-1"), ("-0", "0"), ("0.50", "0.5"), ("10e-1", "1")] {
        assert_eq!(decimal(left), decimal(right), "{left} {right}");
    }
    let ascending = ["-1e400", "-1e30", "-2", "-0.1", "0", "1e-400", "0.3", "1", "9007199254740993", "1e400", "2e400"];
    for pair in ascending.windows(2) {
        assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
    }
    for (number, of, expected) in [("0.3", "0.1", true), ("7", "2", false), ("1e9", "1e-9", true), ("1", "0", false)] {
        assert_eq!(decimal(number).is_multiple_of(&decimal(of)), expected, "{number} {of}");
    }
    for (text, shown) in [("1200", "1200"), ("-0.05", "-0.05"), ("1e50", "1e50"), ("12.50", "12.5")] {
        assert_eq!(decimal(text).to_string(), shown);
    }
    // Digits are compared to the last one.
    let long = |last: char| format!("0.{}{last}", "1234567890".repeat(10));
    assert!(decimal(&long('1')) < decimal(&long('2')) && decimal(&long('1')) != decimal(&long('2')));
    assert!(decimal(&format!("1{}1", "0".repeat(100))) > decimal("1e101"));
    assert!(decimal(&format!("1{}1", "0".repeat(100))).is_multiple_of(&decimal("1e-20")));
    assert!(decimal("1e9999").is_multiple_of(&decimal("1e-9999")), "far apart");
    for text in ["", "-", "1e99999", "1e1000000", "-1e-1000000", "1e99999999999999999999", "0e1000000"] {
        assert_eq!(Decimal::parse(text), None, "{text}");
    }
    for text in ["0x1", "1.2.3", "e5", "NaN", "1_000", ".5", "+1", "1e", "1e+-5", &"9".repeat(10_001)] {
        assert_eq!(Decimal::parse(text), None, "{text}");
    }
}

#[test]
fn equal_places_are_one_place() {
    let mut builder = Builder::default();
    let (first, second) = (builder.node(text()), builder.node(text()));
    assert_eq!(first, second);
    let titled = Annotations { title: Some("t".to_owned()), ..Annotations::default() };
    assert_ne!(first, builder.node(Node { annotations: titled, shape: text() }));
}

#[test]
fn references_that_lead_nowhere_are_no_schema() {
    let mut builder = Builder::default();
    let (first, second) = (builder.reference(), builder.reference());
    let to_second = builder.node(Shape::Reference(second));
    let to_first = builder.node(Shape::Reference(first));
    builder.set_target(first, to_second);
    builder.set_target(second, to_first);
    assert!(builder.finish(to_first).is_err());

    let mut builder = Builder::default();
    let unset = builder.reference();
    let root = builder.node(Shape::Reference(unset));
    assert_eq!(builder.finish(root).map(drop), Err(unset));
}

#[test]
fn content_models_decide_over_properties_that_come_and_go() {
    let object = |has_property: bool, additional: Option<bool>| {
        schema(|builder| {
            let property = builder.node(text());
            let additional = match additional {
                None => Additional::Permitted,
                Some(false) => Additional::Forbidden,
                Some(true) => Additional::Schema(builder.node(number("0"))),
            };
            let mut object = Object { is_required: true, additional, ..Object::default() };
            if has_property {
                object.properties.insert("a".to_owned(), property);
            }
            builder.node(Shape::Object(Box::new(object)))
        })
    };
    let (open, closed, partial) = (None, Some(false), Some(true));
    for (additional, comes, goes) in [
        (
            open,
            &["!OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/a"][..],
            &["PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL #/properties/a"][..],
        ),
        (
            closed,
            &["OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a"],
            &["!PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"],
        ),
        (
            partial,
            &[
                "!TYPE_CHANGED #/properties/a",
                "!PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a",
                "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a",
            ],
            &[
                "!TYPE_CHANGED #/properties/a",
                "!PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a",
            ],
        ),
    ] {
        check(&object(false, additional), &object(true, additional), Policy::Strict, comes);
        check(&object(true, additional), &object(false, additional), Policy::Strict, goes);
    }
    check(
        &object(false, open),
        &object(true, open),
        Policy::Lenient,
        &["OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/a"],
    );
}

#[test]
fn each_alternative_needs_a_counterpart_of_its_own() {
    let choice = |minima: &[&str]| {
        schema(|builder| {
            let parts = minima.iter().map(|minimum| builder.node(number(minimum))).collect();
            builder.node(Shape::Combined { criterion: Criterion::One, parts })
        })
    };
    // Only 5 is read by 4, so 3 must be content with 2 although it comes first.
    check(
        &choice(&["3", "5"]),
        &choice(&["2", "4"]),
        Policy::Strict,
        &["MINIMUM_DECREASED #/oneOf/0/minimum", "MINIMUM_DECREASED #/oneOf/1/minimum"],
    );
    check(
        &choice(&["3", "5"]),
        &choice(&["4", "4.5"]),
        Policy::Strict,
        &["MINIMUM_DECREASED #/oneOf/1/minimum", "!COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"],
    );
    check(&choice(&["3", "3"]), &choice(&["3"]), Policy::Strict, &["!SUM_TYPE_NARROWED #/"]);
    check(&choice(&["3"]), &choice(&["3", "5"]), Policy::Strict, &["SUM_TYPE_EXTENDED #/"]);
    check(&choice(&["3", "5"]), &choice(&["3"]), Policy::Strict, &["!SUM_TYPE_NARROWED #/"]);
}

#[test]
fn a_cycle_neither_runs_for_ever_nor_hides_a_change() {
    // A list of lists, and behind it one item that differs.
    let list = |minimum: &str| {
        schema(|builder| {
            let itself = builder.reference();
            let items = builder.node(Shape::Reference(itself));
            let item = builder.node(number(minimum));
            let array = Array { items: Some(items), contains: Some(item), ..Array::default() };
            let array = builder.node(Shape::Array(Box::new(array)));
            builder.set_target(itself, array);
            items
        })
    };
    check(&list("1"), &list("1"), Policy::Strict, &[]);
    check(&list("1"), &list("2"), Policy::Strict, &["!MINIMUM_INCREASED #/contains/minimum"]);
}

#[test]
fn below_a_not_the_question_turns_round() {
    let not = |shape: Shape| {
        schema(|builder| {
            let excluded = builder.node(shape);
            builder.node(Shape::Not(excluded))
        })
    };
    check(&not(number("1")), &not(number("2")), Policy::Strict, &["NOT_TYPE_NARROWED #/not"]);
    check(&not(number("2")), &not(number("1")), Policy::Strict, &["!NOT_TYPE_EXTENDED #/not"]);
    check(&not(text()), &not(text()), Policy::Strict, &[]);
}

#[test]
fn what_takes_too_many_steps_is_refused() {
    let choice = |offset: u64| {
        schema(|builder| {
            let minimum = |n: u64| Some(Decimal::from(offset + n));
            let parts = (0..500).map(|n| Shape::Number(Number { minimum: minimum(n), ..Number::default() }));
            let parts = parts.map(|shape| builder.node(shape)).collect();
            builder.node(Shape::Combined { criterion: Criterion::One, parts })
        })
    };
    assert_eq!(compare(&choice(0), &choice(1_000), Policy::Strict), Err(TooComplex));
}
