//! `charter product`: listing and showing data products.

mod readers;

use std::fmt::Write;

use clap::Subcommand;
use cynic::Id;
use search::Access;
use serde::Serialize;

use super::answer::{ContractName, DomainName, ProductName};
use super::api::{
    Classification, ContractState, DateTime, GateMode, Long, ProductAccess, ProductState, TableFormat, VerdictWord,
    list, operation, schema,
};
use super::args::{self, Paging, ProductAddress, Remote};
use super::client::{Client, PageInfo};
use super::error::{Error, Exit, Result};
use super::output::{self, bold, or_dash};

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
    /// Show who read which columns of a product's tables, and which columns were not read
    Readers {
        /// Product, `domain.product`
        #[arg(value_parser = args::product)]
        product: ProductAddress,
        /// The number of days to look back, at most 400
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(i32).range(1..=400))]
        days: i32,
    },
}

list!($ ListProducts { domain: Option<String> } "products" -> "ProductConnection" of Product);
operation!($ query "Query" ShowProduct { domain: String, name: String } "product" -> Option<ProductDetails>);

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Product {
    id: Id,
    name: String,
    title: Option<String>,
    state: ProductState,
    classification: Classification,
    medallion: Option<String>,
    domain: DomainName,
    created_at: DateTime,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Product")]
struct ProductDetails {
    #[cynic(spread)]
    #[serde(flatten)]
    product: Product,
    access: ProductAccess,
    usage: ProductUsage,
    ports: Vec<Port>,
    contracts: Vec<Contract>,
    tables: Vec<Table>,
    similar: Vec<ProductName>,
    /// `None` if the caller may not read it.
    document: Option<Document>,
}

/// Of the last 30 days.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ProductUsage {
    readers: i32,
    leases: i32,
    last_at: Option<DateTime>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Port {
    name: String,
    major: i32,
    contract: Option<ContractName>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Contract {
    id: Id,
    document_id: String,
    name: Option<String>,
    /// The newest page.
    versions: ContractVersionConnection,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ContractVersionConnection {
    nodes: Vec<ContractVersion>,
    page_info: PageInfo,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ContractVersion {
    id: Id,
    version: String,
    state: ContractState,
    reasons: Vec<String>,
    sunset: Option<DateTime>,
    published_at: DateTime,
    gate_mode: GateMode,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Table {
    id: Id,
    address: String,
    name: String,
    format: TableFormat,
    environment: String,
    major: i32,
    freshness: Option<Freshness>,
    head: Option<Snapshot>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Freshness {
    promised_seconds: Long,
    late: bool,
}

/// The newest known snapshot.
#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    key: String,
    committed_at: Option<DateTime>,
    rows: Option<Long>,
    verdict: Option<Verdict>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct Verdict {
    verdict: VerdictWord,
    conforms: bool,
}

#[derive(Serialize, cynic::QueryFragment)]
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
            let products = client.list(ListProducts { domain, ..ListProducts::default() }, &paging).await?;
            output::show(json, &products, |products| table(&products.nodes))?;
        }
        Command::Show { product } => {
            let show = ShowProduct { domain: product.domain.clone(), name: product.product.clone() };
            let found = client.send(show).await?;
            let found = found.ok_or_else(|| Error::not_found("product", &product.to_string()))?;
            output::show(json, &found, ProductDetails::text)?;
        }
        Command::Readers { product, days } => readers::run(&client, json, &product, days).await?,
    }
    Ok(Exit::Done)
}

fn table(products: &[Product]) -> String {
    output::table(
        ["product", "state", "classification", "layer", "title"],
        products.iter().map(|product| {
            [
                product.address(),
                product.state.to_string(),
                product.classification.to_string(),
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

impl ProductDetails {
    fn text(&self) -> String {
        let Product { state, classification, title, created_at, .. } = &self.product;
        let title = title.as_ref().map(|title| format!(" {title}")).unwrap_or_default();
        let mut text = format!("{}{title}\n", bold(&self.product.address()));
        let _ = writeln!(text, "{state}, {classification}, published {created_at}");
        let access = match self.access.0 {
            Access::Read => "you can read it",
            Access::Request => "you may request access",
            Access::Know => "you may know of it, and not request access",
        };
        let ProductUsage { readers, leases, last_at } = &self.usage;
        let last = last_at.as_ref().map(|at| format!(", the last at {at}")).unwrap_or_default();
        let _ = writeln!(text, "{access}; 30 days: {readers} reading, {leases} leases{last}");
        let ports = self.ports.iter().map(|port| {
            let contract = or_dash(port.contract.as_ref().map(|contract| &contract.document_id));
            [port.name.clone(), port.major.to_string(), contract]
        });
        let versions = self.contracts.iter().flat_map(|contract| {
            contract.versions.nodes.iter().map(|version| {
                let sunset = version.sunset.as_ref().map(|sunset| format!("until {sunset}"));
                let waiting = (!version.reasons.is_empty()).then(|| format!("waiting: {}", version.reasons.join("; ")));
                let aside = [sunset, waiting].into_iter().flatten().collect::<Vec<_>>().join(", ");
                let ContractVersion { version, state, gate_mode, published_at, .. } = version;
                let [state, gate_mode] = [state.to_string(), gate_mode.to_string()];
                [contract.document_id.clone(), version.clone(), state, gate_mode, published_at.to_string(), aside]
            })
        });
        let tables = self.tables.iter().map(|table| {
            let head = table.head.as_ref();
            let committed = head.and_then(|head| head.committed_at.as_ref()).map(ToString::to_string);
            let late = table.freshness.as_ref().map(|freshness| if freshness.late { " (late)" } else { " (in time)" });
            let verdict = head.and_then(|head| head.verdict.as_ref()).map(|found| match found.conforms {
                true => found.verdict.to_string(),
                false => format!("{}, does not conform", found.verdict),
            });
            [
                table.address.clone(),
                table.format.to_string(),
                table.environment.clone(),
                or_dash(verdict.as_deref()),
                or_dash(head.and_then(|head| head.rows.as_ref()).map(|rows| rows.to_string()).as_deref()),
                format!("{}{}", or_dash(committed.as_deref()), late.unwrap_or_default()),
            ]
        });
        let parts = [
            output::table(["port", "major", "contract"], ports),
            output::table(["contract", "version", "state", "gate", "published", ""], versions),
            output::table(["table", "format", "environment", "verdict", "rows", "committed"], tables),
        ];
        let truncated = self.contracts.iter().filter(|contract| contract.versions.page_info.has_next_page);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            let _ = write!(text, "\n{part}");
        }
        if !self.similar.is_empty() {
            let similar = self.similar.iter().map(|other| format!("{}.{}", other.domain.path, other.name));
            let _ = writeln!(text, "\nsimilar: {}", similar.collect::<Vec<_>>().join(", "));
        }
        for contract in truncated {
            let n_shown = contract.versions.nodes.len();
            let _ = write!(text, "\n`{}` has more versions; the newest {n_shown} are shown\n", contract.document_id);
        }
        text
    }
}
