//! JSON Schema: what is a demand on older data. Names by pattern, values that are named, and bounds that bound nothing;
//! each against what a validator says.

use domain::change::message::{Policy, all_compatible};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::json_schema::{differences, names};
use crate::shared;

/// Whether a reader of the new schema reads all that was written under the old one, in every draft.
fn reads(old: &Value, new: &Value) -> bool {
    let drafts =
        ["draft-04/schema#", "draft-06/schema#", "draft-07/schema#", "draft/2019-09/schema", "draft/2020-12/schema"];
    let verdicts = drafts.map(|draft| {
        let [old, new] = [old, new].map(|schema| {
            let mut schema = schema.clone();
            schema["$schema"] = json!(format!("https://json-schema.org/{draft}"));
            schema
        });
        all_compatible(&differences(&old, &new, Policy::Strict))
    });
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[2]), "drafts differ: {verdicts:?} {old} {new}");
    verdicts[2]
}

#[test]
fn patterns_of_names_are_compared() {
    let (text, number) = (json!({"type": "string"}), json!({"type": "integer"}));
    let object = |keywords: Value| {
        let mut schema = json!({"type": "object"});
        schema.as_object_mut().unwrap().extend(keywords.as_object().unwrap().clone());
        schema
    };
    let patterns = |patterns: Value| object(json!({ "patternProperties": patterns }));
    let closed = |patterns: Value| object(json!({"patternProperties": patterns, "additionalProperties": false}));
    let open = object(json!({}));
    let declared = object(json!({"properties": {"S_a": text}, "additionalProperties": false}));
    let with_property = |schema: &Value| {
        object(json!({
            "properties": {"S_a": text}, "patternProperties": {"^S_": schema}, "additionalProperties": false,
        }))
    };
    for (old, new, backward, forward) in [
        // Another schema under one pattern.
        (patterns(json!({"^S_": text})), patterns(json!({"^S_": number})), false, false),
        (patterns(json!({"^S_": number})), patterns(json!({"^S_": {"type": "number"}})), true, false),
        // A pattern comes to an open object, and to one that has no such names.
        (open.clone(), patterns(json!({"^S_": text})), false, true),
        (open.clone(), patterns(json!({"^S_": {}})), true, true),
        (closed(json!({})), closed(json!({"^S_": text})), true, false),
        // It contradicts a declared property, or not.
        (declared.clone(), with_property(&number), false, false),
        (declared, with_property(&text), true, false),
        // Two patterns change places.
        (closed(json!({"^S_": text, "^I_": number})), closed(json!({"^S_": number, "^I_": text})), false, false),
        // Patterns that can be found in one name, and those that cannot.
        (closed(json!({"^S_": text})), closed(json!({"^S_": text, "_x$": number})), false, false),
        (closed(json!({"^S_": text})), closed(json!({"^S_": text, "^I_": number})), true, false),
        (closed(json!({"^S_a": text})), closed(json!({"^S_": text})), true, false),
        (closed(json!({"^S_": text})), closed(json!({"^S_": text, "^S_a": number})), false, true),
        // A name may have line breaks, and more than a beginning.
        (closed(json!({"^S_": text})), closed(json!({"^S_.*$": text})), false, true),
        (closed(json!({"^S_": text})), closed(json!({"^S_$": text})), false, true),
        (
            closed(json!({"^S_a$": text})),
            object(json!({"properties": {"S_a": text}, "additionalProperties": false})),
            true,
            true,
        ),
        // What other names may hold.
        (patterns(json!({"": text})), object(json!({"additionalProperties": text})), true, true),
        (object(json!({"additionalProperties": text})), patterns(json!({"^S_": text})), true, false),
        (object(json!({"additionalProperties": text})), patterns(json!({"^S_": number})), false, false),
        (closed(json!({"^S_": text})), object(json!({"additionalProperties": number})), false, false),
        // Patterns say nothing of other names.
        (
            patterns(json!({"^S_": text})),
            object(json!({"patternProperties": {"^S_": text}, "properties": {"a": text}})),
            false,
            true,
        ),
        (
            object(json!({"patternProperties": {"^S_": text}, "properties": {"a": {}}})),
            object(json!({"patternProperties": {"^S_": text}, "properties": {"a": text}})),
            false,
            true,
        ),
        // It is unknown in which names this one is found.
        (
            closed(json!({"(?=S)": number})),
            object(json!({
                "patternProperties": {"(?=S)": number}, "properties": {"S_a": text}, "additionalProperties": false,
            })),
            false,
            false,
        ),
        // What a pattern says holds for properties too.
        (
            object(json!({"patternProperties": {"^S_": text}, "properties": {"S_a": {}}})),
            object(json!({"patternProperties": {"^S_": text}, "properties": {"S_a": text}})),
            true,
            true,
        ),
    ] {
        assert_eq!((reads(&old, &new), reads(&new, &old)), (backward, forward), "{old} {new}");
    }
    let found = names(&patterns(json!({"^S_": text})), &patterns(json!({"^S_": number})));
    assert_eq!(found, ["TYPE_CHANGED #/patternProperties/^S_"]);
    let found = names(&closed(json!({"^S_": text})), &closed(json!({"^S_": text, "_x$": number})));
    let not_covered = "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/patternProperties/_x$";
    assert_eq!(found, ["TYPE_CHANGED #/patternProperties/_x$", not_covered]);
    let lenient = differences(&open, &patterns(json!({"^S_": text})), Policy::Lenient);
    assert!(all_compatible(&lenient), "{lenient:?}");
    if let Some(folder) = shared::folder("cases/registry/04-pattern-properties") {
        let case = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap().parse::<Value>().unwrap();
        let (old, new) = (case("old.json"), case("new.json"));
        assert!(!reads(&old, &new) && !reads(&new, &old));
    }
}

