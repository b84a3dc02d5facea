//! Hidden equals missing in cost: the look-up of a hidden object runs as many statements and policy evaluations, of the
//! same kinds, as that of a missing one. Otherwise the time of an answer would tell them apart.

use std::collections::{BTreeMap, BTreeSet};

use api::doors::endpoints;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::hidden::{ABOUT_DOCUMENTS, ABOUT_IDS, ABOUT_NAMES, CALLERS, world};
use crate::registry_topics::{door_with, requests};
use crate::support::{Api, PRODUCT};
use crate::trace::Trace;

/// Questions about a principal that callers without a role may not see; `{}` stands for its name.
const ABOUT_PRINCIPALS: [&str; 3] = [
    r#"{ tokens(subject: "{}") { nodes { id } } }"#,
    r#"mutation { createToken(input: { subject: "{}" }) { __typename } }"#,
    r#"mutation { assignRole(input: { subject: "{}", role: CONSUMER, domain: "shop" }) { __typename } }"#,
];

/// The number of statements and evaluations by kind.
type Cost = BTreeMap<String, usize>;

fn cost(trace: &Trace) -> Cost {
    let mut cost = Cost::new();
    for traced in trace.take() {
        let kind = traced.fields.get("at").or_else(|| traced.fields.get("action"));
        *cost.entry(kind.expect("a kind").clone()).or_default() += 1;
    }
    cost
}

/// The requests about hidden objects whose cost differs from that of the same request about a missing one.
#[derive(Default)]
struct Differences {
    found: BTreeMap<String, String>,
    n_compared: usize,
}

impl Differences {
    /// Sends `request` about a hidden object and a missing one, twice: the first request may fill caches. `warm_up` is
    /// another missing object.
    async fn compare<F: Future<Output = ()>>(&mut self, trace: &Trace, name: &str, request: impl Fn(Target) -> F) {
        request(Target::WarmUp).await;
        trace.take();
        for repetition in ["first", "second"] {
            request(Target::Hidden).await;
            let hidden = cost(trace);
            request(Target::Missing).await;
            let missing = cost(trace);
            // An id of the wrong kind is refused without a look-up.
            self.n_compared += usize::from(!missing.is_empty());
            if hidden != missing {
                let kinds: BTreeSet<&String> = hidden.keys().chain(missing.keys()).collect();
                let differing = kinds.into_iter().filter_map(|kind| {
                    let (hidden, missing) = (hidden.get(kind).unwrap_or(&0), missing.get(kind).unwrap_or(&0));
                    (hidden != missing).then(|| format!("\n      {kind}: {hidden} hidden, {missing} missing"))
                });
                self.found
                    .entry(name.to_owned())
                    .or_insert_with(|| format!("{repetition}{}", differing.collect::<String>()));
            }
        }
    }

    fn assert_none(&self) {
        let lines = self.found.iter().map(|(name, difference)| format!("\n  {name}\n    {difference}"));
        let n_found = self.found.len();
        assert!(self.found.is_empty(), "{n_found} of {} differ:{}", self.n_compared, lines.collect::<String>());
    }
}

#[derive(Clone, Copy)]
enum Target {
    WarmUp,
    Hidden,
    Missing,
}

impl Target {
    /// The name of the object, if the hidden one has this name. All have the same length.
    fn name(self, hidden: &str) -> String {
        let ending = match self {
            Self::WarmUp => "w",
            Self::Hidden => return hidden.to_owned(),
            Self::Missing => "x",
        };
        format!("{}{ending}", &hidden[..hidden.len() - 1])
    }

    /// The global id of the object, if the hidden one has this id.
    fn id(self, hidden: &str) -> String {
        let digit = match self {
            Self::WarmUp => '1',
            Self::Hidden => return hidden.to_owned(),
            Self::Missing => '2',
        };
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(hidden).unwrap()).unwrap();
        let parts = text.split(':').enumerate().map(|(index, part)| match index {
            0 => part.to_owned(),
            // The last group of the UUID.
            _ => format!("{}{}", &part[..24], digit.to_string().repeat(12)),
        });
        URL_SAFE_NO_PAD.encode(parts.collect::<Vec<_>>().join(":"))
    }
}

fn kind_of(id: &str) -> String {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).unwrap()).unwrap();
    text.split(':').next().unwrap().to_owned()
}

