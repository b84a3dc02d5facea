//! Prefixes of topics.

use domain::registry::Subject;
use domain::topic::{Error, Standing, TopicPrefix, TopicPrefixes};

fn prefixes(pairs: &[(&str, &str)]) -> Result<TopicPrefixes, Error> {
    TopicPrefixes::new(
        pairs.iter().map(|(prefix, domain)| (prefix.parse().unwrap(), domain.parse().unwrap())).collect(),
    )
}

#[test]
fn prefixes_are_compared_by_segments() {
    let own = prefixes(&[("sales", "sales"), ("fin.ledger", "fin")]).unwrap();
    for (subject, owner) in [
        ("sales-value", Some("sales")),
        ("sales-key", Some("sales")),
        ("sales.orders-value", Some("sales")),
        ("sales.orders", Some("sales")),
        (":.staging:sales.orders-value", Some("sales")),
        ("salesforce-value", None),
        ("sales_eu.orders-value", None),
        ("sales-eu.orders-value", None),
        ("Sales.orders-value", None),
        (".sales-value", None),
        ("fin-value", None),
        ("fin.ledgers-value", None),
        ("fin.ledger.a.b-value", Some("fin")),
    ] {
        let subject: Subject = subject.parse().unwrap();
        assert_eq!(own.owner(&subject).map(|domain| domain.as_str()), owner, "{subject}");
    }
}

#[test]
fn prefixes_that_hold_a_topic_in_common_are_refused() {
    for (one, two, overlap) in [
        ("sales", "sales", true),
        ("sales", "sales.emea", true),
        ("sales.emea", "sales", true),
        ("sales", "salesforce", false),
        ("sales.emea", "sales.apac", false),
    ] {
        assert_eq!(prefixes(&[(one, "a"), (two, "b")]).is_err(), overlap, "{one} {two}");
    }
    for text in ["", ".", "a.", ".a", "a..b", " a", "a.b ", "a\n"] {
        assert!(matches!(text.parse::<TopicPrefix>(), Err(Error::NotAPrefix(_))), "{text:?}");
    }
}

#[test]
fn a_topic_is_available_by_its_name_or_by_a_release() {
    let own = prefixes(&[("sales", "sales")]).unwrap();
    let none = TopicPrefixes::default();
    let [sales, emea, fin] = ["sales", "sales/emea", "fin"].map(|domain| domain.parse().unwrap());
    let [owned, free]: [Subject; 2] = ["sales.x-value", "x-value"].map(|subject| subject.parse().unwrap());
    let free_standing = Standing { is_bound: false, kept_by: None, is_released: false };
    let bound = Standing { is_bound: true, ..free_standing.clone() };
    let kept = Standing { kept_by: Some(&fin), ..free_standing.clone() };
    for (prefixes, domain, subject, standing, available) in [
        (&own, &sales, &owned, &free_standing, true),
        (&own, &emea, &owned, &free_standing, true),
        (&own, &fin, &owned, &free_standing, false),
        (&own, &sales, &free, &free_standing, false),
        (&own, &sales, &owned, &bound, false),
        (&own, &sales, &owned, &kept, true),
        (&own, &fin, &owned, &kept, false),
        (&none, &sales, &free, &free_standing, true),
        (&none, &sales, &free, &bound, false),
        (&none, &sales, &free, &kept, false),
        (&none, &fin, &free, &kept, true),
    ] {
        assert_eq!(prefixes.may_bind(domain, subject, standing), available, "{domain} {subject} {standing:?}");
        let released = Standing { is_released: true, ..standing.clone() };
        assert!(prefixes.may_bind(domain, subject, &released), "{domain} {subject} {released:?}");
    }
}
