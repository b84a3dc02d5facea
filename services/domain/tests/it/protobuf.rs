//! The differences of Protobuf schemas, on models made by hand.

use domain::change::message::{Difference, TooComplex, all_compatible};
use domain::change::protobuf::{Change, Enum, Field, File, Label, Message, Scalar, Schema, Type, compare};

fn field(number: i32, field_type: Type) -> Field {
    Field { number, name: format!("f{number}"), label: Label::Implicit, field_type, oneof: None }
}

fn scalar(number: i32, scalar: Scalar) -> Field {
    field(number, Type::Scalar(scalar))
}

fn member(oneof: &str, number: i32) -> Field {
    Field { oneof: Some(oneof.to_owned()), ..scalar(number, Scalar::Int32) }
}

fn message(name: &str, fields: Vec<Field>) -> Message {
    let mut oneofs: Vec<String> = fields.iter().filter_map(|field| field.oneof.clone()).collect();
    oneofs.dedup();
    Message { name: name.to_owned(), fields, oneofs, ..Message::default() }
}

fn file(messages: Vec<Message>) -> File {
    File { package: "p".to_owned(), messages, enums: Vec::new() }
}

fn schema(messages: Vec<Message>) -> Schema {
    Schema { file: file(messages), imports: Vec::new() }
}

fn one(fields: Vec<Field>) -> Schema {
    schema(vec![message("M", fields)])
}

fn told(differences: &[Difference]) -> Vec<String> {
    let mut told: Vec<String> = differences.iter().map(|found| format!("{} {}", found.name, found.path)).collect();
    told.sort();
    told
}

#[track_caller]
fn check(old: &Schema, new: &Schema, expected: &[&str], is_compatible: bool) {
    let differences = compare(old, new).unwrap();
    assert_eq!(told(&differences), expected);
    assert_eq!(all_compatible(&differences), is_compatible);
    assert!(differences.iter().all(|found| !found.message.is_empty()));
}

#[test]
fn scalars_are_read_as_others_of_their_wire_group_alone() {
    let groups: [&[Scalar]; 7] = [
        &[Scalar::Int32, Scalar::Int64, Scalar::Uint32, Scalar::Uint64, Scalar::Bool],
        &[Scalar::Sint32, Scalar::Sint64],
        &[Scalar::String, Scalar::Bytes],
        &[Scalar::Fixed32, Scalar::Sfixed32],
        &[Scalar::Fixed64, Scalar::Sfixed64],
        &[Scalar::Float],
        &[Scalar::Double],
    ];
    assert_eq!(groups.iter().map(|group| group.len()).sum::<usize>(), Scalar::ALL.len());
    for old in Scalar::ALL {
        for new in Scalar::ALL {
            let is_one_group = groups.iter().any(|group| group.contains(old) && group.contains(new));
            let expected: &[&str] = if is_one_group { &[] } else { &["FIELD_SCALAR_KIND_CHANGED #/M/1"] };
            check(&one(vec![scalar(1, *old)]), &one(vec![scalar(1, *new)]), expected, is_one_group);
        }
        let is_varint = groups[0].contains(old);
        let expected: &[&str] = if is_varint { &[] } else { &["FIELD_SCALAR_KIND_CHANGED #/M/1"] };
        check(&one(vec![scalar(1, *old)]), &one(vec![field(1, Type::Enum("p.E".into()))]), expected, is_varint);
    }
}

#[test]
fn labels_count_where_both_sides_say_one() {
    let labelled = |label, of| one(vec![Field { label, ..scalar(1, of) }]);
    for (old, new) in
        [(Label::Optional, Label::Repeated), (Label::Repeated, Label::Optional), (Label::Required, Label::Optional)]
    {
        let number = |label| labelled(label, Scalar::Int32);
        check(&number(old), &number(new), &["FIELD_NUMERIC_LABEL_CHANGED #/M/1"], false);
        let text = |label| labelled(label, Scalar::String);
        check(&text(old), &text(new), &["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/M/1"], true);
        check(&number(Label::Implicit), &number(new), &[], true);
    }
}

#[test]
fn kinds_do_not_mix() {
    let map = |value| Type::Map(Box::new(Type::Scalar(Scalar::String)), Box::new(value));
    let kinds = [
        Type::Scalar(Scalar::Bytes),
        Type::Message("p.M".into()),
        Type::Group("p.M".into()),
        map(Type::Scalar(Scalar::Int32)),
    ];
    for (at, old) in kinds.iter().enumerate() {
        for (to, new) in kinds.iter().enumerate() {
            let expected: &[&str] = if at == to { &[] } else { &["FIELD_KIND_CHANGED #/M/1"] };
            check(&one(vec![field(1, old.clone())]), &one(vec![field(1, new.clone())]), expected, at == to);
        }
    }
    let maps = |value| one(vec![field(1, map(value))]);
    let (number, text) = (Type::Scalar(Scalar::Int32), Type::Scalar(Scalar::String));
    check(&maps(number.clone()), &maps(text), &["FIELD_SCALAR_KIND_CHANGED #/M/1"], false);
    check(&maps(number), &maps(Type::Enum("p.E".into())), &[], true);
}

