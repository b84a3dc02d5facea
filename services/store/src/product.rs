//! Data products, their documents and their output ports.

use domain::clock::Timestamp;
use domain::contract::Classification;
use domain::document::{Format, StoredDocument};
use domain::grant::PortMajor;
use domain::id::{ContractId, DomainId, PrincipalId, ProductId};
use domain::name::{DomainPath, Name};
use domain::product::{Port, Product, State};

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Readable, Seek};
use crate::row::{
    Perhaps, Text, affected, entity_row, find, insert, integer, list_in, natural, on_both, page, row, rows_in, select,
};

entity_row! {
    ProductRow from "products" {
        id: Text<ProductId>,
        domain_id: Text<DomainId>,
        name: Text<Name>,
        document_id: String,
        title: Option<String>,
        state: String,
        state_since: Option<i64>,
        classification: String,
        digest: String,
        created_at: i64,
        updated_at: i64,
    }
}

impl TryFrom<ProductRow> for Product {
    type Error = Error;

    fn try_from(row: ProductRow) -> Result<Self, Error> {
        let id = row.id.0;
        let state = match (row.state.as_str(), row.state_since.map(Timestamp)) {
            ("proposed", None) => State::Proposed,
            ("draft", None) => State::Draft,
            ("active", Some(since)) => State::Active { since },
            ("deprecated", Some(since)) => State::Deprecated { since },
            ("retired", Some(since)) => State::Retired { since },
            _ => return Err(Error::inconsistent("products", id, "the state's columns fit none")),
        };
        Ok(Self {
            id,
            domain_id: row.domain_id.0,
            name: row.name.0,
            document_id: row.document_id,
            title: row.title,
            state,
            classification: Classification::from_word(&row.classification)
                .ok_or_else(|| Error::inconsistent("products", id, "an unknown classification"))?,
            digest: row.digest,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

fn since(state: &State) -> Option<i64> {
    match state {
        State::Proposed | State::Draft => None,
        State::Active { since } | State::Deprecated { since } | State::Retired { since } => Some(since.0),
    }
}

/// Adds a product.
///
/// # Errors
/// [`crate::Constraint::ProductName`], [`crate::Constraint::ProductDocument`]; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, product: &Product) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        ProductRow {
            id: Text(product.id),
            domain_id: Text(product.domain_id),
            name: product.name.as_str(),
            document_id: product.document_id.as_str(),
            title: product.title.as_deref(),
            state: product.state.as_str(),
            state_since: since(&product.state),
            classification: product.classification.as_str(),
            digest: product.digest.as_str(),
            created_at: product.created_at.0,
            updated_at: product.updated_at.0,
        }
    )?;
    Ok(())
}

/// Updates a product; its id, domain, document id and creation time do not change.
///
/// # Errors
/// [`Error::Stale`] if it has changed since `seen`; [`crate::Constraint::ProductName`]; [`Error::LockNeeded`].
pub async fn update(tx: &mut Tx, product: &Product, seen: Timestamp) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE products
         SET
             name = $1,
             title = $2,
             state = $3,
             state_since = $4,
             classification = $5,
             digest = $6,
             updated_at = $7
         WHERE id = $8 AND updated_at = $9",
        product.name.as_str(),
        product.title.as_deref(),
        product.state.as_str(),
        since(&product.state),
        product.classification.as_str(),
        product.digest.as_str(),
        product.updated_at.0,
        Text(product.id),
        seen.0
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("data product")) }
}

/// A product by its id.
pub async fn find(tx: &mut Tx, id: ProductId) -> Result<Option<Product>, Error> {
    find!(tx, ProductRow, "WHERE id = $1", Text(id))
}

/// A product by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: ProductId) -> Result<Product, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("data product"))
}

/// A product by its name in a domain.
pub async fn find_by_name(tx: &mut Tx, domain_id: DomainId, name: &Name) -> Result<Option<Product>, Error> {
    find!(tx, ProductRow, "WHERE domain_id = $1 AND name = $2", Text(domain_id), name.as_str())
}

/// A product by its document's `id` in a domain.
pub async fn find_by_document_id(
    tx: &mut Tx,
    domain_id: DomainId,
    document_id: &str,
) -> Result<Option<Product>, Error> {
    find!(tx, ProductRow, "WHERE domain_id = $1 AND document_id = $2", Text(domain_id), document_id)
}

/// The products of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
    list_in!(tx, ProductRow, "WHERE id IN ({list})", ids)
}

