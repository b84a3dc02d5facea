//! Requests, grants, leases and decisions, on both databases.

use std::collections::{BTreeSet, HashSet};

use domain::clock::Timestamp;
use domain::contract::Classification;
use domain::gate::{Action, Check, Code, Detail, DetailRight, Explained, Line, LineOutcome};
use domain::grant::{AccessRequest, Decided, Grant, PortMajor, RequestState};
use domain::id::*;
use domain::identity::{DomainRole, Principal, PrincipalKind, PurposeCode, Role, RoleAssignment};
use domain::lease::{Lease, LeaseState};
use domain::share::{Share, ShareRight};
use store::lease::Reach;
use store::{Constraint, Error, ListScope, Lock, Seek};

use crate::world::{Catalog, NOW, World, domain, grant, id, product, request, user, version};

crate::suite! {
    a_request_is_answered_once,
    requests_page_with_the_newest_first,
    a_list_reaches_as_far_as_the_roles_of_a_principal,
    grants_are_found_for_a_port,
    a_holder_s_grants_page_with_the_newest_first,
    a_revoke_ends_every_open_lease_of_the_grant,
    only_an_intended_lease_is_abandoned,
    what_open_leases_hang_on_is_found_by_every_reach,
    a_hold_ends_its_leases_and_no_others,
    a_lease_needs_the_lock,
    leases_page_with_the_newest_first,
    decisions_are_kept_whole,
    a_row_that_fits_no_state_is_an_error,
}

async fn a_request_is_answered_once(world: World) {
    let catalog = world.catalog().await;
    let pending =
        AccessRequest { created_at: Timestamp(NOW.0 + 1), ..request(&catalog.reader, &catalog.port.port_major) };
    let decided = Decided { by: catalog.owner.id, at: NOW, reason: Some("not now".into()) };
    let rejected = pending.clone().decide(RequestState::Rejected, decided).unwrap();
    let mut tx = world.facts().await;
    store::grant::insert_request(&mut tx, &pending).await.unwrap();
    assert_eq!(store::grant::get_request(&mut tx, pending.id).await.unwrap(), pending);
    store::grant::decide_request(&mut tx, &rejected).await.unwrap();
    assert_eq!(store::grant::get_request(&mut tx, pending.id).await.unwrap(), rejected);
    assert!(matches!(store::grant::decide_request(&mut tx, &rejected).await, Err(Error::Stale(_))));
}

async fn requests_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let second =
        AccessRequest { created_at: Timestamp(NOW.0 + 1), ..request(&catalog.reader, &catalog.port.port_major) };
    let another = request(&catalog.owner, &catalog.port.port_major);
    let mut tx = world.facts().await;
    for request in [&second, &another] {
        store::grant::insert_request(&mut tx, request).await.unwrap();
    }
    let all = store::grant::list_requests(&mut tx, ListScope::All, None, &Seek::first(3)).await.unwrap();
    assert_eq!((all.items, all.has_more), (vec![second.clone(), another, catalog.request.clone()], false));
    let own = ListScope::Own(catalog.reader.id);
    let newest = store::grant::list_requests(&mut tx, own, None, &Seek::first(1)).await.unwrap();
    assert_eq!((newest.items, newest.has_more), (vec![second.clone()], true));
    let seek = Seek { after: Some((second.created_at, second.id)), limit: 1 };
    let rest = store::grant::list_requests(&mut tx, own, None, &seek).await.unwrap();
    assert_eq!((rest.items, rest.has_more), (vec![catalog.request], false));
    let decided = Decided { by: catalog.owner.id, at: NOW, reason: Some("not now".into()) };
    store::grant::decide_request(&mut tx, &second.decide(RequestState::Rejected, decided).unwrap()).await.unwrap();
    for (state, n_requests) in [(RequestState::Pending, 2), (RequestState::Rejected, 1), (RequestState::Approved, 0)] {
        let found = store::grant::list_requests(&mut tx, ListScope::All, Some(state), &Seek::first(9)).await.unwrap();
        assert_eq!(found.items.len(), n_requests, "{state}");
    }
}

