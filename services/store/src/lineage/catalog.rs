//! The tables that contracts are bound to, read whole.

use domain::id::{BindingId, ContractId, ProductId, TableId};
use domain::name::Name;
use domain::table::Location;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, natural, on_both, row};

/// A table, as the object of a contract that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The binding.
    pub binding_id: BindingId,
    /// The table.
    pub table_id: TableId,
    /// Where the table lies.
    pub location: Location,
    /// The contract.
    pub contract_id: ContractId,
    /// The `id` in the contract's documents.
    pub document_id: String,
    /// The contract's major.
    pub major: u64,
    /// The schema object.
    pub object: Name,
    /// The product.
    pub product_id: ProductId,
}

row! {
    BoundRow from "bindings" {
        binding_id: Text<BindingId>,
        table_id: Text<TableId>,
        location: Text<Location>,
        contract_id: Text<ContractId>,
        document_id: String,
        major: i64,
        object: Text<Name>,
        product_id: Text<ProductId>,
    }
}

impl TryFrom<BoundRow> for Bound {
    type Error = Error;

    fn try_from(row: BoundRow) -> Result<Self, Error> {
        let id = row.binding_id.0;
        Ok(Self {
            binding_id: id,
            table_id: row.table_id.0,
            location: row.location.0,
            contract_id: row.contract_id.0,
            document_id: row.document_id,
            major: natural(row.major).map_err(|problem| Error::inconsistent("bindings", id, problem))?,
            object: row.object.0,
            product_id: row.product_id.0,
        })
    }
}

/// All bindings in an environment, in the order of their ids.
pub async fn list_bound(tx: &mut Tx, environment: &str) -> Result<Vec<Bound>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, BoundRow>(
        "SELECT
             bindings.id AS binding_id,
             bindings.table_id AS table_id,
             tables.location AS location,
             bindings.contract_id AS contract_id,
             contracts.document_id AS document_id,
             bindings.major AS major,
             bindings.object AS object,
             contracts.product_id AS product_id
         FROM bindings
         JOIN contracts ON contracts.id = bindings.contract_id
         JOIN tables ON tables.id = bindings.table_id
         WHERE bindings.environment = $1
         ORDER BY bindings.id"
    )
    .bind(environment)
    .fetch_all(c))?;
    crate::page::all(rows)
}
