//! The change engine, rule by rule. The shared vectors are compared in `documents`, which can read them.

use std::sync::Arc;

use domain::change::{Finding, Refusal, Rule, compare, judge, required_bump};
use domain::contract::{
    self, Classification, GateMode, LocalServer, LogicalType, MapTypes, Measure, Options, Pinning, Property, Role,
    SchemaObject, Server, ServerKind,
};
use domain::quality::{Operator, Scalar};
use domain::table::Format;
use domain::version::{Bump, Version};
use proptest::prelude::*;
use serde_json::json;

use crate::contract::{column, contract, object, quality, shared};

/// The findings between two versions, each as path and rule.
#[track_caller]
fn check(old: &contract::Document, new: &contract::Document, expected: &[(&str, Rule)]) {
    let findings = compare(old, new);
    let found: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.rule)).collect();
    assert_eq!(found, expected, "{findings:#?}");
}

#[track_caller]
fn check_columns(old: Vec<Property>, new: Vec<Property>, expected: &[(&str, Rule)]) {
    check(&contract(vec![object(old)]), &contract(vec![object(new)]), expected);
}

#[track_caller]
fn check_column(old: Property, new: Property, rule: Rule) {
    check_columns(vec![old], vec![new], &[("orders.a", rule)]);
}

fn a() -> Property {
    column("a", LogicalType::String)
}

fn typed(logical: LogicalType, physical: &str) -> Property {
    Property { physical_type: Some(physical.to_owned()), ..column("a", logical) }
}

#[test]
fn columns_are_added_and_removed() {
    let required = Property { required: true, ..column("b", LogicalType::String) };
    let optional = column("b", LogicalType::String);
    check_columns(vec![a()], vec![a(), optional.clone()], &[("orders.b", Rule::ColumnAddedOptional)]);
    check_columns(vec![a()], vec![a(), required.clone()], &[("orders.b", Rule::ColumnAddedRequired)]);
    check_columns(vec![a(), optional.clone()], vec![a()], &[("orders.b", Rule::ColumnRemovedOptional)]);
    check_columns(vec![a(), required], vec![a()], &[("orders.b", Rule::ColumnRemovedRequired)]);
    check_columns(vec![a(), optional.clone()], vec![optional, a()], &[("orders", Rule::Reordered)]);
}

#[test]
fn a_rename_is_known_by_its_stable_id_alone() {
    let named =
        |id: Option<&str>, name: &str| Property { id: id.map(str::to_owned), ..column(name, LogicalType::String) };
    check_columns(vec![named(Some("1"), "a")], vec![named(Some("1"), "b")], &[("orders.b", Rule::ColumnRenamed)]);
    check_columns(
        vec![named(None, "a")],
        vec![named(None, "b")],
        &[("orders.b", Rule::ColumnAddedOptional), ("orders.a", Rule::ColumnRemovedOptional)],
    );
    check_columns(
        vec![named(Some("1"), "a"), named(Some("2"), "b")],
        vec![named(Some("2"), "a"), named(Some("1"), "b")],
        &[("orders.a", Rule::ColumnRenamed), ("orders.b", Rule::ColumnRenamed), ("orders", Rule::Reordered)],
    );
    let stored = Property { physical_name: Some("x".to_owned()), ..a() };
    check_column(a(), stored, Rule::PhysicalNameChanged);
}

