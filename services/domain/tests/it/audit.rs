//! The audit log's arithmetic.

use domain::audit::{Action, Error, Key, LABEL, Outcome, Record, Resource, ResourceKind};
use domain::clock::Timestamp;
use domain::id::RecordId;
use proptest::prelude::*;
use uuid::Uuid;

fn record() -> Record {
    Record {
        id: RecordId(Uuid::from_u128(1)),
        at: Timestamp(1_700_000_000_000_000),
        actor: "ann".into(),
        action: Action::AccessRevoke,
        resource: Resource { kind: ResourceKind::Grant, id: "g1".into() },
        outcome: Outcome::Done,
        reason: Some("left".into()),
        request_id: "r1".into(),
        detail: "{}".into(),
    }
}

fn key() -> Key {
    Key::new([7; 32])
}

#[test]
fn the_canonical_form_never_changes() {
    // Computed apart from this program, with Python's `hmac`.
    let mac = "9907eaf7e2dc54c5af1593244588b0a6b8b003288444c55068fffc05c6e48fb9";
    let bytes = record().canonical();
    assert_eq!(hex::encode(key().mac(&bytes)), mac);
    assert_eq!(bytes.len(), 197);
}

#[test]
fn a_record_is_read_back_from_its_bytes() {
    for reason in [None, Some(String::new()), Some("left".into())] {
        let record = Record { reason, ..record() };
        let bytes = record.canonical();
        assert_eq!(Record::from_canonical(&bytes), Ok(record.clone()));
        assert_eq!(key().verify(&bytes, &key().mac(&bytes)), Ok(record));
    }
}

#[test]
fn a_change_of_any_field_breaks_the_mac() {
    let mac = key().mac(&record().canonical());
    let changes: [fn(&mut Record); 11] = [
        |record| record.id = RecordId(Uuid::from_u128(2)),
        |record| record.at.0 += 1,
        |record| record.actor.push('x'),
        |record| record.action = Action::AccessApprove,
        |record| record.resource.kind = ResourceKind::Table,
        |record| record.resource.id.push('x'),
        |record| record.outcome = Outcome::Refused,
        |record| record.reason = None,
        |record| record.reason = Some(String::new()),
        |record| record.request_id.push('x'),
        |record| record.detail = "{ }".into(),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let mut changed = record();
        change(&mut changed);
        assert_eq!(key().verify(&changed.canonical(), &mac), Err(Error::Changed), "change {n}");
    }
}

#[test]
fn text_that_moves_to_the_next_field_breaks_the_mac() {
    let moved = |fields: [&str; 5]| {
        let [actor, id, reason, request_id, detail] = fields.map(str::to_owned);
        let resource = Resource { id, ..record().resource };
        Record { actor, resource, reason: Some(reason), request_id, detail, ..record() }
    };
    let fields = ["ab", "ab", "ab", "ab", "ab"];
    let mac = key().mac(&moved(fields).canonical());
    for n in 0..fields.len() - 1 {
        for (this, next) in [("a", "bab"), ("aba", "b"), ("", "abab"), ("abab", "")] {
            let mut changed = fields;
            (changed[n], changed[n + 1]) = (this, next);
            assert_eq!(key().verify(&moved(changed).canonical(), &mac), Err(Error::Changed), "{changed:?}");
        }
    }
}

#[test]
fn a_word_of_another_program_is_named_and_read_as_no_record() {
    let bytes = record().canonical();
    let changed = String::from_utf8(bytes).unwrap().replace("access.revoke", "access.forget").into_bytes();
    let error = Record::from_canonical(&changed).unwrap_err();
    assert!(matches!(&error, Error::UnknownWord(word) if word.found == "access.forget"), "{error:?}");
}

#[test]
fn bytes_behind_a_record_make_it_none() {
    let bytes = [record().canonical(), vec![0]].concat();
    assert_eq!(Record::from_canonical(&bytes), Err(Error::NotARecord));
}

#[test]
fn no_reason_is_not_an_empty_reason() {
    let none = Record { reason: None, ..record() };
    let empty = Record { reason: Some(String::new()), ..record() };
    assert_ne!(none.canonical(), empty.canonical());
}

#[test]
fn another_key_or_a_shortened_mac_is_refused() {
    let bytes = record().canonical();
    let mac = key().mac(&bytes);
    assert_eq!(Key::new([8; 32]).verify(&bytes, &mac), Err(Error::Changed));
    assert_eq!(key().verify(&bytes, &mac[..31]), Err(Error::Changed));
    assert_eq!(key().verify(&bytes, &[]), Err(Error::Changed));
}

#[test]
fn a_key_does_not_show_itself() {
    assert_eq!(format!("{:?}", key()), "Key(..)");
}

proptest! {
    #[test]
    fn any_changed_byte_is_found(at in 0..256_usize, bit in 0..8_u8) {
        let bytes = record().canonical();
        let mac = key().mac(&bytes);
        let mut changed = bytes.clone();
        let at = at % changed.len();
        changed[at] ^= 1 << bit;
        prop_assert_eq!(key().verify(&changed, &mac), Err(Error::Changed));
    }

    #[test]
    fn bytes_that_are_no_record_are_refused_without_a_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [LABEL, &tail].concat();
        if let Ok(record) = Record::from_canonical(&bytes) {
            prop_assert_eq!(record.canonical(), bytes);
        }
        let mut cut = record().canonical();
        cut.truncate(tail.len().min(cut.len() - 1));
        prop_assert_eq!(Record::from_canonical(&cut), Err(Error::NotARecord));
    }
}