#[test]
fn fields_are_matched_by_number() {
    let required = |number| Field { label: Label::Required, ..scalar(number, Scalar::Int32) };
    let free = |number| scalar(number, Scalar::Int32);
    let (old, new) = (one(vec![free(1)]), one(vec![free(2)]));
    check(&old, &new, &["FIELD_ADDED #/M/2", "FIELD_REMOVED #/M/1"], true);
    let (old, new) = (one(vec![required(1)]), one(vec![required(2)]));
    check(&old, &new, &["REQUIRED_FIELD_ADDED #/M/2", "REQUIRED_FIELD_REMOVED #/M/1"], false);
    let renamed = one(vec![Field { name: "other".into(), ..free(1) }]);
    check(&one(vec![free(1)]), &renamed, &["FIELD_NAME_CHANGED #/M/1"], true);
}

#[test]
fn members_of_oneofs_are_followed_wherever_they_go() {
    let free = |number| scalar(number, Scalar::Int32);
    let both = one(vec![member("a", 1), member("a", 2)]);
    // In.
    let alone = one(vec![member("a", 1)]);
    check(&one(vec![free(1)]), &alone, &["ONEOF_ADDED #/M/a"], true);
    check(&one(vec![free(1), free(2)]), &both, &["MULTIPLE_FIELDS_MOVED_TO_ONEOF #/M/a", "ONEOF_ADDED #/M/a"], false);
    check(&one(vec![member("a", 1), free(2)]), &both, &["FIELD_MOVED_TO_EXISTING_ONEOF #/M/a"], false);
    check(&alone, &both, &["ONEOF_FIELD_ADDED #/M/a/2"], true);
    // Out.
    check(&both, &alone, &["ONEOF_FIELD_REMOVED #/M/a/2"], false);
    check(&both, &one(vec![free(3)]), &["FIELD_ADDED #/M/3", "ONEOF_REMOVED #/M/a"], true);
    let out = ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/1", "ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/2", "ONEOF_REMOVED #/M/a"];
    check(&both, &one(vec![free(1), free(2)]), &out, true);
    let half = ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/M/1", "ONEOF_FIELD_REMOVED #/M/a/2", "ONEOF_REMOVED #/M/a"];
    check(&both, &one(vec![free(1)]), &half, false);
    // From one into another.
    let renamed = one(vec![member("b", 1), member("b", 2)]);
    check(&both, &renamed, &["ONEOF_ADDED #/M/b", "ONEOF_REMOVED #/M/a"], true);
    let two = one(vec![member("a", 1), member("b", 2)]);
    check(&two, &both, &["FIELD_MOVED_TO_EXISTING_ONEOF #/M/a", "ONEOF_REMOVED #/M/b"], false);
    check(&both, &two, &["ONEOF_ADDED #/M/b"], true);
}

#[test]
fn types_are_matched_by_name_and_place() {
    let (a, b) = (message("A", Vec::new()), message("B", Vec::new()));
    let (ab, ba) = (schema(vec![a.clone(), b.clone()]), schema(vec![b, a.clone()]));
    check(&ab, &ba, &["MESSAGE_MOVED #/A", "MESSAGE_MOVED #/B"], true);
    let only_a = schema(vec![a.clone()]);
    check(&only_a, &ab, &["MESSAGE_ADDED #/B"], true);
    check(&ab, &only_a, &["MESSAGE_REMOVED #/B"], false);
    let nested = schema(vec![Message { messages: vec![message("N", Vec::new())], ..a }]);
    check(&nested, &only_a, &["MESSAGE_REMOVED #/A/N"], false);

    let moved = Schema { file: File { package: "q".into(), ..ab.file.clone() }, imports: Vec::new() };
    check(&ab, &moved, &["PACKAGE_CHANGED #/"], false);

    let with = |constants: &[(i32, &str)]| {
        let constants = constants.iter().map(|(number, name)| (*number, (*name).to_owned())).collect();
        let enums = vec![Enum { name: "E".into(), constants }];
        Schema { file: File { enums, ..only_a.file.clone() }, imports: Vec::new() }
    };
    let expected = ["ENUM_CONST_ADDED #/E/3", "ENUM_CONST_CHANGED #/E/-1", "ENUM_CONST_REMOVED #/E/2"];
    check(&with(&[(0, "Z"), (-1, "A"), (2, "B")]), &with(&[(0, "Z"), (-1, "C"), (3, "B")]), &expected, true);
    check(&only_a, &with(&[]), &["ENUM_ADDED #/E"], true);
    check(&with(&[]), &only_a, &["ENUM_REMOVED #/E"], true);
}

/// A file with a field of the message `q.A` in each of two messages, and the import that has it.
fn importing(of: Scalar) -> Schema {
    let use_of = |name: &str| message(name, vec![field(1, Type::Message("q.A".into()))]);
    let a = message("A", vec![field(1, Type::Message("q.B".into()))]);
    let b = message("B", vec![scalar(1, of), field(2, Type::Message("q.A".into()))]);
    let import = File { package: "q".into(), messages: vec![a, b], enums: Vec::new() };
    Schema { file: file(vec![use_of("M"), use_of("N")]), imports: vec![import] }
}

