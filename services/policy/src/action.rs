//! What can be asked for.

use domain::{closed_set, gate};

closed_set! {
    /// What a caller wants to do. The comment names the [`Resource`](crate::Resource) it is done to.
    Action {
        /// Make a domain. Platform.
        CreateDomain = "createDomain",
        /// Make a user or service account. Platform.
        CreatePrincipal = "createPrincipal",
        /// Assign a platform role, or take it away. Platform.
        AssignPlatformRole = "assignPlatformRole",
        /// Read the audit log. Platform.
        ViewAudit = "viewAudit",
        /// Set levels and modes of the schema registry, of a subject. Platform, product.
        ConfigureSchemas = "configureSchemas",
        /// See a principal's record and roles. Principal.
        ViewPrincipal = "viewPrincipal",
        /// Make a token for a principal. Principal.
        CreateToken = "createToken",
        /// Disable a principal, or enable it again. Principal.
        DisablePrincipal = "disablePrincipal",
        /// Set how far a domain's contracts bind. Domain.
        SetEnforcement = "setEnforcement",
        /// Assign a role in a domain, or take it away. Domain.
        AssignRole = "assignRole",
        /// Publish without the commit. Domain, product or contract.
        Plan = "plan",
        /// Publish documents. Domain; product; contract, so that a rule may forbid settings.
        Publish = "publish",
        /// Activate a product or contract version. Product or contract.
        Activate = "activate",
        /// Deprecate a product or contract version. Product or contract.
        Deprecate = "deprecate",
        /// Retire a product or contract version. Product or contract.
        Retire = "retire",
        /// Know that a product exists. Product.
        ViewProduct = "viewProduct",
        /// See values, paths and policy ids in decisions and verdicts. Product.
        ViewDetail = "viewDetail",
        /// Bind a contract's object to a table. Product, and every other product bound to the same table.
        BindTable = "bindTable",
        /// Ask for access. Product.
        RequestAccess = "requestAccess",
        /// See an access request. Request.
        ViewRequest = "viewRequest",
        /// Approve an access request. Request.
        ApproveRequest = "approveRequest",
        /// Reject an access request. Request.
        RejectRequest = "rejectRequest",
        /// Take an access request back. Request.
        WithdrawRequest = "withdrawRequest",
        /// See a grant. Grant.
        ViewGrant = "viewGrant",
        /// Give access that nobody asked for. Grant.
        GrantAccess = "grantAccess",
        /// End a grant early. Grant.
        RevokeGrant = "revokeGrant",
        /// See a change notice: as one of the product's people, as the holder of a grant. Product, grant.
        ViewNotice = "viewNotice",
        /// Answer a change notice for the holder of a grant. Grant.
        AnswerNotice = "answerNotice",
        /// Change a notice's note or deadline. Product.
        UpdateNotice = "updateNotice",
        /// Accept a version whose number is too small for what it changes, or end that. Product.
        OverrideRefusal = "overrideRefusal",
        /// See a lease. Lease.
        ViewLease = "viewLease",
        /// See a decision. Decision.
        ViewDecision = "viewDecision",
        /// Have a table's head looked at. Binding.
        InspectTable = "inspectTable",
        /// Read the served snapshot. Binding.
        Read = "read",
        /// Read the head in order to mend it. Binding.
        Repair = "repair",
        /// Write. Binding.
        Write = "write",
        /// Look at a snapshot from inside the server. Binding.
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