#[test]
fn named_values_are_judged_one_by_one() {
    let newer = |schema: Value| {
        let mut schema = schema;
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema
    };
    let both = |old: &Value, new: &Value| {
        let verdict = |old: &Value, new: &Value| all_compatible(&differences(old, new, Policy::Strict));
        let (older, newer_verdict) = (verdict(old, new), verdict(&newer(old.clone()), &newer(new.clone())));
        assert_eq!(older, newer_verdict, "drafts differ: {old} {new}");
        older
    };
    for (old, new, backward, forward) in [
        (json!({"const": "a"}), json!({"enum": ["a"]}), true, true),
        (json!({"const": "a"}), json!({"enum": ["a", "b"]}), true, false),
        (json!({"const": "c"}), json!({"enum": ["a", "b"]}), false, false),
        (json!({"const": "a"}), json!({"type": "string"}), true, false),
        (json!({"const": 1}), json!({"type": "string"}), false, false),
        (json!({"enum": ["a", "b"]}), json!({"type": "string", "maxLength": 1}), true, false),
        (json!({"enum": ["a", "bb"]}), json!({"type": "string", "maxLength": 1}), false, false),
        (json!({"enum": ["a", 1]}), json!({"type": ["string", "integer"]}), true, false),
        (json!({"enum": [1, 2.0]}), json!({"type": "integer", "minimum": 1, "exclusiveMaximum": 3}), true, false),
        (json!({"enum": [1, 2.5]}), json!({"type": "integer"}), false, false),
        (json!({"const": "a"}), json!({"type": "string", "const": "a"}), true, true),
        (json!({"enum": ["a", 1]}), json!({"type": "string", "enum": ["a", "b"]}), false, false),
        (json!({"type": "string", "enum": ["a", 1]}), json!({"const": "a"}), true, true),
        (json!({"type": "boolean"}), json!({"enum": [true, false]}), true, true),
        (json!({"type": "null"}), json!({"const": null}), true, true),
        (json!({"type": "boolean"}), json!({"const": true}), false, true),
        (json!({"oneOf": [{"const": "a"}, {"const": "b"}]}), json!({"enum": ["a", "b"]}), true, true),
        (json!({"const": "bb"}), json!({"type": "string", "pattern": "^a"}), false, false),
        (json!({"const": 0}), json!({"type": "integer", "minimum": 1}), false, false),
        (json!({"const": 4}), json!({"type": "integer", "maximum": 3}), false, false),
        (json!({"const": 1}), json!({"type": "integer", "exclusiveMinimum": 1}), false, false),
        (json!({"const": 3}), json!({"type": "integer", "exclusiveMaximum": 3}), false, false),
        (json!({"const": 3}), json!({"type": "number", "multipleOf": 2}), false, false),
        (json!({"const": "a"}), json!({"type": "object"}), false, false),
        (json!({"const": "a"}), json!({"type": "array"}), false, false),
        (json!({"const": "c"}), json!({"anyOf": [{"enum": ["a"]}, {"type": "integer"}]}), false, false),
        (json!({"const": "c"}), json!({"anyOf": [{"const": "a"}, {"type": "integer"}]}), false, false),
        (json!({"const": "bb"}), json!({"allOf": [{"type": "string"}, {"maxLength": 1}]}), false, false),
        // Of two alternatives that both admit a value, `oneOf` admits neither.
        (
            json!({"enum": ["a", "b", "c"]}),
            json!({"oneOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}),
            false,
            false,
        ),
        (
            json!({"enum": ["a", 1]}),
            json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "string", "maxLength": 1}]}),
            false,
            false,
        ),
        // Where it is unknown whether a pattern is found, nothing is admitted.
        (
            json!({"enum": ["a", 1]}),
            json!({"oneOf": [
                {"type": "string", "maxLength": 1}, {"type": "integer"}, {"type": "string", "pattern": "(?=a)"},
            ]}),
            false,
            false,
        ),
        (
            json!({"const": "a"}),
            json!({"allOf": [{"enum": ["a", "b"]}, {"type": "string", "pattern": "(?=b)"}]}),
            false,
            false,
        ),
        (json!({"const": {"a": 1}}), json!({"type": "object"}), true, false),
        (json!({"const": {"a": 1}}), json!({"type": "object", "required": ["b"]}), false, false),
        (json!({"const": [1]}), json!({"type": "array", "maxItems": 0}), false, false),
        (json!({"const": "a"}), json!({"not": {"type": "string"}}), false, false),
        (json!({"const": "a"}), json!({"not": {"type": "number"}}), true, false),
    ] {
        assert_eq!((both(&old, &new), both(&new, &old)), (backward, forward), "{old} {new}");
    }
}