async fn a_list_reaches_as_far_as_the_roles_of_a_principal(world: World) {
    let catalog = world.catalog().await;
    let (holder, stranger) = (user("holder"), user("stranger"));
    let account = Principal { kind: PrincipalKind::Service { owner: stranger.id }, ..user("account") };
    let (below, beside) = (domain("sales/eu"), domain("sales-eu"));
    let mut tx = world.facts().await;
    for principal in [&holder, &stranger, &account] {
        store::identity::insert_principal(&mut tx, principal).await.unwrap();
    }
    let mut asked = vec![catalog.request.id];
    for domain in [&below, &beside] {
        store::org::insert(&mut tx, domain).await.unwrap();
        let product = product(domain, "orders");
        store::product::insert(&mut tx, &product).await.unwrap();
        let port_major = PortMajor { product_id: product.id, ..catalog.port.port_major.clone() };
        let request = request(&account, &port_major);
        store::grant::insert_request(&mut tx, &request).await.unwrap();
        store::grant::insert(&mut tx, &grant(&request, &catalog.owner)).await.unwrap();
        asked.push(request.id);
    }
    let sales = store::org::find_by_path(&mut tx, &"sales".parse().unwrap()).await.unwrap().unwrap();
    let assignment = RoleAssignment {
        id: id(RoleId::new),
        principal_id: holder.id,
        role: Role::Domain(sales.id, DomainRole::Owner),
        assigned_by: catalog.owner.id,
        assigned_at: NOW,
    };
    store::identity::insert_role(&mut tx, &assignment).await.unwrap();
    // Through the domain and those below, through what it asked for itself, and through the account it answers for.
    let reached = [
        (holder.id, vec![asked[0], asked[1]]),
        (catalog.reader.id, vec![asked[0]]),
        (stranger.id, vec![asked[1], asked[2]]),
        (account.id, vec![asked[1], asked[2]]),
        (catalog.owner.id, vec![]),
    ];
    for (principal_id, expected) in reached {
        let scope = ListScope::InReachOf(principal_id);
        let requests = store::grant::list_requests(&mut tx, scope, None, &Seek::first(9)).await.unwrap().items;
        let grants = store::grant::list(&mut tx, scope, &Seek::first(9)).await.unwrap().items;
        let requests: BTreeSet<_> = requests.iter().map(|request| request.id).collect();
        let grants: BTreeSet<_> = grants.iter().map(|grant| grant.request_id).collect();
        let expected: BTreeSet<_> = expected.into_iter().collect();
        assert_eq!((&requests, &grants), (&expected, &expected), "{principal_id}");
    }

    // What was done through a binding belongs to the product of its contract.
    let [first, second] = [(&catalog.reader, catalog.binding.id), (&account, id(BindingId::new))]
        .map(|(principal, binding_id)| done_by(&catalog, principal, binding_id));
    for (lease, decision) in [&first, &second] {
        store::lease::insert(&mut tx, lease).await.unwrap();
        store::gate::insert_decision(&mut tx, decision).await.unwrap();
    }
    let reached = [
        (holder.id, vec![&first]),
        (catalog.reader.id, vec![&first]),
        (stranger.id, vec![&second]),
        (account.id, vec![&second]),
        (catalog.owner.id, vec![]),
    ];
    for (principal_id, expected) in reached {
        let scope = ListScope::InReachOf(principal_id);
        let leases = store::lease::list(&mut tx, scope, &Seek::first(9)).await.unwrap().items;
        let decisions = store::gate::list_decisions(&mut tx, scope, &Seek::first(9)).await.unwrap().items;
        let expected: (Vec<_>, Vec<_>) = expected.into_iter().cloned().unzip();
        assert_eq!((leases, decisions), expected, "{principal_id}");
    }
}

