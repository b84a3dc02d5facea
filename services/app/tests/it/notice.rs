//! Breaking successors: whom a notice is for, what they may answer, and that nothing moves by itself.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::error::Error;
use app::gate::Vended;
use app::grant::RequestAccess;
use app::lineage::{Reads, reads_of_holders};
use app::notice::{AnswerNotice, NoticeView, Outcome, UpdateNotice, list_consumers, list_notices, load_notices};
use app::target::PortTarget;
use domain::audit;
use domain::clock::Timestamp;
use domain::contract::State;
use domain::error::Kind;
use domain::gate::Action;
use domain::grant::{AccessRequest, ClosedBy};
use domain::id::{GrantId, NoticeId, PrincipalId};
use domain::identity::{DomainRole, PlatformRole};
use domain::notice::{Reply, ReplyKind};
use store::Seek;
use testkit::actor::{TestActor, access_to, refused};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use crate::publish::{COLUMNS, CONTRACT, PRODUCT};

const ORDERS: &str = "shop.orders.orders";
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// A port of two majors, both of one contract.
const TWO_MAJORS: &str = "  - name: orders\n    version: 1.0.0\n    contractId: orders-contract\n  - name: orders\n    version: 2.0.0\n    contractId: orders-contract\n";

/// The domain `shop` with its product in version 1, and a reader with a grant.
struct World {
    test: TestApp,
    owner: TestActor,
    reader: TestActor,
}

impl World {
    async fn new() -> Self {
        Self::of(CONTRACT).await
    }

    async fn of(contract: &str) -> Self {
        let test = TestApp::start().await;
        let owner = test.domain("shop").await;
        let reader = test.principal("reader").await;
        test.publish(&owner, "shop", &[PRODUCT, contract]).await;
        test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
        Self { test, owner, reader }
    }

    /// With a grant of the reader on the plain name, and a breaking successor.
    async fn succeeded() -> Self {
        let world = Self::new().await;
        world.granted(&world.reader, None).await;
        world.succeed().await;
        Self { reader: world.test.ctx("reader").await, ..world }
    }

    /// Publishes a breaking successor, and the port's next major with it.
    async fn succeed(&self) {
        self.publish(&[&two_majors(), &breaking("2.0.0")]).await;
    }

    async fn publish(&self, documents: &[&str]) {
        self.test.publish(&self.owner, "shop", documents).await;
    }

    /// Publishes a version with another status.
    async fn end(&self, version: &str, status: &str) {
        let document = if version.starts_with('2') { breaking(version) } else { numbered(CONTRACT, version) };
        self.publish(&[&document.replace("status: active", &format!("status: {status}"))]).await;
    }

    async fn ask(&self, ctx: &TestActor, major: Option<u64>) -> Result<AccessRequest, Error> {
        ctx.requests(self.access(major)).await
    }

    async fn granted(&self, ctx: &TestActor, major: Option<u64>) -> GrantId {
        self.owner.grants(ctx, self.access(major)).await.unwrap()
    }

    /// Access to the plain name or to a major, for 300 days.
    fn access(&self, major: Option<u64>) -> RequestAccess {
        let access = RequestAccess { until: Some(self.test.app.now().plus(300 * DAY)), ..access_to(ORDERS) };
        let Some(major) = major else { return access };
        let target = PortTarget::Port {
            domain: "shop".parse().unwrap(),
            product: "orders".parse().unwrap(),
            port: "orders".parse().unwrap(),
            major: Some(major),
        };
        RequestAccess { target, ..access }
    }

    async fn notices(&self, ctx: &TestActor) -> Vec<NoticeView> {
        list_notices(ctx, None, Seek::first(50)).await.unwrap().items
    }

    async fn notice(&self) -> NoticeView {
        let mut notices = self.notices(&self.owner).await;
        assert_eq!(notices.len(), 1, "{notices:?}");
        notices.remove(0)
    }

