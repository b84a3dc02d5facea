//! The normative table row by row, at every place where a row can apply: a column, a member of a structure, an element
//! of a list, a value of a map.

use domain::change::{Finding, Options, Proofs, compare, compare_with, required_bump};
use domain::contract::{
    Classification, LogicalType, MapTypes, Measure, Options as TypeOptions, Property, QualityUnit, Relationship,
};
use domain::decimal::Decimal;
use domain::quality::{Operator, Scalar, Severity};
use domain::version::Bump;
use serde_json::{Value, json};

use crate::contract::{column, contract, object, quality, shared};

/// What is expected: history-safe, consumer-safe, the bump, the bump with all proofs, the bump when widening is
/// allowed.
struct Expected(bool, bool, Bump, Bump, Bump);

/// The same, whatever is proven or allowed.
fn always(history_safe: bool, consumer_safe: bool, bump: Bump) -> Expected {
    Expected(history_safe, consumer_safe, bump, bump, bump)
}

/// MAJOR, and MINOR where all proofs hold.
fn provable() -> Expected {
    Expected(false, true, Bump::Major, Bump::Minor, Bump::Major)
}

const BREAKS_BOTH: fn() -> Expected = || always(false, false, Bump::Major);
const BREAKS_CONSUMERS: fn() -> Expected = || always(true, false, Bump::Major);
const PATCH: fn() -> Expected = || always(true, true, Bump::Patch);

#[track_caller]
fn check_object(row: &str, place: &str, old: Vec<Property>, new: Vec<Property>, expected: &Expected) {
    let (old, new) = (contract(vec![object(old)]), contract(vec![object(new)]));
    let judged = |options: &Options| {
        let findings = compare_with(&old, &new, options);
        let is_safe = |safe: fn(&Finding) -> bool| findings.iter().all(safe);
        (is_safe(Finding::history_safe), is_safe(Finding::consumer_safe), required_bump(&findings))
    };
    let Expected(history_safe, consumer_safe, bump, proven, relaxed) = *expected;
    let findings = compare(&old, &new);
    let context = format!("row {row}, {place}: {findings:#?}");
    assert_eq!(judged(&Options::default()), (history_safe, consumer_safe, bump), "{context}");
    let options = Options { proofs: Proofs::All, ..Options::default() };
    assert_eq!(judged(&options), (history_safe, consumer_safe, proven), "with proofs, {context}");
    let options = Options { allow_widening: true, ..Options::default() };
    assert_eq!(judged(&options), (history_safe, consumer_safe, relaxed), "widening, {context}");
    // A proof that is asked for is enough by itself, and another one is not.
    let asked: Vec<_> = findings.iter().filter_map(|finding| finding.proof.clone()).collect();
    assert!(!asked.is_empty() || proven == bump, "{context}");
    let options = Options { proofs: Proofs::These(asked.clone()), ..Options::default() };
    assert_eq!(judged(&options).2, proven, "with the proofs asked for, {context}");
    let elsewhere = asked.into_iter().map(|mut proof| {
        proof.object = "other".to_owned();
        proof
    });
    let options = Options { proofs: Proofs::These(elsewhere.collect()), ..Options::default() };
    assert_eq!(judged(&options).2, bump, "with proofs of another table, {context}");
}

fn structure(name: &str, members: Vec<Property>) -> Property {
    Property { members: shared(members), ..column(name, LogicalType::Object) }
}

fn list(item: Property) -> Property {
    let item = Property { name: "items".to_owned(), ..item };
    Property { items: Some(Box::new(item)), ..column("l", LogicalType::Array) }
}

fn map(key: Property, value: Property) -> Property {
    let types = MapTypes { key, value: Property { name: "value".to_owned(), ..value } };
    Property { map: Some(Box::new(types)), ..column("m", LogicalType::Map) }
}

fn key() -> Property {
    column("key", LogicalType::String)
}

