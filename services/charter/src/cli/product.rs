//! `charter product`: listing and showing data products.

use std::fmt::Write;

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::answer::DomainName;
use super::args::{self, Paging, ProductAddress, Remote};
use super::client::{Client, Connection};
use super::error::{Error, Exit, Result};
use super::output::{self, Paint, or_dash, word};
use super::table::TableFormat;

/// `charter product`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// List the products that you can see
    List {
        /// Only products of this domain
        #[arg(short, long, value_parser = args::domain_path)]
        domain: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a product with its ports, contracts and tables
    Show {
        /// Product, `domain.product`
        #[arg(value_parser = args::product)]
        product: ProductAddress,
    },
}

const LIST: &[&str] = &["query Products($first: Int, $after: String, $domain: String) {
    answer: products(first: $first, after: $after, domain: $domain) {
        nodes { id name title state classification medallion domain { path } createdAt }
        pageInfo { hasNextPage endCursor }
    }
}"];

const SHOW: &[&str] = &["query Product($domain: String!, $name: String!) {
    answer: product(domain: $domain, name: $name) {
        id name title state classification medallion domain { path } createdAt
        ports { name major contract { documentId } }
        contracts { id documentId name versions {
            nodes { id version state reasons sunset publishedAt gateMode } pageInfo { hasNextPage endCursor }
        } }
        tables { id address name format environment major }
        document { digest mediaType text }
    }
}"];

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    id: String,
    name: String,
    title: Option<String>,
    state: String,
    classification: String,
    medallion: Option<String>,
    domain: DomainName,
    created_at: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct WholeProduct {
    #[serde(flatten)]
    product: Product,
    ports: Vec<Port>,
    contracts: Vec<Contract>,
    tables: Vec<Table>,
    /// `None` if the caller may not read it.
    document: Option<Document>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Port {
    name: String,
    major: u32,
    contract: Option<ContractName>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct ContractName {
    document_id: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Contract {
    id: String,
    document_id: String,
    name: Option<String>,
    /// The newest page.
    versions: Connection<Version>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    id: String,
    version: String,
    state: String,
    reasons: Vec<String>,
    sunset: Option<String>,
    published_at: String,
    gate_mode: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Table {
    id: String,
    address: String,
    name: String,
    format: TableFormat,
    environment: String,
    major: u32,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    digest: String,
    media_type: String,
    text: String,
}

/// Runs `charter product`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::List { domain, paging } => {
            let filters = Map::from_iter([("domain".to_owned(), json!(domain))]);
            let products: Connection<Product> = client.list(LIST, filters, &paging).await?;
            output::show(json, &products, |products| table(&products.nodes))?;
        }
        Command::Show { product } => {
            let variables = json!({ "domain": product.domain, "name": product.product });
            let found: Option<WholeProduct> = client.send(SHOW, variables).await?;
            let found = found.ok_or_else(|| Error::not_found("product", &product.to_string()))?;
            output::show(json, &found, |found| found.text(Paint::stdout()))?;
        }
    }
    Ok(Exit::Done)
}

fn table(products: &[Product]) -> String {
    output::table(
        ["product", "state", "classification", "layer", "title"],
        products.iter().map(|product| {
            [
                product.address(),
                word(&product.state),
                word(&product.classification),
                or_dash(product.medallion.as_deref()),
                or_dash(product.title.as_deref()),
            ]
        }),
    )
}

impl Product {
    fn address(&self) -> String {
        format!("{}.{}", self.domain.path, self.name)
    }
}

impl WholeProduct {
    fn text(&self, paint: Paint) -> String {
        let Product { state, classification, title, created_at, .. } = &self.product;
        let title = title.as_ref().map(|title| format!(" {title}")).unwrap_or_default();
        let mut text = format!("{}{title}\n", paint.bold(&self.product.address()));
        let _ = writeln!(text, "{}, {}, published {created_at}", word(state), word(classification));
        let ports = self.ports.iter().map(|port| {
            let contract = or_dash(port.contract.as_ref().map(|contract| &contract.document_id));
            [port.name.clone(), port.major.to_string(), contract]
        });
        let versions = self.contracts.iter().flat_map(|contract| {
            contract.versions.nodes.iter().map(|version| {
                let sunset = version.sunset.as_ref().map(|sunset| format!("until {sunset}"));
                let waiting = (!version.reasons.is_empty()).then(|| format!("waiting: {}", version.reasons.join("; ")));
                let aside = [sunset, waiting].into_iter().flatten().collect::<Vec<_>>().join(", ");
                let Version { version, state, gate_mode, published_at, .. } = version;
                let words = [word(state), word(gate_mode)];
                let [state, gate_mode] = words;
                [contract.document_id.clone(), version.clone(), state, gate_mode, published_at.clone(), aside]
            })
        });
        let tables = self.tables.iter().map(|table| {
            [table.address.clone(), table.format.to_string(), table.environment.clone(), table.major.to_string()]
        });
        let parts = [
            output::table(["port", "major", "contract"], ports),
            output::table(["contract", "version", "state", "gate", "published", ""], versions),
            output::table(["table", "format", "environment", "major"], tables),
        ];
        let truncated = self.contracts.iter().filter(|contract| contract.versions.page_info.has_next_page);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let _ = write!(text, "\n{part}");
        }
        for contract in truncated {
            let n_shown = contract.versions.nodes.len();
            let _ = write!(text, "\n`{}` has more versions; the newest {n_shown} are shown\n", contract.document_id);
        }
        text
    }
}