    /// What is answered under a plain name or with a major: the address that was opened, or the codes of what fails.
    async fn read(&self, ctx: &TestActor, address: &str) -> Result<u64, Vec<String>> {
        match ctx.vends(address, Action::Read).await.unwrap() {
            Vended::Issued(issued) => {
                let mut tx = self.test.app.db.read().await.unwrap();
                let grant = store::grant::find(&mut tx, issued.lease.grant_id.unwrap()).await.unwrap().unwrap();
                Ok(grant.port_major.major)
            }
            shut @ Vended::Refused(_) => Err(refused(Ok(shut))),
        }
    }

    async fn state(&self, version: &str) -> State {
        let address = app::contract::VersionAddress {
            domain: "shop".parse().unwrap(),
            product: "orders".parse().unwrap(),
            contract: "orders-contract".to_owned(),
            version: version.parse().unwrap(),
        };
        app::contract::find_version(&self.owner, &address).await.unwrap().unwrap().version.state
    }

    /// The number of the records of an action.
    async fn n_records(&self, action: audit::Action) -> usize {
        self.test.records(action).await.len()
    }

    /// The number of the events of a kind.
    async fn n_events(&self, kind: &str) -> usize {
        let mut tx = self.test.app.db.read().await.unwrap();
        let events = store::outbox::list_after(&mut tx, 0, 10_000).await.unwrap();
        events.iter().filter(|event| event.event.kind().as_str() == kind).count()
    }
}

fn two_majors() -> String {
    let one = "  - name: orders\n    version: 1.0.0\n    contractId: orders-contract\n";
    assert!(PRODUCT.contains(one));
    PRODUCT.replace(one, TWO_MAJORS)
}

fn numbered(contract: &str, version: &str) -> String {
    contract.replace("version: 1.0.0", &format!("version: {version}"))
}

/// A version of the contract without the column `amount`, and with a note.
fn breaking(version: &str) -> String {
    let note = "status: active\ncustomProperties:\n  - property: migrationNote\n    value: sum the items\n";
    numbered(CONTRACT, version)
        .replace("      - name: amount\n        logicalType: number\n", "")
        .replace("status: active\n", note)
}

async fn answer_notice(ctx: &TestActor, command: AnswerNotice) -> Result<(NoticeView, domain::notice::Answer), Error> {
    app::notice::answer_notice(ctx, command).await.map(done)
}

async fn update_notice(ctx: &TestActor, command: UpdateNotice) -> Result<NoticeView, Error> {
    app::notice::update_notice(ctx, command).await.map(done)
}

fn done<T>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(done) => done,
        Outcome::Closed(view) => panic!("closed: {view:?}"),
    }
}

fn answer(id: NoticeId, reply: Reply, reason: Option<&str>) -> AnswerNotice {
    AnswerNotice { id, principal_id: None, reply, reason: reason.map(str::to_owned), key: None }
}

fn update(id: NoticeId, note: Option<&str>, deadline: Option<Timestamp>) -> UpdateNotice {
    UpdateNotice { id, migration_note: note.map(str::to_owned), deadline, key: None }
}

#[tokio::test]
async fn a_new_major_opens_one_notice_in_the_transaction_that_activates_it() {
    let world = World::new().await;
    world.publish(&[&numbered(CONTRACT, "1.0.1")]).await;
    assert!(world.notices(&world.owner).await.is_empty(), "a patch breaks nobody");
    let before = world.n_records(audit::Action::ContractActivate).await;
    world.succeed().await;
    assert_eq!(world.n_records(audit::Action::ContractActivate).await, before + 1);

    let NoticeView { notice, concerned, .. } = world.notice().await;
    assert_eq!((notice.from.version.to_string(), notice.to.version.to_string()), ("1.0.1".into(), "2.0.0".into()));
    let paths: Vec<_> = notice.findings.iter().map(|finding| (finding.path.as_str(), finding.consumer_safe)).collect();
    assert!(paths.contains(&("orders.amount", false)), "{paths:?}");
    assert_eq!(notice.migration_note.as_deref(), Some("sum the items"));
    assert_eq!(notice.deadline, world.test.app.now().plus(90 * DAY));
    assert_eq!((notice.opened_at, notice.closed_at), (world.test.app.now(), None));
    assert_eq!(concerned.iter().map(|port| (port.port.as_str(), port.major)).collect::<Vec<_>>(), [("orders", 1)]);
    let records = world.test.records(audit::Action::NoticeOpen).await;
    assert_eq!((records.len(), world.n_events("notice.opened").await), (1, 1));
    assert_eq!(records[0].resource.id, notice.id.to_string());

    world.publish(&[&breaking("2.0.1"), &two_majors(), &numbered(CONTRACT, "1.0.2")]).await;
    assert_eq!(world.notice().await.notice, notice, "once");
}