/// A lease of a principal's, and the decision behind it.
fn done_by(catalog: &Catalog, principal: &Principal, binding_id: BindingId) -> (Lease, Explained) {
    let lease = Lease { principal_id: principal.id, binding_id, ..catalog.lease(LeaseState::Issued) };
    let decision = Explained {
        id: lease.decision_id,
        principal_id: principal.id,
        action: lease.action,
        binding_id,
        at: NOW,
        allowed: true,
        lines: Vec::new(),
        served: lease.snapshot_id,
        retry_at: None,
    };
    (lease, decision)
}

async fn grants_are_found_for_a_port(world: World) {
    let catalog = world.catalog().await;
    let port_major = catalog.port.port_major.clone();
    let second = grant(&catalog.request, &catalog.owner);
    let second = store::grant::insert(&mut world.facts().await, &second).await;
    assert_eq!(second.unwrap_err().violated(), Some(Constraint::GrantRequest));
    let mut reader = world.read().await;
    let found = store::grant::find_newest_for_port(&mut reader, catalog.reader.id, &port_major).await.unwrap();
    assert_eq!(found.as_ref(), Some(&catalog.grant));
    let next_major = PortMajor { major: 2, ..port_major };
    let found = store::grant::find_newest_for_port(&mut reader, catalog.reader.id, &next_major).await.unwrap();
    assert_eq!(found, None);
}

async fn a_holder_s_grants_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let mut expected = vec![catalog.grant.id];
    // Two share a moment: the id decides.
    for (holder, seconds) in [(&catalog.reader, 2), (&catalog.reader, 2), (&catalog.owner, 3)] {
        let request = request(holder, &catalog.port.port_major);
        let grant = Grant { granted_at: Timestamp(NOW.0 + seconds), ..grant(&request, &catalog.owner) };
        store::grant::insert_request(&mut tx, &request).await.unwrap();
        store::grant::insert(&mut tx, &grant).await.unwrap();
        if holder.id == catalog.reader.id {
            expected.insert(0, grant.id);
        }
    }
    let (mut seen, mut seek) = (Vec::new(), Seek::first(2));
    for has_more in [true, false] {
        let page = store::grant::list(&mut tx, ListScope::Own(catalog.reader.id), &seek).await.unwrap();
        assert_eq!(page.has_more, has_more);
        seek.after = page.items.last().map(|grant| (grant.granted_at, grant.id));
        seen.extend(page.items.iter().map(|grant| grant.id));
    }
    assert_eq!(seen, expected);
}

async fn a_revoke_ends_every_open_lease_of_the_grant(world: World) {
    let catalog = world.catalog().await;
    let [intended, issued, ended] =
        [LeaseState::Intended, LeaseState::Issued, LeaseState::Ended].map(|s| catalog.lease(s));
    let of_no_grant = Lease { grant_id: None, ..catalog.lease(LeaseState::Issued) };
    let mut tx = world.db.write(Lock::FactsShared).await.unwrap();
    for lease in [&intended, &issued, &ended, &of_no_grant] {
        store::lease::insert(&mut tx, lease).await.unwrap();
        assert_eq!(store::lease::get(&mut tx, lease.id).await.unwrap(), *lease);
    }
    let open = store::lease::list_open_of_grant(&mut tx, catalog.grant.id, NOW).await.unwrap();
    assert_eq!(open, std::slice::from_ref(&issued));
    assert_eq!(store::lease::list_revoked_of_grant(&mut tx, catalog.grant.id).await.unwrap(), []);
    tx.commit().await.unwrap();

    let revoked = Decided { by: catalog.owner.id, at: NOW, reason: Some("over".into()) };
    let revoked = catalog.grant.clone().revoke(revoked).unwrap();
    let mut tx = world.facts().await;
    assert_eq!(store::grant::revoke(&mut tx, &revoked).await.unwrap(), 2);
    assert_eq!(store::grant::get(&mut tx, revoked.id).await.unwrap(), revoked);
    tx.commit().await.unwrap();

    let mut tx = world.db.write(Lock::FactsShared).await.unwrap();
    assert!(!store::lease::issue(&mut tx, intended.id).await.unwrap(), "a revoke came between");
    assert!(!store::lease::end(&mut tx, issued.id).await.unwrap());
    for (lease, state) in [
        (&intended, LeaseState::Revoked),
        (&issued, LeaseState::Revoked),
        (&ended, LeaseState::Ended),
        (&of_no_grant, LeaseState::Issued),
    ] {
        assert_eq!(store::lease::get(&mut tx, lease.id).await.unwrap().state, state);
    }
    let revoked_leases = store::lease::list_revoked_of_grant(&mut tx, catalog.grant.id).await.unwrap();
    let expected = [intended, issued].map(|lease| Lease { state: LeaseState::Revoked, ..lease });
    assert_eq!(revoked_leases, expected);
    drop(tx);
    assert!(matches!(store::grant::revoke(&mut world.facts().await, &revoked).await, Err(Error::Stale(_))));
}

