//! Schemas, versions of subjects, references, settings and topics, on both databases.

use domain::binding::TopicBinding;
use domain::change::level::Level;
use domain::change::message::{Format, Policy};
use domain::id::{BindingId, PrincipalId};
use domain::registry::{Mode, Reference, Schema, Scope, Settings, Subject, SubjectVersion};
use store::registry::{self, Change};
use store::{Constraint, Error, Tx, binding};

use crate::world::{NOW, World, id, user};

crate::suite! {
    schemas_are_kept_whole,
    a_text_is_kept_once_in_a_context,
    an_id_stays_taken,
    versions_are_kept_in_order,
    subjects_are_in_use_while_a_version_is,
    all_versions_page_in_order,
    a_version_that_is_referred_to_is_known,
    settings_are_each_scopes_own,
    topics_are_found_by_subject,
    a_version_is_found_by_its_number_and_the_newest_in_use,
    the_newest_schemas_come_first,
    subjects_are_counted,
    what_says_nothing_is_not_kept,
}

fn subject(text: &str) -> Subject {
    text.parse().unwrap()
}

pub(crate) fn schema(id: u32, context: &str, digest: &str) -> Schema {
    let text = format!("\"\u{fc}\\n{digest}\"");
    Schema { id, context: context.into(), format: Format::Avro, text, references: Vec::new(), digest: digest.into() }
}

/// Somebody who registers.
async fn registrar(tx: &mut Tx) -> PrincipalId {
    let somebody = user("registrar");
    store::identity::insert_principal(tx, &somebody).await.unwrap();
    somebody.id
}

fn version(by: PrincipalId, of: &str, version: u32, schema_id: u32) -> SubjectVersion {
    SubjectVersion { subject: subject(of), version, schema_id, deleted: false, registered_by: by, registered_at: NOW }
}

/// A database with schemas 1 to 3 and these versions of them.
async fn with_versions(world: &World, versions: &[(&str, u32, u32)]) -> Vec<SubjectVersion> {
    let mut tx = world.facts().await;
    let by = registrar(&mut tx).await;
    for number in 1..=3 {
        registry::insert_schema(&mut tx, &schema(number, ".", &format!("d{number}"))).await.unwrap();
    }
    let versions: Vec<_> = versions.iter().map(|(of, number, schema)| version(by, of, *number, *schema)).collect();
    for version in &versions {
        registry::insert_version(&mut tx, version).await.unwrap();
    }
    tx.commit().await.unwrap();
    versions
}

async fn schemas_are_kept_whole(world: World) {
    let references = vec![
        Reference { name: "b.proto".into(), subject: subject("b"), version: 2 },
        Reference { name: "a \"quoted\".proto".into(), subject: subject(":.ctx:a"), version: 1 },
    ];
    let mut kept = Schema { format: Format::Protobuf, references, ..schema(7, ".ctx", "d") };
    kept.text = "syntax = \"proto3\";\n// \u{1f600} '; --\n".into();
    let mut tx = world.facts().await;
    let by = registrar(&mut tx).await;
    registry::insert_schema(&mut tx, &kept).await.unwrap();
    assert_eq!(registry::find_same(&mut tx, ".ctx", "d").await.unwrap().as_ref(), Some(&kept));
    registry::insert_version(&mut tx, &version(by, ":.ctx:x", 1, 7)).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    assert_eq!(registry::find_schema(&mut reader, 7).await.unwrap().as_ref(), Some(&kept));
    assert_eq!(registry::list_schemas(&mut reader, &[7, 8]).await.unwrap(), [kept]);
    assert_eq!(registry::find_same(&mut reader, ".", "d").await.unwrap(), None, "of another context");
    assert_eq!(registry::find_schema(&mut reader, 8).await.unwrap(), None);
}

async fn a_text_is_kept_once_in_a_context(world: World) {
    let mut tx = world.facts().await;
    registry::insert_schema(&mut tx, &schema(1, ".", "d")).await.unwrap();
    registry::insert_schema(&mut tx, &schema(2, ".other", "d")).await.unwrap();
    tx.commit().await.unwrap();
    let again = registry::insert_schema(&mut world.facts().await, &schema(3, ".", "d")).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::SchemaDigest));
    let taken = registry::insert_schema(&mut world.facts().await, &schema(1, ".", "e")).await;
    assert_eq!(taken.unwrap_err().violated(), Some(Constraint::PrimaryKey));
}

