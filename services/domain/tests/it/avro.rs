//! Comparing Avro schemas that are built by hand; `documents` tests those that are written as text.

use domain::change::avro::{
    Dangling, Enum, Field, Fixed, LogicalType, Naming, Order, Primitive, Record, Schema, Shape, Type, TypeId, compare,
};
use domain::change::message::{Difference, TooComplex, all_compatible};
use proptest::prelude::*;
use serde_json::json;

/// The types of a schema; the first is the one that data begins with.
#[derive(Default)]
struct Types(Vec<Type>);

impl Types {
    fn add(&mut self, shape: Shape) -> TypeId {
        self.0.push(Type { shape, logical: None });
        TypeId(self.0.len() - 1)
    }

    fn primitive(&mut self, primitive: Primitive) -> TypeId {
        self.add(Shape::Primitive(primitive))
    }

    fn record(&mut self, name: &str, fields: &[(&str, TypeId)]) -> TypeId {
        let fields = fields.iter().map(|(name, type_id)| field(name, *type_id)).collect();
        self.add(Shape::Record(Record { naming: naming(name), fields }))
    }

    fn schema(self) -> Schema {
        Schema::new(self.0, TypeId(0)).unwrap()
    }
}

fn naming(name: &str) -> Naming {
    Naming { full: name.to_owned(), aliases: Vec::new() }
}

fn field(name: &str, type_id: TypeId) -> Field {
    Field { name: name.to_owned(), aliases: Vec::new(), type_id, default: None, order: Order::Ascending }
}

fn single(shape: Shape) -> Schema {
    Schema::new(vec![Type { shape, logical: None }], TypeId(0)).unwrap()
}

fn names(differences: &[Difference]) -> Vec<&str> {
    differences.iter().map(|found| found.name).collect()
}

#[test]
fn a_schema_has_all_types_that_it_names() {
    let items = |part| vec![Type { shape: Shape::Array(TypeId(part)), logical: None }];
    assert!(Schema::new(items(0), TypeId(0)).is_ok());
    assert_eq!(Schema::new(items(1), TypeId(0)), Err(Dangling(TypeId(1))));
    assert_eq!(Schema::new(items(0), TypeId(7)), Err(Dangling(TypeId(7))));
    assert_eq!(Schema::new(Vec::new(), TypeId(0)), Err(Dangling(TypeId(0))));
}

#[test]
fn primitives_are_promoted_as_the_specification_lists() {
    use Primitive::{Bytes, Double, Float, Int, Long, String};
    let promoted = [
        (Int, Long),
        (Int, Float),
        (Int, Double),
        (Long, Float),
        (Long, Double),
        (Float, Double),
        (String, Bytes),
        (Bytes, String),
    ];
    for old in Primitive::ALL {
        for new in Primitive::ALL {
            let found = compare(&single(Shape::Primitive(*old)), &single(Shape::Primitive(*new))).unwrap();
            let expected: &[&str] = match (*old, *new) {
                pair if pair.0 == pair.1 => &[],
                pair if promoted.contains(&pair) => &["TYPE_PROMOTED"],
                _ => &["TYPE_MISMATCH"],
            };
            assert_eq!(names(&found), expected, "{old} to {new}");
            assert_eq!(all_compatible(&found), expected != ["TYPE_MISMATCH"], "{old} to {new}");
        }
    }
}

#[test]
fn an_enum_needs_all_symbols_or_a_default_of_its_own() {
    let symbols = |symbols: &[&str], default: Option<&str>| {
        let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        single(Shape::Enum(Enum { naming: naming("E"), symbols, default: default.map(str::to_owned) }))
    };
    let check = |old: &Schema, new: &Schema, expected: &[&str]| {
        assert_eq!(names(&compare(old, new).unwrap()), expected);
    };
    let old = symbols(&["A", "B"], None);
    check(&old, &symbols(&["B", "A"], None), &[]);
    check(&old, &symbols(&["A", "B", "C"], None), &["ENUM_SYMBOLS_ADDED"]);
    check(&old, &symbols(&["A"], None), &["MISSING_ENUM_SYMBOLS"]);
    check(&old, &symbols(&["A"], Some("A")), &["ENUM_SYMBOLS_REMOVED", "ENUM_DEFAULT_CHANGED"]);
    // A default that is no symbol is none.
    check(&old, &symbols(&["A"], Some("C")), &["MISSING_ENUM_SYMBOLS", "ENUM_DEFAULT_CHANGED"]);
    check(&symbols(&["A", "B"], Some("A")), &symbols(&["A"], None), &["MISSING_ENUM_SYMBOLS", "ENUM_DEFAULT_CHANGED"]);
}

