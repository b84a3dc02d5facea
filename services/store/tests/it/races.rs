//! What two at once may do. SQLite has one writer, so only PostgreSQL can find a lock that is missing.

use std::sync::Arc;

use domain::grant::Decided;
use domain::job::{Job, Kind};
use domain::lease::{Lease, LeaseState};
use store::outbox;
use store::{Db, Error, Lock};

use crate::world::{Catalog, NOW, World, event, grant, request, table_id};

crate::suite! {
    positions_are_drawn_one_at_a_time,
    no_lease_becomes_issued_after_a_revoke,
}

async fn positions_are_drawn_one_at_a_time(world: World) {
    let tasks = (0..8).map(|_| {
        let db = world.db.clone();
        tokio::spawn(async move {
            for _ in 0..25 {
                let mut tx = db.write(Lock::Facts).await?;
                outbox::push(&mut tx, &event("one of many"), NOW).await?;
                tx.commit().await?;
            }
            Ok::<(), Error>(())
        })
    });
    for task in futures::future::join_all(tasks).await {
        task.unwrap().unwrap();
    }
    let events = outbox::list_after(&mut world.read().await, 0, 1_000).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
}

/// A vend: decide and write the intent under the shared lock, then issue.
async fn vend(db: &Db, catalog: &Catalog, lease: &Lease) -> Result<bool, Error> {
    let mut tx = db.write(Lock::FactsShared).await?;
    let grant_id = lease.grant_id.ok_or(Error::NotFound("grant"))?;
    if store::grant::get(&mut tx, grant_id).await?.revoked.is_some() {
        return Ok(false);
    }
    assert_eq!(lease.binding_id, catalog.binding.id);
    store::lease::insert(&mut tx, lease).await?;
    tx.commit().await?;
    let mut tx = db.write(Lock::FactsShared).await?;
    let issued = store::lease::issue(&mut tx, lease.id).await?;
    tx.commit().await?;
    Ok(issued)
}

async fn no_lease_becomes_issued_after_a_revoke(world: World) {
    let catalog = Arc::new(world.catalog().await);
    for _ in 0..40 {
        let request = request(&catalog.reader, &catalog.port.port_major);
        let granted = grant(&request, &catalog.owner);
        let mut tx = world.facts().await;
        store::grant::insert_request(&mut tx, &request).await.unwrap();
        store::grant::insert(&mut tx, &granted).await.unwrap();
        tx.commit().await.unwrap();

        let vends: Vec<_> = (0..4)
            .map(|_| {
                let (db, catalog) = (world.db.clone(), Arc::clone(&catalog));
                let lease = Lease { grant_id: Some(granted.id), ..catalog.lease(LeaseState::Intended) };
                tokio::spawn(async move { (lease.id, vend(&db, &catalog, &lease).await.unwrap()) })
            })
            .collect();
        let decided = Decided { by: catalog.owner.id, at: NOW, reason: None };
        let mut tx = world.facts().await;
        store::grant::revoke(&mut tx, &granted.clone().revoke(decided).unwrap()).await.unwrap();
        tx.commit().await.unwrap();

        for vend in vends {
            vend.await.unwrap();
        }
        let open = store::lease::list_open_of_grant(&mut world.read().await, granted.id, NOW).await.unwrap();
        assert_eq!(open, [], "a lease outlived the revoke of its grant");
    }
}

#[tokio::test]
async fn on_postgres_facts_are_locked_against_all_and_leases_against_facts() {
    let Some(world) = World::on_postgres().await else { return };
    let waits = async |held: Lock, wanted: Lock| {
        let held = world.db.write(held).await.unwrap();
        let mut wanted = Box::pin(world.db.write(wanted));
        let granted = tokio::time::timeout(std::time::Duration::from_millis(300), wanted.as_mut()).await;
        drop(held);
        // Whoever waited is let in once the lock is free.
        match granted {
            Ok(tx) => {
                tx.unwrap();
                false
            }
            Err(_) => {
                wanted.await.unwrap();
                true
            }
        }
    };
    use Lock::{Facts, FactsShared, Free};
    for (held, wanted, expected) in [
        (Facts, Facts, true),
        (Facts, FactsShared, true),
        (FactsShared, Facts, true),
        (FactsShared, FactsShared, false),
        (Facts, Free, false),
        (Free, Facts, false),
    ] {
        assert_eq!(waits(held, wanted).await, expected, "{wanted:?} while {held:?} is held");
    }
}

#[tokio::test]
async fn on_postgres_jobs_are_claimed_side_by_side() {
    let Some(world) = World::on_postgres().await else { return };
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    for subject in ["a", "b"] {
        let job = Job::Inspect(table_id(subject));
        store::job::push(&mut tx, crate::world::id(domain::id::JobId::new), job, NOW).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (mut one, mut two) = (world.db.write(Lock::Free).await.unwrap(), world.db.write(Lock::Free).await.unwrap());
    let minute = store::job::Terms { duration: std::time::Duration::from_secs(60), max_of_domain: 2 };
    let first = store::job::claim(&mut one, Kind::Inspect, NOW, minute).await.unwrap().unwrap();
    let second = store::job::claim(&mut two, Kind::Inspect, NOW, minute).await.unwrap().unwrap();
    assert_ne!(first.id, second.id);
}
