//! The kinds of failure, which every error has and each interface maps to its own status, and the reasons that clients
//! branch on.

use crate::closed_set;

closed_set! {
    /// What a caller can conclude from an error, without its protocol. GraphQL, every door and the command line have one
    /// table each from kind to answer.
    Kind {
        /// The input is not well formed or breaks a rule of its own; sending it again will not help.
        Invalid = "INVALID",
        /// The caller is unknown: there is no token, or one that is not valid here.
        Unauthenticated = "UNAUTHENTICATED",
        /// The caller is known and may know of the thing, but may not do this.
        Forbidden = "FORBIDDEN",
        /// The thing does not exist, or the caller may not know that it does.
        NotFound = "NOT_FOUND",
        /// The thing exists already, or its state does not allow this.
        Conflict = "CONFLICT",
        /// The caller has seen an older state of the thing; read it again.
        Stale = "STALE",
        /// The gate or a contract says no.
        Refused = "REFUSED",
        /// Too much, too often, too large.
        TooMany = "TOO_MANY",
        /// It may work later; nothing happened.
        Unavailable = "UNAVAILABLE",
        /// A fault of the server.
        Internal = "INTERNAL",
    }
}

closed_set! {
    /// The specific failure, for clients that branch: `extensions.reason` of a GraphQL error and `reason` of a problem
    /// document. The words are stable.
    Reason {
        /// The path does not exist.
        PathNotFound = "path.not_found",
        /// The path does not support the method.
        MethodNotAllowed = "method.not_allowed",
        /// The body's media type is not accepted.
        BodyMediaType = "body.media_type",
        /// The body is larger than its operation allows.
        BodyTooLarge = "body.too_large",
        /// The body is not a valid request.
        BodyInvalid = "body.invalid",
        /// The request does not come from the web page of this server.
        RequestForeign = "request.foreign",
        /// The token, session or sign-in code is missing, expired or invalid.
        TokenInvalid = "token.invalid",
        /// The body did not arrive in time.
        BodyTimedOut = "body.timed_out",
        /// The principal or the address exceeds its share of requests or bytes, or its rate.
        ClientTooMany = "client.too_many",
        /// Too many requests are in progress.
        ServerBusy = "server.busy",
        /// The answer took too long.
        ServerTimedOut = "server.timed_out",
        /// A dependency, such as the database, does not respond.
        ServerUnavailable = "server.unavailable",
        /// A fault of the server.
        ServerFault = "server.fault",
        /// The provider of credentials failed.
        ProviderFailed = "provider.failed",
        /// The lease was revoked, or ended, before its credentials were issued.
        LeaseOver = "lease.over",
        /// The keys of a token issuer are unavailable.
        IssuerUnavailable = "issuer.unavailable",
        /// The first call with the idempotency key is in progress.
        CallInProgress = "idempotency.in_progress",
        /// Other registrations for the subject came first.
        SubjectContended = "subject.contended",
        /// A search takes longer than it may.
        SearchTooLong = "search.too_long",
        /// Lineage is being loaded after a start.
        LineageUnbuilt = "lineage.unbuilt",

        /// The policies do not allow it.
        PolicyDenied = "policy.denied",
        /// The bearer of the one-time token asked for something other than redeeming it.
        TokenBootstrap = "token.bootstrap",
        /// The token does not exist or is hidden.
        TokenNotFound = "token.not_found",
        /// The principal has reached the maximum number of valid tokens.
        TokenTooMany = "token.too_many",
        /// The idempotency key was used for another request.
        KeyReused = "idempotency.key_reused",

        /// The access request does not exist or is hidden.
        AccessRequestNotFound = "access_request.not_found",
        /// The contract does not exist or is hidden.
        ContractNotFound = "contract.not_found",
        /// The contract version does not exist or is hidden.
        ContractVersionNotFound = "contract_version.not_found",
        /// The domain does not exist.
        DomainNotFound = "domain.not_found",
        /// There was no first admin yet.
        FirstAdminNotFound = "first_admin.not_found",
        /// The grant does not exist or is hidden.
        GrantNotFound = "grant.not_found",
        /// The notice does not exist or is hidden.
        NoticeNotFound = "notice.not_found",
        /// The override does not exist or is hidden.
        OverrideNotFound = "override.not_found",
        /// The product has no such output port.
        PortNotFound = "port.not_found",
        /// The principal does not exist or is hidden.
        PrincipalNotFound = "principal.not_found",
        /// The data product does not exist or is hidden.
        ProductNotFound = "product.not_found",
        /// The role assignment does not exist or is hidden.
        RoleNotFound = "role.not_found",
        /// The table does not exist or is hidden.
        TableNotFound = "table.not_found",

        /// The data product is not active: it takes no access requests.
        ProductInactive = "product.inactive",
        /// No version of the port's contract has been active yet: it takes no access requests.
        PortDraft = "port.draft",
        /// The port's contract is deprecated: it takes no new access requests.
        PortDeprecated = "port.deprecated",
        /// The port's contract is retired.
        PortRetired = "port.retired",
        /// The access request was decided before.
        AccessRequestDecided = "access_request.decided",
        /// The grant was revoked before.
        GrantRevoked = "grant.revoked",

        /// The state of the contract version does not allow the transition.
        ContractVersionWrongState = "contract_version.wrong_state",
        /// The version is published already: there is nothing to override.
        OverrideOfPublished = "override.of_published",
        /// The version is not refused: there is nothing to override.
        OverrideOfAllowed = "override.of_allowed",
        /// The caller's override of the version is in force already.
        OverrideExists = "override.exists",
        /// The version is refused for a reason that no override lifts.
        OverrideImpossible = "override.impossible",
        /// The override has ended.
        OverrideEnded = "override.ended",

        /// The notice is closed.
        NoticeClosed = "notice.closed",
        /// The caller holds no grant that the notice concerns.
        NoticeNotConcerned = "notice.not_concerned",

        /// Principals cannot disable themselves.
        PrincipalSelf = "principal.self",
        /// The principal is disabled.
        PrincipalDisabled = "principal.disabled",
        /// There are no tokens for the server's own inspector.
        PrincipalInspector = "principal.inspector",
        /// The platform keeps at least one admin.
        RoleLastAdmin = "role.last_admin",

        /// There is no table in the folder yet, or it cannot be listed.
        TableUnreadable = "table.unreadable",
    }
}
