//! Change notices, on both databases.

use domain::change::FindingRecord;
use domain::clock::Timestamp;
use domain::grant::{Decided, Grant, PortMajor, Window};
use domain::id::{AccessRequestId, AnswerId, GrantId, NoticeId};
use domain::identity::{Principal, PrincipalKind};
use domain::notice::{Answer, ChangeNotice, Reply, Side};
use domain::version::Bump;
use store::{Constraint, Error, Seek};

use crate::world::{Catalog, NOW, World, id, request, user};

crate::suite! {
    notices_are_kept_whole,
    two_majors_have_one_notice,
    a_closed_notice_does_not_change,
    notices_page_with_the_newest_first,
    answers_are_kept_with_their_history,
    readers_of_a_port_are_those_whose_grants_stand,
    the_grants_of_a_persons_accounts_are_found,
}

fn notice(catalog: &Catalog, to: &str) -> ChangeNotice {
    let side = |version: &str| Side { contract_id: catalog.contract.id, version: version.parse().unwrap() };
    ChangeNotice {
        id: id(NoticeId::new),
        product_id: catalog.product.id,
        from: side("1.4.2"),
        to: side(to),
        findings: vec![FindingRecord {
            path: "orders.amount".into(),
            rule: "column.removed.required".into(),
            history_safe: true,
            consumer_safe: false,
            bump: Bump::Major,
            message: "it was \"removed\"\n".into(),
            before: Some("number, \"required\"".into()),
            after: None,
            proof: Some("no row has one".into()),
        }],
        migration_note: Some("read `total`".into()),
        deadline: Timestamp(NOW.0 + 90),
        opened_at: NOW,
        closed_at: None,
    }
}

async fn insert(world: &World, notices: &[&ChangeNotice]) {
    let mut tx = world.facts().await;
    for notice in notices {
        store::notice::insert(&mut tx, notice).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn notices_are_kept_whole(world: World) {
    let catalog = world.catalog().await;
    let full = notice(&catalog, "2.0.1");
    let bare = ChangeNotice { findings: vec![], migration_note: None, ..notice(&catalog, "3.0.0") };
    let all = [full, bare];
    insert(&world, &[&all[0], &all[1]]).await;
    let mut reader = world.read().await;
    for notice in &all {
        assert_eq!(store::notice::find(&mut reader, notice.id).await.unwrap().as_ref(), Some(notice));
        let (contract_id, major) = notice.to.major();
        let of_successor = store::notice::list_of_major(&mut reader, contract_id, major).await.unwrap();
        assert_eq!(of_successor, std::slice::from_ref(notice));
    }
    assert_eq!(store::notice::list_of_major(&mut reader, catalog.contract.id, 1).await.unwrap(), all);
    assert_eq!(store::notice::list_of_major(&mut reader, catalog.contract.id, 9).await.unwrap(), []);
    assert_eq!(store::notice::find(&mut reader, id(NoticeId::new)).await.unwrap(), None);
    let ids = [all[0].id, id(NoticeId::new)];
    assert_eq!(store::notice::list_by_ids(&mut reader, &ids).await.unwrap(), all[..1]);
}

async fn two_majors_have_one_notice(world: World) {
    let catalog = world.catalog().await;
    insert(&world, &[&notice(&catalog, "2.0.0")]).await;
    let again = store::notice::insert(&mut world.facts().await, &notice(&catalog, "2.1.0")).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::NoticeMajors));
}

async fn a_closed_notice_does_not_change(world: World) {
    let catalog = world.catalog().await;
    let open = notice(&catalog, "2.0.0");
    insert(&world, &[&open]).await;
    let later = ChangeNotice { migration_note: None, deadline: Timestamp(NOW.0 + 99), ..open.clone() };
    let closed = ChangeNotice { closed_at: Some(Timestamp(NOW.0 + 5)), ..later.clone() };
    let mut tx = world.facts().await;
    for changed in [&later, &closed] {
        store::notice::update(&mut tx, changed).await.unwrap();
        assert_eq!(store::notice::find(&mut tx, open.id).await.unwrap().as_ref(), Some(changed));
    }
    assert!(matches!(store::notice::update(&mut tx, &later).await, Err(Error::Stale("notice"))));
}

async fn notices_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let at = |to: &str, seconds: i64| ChangeNotice { opened_at: Timestamp(NOW.0 + seconds), ..notice(&catalog, to) };
    let (first, second, third) = (at("2.0.0", 1), at("3.0.0", 2), at("4.0.0", 2));
    insert(&world, &[&second, &first, &third]).await;
    let mut reader = world.read().await;
    let page = store::notice::list(&mut reader, None, &Seek::first(2)).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![third.clone(), second.clone()], true));
    let seek = Seek { after: Some((second.opened_at, second.id)), limit: 2 };
    let page = store::notice::list(&mut reader, Some(catalog.product.id), &seek).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![first], false));
    let other = store::notice::list(&mut reader, Some(id(domain::id::ProductId::new)), &Seek::first(9)).await;
    assert_eq!(other.unwrap().items, []);
}

