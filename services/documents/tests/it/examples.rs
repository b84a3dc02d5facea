//! The standards' own examples.

use documents::{Document, parse};

use crate::shared;

#[test]
fn all_official_examples_are_accepted() {
    for (name, text) in shared::examples() {
        let parsed = parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        let is_contract = matches!(parsed.document, Document::Contract(_));
        assert_eq!(is_contract, name.contains(".odcs."), "{name}");
    }
}
