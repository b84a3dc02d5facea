//! The lineage door: what OpenLineage clients send and what they are answered, and hostile bodies.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{Request, StatusCode};
use domain::clock::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use lineage::openlineage::MAX_EVENT_BYTES;
use serde_json::{Value, json};
use std::io::Write;

use crate::support::{Api, Reply};

const EVENTS: [&str; 4] = [
    include_str!("../../../lineage/tests/it/events/airflow.ndjson"),
    include_str!("../../../lineage/tests/it/events/dbt.ndjson"),
    include_str!("../../../lineage/tests/it/events/python.ndjson"),
    include_str!("../../../lineage/tests/it/events/spark.ndjson"),
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Sender {
    api: Api,
    token: String,
}

impl Sender {
    async fn new() -> Self {
        let api = Api::shop().await;
        // The real events are from then.
        api.test.clock.set(Timestamp::parse_rfc3339("2026-12-31T00:00:00Z").unwrap());
        let token = api.test.token("owner-shop").await;
        Self { api, token }
    }

    async fn send(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::post(path).header(AUTHORIZATION, format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.api.send(request.body(body.into()).unwrap()).await
    }

    async fn json(&self, path: &str, body: impl Into<Body>) -> Reply {
        self.send(path, &[(CONTENT_TYPE.as_str(), "application/json")], body).await
    }

    async fn gzipped(&self, path: &str, body: Vec<u8>) -> Reply {
        let headers = [(CONTENT_TYPE.as_str(), "application/json"), (CONTENT_ENCODING.as_str(), "gzip")];
        self.send(path, &headers, body).await
    }
}

const SINGLE: &str = "/api/v1/lineage";
const BATCH: &str = "/api/v1/lineage/batch";

#[tokio::test]
async fn real_events_are_taken_one_by_one_and_again_in_batches() {
    let sender = Sender::new().await;
    let lines: Vec<&str> = EVENTS.iter().flat_map(|lines| lines.lines()).collect();
    for (place, line) in lines.iter().enumerate() {
        let reply = match place % 2 {
            0 => sender.json(SINGLE, (*line).to_owned()).await,
            _ => sender.gzipped(SINGLE, gzip(line.as_bytes())).await,
        };
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    }
    let batch = format!("[{}]", lines.join(","));
    for reply in [sender.json(BATCH, batch.clone()).await, sender.gzipped(BATCH, gzip(batch.as_bytes())).await] {
        assert_eq!(reply.status, StatusCode::OK);
        let answer = reply.json();
        assert_eq!((&answer["status"], &answer["summary"]["new"]), (&json!("success"), &json!(0)), "{answer}");
        assert_eq!(answer["summary"]["received"], lines.len());
    }
}

#[tokio::test]
async fn of_a_batch_each_event_is_judged_alone() {
    let sender = Sender::new().await;
    let good = EVENTS[2].lines().next().unwrap();
    let reply = sender.json(BATCH, format!("[{good}, {{\"eventTime\": 3}}]")).await;
    assert_eq!(reply.status, StatusCode::MULTI_STATUS);
    let answer = reply.json();
    assert_eq!(answer["status"], "partial_success");
    assert_eq!(answer["failed_events"][0]["index"], 1);
    assert_eq!(answer["failed_events"][0]["reason"], "at `/eventTime`: not a string");
    let reply = sender.json(BATCH, "[{}]").await;
    assert_eq!((reply.status, &reply.json()["status"]), (StatusCode::BAD_REQUEST, &json!("failure")));
    let reply = sender.json(SINGLE, "{\"eventTime\": 3}").await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid-request"));
    assert_eq!(reply.json()["detail"], "at `/eventTime`: not a string");
}

#[tokio::test]
async fn bodies_are_bounded_whatever_they_inflate_to() {
    let sender = Sender::new().await;
    let before = sender.api.test.dump().await;
    let bomb = gzip(&vec![b' '; MAX_EVENT_BYTES + 1]);
    assert!(bomb.len() < 100_000);
    let reply = sender.gzipped(SINGLE, bomb).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    let reply = sender.json(SINGLE, vec![b' '; MAX_EVENT_BYTES + 1]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "too-large"));
    let mut cut = gzip(EVENTS[0].as_bytes());
    cut.truncate(cut.len() / 2);
    let wrong: [(&str, Vec<u8>); 4] =
        [("gzip", b"{}".to_vec()), ("gzip", cut), ("identity", b"\x1f\x8b".to_vec()), ("identity", b"[".to_vec())];
    for (encoding, body) in wrong {
        for path in [SINGLE, BATCH] {
            let headers = [(CONTENT_TYPE.as_str(), "application/json"), (CONTENT_ENCODING.as_str(), encoding)];
            let reply = sender.send(path, &headers, body.clone()).await;
            assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::BAD_REQUEST, "invalid-request"));
        }
    }
    for headers in [
        vec![],
        vec![(CONTENT_TYPE.as_str(), "text/plain")],
        vec![(CONTENT_TYPE.as_str(), "application/json"), (CONTENT_ENCODING.as_str(), "br")],
        vec![(CONTENT_TYPE.as_str(), "application/json"), (CONTENT_ENCODING.as_str(), "gzip, gzip")],
    ] {
        let reply = sender.send(SINGLE, &headers, "{}").await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type")
        );
    }
    assert_eq!(before, sender.api.test.dump().await);
}

