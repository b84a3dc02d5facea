//! What the audit log records: the actions, and the kinds of things they act upon.

use crate::closed_set;

closed_set! {
    /// What was done. The words are part of a record's canonical bytes: none is ever renamed or removed.
    Action {
        /// A domain was created.
        DomainCreate = "domain.create",
        /// A domain's enforcement was changed.
        DomainSetEnforcement = "domain.set_enforcement",

        /// The one-time token of the first start was redeemed for the first admin.
        BootstrapRedeem = "bootstrap.redeem",
        /// The operator had a token made for the first admin.
        AdminRecover = "admin.recover",
        /// A principal was created.
        PrincipalCreate = "principal.create",
        /// A principal was enabled.
        PrincipalEnable = "principal.enable",
        /// A principal was disabled; its leases ended.
        PrincipalDisable = "principal.disable",
        /// A token was issued.
        TokenCreate = "token.create",
        /// A token was revoked; the leases requested with it ended.
        TokenRevoke = "token.revoke",
        /// A sign-in code for the web page was issued.
        SignInCodeCreate = "sign_in_code.create",
        /// A session of the web page began with a sign-in code.
        SessionCreate = "session.create",
        /// A role was assigned.
        RoleAssign = "role.assign",
        /// A role was taken away.
        RoleUnassign = "role.unassign",

        /// A data product was published or changed.
        ProductPublish = "product.publish",
        /// The classification of a data product changed.
        ProductClassify = "product.classify",
        /// A table was bound into another data product by consent of an owner of every product bound to it, or such a
        /// consent was renewed.
        TableShare = "table.share",
        /// A data product was retired because it was missing from the published set.
        ProductRetire = "product.retire",

        /// A contract version was published.
        ContractPublish = "contract.publish",
        /// A contract version was activated, or its activation was refused.
        ContractActivate = "contract.activate",
        /// A contract version was superseded by a newer one of its major.
        ContractSupersede = "contract.supersede",
        /// A contract version was deprecated.
        ContractDeprecate = "contract.deprecate",
        /// The sunset of a contract version was moved to a later time.
        ContractExtend = "contract.extend",
        /// A contract version was retired.
        ContractRetire = "contract.retire",

        /// A breaking change was accepted for one version number.
        OverrideCreate = "override.create",
        /// An override was revoked.
        OverrideRevoke = "override.revoke",

        /// Readers were notified of a breaking successor.
        NoticeOpen = "notice.open",
        /// A reader answered a notice.
        NoticeAnswer = "notice.answer",
        /// The deadline or the migration note of a notice was changed.
        NoticeUpdate = "notice.update",
        /// A notice was closed because one of its two majors was retired.
        NoticeClose = "notice.close",

        /// Access to a port was requested.
        AccessRequest = "access.request",
        /// An access request was withdrawn.
        AccessWithdraw = "access.withdraw",
        /// An access request was rejected.
        AccessReject = "access.reject",
        /// An access request was approved, which created a grant.
        AccessApprove = "access.approve",
        /// A grant was revoked; its leases ended.
        AccessRevoke = "access.revoke",

        /// The gate was asked for credentials, which were vended or refused.
        CredentialVend = "credential.vend",
        /// A change ended open leases that the gate would no longer issue.
        LeaseEnd = "lease.end",

        /// A new snapshot of a table was found.
        SnapshotNotice = "snapshot.notice",
        /// A table went back to a snapshot that was known before.
        SnapshotReturn = "snapshot.return",
        /// The stored files of snapshots that could not be served any more were removed.
        SnapshotCollect = "snapshot.collect",
        /// A snapshot was inspected, or the inspection of a table was requested.
        TableInspect = "table.inspect",
        /// The server took a lease to inspect a table, or was refused one.
        TableLeaseForInspection = "table.lease_for_inspection",

        /// A schema was registered under a subject, or refused.
        SchemaRegister = "schema.register",
        /// Schemas of a subject were deleted.
        SchemaDelete = "schema.delete",
        /// A subject was released to another domain.
        SubjectRelease = "subject.release",
        /// The settings of the schema registry were changed.
        RegistryConfigure = "registry.configure",

        /// Lineage events were received.
        LineageReceive = "lineage.receive",
    }
}

closed_set! {
    /// What kind of thing was acted upon. As with actions, the words never change.
    ResourceKind {
        /// An access request, by its id.
        AccessRequest = "access_request",
        /// The address of a table that the caller could not see, as it was given.
        Address = "address",
        /// A contract version, by its id.
        ContractVersion = "contract_version",
        /// A decision of the gate, by its id.
        Decision = "decision",
        /// A domain, by its id.
        Domain = "domain",
        /// A grant, by its id.
        Grant = "grant",
        /// A change notice, by its id.
        Notice = "notice",
        /// An override, by its id.
        Override = "override",
        /// A principal, by its id.
        Principal = "principal",
        /// A data product, by its id.
        Product = "product",
        /// A role assignment, by its id.
        Role = "role",
        /// A snapshot, by its id.
        Snapshot = "snapshot",
        /// A subject of the schema registry, by its name, or the scope of its settings.
        Subject = "subject",
        /// A table, by its id.
        Table = "table",
        /// A token, by its id.
        Token = "token",
    }
}