async fn only_an_intended_lease_is_abandoned(world: World) {
    let catalog = world.catalog().await;
    let states = [LeaseState::Intended, LeaseState::Issued, LeaseState::Ended, LeaseState::Revoked];
    for (state, after) in states.into_iter().zip([LeaseState::Ended, states[1], states[2], states[3]]) {
        let lease = catalog.lease(state);
        let mut tx = world.facts().await;
        store::lease::insert(&mut tx, &lease).await.unwrap();
        assert_eq!(store::lease::abandon(&mut tx, lease.id).await.unwrap(), state == LeaseState::Intended);
        assert_eq!(store::lease::get(&mut tx, lease.id).await.unwrap().state, after);
    }
}

/// Those that are open or intended, and none of an inspection.
async fn what_open_leases_hang_on_is_found_by_every_reach(world: World) {
    let catalog = world.catalog().await;
    let account = Principal { kind: PrincipalKind::Service { owner: catalog.reader.id }, ..user("account") };
    let other_table = id(TableId::new);
    let issued = catalog.lease(LeaseState::Issued);
    let same = Lease { id: id(LeaseId::new), ..issued.clone() };
    let intended = Lease { principal_id: account.id, grant_id: None, ..catalog.lease(LeaseState::Intended) };
    let elsewhere = Lease { table_id: other_table, ..catalog.lease(LeaseState::Issued) };
    let of_others = Lease { principal_id: catalog.owner.id, ..catalog.lease(LeaseState::Issued) };
    let closed = [
        Lease { expires_at: NOW, ..catalog.lease(LeaseState::Issued) },
        catalog.lease(LeaseState::Ended),
        catalog.lease(LeaseState::Revoked),
        Lease { action: Action::Inspect, ..catalog.lease(LeaseState::Issued) },
    ]
    .map(|lease| Lease { purpose: PurposeCode::Support, ..lease });
    let mut tx = world.facts().await;
    store::identity::insert_principal(&mut tx, &account).await.unwrap();
    let consent = Share {
        table_id: catalog.table.id,
        product_id: catalog.product.id,
        right: ShareRight::Consent { by: account.id, at: NOW },
    };
    // Its last binding is gone, and the table is still its own.
    let domain = domain("earlier");
    store::org::insert(&mut tx, &domain).await.unwrap();
    let without_binding = product(&domain, "earlier");
    store::product::insert(&mut tx, &without_binding).await.unwrap();
    let owner = Share { product_id: without_binding.id, right: ShareRight::Owner, ..consent };
    store::share::replace(&mut tx, catalog.table.id, &[consent, owner]).await.unwrap();
    for lease in [&issued, &same, &intended, &elsewhere, &of_others].into_iter().chain(&closed) {
        store::lease::insert(&mut tx, lease).await.unwrap();
    }
    let holds = |leases: &[&Lease]| leases.iter().map(|lease| lease.hold()).collect::<HashSet<_>>();
    let on_table = holds(&[&issued, &intended, &of_others]);
    for (reach, expected) in [
        (Reach::Principal(catalog.reader.id), holds(&[&issued, &intended, &elsewhere])),
        (Reach::Principal(account.id), holds(&[&intended])),
        (Reach::Product(catalog.product.id), on_table.clone()),
        (Reach::Product(without_binding.id), on_table.clone()),
        (Reach::Contract(catalog.contract.id), on_table.clone()),
        (Reach::Table(catalog.table.id), on_table.clone()),
        (Reach::ConsentsOf(account.id), on_table.clone()),
        (Reach::ConsentsOf(catalog.reader.id), on_table),
        (Reach::ConsentsOf(catalog.owner.id), holds(&[])),
        (Reach::Table(other_table), holds(&[&elsewhere])),
        (Reach::Product(id(ProductId::new)), holds(&[])),
    ] {
        let found = store::lease::list_holds(&mut tx, reach, NOW).await.unwrap();
        assert_eq!(found.len(), expected.len(), "{reach:?}: each once");
        assert_eq!(found.into_iter().collect::<HashSet<_>>(), expected, "{reach:?}");
    }
}

