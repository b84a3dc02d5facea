//! The budgets of search, measured on the built program with a generated catalog: `make bench`.
//!
//! `CHARTER_BENCH_PRODUCTS` sets how many products there are, with ten columns each. Absolute times say as much about the
//! machine as about the program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark ends where it fails")]

mod measure;

use std::path::Path;
use std::time::{Duration, Instant};

use app::Settings;
use domain::clock::{Clock, Random, SystemClock};
use domain::contract::{Contract, Version};
use domain::document::StoredDocument;
use domain::grant::PortMajor;
use domain::id::{ContractId, ContractVersionId, ProductId};
use domain::product::{Port, Product};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{Lock, Options, Tx};
use tempfile::TempDir;
use testkit::app::TestApp;
use testkit::clock::SeededRandom;

use self::measure::{Connection, Load, Server};

/// The domains of the catalog, with the same number of products each.
const N_DOMAINS: usize = 20;
const N_COLUMNS: usize = 10;
/// Each has a third of the products. What is restricted is hidden from the reader.
const CLASSIFICATIONS: [&str; 3] = ["public", "internal", "restricted"];
const N_QUERIES: usize = 2_000;
const PER_SECOND: u32 = 200;
const DURATION: Duration = Duration::from_secs(30);

fn main() {
    // `cargo bench` says `--bench`; `cargo test` asks for nothing of this.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    if only.is_none_or(|only| only == "search") {
        let n_products = std::env::var("CHARTER_BENCH_PRODUCTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
        search(n_products);
    }
}

/// Searches over HTTP, of a reader to whom a third of all products is hidden.
fn search(n_products: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let began = Instant::now();
    let catalog = runtime.block_on(Catalog::publish(n_products));
    println!("{n_products} products with {} columns written in {:.0?}", n_products * N_COLUMNS, began.elapsed());
    let mut server = Server::start(catalog.data.path());
    runtime.block_on(server.ready());

    let began = Instant::now();
    let mut connection = Connection::open(&server.address);
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let all = request(&host, &catalog.reader, SEARCH, &json!({ "text": "" }));
    while body(connection.ask(&all))["data"]["search"]["partial"] != json!(false) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let built = began.elapsed();
    println!(
        "index built from the database in {built:.1?}, {:.0} products/s, partial answers meanwhile; {:.0} MB on disk; \
         resident memory {:.0} MB",
        n_products as f64 / built.as_secs_f64(),
        size(&catalog.data.path().join("search")) as f64 / 1e6,
        server.resident_kb() as f64 / 1_000.0
    );

    let random = Dice::new(2);
    let queries = (0..N_QUERIES).map(|_| request(&host, &catalog.reader, SEARCH, &json!({ "text": random.query() })));
    let load = Load::new(&server.address, queries.collect(), "\"partial\":false");
    load.closed_loop(1, Duration::from_secs(2));
    let figures = load.open_loop(PER_SECOND, DURATION);
    println!("search over HTTP, first 20 with facets and total, open loop at {PER_SECOND} /s: {figures}");
    println!("  budget: p99 under 25 ms");
    let one = load.closed_loop(1, Duration::from_secs(10));
    println!("the same, closed loop, 1 client: {one}; resident memory {:.0} MB", server.resident_kb() as f64 / 1_000.0);

    // What the reader may see appears, and disappears.
    // The first connection was idle for too long.
    let mut connection = Connection::open(&server.address);
    let mut slowest = [Duration::ZERO; 2];
    for turn in 0..20 {
        let name = format!("fresh{turn}");
        for (classification, n_found) in [("internal", 1), ("restricted", 0)] {
            let documents = [product(&name, classification, "", "Fresh"), contract(&name, "", &[])];
            let publish = json!({ "input": { "domain": "d0", "documents": documents.map(|text| json!({ "path": "fresh.yaml", "text": text })) } });
            let publish = request(&host, &catalog.owner, APPLY, &publish);
            let answer = body(connection.ask(&publish));
            assert_eq!(answer["data"]["applyDocuments"]["__typename"], "ApplyDocumentsPayload", "{answer}");
            let began = Instant::now();
            let find = request(&host, &catalog.reader, SEARCH, &json!({ "text": name }));
            while body(connection.ask(&find))["data"]["search"]["hits"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|hit| hit["product"]["name"] == json!(name))
                .count()
                != n_found
            {}
            let of_its_kind = &mut slowest[1 - n_found];
            *of_its_kind = (*of_its_kind).max(began.elapsed());
        }
    }
    println!(
        "from the answer to a change to the search that shows it, slowest of 20: seen {:.0?}, hidden {:.0?}",
        slowest[0], slowest[1]
    );
    println!("  budget: under 1 s");
    server.stop();
}

