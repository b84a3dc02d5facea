//! Table schemas: the shared vectors, the shapes that are read, and rules by field id.

use documents::table_schema::{TableSchemaError, parse};
use domain::change::message::all_compatible;
use domain::change::table::{Mode, Schema, compare};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared;

/// The names of differences, in order; those that break with a `!`.
fn names(old: &Schema, new: &Schema, mode: &str) -> Vec<String> {
    let differences = compare(old, new, mode.parse().unwrap()).unwrap();
    let name = |name: &str, compatible: bool| if compatible { name.to_owned() } else { format!("{name}!") };
    differences.iter().map(|difference| name(difference.name, difference.compatible)).collect()
}

#[test]
fn every_vector_of_tables_is_judged_as_it_says() {
    let Some(folder) = shared::folder("vectors") else { return };
    let text = std::fs::read_to_string(folder.join("table-compat.jsonl")).unwrap();
    let (mut n_rows, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let (old, new) = (parse(&vector["old"]).unwrap(), parse(&vector["new"]).unwrap());
        let mode: Mode = vector["mode"].as_str().unwrap().parse().unwrap();
        let differences = compare(&old, &new, mode).unwrap();
        n_rows += 1;
        let is_named = |rule: &str| differences.iter().any(|found| found.name == rule && !found.compatible);
        let is_right = Some(all_compatible(&differences)) == vector["backward"].as_bool()
            && vector["rule"].as_str().is_none_or(is_named);
        if !is_right {
            wrong.push(format!("{} {}: {differences:?}", vector["id"], vector["case"]));
        }
        assert_eq!(compare(&old, &old, mode), Ok(Vec::new()));
    }
    assert!(wrong.is_empty(), "{} of {n_rows} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("all {n_rows} vectors agree");
}

fn iceberg(fields: Value) -> Schema {
    parse(&json!({"type": "struct", "schema-id": 0, "fields": fields})).unwrap()
}

#[test]
fn by_field_ids_iceberg_renames_drops_and_reorders() {
    let old = iceberg(json!([
        {"id": 1, "name": "a", "required": true, "type": "int"},
        {"id": 2, "name": "b", "required": false, "type": {"type": "list", "element-id": 4, "element": "string", "element-required": false}},
        {"id": 3, "name": "c", "required": false, "type": "string"}
    ]));
    let list = |element_id: i32| json!({"type": "list", "element-id": element_id, "element": "string", "element-required": false});
    let new = iceberg(json!([
        {"id": 3, "name": "d", "required": false, "type": "string"},
        {"id": 2, "name": "b", "required": false, "type": list(4)}
    ]));
    assert_eq!(names(&old, &new, "iceberg-v2"), ["FIELD_RENAMED", "FIELD_DELETED", "FIELD_REORDERED"]);
    assert_eq!(names(&new, &old, "iceberg-v2"), ["REQUIRED_FIELD_ADDED!", "FIELD_RENAMED", "FIELD_REORDERED"]);
    // A name that is used again is another column.
    let reused = iceberg(json!([{"id": 9, "name": "a", "required": false, "type": "string"}]));
    let one = iceberg(json!([{"id": 1, "name": "a", "required": false, "type": "int"}]));
    assert_eq!(names(&one, &reused, "iceberg-v2"), ["FIELD_ADDED", "FIELD_DELETED"]);
    let other_list = iceberg(json!([{"id": 2, "name": "b", "required": false, "type": list(5)}]));
    let lists = iceberg(json!([{"id": 2, "name": "b", "required": false, "type": list(4)}]));
    assert_eq!(names(&lists, &other_list, "iceberg-v2"), ["FIELD_DELETED!"]);
    // Flink has no ids, so the names count.
    assert_eq!(names(&one, &reused, "flink-sql"), ["UNSUPPORTED_TYPE_CHANGE!"]);
}

#[test]
fn iceberg_3_has_defaults_and_unknown() {
    let field = |extra: Value| {
        let mut field = json!({"id": 1, "name": "a", "required": true, "type": "int"});
        field.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        iceberg(json!([field]))
    };
    let none = iceberg(json!([]));
    let with_default = field(json!({"initial-default": 1, "write-default": 1}));
    assert_eq!(names(&none, &with_default, "iceberg-v2"), ["REQUIRED_FIELD_ADDED!"]);
    assert_eq!(names(&none, &with_default, "iceberg-v3"), ["REQUIRED_FIELD_WITH_DEFAULT_ADDED"]);
    let written = field(json!({"initial-default": 1, "write-default": 2}));
    assert_eq!(names(&with_default, &written, "iceberg-v3"), ["WRITE_DEFAULT_CHANGED"]);
    let rewritten = field(json!({"initial-default": 2, "write-default": 1}));
    assert_eq!(names(&with_default, &rewritten, "iceberg-v3"), ["DEFAULT_CHANGED!"]);
    assert_eq!(names(&field(json!({})), &field(json!({"initial-default": null})), "iceberg-v3"), [""; 0]);
    let of = |name: &str| iceberg(json!([{"id": 1, "name": "a", "required": false, "type": name}]));
    assert_eq!(names(&of("unknown"), &of("decimal(9, 2)"), "iceberg-v3"), ["TYPE_WIDENED"]);
    assert_eq!(names(&of("unknown"), &of("int"), "iceberg-v2"), ["UNSUPPORTED_TYPE_CHANGE!"]);
    assert_eq!(names(&of("fixed[16]"), &of("fixed[8]"), "iceberg-v3"), ["UNSUPPORTED_TYPE_CHANGE!"]);
    assert_eq!(names(&of("geometry(srid:1)"), &of("geometry(srid:2)"), "iceberg-v3"), ["UNSUPPORTED_TYPE_CHANGE!"]);
}

#[test]
fn by_field_ids_iceberg_regroups_nothing() {
    let int = |id: i32, name: &str| json!({"id": id, "name": name, "required": false, "type": "int"});
    let of = |id: i32, name: &str, fields: Value| json!({"id": id, "name": name, "required": false, "type": {"type": "struct", "fields": fields}});
    let list = |element_id: i32| json!({"type": "list", "element-id": element_id, "element": "int", "element-required": false});
    let flat = iceberg(json!([int(1, "a"), int(2, "b")]));
    for (old, new, expected) in [
        (&flat, json!([int(1, "a"), of(3, "s", json!([int(2, "b")]))]), &["FIELD_REGROUPED!", "FIELD_DELETED"][..]),
        (&flat, json!([int(1, "a"), of(3, "s", json!([int(4, "b")]))]), &["FIELD_ADDED", "FIELD_DELETED"]),
        (
            &flat,
            json!([int(1, "a"), {"id": 3, "name": "l", "required": false, "type": list(2)}]),
            &["FIELD_REGROUPED!", "FIELD_DELETED"],
        ),
    ] {
        let new = iceberg(new);
        assert_eq!(names(old, &new, "iceberg-v3"), expected);
        assert_eq!(names(&new, old, "iceberg-v3"), expected);
    }
    let in_a_list = |fields: Value| {
        let list = json!({"type": "list", "element-id": 9, "element": {"type": "struct", "fields": fields}, "element-required": false});
        iceberg(json!([{"id": 8, "name": "l", "required": false, "type": list}]))
    };
    let (inner, outer) = (
        in_a_list(json!([int(1, "a"), of(2, "s", json!([int(3, "b")]))])),
        in_a_list(json!([int(1, "a"), of(2, "s", json!([])), int(3, "b")])),
    );
    assert_eq!(names(&inner, &outer, "iceberg-v2"), ["FIELD_DELETED", "FIELD_REGROUPED!"]);
}

/// A typed tree with one column.
fn tree(data_type: Value) -> Schema {
    parse(&json!({"type": "struct", "nullable": false, "fields": [{"name": "c", "type": data_type}]})).unwrap()
}

#[test]
fn what_flink_rows_lack_needs_a_default() {
    let of = |nullable: bool, default: Option<Value>| {
        let mut field = json!({"name": "c", "type": {"type": "string", "nullable": nullable}});
        default.into_iter().for_each(|default| field["default"] = default);
        parse(&json!({"type": "struct", "fields": [field]})).unwrap()
    };
    let required = of(false, Some(json!("x")));
    assert_eq!(names(&required, &of(false, None), "flink-sql"), ["NON_NULLABLE_DEFAULT_REMOVED!"]);
    assert_eq!(names(&required, &of(false, Some(json!(null))), "flink-sql"), ["NON_NULLABLE_DEFAULT_REMOVED!"]);
    assert_eq!(names(&required, &of(false, Some(json!("y"))), "flink-sql"), ["DEFAULT_CHANGED"]);
    assert_eq!(names(&required, &of(true, None), "flink-sql"), ["NON_NULLABLE_TO_NULLABLE", "DEFAULT_CHANGED"]);
    assert_eq!(names(&of(true, Some(json!("x"))), &of(true, None), "flink-sql"), ["DEFAULT_CHANGED"]);
    assert_eq!(names(&of(false, None), &required, "flink-sql"), ["DEFAULT_CHANGED"]);
    assert_eq!(names(&of(false, None), &of(false, Some(json!(null))), "flink-sql"), [""; 0]);
    assert_eq!(names(&required, &of(false, None), "iceberg-v3"), ["DEFAULT_CHANGED"]);
}

#[test]
fn a_multiset_is_a_map_to_counts_where_there_is_none() {
    let int = |nullable: bool| json!({"type": "int", "nullable": nullable});
    let multiset = |element: Value| tree(json!({"type": "multiset", "nullable": false, "element": element}));
    let (ints, longs) = (multiset(int(false)), multiset(json!({"type": "long", "nullable": false})));
    let map = tree(json!({"type": "map", "nullable": false, "key": int(false), "value": int(false)}));
    assert_eq!(names(&ints, &longs, "flink-sql"), ["TYPE_WIDENED"]);
    assert_eq!(names(&multiset(int(true)), &ints, "flink-sql"), ["NULLABLE_TO_NON_NULLABLE!"]);
    assert_eq!(names(&ints, &map, "flink-sql"), ["TYPE_MISMATCH!"]);
    for mode in ["iceberg-v2", "iceberg-v3", "delta"] {
        assert_eq!(names(&ints, &longs, mode), ["MAP_KEY_TYPE_MISMATCH!"]);
        assert_eq!(names(&ints, &map, mode), [""; 0]);
    }
}

#[test]
fn keys_are_never_null_but_in_flink() {
    let map = |nullable: bool| {
        let key = json!({"type": "int", "nullable": nullable});
        tree(json!({"type": "map", "nullable": false, "key": key, "value": {"type": "int", "nullable": false}}))
    };
    assert_eq!(names(&map(true), &map(false), "flink-sql"), ["NULLABLE_TO_NON_NULLABLE!"]);
    for mode in ["iceberg-v2", "iceberg-v3", "delta"] {
        assert_eq!(names(&map(true), &map(false), mode), [""; 0]);
    }
}

fn delta(fields: Value) -> Schema {
    parse(&json!({"type": "struct", "fields": fields})).unwrap()
}

#[test]
fn delta_widens_and_maps_columns_with_its_features_alone() {
    let of = |name: &str| delta(json!([{"name": "a", "type": name, "nullable": true, "metadata": {}}]));
    for (old, new, widens) in [
        ("byte", "short", true),
        ("integer", "long", true),
        ("integer", "double", true),
        ("long", "double", false),
        ("float", "double", true),
        ("integer", "decimal(10,0)", true),
        ("integer", "decimal(11,2)", false),
        ("long", "decimal(20,0)", true),
        ("long", "decimal(19,0)", false),
        ("decimal(10,2)", "decimal(12,4)", true),
        ("decimal(10,2)", "decimal(11,4)", false),
        ("date", "timestamp_ntz", true),
        ("date", "timestamp", false),
        ("timestamp", "timestamp_ntz", false),
        ("long", "integer", false),
        ("string", "binary", false),
    ] {
        let expected = if widens { "TYPE_WIDENED" } else { "UNSUPPORTED_TYPE_CHANGE!" };
        assert_eq!(names(&of(old), &of(new), "delta+type-widening"), [expected], "{old} to {new}");
        assert_eq!(names(&of(old), &of(new), "delta"), ["UNSUPPORTED_TYPE_CHANGE!"], "{old} to {new}");
    }
    let field = |id: i32, name: &str| json!({"name": name, "type": "long", "nullable": true, "metadata": {"delta.columnMapping.id": id}});
    let (old, new) = (delta(json!([field(1, "a"), field(2, "b")])), delta(json!([field(2, "c")])));
    assert_eq!(names(&old, &new, "delta+column-mapping"), ["FIELD_RENAMED", "FIELD_DELETED"]);
    assert_eq!(names(&old, &new, "delta"), ["FIELD_ADDED", "FIELD_DELETED!", "FIELD_DELETED!"]);
    let swapped = delta(json!([field(2, "b"), field(1, "a")]));
    assert_eq!(names(&old, &swapped, "delta"), ["FIELD_REORDERED"]);
    let map = |key: &str, has_nulls: bool| {
        let map = json!({"type": "map", "keyType": key, "valueType": "long", "valueContainsNull": has_nulls});
        delta(json!([{"name": "m", "type": map, "nullable": false}]))
    };
    assert_eq!(
        names(&map("integer", false), &map("long", true), "delta+type-widening"),
        ["TYPE_WIDENED", "NON_NULLABLE_TO_NULLABLE"]
    );
    assert_eq!(names(&map("integer", true), &map("long", true), "delta"), ["MAP_KEY_TYPE_MISMATCH!"]);
    assert_eq!(names(&map("integer", true), &map("integer", false), "delta"), ["NULLABLE_TO_NON_NULLABLE!"]);
}

#[test]
fn texts_of_delta_may_be_bound_to_more() {
    let of = |bound: &str| {
        let metadata = json!({"__CHAR_VARCHAR_TYPE_STRING": bound});
        delta(json!([{"name": "a", "type": "string", "nullable": true, "metadata": metadata}]))
    };
    let free = delta(json!([{"name": "a", "type": "string", "nullable": true, "metadata": {}}]));
    for (old, new) in
        [(of("varchar(5)"), of("varchar(6)")), (of("char(5)"), of("varchar(5)")), (of("varchar(5)"), free.clone())]
    {
        assert_eq!(names(&old, &new, "delta"), ["TYPE_WIDENED"]);
        assert_eq!(names(&new, &old, "delta"), ["UNSUPPORTED_TYPE_CHANGE!"]);
    }
    // One is padded to its length.
    assert_eq!(names(&of("char(5)"), &of("char(6)"), "delta"), ["UNSUPPORTED_TYPE_CHANGE!"]);
    let void = delta(json!([{"name": "a", "type": "void", "nullable": true, "metadata": {}}]));
    assert_eq!(names(&void, &free, "delta"), ["TYPE_WIDENED"]);
    assert_eq!(names(&free, &void, "delta"), ["UNSUPPORTED_TYPE_CHANGE!"]);
}

#[test]
fn delta_has_the_features_that_its_protocol_names() {
    let table = |name: &str, data_type: &str, protocol: Value| {
        let metadata = json!({"delta.columnMapping.id": 1});
        let field = json!({"name": name, "type": data_type, "nullable": true, "metadata": metadata});
        parse(&json!({"type": "struct", "fields": [field], "protocol": protocol})).unwrap()
    };
    let plain = json!({"minReaderVersion": 1});
    let widening = json!({"minReaderVersion": 3, "readerFeatures": ["typeWidening"]});
    let old = table("a", "integer", plain.clone());
    assert_eq!(names(&old, &table("a", "long", plain), "delta"), ["UNSUPPORTED_TYPE_CHANGE!"]);
    assert_eq!(names(&old, &table("a", "long", widening), "delta"), ["READER_PROTOCOL_RAISED", "TYPE_WIDENED"]);
    let mapped = |name: &str| table(name, "integer", json!({"minReaderVersion": 2}));
    assert_eq!(names(&mapped("a"), &mapped("b"), "delta"), ["FIELD_RENAMED"]);
}

#[test]
fn data_that_asks_more_of_its_readers_breaks_them() {
    let schema = |protocol: Value| parse(&json!({"type": "struct", "fields": [], "protocol": protocol})).unwrap();
    let plain = schema(json!({"minReaderVersion": 1}));
    let mapped = schema(json!({"minReaderVersion": 2}));
    let featured = schema(json!({"minReaderVersion": 3, "readerFeatures": ["columnMapping", "deletionVectors"]}));
    for (less, more) in [(&plain, &mapped), (&plain, &featured), (&mapped, &featured)] {
        assert_eq!(names(less, more, "delta"), ["READER_PROTOCOL_RAISED"]);
        assert_eq!(names(more, less, "delta"), ["READER_PROTOCOL_EXCEEDED!"]);
    }
    let vectors = schema(json!({"minReaderVersion": 3, "readerFeatures": ["deletionVectors"]}));
    assert_eq!(names(&mapped, &vectors, "delta"), ["READER_PROTOCOL_EXCEEDED!", "READER_PROTOCOL_RAISED"]);
    let metadata = |version: i32| {
        let schema = json!({"schema-id": 7, "type": "struct", "fields": [{"id": 1, "name": "a", "required": true, "type": "uuid"}]});
        parse(&json!({"format-version": version, "current-schema-id": 7, "schemas": [{"schema-id": 0}, schema]}))
            .unwrap()
    };
    assert_eq!(names(&metadata(2), &metadata(3), "iceberg-v3"), ["READER_PROTOCOL_RAISED"]);
    assert_eq!(names(&metadata(3), &metadata(2), "iceberg-v3"), ["READER_PROTOCOL_EXCEEDED!"]);
}

#[test]
fn what_is_wrong_with_a_schema_has_a_place() {
    let wrong = |schema: Value| parse(&schema).map(|_| ()).map_err(|error: TableSchemaError| error.to_string());
    let field = |name: &str| json!({"id": 1, "name": name, "required": true, "type": "int"});
    for (schema, message) in [
        (json!([]), "/: an object is expected"),
        (json!({"type": "list"}), "/: a table's schema must be a `struct`"),
        (json!({"type": "struct", "fields": [field("a"), {"name": "b", "type": "int"}]}), "/fields/1: `id` is missing"),
        (
            json!({"type": "struct", "fields": [field("a"), field("a")]}),
            "/fields/1: the name `a` is already used by another field",
        ),
        (
            json!({"type": "struct", "fields": [field("a"), field("b")]}),
            "/fields/1: the id is already used by another field",
        ),
        (json!({"format-version": 2}), "/: the metadata has no current schema"),
        (
            json!({"type": "struct", "fields": [{"name": "a", "type": {"type": "decimal", "precision": -1}}]}),
            "/fields/0/type: a whole number in its range is expected",
        ),
    ] {
        assert_eq!(wrong(schema), Err(message.to_owned()));
    }
    let mut deep = json!({"type": "int", "nullable": true});
    for _ in 0..100 {
        deep = json!({"type": "list", "nullable": true, "element": deep});
    }
    let refusal = wrong(json!({"type": "struct", "fields": [{"name": "a", "type": deep}]})).unwrap_err();
    assert!(refusal.ends_with("types are nested more than 64 deep"), "{refusal}");
}

/// Any schema, small enough that two of them often share columns.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["int", "long", "float", "double", "string", "date", "variant"])
            .prop_map(|it| json!({"type": it})),
        (1..20_u32, 0..5_i32)
            .prop_map(|(precision, scale)| json!({"type": "decimal", "precision": precision, "scale": scale})),
        (0..4_u32).prop_map(|length| json!({"type": "varchar", "length": length})),
    ];
    let slot = leaf.prop_recursive(3, 12, 3, |inner| {
        let members = prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]), inner.clone(), 0..3);
        let structure = members.prop_map(|members| {
            let fields: Vec<_> = members.into_iter().map(|(name, slot)| json!({"name": name, "type": slot})).collect();
            json!({"type": "struct", "fields": fields})
        });
        let list = inner.clone().prop_map(|element| json!({"type": "list", "element": element}));
        let map = (inner.clone(), inner).prop_map(|(key, value)| json!({"type": "map", "key": key, "value": value}));
        (prop_oneof![structure, list, map], any::<bool>()).prop_map(|(mut slot, nullable)| {
            slot["nullable"] = json!(nullable);
            slot
        })
    });
    prop::collection::vec((prop::sample::select(vec!["a", "b", "c", "d"]), slot, any::<bool>()), 0..4).prop_map(
        |fields| {
            let mut seen = std::collections::BTreeSet::new();
            let fields: Vec<_> = fields
                .into_iter()
                .filter(|(name, ..)| seen.insert(*name))
                .map(|(name, mut slot, nullable)| {
                    slot["nullable"] = json!(nullable);
                    json!({"name": name, "type": slot})
                })
                .collect();
            json!({"type": "struct", "nullable": false, "fields": fields})
        },
    )
}

