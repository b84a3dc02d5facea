//! Lineage through the use cases: what is received, what is answered, and that what is hidden is missing.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use app::lineage::{Answer, Ask, By, Holder, Reads, Receipt, Start, catch_up, explore, receive};
use domain::identity::{DomainRole, PlatformRole};
use lineage::edge::{Kind, Kinds, Standing};
use lineage::graph::{Cut, Direction, Part};
use lineage::openlineage::Event;
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use crate::catalog::on_both;

mod interference;
mod planned;
mod sight;

/// A product with one table of two columns, and what else its document has.
fn documents(domain: &str, name: &str, classification: &str, more: &str, source: &str) -> [String; 2] {
    let amount = format!("name: amount, logicalType: number{source}");
    crate::catalog::documents(domain, name, classification, more, &["name: id, logicalType: integer", &amount])
}

fn reads(names: &[&str]) -> String {
    let ports = names.iter().map(|name| format!("  - {{name: {name}, version: 1.0.0, contractId: {name}-contract}}\n"));
    format!("inputPorts:\n{}", ports.collect::<String>())
}

async fn publish(test: &TestApp, owner: &TestActor, domain: &str, name: &str, classification: &str, more: &str) {
    test.publish(owner, domain, &documents(domain, name, classification, more, "")).await;
    test.lay(&format!("{domain}/{name}"), 0, Scene::of("id:integer amount:number")).await;
}

/// `shop.orders` is read by `fin.revenue`, that by `fin.board`; and by `hr.pay`, which only its domain may know of.
pub(crate) async fn world(test: &TestApp) -> [TestActor; 3] {
    let [shop, fin, hr] = [test.domain("shop").await, test.domain("fin").await, test.domain("hr").await];
    publish(test, &shop, "shop", "orders", "internal", "").await;
    publish(test, &fin, "fin", "revenue", "internal", &reads(&["orders"])).await;
    publish(test, &hr, "hr", "pay", "restricted", &reads(&["orders"])).await;
    publish(test, &fin, "fin", "board", "internal", &reads(&["revenue", "pay"])).await;
    [shop, fin, hr]
}

pub(crate) fn ask(table: &str, columns: &[&str]) -> Ask {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    Ask {
        start: Start::Table(table.parse().unwrap(), columns),
        direction: Direction::Downstream,
        kinds: Kinds::ALL,
        depth: 10,
        first: 50,
        after: None,
        consumers_after: None,
    }
}

pub(crate) async fn impact(actor: &TestActor, table: &str, columns: &[&str]) -> Answer {
    explore(actor, ask(table, columns)).await.unwrap()
}

fn name(holder: &Holder) -> String {
    match holder {
        Holder::Table(target) => target.address(),
        Holder::Dataset(dataset) => format!("dataset {dataset}"),
        Holder::Job(job) => format!("job {job}"),
    }
}

/// What was found, with distances and columns.
pub(crate) fn found(answer: &Answer) -> Vec<String> {
    let found = answer.found.iter().map(|found| {
        let columns = match &found.part {
            Part::Whole => "*".to_owned(),
            Part::Columns { names, .. } => names.join(","),
        };
        format!("{} {} {columns}", found.distance, name(&found.holder))
    });
    found.collect()
}

/// All that a caller is told, as text. Ids differ between catalogs and are left out.
fn told(answer: &Answer) -> String {
    let counts = answer.counts.iter().map(|count| {
        let domains = count.by_domain.iter();
        let domains = domains.map(|(domain, n)| (domain.as_ref().map(|domain| domain.path.to_string()), *n));
        (count.distance, count.n_found, domains.collect::<Vec<_>>(), count.n_consumers)
    });
    let edges = answer.found.iter().map(|found| {
        let edges = found.edges.iter().map(|edge| {
            let by = match &edge.by {
                By::Principal(_) => "a principal".to_owned(),
                By::Product(known) => known.address(),
            };
            let end = |(holder, column): &(Holder, Option<String>)| format!("{}#{column:?}", name(holder));
            format!("{} > {} {:?} {:?} {:?} {by}", end(&edge.from), end(&edge.to), edge.kind, edge.basis, edge.standing)
        });
        let mut edges: Vec<_> = edges.collect();
        edges.sort();
        (edges, found.n_more_edges)
    });
    let mut found: Vec<_> = found(answer).into_iter().zip(edges).collect();
    found.sort();
    let consumers = answer.consumers.iter().map(|one| {
        let mut uses: Vec<_> = one.uses.iter().map(|(port, reads)| format!("{} {reads:?}", port.port)).collect();
        uses.sort();
        format!("{} {uses:?}", one.distance)
    });
    let mut consumers: Vec<_> = consumers.collect();
    consumers.sort();
    format!("{:?} {:?} {:?}\n{found:?}\n{consumers:?}", answer.total, answer.cut, counts.collect::<Vec<_>>())
}