const SEARCH: &str = "query($text: String!) { search(text: $text) { total partial \
                      hits { product { id name title state domain { path } } access stage \
                      matches { field of text highlights { start end } } } \
                      facets { facet values { value count } } corrections { typed found } endCursor } }";
const APPLY: &str = "mutation($input: DocumentsInput!) { applyDocuments(input: $input) { __typename } }";

fn request(host: &str, token: &str, query: &str, variables: &Value) -> Vec<u8> {
    let body = json!({ "query": query, "variables": variables }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn body(answer: &[u8]) -> Value {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    serde_json::from_slice(&answer[head..]).unwrap()
}

fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.path().is_dir() { size(&entry.path()) } else { entry.metadata().unwrap().len() }).sum()
}

/// A data directory with products, and the tokens of a reader and of an owner of the domain `d0`.
struct Catalog {
    data: TempDir,
    reader: String,
    owner: String,
}

/// The rows of a product that was published.
struct Published {
    product: Product,
    document: StoredDocument,
    contract: Contract,
    version: Version,
    port: Port,
}

impl Catalog {
    /// Publishes one product of each domain and classification. Their rows are the model of all others, which are written
    /// past the use case: to judge 100,000 documents takes many times longer than what is measured here. The others have no
    /// events, no audit records and no revisions of their own, which the server, started afterwards, reads for none of this.
    async fn publish(n_products: usize) -> Self {
        let test = TestApp::start_with(None, Options::for_testing(), Settings::for_testing()).await;
        test.clock.set(SystemClock.now());
        test.principal("reader").await;
        let random = Dice::new(1);
        for domain in 0..N_DOMAINS {
            let path = format!("d{domain}");
            let owner = test.domain(&path).await;
            let names = (domain..n_products).step_by(N_DOMAINS).map(|n| format!("{}_{n}", random.name(2)));
            let names: Vec<String> = names.collect();
            let (models, others) = names.split_at(CLASSIFICATIONS.len().min(names.len()));
            let mut published = Vec::new();
            for (name, classification) in models.iter().zip(CLASSIFICATIONS) {
                match owner.publishes(&path, &random.documents(name, classification)).await.unwrap() {
                    app::publish::Outcome::Done(_) => published.push(Published::find(&test, &path, name).await),
                    other => panic!("not taken: {other:?}"),
                }
            }
            write(&test, &random, &published, others).await;
        }
        let (reader, owner) = (test.token("reader").await, test.token("owner-d0").await);
        Self { data: test.into_data().await, reader, owner }
    }
}

impl Published {
    async fn find(test: &TestApp, domain: &str, name: &str) -> Self {
        let mut tx = test.app.db.read().await.unwrap();
        let domain = store::org::find_by_path(&mut tx, &domain.parse().unwrap()).await.unwrap().unwrap();
        let product = store::product::find_by_name(&mut tx, domain.id, &name.parse().unwrap()).await.unwrap().unwrap();
        let document = store::product::find_document(&mut tx, product.id, &product.digest).await.unwrap().unwrap();
        let contract = store::contract::list_of_products(&mut tx, &[product.id]).await.unwrap().remove(0);
        let version = store::contract::list_versions_of_contracts(&mut tx, &[contract.id]).await.unwrap().remove(0);
        let port = store::product::list_ports_of_products(&mut tx, &[product.id]).await.unwrap().remove(0);
        Self { product, document, contract, version, port }
    }

    /// The same with another name and other texts.
    fn named(&self, test: &TestApp, name: &str, [product_text, contract_text]: [String; 2]) -> Self {
        let (clock, random) = (test.clock.as_ref(), test.random.as_ref());
        let document = stored(&self.document, product_text);
        let product = Product {
            id: ProductId::new(clock, random),
            name: name.parse().unwrap(),
            document_id: name.to_owned(),
            title: Some(name.to_owned()),
            digest: document.digest.clone(),
            ..self.product.clone()
        };
        let contract = Contract {
            id: ContractId::new(clock, random),
            product_id: product.id,
            document_id: format!("{name}-contract"),
            ..self.contract.clone()
        };
        let version = Version {
            id: ContractVersionId::new(clock, random),
            contract_id: contract.id,
            document: stored(&self.version.document, contract_text),
            ..self.version.clone()
        };
        let port_major = PortMajor { product_id: product.id, ..self.port.port_major.clone() };
        let port = Port { port_major, contract_id: contract.id, ..self.port.clone() };
        Self { product, document, contract, version, port }
    }

