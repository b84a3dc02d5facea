//! A breaking successor, from its notice to the last answer.

use serde_json::{Value, json};

use crate::support::{Api, CONTRACT, PRODUCT, succeeded};

const NOTICES: &str =
    "{ notices(first: 1) { nodes { id product { name } from { version major contract { documentId } } to { version }
    findings { path bump consumerSafe } migrationNote deadline closedAt ports { name major }
    consumers(first: 2) { nodes { grant { principal { subject } } answer { reply until reason answeredBy { subject } }
        history { reply } } } } } }";

const ANSWER: &str = "mutation($input: AnswerNoticeInput!) { answer: answerNotice(input: $input) {
    __typename ... on AnswerNoticePayload { answer { reply consumer { subject } } } ... on NoticeClosed { message } } }";

#[tokio::test]
async fn a_reader_is_notified_and_the_owner_sees_their_answer() {
    let api = Api::shop().await;
    api.grant().await;
    let owner = api.test.ctx("owner-shop").await;
    let [product, contract] = succeeded(PRODUCT, CONTRACT);
    api.test.publish(&owner, "shop", &[&product, &contract]).await;

    let told = api.data("reader", NOTICES, Value::Null).await["notices"]["nodes"][0].clone();
    assert_eq!(
        told["from"],
        json!({ "version": "1.0.0", "major": 1, "contract": { "documentId": "orders-contract" } })
    );
    assert_eq!(told["to"]["version"], "2.0.0");
    assert_eq!(told["findings"][0], json!({ "path": "orders.amount", "bump": "MAJOR", "consumerSafe": false }));
    assert_eq!(told["ports"], json!([{ "name": "orders", "major": 1 }]));
    let unanswered = json!([{ "grant": { "principal": { "subject": "reader" } }, "answer": null, "history": [] }]);
    assert_eq!(told["consumers"]["nodes"], unanswered);

    let input = |reply: &str, until: Value| json!({ "input": { "notice": told["id"], "reply": reply, "until": until, "reason": "a quarter's work" } });
    for wrong in [input("NEEDS_TIME", Value::Null), input("OBJECTS", json!("2031-01-01T00:00:00Z"))] {
        assert_eq!(api.code("reader", ANSWER, wrong).await, "INVALID");
    }
    api.data("reader", ANSWER, input("OBJECTS", Value::Null)).await;
    api.test.clock.advance(std::time::Duration::from_secs(1));
    let until = json!("2031-01-01T00:00:00Z");
    let answered = api.data("reader", ANSWER, input("NEEDS_TIME", until.clone())).await;
    assert_eq!(answered["answer"]["answer"], json!({ "reply": "NEEDS_TIME", "consumer": { "subject": "reader" } }));

    let update = "mutation($input: UpdateNoticeInput!) { updateNotice(input: $input) {
        ... on UpdateNoticePayload { notice { deadline migrationNote } } } }";
    let more = json!({ "input": { "notice": told["id"], "deadline": until, "migrationNote": "add up the lines" } });
    let updated = api.data("owner-shop", update, more).await;
    assert_eq!(updated["updateNotice"]["notice"], json!({ "deadline": until, "migrationNote": "add up the lines" }));

    let seen = api.data("owner-shop", NOTICES, Value::Null).await["notices"]["nodes"][0].clone();
    let line = &seen["consumers"]["nodes"][0];
    assert_eq!(
        line["answer"],
        json!({ "reply": "NEEDS_TIME", "until": until, "reason": "a quarter's work", "answeredBy": { "subject": "reader" } })
    );
    assert_eq!(line["history"], json!([{ "reply": "OBJECTS" }, { "reply": "NEEDS_TIME" }]));

    let retired = CONTRACT.replace("status: active", "status: retired");
    api.test.publish(&owner, "shop", &[&retired]).await;
    let closed = api.data("reader", ANSWER, input("OBJECTS", Value::Null)).await;
    assert_eq!(closed["answer"]["__typename"], "NoticeClosed");
}

#[tokio::test]
async fn a_closed_port_is_refused_with_its_reason_and_successor() {
    let api = Api::shop().await;
    let owner = api.test.ctx("owner-shop").await;
    let [product, contract] = succeeded(PRODUCT, CONTRACT);
    let ask = "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { request { id } } }";
    let input = json!({ "input": {
        "product": "shop.orders", "port": "orders", "major": 1, "purpose": "ANALYTICS", "sentence": "to count" } });
    api.test.publish(&owner, "shop", &[&product, &contract]).await;
    for status in ["deprecated", "retired"] {
        let ended = CONTRACT.replace("status: active", &format!("status: {status}"));
        api.test.publish(&owner, "shop", &[&ended]).await;
        let error = api.ask("reader", ask, input.clone()).await["errors"][0].clone();
        assert_eq!(error["extensions"]["code"], "CONFLICT");
        assert_eq!(error["extensions"]["reason"], format!("port.{status}"));
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(status) && message.ends_with("request v2, its successor"), "{message}");
    }
}