async fn an_id_stays_taken(world: World) {
    let mut tx = world.facts().await;
    assert_eq!(registry::last_schema_id(&mut tx).await.unwrap(), 0);
    for number in [1, 9] {
        registry::insert_schema(&mut tx, &schema(number, ".", &number.to_string())).await.unwrap();
    }
    registry::forget_schema(&mut tx, 9).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.facts().await;
    assert_eq!(registry::last_schema_id(&mut tx).await.unwrap(), 9);
    assert!(registry::is_taken(&mut tx, 9).await.unwrap() && !registry::is_taken(&mut tx, 2).await.unwrap());
    assert_eq!(registry::find_same(&mut tx, ".", "9").await.unwrap(), None, "it is forgotten");
    registry::insert_schema(&mut tx, &schema(10, ".", "9")).await.unwrap();
}

async fn versions_are_kept_in_order(world: World) {
    let kept = with_versions(&world, &[("b", 10, 2), ("b", 9, 1), ("a", 1, 1)]).await;
    let mut tx = world.facts().await;
    let of_b = registry::list_versions(&mut tx, &subject("b")).await.unwrap();
    assert_eq!(of_b, [kept[1].clone(), kept[0].clone()]);
    let of_1 = registry::list_versions_of_schema(&mut tx, 1).await.unwrap();
    assert_eq!(of_1, [kept[2].clone(), kept[1].clone()]);

    registry::set_deleted(&mut tx, &subject("b"), 9, true).await.unwrap();
    assert!(registry::list_versions(&mut tx, &subject("b")).await.unwrap()[0].deleted);
    assert_eq!(registry::find_schema(&mut tx, 1).await.unwrap().map(|schema| schema.id), Some(1));
    registry::delete_version(&mut tx, &subject("b"), 9).await.unwrap();
    assert_eq!(registry::list_versions(&mut tx, &subject("b")).await.unwrap(), [kept[0].clone()]);
    for missing in [
        registry::delete_version(&mut tx, &subject("b"), 9).await,
        registry::set_deleted(&mut tx, &subject("c"), 1, true).await,
    ] {
        assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    }
    tx.commit().await.unwrap();
    let again = registry::insert_version(&mut world.facts().await, &kept[0]).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::PrimaryKey));
}

async fn subjects_are_in_use_while_a_version_is(world: World) {
    with_versions(&world, &[("b", 1, 1), ("b", 2, 2), ("a", 1, 1), (":.ctx:a", 1, 1)]).await;
    let mut tx = world.facts().await;
    registry::set_deleted(&mut tx, &subject("b"), 1, true).await.unwrap();
    registry::set_deleted(&mut tx, &subject("a"), 1, true).await.unwrap();
    let subjects = registry::list_subjects(&mut tx).await.unwrap();
    assert_eq!(subjects, [(subject("a"), false), (subject("b"), true), (subject(":.ctx:a"), true)]);
}

async fn all_versions_page_in_order(world: World) {
    let names = [("a", 1, 1), ("a", 2, 2), ("a-b", 1, 1), ("aB", 1, 3), (":.c:a", 1, 1)];
    let kept = with_versions(&world, &[names[3], names[1], names[4], names[0], names[2]]).await;
    let mut reader = world.read().await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = registry::list_all_versions(&mut reader, after, 2).await.unwrap();
        let Some(last) = page.last().cloned() else { break };
        assert!(page.len() <= 2);
        seen.extend(page.iter().map(|version| (version.subject.to_string(), version.version, version.schema_id)));
        after = kept.iter().find(|version| **version == last).map(|version| (&version.subject, version.version));
    }
    assert_eq!(
        seen,
        names.map(|(of, version, schema)| (of.to_owned(), version, schema)),
        "in the order of their bytes"
    );
}

async fn a_version_that_is_referred_to_is_known(world: World) {
    with_versions(&world, &[("a", 1, 1), ("a", 2, 2)]).await;
    let mut tx = world.facts().await;
    for (number, version) in [(8, 1), (7, 1), (9, 2)] {
        let reference = Reference { name: "A".into(), subject: subject("a"), version };
        let schema = Schema { references: vec![reference], ..schema(number, ".", &number.to_string()) };
        registry::insert_schema(&mut tx, &schema).await.unwrap();
    }
    assert_eq!(registry::list_referrers(&mut tx, &subject("a"), 1).await.unwrap(), [7, 8]);
    assert_eq!(registry::list_referrers(&mut tx, &subject(":.ctx:a"), 1).await.unwrap(), [0_u32; 0]);
    registry::forget_schema(&mut tx, 8).await.unwrap();
    assert_eq!(
        registry::list_referrers(&mut tx, &subject("a"), 1).await.unwrap(),
        [7],
        "what is forgotten refers to nothing"
    );
}