/// Puts columns at a place.
type Wrap = fn(Vec<Property>) -> Vec<Property>;

/// Columns at every place where there can be several.
#[track_caller]
fn check_columns(row: &str, old: &[Property], new: &[Property], expected: Expected) {
    let places: [(&str, Wrap); 6] = [
        ("top", |columns| columns),
        ("struct", |columns| vec![structure("s", columns)]),
        ("struct in struct", |columns| vec![structure("s", vec![structure("t", columns)])]),
        ("struct in list", |columns| vec![list(structure("s", columns))]),
        ("struct in map", |columns| vec![map(key(), structure("s", columns))]),
        ("struct in map in list", |columns| vec![list(map(key(), structure("s", columns)))]),
    ];
    for (place, wrap) in places {
        check_object(row, place, wrap(old.to_vec()), wrap(new.to_vec()), &expected);
    }
}

/// One column at every place; its name does not change.
#[track_caller]
fn check_column(row: &str, old: &Property, new: &Property, expected: Expected) {
    for (place, wrap) in [("element", list as fn(Property) -> Property), ("value", |it| map(key(), it))] {
        check_object(row, place, vec![wrap(old.clone())], vec![wrap(new.clone())], &expected);
        let deeper = |column: &Property| vec![structure("s", vec![wrap(list(column.clone()))])];
        check_object(row, place, deeper(old), deeper(new), &expected);
    }
    check_columns(row, std::slice::from_ref(old), std::slice::from_ref(new), expected);
}

fn a() -> Property {
    column("a", LogicalType::String)
}

fn typed(logical: LogicalType, physical: &str) -> Property {
    Property { physical_type: Some(physical.to_owned()), ..column("a", logical) }
}

fn required(property: Property) -> Property {
    Property { required: true, ..property }
}

fn with_options(change: impl FnOnce(&mut TypeOptions)) -> Property {
    let mut property = a();
    change(&mut property.options);
    property
}

fn custom(name: &str, value: Value) -> Property {
    let mut property = a();
    property.other.insert("customProperties".to_owned(), json!({ name: value }));
    property
}

fn listed(values: &[&str]) -> Property {
    Property { enumeration: values.iter().map(|value| Scalar::Text((*value).to_owned())).collect(), ..a() }
}

fn foreign(to: &str) -> Property {
    let relationship = Relationship {
        from: Vec::new(),
        to: vec![to.to_owned()],
        documentary: Default::default(),
        other: Default::default(),
    };
    Property { relationships: vec![relationship], ..a() }
}

#[test]
fn rows_1_to_5_columns_come_and_go() {
    let b = column("b", LogicalType::Date);
    let pair = [a(), b.clone()];
    check_columns("1", &[a()], &pair, always(true, true, Bump::Minor));
    check_columns("1 in the middle", &[a()], &[b.clone(), a()], always(true, true, Bump::Minor));
    check_columns("2", &[a()], &[a(), required(b.clone())], always(false, true, Bump::Major));
    check_columns("4", &pair, &[a()], BREAKS_CONSUMERS());
    check_columns("5", &[a(), required(b)], &[a()], BREAKS_CONSUMERS());
}

#[test]
fn rows_6_and_7_names_change() {
    let with_id = |id: &str, name: &str| Property { id: Some(id.to_owned()), ..column(name, LogicalType::String) };
    check_columns("6", &[with_id("1", "a")], &[with_id("1", "b")], BREAKS_CONSUMERS());
    check_columns("6 without identity", &[with_id("1", "a")], &[with_id("2", "b")], BREAKS_CONSUMERS());
    let stored = |name: &str| Property { physical_name: Some(name.to_owned()), ..a() };
    check_columns("7", &[stored("x")], &[stored("y")], BREAKS_BOTH());
    check_columns("7 named first", &[a()], &[stored("y")], BREAKS_BOTH());
    check_columns("7 written out", &[a()], &[stored("a")], PATCH());
    let moved = Property { name: "b".to_owned(), ..with_id("1", "b") };
    let renamed = Property { physical_name: Some("y".to_owned()), ..moved };
    let before = Property { physical_name: Some("x".to_owned()), ..with_id("1", "a") };
    check_columns("6 and 7", &[before], &[renamed], BREAKS_BOTH());
}