#[test]
fn bounds_that_bound_nothing_are_no_change() {
    let closed = json!({"type": "object", "properties": {"a": {}, "b": {}}, "additionalProperties": false});
    let pair = json!({"type": "array", "items": [{}, {}], "additionalItems": false});
    for (old, keyword, value) in [
        (json!({"type": "string"}), "minLength", json!(0)),
        (json!({"type": "string"}), "pattern", json!(".*")),
        (json!({"type": "string"}), "pattern", json!("^")),
        (json!({"type": "array"}), "minItems", json!(0)),
        (json!({"type": "array"}), "uniqueItems", json!(false)),
        (json!({"type": "array"}), "items", json!({})),
        (json!({"type": "array", "maxItems": 1}), "uniqueItems", json!(true)),
        (pair, "maxItems", json!(2)),
        (json!({"type": "object"}), "minProperties", json!(0)),
        (json!({"type": "object"}), "additionalProperties", json!({})),
        (json!({"type": "object"}), "dependencies", json!({"a": {}})),
        (json!({"type": "object", "required": ["a", "b"]}), "minProperties", json!(2)),
        (closed, "maxProperties", json!(2)),
        (json!({"type": "integer"}), "multipleOf", json!(1)),
        (json!({"type": "integer"}), "multipleOf", json!(0.1)),
        (json!({"type": "integer", "minimum": 0.5}), "exclusiveMinimum", json!(0)),
        (json!({"type": "integer", "exclusiveMinimum": 0}), "minimum", json!(1)),
        (json!({"type": "integer", "exclusiveMaximum": 10}), "maximum", json!(9)),
        (json!({"type": "number", "maximum": 9}), "exclusiveMaximum", json!(9.5)),
    ] {
        let mut new = old.clone();
        new[keyword] = value;
        assert_eq!(names(&old, &new), Vec::<String>::new(), "{new}");
        assert!(all_compatible(&differences(&new, &old, Policy::Strict)), "{new}");
    }
    // They bound something elsewhere.
    for (old, keyword, value) in [
        (json!({"type": "string"}), "minLength", json!(1)),
        (json!({"type": "string"}), "pattern", json!("^a")),
        (json!({"type": "array"}), "minItems", json!(1)),
        (json!({"type": "array", "maxItems": 2}), "uniqueItems", json!(true)),
        (json!({"type": "array"}), "contains", json!({})),
        (json!({"type": "array", "items": [{}, {}], "additionalItems": false}), "maxItems", json!(1)),
        (json!({"type": "array", "items": [{}, {}]}), "maxItems", json!(2)),
        (json!({"type": "object", "required": ["a"]}), "minProperties", json!(2)),
        (json!({"type": "object", "properties": {"a": {}}}), "maxProperties", json!(2)),
        (json!({"type": "number"}), "multipleOf", json!(1)),
        (json!({"type": "integer"}), "multipleOf", json!(0.3)),
        (json!({"type": "number", "exclusiveMinimum": 0}), "minimum", json!(1)),
        (json!({"type": "integer", "exclusiveMaximum": 10}), "maximum", json!(8)),
    ] {
        let mut new = old.clone();
        new[keyword] = value;
        assert!(!all_compatible(&differences(&old, &new, Policy::Strict)), "{new}");
    }
    let newer = |mut schema: Value| {
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema
    };
    let old = newer(json!({"type": "array"}));
    let new = newer(json!({"type": "array", "contains": {"type": "string"}, "minContains": 0}));
    assert_eq!(names(&old, &new), Vec::<String>::new());
    let old = newer(json!({"type": "object"}));
    let new = newer(json!({"type": "object", "unevaluatedProperties": true}));
    assert_eq!(names(&old, &new), Vec::<String>::new());
    // What other keywords say nothing of is bounded as well.
    let text = json!({"type": "string"});
    for (old, new, expected) in [
        (
            json!({"type": "object"}),
            json!({"type": "object", "unevaluatedProperties": text}),
            "UNEVALUATED_PROPERTIES_NARROWED #/unevaluatedProperties",
        ),
        (
            json!({"type": "array"}),
            json!({"type": "array", "unevaluatedItems": text}),
            "UNEVALUATED_ITEMS_NARROWED #/unevaluatedItems",
        ),
        (
            json!({"type": "object", "properties": {"a": text}, "unevaluatedProperties": false}),
            json!({"type": "object", "unevaluatedProperties": false}),
            "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a",
        ),
    ] {
        let (old, new) = (newer(old), newer(new));
        assert_eq!(names(&old, &new), [expected]);
        assert!(!all_compatible(&differences(&old, &new, Policy::Strict)), "{expected}");
    }
    let (old, new) = (json!({"type": "number", "multipleOf": 2}), json!({"type": "integer"}));
    assert!(all_compatible(&differences(&old, &new, Policy::Strict)));
}

