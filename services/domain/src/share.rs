//! Shared tables: one table to which several data products are bound (`docs/rules.md`, "Shared tables").
//!
//! A table belongs to the product that bound it first. Another product is bound to it by consent of a principal who was
//! an owner of every product bound to it. [`right_of`] decides whether a product's bindings stand now, and
//! [`classification`] how sensitive the table's data is.

use crate::clock::Timestamp;
use crate::contract::Classification;
use crate::id::{PrincipalId, ProductId, TableId};

/// The right of a product to a table to which several products are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The table.
    pub table_id: TableId,
    /// The product.
    pub product_id: ProductId,
    /// Its right.
    pub right: ShareRight,
}

/// By what right a product is bound to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareRight {
    /// The table is its own: it bound it first, or took it over from a retired product.
    Owner,
    /// A principal consented.
    Consent {
        /// Who consented. The consent counts while that principal may share the owner's tables.
        by: PrincipalId,
        /// When.
        at: Timestamp,
    },
    /// The table has changed its owner since the consent was given.
    Ended,
}

/// What is known of a product that is bound to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The product.
    pub product_id: ProductId,
    /// Its right.
    pub right: ShareRight,
    /// Whether the principal who consented may do so now: enabled, and allowed by the policies for the owning product.
    pub consenter_may: bool,
    /// Whether the product is retired.
    pub is_retired: bool,
    /// The product's classification.
    pub classification: Classification,
}

/// Whether the bindings of a product to a table stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingRight {
    /// The table is the product's own, or the consent counts.
    Stands,
    /// The principal who consented may not share the table any more, or the table has another owner.
    ConsentEnded,
    /// The product to which the table belongs is retired.
    OwnerRetired,
}

/// Whether the bindings of a product stand. A product that is not a member has no right.
pub fn right_of(members: &[Member], product_id: ProductId) -> BindingRight {
    let Some(member) = members.iter().find(|member| member.product_id == product_id) else {
        return BindingRight::ConsentEnded;
    };
    let owner_retired = members.iter().any(|other| other.right == ShareRight::Owner && other.is_retired);
    match member.right {
        // Its own retirement shuts the contract check.
        ShareRight::Owner => BindingRight::Stands,
        ShareRight::Consent { .. } | ShareRight::Ended if owner_retired => BindingRight::OwnerRetired,
        ShareRight::Consent { .. } if member.consenter_may => BindingRight::Stands,
        ShareRight::Consent { .. } | ShareRight::Ended => BindingRight::ConsentEnded,
    }
}

/// The members whose bindings are live: they stand, and their product is not retired.
pub fn live(members: &[Member]) -> impl Iterator<Item = &Member> {
    let stands = |member: &&Member| right_of(members, member.product_id) == BindingRight::Stands;
    members.iter().filter(stands).filter(|member| !member.is_retired)
}

/// The highest classification of the table's live bindings; `None` where none is live.
pub fn classification(members: &[Member]) -> Option<Classification> {
    live(members).map(|member| member.classification).max()
}