#[test]
fn rows_8_to_10_types_change() {
    use LogicalType::{Date, Integer, Number, String, Timestamp};
    let widened = || Expected(true, false, Bump::Major, Bump::Major, Bump::Minor);
    for (old, new) in [
        (typed(Integer, "int"), typed(Integer, "long")),
        (typed(Integer, "tinyint"), typed(Integer, "smallint")),
        (typed(Number, "float"), typed(Number, "double")),
        (typed(Number, "decimal(10,2)"), typed(Number, "decimal(12,2)")),
    ] {
        check_column("8", &old, &new, widened());
        check_column("10 narrowed", &new, &old, BREAKS_BOTH());
    }
    let counted = |length: &str| typed(String, &format!("VARCHAR2({length} CHAR)"));
    check_column("8 length in characters", &counted("10"), &counted("20"), widened());
    check_column("10 length in characters", &counted("20"), &counted("10"), BREAKS_BOTH());
    let format = |format: Option<&str>| Property {
        options: TypeOptions { format: format.map(str::to_owned), ..TypeOptions::default() },
        ..column("a", Integer)
    };
    check_column("8 by format", &format(Some("i32")), &format(Some("i64")), widened());
    check_column("8 by format, from the default", &format(None), &format(Some("i128")), widened());
    check_column("8 written out", &format(None), &format(Some("i32")), PATCH());
    for (old, new) in [
        (typed(Integer, "int"), typed(Number, "double")),
        (typed(Integer, "int"), typed(Number, "float")),
        (typed(Integer, "long"), typed(Number, "double")),
        (typed(String, "string"), typed(String, "binary")),
        (typed(String, "binary"), typed(String, "string")),
    ] {
        check_column("9", &old, &new, BREAKS_BOTH());
    }
    for (old, new) in [
        (typed(Number, "decimal(10,2)"), typed(Number, "decimal(12,4)")),
        (typed(Number, "decimal(10,2)"), typed(Number, "decimal(10,3)")),
        (typed(Timestamp, "timestamp"), typed(Timestamp, "timestamptz")),
        (typed(Timestamp, "timestamp(6)"), typed(Timestamp, "timestamp(3)")),
        (typed(Date, "date"), typed(Timestamp, "timestamp")),
        (typed(String, "string"), typed(Integer, "int")),
        (typed(String, "string"), typed(String, "varchar(10)")),
        (typed(String, "uuid"), typed(String, "string")),
        (typed(Integer, "int"), typed(Integer, "mediumint")),
        (typed(Number, "bignumeric"), typed(Number, "numeric")),
    ] {
        check_column("10", &old, &new, BREAKS_BOTH());
    }
}

#[test]
fn rows_11_and_12_nulls_come_and_go() {
    check_column("11", &required(a()), &a(), BREAKS_CONSUMERS());
    check_column("12", &a(), &required(a()), provable());
}