/// What to do, and at which type of the schema.
type Edit = (u8, u8);

fn any_edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec((0..6_u8, 0..6_u8), 0..4)
}

/// Edits the type that `at` counts down to: most edits are compatible in most modes.
fn edit(slot: &mut Value, what: u8, at: &mut usize) {
    if *at == 0 {
        *at = usize::MAX;
        match (what, slot["type"].as_str().unwrap_or_default()) {
            (0, "struct") => {
                let fields = slot["fields"].as_array_mut().unwrap();
                let name = format!("n{}", fields.len());
                fields.push(json!({"name": name, "type": {"type": "int", "nullable": true}}));
            }
            (1, "struct") => slot["fields"].as_array_mut().unwrap().reverse(),
            (2, _) => slot["nullable"] = json!(true),
            (3, _) => slot["nullable"] = json!(false),
            (_, "int") => slot["type"] = json!("long"),
            (_, "float") => slot["type"] = json!("double"),
            (_, "decimal") => slot["precision"] = json!(slot["precision"].as_u64().unwrap() + 1),
            _ => {}
        }
        return;
    }
    *at -= 1;
    for inside in ["element", "key", "value"] {
        if let Some(inside) = slot.get_mut(inside) {
            edit(inside, what, at);
        }
    }
    for field in slot.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
        edit(&mut field["type"], what, at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// What a reader of the third accepts of the second, and one of the second of the first, one of the third accepts
    /// of the first. Flink is left out: a column may go there and come back as another one, which is why histories are
    /// compared as a whole.
    #[test]
    fn compatible_changes_compose(schema in any_schema(), edits in prop::array::uniform2(any_edits()), mode in 0..3_usize) {
        let mode: Mode = ["iceberg-v2", "iceberg-v3", "delta+type-widening"][mode].parse().unwrap();
        let [first, second, third] = {
            let [second, third] = edits;
            let edited = |schema: &Value, edits: Vec<Edit>| {
                edits.into_iter().fold(schema.clone(), |mut schema, (what, at)| {
                    edit(&mut schema, what, &mut (at as usize));
                    schema
                })
            };
            let second = edited(&schema, second);
            let third = edited(&second, third);
            [schema, second, third].map(|schema| parse(&schema).unwrap())
        };
        let accepts = |old: &Schema, new: &Schema| all_compatible(&compare(old, new, mode).unwrap());
        prop_assume!(accepts(&first, &second) && accepts(&second, &third));
        prop_assert!(accepts(&first, &third));
    }

    #[test]
    fn a_schema_differs_from_others_alone(schema in any_schema(), other in any_schema(), mode in 0..4_usize) {
        let mode: Mode = ["iceberg-v2", "iceberg-v3", "flink-sql", "delta"][mode].parse().unwrap();
        let (schema, other) = (parse(&schema).unwrap(), parse(&other).unwrap());
        prop_assert_eq!(compare(&schema, &schema, mode).unwrap(), vec![]);
        compare(&schema, &other, mode).unwrap();
    }
}
