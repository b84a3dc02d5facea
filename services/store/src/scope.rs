//! The scope of a list of requests, grants, leases or decisions. Rows outside of it are never read; the policy still
//! decides on each row inside of it.

use domain::id::PrincipalId;

/// Which requests, grants, leases or decisions a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListScope {
    /// All of them.
    All,
    /// Those of one principal.
    Own(PrincipalId),
    /// Those of a principal and of the service accounts that it owns, and all on products of the domains in which it
    /// has a role, with their subdomains. Grants, leases and decisions also on what else is bound to a table of these
    /// products.
    InReachOf(PrincipalId),
}

/// The rows about the products of the domains in which the principal `$4` has a role, with their subdomains: the column
/// `$about`, after the joins that lead from a product to it.
macro_rules! about_own_products {
    ($about:literal $(, $joins:literal)?) => {
        concat!(
            "(
                     SELECT ",
            $about,
            " FROM role_assignments
                         JOIN domains AS held ON held.id = role_assignments.domain_id
                         JOIN domains ON domains.id = held.id
                             OR (domains.path > held.path || '/' AND domains.path < held.path || '0')
                         JOIN products ON products.domain_id = domains.id ",
            $($joins,)?
            " WHERE role_assignments.principal_id = $4
                 )"
        )
    };
}

/// The condition of [`ListScope::InReachOf`] for the principal `$4`, such as `in_reach!("principal_id", "product_id" in
/// about_own_products!("products.id"))`. The first column holds the row's principal, the others the row's subject.
macro_rules! in_reach {
    ($principal:literal $(, $column:literal in $subjects:expr)+ $(,)?) => {
        concat!(
            "(",
            $principal,
            " = $4 OR ",
            $principal,
            " IN (SELECT id FROM principals WHERE owner_id = $4)",
            $(" OR ", $column, " IN ", $subjects,)+
            ")"
        )
    };
}

/// [`in_reach`] for access requests.
macro_rules! in_reach_by_product {
    ($principal:literal) => {
        $crate::scope::in_reach!($principal, "product_id" in $crate::scope::about_own_products!("products.id"))
    };
}

/// [`in_reach`] for grants: also those on the products that share a table with an own one.
macro_rules! in_reach_by_shared_product {
    ($principal:literal) => {
        $crate::scope::in_reach!(
            $principal,
            "product_id" in $crate::scope::about_own_products!("products.id"),
            "product_id" in $crate::scope::about_own_products!(
                "others.product_id",
                "JOIN table_shares AS own ON own.product_id = products.id
                         JOIN table_shares AS others ON others.table_id = own.table_id"
            )
        )
    };
}

/// [`in_reach`] for a table whose rows name a principal and a binding: also the bindings of other products to an own
/// product's table.
macro_rules! in_reach_by_binding {
    () => {
        $crate::scope::in_reach!(
            "principal_id",
            "binding_id" in $crate::scope::about_own_products!(
                "bindings.id",
                "JOIN contracts ON contracts.product_id = products.id
                         JOIN bindings ON bindings.contract_id = contracts.id"
            ),
            "binding_id" in $crate::scope::about_own_products!(
                "bindings.id",
                "JOIN table_shares AS own ON own.product_id = products.id
                         JOIN bindings ON bindings.table_id = own.table_id"
            )
        )
    };
}

/// A page of a list within a [`ListScope`], the newest first: `page_in_scope!(tx, scope, seek, GrantRow by
/// "granted_at", "principal_id", in_reach!(..))`. A further condition has its value in `$5`.
macro_rules! page_in_scope {
    (
        $tx:expr, $scope:expr, $seek:expr, $row:ident by $at:literal, $principal:literal, $in_reach:expr
        $(, $condition:literal, $value:expr)? $(,)?
    ) => {{
        const ALL: &str = concat!("$4 = ''" $(, " AND ", $condition)?);
        const OWN: &str = concat!($principal, " = $4" $(, " AND ", $condition)?);
        const IN_REACH: &str = concat!($in_reach $(, " AND ", $condition)?);
        match $scope {
            $crate::scope::ListScope::All => {
                $crate::row::page_by_time!($tx, $seek, $row by $at, ALL, "" $(, $value)?)
            }
            $crate::scope::ListScope::Own(id) => {
                $crate::row::page_by_time!($tx, $seek, $row by $at, OWN, $crate::row::Text(id) $(, $value)?)
            }
            $crate::scope::ListScope::InReachOf(id) => {
                $crate::row::page_by_time!($tx, $seek, $row by $at, IN_REACH, $crate::row::Text(id) $(, $value)?)
            }
        }
    }};
}

pub(crate) use {
    about_own_products, in_reach, in_reach_by_binding, in_reach_by_product, in_reach_by_shared_product, page_in_scope,
};