#[tokio::test]
async fn the_deadline_is_when_the_old_major_ends() {
    let support = "slaProperties:\n  - property: endOfSupport\n    value: 2027-05-01\nschema:\n";
    let promised = CONTRACT.replace("schema:\n", support);
    let world = World::of(&promised).await;
    let late = breaking("2.0.0").replace("schema:\n", &support.replace("2027", "2030"));
    world.publish(&[&late]).await;
    assert_eq!(world.notice().await.notice.deadline.to_string(), "2027-05-01T00:00:00Z", "the old one's");

    let world = World::new().await;
    world.end("1.0.0", "deprecated").await;
    let sunset = world.test.app.now().plus(90 * DAY);
    world.test.clock.advance(10 * DAY);
    world.publish(&[&breaking("2.0.0")]).await;
    assert_eq!(world.notice().await.notice.deadline, sunset);
}

#[tokio::test]
async fn another_contract_on_the_ports_next_major_is_a_successor_too() {
    let world = World::new().await;
    world.granted(&world.reader, Some(1)).await;
    let other = CONTRACT
        .replace("id: orders-contract", "id: sales-contract")
        .replace("shop/{model}", "shop/sales")
        .replace("- name: orders", "- name: sales");
    let another = "  - name: sales\n    version: 1.0.0\n    contractId: sales-contract\n";
    world.publish(&[&format!("{PRODUCT}{another}"), &other]).await;
    world.test.lay("shop/sales", 0, Scene::of(COLUMNS)).await;
    assert!(world.notices(&world.owner).await.is_empty(), "it is on no line that has readers");
    let next = another.replace("- name: sales", "- name: orders").replace("1.0.0", "2.0.0");
    world.publish(&[&format!("{PRODUCT}{another}{next}")]).await;
    let view = world.notice().await;
    assert_ne!(view.notice.from.contract_id, view.notice.to.contract_id);
    assert_eq!(view.concerned.len(), 1);
    assert_eq!(world.notices(&world.test.ctx("reader").await).await.len(), 1);
}

#[tokio::test]
async fn a_notice_is_seen_by_the_domain_by_those_concerned_and_by_those_who_watch() {
    let world = World::succeeded().await;
    let test = &world.test;
    for (subject, role) in [("pub", DomainRole::Publisher), ("con", DomainRole::Consumer)] {
        test.member(subject, &[("shop", role)]).await;
    }
    for (subject, role) in [("steward", PlatformRole::Steward), ("auditor", PlatformRole::Auditor)] {
        test.officer(subject, role).await;
    }
    test.principal("stranger").await;
    let newcomer = test.principal("newcomer").await;
    world.granted(&newcomer, Some(2)).await;
    let other = test.domain("other").await;
    let id = world.notice().await.notice.id;
    let people = [
        ("owner-shop", true, 1),
        ("reader", true, 1),
        ("admin", true, 1),
        ("steward", true, 1),
        ("auditor", true, 1),
        ("pub", true, 0),
        ("con", true, 0),
        ("stranger", false, 0),
        ("newcomer", false, 0),
    ];
    for (subject, sees, n_consumers) in people {
        let ctx = test.ctx(subject).await;
        let listed = world.notices(&ctx).await.len();
        let loaded = load_notices(&ctx, &[id]).await.unwrap().len();
        let consumers = list_consumers(&ctx, id, Seek::first(50)).await.unwrap().items.len();
        assert_eq!((listed, loaded, consumers), (usize::from(sees), usize::from(sees), n_consumers), "{subject}");
    }
    assert!(world.notices(&other).await.is_empty());
}