async fn answers_are_kept_with_their_history(world: World) {
    let catalog = world.catalog().await;
    let notice = notice(&catalog, "2.0.0");
    insert(&world, &[&notice]).await;
    let answer = |principal: &Principal, reply, seconds: i64| Answer {
        id: id(AnswerId::new),
        notice_id: notice.id,
        principal_id: principal.id,
        by: catalog.owner.id,
        reply,
        reason: (reply != Reply::Acknowledged).then(|| "a \u{fc}ber reason".to_owned()),
        at: Timestamp(NOW.0 + seconds),
    };
    let answers = [
        answer(&catalog.reader, Reply::Objects, 1),
        answer(&catalog.reader, Reply::NeedsTime { until: Timestamp(7) }, 2),
        answer(&catalog.reader, Reply::Acknowledged, 3),
    ];
    let other = answer(&catalog.owner, Reply::Objects, 2);
    let mut tx = world.facts().await;
    for answer in [&answers[2], &other, &answers[0], &answers[1]] {
        store::notice::insert_answer(&mut tx, answer).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    let of = [catalog.reader.id];
    assert_eq!(store::notice::list_answers(&mut reader, notice.id, &of).await.unwrap(), answers);
    assert_eq!(store::notice::list_answers(&mut reader, id(NoticeId::new), &of).await.unwrap(), []);
    assert_eq!(store::notice::get_answer(&mut reader, other.id).await.unwrap(), other);
}

async fn readers_of_a_port_are_those_whose_grants_stand(world: World) {
    let catalog = world.catalog().await;
    let port = &catalog.port.port_major;
    let other_major = PortMajor { major: 2, ..port.clone() };
    let grant = |port: &PortMajor, granted: i64, until: i64| Grant {
        id: id(GrantId::new),
        request_id: id(AccessRequestId::new),
        port_major: port.clone(),
        granted_at: Timestamp(NOW.0 + granted),
        window: Window { from: Timestamp(NOW.0 + 50), until: Timestamp(NOW.0 + until) },
        ..catalog.grant.clone()
    };
    let (upcoming, over, elsewhere) = (grant(port, 2, 90), grant(port, 3, 5), grant(&other_major, 4, 90));
    let mut revoked = grant(port, 5, 90);
    let mut tx = world.facts().await;
    for grant in [&upcoming, &over, &elsewhere, &revoked] {
        let asked = domain::grant::AccessRequest { id: grant.request_id, ..request(&catalog.reader, port) };
        store::grant::insert_request(&mut tx, &asked).await.unwrap();
        store::grant::insert(&mut tx, grant).await.unwrap();
    }
    revoked.revoked = Some(Decided { by: catalog.owner.id, at: NOW, reason: Some("no more".into()) });
    store::grant::revoke(&mut tx, &revoked).await.unwrap();
    tx.commit().await.unwrap();
    let now = Timestamp(NOW.0 + 5);
    let mut reader = world.read().await;
    let page = store::grant::list_standing_on_port(&mut reader, port, now, &Seek::first(1)).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![upcoming.clone()], true));
    let seek = Seek { after: Some((upcoming.granted_at, upcoming.id)), limit: 1 };
    let page = store::grant::list_standing_on_port(&mut reader, port, now, &seek).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![catalog.grant.clone()], false));
}

async fn the_grants_of_a_persons_accounts_are_found(world: World) {
    let catalog = world.catalog().await;
    let robot = Principal { kind: PrincipalKind::Service { owner: catalog.reader.id }, ..user("robot") };
    let asked = request(&robot, &catalog.port.port_major);
    let given = crate::world::grant(&asked, &catalog.owner);
    let mut tx = world.facts().await;
    store::identity::insert_principal(&mut tx, &robot).await.unwrap();
    store::grant::insert_request(&mut tx, &asked).await.unwrap();
    store::grant::insert(&mut tx, &given).await.unwrap();
    let mut found = async |owner, now| store::grant::list_standing_of_accounts(&mut tx, owner, now).await.unwrap();
    assert_eq!(found(catalog.reader.id, NOW).await, std::slice::from_ref(&given));
    assert_eq!(found(catalog.owner.id, NOW).await, []);
    assert_eq!(found(catalog.reader.id, given.window.until).await, []);
}