async fn a_hold_ends_its_leases_and_no_others(world: World) {
    let catalog = world.catalog().await;
    let issued = catalog.lease(LeaseState::Issued);
    let intended = Lease { id: id(LeaseId::new), state: LeaseState::Intended, ..issued.clone() };
    let others = [
        Lease { principal_id: catalog.owner.id, ..catalog.lease(LeaseState::Issued) },
        Lease { action: Action::Repair, ..catalog.lease(LeaseState::Issued) },
        Lease { binding_id: id(BindingId::new), ..catalog.lease(LeaseState::Issued) },
        Lease { table_id: id(TableId::new), ..catalog.lease(LeaseState::Issued) },
        Lease { grant_id: None, ..catalog.lease(LeaseState::Issued) },
        Lease { purpose: PurposeCode::Support, ..catalog.lease(LeaseState::Issued) },
        Lease { expires_at: NOW, ..catalog.lease(LeaseState::Issued) },
        catalog.lease(LeaseState::Ended),
    ];
    let mut tx = world.facts().await;
    for lease in [&issued, &intended].into_iter().chain(&others) {
        store::lease::insert(&mut tx, lease).await.unwrap();
    }
    let (sooner, later) = (Timestamp(NOW.0 + 5), Timestamp(NOW.0 + 9));
    store::lease::end_by(&mut tx, &issued.hold(), sooner, NOW).await.unwrap();
    store::lease::end_by(&mut tx, &issued.hold(), later, NOW).await.unwrap();
    for lease in [&issued, &intended] {
        let ended = Lease { expires_at: sooner, ..lease.clone() };
        assert_eq!(store::lease::get(&mut tx, lease.id).await.unwrap(), ended, "never later than before");
    }
    assert_eq!(store::lease::revoke_of_hold(&mut tx, &issued.hold(), NOW).await.unwrap(), 2);
    assert_eq!(store::lease::revoke_of_hold(&mut tx, &issued.hold(), NOW).await.unwrap(), 0);
    for lease in &others {
        assert_eq!(store::lease::get(&mut tx, lease.id).await.unwrap(), *lease);
    }
    assert_eq!(store::lease::revoke_of_hold(&mut tx, &others[4].hold(), NOW).await.unwrap(), 1, "of no grant");
}