#[test]
fn rows_13_to_18_shapes_change() {
    let b = column("b", LogicalType::Date);
    check_columns("13", &[a(), b.clone()], &[b.clone(), a()], PATCH());
    let with_key = |key: Property| map(Property { name: "key".to_owned(), ..key }, a());
    check_column(
        "17",
        &with_key(typed(LogicalType::Integer, "int")),
        &with_key(typed(LogicalType::Integer, "long")),
        BREAKS_BOTH(),
    );
    let with_members = |members| with_key(structure("key", members));
    check_column("17 struct", &with_members(vec![a()]), &with_members(vec![a(), b.clone()]), BREAKS_BOTH());
    let text = typed(LogicalType::String, "string");
    let structured = |members| Property { name: "a".to_owned(), ..structure("a", members) };
    check_column("18", &text, &structured(vec![b.clone()]), BREAKS_BOTH());
    check_column("18 back", &structured(vec![b.clone()]), &text, BREAKS_BOTH());
    let listed = Property { name: "a".to_owned(), ..list(text.clone()) };
    check_column("18 to a list", &text, &listed, BREAKS_BOTH());
    check_column("18 from a map", &Property { name: "a".to_owned(), ..map(key(), text) }, &listed, BREAKS_BOTH());
    check_columns("18 regrouped", &[a(), b.clone()], &[structure("s", vec![a(), b.clone()])], BREAKS_BOTH());
    check_columns("18 taken apart", &[structure("s", vec![a(), b.clone()])], &[a(), b.clone()], BREAKS_BOTH());
    let known = Property { id: Some("1".to_owned()), ..a() };
    let (outside, inside) =
        ([known.clone(), structure("s", vec![b.clone()])], [structure("s", vec![b.clone(), known.clone()])]);
    check_columns("18 moved into a structure", &outside, &inside, BREAKS_BOTH());
    check_columns("18 moved out of a structure", &inside, &outside, BREAKS_BOTH());
    let second = |members| structure("t", members);
    let (here, there) = (
        [structure("s", vec![b.clone(), known.clone()]), second(vec![b.clone()])],
        [structure("s", vec![b.clone()]), second(vec![b, known])],
    );
    check_columns("18 moved to another structure", &here, &there, BREAKS_BOTH());
}

#[test]
fn rows_19_to_23_values_are_constrained() {
    check_column("19", &listed(&["x"]), &listed(&["x", "y"]), BREAKS_CONSUMERS());
    check_column("20", &listed(&["x", "y"]), &listed(&["x"]), provable());
    check_column("19 and 20", &listed(&["x"]), &listed(&["y"]), BREAKS_BOTH_PROVABLE());
    check_column("20 reordered", &listed(&["x", "y"]), &listed(&["y", "x"]), PATCH());
    check_column("21 introduced", &a(), &listed(&["x"]), provable());
    check_column("21 removed", &listed(&["x"]), &a(), BREAKS_CONSUMERS());
    for (name, loose, tight) in [
        ("maxLength", with_options(|it| it.max_length = Some(9)), with_options(|it| it.max_length = Some(5))),
        ("minLength", a(), with_options(|it| it.min_length = Some(1))),
        ("pattern", a(), with_options(|it| it.pattern = Some("^a".to_owned()))),
        ("minimum", a(), with_options(|it| it.minimum = Some(Scalar::Integer(1)))),
        (
            "exclusive",
            with_options(|it| it.maximum = Some(Scalar::Integer(1))),
            with_options(|it| it.exclusive_maximum = Some(Scalar::Integer(1))),
        ),
        ("minItems", a(), with_options(|it| it.min_items = Some(1))),
        ("maxItems", a(), with_options(|it| it.max_items = Some(1))),
        ("uniqueItems", a(), with_options(|it| it.unique_items = true)),
        ("maxProperties", a(), with_options(|it| it.max_properties = Some(1))),
        (
            "multipleOf",
            with_options(|it| it.multiple_of = Decimal::of(0.1)),
            with_options(|it| it.multiple_of = Decimal::of(0.3)),
        ),
    ] {
        check_column(&format!("22 {name}"), &loose, &tight, provable());
        check_column(&format!("23 {name}"), &tight, &loose, BREAKS_CONSUMERS());
    }
    let whole =
        |change: fn(&mut TypeOptions)| Property { logical_type: Some(LogicalType::Integer), ..with_options(change) };
    let (at_least, above) = (
        whole(|it| it.minimum = Some(Scalar::Integer(1))),
        whole(|it| it.exclusive_minimum = Some(Scalar::Integer(0))),
    );
    check_column("22 written otherwise", &at_least, &above, PATCH());
    let from = |text: &'static str| with_options(|it| it.minimum = Some(Scalar::Text(text.to_owned())));
    check_column("22 from a day", &from("2020-01-31"), &from("2020-02-01T00:00:00Z"), provable());
    check_column("22 from a time", &from("09:00"), &from("08:30"), BREAKS_CONSUMERS());
    check_column("22 in another notation", &from("31.01.2020"), &from("01.02.2020"), BREAKS_BOTH());
    let pattern = |pattern: &str| with_options(|it| it.pattern = Some(pattern.to_owned()));
    check_column("22 another pattern", &pattern("^a"), &pattern("^b"), BREAKS_BOTH());
    let multiple = |divisor: &str| with_options(|it| it.multiple_of = Decimal::parse(divisor));
    check_column("22 another divisor", &multiple("2"), &multiple("3"), BREAKS_BOTH());
    // Their quotient is not whole, which no double can say.
    let (then, now) = (multiple("10000000000000000001"), multiple("20000000000000000003"));
    check_column("22 another divisor of many digits", &then, &now, BREAKS_BOTH());
}