#[test]
fn what_breaks_an_imported_message_breaks_all_that_use_it() {
    let expected = [
        "FIELD_NAMED_TYPE_CHANGED #/A/1",
        "FIELD_NAMED_TYPE_CHANGED #/B/2",
        "FIELD_NAMED_TYPE_CHANGED #/M/1",
        "FIELD_NAMED_TYPE_CHANGED #/N/1",
        "FIELD_SCALAR_KIND_CHANGED #/B/1",
    ];
    check(&importing(Scalar::Int32), &importing(Scalar::String), &expected, false);
    check(&importing(Scalar::Int32), &importing(Scalar::Int64), &[], true);
}

#[test]
fn a_message_may_move_to_an_import_and_a_named_type_may_not_change() {
    let local = |fields| {
        let user = message("M", vec![field(1, Type::Message("p.A".into()))]);
        schema(vec![user, message("A", fields)])
    };
    let imported = Schema {
        file: file(vec![message("M", vec![field(1, Type::Message("q.A".into()))])]),
        imports: vec![File {
            package: "q".into(),
            messages: vec![message("A", vec![scalar(1, Scalar::Int32)])],
            enums: Vec::new(),
        }],
    };
    check(&local(vec![scalar(1, Scalar::Int64)]), &imported, &["MESSAGE_REMOVED #/A"], false);
    let broken = ["FIELD_NAMED_TYPE_CHANGED #/M/1", "FIELD_SCALAR_KIND_CHANGED #/A/1", "MESSAGE_REMOVED #/A"];
    check(&local(vec![scalar(1, Scalar::Float)]), &imported, &broken, false);

    let named = |name: &str| one(vec![field(1, Type::Unresolved(name.into()))]);
    check(&named("x.A"), &named("x.A"), &[], true);
    check(&named("x.A"), &named("x.B"), &["FIELD_NAMED_TYPE_CHANGED #/M/1"], false);
}

#[test]
fn a_name_that_one_side_alone_knows_stands_for_what_it_can() {
    let importing = |package: &str, field_type| {
        let import =
            File { package: package.into(), messages: vec![message("A", Vec::new())], enums: vec![enumeration("E")] };
        Schema { imports: vec![import], ..one(vec![field(1, field_type)]) }
    };
    let named = |name: &str| one(vec![field(1, Type::Unresolved(name.into()))]);
    for (package, written, is_same) in [
        ("q", "q.A", true),
        ("p", "p.A", true),
        ("p", "A", true),
        ("q", "A", false),
        ("p", "x.A", false),
        ("pp", "p.A", false),
        ("p.q", "q.A", false),
    ] {
        let known = importing(package, Type::Message(format!("{package}.A")));
        let expected: &[&str] = if is_same { &[] } else { &["FIELD_NAMED_TYPE_CHANGED #/M/1"] };
        check(&known, &named(written), expected, is_same);
        check(&named(written), &known, expected, is_same);
    }
    // A name is looked up in the packages around its own, too.
    let inner = |schema: Schema| Schema { file: File { package: "p.q".into(), ..schema.file }, ..schema };
    let known = inner(importing("p", Type::Message("p.A".into())));
    check(&known, &inner(named("A")), &[], true);
    check(&known, &inner(named("B")), &["FIELD_NAMED_TYPE_CHANGED #/M/1"], false);
    check(&importing("q", Type::Enum("q.E".into())), &named("q.E"), &["FIELD_KIND_CHANGED #/M/1"], false);
}

fn enumeration(name: &str) -> Enum {
    Enum { name: name.into(), constants: vec![(0, "NONE".into())] }
}

#[test]
fn a_group_comes_and_goes_with_its_field() {
    let body = |of| Message { is_group: true, ..message("G", vec![scalar(1, of)]) };
    let with = |of| {
        let holder = message("M", vec![field(1, Type::Group("p.M.G".into()))]);
        schema(vec![Message { messages: vec![body(of)], ..holder }])
    };
    let without = one(Vec::new());
    check(&with(Scalar::Int32), &without, &["FIELD_REMOVED #/M/1"], true);
    check(&without, &with(Scalar::Int32), &["FIELD_ADDED #/M/1"], true);
    check(&with(Scalar::Int32), &with(Scalar::String), &["FIELD_SCALAR_KIND_CHANGED #/M/G/1"], false);
}

#[test]
fn a_comparison_takes_a_bounded_number_of_steps() {
    let great = one((1..600_000).map(|number| scalar(number, Scalar::Int32)).collect());
    assert_eq!(compare(&great, &great), Err(TooComplex));
}

#[test]
fn each_change_has_one_side() {
    let n_compatible = Change::ALL.iter().filter(|change| change.is_compatible()).count();
    assert_eq!((Change::ALL.len(), n_compatible), (26, 15));
}
