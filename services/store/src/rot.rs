//! Neglected parts of the catalog, by domain. The rule is [`domain::rot`].

use domain::clock::Timestamp;
use domain::id::{ContractVersionId, DomainId, GrantId, ProductId};

use crate::db::Tx;
use crate::dialect::MAX_LIST;
use crate::error::Error;
use crate::row::{Text, row, rows_in};

/// The most domains that a page is of.
pub const MAX_DOMAINS: usize = MAX_LIST;
/// The length of a page, as the queries have it; one that is shorter is the last.
pub const PAGE: usize = 1_000;

/// Declares a page of a list: the ids of one kind of object behind `after`, in their order, each with a time.
macro_rules! list {
    ($(#[$doc:meta])* $name:ident($($before:ident: $type:ty),*) -> $id:ident, $row:ident, $sql:literal) => {
        row! { $row from "rot" { id: Text<$id>, since: i64, } }

        $(#[$doc])*
        pub async fn $name(
            tx: &mut Tx,
            domains: &[DomainId],
            after: Option<$id>,
            $($before: $type,)*
        ) -> Result<Vec<($id, Timestamp)>, Error> {
            let after = &after.map_or(String::new(), |id| id.to_string());
            let rows = rows_in!(tx, $row, $sql, domains, after $(, $before)*);
            Ok(rows.into_iter().map(|row| (row.id.0, Timestamp(row.since))).collect())
        }
    };
}

list! {
    /// The domains that no enabled principal owns, directly or from above, since they were created.
    list_without_owner() -> DomainId, WithoutOwnerRow,
    "SELECT domains.id AS id, domains.created_at AS since
     FROM domains
     WHERE NOT EXISTS (
         SELECT 1 FROM role_assignments
         JOIN principals ON principals.id = role_assignments.principal_id
         JOIN domains AS above ON above.id = role_assignments.domain_id
         WHERE role_assignments.role = 'owner' AND principals.enabled
             AND (above.id = domains.id
                 OR substr(domains.path, 1, length(above.path) + 1) = above.path || '/')
     ) AND domains.id > $1 AND domains.id IN ({list})
     ORDER BY domains.id
     LIMIT 1000"
}

list! {
    /// The domains whose contracts do not bind and will not, since they were created.
    list_not_enforced() -> DomainId, NotEnforcedRow,
    "SELECT id, created_at AS since FROM domains
     WHERE enforcement <> 'on' AND switch_at IS NULL AND id > $1 AND id IN ({list})
     ORDER BY id
     LIMIT 1000"
}

list! {
    /// The active products with tables that were there before a moment, and that no lease reads after it; since their
    /// last lease, or since they were published.
    list_not_read(before: i64) -> ProductId, NotReadRow,
    "SELECT
         products.id AS id,
         COALESCE((
             SELECT MAX(leases.issued_at) FROM leases
             JOIN bindings ON bindings.id = leases.binding_id
             JOIN contracts ON contracts.id = bindings.contract_id
             WHERE contracts.product_id = products.id AND leases.action = 'read'
         ), products.created_at) AS since
     FROM products
     WHERE products.id > $1 AND products.state = 'active' AND products.created_at < $2
         AND EXISTS (
             SELECT 1 FROM contracts JOIN bindings ON bindings.contract_id = contracts.id
             WHERE contracts.product_id = products.id
         )
         AND products.id NOT IN (
             SELECT contracts.product_id FROM leases
             JOIN bindings ON bindings.id = leases.binding_id
             JOIN contracts ON contracts.id = bindings.contract_id
             WHERE leases.issued_at >= $2 AND leases.action = 'read'
         )
         AND products.domain_id IN ({list})
     ORDER BY products.id
     LIMIT 1000"
}

list! {
    /// The grants that are open, and were open before a moment, without any lease; since they are open.
    list_not_used(now: i64, before: i64) -> GrantId, NotUsedRow,
    "SELECT grants.id AS id, grants.from_at AS since
     FROM grants
     JOIN products ON products.id = grants.product_id
     WHERE grants.id > $1 AND grants.revoked_at IS NULL AND grants.until_at > $2 AND grants.from_at < $3
         AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.grant_id = grants.id)
         AND products.domain_id IN ({list})
     ORDER BY grants.id
     LIMIT 1000"
}

list! {
    /// The versions in force of which a table's newest verdict does not pass, or that have none; since one of their
    /// tables passed, or since they were published.
    list_not_passing(environment: &str) -> ContractVersionId, NotPassingRow,
    "SELECT
         contract_versions.id AS id,
         COALESCE((
             SELECT MAX(verdicts.at) FROM verdicts
             JOIN bindings ON bindings.id = verdicts.binding_id
             WHERE bindings.contract_id = contracts.id AND bindings.major = contract_versions.major
                 AND bindings.environment = $2
                 AND verdicts.conforms AND verdicts.verdict IN ('pass', 'warn')
         ), contract_versions.published_at) AS since
     FROM contract_versions
     JOIN contracts ON contracts.id = contract_versions.contract_id
     JOIN products ON products.id = contracts.product_id
     WHERE contract_versions.id > $1 AND contract_versions.state = 'active'
         AND EXISTS (
             SELECT 1 FROM bindings
             WHERE bindings.contract_id = contracts.id AND bindings.major = contract_versions.major
                 AND bindings.environment = $2
                 AND NOT EXISTS (
                     SELECT 1 FROM verdicts
                     WHERE verdicts.binding_id = bindings.id
                         AND verdicts.conforms AND verdicts.verdict IN ('pass', 'warn')
                         AND verdicts.at = (
                             SELECT MAX(newest.at) FROM verdicts AS newest WHERE newest.binding_id = bindings.id
                         )
                 )
         )
         AND products.domain_id IN ({list})
     ORDER BY contract_versions.id
     LIMIT 1000"
}