#[tokio::test]
async fn a_consumer_sees_its_own_line_only_and_owners_see_all() {
    let world = World::new().await;
    let other = world.test.principal("other").await;
    world.granted(&world.reader, None).await;
    world.test.clock.advance(Duration::from_millis(1));
    world.granted(&other, None).await;
    world.succeed().await;
    let id = world.notice().await.notice.id;
    answer_notice(&other, answer(id, Reply::Objects, Some("no"))).await.unwrap();
    let lines = async |ctx: &TestActor| list_consumers(ctx, id, Seek::first(50)).await.unwrap().items;
    let own = lines(&world.test.ctx("reader").await).await;
    assert_eq!(own.len(), 1);
    assert_eq!((own[0].grant.principal_id, own[0].answers.len()), (world.reader.id(), 0));
    let all = lines(&world.owner).await;
    // Nothing is recorded, and neither says what it reads.
    let view = world.notice().await;
    let grants: Vec<_> = all.iter().map(|line| &line.grant).collect();
    let reads = reads_of_holders(&world.owner, &view.notice, &grants).await.unwrap();
    assert_eq!(reads, [Reads::Unknown, Reads::Unknown]);
    assert_eq!(all.iter().map(|line| line.answers.len()).collect::<Vec<_>>(), [1, 0]);
    let page = list_consumers(&world.owner, id, Seek::first(1)).await.unwrap();
    assert!(page.has_more);
    let seek = Seek { after: Some((page.items[0].grant.granted_at, page.items[0].grant.id)), limit: 1 };
    let next = list_consumers(&world.owner, id, seek).await.unwrap();
    assert_eq!((next.items[0].grant.id, next.has_more), (all[1].grant.id, false));
}

#[tokio::test]
async fn the_last_answer_counts_and_the_others_are_its_history() {
    let world = World::succeeded().await;
    let NoticeView { notice, .. } = world.notice().await;
    let until = notice.deadline.plus(DAY);
    let replies =
        [(Reply::Objects, Some("no")), (Reply::NeedsTime { until }, Some("soon")), (Reply::Acknowledged, None)];
    for (reply, reason) in replies {
        world.test.clock.advance(DAY);
        let (_, given) = answer_notice(&world.reader, answer(notice.id, reply, reason)).await.unwrap();
        assert_eq!((given.reply, given.by, given.at), (reply, world.reader.id(), world.test.app.now()));
    }
    let line = list_consumers(&world.owner, notice.id, Seek::first(9)).await.unwrap().items.remove(0);
    let kinds: Vec<_> = line.answers.iter().map(|answer| answer.reply.kind()).collect();
    assert_eq!(kinds, [ReplyKind::Objects, ReplyKind::NeedsTime, ReplyKind::Acknowledged]);
    let records = world.test.records(audit::Action::NoticeAnswer).await;
    assert_eq!(records.len(), 3);
    assert_eq!(records[1].reason.as_deref(), Some("soon"), "the newest first");
}

#[tokio::test]
async fn only_holders_and_those_who_answer_for_them_answer() {
    let world = World::succeeded().await;
    let test = &world.test;
    let person = test.principal("person").await;
    let robot = test.account("robot", &person).await;
    let robot_id = robot.id();
    let grant = world.granted(&robot, Some(1)).await;
    let newcomer = test.principal("newcomer").await;
    world.granted(&newcomer, Some(2)).await;
    let id = world.notice().await.notice.id;
    assert_eq!(world.notices(&person).await.len(), 1, "it answers for the robot");

    let for_robot = || AnswerNotice { principal_id: Some(robot_id), ..answer(id, Reply::Acknowledged, None) };
    let (_, given) = answer_notice(&person, for_robot()).await.unwrap();
    assert_eq!((given.principal_id, given.by), (robot_id, person.id()));
    answer_notice(&robot, answer(id, Reply::Acknowledged, None)).await.unwrap();

    let refused = async |ctx: &TestActor, command| answer_notice(ctx, command).await.unwrap_err().kind();
    let own = || answer(id, Reply::Acknowledged, None);
    assert_eq!(refused(&newcomer, own()).await, Kind::NotFound, "its grant is on the new major");
    for ctx in [&world.owner, &test.admin, &person] {
        assert_eq!(refused(ctx, own()).await, Kind::Forbidden, "no grant of its own");
    }
    for ctx in [&world.owner, &test.admin, &world.reader] {
        assert_eq!(refused(ctx, for_robot()).await, Kind::Forbidden, "another's account");
    }
    let unknown = PrincipalId::random(test.app.random.as_ref());
    let nobody = AnswerNotice { principal_id: Some(unknown), ..own() };
    let (nobody, another) =
        (answer_notice(&world.reader, nobody).await.unwrap_err(), answer_notice(&world.reader, for_robot()).await);
    assert_eq!(nobody.to_string(), another.unwrap_err().to_string(), "who exists is not told");

    world.owner.revokes(grant).await.unwrap();
    assert_eq!(refused(&robot, own()).await, Kind::NotFound, "a grant that ended concerns nobody");
}