#[test]
fn a_changed_logical_type_is_reported_and_breaks_no_reader() {
    let decimal = |decimal| {
        let logical = Some(LogicalType { name: "decimal".to_owned(), decimal });
        Schema::new(vec![Type { shape: Shape::Primitive(Primitive::Bytes), logical }], TypeId(0)).unwrap()
    };
    let found = compare(&decimal(Some((9, 2))), &decimal(Some((9, 4)))).unwrap();
    assert_eq!(names(&found), ["LOGICAL_TYPE_CHANGED"]);
    assert!(found[0].compatible && found[0].message.contains("`decimal(9, 2)`"), "{found:?}");
}

#[test]
fn a_difference_in_a_field_names_the_field() {
    let record = |with: Field| {
        let mut types = Types::default();
        types.record("R", &[]);
        let int = types.primitive(Primitive::Int);
        types.0[0].shape = Shape::Record(Record { naming: naming("R"), fields: vec![Field { type_id: int, ..with }] });
        types.schema()
    };
    let old = record(field("a", TypeId(0)));
    let check = |new: Field, name: &str, path: &str, word: &str| {
        let found = compare(&old, &record(new)).unwrap();
        assert_eq!((found[0].name, found[0].path.as_str()), (name, path));
        assert!(found[0].message.contains(word), "{found:?}");
    };
    let b = || field("b", TypeId(0));
    check(b(), "READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "`b`");
    check(Field { default: Some(json!(1)), ..b() }, "FIELD_ADDED", "/fields/0", "`b`");
    check(Field { aliases: vec!["a".to_owned()], ..b() }, "FIELD_NAME_CHANGED", "/fields/0", "`a`");
    let a = field("a", TypeId(0));
    check(
        Field { default: Some(json!(1)), ..a.clone() },
        "FIELD_DEFAULT_CHANGED",
        "/fields/0/default",
        "from none to `1`",
    );
    check(Field { order: Order::Ignore, ..a }, "FIELD_ORDER_CHANGED", "/fields/0/order", "`ignore`");
}

/// A list whose items are a record that holds the list again: readable as long as nothing in the circle is not.
#[test]
fn a_circle_is_readable_unless_something_in_it_is_not() {
    let list = |value: Primitive| {
        let mut types = Types::default();
        types.record("List", &[("value", TypeId(1)), ("next", TypeId(2))]);
        types.primitive(value);
        types.add(Shape::Union(vec![TypeId(3), TypeId(0)]));
        types.primitive(Primitive::Null);
        types.schema()
    };
    assert_eq!(compare(&list(Primitive::Int), &list(Primitive::Int)), Ok(Vec::new()));
    assert_eq!(names(&compare(&list(Primitive::Int), &list(Primitive::Long)).unwrap()), ["TYPE_PROMOTED"]);
    assert!(!all_compatible(&compare(&list(Primitive::Long), &list(Primitive::Int)).unwrap()));
}

/// `In` needs `Out`, which breaks only after `In` was looked at within it; a branch of a union hides that `Out` broke,
/// and the last field meets `In` on its own. What was concluded of `In` while `Out` was open must not stay.
#[test]
fn what_a_circle_was_taken_for_does_not_outlive_it() {
    let schema = |value: Primitive| {
        let mut types = Types::default();
        types.record("Top", &[("either", TypeId(1)), ("alone", TypeId(4))]);
        types.add(Shape::Union(vec![TypeId(2), TypeId(3)]));
        types.record("a.Out", &[("inner", TypeId(4)), ("value", TypeId(5))]);
        types.record("b.Out", &[]);
        types.record("In", &[("outer", TypeId(2))]);
        types.primitive(value);
        types.schema()
    };
    let found = compare(&schema(Primitive::Long), &schema(Primitive::Int)).unwrap();
    let told: Vec<_> = found.iter().filter(|found| !found.compatible).map(|found| found.path.as_str()).collect();
    assert_eq!(told, ["/fields/1/type/fields/0/type/fields/1/type"], "{found:#?}");
}

/// A chain of records, each in the one before.
fn chain(n_records: usize, last: Primitive) -> Schema {
    let mut types = Types::default();
    for level in 0..n_records {
        types.record(&format!("R{level}"), &[("next", TypeId(level + 1))]);
    }
    types.primitive(last);
    types.schema()
}

/// Records in a circle of so many.
fn circle(n_records: usize) -> Schema {
    let mut types = Types::default();
    for level in 0..n_records {
        types.record("R", &[("next", TypeId((level + 1) % n_records))]);
    }
    types.schema()
}

#[test]
fn no_depth_is_too_much_for_the_stack() {
    // Within the steps a chain is answered; one whose paths alone would be long is not.
    assert_eq!(compare(&chain(500, Primitive::Int), &chain(500, Primitive::Int)), Ok(Vec::new()));
    let found = compare(&chain(500, Primitive::Long), &chain(500, Primitive::Int)).unwrap();
    assert_eq!(names(&found), ["TYPE_MISMATCH"]);
    assert_eq!(compare(&chain(100_000, Primitive::Int), &chain(100_000, Primitive::Int)), Err(TooComplex));
    // Circles of lengths without a common divisor meet in all pairs.
    assert_eq!(compare(&circle(19), &circle(20)), Ok(Vec::new()));
    assert_eq!(compare(&circle(997), &circle(1_000)), Err(TooComplex));
}

#[test]
fn a_union_may_hold_unions_that_no_text_can_write() {
    let nested = |depth: usize| {
        let mut types = Types::default();
        for level in 0..depth {
            types.add(Shape::Union(vec![TypeId(level + 1), TypeId(level + 1)]));
        }
        types.primitive(Primitive::Int);
        types.schema()
    };
    assert!(compare(&nested(40), &nested(40)).is_ok_and(|found| all_compatible(&found)));
}

proptest! {
    /// Any graph of types, valid or not, is answered, and a schema of it reads itself.
    #[test]
    fn any_graph_of_types_is_answered(shapes in prop::collection::vec(shape(12), 12), other in prop::collection::vec(shape(12), 12)) {
        let schema = |shapes: Vec<Shape>| {
            let types = shapes.into_iter().map(|shape| Type { shape, logical: None }).collect();
            Schema::new(types, TypeId(0)).unwrap()
        };
        let (old, new) = (schema(shapes), schema(other));
        prop_assert!(all_compatible(&compare(&old, &old).unwrap()));
        for found in compare(&old, &new).unwrap() {
            prop_assert!(found.path.starts_with('/') && !found.message.is_empty());
        }
    }
}

fn shape(n_types: usize) -> impl Strategy<Value = Shape> {
    let part = move || (0..n_types).prop_map(TypeId);
    let name = || prop::sample::select(vec!["A", "B", "n.A"]).prop_map(naming);
    // Distinct names, and unions without equal branches: what the reader of texts makes sure of.
    let fields = prop::collection::vec(part(), 0..3).prop_map(|parts| {
        ["a", "b", "c"].iter().zip(parts).map(|(name, type_id)| field(name, type_id)).collect::<Vec<_>>()
    });
    prop_oneof![
        prop::sample::select(Primitive::ALL.to_vec()).prop_map(Shape::Primitive),
        part().prop_map(Shape::Array),
        part().prop_map(Shape::Map),
        prop::collection::vec(part(), 0..4).prop_map(Shape::Union),
        (name(), 0..3_u64).prop_map(|(naming, size_bytes)| Shape::Fixed(Fixed { naming, size_bytes })),
        (name(), fields).prop_map(|(naming, fields)| Shape::Record(Record { naming, fields })),
    ]
}
