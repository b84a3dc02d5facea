//! Where the normative table depends on how data is read, on policies and on levels; and what stands around a schema:
//! servers, service levels, roles, settings.

use domain::change::level::Level;
use domain::change::proof::Claim;
use domain::change::{
    Finding, Options, Proofs, Refusal, Rule, compare, compare_with, judge, judge_with, required_bump,
};
use domain::contract::{self, LocalServer, LogicalType, Property, Role, SchemaObject, Server, ServerKind, SlaProperty};
use domain::quality::{Check, Scalar};
use domain::table::{ColumnPath, Format, ReaderProtocol};
use domain::version::{Bump, Version};
use serde_json::{Value, json};

use crate::contract::{column, contract, object, shared};

fn server(kind: &str, fields: Value) -> Server {
    Server {
        id: None,
        name: "main".to_owned(),
        environment: "prod".to_owned(),
        kind: ServerKind::Other(kind.to_owned()),
        documentary: Default::default(),
        other: fields.as_object().unwrap().clone(),
    }
}

fn local(path: &str, format: Format) -> Server {
    let kind = ServerKind::Local(LocalServer { path: path.parse().unwrap(), format });
    Server { kind, ..server("", json!({})) }
}

fn avro() -> Server {
    server("kafka", json!({"host": "h", "format": "avro"}))
}

fn iceberg(version: u64) -> Server {
    server("iceberg", json!({"catalog": "c", "customProperties": {"formatVersion": version}}))
}

fn typed(physical: &str) -> Property {
    Property { physical_type: Some(physical.to_owned()), ..a() }
}

fn a() -> Property {
    Property { name: "a".to_owned(), ..Property::default() }
}

fn custom(property: Property, name: &str, value: Value) -> Property {
    let mut property = property;
    property.other.insert("customProperties".to_owned(), json!({ name: value }));
    property
}

fn served(server: &Server, columns: Vec<Property>) -> contract::Document {
    contract::Document { servers: vec![server.clone()], ..contract(vec![object(columns)]) }
}

/// The rules of the findings, and the directions and the bump of all.
#[track_caller]
fn check(
    old: &contract::Document,
    new: &contract::Document,
    rules: &[Rule],
    (history, consumer, bump): (bool, bool, Bump),
) {
    let findings = compare(old, new);
    let found: Vec<_> = findings.iter().map(|finding| finding.rule).collect();
    assert_eq!(found, rules, "{findings:#?}");
    let judged = (findings.iter().all(Finding::history_safe), findings.iter().all(Finding::consumer_safe));
    assert_eq!((judged, required_bump(&findings)), ((history, consumer), bump), "{findings:#?}");
}

const MINOR: (bool, bool, Bump) = (true, true, Bump::Minor);
const PATCH: (bool, bool, Bump) = (true, true, Bump::Patch);
const CONSUMERS: (bool, bool, Bump) = (true, false, Bump::Major);
const BOTH: (bool, bool, Bump) = (false, false, Bump::Major);

#[test]
fn row_3_a_default_counts_where_the_format_fills_it_in() {
    let required = Property { required: true, name: "b".to_owned(), ..a() };
    let with_default = custom(required.clone(), "default", json!("x"));
    for server in [avro(), iceberg(3), server("kafka", json!({"format": "json"}))] {
        let old = served(&server, vec![a()]);
        check(&old, &served(&server, vec![a(), with_default.clone()]), &[Rule::ColumnAddedDefaulted], MINOR);
        let null = custom(required.clone(), "default", Value::Null);
        check(&old, &served(&server, vec![a(), null]), &[Rule::ColumnAddedRequired], (false, true, Bump::Major));
    }
    for server in [iceberg(2), local("x", Format::Delta), server("s3", json!({"format": "parquet"}))] {
        let (old, new) = (served(&server, vec![a()]), served(&server, vec![a(), with_default.clone()]));
        check(&old, &new, &[Rule::ColumnAddedRequired], (false, true, Bump::Major));
    }
}

#[test]
fn row_7_a_name_that_the_binding_hides_is_a_patch() {
    let named = |server: &Server, name: &str| {
        let mut contract = served(server, vec![a()]);
        contract.objects[0].physical_name = Some(name.to_owned());
        contract
    };
    let lake = local("lake", Format::Delta);
    check(&named(&lake, "x"), &named(&lake, "y"), &[Rule::PhysicalNameHidden], PATCH);
    check(&named(&iceberg(2), "x"), &named(&iceberg(2), "y"), &[Rule::PhysicalNameChanged], BOTH);
}