/// An event of a run that reads one dataset and writes another; datasets are (namespace, name).
pub(crate) fn event(
    run: u128,
    job: &str,
    input: (&str, &str),
    output: (&str, &str),
    columns: &[(&str, &str)],
) -> String {
    let fields: Vec<_> = columns
        .iter()
        .map(|(from, to)| {
            format!(
                r#""{to}":{{"inputFields":[{{"namespace":"{}","name":"{}","field":"{from}",
                "transformations":[{{"type":"DIRECT","subtype":"IDENTITY"}}]}}]}}"#,
                input.0, input.1
            )
        })
        .collect();
    let facet =
        format!(r#"{{"columnLineage":{{"_producer":"p","_schemaURL":"s","fields":{{{}}}}}}}"#, fields.join(","));
    let facet = if columns.is_empty() { "{}".to_owned() } else { facet };
    format!(
        r#"{{"eventTime":"2026-01-01T00:00:00Z","producer":"p","schemaURL":"s","eventType":"COMPLETE",
        "run":{{"runId":"{}"}},"job":{{"namespace":"jobs","name":"{job}"}},
        "inputs":[{{"namespace":"{}","name":"{}"}}],
        "outputs":[{{"namespace":"{}","name":"{}","facets":{facet}}}]}}"#,
        uuid::Uuid::from_u128(run),
        input.0,
        input.1,
        output.0,
        output.1
    )
}

pub(crate) async fn send(actor: &TestActor, events: &[String]) -> Receipt {
    let events = events.iter().map(|event| Event::read(event.as_bytes())).collect();
    receive(actor, events).await.unwrap()
}

fn place(test: &TestApp, location: &str) -> String {
    test.table_folder(location).display().to_string()
}

#[tokio::test]
async fn declared_lineage_is_followed_as_far_as_the_caller_may_know() {
    on_both(async |test| {
        let [_, _, hr] = world(&test).await;
        let reader = test.principal("reader").await;
        let answer = impact(&reader, "shop.orders.orders", &[]).await;
        assert_eq!(found(&answer), ["1 fin.revenue.revenue__v1 *", "2 fin.board.board__v1 *"]);
        assert_eq!((answer.total, answer.cut), (Some(2), None));
        // Whoever may know of the hidden product gets the shorter way as well.
        let known = impact(&hr, "shop.orders.orders", &[]).await;
        let mut all = found(&known);
        all[..2].sort();
        assert_eq!(all, ["1 fin.revenue.revenue__v1 *", "1 hr.pay.pay__v1 *", "2 fin.board.board__v1 *"]);
        let up = Ask { direction: Direction::Upstream, ..ask("fin.board.board", &[]) };
        let up = explore(&reader, up).await.unwrap();
        assert_eq!(found(&up), ["1 fin.revenue.revenue__v1 *", "2 shop.orders.orders__v1 *"]);
        let edge = &up.found[0].edges[0];
        assert_eq!((edge.kind, edge.standing), (Kind::Declared, Standing::Own));
        // A start that the caller may not know of is as one that does not exist.
        let hidden = explore(&reader, ask("hr.pay.pay", &[])).await.unwrap_err();
        let missing = explore(&reader, ask("hr.pay.none", &[])).await.unwrap_err();
        assert_eq!(hidden.to_string(), missing.to_string());
        let unknown = explore(&reader, ask("shop.orders.orders", &["none"])).await.unwrap_err();
        assert!(unknown.to_string().contains("no such column"), "{unknown}");
    })
    .await;
}