/// One finding that a proof settles, and another that nothing does.
const BREAKS_BOTH_PROVABLE: fn() -> Expected = || Expected(false, false, Bump::Major, Bump::Major, Bump::Major);

#[test]
fn rows_24_to_27_keys_and_layout_change() {
    let unique = Property { unique: true, ..a() };
    check_column("24", &a(), &unique, provable());
    check_column("25", &unique, &a(), BREAKS_CONSUMERS());
    let key = |name: &str, position| Property {
        primary_key: true,
        primary_key_position: Some(position),
        ..column(name, LogicalType::Integer)
    };
    let plain = |name: &str| column(name, LogicalType::Integer);
    let top = |row: &str, old: Vec<Property>, new: Vec<Property>, expected: Expected| {
        check_object(row, "top", old, new, &expected);
    };
    top("24 key", vec![plain("a")], vec![key("a", 1)], provable());
    top("25 key removed", vec![key("a", 1)], vec![plain("a")], BREAKS_CONSUMERS());
    top("25 key changed", vec![key("a", 1), plain("b")], vec![key("a", 1), key("b", 2)], BREAKS_BOTH());
    top("25 other key", vec![key("a", 1), plain("b")], vec![plain("a"), key("b", 1)], BREAKS_BOTH());
    top("25 positions", vec![key("a", 1), key("b", 2)], vec![key("a", 2), key("b", 1)], PATCH());
    top("25 position written out", vec![key("a", 1)], vec![key("a", 2)], PATCH());
    check_column("26 added", &a(), &foreign("customers.id"), provable());
    check_column("26 removed", &foreign("customers.id"), &a(), BREAKS_CONSUMERS());
    check_column("26 retargeted", &foreign("customers.id"), &foreign("clients.id"), BREAKS_BOTH_PROVABLE());
    let composite = |from: [&str; 2], to: [&str; 2]| {
        let names = |names: [&str; 2]| names.map(str::to_owned).into();
        let mut column = foreign("");
        column.relationships[0].from = names(from);
        column.relationships[0].to = names(to);
        column
    };
    let pair = composite(["o.a", "o.b"], ["c.a", "c.b"]);
    check_column("26 columns in another order", &pair, &composite(["o.b", "o.a"], ["c.b", "c.a"]), PATCH());
    check_column("26 crossed", &pair, &composite(["o.a", "o.b"], ["c.b", "c.a"]), BREAKS_BOTH_PROVABLE());
    let partitioned = Property { partitioned: true, partition_key_position: Some(1), ..a() };
    check_column("27", &a(), &partitioned, PATCH());
    check_column("27 back", &partitioned, &a(), PATCH());
}