#[test]
fn rows_8_and_9_follow_the_lattice_of_the_format() {
    let mut lake = served(&local("lake", Format::Delta), vec![]);
    let widening = ReaderProtocol { version: 3, features: ["typeWidening".to_owned()].into() };
    lake.settings.reader_ceiling = Some(widening);
    let with = |contract: &contract::Document, physical: &str| contract::Document {
        objects: vec![object(vec![typed(physical)])],
        ..contract.clone()
    };
    for (old, new) in [("int", "decimal(10,0)"), ("decimal(10,2)", "decimal(12,3)"), ("date", "timestamp_ntz")] {
        check(&with(&lake, old), &with(&lake, new), &[Rule::TypeWidened], CONSUMERS);
        let plain = served(&local("lake", Format::Delta), vec![]);
        check(&with(&plain, old), &with(&plain, new), &[Rule::TypeChanged], BOTH);
    }
    check(&with(&lake, "int"), &with(&lake, "double"), &[Rule::TypePromoted], CONSUMERS);
    check(&with(&lake, "long"), &with(&lake, "double"), &[Rule::TypeConverted], BOTH);
    let topic = served(&avro(), vec![]);
    for (old, new) in [("int", "float"), ("long", "double"), ("string", "bytes"), ("bytes", "string")] {
        check(&with(&topic, old), &with(&topic, new), &[Rule::TypePromoted], CONSUMERS);
    }
    // Avro's promotions are lossy, so the relaxation is not for them.
    let options = Options { allow_widening: true, ..Options::default() };
    let findings = compare_with(&with(&topic, "int"), &with(&topic, "float"), &options);
    assert_eq!(required_bump(&findings), Bump::Major);
}

#[test]
fn row_13_order_counts_for_those_who_read_by_position() {
    let b = column("b", LogicalType::Date);
    let files = server("s3", json!({"location": "s3://b", "format": "csv"}));
    let swapped = |server: &Server| (served(server, vec![a(), b.clone()]), served(server, vec![b.clone(), a()]));
    let (old, new) = swapped(&files);
    check(&old, &new, &[Rule::ReorderedByPosition], BOTH);
    let (mut old, mut new) = swapped(&iceberg(2));
    check(&old, &new, &[Rule::Reordered], PATCH);
    (old.settings.ordered, new.settings.ordered) = (true, true);
    check(&old, &new, &[Rule::ReorderedByPosition], BOTH);
    let appended = served(&files, vec![a(), b.clone()]);
    check(&served(&files, vec![a()]), &appended, &[Rule::ColumnAddedOptional], MINOR);
    let inserted = served(&files, vec![b, a()]);
    check(&served(&files, vec![a()]), &inserted, &[Rule::ColumnAddedOptional, Rule::ReorderedByPosition], BOTH);
}

#[test]
fn row_19_an_open_enumeration_may_grow() {
    let listed = |values: &[&str]| Property {
        enumeration: values.iter().map(|value| Scalar::Text((*value).to_owned())).collect(),
        ..a()
    };
    let open = |values: &[&str]| custom(listed(values), "openEnum", json!(true));
    let of = |column: Property| served(&iceberg(2), vec![column]);
    check(&of(open(&["x"])), &of(open(&["x", "y"])), &[Rule::EnumExtended], MINOR);
    check(&of(open(&["x"])), &of(custom(a(), "openEnum", json!(true))), &[Rule::EnumExtended], MINOR);
    check(&of(open(&["x"])), &of(open(&["y"])), &[Rule::EnumExtended, Rule::EnumTightened], (false, true, Bump::Major));
    // The new version alone cannot say that its old readers expect more.
    check(&of(listed(&["x"])), &of(open(&["x", "y"])), &[Rule::EnumLoosened, Rule::EnumLoosened], CONSUMERS);
    let (mut old, mut new) = (of(listed(&["x"])), of(listed(&["x", "y"])));
    (old.settings.enums_open, new.settings.enums_open) = (true, true);
    check(&old, &new, &[Rule::EnumExtended], MINOR);
    let closed = |values: &[&str]| custom(listed(values), "openEnum", json!(false));
    (old.objects, new.objects) = (of(closed(&["x"])).objects, of(closed(&["x", "y"])).objects);
    check(&old, &new, &[Rule::EnumLoosened], CONSUMERS);
    let defaulted = |values: &[&str]| custom(listed(values), "enumDefault", json!("x"));
    check(
        &served(&avro(), vec![defaulted(&["x"])]),
        &served(&avro(), vec![defaulted(&["x", "y"])]),
        &[Rule::EnumExtended],
        MINOR,
    );
    check(&of(defaulted(&["x"])), &of(defaulted(&["x", "y"])), &[Rule::EnumLoosened], CONSUMERS);
}