#[tokio::test]
async fn an_answer_is_well_formed_and_sent_once() {
    let world = World::succeeded().await;
    let NoticeView { notice, .. } = world.notice().await;
    let wrong = [
        (Reply::Objects, None, "reason"),
        (Reply::Objects, Some("  "), "reason"),
        (Reply::NeedsTime { until: notice.deadline.plus(DAY) }, None, "reason"),
        (Reply::NeedsTime { until: notice.deadline }, Some("soon"), "until"),
    ];
    for (reply, reason, at) in wrong {
        let error = answer_notice(&world.reader, answer(notice.id, reply, reason)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field, .. } if field == at), "{reply:?} {reason:?}: {error}");
    }
    let key = || Some(app::idempotency::Key::new("k".into(), "answerNotice", b"x").unwrap());
    let command = || AnswerNotice { key: key(), ..answer(notice.id, Reply::Acknowledged, None) };
    let (_, first) = answer_notice(&world.reader, command()).await.unwrap();
    let (_, again) = answer_notice(&world.reader, command()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(world.n_records(audit::Action::NoticeAnswer).await, 1);
}

#[tokio::test]
async fn the_owner_gives_more_time_and_the_old_major_serves_for_it() {
    let world = World::succeeded().await;
    let id = world.notice().await.notice.id;
    let deadline = world.test.app.now().plus(200 * DAY);
    let view = update_notice(&world.owner, update(id, Some(" add them up "), Some(deadline))).await.unwrap();
    assert_eq!((view.notice.migration_note.as_deref(), view.notice.deadline), (Some("add them up"), deadline));
    assert_eq!(world.notice().await.notice, view.notice);
    for sooner in [deadline, world.test.app.now()] {
        let error = update_notice(&world.owner, update(id, None, Some(sooner))).await.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: "deadline", .. }), "{error}");
    }
    for wrong in [update(id, None, None), update(id, Some(" "), None)] {
        assert_eq!(update_notice(&world.owner, wrong).await.unwrap_err().kind(), Kind::Invalid);
    }
    assert_eq!(update_notice(&world.reader, update(id, Some("x"), None)).await.unwrap_err().kind(), Kind::Forbidden);
    let stranger = world.test.principal("stranger").await;
    assert_eq!(update_notice(&stranger, update(id, Some("x"), None)).await.unwrap_err().kind(), Kind::NotFound);

    // The sunset follows what readers were told, before the deprecation and after it.
    world.end("1.0.0", "deprecated").await;
    assert!(matches!(world.state("1.0.0").await, State::Deprecated { sunset, .. } if sunset == deadline));
    let later = deadline.plus(DAY);
    update_notice(&world.owner, update(id, None, Some(later))).await.unwrap();
    assert!(matches!(world.state("1.0.0").await, State::Deprecated { sunset, .. } if sunset == later));
    assert_eq!(world.n_records(audit::Action::ContractExtend).await, 1);
    world.test.clock.set(later.minus(DAY));
    assert_eq!(world.read(&world.reader, ORDERS).await, Ok(1));
}