#[tokio::test]
async fn events_resolve_by_place_and_address_and_are_their_speakers_claims() {
    on_both(async |test| {
        let [shop, fin, _] = world(&test).await;
        let orders = place(&test, "shop/orders");
        let revenue = place(&test, "fin/revenue");
        let events = [
            event(
                1,
                "load",
                ("file", &orders),
                ("file", &format!("{revenue}/part-1.parquet")),
                &[("amount", "amount")],
            ),
            event(2, "report", ("file", &revenue), ("db", "mart.report"), &[("amount", "sum")]),
        ];
        let receipt = send(&shop, &events).await;
        assert_eq!((receipt.n_new, receipt.refused.len()), (2, 0));
        assert_eq!(send(&shop, &events).await.n_new, 0);

        let observed = |ask: Ask| Ask { kinds: Kinds::of(&[Kind::Observed]), ..ask };
        let reader = test.principal("reader").await;
        let answer = explore(&reader, observed(ask("shop.orders.orders", &["amount"]))).await.unwrap();
        assert_eq!(found(&answer), ["1 fin.revenue.revenue__v1 amount", "2 dataset db mart.report sum"]);
        assert_eq!(answer.found[0].edges[0].standing, Standing::Claim, "the shop speaks about a table of others");
        let answer = explore(&reader, observed(ask("shop.orders.orders", &["id"]))).await.unwrap();
        assert_eq!(found(&answer), Vec::<String>::new());

        send(&fin, &events[..1]).await;
        let answer = explore(&reader, observed(ask("shop.orders.orders", &["amount"]))).await.unwrap();
        let mut standings: Vec<_> = answer.found[0].edges.iter().map(|edge| edge.standing).collect();
        standings.dedup();
        standings.sort();
        assert_eq!(standings, [Standing::Own, Standing::Claim], "two speakers are two edges");
    })
    .await;
}

#[tokio::test]
async fn only_members_of_a_domain_send_events_and_each_batch_is_recorded_once() {
    let test = TestApp::start().await;
    world(&test).await;
    let stranger = test.principal("stranger").await;
    let steward = test.officer("stella", PlatformRole::Steward).await;
    let one = || vec![Event::read(event(1, "load", ("db", "a"), ("db", "b"), &[]).as_bytes())];
    for actor in [&stranger, &steward] {
        let refused = receive(actor, one()).await.unwrap_err();
        assert!(refused.to_string().contains("send lineage events"), "{refused}");
    }
    assert!(test.records(domain::audit::Action::LineageReceive).await.is_empty());
    let member = test.assign("stranger", "shop", DomainRole::Consumer).await;
    receive(&member, one()).await.unwrap();
    receive(&member, one()).await.unwrap();
    assert_eq!(test.records(domain::audit::Action::LineageReceive).await.len(), 1);
    // Roles count as they are when the events are stored.
    let owner = test.ctx("owner-shop").await;
    owner.unassigns(&member, "shop").await.unwrap();
    assert!(receive(&member, one()).await.is_err());
}

#[tokio::test]
async fn an_event_that_cannot_be_taken_holds_up_no_other() {
    let test = TestApp::start().await;
    let [shop, ..] = world(&test).await;
    let future = event(3, "late", ("db", "a"), ("db", "b"), &[]).replace("2026-", "2999-");
    let events = [event(1, "load", ("db", "a"), ("db", "b"), &[]), "{}".to_owned(), future];
    let receipt = send(&shop, &events).await;
    assert_eq!((receipt.n_events, receipt.n_new), (3, 1));
    let refused: Vec<_> = receipt.refused.iter().map(|refused| (refused.index, refused.reason.as_str())).collect();
    assert_eq!(refused[0], (1, "at `/eventTime`: a required value is missing"));
    assert_eq!(refused[1], (2, "at `/eventTime`: the time is more than an hour from now"));
}

#[tokio::test]
async fn a_principal_sends_no_more_events_than_its_rate() {
    let settings = app::Settings { lineage_events_per_second: 1, ..app::Settings::for_testing() };
    let test = TestApp::start_configured(settings).await;
    let shop = test.domain("shop").await;
    let events = |n: u128| (0..n).map(|run| event(run, "load", ("db", "a"), ("db", "b"), &[])).collect::<Vec<_>>();
    let read = |events: Vec<String>| events.iter().map(|event| Event::read(event.as_bytes())).collect::<Vec<_>>();
    receive(&shop, read(events(10))).await.unwrap();
    let refused = receive(&shop, read(events(10))).await.unwrap_err();
    assert!(matches!(refused, app::Error::TooMany { .. }), "{refused}");
    let other = test.domain("fin").await;
    receive(&other, read(events(10))).await.unwrap();
}