#[test]
fn types_are_compared_by_what_formats_allow() {
    use LogicalType::{Boolean, Date, Integer, Number, Object, String, Timestamp};
    for (old, new, rule) in [
        (typed(Integer, "int"), typed(Integer, "BIGINT"), Rule::TypeWidened),
        (typed(Number, "float"), typed(Number, "double"), Rule::TypeWidened),
        (typed(Number, "decimal(10,2)"), typed(Number, "decimal(12,2)"), Rule::TypeWidened),
        (typed(Number, "decimal(10,2)"), typed(Number, "decimal(12,4)"), Rule::TypeChanged),
        (typed(Number, "decimal(12,2)"), typed(Number, "decimal(10,2)"), Rule::TypeChanged),
        (typed(Integer, "long"), typed(Integer, "int"), Rule::TypeChanged),
        (typed(Integer, "int"), typed(Number, "double"), Rule::TypeConverted),
        (typed(String, "string"), typed(String, "binary"), Rule::TypeConverted),
        (typed(String, "string"), typed(Integer, "int"), Rule::TypeChanged),
        (typed(Timestamp, "timestamp_ntz"), typed(Timestamp, "timestamptz"), Rule::TypeChanged),
        (typed(String, "string"), typed(Object, "struct"), Rule::ShapeChanged),
        (typed(Integer, "int"), typed(Integer, "INTEGER"), Rule::TypeRespelled),
        (typed(String, "Flag"), typed(String, "Name"), Rule::Undetermined),
        (column("a", Integer), typed(Integer, "int"), Rule::Undetermined),
        (column("a", Date), column("a", Timestamp), Rule::TypeChanged),
        (column("a", Boolean), column("a", String), Rule::TypeChanged),
    ] {
        check_column(old, new, rule);
    }
    let format = |format: &str| Property {
        options: Options { format: Some(format.to_owned()), ..Options::default() },
        ..column("a", Integer)
    };
    check_column(format("i32"), format("i64"), Rule::TypeWidened);
    check_column(format("i64"), format("i32"), Rule::TypeChanged);
}

#[test]
fn nested_columns_are_judged_like_columns() {
    let structure = |members| Property { members: shared(members), ..column("s", LogicalType::Object) };
    check_columns(
        vec![structure(vec![a()])],
        vec![structure(vec![Property { required: true, ..a() }, column("b", LogicalType::Date)])],
        &[("orders.s.a", Rule::RequiredAdded), ("orders.s.b", Rule::ColumnAddedOptional)],
    );
    let list = |item: Property| Property { items: Some(Box::new(item)), ..column("l", LogicalType::Array) };
    check_columns(
        vec![list(typed(LogicalType::Integer, "int"))],
        vec![list(typed(LogicalType::Integer, "long"))],
        &[("orders.l[]", Rule::TypeWidened)],
    );
    let map = |key: &str, value: Property| {
        let types = MapTypes { key: typed(LogicalType::Integer, key), value };
        Property { map: Some(Box::new(types)), ..column("m", LogicalType::Map) }
    };
    check_columns(
        vec![map("int", a())],
        vec![map("long", Property { required: true, ..a() })],
        &[("orders.m{key}", Rule::MapKeyChanged), ("orders.m{value}", Rule::RequiredAdded)],
    );
}

#[test]
fn documentation_is_a_patch_and_the_unknown_is_major() {
    let described = |text: &str| {
        let mut property = a();
        property.documentary.insert("description".to_owned(), json!(text));
        property
    };
    check_column(described("one"), described("two"), Rule::Documentation);
    assert_eq!(Rule::Documentation.judgement().bump, Bump::Patch);
    let mut custom = a();
    custom.other.insert("customProperties".to_owned(), json!({"unit": "EUR"}));
    check_column(a(), custom.clone(), Rule::MeaningChanged);
    custom.other.insert("customProperties".to_owned(), json!({"team": "x"}));
    check_column(a(), custom, Rule::Documentation);
    // One that is said twice is told apart by a number.
    let mut twice = a();
    twice.other.insert("customProperties".to_owned(), json!({"unit#1": "EUR"}));
    check_column(a(), twice, Rule::MeaningChanged);
    // A setting that could not be read stays a custom property.
    let mut setting = a();
    setting.other.insert("customProperties".to_owned(), json!({"gateMode": "open"}));
    check_column(a(), setting, Rule::Undetermined);
    assert_eq!(Rule::Undetermined.judgement().bump, Bump::Major);
}

#[test]
fn objects_are_added_and_removed() {
    let items = SchemaObject { name: "items".to_owned(), ..object(vec![]) };
    let (one, two) = (contract(vec![object(vec![])]), contract(vec![object(vec![]), items]));
    check(&one, &two, &[("items", Rule::ObjectAdded)]);
    check(&two, &one, &[("items", Rule::ObjectRemoved)]);
}

