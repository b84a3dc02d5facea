//! Products and their life.

use domain::clock::Timestamp;
use domain::contract::Wish;
use domain::product::State;

#[test]
fn a_product_follows_its_documents_wishes_and_stays_retired() {
    let now = Timestamp::from_seconds(1);
    let proposed = State::initial(&Wish::of(Some("proposed")), now);
    assert_eq!(proposed, State::Proposed);
    let active = proposed.follow(&Wish::Activate, now).unwrap();
    let same = active.clone().follow(&Wish::of(Some("draft")), Timestamp::from_seconds(2)).unwrap();
    assert_eq!(same, active, "a word that holds a draft back does not take an active product back");
    let deprecated = active.follow(&Wish::Deprecate, now).unwrap();
    assert!(deprecated.serves());
    let retired = deprecated.follow(&Wish::Retire, now).unwrap();
    assert!(!retired.serves());
    let refused = retired.follow(&Wish::Activate, now).unwrap_err();
    assert_eq!(refused.to_string(), "a product that is `retired` cannot become `active`");
}