/// The journey: five hold grants, two of them say that they read the column, one says that they do not read it.
#[tokio::test]
async fn a_change_of_a_column_names_those_who_read_it_and_no_one_hidden() {
    on_both(async |test| {
        let [shop, ..] = world(&test).await;
        let orders = place(&test, "shop/orders");
        let mut readers = Vec::new();
        for number in 0..5_u32 {
            let subject = format!("reader-{number}");
            let reader = test.member(&subject, &[("fin", DomainRole::Consumer)]).await;
            shop.grants(&reader, access_to("shop.orders.orders")).await.unwrap();
            let reader = test.ctx(&subject).await;
            let column = if number < 2 { "amount" } else { "id" };
            let output = format!("mart.t{number}");
            let events = [event(number.into(), &subject, ("file", &orders), ("db", &output), &[(column, "x")])];
            assert_eq!(send(&reader, &events).await.n_new, 1);
            readers.push(reader);
        }
        let owner = test.ctx("owner-shop").await;
        let answer = impact(&owner, "shop.orders.orders", &["amount"]).await;
        let mut named: Vec<_> = answer.consumers.iter().map(|one| one.principal_id).collect();
        let mut expected = vec![readers[0].id(), readers[1].id()];
        named.sort();
        expected.sort();
        assert_eq!(named, expected);
        for consumer in &answer.consumers {
            let [(port_major, reads)] = &consumer.uses.iter().collect::<Vec<_>>()[..] else { panic!("{consumer:?}") };
            assert_eq!((port_major.major, *reads), (1, &Reads::Columns(["amount".to_owned()].into())));
        }
        assert!(!told(&answer).contains("hr."), "{}", told(&answer));
        // A reader sees its own grant, and no one else's.
        let own = impact(&readers[1], "shop.orders.orders", &["amount"]).await;
        assert_eq!(own.consumers.iter().map(|one| one.principal_id).collect::<Vec<_>>(), [readers[1].id()]);
        let stranger = test.principal("stranger").await;
        assert_eq!(impact(&stranger, "shop.orders.orders", &["amount"]).await.n_consumers, 0);
        // Of the whole table all five are consumers, in pages.
        let first = Ask { first: 3, ..ask("shop.orders.orders", &[]) };
        let page = explore(&owner, first.clone()).await.unwrap();
        assert_eq!((page.consumers.len(), page.n_consumers), (3, 5));
        let rest = explore(&owner, Ask { consumers_after: page.next_consumers, ..first }).await.unwrap();
        assert_eq!((rest.consumers.len(), rest.next_consumers), (2, None));
    })
    .await;
}

#[tokio::test]
async fn pages_go_on_and_depth_is_said() {
    let test = TestApp::start().await;
    world(&test).await;
    let reader = test.principal("reader").await;
    let shallow = explore(&reader, Ask { depth: 1, ..ask("shop.orders.orders", &[]) }).await.unwrap();
    assert_eq!((shallow.cut, shallow.total), (Some(Cut::Depth), Some(1)));
    let first = Ask { first: 1, ..ask("shop.orders.orders", &[]) };
    let page = explore(&reader, first.clone()).await.unwrap();
    assert_eq!((found(&page), page.total), (vec!["1 fin.revenue.revenue__v1 *".to_owned()], Some(2)));
    let rest = explore(&reader, Ask { after: page.next, ..first.clone() }).await.unwrap();
    assert_eq!((found(&rest), rest.next), (vec!["2 fin.board.board__v1 *".to_owned()], None));
    for wrong in ["", "1", "x.01", "1.zz", "1.09"] {
        let wrong = explore(&reader, Ask { after: Some(wrong.to_owned()), ..first.clone() }).await.unwrap_err();
        assert!(wrong.to_string().contains("cursor"), "{wrong}");
    }
}