#[test]
fn moving_a_local_server_is_a_minor_and_any_other_breaks() {
    let with = |kind: ServerKind| {
        let mut contract = contract(vec![]);
        contract.servers.push(Server {
            id: None,
            name: "lake".to_owned(),
            environment: "prod".to_owned(),
            kind,
            documentary: Default::default(),
            other: Default::default(),
        });
        contract
    };
    let local = |path: &str, format| with(ServerKind::Local(LocalServer { path: path.parse().unwrap(), format }));
    let (here, there) = (local("a", Format::Delta), local("b", Format::Delta));
    check(&here, &there, &[("servers.lake", Rule::ServerMoved)]);
    assert_eq!(Rule::ServerMoved.judgement().bump, Bump::Minor);
    check(&here, &local("a", Format::Parquet), &[("servers.lake", Rule::ServerChanged)]);
    check(&here, &with(ServerKind::Other("s3".to_owned())), &[("servers.lake", Rule::ServerChanged)]);
    check(&contract(vec![]), &here, &[("servers.lake", Rule::ServerAdded)]);
    check(&here, &contract(vec![]), &[("servers.lake", Rule::ServerRemoved)]);
}

#[test]
fn a_setting_that_promises_less_is_major() {
    let strict = contract(vec![]);
    let mut lax = contract(vec![]);
    lax.settings.gate_mode = GateMode::Warn;
    lax.settings.is_final = true;
    check(&strict, &lax, &[("settings.gateMode", Rule::SettingLoosened), ("settings.final", Rule::SettingLoosened)]);
    check(&lax, &strict, &[("settings.gateMode", Rule::SettingTightened), ("settings.final", Rule::SettingTightened)]);
}

#[test]
fn being_pinned_keeps_doors_out_and_digests_promise_more() {
    let with = |pinned| {
        let mut contract = contract(vec![]);
        contract.settings.pinned = pinned;
        contract
    };
    for (old, new, rule) in [
        (Pinning::Any, Pinning::Files, Rule::SettingLoosened),
        (Pinning::Any, Pinning::Digest, Rule::SettingLoosened),
        (Pinning::Files, Pinning::Any, Rule::SettingTightened),
        (Pinning::Files, Pinning::Digest, Rule::SettingTightened),
        (Pinning::Digest, Pinning::Files, Rule::SettingLoosened),
        (Pinning::Digest, Pinning::Any, Rule::SettingLoosened),
    ] {
        check(&with(old), &with(new), &[("settings.pinned", rule)]);
    }
}

#[test]
fn quality_rules_are_compared_by_the_numbers_they_admit() {
    let with = |operator| {
        let mut contract = contract(vec![object(vec![])]);
        contract.objects[0].quality = vec![quality(Measure::RowCount, operator)];
        contract
    };
    for (old, new, rule) in [
        (Operator::MustBeGreaterThan(100.0), Operator::MustBeGreaterOrEqualTo(101.0), Rule::QualityRespelled),
        (Operator::MustBeGreaterThan(100.0), Operator::MustBeBetween(200.0, 300.0), Rule::QualityTightened),
        (Operator::MustBe(5.0), Operator::MustBeLessThan(9.0), Rule::QualityLoosened),
        (Operator::MustNotBe(0.0), Operator::MustBeGreaterThan(0.0), Rule::QualityRespelled),
        (Operator::MustNotBe(5.0), Operator::MustBeGreaterThan(0.0), Rule::QualityChanged),
        (Operator::MustNotBeBetween(2.0, 4.0), Operator::MustBeLessThan(2.0), Rule::QualityTightened),
    ] {
        check(&with(old), &with(new), &[("orders#rowCount", rule)]);
    }
}

#[test]
fn a_new_version_says_with_its_number_what_changed() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    let of = |text: &str, columns: Vec<Property>| contract::Document {
        version: version(text),
        ..contract(vec![object(columns)])
    };
    let old = of("1.0.0", vec![a()]);
    let more = |text| of(text, vec![a(), column("b", LogicalType::Date)]);
    let all = [version("1.0.0")];

    assert_eq!(judge(&more("1.1.0"), &all, &[&old]), Ok(()));
    let refused = judge(&more("1.0.1"), &all, &[&old]).unwrap_err();
    assert!(
        matches!(&refused, Refusal::Bump { needed: Bump::Minor, least, findings, .. }
            if *least == version("1.1.0") && findings.len() == 1),
        "{refused}"
    );
    let refused = judge(&of("1.1.0", vec![]), &all, &[&old]).unwrap_err();
    let message = "version 1.1.0 changes 1.0.0 in a way that needs a major bump: publish it as 2.0.0 or later";
    assert_eq!(refused.to_string(), message);
    assert_eq!(judge(&of("2.0.0", vec![]), &all, &[&old]), Ok(()));
    assert!(matches!(judge(&old, &all, &[&old]), Err(Refusal::NotGreater { .. })));
    // A deprecated version of the major is still promised.
    let newer = of("1.1.0", vec![]);
    assert!(judge(&of("1.1.1", vec![]), &[version("1.0.0"), version("1.1.0")], &[&newer]).is_ok());
    assert!(judge(&of("1.1.1", vec![]), &[version("1.0.0"), version("1.1.0")], &[&old, &newer]).is_err());
}