async fn a_lease_needs_the_lock(world: World) {
    let catalog = world.catalog().await;
    let lease = catalog.lease(LeaseState::Intended);
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    assert!(matches!(store::lease::insert(&mut tx, &lease).await, Err(Error::LockNeeded)));
    drop(tx);
    let mut tx = world.facts().await;
    store::lease::insert(&mut tx, &lease).await.unwrap();
    assert!(store::lease::issue(&mut tx, lease.id).await.unwrap());
    assert!(!store::lease::issue(&mut tx, lease.id).await.unwrap());
    assert_eq!(store::lease::revoke_of_hold(&mut tx, &lease.hold(), NOW).await.unwrap(), 1);
}

async fn leases_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let mut ids = Vec::new();
    // Two share a moment: the id decides.
    for seconds in [1, 2, 2, 3] {
        let issued_at = Timestamp(NOW.0 + seconds);
        let lease = Lease { issued_at, ..catalog.lease(LeaseState::Issued) };
        store::lease::insert(&mut tx, &lease).await.unwrap();
        ids.push(lease.id);
    }
    tx.commit().await.unwrap();
    ids.reverse();
    let mut reader = world.read().await;
    let (mut seen, mut seek) = (Vec::new(), Seek::first(2));
    for has_more in [true, false] {
        let page = store::lease::list(&mut reader, ListScope::Own(catalog.reader.id), &seek).await.unwrap();
        assert_eq!(page.has_more, has_more);
        seek.after = page.items.last().map(|lease| (lease.issued_at, lease.id));
        seen.extend(page.items.iter().map(|lease| lease.id));
    }
    assert_eq!(seen, ids);
    let all = store::lease::list(&mut reader, ListScope::All, &Seek::first(9)).await.unwrap();
    assert_eq!(all.items.iter().map(|lease| lease.id).collect::<Vec<_>>(), ids);
}

/// A decision with every check, outcome and right in it.
pub(crate) fn decision(id: DecisionId) -> Explained {
    let rights = [DetailRight::Column(Classification::Restricted), DetailRight::Quality, DetailRight::Owner];
    let details = rights.map(|right| Detail { right, text: "`é`".into() });
    let line = |(n, check): (usize, &Check)| Line {
        check: *check,
        outcome: LineOutcome::ALL[n % LineOutcome::ALL.len()],
        code: Code::not_checked(*check),
        message: "because".into(),
        details: details[..n % 4].to_vec(),
    };
    Explained {
        id,
        principal_id: crate::world::id(PrincipalId::new),
        action: Action::Repair,
        binding_id: crate::world::id(BindingId::new),
        at: NOW,
        allowed: false,
        lines: Check::ALL.iter().enumerate().map(line).collect(),
        served: Some(crate::world::id(SnapshotId::new)),
        retry_at: Some(Timestamp(NOW.0 + 1)),
    }
}

async fn decisions_are_kept_whole(world: World) {
    let decision = decision(id(DecisionId::new));
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    store::gate::insert_decision(&mut tx, &decision).await.unwrap();
    let found = store::gate::find_decision(&mut tx, decision.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&decision));
    let of_principal = ListScope::Own(decision.principal_id);
    let of_principal = store::gate::list_decisions(&mut tx, of_principal, &Seek::first(3)).await;
    assert_eq!(of_principal.unwrap().items, [decision]);
}

async fn a_row_that_fits_no_state_is_an_error(world: World) {
    let catalog = world.catalog().await;
    // The store writes no active version whose `since` is missing, so this is an access request that is approved and has
    // no approver.
    let answered =
        AccessRequest { state: RequestState::Approved, ..request(&catalog.reader, &catalog.port.port_major) };
    let mut tx = world.facts().await;
    store::grant::insert_request(&mut tx, &answered).await.unwrap();
    match store::grant::find_request(&mut tx, answered.id).await {
        Err(Error::Inconsistent { table, row, .. }) => {
            assert_eq!((table, row), ("access_requests", answered.id.to_string()));
        }
        other => panic!("{other:?}"),
    }
    let draft = version(&catalog.contract, "1.0.0", domain::contract::State::NEW);
    store::contract::insert_version(&mut tx, &draft).await.unwrap();
}