#[test]
fn row_27_the_layout_counts_for_those_who_read_paths() {
    let partitioned = || Property { partitioned: true, ..a() };
    for server in [server("s3", json!({"format": "parquet"})), local("x", Format::Parquet)] {
        check(&served(&server, vec![a()]), &served(&server, vec![partitioned()]), &[Rule::PartitionPaths], BOTH);
    }
    let delta = server("s3", json!({"format": "delta"}));
    let (mut old, mut new) = (served(&delta, vec![a()]), served(&delta, vec![partitioned()]));
    check(&old, &new, &[Rule::PartitionChanged], PATCH);
    (old.settings.partitioning_promised, new.settings.partitioning_promised) = (true, true);
    check(&old, &new, &[Rule::PartitionPromised], MINOR);
    (old.settings.path_readers, new.settings.path_readers) = (true, true);
    check(&old, &new, &[Rule::PartitionPaths], BOTH);
    let clustered = custom(a(), "clusteredBy", json!(["a"]));
    check(&served(&delta, vec![a()]), &served(&delta, vec![clustered]), &[Rule::PartitionChanged], PATCH);
}

#[test]
fn row_30_service_levels_are_compared_after_their_units() {
    let with = |property: &str, value: Value, unit: Option<&str>| {
        let sla = SlaProperty {
            id: None,
            property: property.to_owned(),
            value,
            value_ext: None,
            unit: unit.map(str::to_owned),
            element: None,
            documentary: Default::default(),
            other: Default::default(),
        };
        contract::Document { sla: vec![sla], ..contract(vec![]) }
    };
    let (h, y) = (Some("h"), Some("y"));
    for (property, better, worse) in [
        ("latency", with("latency", json!(4), h), with("latency", json!(300), Some("min"))),
        ("frequency", with("frequency", json!(1), Some("d")), with("frequency", json!(2), Some("d"))),
        ("retention", with("retention", json!(2), Some("y")), with("retention", json!(365), Some("d"))),
        ("availability", with("availability", json!("99.9 %"), None), with("availability", json!(99), Some("percent"))),
        (
            "endOfSupport",
            with("endOfSupport", json!("2030-01-01"), None),
            with("endOfSupport", json!("2029-01-01"), None),
        ),
    ] {
        let removed = contract(vec![]);
        check(&worse, &better, &[Rule::SlaImproved], MINOR);
        check(&better, &worse, &[Rule::SlaWorsened], CONSUMERS);
        check(&removed, &better, &[Rule::SlaImproved], MINOR);
        check(&better, &removed, &[Rule::SlaWorsened], CONSUMERS);
        assert!(compare(&better, &better).is_empty(), "{property}");
    }
    check(&with("latency", json!(4), h), &with("latency", json!(240), Some("min")), &[Rule::SlaRespelled], PATCH);
    check(&with("retention", json!(12), Some("months")), &with("retention", json!(1), y), &[Rule::SlaRespelled], PATCH);
    check(
        &with("retention", json!(1), y),
        &with("retention", json!(6), Some("months")),
        &[Rule::SlaWorsened],
        CONSUMERS,
    );
    // What cannot be compared may be worse.
    for (old, new) in [
        (with("latency", json!(4), h), with("latency", json!("soon"), h)),
        (with("retention", json!(1), y), with("retention", json!(6), Some("moons"))),
        (with("retention", json!(6), Some("moons")), with("retention", json!(1), y)),
        (with("throughput", json!(9), Some("kb")), with("throughput", json!(9), Some("mb"))),
        (with("endOfSupport", json!("2030-01-01"), None), with("endOfSupport", json!(2031), None)),
    ] {
        check(&old, &new, &[Rule::SlaChanged], CONSUMERS);
    }
}