#[test]
fn rows_28_and_29_quality_changes() {
    let with = |operator, severity, unit| {
        let rule = domain::contract::Quality { severity, unit, ..quality(Measure::NullValues, operator) };
        Property { quality: vec![rule], ..a() }
    };
    let rows = |most: f64| with(Operator::MustBeLessOrEqualTo(most), Severity::Error, QualityUnit::Rows);
    let lax = with(Operator::MustBeLessOrEqualTo(5.0), Severity::Warning, QualityUnit::Rows);
    let percent = with(Operator::MustBeLessOrEqualTo(5.0), Severity::Error, QualityUnit::Percent);
    let tightened = || always(false, true, Bump::Minor);
    check_column("28 added", &a(), &rows(5.0), tightened());
    check_column("28 tightened", &rows(5.0), &rows(0.0), tightened());
    check_column("28 severity raised", &lax, &rows(5.0), tightened());
    check_column("29 removed", &rows(5.0), &a(), BREAKS_CONSUMERS());
    check_column("29 loosened", &rows(0.0), &rows(5.0), BREAKS_CONSUMERS());
    check_column("29 severity lowered", &rows(5.0), &lax, BREAKS_CONSUMERS());
    check_column("29 another unit", &rows(5.0), &percent, BREAKS_BOTH());
    check_column("29 a warning removed", &lax, &a(), PATCH());
    check_column("28 a warning added", &a(), &lax, PATCH());
    let valid = |values: &[&str], most: f64| {
        let values = values.iter().map(|value| Scalar::Text((*value).to_owned())).collect();
        let measure = Measure::InvalidValues { values, pattern: None };
        Property { quality: vec![quality(measure, Operator::MustBeLessOrEqualTo(most))], ..a() }
    };
    check_column("19 validValues", &valid(&["x"], 0.0), &valid(&["x", "y"], 0.0), BREAKS_CONSUMERS());
    check_column("20 validValues", &valid(&["x", "y"], 0.0), &valid(&["x"], 0.0), provable());
    check_column("28 validValues, some may be missed", &valid(&["x", "y"], 9.0), &valid(&["x"], 9.0), tightened());
    let texts = |texts: &[&str]| texts.iter().map(|text| Scalar::Text((*text).to_owned())).collect();
    let named = |id: &str, measure| {
        let rule = quality(measure, Operator::MustBeLessOrEqualTo(5.0));
        Property { quality: vec![domain::contract::Quality { id: Some(id.to_owned()), ..rule }], ..a() }
    };
    check_column("29 another id", &named("1", Measure::NullValues), &named("2", Measure::NullValues), PATCH());
    let missing = |values: &[&str]| named("1", Measure::MissingValues { values: texts(values) });
    check_column("28 more is missing", &missing(&["-"]), &missing(&["?", "-"]), tightened());
    check_column("29 less is missing", &missing(&["?", "-"]), &missing(&["-"]), BREAKS_CONSUMERS());
    check_column("29 missing in another order", &missing(&["?", "-"]), &missing(&["-", "?"]), PATCH());
    let distinct = |columns: &[&str]| {
        named("1", Measure::DuplicateValues { properties: columns.iter().map(|it| (*it).to_owned()).collect() })
    };
    check_column("28 distinct in fewer columns", &distinct(&["a", "b"]), &distinct(&["a"]), tightened());
    check_column("29 distinct in more columns", &distinct(&["a"]), &distinct(&["a", "b"]), BREAKS_CONSUMERS());
    check_column("29 distinct in other columns", &distinct(&["a"]), &distinct(&["b"]), BREAKS_BOTH());
    let both = |operators: [Operator; 2]| {
        let rules = operators.map(|operator| quality(Measure::NullValues, operator));
        Property { quality: rules.into(), ..a() }
    };
    let (least, most) = (Operator::MustBeGreaterThan(1.0), Operator::MustBeLessThan(9.0));
    check_column("29 without ids in another order", &both([least, most]), &both([most, least]), PATCH());
    let less = Operator::MustBeLessThan(8.0);
    check_column("28 without ids, one of two", &both([least, most]), &both([less, least]), tightened());
}

