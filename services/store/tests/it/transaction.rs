//! What a transaction promises, on both databases.

#![expect(clippy::disallowed_methods, reason = "revisions are what is tested here")]

use domain::lease::LeaseState;
use futures::FutureExt;
use store::{Constraint, Error, Lock, Seek};

use crate::world::{NOW, World, domain, event, id, table, table_id, user};

crate::suite! {
    what_is_committed_is_read,
    what_is_dropped_is_undone,
    a_failed_transaction_refuses_everything,
    an_abandoned_statement_fails_the_transaction,
    a_reader_sees_one_state,
    a_reader_cannot_write,
    what_reads_once_cannot_write,
    each_broken_constraint_has_its_own_error,
    facts_need_their_lock,
    nothing_works_after_close,
}

async fn what_is_committed_is_read(world: World) {
    let sales = domain("sales");
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &sales).await.unwrap();
    assert_eq!(store::org::get(&mut tx, sales.id).await.unwrap(), sales);
    tx.commit().await.unwrap();
    assert_eq!(store::org::get(&mut world.read().await, sales.id).await.unwrap(), sales);
}

async fn what_is_dropped_is_undone(world: World) {
    let sales = domain("sales");
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &sales).await.unwrap();
    drop(tx);
    // The next writer comes after the undoing.
    world.facts().await.commit().await.unwrap();
    assert_eq!(store::org::find(&mut world.read().await, sales.id).await.unwrap(), None);
}

async fn a_failed_transaction_refuses_everything(world: World) {
    let sales = domain("sales");
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &sales).await.unwrap();
    let error = store::org::insert(&mut tx, &domain("sales")).await.unwrap_err();
    assert_eq!(error.violated(), Some(Constraint::DomainPath));
    assert!(matches!(store::org::find(&mut tx, sales.id).await, Err(Error::TxFailed)));
    assert!(matches!(store::org::insert(&mut tx, &domain("other")).await, Err(Error::TxFailed)));
    assert!(matches!(tx.commit().await, Err(Error::TxFailed)));
    assert_eq!(store::org::find(&mut world.read().await, sales.id).await.unwrap(), None);
}

async fn an_abandoned_statement_fails_the_transaction(world: World) {
    let sales = domain("sales");
    // Polled once, the statement is on its way; dropped, nobody knows how it ended. One that was answered within the
    // poll, as SQLite's thread can, was not abandoned: the next is tried.
    let mut tx = loop {
        let mut tx = world.facts().await;
        if store::org::insert(&mut tx, &sales).now_or_never().is_none() {
            break tx;
        }
    };
    assert!(matches!(store::org::find(&mut tx, sales.id).await, Err(Error::TxFailed)));
    assert!(matches!(tx.commit().await, Err(Error::TxFailed)));
    world.facts().await.commit().await.unwrap();
    assert_eq!(store::org::find(&mut world.read().await, sales.id).await.unwrap(), None);
}

async fn a_reader_sees_one_state(world: World) {
    let (one, two) = (domain("one"), domain("two"));
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &one).await.unwrap();
    tx.commit().await.unwrap();

    let mut reader = world.read().await;
    assert!(store::org::find(&mut reader, one.id).await.unwrap().is_some());
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &two).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store::org::list(&mut reader, &Seek::first(10)).await.unwrap().items, std::slice::from_ref(&one));
    assert_eq!(store::org::list(&mut world.read().await, &Seek::first(10)).await.unwrap().items, [one, two]);
}

fn job() -> domain::job::Job {
    domain::job::Job::Inspect(table_id("a"))
}

async fn a_reader_cannot_write(world: World) {
    let mut reader = world.read().await;
    let pushed = store::job::push(&mut reader, id(domain::id::JobId::new), job(), NOW).await;
    assert!(matches!(pushed, Err(Error::Database(_))), "{pushed:?}");
}

async fn what_reads_once_cannot_write(world: World) {
    let sales = domain("sales");
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &sales).await.unwrap();
    tx.commit().await.unwrap();
    let mut once = world.db.read_once().await.unwrap();
    assert_eq!(store::org::get(&mut once, sales.id).await.unwrap(), sales);
    once.commit().await.unwrap();

    let mut once = world.db.read_once().await.unwrap();
    let pushed = store::job::push(&mut once, id(domain::id::JobId::new), job(), NOW).await;
    assert!(matches!(pushed, Err(Error::Database(_))), "{pushed:?}");
}

async fn each_broken_constraint_has_its_own_error(world: World) {
    let sales = domain("sales");
    let ann = user("ann");
    let mut tx = world.facts().await;
    store::org::insert(&mut tx, &sales).await.unwrap();
    store::identity::insert_principal(&mut tx, &ann).await.unwrap();
    tx.commit().await.unwrap();

    let same_path = store::org::insert(&mut world.facts().await, &domain("sales")).await;
    assert_eq!(same_path.unwrap_err().violated(), Some(Constraint::DomainPath));
    let same_id = store::org::insert(&mut world.facts().await, &store_domain(&sales, "other")).await;
    assert_eq!(same_id.unwrap_err().violated(), Some(Constraint::PrimaryKey));
    let same_subject = store::identity::insert_principal(&mut world.facts().await, &user("ann")).await;
    assert_eq!(same_subject.unwrap_err().violated(), Some(Constraint::PrincipalSubject));
    let no_domain = store::product::insert(&mut world.facts().await, &crate::world::product(&domain("no"), "p")).await;
    assert_eq!(no_domain.unwrap_err().violated(), Some(Constraint::Reference));
}

fn store_domain(like: &domain::org::Domain, path: &str) -> domain::org::Domain {
    domain::org::Domain { path: path.parse().unwrap(), ..like.clone() }
}

async fn facts_need_their_lock(world: World) {
    for lock in [Lock::FactsShared, Lock::Free] {
        let mut tx = world.db.write(lock).await.unwrap();
        assert!(matches!(store::org::insert(&mut tx, &domain("sales")).await, Err(Error::LockNeeded)));
        assert!(matches!(store::table::insert(&mut tx, &table("sales")).await, Err(Error::LockNeeded)));
        assert!(matches!(store::outbox::push(&mut tx, &event("a"), NOW).await, Err(Error::LockNeeded)));
        let bumped = store::revision::bump(&mut tx, store::revision::Revision::Access).await;
        assert!(matches!(bumped, Err(Error::LockNeeded)));
    }
    let hold = world.catalog().await.lease(LeaseState::Issued).hold();
    let revoked = store::lease::revoke_of_hold(&mut world.read().await, &hold, NOW).await;
    assert!(matches!(revoked, Err(Error::LockNeeded)));
    let ended = store::lease::end_by(&mut world.read().await, &hold, NOW, NOW).await;
    assert!(matches!(ended, Err(Error::LockNeeded)));
}

async fn nothing_works_after_close(world: World) {
    world.db.close().await;
    assert!(matches!(world.db.read().await, Err(Error::Closed)));
    assert!(matches!(world.db.write(Lock::Free).await, Err(Error::Closed)));
}
