//! A world to ask about, and asking.

use std::collections::HashMap;

use api::{Limits, Web};
use app::Settings;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request, StatusCode};
use domain::error::Reason;
use domain::identity::{DomainRole, PlatformRole};
use http_base::site::Site;
use page::Page;
use serde_json::{Value, json};
use testkit::app::TestApp;
use testkit::inspector::Scene;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

pub(crate) const PRODUCT: &str = include_str!("documents/orders.product.yaml");
pub(crate) const CONTRACT: &str = include_str!("documents/orders.contract.yaml");
/// What the table of [`CONTRACT`] looks like.
pub(crate) const COLUMNS: &str = "order_id:integer amount:number";

/// An application behind its router.
pub(crate) struct Api {
    pub(crate) test: TestApp,
    router: Router,
    tasks: TaskTracker,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The last part of the type of a problem document.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json", "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16(), "{document}");
        assert_eq!(document["requestId"].as_str().map(str::as_bytes), Some(self.headers["x-request-id"].as_bytes()));
        let kind = document["type"].as_str().and_then(|kind| kind.strip_prefix("urn:charterhouse:problem:"));
        let kind = kind.unwrap_or_else(|| panic!("no type: {document}"));
        let reason = match kind {
            "not-found" => Reason::PathNotFound,
            "method-not-allowed" => Reason::MethodNotAllowed,
            "unauthenticated" => Reason::TokenInvalid,
            "foreign-origin" => Reason::RequestForeign,
            "forbidden" => Reason::PolicyDenied,
            "unsupported-media-type" => Reason::BodyMediaType,
            "too-large" => Reason::BodyTooLarge,
            "invalid-request" => Reason::BodyInvalid,
            "body-timed-out" => Reason::BodyTimedOut,
            "too-many" => Reason::ClientTooMany,
            "busy" => Reason::ServerBusy,
            "timed-out" => Reason::ServerTimedOut,
            "unavailable" => Reason::ServerUnavailable,
            "internal" => Reason::ServerFault,
            unknown => panic!("unknown type `{unknown}`"),
        };
        assert_eq!(document["reason"], reason.as_str(), "{document}");
        kind.to_owned()
    }
}

impl Api {
    /// With nothing but the first admin.
    pub(crate) async fn start() -> Self {
        Self::with(&Limits::default()).await
    }

    pub(crate) async fn with(limits: &Limits) -> Self {
        Self::around(TestApp::start().await, limits)
    }

    /// Whose schemas without a product are kept in the domain `strays`.
    pub(crate) async fn with_quarantine() -> Self {
        Self::with_quarantine_and(Settings::for_testing()).await
    }

    /// The same, with limits of its own.
    pub(crate) async fn with_quarantine_and(settings: Settings) -> Self {
        let settings = Settings { quarantine: Some("strays".parse().unwrap()), ..settings };
        let test = TestApp::start_configured(settings).await;
        test.domain("strays").await;
        Self::around(test, &Limits::default())
    }

    pub(crate) fn around(test: TestApp, limits: &Limits) -> Self {
        let web = Web { site: Site::default(), page: Page::new(&[], HashMap::new()) };
        Self::serving(test, limits, web)
    }

    /// With a page.
    pub(crate) fn serving(test: TestApp, limits: &Limits, web: Web) -> Self {
        let tasks = TaskTracker::new();
        let router = api::router(test.app.clone(), limits, &tasks, None, web);
        Self { test, router, tasks }
    }

    /// The mutations that are under way.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// With the domain `shop`, its product `orders` with a table that passed, its people (`owner-shop`, `publisher`,
    /// `consumer`), the platform's (`admin`, `steward`, `auditor`), `reader`, who has nothing yet, and `owner-other`.
    pub(crate) async fn shop() -> Self {
        let api = Self::start().await;
        let test = &api.test;
        let owner = test.domain("shop").await;
        test.domain("other").await;
        for (subject, role) in [("publisher", DomainRole::Publisher), ("consumer", DomainRole::Consumer)] {
            test.member(subject, &[("shop", role)]).await;
        }
        for (subject, role) in [("steward", PlatformRole::Steward), ("auditor", PlatformRole::Auditor)] {
            test.officer(subject, role).await;
        }
        test.principal("reader").await;
        test.publish(&owner, "shop", &[PRODUCT, CONTRACT]).await;
        test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
        api
    }

