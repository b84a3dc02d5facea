//! The embedded page fits together.

use page::Page;
use sha2::{Digest, Sha256};

#[test]
fn every_document_is_stored_under_its_digest() {
    let page = Page::embedded().expect("the manifest of documents");
    for (digest, text) in page.documents() {
        assert_eq!(digest, hex::encode(Sha256::digest(text)), "{text}");
    }
}

#[test]
fn a_page_that_is_not_built_says_how_to_build_it() {
    let page = Page::new(&[], Default::default());
    assert!(!page.is_built());
    let text = std::str::from_utf8(page.index().plain).expect("text");
    assert!(text.contains("make page build"), "{text}");
}