/// A domain's products whose document's `id` is one of these.
pub async fn list_by_document_ids(
    tx: &mut Tx,
    domain_id: DomainId,
    document_ids: &[&str],
) -> Result<Vec<Product>, Error> {
    list_in!(tx, ProductRow, "WHERE domain_id = $1 AND document_id IN ({list})", document_ids, Text(domain_id))
}

/// A domain's products whose name in addresses is one of these.
pub async fn list_by_names(tx: &mut Tx, domain_id: DomainId, names: &[&str]) -> Result<Vec<Product>, Error> {
    list_in!(tx, ProductRow, "WHERE domain_id = $1 AND name IN ({list})", names, Text(domain_id))
}

/// A domain's products whose title is one of these; several may have one title.
pub async fn list_by_titles(tx: &mut Tx, domain_id: DomainId, titles: &[&str]) -> Result<Vec<Product>, Error> {
    list_in!(tx, ProductRow, "WHERE domain_id = $1 AND title IN ({list})", titles, Text(domain_id))
}

/// A domain's products that have a contract whose documents' `id` is one of these.
pub async fn list_with_contracts(
    tx: &mut Tx,
    domain_id: DomainId,
    contract_document_ids: &[&str],
) -> Result<Vec<Product>, Error> {
    row! { OwnerRow from "contracts" { product_id: Text<ProductId>, } }
    // SQLite reads the tables of a cross join in this order; the other way round it would read the whole domain.
    let owners = rows_in!(
        tx,
        OwnerRow,
        "SELECT contracts.product_id AS product_id
         FROM contracts
         CROSS JOIN products
         WHERE products.id = contracts.product_id AND products.domain_id = $1 AND contracts.document_id IN ({list})",
        contract_document_ids,
        Text(domain_id)
    );
    let mut ids: Vec<ProductId> = owners.into_iter().map(|owner| owner.product_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    list_by_ids(tx, &ids).await
}

/// Products in the order of their ids, whether or not the caller may see them.
pub async fn list(tx: &mut Tx, seek: &Seek<ProductId>) -> Result<Page<Product>, Error> {
    // Every id is greater than the empty text.
    let after = seek.after.map_or(String::new(), |id| id.to_string());
    page!(tx, seek, ProductRow, "WHERE id > $1 ORDER BY id LIMIT $2", after.as_str())
}

row! { IdRow from "products" { id: Text<ProductId>, } }

impl TryFrom<IdRow> for ProductId {
    type Error = Error;

    fn try_from(row: IdRow) -> Result<Self, Error> {
        Ok(row.id.0)
    }
}

/// The ids of products in their order, whether or not the rest of their rows can be read.
pub async fn list_ids(tx: &mut Tx, seek: &Seek<ProductId>) -> Result<Page<ProductId>, Error> {
    // Every id is greater than the empty text.
    let after = seek.after.map_or(String::new(), |id| id.to_string());
    let rows =
        on_both!(tx, |c| sqlx::query_as::<_, IdRow>("SELECT id FROM products WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.as_str())
            .bind(seek.n_fetched())
            .fetch_all(c))?;
    Page::from_rows(rows, seek.limit)
}

row! { ClassRow from "products" { path: Text<DomainPath>, classification: String, } }

/// The domains and classifications that products have together. Without those that cannot be read: nor can the products
/// that have them.
pub async fn list_classes(tx: &mut Tx) -> Result<Vec<(DomainPath, Classification)>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, Perhaps<ClassRow>>(
        "SELECT DISTINCT
             domains.path AS path,
             products.classification AS classification
         FROM products
         JOIN domains ON domains.id = products.domain_id"
    )
    .fetch_all(c))?;
    let class = |row: ClassRow| {
        let unknown = || Error::inconsistent("products", &row.path.0, "the classification is none");
        Ok((row.path.0.clone(), Classification::from_word(&row.classification).ok_or_else(unknown)?))
    };
    Ok(Readable::from_rows(rows, class).items)
}

/// A domain's own products in the order of their names.
pub async fn list_of_domain(tx: &mut Tx, domain_id: DomainId, seek: &Seek<Name>) -> Result<Page<Product>, Error> {
    // Every name is greater than the empty text.
    let after = seek.after.as_ref().map_or("", Name::as_str);
    page!(tx, seek, ProductRow, "WHERE domain_id = $1 AND name > $2 ORDER BY name LIMIT $3", Text(domain_id), after)
}

entity_row! {
    DocumentRow from "product_documents" {
        product_id: Text<ProductId>,
        digest: String,
        format: Text<Format>,
        bytes: Vec<u8>,
        published_by: Text<PrincipalId>,
        published_at: i64,
    }
}