#[test]
fn rows_33_and_34_follow_an_order_of_ones_own() {
    let with = |word: Option<&str>| {
        let mut column = a();
        column.documentary.extend(word.map(|word| ("classification".to_owned(), json!(word))));
        contract(vec![object(vec![column])])
    };
    let options = Options { classification_order: ["c1", "c2", "c3"].map(str::to_owned).into(), ..Options::default() };
    for (old, new, rule) in [
        (Some("c1"), Some("C3"), Rule::ClassificationRaised),
        (Some("c3"), Some("c2"), Rule::ClassificationLowered),
        (None, Some("c2"), Rule::ClassificationRaised),
        (None, Some("c1"), Rule::Documentation),
        // It may be more.
        (Some("c1"), Some("secret"), Rule::ClassificationRaised),
        (Some("secret"), Some("c1"), Rule::ClassificationRaised),
    ] {
        let findings = compare_with(&with(old), &with(new), &options);
        assert_eq!(findings[0].rule, rule, "{findings:#?}");
    }
}

#[test]
fn rows_37_to_39_and_42_things_around_a_table() {
    let one = contract(vec![object(vec![a()])]);
    let mut deprecated = one.clone();
    deprecated.objects[0].other.insert("deprecated".to_owned(), json!(true));
    check(&one, &deprecated, &[Rule::Deprecated], MINOR);
    check(&deprecated, &one, &[Rule::DeprecationWithdrawn], PATCH);
    let more = contract(vec![object(vec![a()]), SchemaObject { name: "items".to_owned(), ..object(vec![]) }]);
    check(&one, &more, &[Rule::ObjectAdded], MINOR);
    check(&more, &one, &[Rule::ObjectRemoved], CONSUMERS);

    let (two, three) = (served(&iceberg(2), vec![]), served(&iceberg(3), vec![]));
    check(&two, &three, &[Rule::ReaderCeilingRaised], CONSUMERS);
    check(&three, &two, &[Rule::ReaderCeilingLowered], MINOR);
    let options = Options { readers_keep_up: true, ..Options::default() };
    assert_eq!(required_bump(&compare_with(&two, &three, &options)), Bump::Minor);
    let ceiling = |version| {
        let mut contract = one.clone();
        contract.settings.reader_ceiling = Some(ReaderProtocol { version, ..ReaderProtocol::default() });
        contract
    };
    check(&ceiling(1), &ceiling(2), &[Rule::ReaderCeilingRaised], CONSUMERS);
    check(&ceiling(1), &one, &[Rule::ReaderCeilingRaised], CONSUMERS);
    check(&one, &ceiling(1), &[Rule::ReaderCeilingLowered], MINOR);

    let elsewhere = served(&server("iceberg", json!({"catalog": "d"})), vec![]);
    check(&served(&server("iceberg", json!({"catalog": "c"})), vec![]), &elsewhere, &[Rule::ServerChanged], CONSUMERS);
}

#[test]
fn row_40_a_readers_default_is_part_of_what_it_reads() {
    let with = |server: &Server, value: i32| served(server, vec![custom(a(), "default", json!(value))]);
    check(&with(&avro(), 1), &with(&avro(), 2), &[Rule::ReaderDefaultChanged], MINOR);
    check(&with(&iceberg(3), 1), &with(&iceberg(3), 2), &[Rule::DefaultChanged], PATCH);
}

#[test]
fn row_43_roles_allow_more_or_less() {
    let with = |access: Option<&str>| {
        let role = Role {
            id: None,
            role: "analyst".to_owned(),
            access: access.map(str::to_owned),
            documentary: Default::default(),
            other: Default::default(),
        };
        contract::Document { roles: vec![role], ..contract(vec![]) }
    };
    let none = contract(vec![]);
    check(&none, &with(Some("read")), &[Rule::RoleAdded], MINOR);
    check(&with(Some("read")), &none, &[Rule::RoleChanged], CONSUMERS);
    check(&with(Some("read")), &with(Some("read, write")), &[Rule::RoleAdded], MINOR);
    check(&with(Some("read and write")), &with(Some("read")), &[Rule::RoleChanged], CONSUMERS);
    check(&with(Some("read")), &with(Some("write")), &[Rule::RoleChanged], CONSUMERS);
    check(&with(Some("Read")), &with(Some("read")), &[Rule::Documentation], PATCH);
    check(&with(None), &with(Some("read")), &[Rule::RoleChanged], CONSUMERS);
}