/// Ids that callers without a role may not see, beyond those of a hidden product.
async fn ids_of_the_platform(api: &Api) -> Vec<String> {
    let query = "{ principals(first: 200) { nodes { id subject } } records(first: 1) { nodes { id } }
        domain(path: \"shop\") { roles { id } } tokens(subject: \"admin\", first: 1) { nodes { id } } }";
    let data = api.data("admin", query, Value::Null).await;
    let steward = data["principals"]["nodes"].as_array().unwrap().iter().find(|node| node["subject"] == "steward");
    let ids = [
        &steward.unwrap()["id"],
        &data["records"]["nodes"][0]["id"],
        &data["domain"]["roles"][0]["id"],
        &data["tokens"]["nodes"][0]["id"],
    ];
    ids.map(|id| id.as_str().unwrap().to_owned()).to_vec()
}

#[tokio::test]
async fn hidden_objects_of_graphql_cost_what_missing_ones_cost() {
    let (api, secrets) = world(true).await;
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for id in secrets.ids.into_iter().chain(ids_of_the_platform(&api).await) {
        ids.entry(kind_of(&id)).or_insert(id);
    }
    // Domains are never hidden.
    assert_eq!(ids.len(), 15, "an id of each kind: {:?}", ids.keys());
    let trace = Trace::new(&["charter::sql", "charter::policy"]);
    let _guard = tracing::subscriber::set_default(trace.clone());
    let mut differences = Differences::default();
    for caller in CALLERS {
        let token = &api.test.token(caller).await;
        let api = &api;
        let send = async |query: String, variables: Value| {
            let body = json!({ "query": query, "variables": variables }).to_string();
            api.post(token, body).await;
        };
        let send = &send;
        for name in ["payroll", "aardvark"] {
            for question in ABOUT_NAMES {
                let request =
                    async |target: Target| send(question.replace("{}", &target.name(name)), Value::Null).await;
                differences.compare(&trace, &format!("{caller}: {}", question.replace("{}", name)), request).await;
            }
        }
        for question in ABOUT_PRINCIPALS {
            let request =
                async |target: Target| send(question.replace("{}", &target.name("steward")), Value::Null).await;
            differences.compare(&trace, &format!("{caller}: {question}"), request).await;
        }
        for (kind, id) in &ids {
            for question in ABOUT_IDS {
                let request = async |target: Target| send(question.replace("{}", &target.id(id)), Value::Null).await;
                differences.compare(&trace, &format!("{caller}: {}", question.replace("{}", kind)), request).await;
            }
        }
    }
    for (field, query) in ABOUT_DOCUMENTS {
        for (caller, domain) in
            [("reader", "shop"), ("owner-other", "shop"), ("consumer", "shop"), ("owner-other", "other")]
        {
            let token = &api.test.token(caller).await;
            let api = &api;
            let request = async |target: Target| {
                let name = target.name("payroll");
                let product = match domain {
                    "shop" => PRODUCT.replace("name: Orders", &format!("name: {name}")),
                    _ => {
                        let ports = format!(
                            "inputPorts:\n  - name: {name}\n    version: 1.0.0\n    contractId: {name}-contract\n"
                        );
                        PRODUCT.replace("contractId: orders-contract", &format!("contractId: {name}-contract")) + &ports
                    }
                };
                let input = json!({ "input": { "domain": domain, "documents": [{ "path": "p", "text": product }] } });
                api.post(token, json!({ "query": query, "variables": input }).to_string()).await;
            };
            differences.compare(&trace, &format!("{caller}: {field} in {domain}"), request).await;
        }
    }
    assert!(differences.n_compared > 250, "{}", differences.n_compared);
    differences.assert_none();
}

#[tokio::test]
async fn hidden_subjects_and_schemas_cost_what_missing_ones_cost() {
    for quarantine in [false, true] {
        let api = if quarantine { Api::with_quarantine().await } else { Api::start().await };
        let door = &door_with(api, true).await;
        let trace = Trace::new(&["charter::sql", "charter::policy"]);
        let _guard = tracing::subscriber::set_default(trace.clone());
        let mut differences = Differences::default();
        for (method, path, body) in &requests() {
            // The schemas 2 to 4 are of the hidden subjects.
            let hidden_id = ["2", "3", "4"].into_iter().find(|id| path.starts_with(&format!("/schemas/ids/{id}")));
            let body_text = body.as_ref().map(Value::to_string).unwrap_or_default();
            if hidden_id.is_none() && !path.contains("vault-") && !body_text.contains("vault-") {
                continue;
            }
            let request = async |target: Target| {
                let mut path = path.replace("vault-", &format!("{}-", target.name("vault")));
                let missing_id = match target {
                    Target::WarmUp => "1001",
                    Target::Hidden => hidden_id.unwrap_or_default(),
                    Target::Missing => "1002",
                };
                if let Some(id) = hidden_id {
                    path = path.replacen(&format!("/schemas/ids/{id}"), &format!("/schemas/ids/{missing_id}"), 1);
                }
                let body = body_text.replace("vault-", &format!("{}-", target.name("vault")));
                let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(&body).unwrap());
                door.call("stranger", method.clone(), &path, body.as_ref()).await;
            };
            differences
                .compare(&trace, &format!("{method} {path} {body_text}, quarantine: {quarantine}"), request)
                .await;
        }
        assert!(differences.n_compared > 200, "{}", differences.n_compared);
        differences.assert_none();
    }
}

/// `requests` has a request for every route that names a schema or subject.
#[test]
fn every_route_of_the_registry_has_a_request_about_hidden_objects() {
    let requests = requests();
    for endpoint in endpoints() {
        let Some(route) = endpoint.path.strip_prefix("/registry").filter(|route| route.contains('{')) else { continue };
        if route.starts_with("/associations") {
            continue;
        }
        let matches = |(method, path, _): &(Method, String, Option<Value>)| {
            let path = path.split('?').next().unwrap();
            let (path, route) = (path.split('/').collect::<Vec<_>>(), route.split('/').collect::<Vec<_>>());
            *method == endpoint.method
                && path.len() == route.len()
                && path.iter().zip(&route).all(|(part, expected)| expected.starts_with('{') || part == expected)
        };
        assert!(requests.iter().any(matches), "no request for {} {route}", endpoint.method);
    }
}