#[tokio::test]
async fn whoever_has_no_role_is_told_so_before_the_body_is_read() {
    let sender = Sender::new().await;
    sender.api.test.principal("stranger").await;
    let token = sender.api.test.token("stranger").await;
    let sender = Sender { token, ..sender };
    let reply = sender.json(BATCH, vec![b'x'; 2_000_000]).await;
    assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::FORBIDDEN, "forbidden"));
}

#[tokio::test]
async fn what_is_sent_is_answered_by_the_schema() {
    let sender = Sender::new().await;
    let orders = sender.api.test.table_folder("shop/orders").display().to_string();
    let event = json!({
        "eventTime": "2026-01-01T00:00:00Z", "producer": "p", "schemaURL": "s", "eventType": "COMPLETE",
        "run": { "runId": "00000000-0000-7000-8000-000000000001" }, "job": { "namespace": "jobs", "name": "load" },
        "inputs": [{ "namespace": "file", "name": orders }],
        "outputs": [{ "namespace": "db", "name": "mart.orders", "facets": { "columnLineage": {
            "_producer": "p", "_schemaURL": "s", "fields": { "total": { "inputFields": [{
                "namespace": "file", "name": orders, "field": "amount",
                "transformations": [{ "type": "DIRECT", "subtype": "AGGREGATION" }] }] } } } } }],
    });
    assert_eq!(sender.json(SINGLE, event.to_string()).await.status, StatusCode::CREATED);
    let query = r#"{ impact(table: "shop.orders.orders", columns: ["amount"]) {
        complete cut total consumerCount counts { distance total consumers domains { count domain { path } } }
        found { distance columns moreColumns moreEdges node { __typename ... on LineageDataset { namespace name } }
            edges { fromColumn toColumn kind basis standing principal { subject } product { name } job { name }
                firstSeenAt lastSeenAt from { ... on Table { address } } } } } }"#;
    let answer = sender.api.data("owner-shop", query, Value::Null).await["impact"].clone();
    assert_eq!((&answer["complete"], &answer["total"]), (&json!(true), &json!(1)), "{answer}");
    assert_eq!(
        answer["found"][0]["node"],
        json!({ "__typename": "LineageDataset", "namespace": "db", "name": "mart.orders" })
    );
    assert_eq!(answer["found"][0]["columns"], json!(["total"]));
    let edge = &answer["found"][0]["edges"];
    let named = edge.as_array().unwrap().iter().find(|edge| edge["fromColumn"] == "amount").unwrap();
    assert_eq!((&named["kind"], &named["standing"]), (&json!("OBSERVED"), &json!("OWN")), "{named}");
    assert_eq!(named["principal"]["subject"], "owner-shop");
    assert_eq!(named["from"]["address"], "shop.orders.orders__v1");
    assert_eq!(answer["counts"][0]["domains"], json!([{ "count": 1, "domain": null }]));
}
