//! Contracts: what their promises compile to, and which tables conform to them.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Timestamp;
use domain::contract::types::TypeName;
use domain::contract::{
    self, BadLocalPath, Classification, DeprecateError, Fields, LocalPath, LogicalType, MapTypes, Measure, Options,
    Property, Quality, QualityUnit, RuleError, SchemaObject, SemanticType, Settings, SlaProperty, State, Wish,
    canonical, conformance, rules, sla, verdict_of,
};
use domain::decimal::Decimal;
use domain::quality::{Check, Operator, Rule, Scalar, Severity, Unit, Verdict};
use domain::table::{ColumnPath, PhysicalColumn, PhysicalSchema, PhysicalType, ReaderProtocol};
use domain::version::Version;
use serde_json::json;

pub(crate) fn column(name: &str, logical_type: LogicalType) -> Property {
    Property { name: name.to_owned(), logical_type: Some(logical_type), ..Property::default() }
}

/// Columns as a contract holds them.
pub(crate) fn shared(columns: Vec<Property>) -> Vec<Arc<Property>> {
    columns.into_iter().map(Arc::new).collect()
}

pub(crate) fn object(properties: Vec<Property>) -> SchemaObject {
    SchemaObject {
        id: None,
        name: "orders".to_owned(),
        physical_name: None,
        physical_type: None,
        properties: shared(properties),
        quality: Vec::new(),
        relationships: Vec::new(),
        documentary: Fields::new(),
        other: Fields::new(),
    }
}

pub(crate) fn contract(objects: Vec<SchemaObject>) -> contract::Document {
    contract::Document {
        document_id: "c".to_owned(),
        api_version: "v3.1.0".to_owned(),
        name: None,
        version: Version { major: 1, minor: 0, patch: 0 },
        wish: Wish::Activate,
        domain: None,
        data_product: None,
        objects,
        servers: Vec::new(),
        sla: Vec::new(),
        roles: Vec::new(),
        settings: Settings::default(),
        documentary: Fields::new(),
        other: Fields::new(),
    }
}

pub(crate) fn quality(measure: Measure, operator: Operator) -> Quality {
    Quality {
        id: None,
        name: None,
        measure,
        operator: Some(operator),
        unit: QualityUnit::Rows,
        severity: Severity::Error,
        documentary: Fields::new(),
        other: Fields::new(),
    }
}