#[test]
fn a_proof_names_the_columns_of_the_table_and_what_to_measure() {
    let stored = |required| Property { required, physical_name: Some("A1".to_owned()), ..a() };
    let s = |required| Property { members: shared(vec![stored(required)]), ..column("s", LogicalType::Object) };
    let findings = compare(&contract(vec![object(vec![s(false)])]), &contract(vec![object(vec![s(true)])]));
    let proof = findings[0].proof.clone().unwrap();
    let at = ColumnPath(vec!["s".to_owned(), "A1".to_owned()]);
    assert_eq!(proof.claim, Claim::NoNulls { column: at.clone() });
    assert_eq!(proof.checks(), Some(vec![Check::NullValues { column: at }]));
    assert_eq!(proof.to_string(), "no `s.A1` of `orders` is null");

    let list = |item: Property| Property { items: Some(Box::new(item)), ..column("l", LogicalType::Array) };
    let old = contract(vec![object(vec![list(stored(false))])]);
    let findings = compare(&old, &contract(vec![object(vec![list(stored(true))])]));
    assert_eq!(findings[0].proof.as_ref().unwrap().checks(), None, "the worker has no path into lists");

    let key = Property { primary_key: true, ..a() };
    let findings = compare(&contract(vec![object(vec![a()])]), &contract(vec![object(vec![key])]));
    assert_eq!(findings[0].proof.as_ref().unwrap().checks().unwrap().len(), 2, "no nulls and no duplicates");
}

fn version(text: &str, columns: Vec<Property>) -> contract::Document {
    contract::Document { version: text.parse().unwrap(), ..contract(vec![object(columns)]) }
}

#[test]
fn the_level_of_the_newest_version_says_how_much_history_counts() {
    let b = column("b", LogicalType::Date);
    let (first, second) = (version("1.0.0", vec![a(), b.clone()]), version("1.1.0", vec![a()]));
    let third = version("1.1.1", vec![a()]);
    let all: Vec<Version> = vec![first.version, second.version];
    assert!(
        matches!(judge(&third, &all, &[&first, &second]), Err(Refusal::Bump { since, .. }) if since == first.version)
    );
    for level in [Level::Full, Level::Backward, Level::Forward, Level::None] {
        let mut second = second.clone();
        second.settings.compatibility = level;
        let mut third = third.clone();
        third.settings.compatibility = level;
        assert_eq!(judge(&third, &all, &[&first, &second]), Ok(()), "{level} looks at the newest alone");
    }
}

#[test]
fn a_level_judges_schema_and_keys_after_proofs_and_no_promise() {
    let old = version("1.0.0", vec![a()]);
    let new = version("1.1.0", vec![Property { required: true, ..a() }]);
    assert!(judge(&new, &[old.version], &[&old]).is_err());
    let proven = Options { proofs: Proofs::All, ..Options::default() };
    assert_eq!(judge_with(&new, &[old.version], &[&old], &proven), Ok(()));

    let breaks = |level: Level, old: &contract::Document, new: &contract::Document| {
        level.breaches(&compare(old, new)).count() > 0
    };
    for (level, added, removed) in [
        (Level::None, false, false),
        (Level::Backward, true, false),
        (Level::ForwardTransitive, false, true),
        (Level::Full, true, true),
    ] {
        assert_eq!(breaks(level, &old, &new), added, "{level}: required was added");
        assert_eq!(breaks(level, &new, &old), removed, "{level}: required was removed");
    }
    // A service level that was taken back needs a major and breaks no level.
    let mut lax = old.clone();
    lax.roles = vec![];
    lax.settings.is_final = true;
    assert_eq!(required_bump(&compare(&old, &lax)), Bump::Major);
    assert!(!breaks(Level::FullTransitive, &old, &lax));
}

#[test]
fn a_version_may_allow_widening_to_those_after_it() {
    let of = |allow, physical: &str| {
        let mut contract = contract(vec![object(vec![typed(physical)])]);
        contract.settings.allow_widening = allow;
        contract
    };
    check(&of(true, "int"), &of(true, "long"), &[Rule::TypeWidened], (true, false, Bump::Minor));
    // A version cannot allow it to itself.
    check(&of(false, "int"), &of(true, "long"), &[Rule::TypeWidened, Rule::SettingLoosened], CONSUMERS);
}