    async fn insert(&self, tx: &mut Tx) -> Result<(), store::Error> {
        store::product::insert(tx, &self.product).await?;
        store::product::put_document(tx, self.product.id, &self.document).await?;
        store::contract::insert(tx, &self.contract).await?;
        store::contract::insert_version(tx, &self.version).await?;
        store::product::insert_port(tx, &self.port).await
    }
}

fn stored(model: &StoredDocument, text: String) -> StoredDocument {
    let bytes = text.into_bytes();
    StoredDocument { digest: hex::encode(Sha256::digest(&bytes)), bytes, ..model.clone() }
}

async fn write(test: &TestApp, random: &Dice, published: &[Published], names: &[String]) {
    const N_IN_A_TRANSACTION: usize = 1_000;
    for names in names.chunks(N_IN_A_TRANSACTION) {
        let mut tx = test.app.db.write(Lock::Facts).await.unwrap();
        for name in names {
            let place = random.below(published.len());
            let texts = random.documents(name, CLASSIFICATIONS[place]);
            published[place].named(test, name, texts).insert(&mut tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Texts of words of which some are much more frequent than others.
struct Dice {
    random: SeededRandom,
    words: Vec<String>,
}

impl Dice {
    fn new(seed: u64) -> Self {
        const SYLLABLES: [&str; 20] = [
            "or", "der", "cus", "to", "mer", "re", "ve", "nue", "pay", "ment", "in", "voi", "ce", "sta", "tus", "li",
            "ne", "da", "ses", "vent",
        ];
        const N_WORDS: usize = 4_000;
        // The same words for every seed.
        let mut dice = Self { random: SeededRandom::new(0), words: Vec::new() };
        let word = |dice: &Self| (0..2 + dice.below(3)).map(|_| SYLLABLES[dice.below(SYLLABLES.len())]).collect();
        dice.words = (0..N_WORDS).map(|_| word(&dice)).collect();
        Self { random: SeededRandom::new(seed), ..dice }
    }

    fn below(&self, bound: usize) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % bound as u64).unwrap()
    }

    fn word(&self) -> &str {
        let bound = 1 + self.below(self.words.len());
        &self.words[self.below(bound)]
    }

    fn text(&self, n_words: usize, between: &str) -> String {
        (0..n_words).map(|_| self.word()).collect::<Vec<_>>().join(between)
    }

    fn name(&self, n_words: usize) -> String {
        self.text(n_words, "_")
    }

    fn documents(&self, name: &str, classification: &str) -> [String; 2] {
        let columns: Vec<[String; 2]> =
            (0..N_COLUMNS).map(|n| [format!("{}_{n}", self.name(2)), self.text(4, " ")]).collect();
        let tags = format!("tags: [{}]\n", self.word());
        [product(name, classification, &tags, &self.text(20, " ")), contract(name, &self.text(6, " "), &columns)]
    }

    /// One to four words, whole, unfinished or misspelt, or none.
    fn query(&self) -> String {
        match self.below(10) {
            0 => String::new(),
            1 | 2 => format!("{} ", self.word()),
            3 | 4 => self.text(2, " "),
            5 => self.name(2),
            6 | 7 => {
                let word = self.word();
                word[..1 + self.below(word.len())].to_owned()
            }
            8 => {
                let mut word = self.word().to_owned();
                word.remove(self.below(word.len()));
                format!("{word} {}", self.word())
            }
            _ => self.text(4, " "),
        }
    }
}

fn product(name: &str, classification: &str, tags: &str, description: &str) -> String {
    format!(
        "apiVersion: v1.0.0\nkind: DataProduct\nid: {name}\nname: {name}\nstatus: active\n{tags}\
         description: {{purpose: {description}}}\n\
         customProperties:\n  - {{property: classification, value: {classification}}}\n\
         outputPorts:\n  - {{name: tables, version: 1.0.0, contractId: {name}-contract}}\n"
    )
}

/// A contract without a table of its own: it remains a draft.
fn contract(name: &str, description: &str, columns: &[[String; 2]]) -> String {
    let columns = columns
        .iter()
        .map(|[name, text]| format!("      - {{name: {name}, logicalType: string, description: {text}}}\n"))
        .collect::<String>();
    let columns = if columns.is_empty() { "      - {name: id, logicalType: integer}\n".to_owned() } else { columns };
    format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: {name}-contract\nversion: 1.0.0\nstatus: draft\nschema:\n  \
         - name: rows\n    description: \"{description}\"\n    properties:\n{columns}"
    )
}