impl TryFrom<DocumentRow> for StoredDocument {
    type Error = Error;

    fn try_from(row: DocumentRow) -> Result<Self, Error> {
        Ok(Self {
            digest: row.digest,
            format: row.format.0,
            bytes: row.bytes,
            published_by: row.published_by.0,
            published_at: Timestamp(row.published_at),
        })
    }
}

/// Stores a product's document. One with the same digest stays as it was first published.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn put_document(tx: &mut Tx, product_id: ProductId, document: &StoredDocument) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        DocumentRow {
            product_id: Text(product_id),
            digest: document.digest.as_str(),
            format: Text(document.format),
            bytes: document.bytes.as_slice(),
            published_by: Text(document.published_by),
            published_at: document.published_at.0,
        },
        "ON CONFLICT (product_id, digest) DO NOTHING"
    )?;
    Ok(())
}

/// A current or former document of a product.
pub async fn find_document(tx: &mut Tx, product_id: ProductId, digest: &str) -> Result<Option<StoredDocument>, Error> {
    find!(tx, DocumentRow, "WHERE product_id = $1 AND digest = $2", Text(product_id), digest)
}

/// The current documents of these products, in no particular order.
pub async fn list_current_documents(
    tx: &mut Tx,
    product_ids: &[ProductId],
) -> Result<Vec<(ProductId, StoredDocument)>, Error> {
    let rows = rows_in!(
        tx,
        DocumentRow,
        select!(
            DocumentRow,
            "WHERE product_id IN ({list}) AND EXISTS (
                 SELECT 1 FROM products
                 WHERE products.id = product_documents.product_id AND products.digest = product_documents.digest
             )"
        ),
        product_ids
    );
    rows.into_iter().map(|row| Ok((row.product_id.0, row.try_into()?))).collect()
}

entity_row! {
    PortRow from "ports" {
        product_id: Text<ProductId>,
        name: Text<Name>,
        major: i64,
        contract_id: Text<ContractId>,
        contract_major: i64,
    }
}

impl TryFrom<PortRow> for Port {
    type Error = Error;

    fn try_from(row: PortRow) -> Result<Self, Error> {
        let id = row.product_id.0;
        let misfit = |problem| Error::inconsistent("ports", id, problem);
        Ok(Self {
            port_major: PortMajor { product_id: id, port: row.name.0, major: natural(row.major).map_err(misfit)? },
            contract_id: row.contract_id.0,
            contract_major: natural(row.contract_major).map_err(misfit)?,
        })
    }
}

/// Maps a port's major to a contract's. The mapping never changes, since grants depend on it.
///
/// # Errors
/// [`crate::Constraint::PortMajor`] if the major is already mapped; [`Error::LockNeeded`].
pub async fn insert_port(tx: &mut Tx, port: &Port) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        PortRow {
            product_id: Text(port.port_major.product_id),
            name: port.port_major.port.as_str(),
            major: integer(port.port_major.major),
            contract_id: Text(port.contract_id),
            contract_major: integer(port.contract_major),
        }
    )?;
    Ok(())
}

/// All ports, in the order of their products, names and majors.
pub async fn list_ports(tx: &mut Tx) -> Result<Readable<Port>, Error> {
    let rows =
        on_both!(tx, |c| sqlx::query_as::<_, Perhaps<PortRow>>(select!(PortRow, "ORDER BY product_id, name, major"))
            .fetch_all(c))?;
    Ok(Readable::from_rows(rows, Port::try_from))
}

/// The ports of these products. Their order is by product, name and major within up to 512 products.
pub async fn list_ports_of_products(tx: &mut Tx, product_ids: &[ProductId]) -> Result<Vec<Port>, Error> {
    list_in!(tx, PortRow, "WHERE product_id IN ({list}) ORDER BY product_id, name, major", product_ids)
}

/// The ports that lead to these contracts: a grant must cover one of them to read the data.
pub async fn list_ports_of_contracts(tx: &mut Tx, contract_ids: &[ContractId]) -> Result<Vec<Port>, Error> {
    list_in!(tx, PortRow, "WHERE contract_id IN ({list}) ORDER BY product_id, name, major", contract_ids)
}

/// One major of a port.
pub async fn find_port(tx: &mut Tx, port_major: &PortMajor) -> Result<Option<Port>, Error> {
    find!(
        tx,
        PortRow,
        "WHERE product_id = $1 AND name = $2 AND major = $3",
        Text(port_major.product_id),
        port_major.port.as_str(),
        integer(port_major.major)
    )
}