/// Anything a property can be, so that the engine meets combinations nobody wrote a test for.
fn any_property() -> impl Strategy<Value = Property> {
    let logical = prop::sample::select(vec![
        None,
        Some(LogicalType::String),
        Some(LogicalType::Integer),
        Some(LogicalType::Object),
        Some(LogicalType::Array),
        Some(LogicalType::Map),
    ]);
    let physical =
        prop::option::of(prop::sample::select(vec!["int", "long", "string", "decimal(5,2)", "Flag", "struct"]));
    let id = prop::option::of(prop::sample::select(vec!["1", "2"]));
    let bound = prop::option::of(prop_oneof![
        any::<i8>().prop_map(|number| Scalar::Integer(number.into())),
        Just(Scalar::Number(f64::MAX)),
        Just(Scalar::Text("2020-01-01".to_owned())),
    ]);
    let classification =
        prop::option::of(prop::sample::select(vec![Classification::Public, Classification::Restricted]));
    let flags = any::<[bool; 3]>();
    let leaf = (prop::sample::select(vec!["a", "b", "c"]), logical, physical, id, bound, classification, flags)
        .prop_map(|(name, logical_type, physical, id, minimum, classification, [required, unique, primary_key])| {
            Property {
                name: name.to_owned(),
                id: id.map(str::to_owned),
                logical_type,
                physical_type: physical.map(str::to_owned),
                required,
                unique,
                primary_key,
                classification,
                options: Options { minimum, ..Options::default() },
                ..Property::default()
            }
        });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (inner.clone(), prop::collection::vec(inner.clone(), 0..3), prop::option::of(inner.clone()), any::<bool>())
            .prop_map(|(property, members, item, mapped)| Property {
                map: (mapped && item.is_some())
                    .then(|| Box::new(MapTypes { key: property.clone(), value: item.clone().unwrap_or_default() })),
                items: item.map(Box::new),
                members: shared(distinct(members)),
                ..property
            })
    })
}

/// Those with a name and an id of their own, as `documents` lets none else through.
fn distinct(properties: Vec<Property>) -> Vec<Property> {
    let mut seen = std::collections::BTreeSet::new();
    let mut is_new = |property: &Property| {
        let id = property.id.as_ref().map(|id| format!("#{id}"));
        seen.insert(property.name.clone()) && id.is_none_or(|id| seen.insert(id))
    };
    properties.into_iter().filter(|property| is_new(property)).collect()
}

fn any_contract() -> impl Strategy<Value = contract::Document> {
    let role = prop::option::of(Just(Role {
        id: None,
        role: "analyst".to_owned(),
        access: None,
        documentary: Default::default(),
        other: Default::default(),
    }));
    (prop::collection::vec(any_property(), 0..4), role).prop_map(|(properties, role)| contract::Document {
        roles: role.into_iter().collect(),
        ..contract(vec![object(distinct(properties))])
    })
}