    /// Sends anything.
    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
        Reply { status: parts.status, headers: parts.headers, bytes }
    }

    /// Posts a body as JSON with a token.
    pub(crate) async fn post(&self, token: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post("/graphql")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// Asks as somebody; gives the whole answer.
    pub(crate) async fn ask(&self, subject: &str, query: &str, variables: Value) -> Value {
        let token = self.test.token(subject).await;
        let reply = self.post(&token, json!({ "query": query, "variables": variables }).to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        reply.json()
    }

    /// Asks what must be answered without an error; gives the data.
    pub(crate) async fn data(&self, subject: &str, query: &str, variables: Value) -> Value {
        let answer = self.ask(subject, query, variables).await;
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        answer["data"].clone()
    }

    /// Asks what must not be answered; gives the first error's code.
    pub(crate) async fn code(&self, subject: &str, query: &str, variables: Value) -> String {
        let answer = self.ask(subject, query, variables).await;
        code(&answer).unwrap_or_else(|| panic!("{query}: {answer}"))
    }

    /// Lets `reader` ask for access to the orders, and the owner approve; gives the grant's id.
    pub(crate) async fn grant(&self) -> String {
        let id = self.request().await;
        let data = self
            .data(
                "owner-shop",
                "mutation($input: ApproveRequestInput!) { answer: approveRequest(input: $input) {
                     ... on ApproveRequestPayload { grant { id } } } }",
                json!({ "input": { "request": id } }),
            )
            .await;
        data["answer"]["grant"]["id"].as_str().expect("a grant").to_owned()
    }

    /// What the steward signs to accept a document of a product's contract: the input of `createOverride`.
    pub(crate) async fn override_input(&self, product: &str, document: &str) -> Value {
        let query = "query($product: String!, $document: DocumentInput!) {
            answer: reviewRefusal(product: $product, document: $document) { ... on VersionRefusal { findingsDigest } } }";
        let document = json!({ "path": "orders.yaml", "text": document });
        let variables = json!({ "product": product, "document": document });
        let data = self.data("steward", query, variables).await;
        json!({ "product": product, "document": document, "findingsDigest": data["answer"]["findingsDigest"],
            "reason": "a trial", "expiresAt": "2026-10-01T00:00:00Z" })
    }

    /// Lets the steward accept a document; gives the override's id.
    pub(crate) async fn accept(&self, product: &str, document: &str) -> String {
        let input = self.override_input(product, document).await;
        let mutation = "mutation($input: CreateOverrideInput!) {
            answer: createOverride(input: $input) { ... on CreateOverridePayload { override { id } } } }";
        let data = self.data("steward", mutation, json!({ "input": input })).await;
        data["answer"]["override"]["id"].as_str().expect("an override").to_owned()
    }

    /// Lets `reader` ask for access to the orders; gives the request's id.
    pub(crate) async fn request(&self) -> String {
        let input = json!({ "address": "shop.orders.orders", "purpose": "ANALYTICS", "sentence": "to count orders" });
        let mutation =
            "mutation($input: RequestAccessInput!) { answer: requestAccess(input: $input) { request { id } } }";
        let data = self.data("reader", mutation, json!({ "input": input })).await;
        data["answer"]["request"]["id"].as_str().expect("a request").to_owned()
    }
}

/// A product's document with the next major of its port, and its contract's breaking successor: the amounts are in cents.
pub(crate) fn succeeded(product: &str, contract: &str) -> [String; 2] {
    let (_, port) = product.split_once("outputPorts:\n").expect("ports");
    let next = port.replace("version: 1.0.0", "version: 2.0.0");
    let successor = contract.replace("version: 1.0.0", "version: 2.0.0").replace(
        "- name: amount\n",
        "- name: amount\n        customProperties:\n          - property: unit\n            value: cents\n",
    );
    [format!("{product}{next}"), successor]
}

/// The breaking successor of a contract under a number that does not say so.
pub(crate) fn refused(contract: &str) -> String {
    let [_, successor] = succeeded(PRODUCT, contract);
    successor.replace("version: 2.0.0", "version: 1.8.0")
}

/// The code of an answer's first error.
pub(crate) fn code(answer: &Value) -> Option<String> {
    answer["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
}
