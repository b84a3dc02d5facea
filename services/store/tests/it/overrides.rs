//! Overrides, on both databases.

use domain::audit::Key;
use domain::clock::Timestamp;
use domain::grant::Decided;
use domain::id::{ContractId, OverrideId};
use domain::overrides::{FindingsDigest, Override};
use store::Error;
use store::overrides::Stored;

use crate::world::{NOW, World, id};

crate::suite! {
    an_override_is_kept_with_its_signature_and_ends_once,
}

async fn an_override_is_kept_with_its_signature_and_ends_once(world: World) {
    let catalog = world.catalog().await;
    let key = Key::new([7; 32]);
    let stored = |seconds: i64| {
        let says = Override {
            id: id(OverrideId::new),
            contract_id: catalog.contract.id,
            version: "1.2.3".parse().unwrap(),
            findings: FindingsDigest::of("1.0.0".parse().unwrap(), &[]),
            reason: "nobody reads it \u{fc}ber".into(),
            steward: catalog.owner.id,
            created_at: Timestamp(NOW.0 + seconds),
            expires_at: Timestamp(NOW.0 + seconds + 9),
            revoked: None,
        };
        Stored { mac: says.sign(&key).to_vec(), says }
    };
    let (older, newer) = (stored(1), stored(2));
    let mut tx = world.facts().await;
    store::overrides::insert(&mut tx, &newer).await.unwrap();
    store::overrides::insert(&mut tx, &older).await.unwrap();
    let decided = Decided { by: catalog.owner.id, at: Timestamp(NOW.0 + 3), reason: Some("a mistake".into()) };
    let ended = Stored { says: older.says.clone().revoke(decided).unwrap(), ..older.clone() };
    store::overrides::revoke(&mut tx, &ended.says).await.unwrap();
    assert!(matches!(store::overrides::revoke(&mut tx, &ended.says).await, Err(Error::Stale("override"))));
    drop(tx);

    let mut tx = world.facts().await;
    for stored in [&newer, &older] {
        store::overrides::insert(&mut tx, stored).await.unwrap();
    }
    store::overrides::revoke(&mut tx, &ended.says).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    let all = store::overrides::list_of_contracts(&mut reader, &[catalog.contract.id]).await.unwrap();
    assert_eq!(all, [newer.clone(), ended.clone()]);
    assert!(all.iter().all(|stored| stored.says.is_signed(&key, &stored.mac)));
    let found = store::overrides::list_by_ids(&mut reader, &[ended.says.id, id(OverrideId::new)]).await.unwrap();
    assert_eq!(found, [ended]);
    assert_eq!(store::overrides::list_of_contracts(&mut reader, &[id(ContractId::new)]).await.unwrap(), []);
}
