//! Overrides, on both databases.

use domain::audit::Key;
use domain::change::FindingRecord;
use domain::clock::Timestamp;
use domain::grant::Decided;
use domain::id::{ContractId, OverrideId};
use domain::overrides::Override;
use domain::version::Bump;
use store::overrides::{insert, list_by_ids, list_of_contracts, revoke};
use store::{Error, Tx};

use crate::world::{Catalog, NOW, World, id};

crate::suite! {
    an_override_is_kept_whole_and_ends_once,
    a_row_that_was_changed_is_not_believed,
}

const KEY: [u8; 32] = [7; 32];

fn says(catalog: &Catalog, seconds: i64) -> Override {
    Override {
        id: id(OverrideId::new),
        contract_id: catalog.contract.id,
        version: "1.2.3".parse().unwrap(),
        since: "1.0.4".parse().unwrap(),
        findings: vec![FindingRecord {
            path: "orders.amount".into(),
            rule: "column_removed".into(),
            history_safe: true,
            consumer_safe: false,
            bump: Bump::Major,
            message: "the column \u{fc}ber was removed".into(),
            before: Some("number".into()),
            after: Some("\u{fc}ber".into()),
            proof: Some("no row".into()),
        }],
        reason: "nobody reads it \u{fc}ber".into(),
        steward: catalog.owner.id,
        created_at: Timestamp(NOW.0 + seconds),
        expires_at: Timestamp(NOW.0 + seconds + 9),
        revoked: None,
    }
}

fn ended(catalog: &Catalog, says: &Override) -> Override {
    let by = catalog.owner.id;
    let decided = Decided { by, at: Timestamp(NOW.0 + 3), reason: Some("a mistake".into()) };
    says.clone().revoke(decided).unwrap()
}

/// The overrides of a contract, each found to be signed.
async fn believed(tx: &mut Tx, contract_id: ContractId) -> Result<Vec<Override>, Error> {
    let stored = list_of_contracts(tx, &[contract_id]).await?;
    stored.into_iter().map(|stored| stored.verify(&Key::new(KEY))).collect()
}

async fn an_override_is_kept_whole_and_ends_once(world: World) {
    let (catalog, key) = (world.catalog().await, Key::new(KEY));
    let (older, newer) = (says(&catalog, 1), says(&catalog, 2));
    let ended = ended(&catalog, &older);
    let mut tx = world.facts().await;
    insert(&mut tx, &newer, &key).await.unwrap();
    insert(&mut tx, &older, &key).await.unwrap();
    revoke(&mut tx, &ended, &key).await.unwrap();
    assert!(matches!(revoke(&mut tx, &ended, &key).await, Err(Error::Stale("override"))));
    drop(tx);

    let mut tx = world.facts().await;
    for says in [&newer, &older] {
        insert(&mut tx, says, &key).await.unwrap();
    }
    revoke(&mut tx, &ended, &key).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    assert_eq!(believed(&mut reader, catalog.contract.id).await.unwrap(), [newer, ended.clone()]);
    let mut found = list_by_ids(&mut reader, &[ended.id, id(OverrideId::new)]).await.unwrap();
    assert_eq!(found.pop().unwrap().verify(&key).unwrap(), ended);
    assert_eq!(found, []);
    assert_eq!(list_of_contracts(&mut reader, &[id(ContractId::new)]).await.unwrap(), []);
}

async fn a_row_that_was_changed_is_not_believed(world: World) {
    let (catalog, key) = (world.catalog().await, Key::new(KEY));
    let (stands, other) = (says(&catalog, 1), says(&catalog, 2));
    let ended = ended(&catalog, &says(&catalog, 1));
    let mut tx = world.facts().await;
    for says in [&stands, &other, &Override { revoked: None, ..ended.clone() }] {
        insert(&mut tx, says, &key).await.unwrap();
    }
    revoke(&mut tx, &ended, &key).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(believed(&mut world.read().await, catalog.contract.id).await.unwrap().len(), 3);

    // What each row is changed to, and back.
    let cases = [
        (ended.id, "revoked_by = NULL, revoked_at = NULL, revoke_reason = NULL".to_owned()),
        (ended.id, format!("revoked_by = '{}'", catalog.reader.id)),
        (ended.id, "revoked_at = revoked_at + 1".to_owned()),
        (ended.id, "revoke_reason = 'it was in order'".to_owned()),
        (ended.id, format!("mac = (SELECT mac FROM overrides WHERE id = '{}')", stands.id)),
        (stands.id, format!("revoked_by = '{}', revoked_at = {}", catalog.reader.id, NOW.0 + 3)),
        (stands.id, "patch = 4".to_owned()),
        (stands.id, "since_patch = 5".to_owned()),
        (stands.id, format!("findings = '{}'", "[]")),
        (stands.id, "findings = replace(findings, 'removed', 'added')".to_owned()),
        (stands.id, "reason = 'x'".to_owned()),
        (stands.id, format!("steward_id = '{}'", catalog.reader.id)),
        (stands.id, "created_at = created_at - 1".to_owned()),
        (stands.id, "expires_at = expires_at + 1".to_owned()),
        (stands.id, "findings = 'no findings'".to_owned()),
        (stands.id, "major = -1".to_owned()),
        (stands.id, "since_minor = -1".to_owned()),
        (stands.id, "revoke_reason = 'by nobody'".to_owned()),
    ];
    for (id, change) in cases {
        world.execute("CREATE TABLE kept AS SELECT * FROM overrides").await;
        world.execute(&format!("UPDATE overrides SET {change} WHERE id = '{id}'")).await;
        let found = believed(&mut world.read().await, catalog.contract.id).await;
        assert!(matches!(found, Err(Error::Inconsistent { table: "overrides", .. })), "{change}: {found:?}");
        // The others are read, and this one is known not to be intact.
        let stored = list_of_contracts(&mut world.read().await, &[catalog.contract.id]).await.unwrap();
        let broken: Vec<_> = stored.iter().filter(|stored| !stored.is_intact(&key)).collect();
        assert!(stored.len() == 3 && broken.len() == 1 && broken[0].content.id == id, "{change}: {stored:?}");
        for statement in ["DELETE FROM overrides", "INSERT INTO overrides SELECT * FROM kept", "DROP TABLE kept"] {
            world.execute(statement).await;
        }
    }
    assert_eq!(believed(&mut world.read().await, catalog.contract.id).await.unwrap().len(), 3);
}