#[test]
fn rows_31_to_35_and_40_to_42_meaning_changes() {
    check_column("31 unit", &custom("unit", json!("EUR")), &custom("unit", json!("USD")), BREAKS_BOTH());
    check_column("31 currency", &a(), &custom("currency", json!("USD")), BREAKS_BOTH());
    let format = |format: &str| with_options(|it| it.format = Some(format.to_owned()));
    check_column("31 format", &format("yyyy"), &format("yy"), BREAKS_BOTH());
    let zone = |zone: &str| with_options(|it| it.default_timezone = Some(zone.to_owned()));
    check_column("31 zone", &zone("Etc/UTC"), &zone("Europe/Berlin"), BREAKS_BOTH());
    check_column("31 zone written out", &a(), &zone("Etc/UTC"), PATCH());
    let classified = |level| Property { classification: Some(level), ..a() };
    let (public, secret) = (classified(Classification::Public), classified(Classification::Restricted));
    check_column("33", &public, &secret, BREAKS_CONSUMERS());
    check_column("34", &secret, &public, always(true, true, Bump::Minor));
    check_column("33 written out", &a(), &classified(Classification::Internal), PATCH());
    let encrypted = Property { encrypted_name: Some("b".to_owned()), ..a() };
    check_column("35", &a(), &encrypted, BREAKS_BOTH());
    check_column("35 masked", &a(), &custom("masking", json!("sha256")), BREAKS_BOTH());
    check_column("36", &typed(LogicalType::Integer, "int"), &typed(LogicalType::Integer, "INTEGER"), PATCH());
    check_column("40", &custom("default", json!(1)), &custom("default", json!(2)), PATCH());
    check_column(
        "40 of older rows",
        &custom("initialDefault", json!(1)),
        &custom("initialDefault", json!(2)),
        BREAKS_BOTH(),
    );
    check_column(
        "41",
        &with_options(|it| it.dimensions = Some(3)),
        &with_options(|it| it.dimensions = Some(4)),
        BREAKS_BOTH(),
    );
    let element = |word: &str| with_options(|it| it.element_type = Some(word.to_owned()));
    check_column("41 elements", &element("float32"), &element("int8"), BREAKS_BOTH());
    check_column("41 written out", &a(), &element("float32"), PATCH());
    let deprecated = Property { deprecated: true, ..a() };
    check_column("42", &a(), &deprecated, always(true, true, Bump::Minor));
    check_column("42 withdrawn", &deprecated, &a(), PATCH());
    check_column("32 custom properties", &a(), &custom("team", json!("x")), PATCH());
    check_column("not in the table", &a(), &custom("gateMode", json!("x")), BREAKS_BOTH());
}

#[test]
fn physical_type_names_are_compared_inside() {
    let list = |name: &str| typed(LogicalType::Array, name);
    let widened = || Expected(true, false, Bump::Major, Bump::Major, Bump::Minor);
    check_column("8 in a name", &list("array<int>"), &list("ARRAY<bigint>"), widened());
    check_column("8 in a name", &list("int[]"), &list("array(bigint)"), widened());
    check_column("36 in a name", &list("array<int>"), &list("list<integer>"), PATCH());
    check_column("12 in a name", &list("array<struct<x: int>>"), &list("array<struct<x int not null>>"), provable());
    check_column(
        "1 in a name",
        &list("array<struct<x: int>>"),
        &list("array<struct<x: int, y: map<int, int>>>"),
        always(true, true, Bump::Minor),
    );
    check_column("18 in a name", &list("int[]"), &list("array<struct<x: int>>"), BREAKS_BOTH());
    check_column(
        "17 in a name",
        &typed(LogicalType::Map, "map<int,int>"),
        &typed(LogicalType::Map, "map<long,int>"),
        BREAKS_BOTH(),
    );
    check_column("unsaid before", &list("array"), &list("array<int>"), BREAKS_BOTH());
}
