//! The actions that policies decide on.

use domain::{closed_set, gate};

closed_set! {
    /// An action. Its comment names the [`Resource`](crate::Resource) it applies to.
    Action {
        /// Create a domain. Platform.
        CreateDomain = "createDomain",
        /// Create a user or service account. Platform.
        CreatePrincipal = "createPrincipal",
        /// Assign or remove a platform role. Platform.
        AssignPlatformRole = "assignPlatformRole",
        /// Read the audit log. Platform.
        ViewAudit = "viewAudit",
        /// Set levels and modes of the schema registry, of a subject. Platform, product.
        ConfigureSchemas = "configureSchemas",
        /// See a principal's record and roles. Principal.
        ViewPrincipal = "viewPrincipal",
        /// Create a token for a principal. Principal.
        CreateToken = "createToken",
        /// Disable a principal, or enable one that the caller has disabled. Principal.
        DisablePrincipal = "disablePrincipal",
        /// Enable a principal that another one has disabled. Principal.
        EnablePrincipal = "enablePrincipal",
        /// See the tokens of a principal, without their text. Principal.
        ViewToken = "viewToken",
        /// Revoke a token of a principal. Principal.
        RevokeToken = "revokeToken",
        /// Set the enforcement of a domain. Domain.
        SetEnforcement = "setEnforcement",
        /// Let another domain have a subject of the schema registry. Domain.
        ReleaseSubject = "releaseSubject",
        /// Assign or remove a role in a domain. Domain.
        AssignRole = "assignRole",
        /// Send lineage events, as a member of this domain. Domain.
        SendLineage = "sendLineage",
        /// Publish without committing. Domain, product or contract.
        Plan = "plan",
        /// Publish documents. Domain, product, and contract, so that a policy can forbid its settings.
        Publish = "publish",
        /// Activate a product or contract version. Product or contract.
        Activate = "activate",
        /// Deprecate a product or contract version. Product or contract.
        Deprecate = "deprecate",
        /// Retire a product or contract version. Product or contract.
        Retire = "retire",
        /// See that a product exists. Product.
        ViewProduct = "viewProduct",
        /// See values, paths and policy ids in decisions and verdicts. Product.
        ViewDetail = "viewDetail",
        /// Bind a contract's object to a table. Product.
        BindTable = "bindTable",
        /// Bind another product to a table that this product is bound to. Product.
        ShareTable = "shareTable",
        /// Lower the classification. Product.
        LowerClassification = "lowerClassification",
        /// Request access. Product.
        RequestAccess = "requestAccess",
        /// See an access request. Request.
        ViewRequest = "viewRequest",
        /// Approve an access request. Request.
        ApproveRequest = "approveRequest",
        /// Reject an access request. Request.
        RejectRequest = "rejectRequest",
        /// Withdraw an access request. Request.
        WithdrawRequest = "withdrawRequest",
        /// See a grant. Grant.
        ViewGrant = "viewGrant",
        /// Grant access without a request. Grant.
        GrantAccess = "grantAccess",
        /// Revoke a grant. Grant.
        RevokeGrant = "revokeGrant",
        /// See a change notice: as a member of the product's domain, or as the holder of a grant. Product, grant.
        ViewNotice = "viewNotice",
        /// Answer a change notice on behalf of the holder of a grant. Grant.
        AnswerNotice = "answerNotice",
        /// Change the note or deadline of a notice. Product.
        UpdateNotice = "updateNotice",
        /// Override the refusal of an under-bumped version, or revoke the override. Product.
        OverrideRefusal = "overrideRefusal",
        /// See a lease. Lease.
        ViewLease = "viewLease",
        /// See a decision. Decision.
        ViewDecision = "viewDecision",
        /// Have a table's head inspected. Binding.
        InspectTable = "inspectTable",
        /// Read the served snapshot. Binding.
        Read = "read",
        /// Read the head in order to repair it. Binding.
        Repair = "repair",
        /// Write. Binding.
        Write = "write",
        /// Inspect a snapshot, as the server. Binding.
        Inspect = "inspect",
    }
}

impl From<gate::Action> for Action {
    fn from(action: gate::Action) -> Self {
        match action {
            gate::Action::Read => Self::Read,
            gate::Action::Repair => Self::Repair,
            gate::Action::Write => Self::Write,
            gate::Action::Inspect => Self::Inspect,
        }
    }
}