#[tokio::test]
async fn a_notice_is_closed_when_one_of_its_majors_ends() {
    for version in ["1.0.0", "2.0.0"] {
        let world = World::succeeded().await;
        let id = world.notice().await.notice.id;
        world.end(version, "retired").await;
        assert_eq!(world.notice().await.notice.closed_at, Some(world.test.app.now()), "{version}");
        assert_eq!(world.n_records(audit::Action::NoticeClose).await, 1);
        let late = app::notice::answer_notice(&world.reader, answer(id, Reply::Acknowledged, None)).await.unwrap();
        assert!(matches!(late, Outcome::Closed(_)), "{version}");
        let late = app::notice::update_notice(&world.owner, update(id, Some("x"), None)).await.unwrap();
        assert!(matches!(late, Outcome::Closed(_)), "{version}");
        assert_eq!(world.n_records(audit::Action::NoticeAnswer).await, 0);
    }
}

#[tokio::test]
async fn a_sunset_closes_a_notice_by_itself() {
    for version in ["1.0.0", "2.0.0"] {
        let world = World::succeeded().await;
        let id = world.notice().await.notice.id;
        let objects = || answer(id, Reply::Objects, Some("we stay"));
        answer_notice(&world.reader, objects()).await.unwrap();
        world.end(version, "deprecated").await;
        let sunset = world.state(version).await.sunset().unwrap();
        world.test.clock.set(sunset.minus(Duration::from_micros(1)));
        assert_eq!(world.notice().await.notice.closed_at, None, "readers still stand there");
        answer_notice(&world.reader, objects()).await.unwrap();

        world.test.clock.set(sunset.plus(DAY));
        assert_eq!(world.notice().await.notice.closed_at, Some(sunset), "{version}");
        let late = app::notice::answer_notice(&world.reader, objects()).await.unwrap();
        assert!(matches!(late, Outcome::Closed(_)), "{version}");
        let revive = update(id, None, Some(sunset.plus(9 * DAY)));
        let late = app::notice::update_notice(&world.owner, revive).await.unwrap();
        assert!(matches!(late, Outcome::Closed(_)), "what has ended is not given more time");
        assert_eq!(world.state(version).await.sunset(), Some(sunset));

        world.end(version, "retired").await;
        assert_eq!(world.notice().await.notice.closed_at, Some(sunset), "and stays so");
    }
    // A major that goes on has its readers again.
    let world = World::succeeded().await;
    world.end("1.0.0", "deprecated").await;
    world.test.clock.advance(91 * DAY);
    assert!(world.notice().await.notice.closed_at.is_some());
    world.publish(&[&numbered(CONTRACT, "1.0.1")]).await;
    assert_eq!(world.state("1.0.1").await.as_str(), "active");
    assert_eq!(world.notice().await.notice.closed_at, None);
}

#[tokio::test]
async fn the_end_of_support_ends_what_is_deprecated_to_the_moment_and_nothing_else() {
    let support = "slaProperties:\n  - property: endOfSupport\n    value: 2027-05-01\nschema:\n";
    let end = Timestamp::parse_date_time("2027-05-01").unwrap();
    let promised = CONTRACT.replace("schema:\n", support);
    for is_deprecated in [false, true] {
        let world = World::of(&promised).await;
        world.test.clock.set(end.minus(200 * DAY));
        world.granted(&world.reader, None).await;
        if is_deprecated {
            world.publish(&[&promised.replace("status: active", "status: deprecated")]).await;
        }
        let read = async |at| {
            world.test.clock.set(at);
            world.read(&world.test.ctx("reader").await, ORDERS).await
        };
        assert_eq!(read(end.minus(DAY)).await, Ok(1));
        match is_deprecated {
            false => assert_eq!(read(end).await, Ok(1), "its owner goes on"),
            true => assert!(read(end).await.unwrap_err().contains(&"contract.sunset".to_owned())),
        }
    }
}

