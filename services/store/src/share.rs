//! The rights of the products that are bound to one table.

use domain::clock::Timestamp;
use domain::id::{PrincipalId, ProductId, TableId};
use domain::share::{Share, ShareRight};

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, entity_row, insert, list, list_in};

entity_row! {
    ShareRow from "table_shares" {
        table_id: Text<TableId>,
        product_id: Text<ProductId>,
        owns: bool,
        consented_by: Option<Text<PrincipalId>>,
        consented_at: Option<i64>,
    }
}

impl TryFrom<ShareRow> for Share {
    type Error = Error;

    fn try_from(row: ShareRow) -> Result<Self, Error> {
        let table_id = row.table_id.0;
        let right = match (row.owns, row.consented_by, row.consented_at) {
            (true, None, None) => ShareRight::Owner,
            (false, Some(by), Some(at)) => ShareRight::Consent { by: by.0, at: Timestamp(at) },
            (false, None, None) => ShareRight::Ended,
            _ => return Err(Error::inconsistent("table_shares", table_id, "the right's columns fit none")),
        };
        Ok(Self { table_id, product_id: row.product_id.0, right })
    }
}

/// Replaces the rights of all products that are bound to a table.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn replace(tx: &mut Tx, table_id: TableId, shares: &[Share]) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(tx, "DELETE FROM table_shares WHERE table_id = $1", Text(table_id))?;
    for share in shares {
        let (consented_by, consented_at) = match share.right {
            ShareRight::Owner | ShareRight::Ended => (None, None),
            ShareRight::Consent { by, at } => (Some(Text(by)), Some(at.0)),
        };
        insert!(
            tx,
            ShareRow {
                table_id: Text(table_id),
                product_id: Text(share.product_id),
                owns: share.right == ShareRight::Owner,
                consented_by: consented_by,
                consented_at: consented_at,
            }
        )?;
    }
    affected!(tx, "UPDATE tables SET shared = $1 WHERE id = $2", !shares.is_empty(), Text(table_id))?;
    Ok(())
}

/// The rights of the products that are bound to a table, in the order of their ids. Empty for a table of one product.
pub async fn list_of_table(tx: &mut Tx, table_id: TableId) -> Result<Vec<Share>, Error> {
    list!(tx, ShareRow, "WHERE table_id = $1 ORDER BY product_id", Text(table_id))
}

/// The rights of these products to tables to which several products are bound.
pub async fn list_of_products(tx: &mut Tx, product_ids: &[ProductId]) -> Result<Vec<Share>, Error> {
    list_in!(tx, ShareRow, "WHERE product_id IN ({list}) ORDER BY table_id, product_id", product_ids)
}