fn path(names: &[&str]) -> ColumnPath {
    ColumnPath(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The keys of an object's rules, those that are not run in brackets.
#[track_caller]
fn check_rules(object: &SchemaObject, expected: &[&str]) -> Vec<Rule> {
    let rules = rules(object).unwrap();
    let key = |rule: &Rule| if rule.check.is_some() { rule.key.clone() } else { format!("[{}]", rule.key) };
    assert_eq!(rules.iter().map(key).collect::<Vec<_>>(), expected);
    rules
}

#[test]
fn promises_of_columns_become_rules_over_the_tables_columns() {
    let amount = Property {
        physical_name: Some("amt".to_owned()),
        required: true,
        unique: true,
        enumeration: vec![Scalar::Integer(1)],
        options: Options {
            minimum: Some(Scalar::Integer(0)),
            exclusive_maximum: Some(Scalar::Integer(9)),
            multiple_of: Decimal::of(0.5),
            ..Options::default()
        },
        ..column("amount", LogicalType::Number)
    };
    let code = Property {
        options: Options {
            min_length: Some(1),
            max_length: Some(2),
            pattern: Some("^[A-Z]+$".to_owned()),
            ..Options::default()
        },
        ..column("code", LogicalType::String)
    };
    let rules = check_rules(
        &object(vec![amount, code]),
        &[
            "amount/required",
            "amount/unique",
            "amount/enum",
            "amount/minimum",
            "amount/exclusiveMaximum",
            "amount/multipleOf",
            "code/minLength",
            "code/maxLength",
            "code/pattern",
        ],
    );
    assert_eq!(rules[0].check, Some(Check::NullValues { column: path(&["amt"]) }));
    assert!(rules.iter().all(|rule| rule.severity == Severity::Error && rule.operator == Operator::MustBe(0.0)));
}

#[test]
fn the_primary_key_is_one_rule_in_the_order_of_its_positions() {
    let key = |name: &str, position| Property {
        primary_key: true,
        primary_key_position: Some(position),
        ..column(name, LogicalType::Integer)
    };
    let rules = check_rules(&object(vec![key("b", 2), key("a", 1)]), &["primaryKey", "b/required", "a/required"]);
    assert_eq!(rules[0].check, Some(Check::DuplicateValues { columns: vec![path(&["a"]), path(&["b"])] }));
}

#[test]
fn members_of_structures_are_reached_and_what_collections_hold_is_listed_as_not_run() {
    let required = |name: &str| Property { required: true, ..column(name, LogicalType::String) };
    let address = Property { members: shared(vec![required("zip")]), ..column("address", LogicalType::Object) };
    let tags = Property { items: Some(Box::new(required("items"))), ..column("tags", LogicalType::Array) };
    let map = MapTypes { key: required("key"), value: column("value", LogicalType::String) };
    let labels = Property { map: Some(Box::new(map)), ..column("labels", LogicalType::Map) };
    let measure = Property { semantic_type: SemanticType::Measure, ..required("total") };
    let rules = check_rules(
        &object(vec![address, tags, labels, measure]),
        &["address.zip/required", "[tags.items/required]", "[labels.key/required]"],
    );
    assert_eq!(rules[0].check, Some(Check::NullValues { column: path(&["address", "zip"]) }));
}

#[test]
fn quality_entries_become_rules_by_metric() {
    let mut name = column("name", LogicalType::String);
    name.quality = vec![
        quality(Measure::NullValues, Operator::MustBe(0.0)),
        quality(Measure::NullValues, Operator::MustBeLessThan(9.0)),
        Quality {
            unit: QualityUnit::Percent,
            ..quality(Measure::DuplicateValues { properties: vec![] }, Operator::MustBe(0.0))
        },
        quality(Measure::Sql { query: "select max(${column}) from ${table}".to_owned() }, Operator::MustBe(1.0)),
        Quality { unit: QualityUnit::Unknown("x".to_owned()), ..quality(Measure::NullValues, Operator::MustBe(0.0)) },
    ];
    let mut orders = object(vec![name]);
    orders.quality = vec![
        Quality { id: Some("rows".to_owned()), ..quality(Measure::RowCount, Operator::MustBeGreaterThan(0.0)) },
        Quality { unit: QualityUnit::Percent, ..quality(Measure::RowCount, Operator::MustBe(1.0)) },
        quality(Measure::Text, Operator::MustBe(0.0)),
        Quality { operator: None, ..quality(Measure::RowCount, Operator::MustBe(1.0)) },
        quality(Measure::DuplicateValues { properties: vec!["name".to_owned()] }, Operator::MustBe(0.0)),
    ];
    let rules = check_rules(
        &orders,
        &[
            "name/quality/nullValues",
            "name/quality/nullValues#2",
            "name/quality/duplicateValues",
            "name/quality/sql",
            "[name/quality/nullValues#3]",
            "rows",
            "[quality/rowCount]",
            "[quality/text]",
            "[quality/rowCount#2]",
            "quality/duplicateValues",
        ],
    );
    assert_eq!(rules[2].unit, Unit::Percent);
    assert_eq!(rules[3].check, Some(Check::Sql { query: "select max(\"name\") from ${table}".to_owned() }));
}

#[test]
fn rules_over_columns_that_are_not_there_are_refused() {
    let mut orders = object(vec![]);
    orders.quality =
        vec![quality(Measure::DuplicateValues { properties: vec!["x".to_owned()] }, Operator::MustBe(0.0))];
    assert!(matches!(rules(&orders), Err(RuleError::NoSuchColumn { .. })));
    let mut bad = column("a", LogicalType::String);
    bad.options.pattern = Some("(a)\\1".to_owned());
    assert!(matches!(rules(&object(vec![bad])), Err(RuleError::Pattern { .. })));
}

#[test]
fn the_bytes_of_rules_differ_where_the_rules_do() {
    let with = |enumeration: &[&str]| {
        let values = enumeration.iter().map(|value| Scalar::Text((*value).to_owned())).collect();
        let property = Property { enumeration: values, ..column("a", LogicalType::String) };
        rules(&object(vec![property])).unwrap()
    };
    assert_ne!(canonical(&with(&["ab", "c"])), canonical(&with(&["a", "bc"])));
    let mut titled = with(&["a"]);
    titled[0].title = "another".to_owned();
    assert_eq!(canonical(&titled), canonical(&with(&["a"])));
    let mut milder = with(&["a"]);
    milder[0].severity = Severity::Warning;
    assert_ne!(canonical(&milder), canonical(&with(&["a"])));
}

fn physical(name: &str, physical_type: PhysicalType) -> PhysicalColumn {
    PhysicalColumn { name: name.to_owned(), physical_type, nullable: true }
}

fn table(columns: Vec<PhysicalColumn>) -> PhysicalSchema {
    PhysicalSchema { columns, partitioned_by: Vec::new(), protocol: ReaderProtocol::default() }
}

/// What differs, each as its sentence, and what that makes of the snapshot.
#[track_caller]
fn check_conformance(properties: Vec<Property>, columns: Vec<PhysicalColumn>, expected: &[&str], verdict: Verdict) {
    let contract = contract(vec![object(properties)]);
    let findings = conformance(&contract, &contract.objects[0], &table(columns), false);
    let sentences: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(sentences, expected);
    assert_eq!(verdict_of(&findings), verdict);
}

const I32: PhysicalType = PhysicalType::Integer { bits: 32, signed: true };
const I64: PhysicalType = PhysicalType::Integer { bits: 64, signed: true };
const ZONED: PhysicalType = PhysicalType::Timestamp { zoned: true };

#[test]
fn a_logical_type_admits_its_family_and_format_or_physical_type_narrow_it() {
    let typed = |logical, format: Option<&str>, physical: Option<&str>| {
        let options = Options { format: format.map(str::to_owned), ..Options::default() };
        vec![Property { options, physical_type: physical.map(str::to_owned), ..column("a", logical) }]
    };
    let good = [
        (typed(LogicalType::Integer, None, None), I64),
        (typed(LogicalType::Integer, Some("i32"), None), I32),
        (typed(LogicalType::Integer, Some("u32"), None), I64),
        (typed(LogicalType::Number, None, None), I32),
        (typed(LogicalType::Number, None, None), PhysicalType::Decimal { precision: 10, scale: 2 }),
        (typed(LogicalType::Number, None, Some("DECIMAL(10, 2)")), PhysicalType::Decimal { precision: 10, scale: 2 }),
        (typed(LogicalType::Timestamp, None, None), ZONED),
        (typed(LogicalType::Date, None, Some("timestamp")), ZONED),
        (typed(LogicalType::String, None, Some("varchar[50]")), PhysicalType::String),
    ];
    for (properties, found) in good {
        check_conformance(properties, vec![physical("a", found)], &[], Verdict::Pass);
    }
    let bad = [
        (typed(LogicalType::Integer, Some("i32"), None), I64, "integer (i32)", "int64"),
        (typed(LogicalType::Integer, None, Some("INT")), I64, "INT", "int64"),
        (typed(LogicalType::Integer, None, None), PhysicalType::String, "integer", "string"),
        (
            typed(LogicalType::Number, None, Some("decimal(10,2)")),
            PhysicalType::Decimal { precision: 12, scale: 2 },
            "decimal(10,2)",
            "decimal(12,2)",
        ),
        (
            typed(LogicalType::Timestamp, None, Some("timestamp_ntz")),
            ZONED,
            "timestamp_ntz",
            "timestamp with time zone",
        ),
        (typed(LogicalType::Boolean, None, None), PhysicalType::Other("variant".to_owned()), "boolean", "variant"),
    ];
    for (properties, found, declared, actual) in bad {
        let sentence = format!("column `a` has type {actual}, but the contract declares {declared}");
        check_conformance(properties, vec![physical("a", found)], &[&sentence], Verdict::Fail);
    }
    let zoned = Options { timezone: Some(false), ..Options::default() };
    let property = Property { options: zoned, ..column("a", LogicalType::Timestamp) };
    let sentence =
        "column `a` has type timestamp with time zone, but the contract declares timestamp without time zone";
    check_conformance(vec![property], vec![physical("a", ZONED)], &[sentence], Verdict::Fail);
}

#[test]
fn a_missing_column_fails_and_an_undeclared_one_is_reported() {
    let renamed = Property { physical_name: Some("b".to_owned()), ..column("a", LogicalType::Integer) };
    check_conformance(vec![renamed.clone()], vec![physical("b", I32)], &[], Verdict::Pass);
    check_conformance(
        vec![renamed.clone()],
        vec![physical("a", I32)],
        &["declared column `b` is missing from the table", "column `a` is not declared"],
        Verdict::Fail,
    );
    check_conformance(
        vec![renamed.clone()],
        vec![physical("b", I32), physical("c", I32)],
        &["column `c` is not declared"],
        Verdict::Warn,
    );
    let mut closed = contract(vec![object(vec![renamed])]);
    let schema = table(vec![physical("b", I32), physical("c", I32)]);
    assert_eq!(verdict_of(&conformance(&closed, &closed.objects[0], &schema, true)), Verdict::Fail);
    closed.settings.closed = true;
    assert_eq!(verdict_of(&conformance(&closed, &closed.objects[0], &schema, false)), Verdict::Fail);
}

#[test]
fn conformance_looks_into_structures_lists_and_maps() {
    let address = Property {
        members: shared(vec![column("zip", LogicalType::String)]),
        ..column("address", LogicalType::Object)
    };
    let list = Property { items: Some(Box::new(address.clone())), ..column("list", LogicalType::Array) };
    let map = MapTypes { key: column("key", LogicalType::String), value: column("value", LogicalType::Integer) };
    let map = Property { map: Some(Box::new(map)), ..column("map", LogicalType::Map) };
    let structure = |zip| PhysicalType::Struct(vec![physical("zip", zip), physical("city", PhysicalType::String)]);
    check_conformance(
        vec![address, list, map],
        vec![
            physical("address", structure(PhysicalType::String)),
            physical("list", PhysicalType::List(Box::new(physical("element", structure(I32))))),
            physical(
                "map",
                PhysicalType::Map {
                    key: Box::new(physical("key", PhysicalType::String)),
                    value: Box::new(physical("value", PhysicalType::String)),
                },
            ),
        ],
        &[
            "column `address.city` is not declared",
            "column `list.items.zip` has type int32, but the contract declares string",
            "column `list.items.city` is not declared",
            "column `map.value` has type string, but the contract declares integer",
        ],
        Verdict::Fail,
    );
}

#[test]
fn a_reader_is_not_asked_for_more_than_the_contract_allows() {
    let mut contract = contract(vec![object(vec![])]);
    let mut schema = table(vec![]);
    schema.protocol = ReaderProtocol { version: 3, features: ["deletionVectors".to_owned()].into() };
    assert!(conformance(&contract, &contract.objects[0], &schema, false).is_empty());
    contract.settings.reader_ceiling = Some(ReaderProtocol { version: 1, ..ReaderProtocol::default() });
    assert_eq!(conformance(&contract, &contract.objects[0], &schema, false).len(), 2);
}

#[test]
fn physical_type_names_of_many_dialects_are_known() {
    let timestamp = |zoned| TypeName::Timestamp { zoned };
    let names = [
        ("BIGINT", TypeName::Integer { bits: 64, signed: true }),
        ("int8", TypeName::Integer { bits: 64, signed: true }),
        ("double precision", TypeName::Float { bits: 64 }),
        ("float(53)", TypeName::Float { bits: 64 }),
        ("NUMERIC", TypeName::Decimal { size: None }),
        ("decimal(5)", TypeName::Decimal { size: Some((5, 0)) }),
        ("character varying(20)", TypeName::String { length: Some(20) }),
        ("timestamp(6) with time zone", timestamp(Some(true))),
        ("timestamp without time zone", timestamp(Some(false))),
        ("array<struct<a:int>>", TypeName::List),
    ];
    for (name, expected) in names {
        assert_eq!(TypeName::parse(name), Some(expected), "{name}");
    }
    assert_eq!(TypeName::parse("Flag"), None);
}

#[test]
fn data_is_late_by_latency_then_frequency_of_its_own_table() {
    let level = |property: &str, value: u32, unit: &str, element: Option<&str>| SlaProperty {
        id: None,
        property: sla::canonical_property(property),
        value: json!(value),
        value_ext: None,
        unit: Some(unit.to_owned()),
        element: element.map(str::to_owned),
        documentary: Fields::new(),
        other: Fields::new(),
    };
    let mut contract = contract(vec![object(vec![])]);
    let freshness = |contract: &contract::Document| contract.freshness(&contract.objects[0]);
    assert_eq!(freshness(&contract), None);
    contract.sla.push(level("fy", 1, "d", None));
    assert_eq!(freshness(&contract), Some(Duration::from_secs(86_400)));
    contract.sla.push(level("LY", 90, "m", Some("other.at, orders.at")));
    contract.sla.push(level("latency", 5, "s", Some("other.at")));
    assert_eq!(freshness(&contract), Some(Duration::from_secs(90 * 60)));
    contract.settings.is_final = true;
    assert_eq!(freshness(&contract), None);
}

#[test]
fn durations_are_read_as_documents_write_them() {
    assert_eq!(sla::parse_duration("1.5 h"), Some(Duration::from_secs(5_400)));
    for wrong in ["", "h", "5", "-1h", "1 moon", "1e400h"] {
        assert_eq!(sla::parse_duration(wrong), None, "{wrong}");
    }
}

#[test]
fn a_local_path_never_leads_out_of_the_storage_root() {
    for wrong in ["", "/a", "a//b", "../a", "a/..", "a/./b", "a/", "a\\b", "a\0b"] {
        assert!(wrong.parse::<LocalPath>().is_err(), "{wrong:?}");
    }
    let path: LocalPath = "sales/{model}".parse().unwrap();
    let mut orders = object(vec![]);
    assert_eq!(path.resolve(&orders).as_deref(), Ok("sales/orders"));
    for wrong in ["..", "a/b", "../x", ""] {
        orders.physical_name = Some(wrong.to_owned());
        assert!(matches!(path.resolve(&orders), Err(BadLocalPath::Model(_))), "{wrong:?}");
    }
}

#[test]
fn the_most_sensitive_column_counts_at_any_depth() {
    let secret = Property { classification: Some(Classification::Restricted), ..column("ssn", LogicalType::String) };
    let person = Property { members: shared(vec![secret]), ..column("person", LogicalType::Object) };
    let public = Property { classification: Some(Classification::Public), ..column("city", LogicalType::String) };
    assert_eq!(object(vec![public.clone()]).classification(), Classification::Public);
    assert_eq!(contract(vec![object(vec![public, person])]).classification(), Classification::Restricted);
    assert_eq!(contract(vec![]).classification(), Classification::Internal);
}

#[test]
fn a_version_lives_from_draft_to_retired() {
    let (now, later) = (Timestamp::from_seconds(0), Timestamp::from_seconds(91 * 86_400));
    let draft = State::NEW;
    let active = draft.clone().activate(now).unwrap();
    let deprecated = active.clone().deprecate(now, None).unwrap();
    assert!(deprecated.serves(now) && !deprecated.serves(later), "90 days by default");
    assert!(active.clone().deprecate(now, Some(later)).unwrap().serves(Timestamp::from_seconds(90 * 86_400)));
    assert!(!active.clone().supersede(now).unwrap().serves(now));
    assert!(draft.deprecate(now, None).is_err());
    assert!(active.clone().deprecate(later, Some(later)).is_ok());
    assert_eq!(active.deprecate(later, Some(now)), Err(DeprecateError::SunsetPassed { sunset: now }));
    let retired = deprecated.retire(now).unwrap();
    assert_eq!(retired.activate(now).unwrap_err().to_string(), "a version that is `retired` cannot become `active`");
}