/// Schemas of the families in which a hole would be easy to miss: names by pattern, named values, bounds.
fn small_schemas() -> impl Strategy<Value = Value> {
    let number = || prop::sample::select(vec![json!(0), json!(1), json!(2), json!(0.5), json!(-1)]);
    let limit = 0..3_u8;
    let scalar =
        prop::sample::select(vec![json!("a"), json!("bb"), json!(""), json!(1), json!(0.5), json!(null), json!(true)]);
    let leaf = prop_oneof![
        Just(json!({})),
        prop::sample::select(vec!["string", "integer", "number", "boolean", "null"])
            .prop_map(|name| json!({"type": name})),
        scalar.clone().prop_map(|value| json!({ "const": value })),
        prop::collection::vec(scalar, 1..4).prop_map(|mut values| {
            values.dedup();
            values.sort_by_key(Value::to_string);
            values.dedup();
            json!({ "enum": values })
        }),
        (limit.clone(), limit.clone()).prop_map(|(a, b)| json!({"type": "string", "minLength": a, "maxLength": b})),
        prop::sample::select(vec!["", "^a", "^a$", ".*"]).prop_map(|it| json!({"type": "string", "pattern": it})),
        (
            any::<bool>(),
            number(),
            prop::sample::select(vec!["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
        )
            .prop_map(
                |(whole, bound, keyword)| json!({"type": if whole { "integer" } else { "number" }, keyword: bound})
            ),
        prop::sample::select(vec![json!(1), json!(0.5), json!(2)])
            .prop_map(|it| json!({"type": "integer", "multipleOf": it})),
    ];
    let leaf = leaf.boxed();
    let rest = prop_oneof![Just(None), Just(Some(json!(false))), leaf.clone().prop_map(Some)];
    let names = prop::sample::select(vec!["a", "ab", "b", "c"]);
    let patterns = prop::sample::select(vec!["", "^a", "^a$", "^ab", "b$", "^b.*$", "^[ab]"]);
    let object = (
        prop::collection::btree_map(names, leaf.clone(), 0..3),
        prop::collection::btree_map(patterns, leaf.clone(), 0..3),
        (rest, 0..3_u8, 0..4_u8),
    )
        .prop_map(|(properties, patterns, (rest, least, most))| {
            let mut schema = json!({"type": "object", "properties": properties, "patternProperties": patterns});
            if let Some(rest) = rest {
                schema["additionalProperties"] = rest;
            }
            if least > 0 {
                schema["minProperties"] = json!(least - 1);
            }
            if most > 1 {
                schema["maxProperties"] = json!(most);
            }
            schema
        });
    let choice = (prop::collection::vec(leaf.clone(), 1..3), prop::sample::select(vec!["anyOf", "allOf"]))
        .prop_map(|(parts, keyword)| json!({ keyword: parts }));
    prop_oneof![leaf, object.clone(), object, choice]
}

/// Values for them.
fn instances() -> Vec<Value> {
    let scalars = [
        json!(null),
        json!(true),
        json!(false),
        json!(""),
        json!("a"),
        json!("b"),
        json!("bb"),
        json!("aaaa"),
        json!(0),
        json!(1),
        json!(2),
        json!(3),
        json!(-1),
        json!(-2),
        json!(0.5),
        json!(1.5),
        json!(0.25),
        json!([]),
        json!({}),
    ];
    let names = ["a", "ab", "b", "ba", "c", "abc"];
    let single = names.iter().flat_map(|name| scalars.iter().map(move |value| json!({ *name: value })));
    let pairs =
        names.iter().flat_map(|one| names.iter().filter(move |other| one < *other).map(move |other| (one, other)));
    let double = pairs.flat_map(|(one, other)| {
        scalars.iter().flat_map(move |value| [json!("a"), json!(1)].map(|it| json!({ *one: value, *other: it })))
    });
    let many = json!({"a": "a", "b": "a", "c": "a", "ab": "a", "abc": "a"});
    scalars.iter().cloned().chain(single).chain(double).chain([many]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_called_compatible_refuses_nothing_that_was_valid(old in small_schemas(), new in small_schemas()) {
        if all_compatible(&differences(&old, &new, Policy::Strict)) {
            let [before, after] = [&old, &new].map(|schema| jsonschema::draft7::new(schema).unwrap());
            for value in instances().iter().filter(|value| before.is_valid(value)) {
                prop_assert!(after.is_valid(value), "{old} {new}: {value}");
            }
        }
    }
}