/// The rule that the inverse of a change is found under, where the table is symmetric: the directions are swapped.
///
/// Not symmetric are, by rows: 1 to 5 (adding what may be null breaks nobody, removing it breaks its readers), 6 (a
/// rename breaks consumers both ways), 8 to 10 (widening keeps history, narrowing breaks both sides), 19 for open
/// enumerations, 30, 33 and 34, 37 to 39, 42 and 43 (a promise that grows breaks nobody), 36 (a logical type may be
/// said later, and not be taken back), 40 and the gate's settings.
fn mirror(rule: Rule) -> Option<Rule> {
    Some(match rule {
        Rule::RequiredAdded => Rule::RequiredRemoved,
        Rule::RequiredRemoved => Rule::RequiredAdded,
        Rule::EnumTightened => Rule::EnumLoosened,
        Rule::EnumLoosened => Rule::EnumTightened,
        Rule::ConstraintTightened => Rule::ConstraintLoosened,
        Rule::ConstraintLoosened => Rule::ConstraintTightened,
        Rule::UniqueAdded => Rule::UniqueRemoved,
        Rule::UniqueRemoved => Rule::UniqueAdded,
        Rule::PrimaryKeyAdded => Rule::PrimaryKeyRemoved,
        Rule::PrimaryKeyRemoved => Rule::PrimaryKeyAdded,
        Rule::ForeignKeyAdded => Rule::ForeignKeyRemoved,
        Rule::ForeignKeyRemoved => Rule::ForeignKeyAdded,
        Rule::QualityTightened => Rule::QualityLoosened,
        Rule::QualityLoosened => Rule::QualityTightened,
        Rule::PhysicalNameChanged
        | Rule::PhysicalNameHidden
        | Rule::Reordered
        | Rule::ReorderedByPosition
        | Rule::MapKeyChanged
        | Rule::ShapeChanged
        | Rule::ConstraintChanged
        | Rule::PrimaryKeyChanged
        | Rule::PrimaryKeyReordered
        | Rule::PartitionChanged
        | Rule::PartitionPromised
        | Rule::PartitionPaths
        | Rule::QualityChanged
        | Rule::QualityRespelled
        | Rule::SlaRespelled
        | Rule::MeaningChanged
        | Rule::Documentation
        | Rule::EncryptionChanged
        | Rule::VectorChanged
        | Rule::Undetermined => rule,
        _ => return None,
    })
}

#[test]
fn where_the_table_is_symmetric_the_inverse_swaps_the_directions() {
    for &rule in Rule::ALL {
        let Some(inverse) = mirror(rule) else { continue };
        assert_eq!(mirror(inverse), Some(rule));
        let (there, back) = (rule.judgement(), inverse.judgement());
        assert_eq!((there.history_safe, there.consumer_safe), (back.consumer_safe, back.history_safe), "{rule}");
    }
}

/// An edit of one column, by whom it leaves safe.
#[derive(Clone, Copy, Debug)]
enum Edit {
    AddOptional,
    Describe,
    Reorder,
    Deprecate,
    Loosen(u8),
    Tighten(u8),
}

/// Edits of columns that are all of one direction.
fn any_edits(direction: fn(u8) -> Edit) -> impl Strategy<Value = Vec<(Edit, usize)>> {
    let edit = prop_oneof![
        Just(Edit::AddOptional),
        Just(Edit::Describe),
        Just(Edit::Reorder),
        Just(Edit::Deprecate),
        (0..5_u8).prop_map(direction),
        (0..5_u8).prop_map(direction),
    ];
    prop::collection::vec((edit, 0..8_usize), 1..8)
}

fn edited(contract: &contract::Document, edit: Edit, at: usize, nth: usize) -> contract::Document {
    let mut contract = contract.clone();
    let columns = &mut contract.objects[0].properties;
    let at = at % columns.len();
    let column = Arc::make_mut(&mut columns[at]);
    match edit {
        Edit::AddOptional => {
            let new = crate::contract::column(&format!("n{nth}"), LogicalType::Integer);
            columns.push(Arc::new(Property { physical_type: Some("int".to_owned()), ..new }));
        }
        Edit::Describe => drop(column.documentary.insert("description".to_owned(), json!(nth))),
        Edit::Reorder => columns.rotate_left(at),
        Edit::Deprecate => column.deprecated = true,
        Edit::Loosen(0) => column.required = false,
        Edit::Loosen(1) => column.unique = false,
        Edit::Loosen(2) => column.options.max_length = column.options.max_length.map(|most| most + 1),
        Edit::Loosen(3) => column.physical_type = Some("long".to_owned()),
        Edit::Loosen(_) if column.enumeration.is_empty() => {}
        Edit::Loosen(_) => column.enumeration.push(Scalar::Integer(100 + i64::try_from(nth).unwrap())),
        Edit::Tighten(0) => column.required = true,
        Edit::Tighten(1) => column.unique = true,
        Edit::Tighten(2) => column.options.max_length = Some(column.options.max_length.unwrap_or(100) - 1),
        Edit::Tighten(3) => column.options.min_length = Some(column.options.min_length.unwrap_or(0) + 1),
        Edit::Tighten(_) => column.enumeration.truncate(column.enumeration.len().saturating_sub(1).max(1)),
    }
    contract
}

