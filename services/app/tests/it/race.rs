//! Vend against revoke: when a revoke was acknowledged, no lease of its grant is or becomes issued. `CHARTER_RACES` sets
//! how many races are run on each database.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::sync::Arc;
use std::time::Duration;

use app::gate::Vended;
use app::grant::Revoked;
use domain::gate::Action;
use domain::id::GrantId;
use domain::lease::{Provision, Vendor};
use store::Options;
use testkit::actor::{TestActor, access_to};
use testkit::app::{TestApp, Wiring};
use testkit::vendor::FakeVendor;

use crate::open_table::{CONTRACT, ROWS, publish};

/// How many races run at once, and how many readers run in each.
const N_LANES: usize = 8;
const N_READERS: usize = 3;
/// The most that a revoke lets others go before it, in turns of the scheduler.
const N_TURNS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn no_lease_becomes_issued_after_a_revoke_on_sqlite() {
    race(None, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_lease_becomes_issued_after_a_revoke_on_postgres() {
    let Some(server) = testkit::postgres::Server::shared() else { return };
    race(Some(server.database()), None).await;
}

/// Between the intent and the issue of these leases a provider is asked, in which time a revoke may come.
#[tokio::test(flavor = "multi_thread")]
async fn no_intended_lease_becomes_issued_after_a_revoke_on_sqlite() {
    race(None, Some(provider())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_intended_lease_becomes_issued_after_a_revoke_on_postgres() {
    let Some(server) = testkit::postgres::Server::shared() else { return };
    race(Some(server.database()), Some(provider())).await;
}

fn provider() -> Arc<dyn Vendor> {
    Arc::new(FakeVendor::new(Duration::from_secs(30)))
}

async fn race(url: Option<String>, vendor: Option<Arc<dyn Vendor>>) {
    let n_races: usize = testkit::number("CHARTER_RACES").map_or(200, |n| n.try_into().unwrap());
    let provision = vendor.as_ref().map_or(Provision::Local, |vendor| vendor.provision());
    let options = Options { max_connections: 40, ..Options::for_testing() };
    let test = TestApp::start_wired(Wiring { url, options, vendor, ..Wiring::default() }).await;
    let owner = publish(&test, CONTRACT).await;
    let reader = test.principal("reader").await;

    let mut lanes = tokio::task::JoinSet::new();
    for lane in 0..N_LANES {
        let (owner, reader) = (owner.clone(), reader.clone());
        lanes.spawn(async move {
            let mut n_won = 0;
            for turn in (lane..n_races).step_by(N_LANES) {
                n_won += one(&owner, &reader, turn / N_LANES, provision).await;
            }
            n_won
        });
    }
    let n_won: usize = lanes.join_all().await.into_iter().sum();
    println!("{n_races} races, {n_won} readers raced the revoke and won");
    assert!(n_won > 0, "the readers never won, so nothing was raced");
}

/// One grant of its own, readers and one revoke at once. Returns how many of the readers that raced the revoke were
/// issued a lease of the grant.
async fn one(owner: &TestActor, reader: &TestActor, turn: usize, provision: Provision) -> usize {
    let grant = owner.grants(reader, access_to(ROWS)).await.unwrap();

    let has_provider = matches!(provision, Provision::Provider { .. });
    let start = Arc::new(tokio::sync::Barrier::new(N_READERS + 1));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..N_READERS {
        let (reader, start) = (reader.clone(), Arc::clone(&start));
        readers.spawn(async move {
            start.wait().await;
            match reader.vends(ROWS, Action::Read).await {
                Ok(Vended::Issued(issued)) => usize::from(issued.lease.grant_id == Some(grant)),
                Ok(Vended::Refused(_)) => 0,
                // Its intent was revoked, and another lane's grant gives the right still.
                Err(app::Error::Unavailable(app::error::Unavailable::LeaseOver)) if has_provider => 0,
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    start.wait().await;
    // Where a provider is asked, an issue takes two transactions, and without a head start the revoke would always win.
    // The first reader to finish has not raced the revoke, so it does not count.
    if has_provider && turn % 2 == 1 {
        readers.join_next().await.unwrap().unwrap();
    }
    // Sometimes the readers come first, sometimes the revoke.
    for _ in 0..turn % N_TURNS {
        tokio::task::yield_now().await;
    }
    match owner.revokes(grant).await.unwrap() {
        Revoked::Done(..) => {}
        Revoked::NotActive(_) => panic!("nobody else revokes"),
    }
    assert_eq!(n_open(owner, grant).await, 0, "a lease is open when its revoke is acknowledged");
    let n_won = readers.join_all().await.into_iter().sum();
    assert_eq!(n_open(owner, grant).await, 0, "a lease became issued after its revoke was acknowledged");
    n_won
}

async fn n_open(ctx: &TestActor, grant: GrantId) -> usize {
    let mut tx = ctx.app.db.read().await.unwrap();
    store::lease::list_open_of_grant(&mut tx, grant, ctx.now()).await.unwrap().len()
}
