//! `charter product readers`.

use std::fmt::Write;

use serde::Serialize;

use super::super::answer::PrincipalName;
use super::super::api::{self, DateTime, Long, Operation, schema};
use super::super::args::ProductAddress;
use super::super::client::Client;
use super::super::error::{Error, Result};
use super::super::output::{self, bold, count, or_dash};

#[derive(Clone, cynic::QueryVariables)]
struct ShowReaders {
    domain: String,
    name: String,
    days: i32,
}

impl Operation for ShowReaders {
    type Answer = Option<Product>;

    fn body(self) -> serde_json::Value {
        let operation = cynic::OperationBuilder::<Root, Self>::query();
        api::body(operation.with_operation_name("ShowReaders"), self)
    }
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "ShowReaders")]
struct Root {
    #[arguments(domain: $domain, name: $name)]
    #[cynic(rename = "product", alias)]
    #[expect(dead_code, reason = "the response is decoded as `Answer`")]
    answer: Option<Product>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(variables = "ShowReaders")]
struct Product {
    tables: Vec<Table>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(variables = "ShowReaders")]
struct Table {
    address: String,
    /// `None` if the caller does not see the leases of others.
    #[arguments(days: $days)]
    readers: Option<TableReaders>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct TableReaders {
    from: DateTime,
    since: Option<DateTime>,
    losses: Vec<DateTime>,
    complete: bool,
    everything: Vec<ColumnReader>,
    columns: Vec<ColumnReaders>,
    unread: Vec<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct ColumnReaders {
    name: String,
    readers: Vec<ColumnReader>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct ColumnReader {
    principal: Option<PrincipalName>,
    leases: Long,
    last_read_at: DateTime,
}

pub(super) async fn run(client: &Client, json: bool, product: &ProductAddress, days: i32) -> Result<()> {
    let show = ShowReaders { domain: product.domain.clone(), name: product.product.clone(), days };
    let found = client.send(show).await?.ok_or_else(|| Error::not_found("product", &product.to_string()))?;
    output::show(json, &found, |found| found.text(days))
}

impl Product {
    fn text(&self, days: i32) -> String {
        let mut text = String::new();
        for (index, table) in self.tables.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let _ = writeln!(text, "{}", bold(&table.address));
            match &table.readers {
                Some(readers) => readers.write(&mut text, days),
                None => text.push_str("its readers are shown to those who see its leases\n"),
            }
        }
        if self.tables.is_empty() { "it has no tables\n".to_owned() } else { text }
    }
}

impl TableReaders {
    fn write(&self, text: &mut String, days: i32) {
        let since = match &self.since {
            Some(since) => format!("reads since {since} are known"),
            None => "reads are not recorded".to_owned(),
        };
        let _ = writeln!(text, "{}, {since}", count(usize::try_from(days).unwrap_or(0), "day"));
        for loss in &self.losses {
            let _ = writeln!(text, "reads of up to a minute may have been lost before {loss}");
        }
        if !self.complete {
            text.push_str("there were more reads than are counted here\n");
        }
        let any = self.everything.iter().map(|reader| ("any".to_owned(), reader));
        let named =
            self.columns.iter().flat_map(|column| column.readers.iter().map(|reader| (column.name.clone(), reader)));
        let rows = any.chain(named).map(|(column, reader)| {
            let principal = or_dash(reader.principal.as_ref().map(|principal| &principal.subject));
            [column, principal, reader.leases.to_string(), reader.last_read_at.to_string()]
        });
        let rows = output::table(["column", "reader", "leases", "last read"], rows);
        text.push_str(if rows.is_empty() { "read by no one\n" } else { &rows });
        if !self.unread.is_empty() {
            let _ = writeln!(text, "not read: {}", self.unread.join(", "));
        }
    }
}
