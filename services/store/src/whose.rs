//! Whose rows a list is of: what a caller cannot see is not read. The policy has the last word on each row.

use domain::id::PrincipalId;

/// Whose requests, grants, leases or decisions a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    Everybodys,
    /// A principal's own.
    Of(PrincipalId),
    /// A principal's own, those of the service accounts it answers for, and all on products of the domains in which it
    /// has a role and of those below.
    InReachOf(PrincipalId),
}

/// What [`Whose::InReachOf`] means, for the principal `$3` and a table whose principal stands in a column of this name:
/// `in_reach!("principal_id", "product_id" = "products.id")`. The other column says what the row is about; where that is
/// no product, `with` joins it to one.
macro_rules! in_reach {
    ($principal:literal, $column:literal = $about:literal $(with $joins:literal)?) => {
        concat!(
            "(",
            $principal,
            " = $3 OR ",
            $principal,
            " IN (SELECT id FROM principals WHERE owner_id = $3)
                 OR ",
            $column,
            " IN (
                     SELECT ",
            $about,
            " FROM role_assignments
                         JOIN domains AS held ON held.id = role_assignments.domain_id
                         JOIN domains ON domains.id = held.id
                             OR (domains.path > held.path || '/' AND domains.path < held.path || '0')
                         JOIN products ON products.domain_id = domains.id ",
            $($joins,)?
            " WHERE role_assignments.principal_id = $3
                 ))"
        )
    };
}

/// [`in_reach`] for a table of what was done through a binding.
macro_rules! in_reach_by_binding {
    () => {
        $crate::whose::in_reach!(
            "principal_id",
            "binding_id" = "bindings.id"
            with "JOIN contracts ON contracts.product_id = products.id
                         JOIN bindings ON bindings.contract_id = contracts.id"
        )
    };
}

pub(crate) use {in_reach, in_reach_by_binding};