async fn settings_are_each_scopes_own(world: World) {
    let scopes = [Scope::Subject(subject(":.c:a")), Scope::Context(".c".into()), Scope::Global];
    let said = [
        Settings { level: Some(Level::FullTransitive), ..Settings::default() },
        Settings { policy: Some(Policy::Lenient), normalize: Some(false), ..Settings::default() },
        Settings { mode: Some(Mode::ReadOnly), normalize: Some(true), ..Settings::default() },
    ];
    let mut tx = world.facts().await;
    assert_eq!(registry::settings(&mut tx, &Scope::Global).await.unwrap(), Settings::default());
    for (scope, said) in scopes.iter().zip(&said) {
        registry::put_settings(&mut tx, scope, &Settings::DEFAULT).await.unwrap();
        registry::put_settings(&mut tx, scope, said).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    assert_eq!(registry::list_settings(&mut reader, &scopes).await.unwrap(), said, "in their order");
    let other = Scope::Subject(subject("a"));
    assert_eq!(registry::settings(&mut reader, &other).await.unwrap(), Settings::default());
}

async fn topics_are_found_by_subject(world: World) {
    let catalog = world.catalog().await;
    let topic = |major, object: &str, environment: &str| TopicBinding {
        id: id(BindingId::new),
        contract_id: catalog.contract.id,
        major,
        object: object.parse().unwrap(),
        environment: environment.into(),
        subject: subject("orders-value"),
    };
    let topics = [topic(1, "orders", "prod"), topic(2, "orders", "prod")];
    let mut tx = world.facts().await;
    for topic in &topics {
        binding::insert_topic(&mut tx, topic).await.unwrap();
    }
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    let newest_first = [topics[1].clone(), topics[0].clone()];
    assert_eq!(binding::list_topics_of_subject(&mut reader, &subject("orders-value")).await.unwrap(), newest_first);
    assert_eq!(binding::list_topics_of_subject(&mut reader, &subject("orders-key")).await.unwrap(), []);
    assert_eq!(binding::list_topics(&mut reader).await.unwrap(), topics);
    assert_eq!(binding::list_topics_of_contracts(&mut reader, &[catalog.contract.id]).await.unwrap().len(), 2);
    drop(reader);
    let again = binding::insert_topic(&mut world.facts().await, &topic(1, "orders", "prod")).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::TopicObject));
}

async fn a_version_is_found_by_its_number_and_the_newest_in_use(world: World) {
    let kept = with_versions(&world, &[("a", 1, 1), ("a", 2, 2), ("a", 10, 3), ("b", 11, 1)]).await;
    let mut tx = world.facts().await;
    registry::set_deleted(&mut tx, &subject("a"), 10, true).await.unwrap();
    let found = registry::find_version(&mut tx, &subject("a"), 10).await.unwrap();
    assert_eq!(found, Some(SubjectVersion { deleted: true, ..kept[2].clone() }));
    assert_eq!(registry::find_version(&mut tx, &subject("a"), 11).await.unwrap(), None);
    assert_eq!(registry::find_latest_version(&mut tx, &subject("a")).await.unwrap().as_ref(), Some(&kept[1]));
    for number in [1, 2] {
        registry::set_deleted(&mut tx, &subject("a"), number, true).await.unwrap();
    }
    assert_eq!(registry::find_latest_version(&mut tx, &subject("a")).await.unwrap(), None);
}

async fn the_newest_schemas_come_first(world: World) {
    with_versions(&world, &[("a", 1, 1), ("a", 2, 3), ("b", 1, 3), ("b", 2, 2)]).await;
    let mut reader = world.read().await;
    let mut ids = async |before, limit| {
        let places = registry::list_versions_by_schema(&mut reader, before, limit).await.unwrap();
        places.iter().map(|place| place.schema_id).collect::<Vec<_>>()
    };
    assert_eq!(ids(i64::MAX, 3).await, [3, 3, 2]);
    assert_eq!(ids(3, 9).await, [2, 1]);
    assert_eq!(ids(1, 9).await, [0_u32; 0]);
}

async fn subjects_are_counted(world: World) {
    let mut tx = world.facts().await;
    assert_eq!(registry::count_subject(&mut tx, Change::Came).await.unwrap(), 1);
    assert_eq!(registry::count_subject(&mut tx, Change::Came).await.unwrap(), 2);
    assert_eq!(registry::count_subject(&mut tx, Change::Went).await.unwrap(), 1);
}

async fn what_says_nothing_is_not_kept(world: World) {
    let mut tx = world.facts().await;
    registry::put_settings(&mut tx, &Scope::Global, &Settings::DEFAULT).await.unwrap();
    registry::put_settings(&mut tx, &Scope::top(), &Settings::DEFAULT).await.unwrap();
    assert_eq!(registry::count_settings(&mut tx).await.unwrap(), 2);
    registry::put_settings(&mut tx, &Scope::Global, &Settings::default()).await.unwrap();
    assert_eq!(registry::count_settings(&mut tx).await.unwrap(), 1);
    assert_eq!(registry::settings(&mut tx, &Scope::Global).await.unwrap(), Settings::default());
}
