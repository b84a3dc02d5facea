//! The columns of the old version that differences are about.

use domain::change::{Touched, compare, touched};
use domain::contract::{Document, LogicalType, Property, SchemaObject};

use crate::contract::{column, contract, object, shared};

fn text(name: &str) -> Property {
    column(name, LogicalType::String)
}

fn with_id(name: &str, id: &str) -> Property {
    Property { id: Some(id.to_owned()), ..text(name) }
}

fn number(name: &str) -> Property {
    column(name, LogicalType::Number)
}

/// What the findings that break readers of the old version are about.
fn broken(old: &Document, new: &Document) -> Touched {
    let findings = compare(old, new);
    let breaking = findings.iter().filter(|finding| !finding.consumer_safe());
    touched(old, new, breaking.map(|finding| finding.path.as_str()))
}

fn of_columns(old: Vec<Property>, new: Vec<Property>) -> Touched {
    broken(&contract(vec![object(old)]), &contract(vec![object(new)]))
}

fn columns(object: &str, names: &[&str]) -> Touched {
    [(object.to_owned(), Some(names.iter().map(|name| (*name).to_owned()).collect()))].into()
}

fn whole(objects: &[&str]) -> Touched {
    objects.iter().map(|object| ((*object).to_owned(), None)).collect()
}

#[test]
fn a_column_is_the_one_that_its_readers_know() {
    let a = || text("a");
    assert_eq!(of_columns(vec![a(), text("b")], vec![a()]), columns("orders", &["b"]));
    assert_eq!(of_columns(vec![a(), text("b")], vec![a(), number("b")]), columns("orders", &["b"]));
    let at_source = |name: &str| Property { physical_name: Some(name.to_owned()), ..text("b") };
    assert_eq!(of_columns(vec![a(), at_source("B1")], vec![a()]), columns("orders", &["B1"]));
    // By its old name, though the path has the new one.
    assert_eq!(of_columns(vec![with_id("a", "1")], vec![with_id("b", "1")]), columns("orders", &["a"]));
    // Of a name that was given to another column, both.
    let taken = of_columns(vec![with_id("a", "1"), with_id("b", "2")], vec![with_id("a", "2")]);
    assert_eq!(taken, columns("orders", &["a", "b"]));
    assert_eq!(of_columns(vec![a()], vec![a(), Property { required: true, ..text("b") }]), Touched::new());
}

#[test]
fn members_have_dotted_names_through_lists_too() {
    let address =
        |zip: Property| Property { members: shared(vec![zip, text("city")]), ..column("address", LogicalType::Object) };
    let changed = of_columns(vec![address(text("zip"))], vec![address(number("zip"))]);
    assert_eq!(changed, columns("orders", &["address.zip"]));
    let list = |zip: Property| Property { items: Some(Box::new(address(zip))), ..column("all", LogicalType::Array) };
    assert_eq!(of_columns(vec![list(text("zip"))], vec![list(number("zip"))]), columns("orders", &["all.zip"]));
    let tags = |items: Property| Property { items: Some(Box::new(items)), ..column("tags", LogicalType::Array) };
    assert_eq!(of_columns(vec![tags(text("x"))], vec![tags(number("x"))]), columns("orders", &["tags"]));
}

#[test]
fn what_is_about_no_column_is_about_all_of_them() {
    let named = |name: &str| SchemaObject { name: name.to_owned(), ..object(vec![text("a")]) };
    let both = contract(vec![named("orders"), named("lines")]);
    assert_eq!(broken(&both, &contract(vec![named("orders")])), whole(&["lines"]));
    let renamed = |name: &str| SchemaObject { id: Some("1".to_owned()), ..named(name) };
    assert_eq!(broken(&contract(vec![renamed("old")]), &contract(vec![renamed("new")])), whole(&["old"]));
    for path in ["servers.prod", "sla.latency", "settings.gateMode", "contract", "roles.x"] {
        assert_eq!(touched(&both, &both, [path]), whole(&["lines", "orders"]), "{path}");
    }
    assert_eq!(touched(&both, &both, ["orders.a#positive", "orders.a"]), columns("orders", &["a"]));
    assert_eq!(touched(&both, &both, ["orders.a", "orders#rows"]), whole(&["orders"]));
}