#[tokio::test]
async fn a_deadline_moves_nothing_and_what_has_ended_is_not_succeeded() {
    let world = World::succeeded().await;
    let NoticeView { notice, .. } = world.notice().await;
    answer_notice(&world.reader, answer(notice.id, Reply::Objects, Some("we stay"))).await.unwrap();
    world.test.clock.set(notice.deadline.plus(DAY));
    assert_eq!(world.notice().await.notice, notice, "open, with the objection");
    assert_eq!(world.read(&world.test.ctx("reader").await, ORDERS).await, Ok(1));
    world.end("1.0.0", "deprecated").await;
    assert_eq!(world.state("1.0.0").await.sunset(), Some(world.test.app.now().plus(90 * DAY)));

    let world = World::new().await;
    world.end("1.0.0", "deprecated").await;
    world.test.clock.advance(90 * DAY);
    world.succeed().await;
    assert!(world.notices(&world.owner).await.is_empty(), "nobody is left to be told");
}

#[tokio::test]
async fn a_grant_stays_on_its_major_and_names_keep_their_meaning() {
    let world = World::succeeded().await;
    let reader = &world.reader;
    assert_eq!(world.read(reader, ORDERS).await, Ok(1));
    assert_eq!(world.read(reader, "shop.orders.orders__v1").await, Ok(1));
    let other_major = world.read(reader, "shop.orders.orders__v2").await.unwrap_err();
    assert!(other_major.contains(&"grant.missing".to_owned()), "{other_major:?}");

    world.granted(reader, Some(2)).await;
    assert_eq!(world.read(&world.test.ctx("reader").await, ORDERS).await, Ok(2), "the newest granted");
    assert_eq!(world.read(reader, "shop.orders.orders__v1").await, Ok(1));
    let mut tx = world.test.app.db.read().await.unwrap();
    let held = store::grant::list_standing(&mut tx, reader.id(), world.test.app.now()).await.unwrap();
    let mut majors: Vec<_> = held.iter().map(|grant| grant.port_major.major).collect();
    majors.sort_unstable();
    assert_eq!(majors, [1, 2]);
}

#[tokio::test]
async fn a_deprecated_major_takes_no_requests_and_honours_grants_until_its_sunset() {
    let world = World::succeeded().await;
    let late = world.test.principal("late").await;
    let pending = world.ask(&late, Some(1)).await.unwrap();
    world.end("1.0.0", "deprecated").await;
    let sunset = world.test.app.now().plus(90 * DAY);
    let closed = |error: Error| match error {
        Error::PortClosed(closed) => (closed.why, closed.successor),
        other => panic!("{other}"),
    };
    let refused = world.ask(&late, Some(1)).await.unwrap_err();
    let text = refused.to_string();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(text.contains("`orders` v1 is deprecated") && text.contains("request v2"), "{text}");
    assert_eq!(closed(refused), (ClosedBy::Deprecated { sunset }, Some(2)));
    let approved = world.owner.approves(pending.id).await.unwrap_err();
    assert_eq!(closed(approved), (ClosedBy::Deprecated { sunset }, Some(2)), "what was asked before is new access too");
    world.ask(&late, Some(2)).await.unwrap();
    assert_eq!(world.ask(&late, None).await.unwrap().port_major.major, 2, "the oldest active one");

    world.test.clock.set(sunset.minus(DAY));
    assert_eq!(world.read(&world.reader, ORDERS).await, Ok(1));
    world.test.clock.set(sunset);
    let codes = world.read(&world.reader, ORDERS).await.unwrap_err();
    assert!(codes.contains(&"contract.sunset".to_owned()), "{codes:?}");
}

#[tokio::test]
async fn a_retired_major_serves_nobody_and_says_where_to_go() {
    let world = World::succeeded().await;
    world.end("1.0.0", "retired").await;
    let codes = world.read(&world.reader, ORDERS).await.unwrap_err();
    assert!(codes.contains(&"contract.retired".to_owned()), "{codes:?}");
    match world.ask(&world.reader, Some(1)).await.unwrap_err() {
        Error::PortClosed(closed) => assert_eq!((closed.why, closed.successor), (ClosedBy::Retired, Some(2))),
        other => panic!("{other}"),
    }
    world.end("2.0.0", "retired").await;
    match world.ask(&world.reader, Some(1)).await.unwrap_err() {
        Error::PortClosed(closed) => assert_eq!(closed.successor, None, "nothing takes requests"),
        other => panic!("{other}"),
    }
}