#[tokio::test]
async fn changes_are_in_the_next_answer() {
    let test = TestApp::start().await;
    let [shop, fin, _] = world(&test).await;
    let reader = test.principal("reader").await;
    let observed = Ask { kinds: Kinds::of(&[Kind::Observed]), ..ask("shop.orders.orders", &[]) };
    assert_eq!(explore(&reader, observed.clone()).await.unwrap().total, Some(0));
    let orders = place(&test, "shop/orders");
    send(&shop, &[event(1, "a", ("file", &orders), ("db", "one"), &[])]).await;
    assert_eq!(found(&explore(&reader, observed.clone()).await.unwrap()), ["1 dataset db one *"]);
    send(&shop, &[event(2, "b", ("file", &orders), ("db", "two"), &[])]).await;
    let answer = explore(&reader, observed.clone()).await.unwrap();
    assert_eq!((answer.total, answer.cut), (Some(2), None));
    // A place that was a dataset resolves once its table is registered.
    let late = place(&test, "fin/late");
    send(&shop, &[event(3, "c", ("file", &orders), ("file", &late), &[])]).await;
    assert!(found(&explore(&reader, observed.clone()).await.unwrap()).contains(&format!("1 dataset file {late} *")));
    publish(&test, &fin, "fin", "late", "internal", "").await;
    let answer = found(&explore(&reader, observed.clone()).await.unwrap());
    assert!(answer.contains(&"1 fin.late.late__v1 *".to_owned()), "{answer:?}");
    assert!(!answer.iter().any(|found| found.contains(&late)), "{answer:?}");
    // What is restricted meanwhile is the place again, for whoever may not know of it.
    let [product, _] = documents("fin", "late", "restricted", "", "");
    test.publish(&fin, "fin", &[product]).await;
    let answer = found(&explore(&reader, observed.clone()).await.unwrap());
    assert!(answer.contains(&format!("1 dataset file {late} *")), "{answer:?}");
    // A restart begins with the same.
    let before = told(&explore(&reader, observed.clone()).await.unwrap());
    let test = test.restart().await;
    catch_up(&test.app).await.unwrap();
    let reader = test.ctx("reader").await;
    assert_eq!(told(&explore(&reader, observed).await.unwrap()), before);
}

#[tokio::test]
async fn columns_have_the_sources_that_contracts_declare() {
    let test = TestApp::start().await;
    let [_, fin, _] = world(&test).await;
    let source = ", transformSourceObjects: [shop.orders.orders, crm.accounts]";
    test.publish(&fin, "fin", &documents("fin", "totals", "internal", "", source)).await;
    test.lay("fin/totals", 0, Scene::of("id:integer amount:number")).await;
    let reader = test.principal("reader").await;
    let up = Ask { direction: Direction::Upstream, ..ask("fin.totals.totals", &["amount"]) };
    let mut sources = found(&explore(&reader, up).await.unwrap());
    sources.sort();
    assert_eq!(sources, ["1 dataset  crm.accounts *", "1 shop.orders.orders__v1 *"]);
    let answer = impact(&reader, "shop.orders.orders", &[]).await;
    assert!(found(&answer).contains(&"1 fin.totals.totals__v1 *".to_owned()), "{:?}", found(&answer));
}

/// Prints how many events are durable in a second, in batches of 1,000: on the disk, with what reading them takes.
#[tokio::test]
#[ignore = "it measures"]
async fn bench_of_receiving() {
    let mut databases = vec![("sqlite", None)];
    databases.extend(testkit::postgres::Server::shared().map(|server| ("postgres", Some(server.database()))));
    for (name, url) in databases {
        let test = TestApp::start_with(url, store::Options::default(), app::Settings::for_testing()).await;
        let shop = test.domain("shop").await;
        let columns = [("id", "id"), ("amount", "amount"), ("day", "day")];
        let batches = (0..10_u128).map(|batch| {
            let events = (0..1_000_u128).map(|number| {
                let (job, table) = (format!("job-{}", number % 200), format!("t{}", number % 200));
                event(batch * 1_000 + number, &job, ("db", &table), ("mart", &table), &columns)
            });
            format!("[{}]", events.collect::<Vec<_>>().join(","))
        });
        let batches: Vec<String> = batches.collect();
        let started = std::time::Instant::now();
        for batch in &batches {
            let receipt = receive(&shop, Event::read_batch(batch.as_bytes()).unwrap()).await.unwrap();
            assert_eq!(receipt.n_new, 1_000);
        }
        let seconds = started.elapsed().as_secs_f64();
        println!("{name}: {:.0} events/s durable in batches of 1,000", 10_000.0 / seconds);
    }
}