/// Applies edits one after another, each of which must be safe, and asks whether all together are.
fn check_composition(edits: Vec<(Edit, usize)>, is_safe: fn(&Finding) -> bool) {
    let column = |name: &str| Property {
        physical_type: Some("int".to_owned()),
        enumeration: (0..4).map(Scalar::Integer).collect(),
        options: Options { max_length: Some(50), ..Options::default() },
        ..crate::contract::column(name, LogicalType::Integer)
    };
    let first = contract(vec![object(vec![column("a"), column("b"), column("c")])]);
    let mut last = first.clone();
    for (nth, (edit, at)) in edits.into_iter().enumerate() {
        let next = edited(&last, edit, at, nth);
        let findings = compare(&last, &next);
        assert!(findings.iter().all(is_safe), "{edit:?}: {findings:#?}");
        last = next;
    }
    let findings = compare(&first, &last);
    assert!(findings.iter().all(is_safe), "{findings:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_contract_has_no_findings_with_itself(contract in any_contract()) {
        prop_assert_eq!(compare(&contract, &contract), vec![]);
    }

    #[test]
    fn contracts_that_differ_have_findings(old in any_contract(), new in any_contract()) {
        prop_assert_eq!(compare(&old, &new).is_empty(), old == new);
    }

    #[test]
    fn the_inverse_change_is_found_under_the_inverse_rules(old in any_contract(), new in any_contract()) {
        let found = |old: &contract::Document, new: &contract::Document, rule: fn(Rule) -> Option<Rule>| {
            let mut found: Vec<_> = compare(old, new).iter().filter_map(|finding| rule(finding.rule)).collect();
            found.sort_unstable();
            found
        };
        let there = found(&old, &new, |rule| mirror(rule).map(|_| rule));
        prop_assert_eq!(there, found(&new, &old, mirror));
    }

    #[test]
    fn changes_that_keep_history_readable_compose(edits in any_edits(Edit::Loosen)) {
        check_composition(edits, Finding::history_safe);
    }

    #[test]
    fn changes_that_keep_consumers_reading_compose(edits in any_edits(Edit::Tighten)) {
        check_composition(edits, Finding::consumer_safe);
    }

    #[test]
    fn the_bump_is_that_of_the_gravest_finding(old in any_contract(), new in any_contract()) {
        let findings = compare(&old, &new);
        let breaks = findings.iter().any(|finding| !finding.consumer_safe());
        prop_assert!(!breaks || required_bump(&findings) == Bump::Major);
    }
}

#[test]
fn versions_that_share_columns_are_judged_as_if_they_did_not() {
    let old = contract(vec![object(vec![a(), column("b", LogicalType::Date), column("c", LogicalType::Date)])]);
    let mut new = contract(vec![object(vec![
        column("c", LogicalType::Date),
        Property { required: true, ..a() },
        column("b", LogicalType::Date),
        column("d", LogicalType::Date),
    ])]);
    let (said, findings) = (new.clone(), compare(&old, &new));
    new.share_columns(&old);
    let of = |contract: &contract::Document, at: usize| Arc::clone(&contract.objects[0].properties[at]);
    assert!(Arc::ptr_eq(&of(&new, 0), &of(&old, 2)) && Arc::ptr_eq(&of(&new, 2), &of(&old, 1)));
    assert!(!Arc::ptr_eq(&of(&new, 1), &of(&old, 0)), "what differs is not shared");
    assert_eq!((&new, compare(&old, &new)), (&said, findings));
    let mut elsewhere = contract::Document {
        objects: vec![SchemaObject { name: "others".to_owned(), ..object(vec![a()]) }],
        ..old.clone()
    };
    elsewhere.share_columns(&old);
    assert!(!Arc::ptr_eq(&of(&elsewhere, 0), &of(&old, 0)), "another object's columns are its own");
}
