-- Overrides keep the findings that they accept (JSON), and `mac` is over all of it; an early end is signed anew. Those
-- made before kept nothing but a digest, which nobody can be shown: they end here. What was published under them stays,
-- and the record tells of them.
DROP TABLE overrides;
CREATE TABLE overrides (
    id {id} NOT NULL PRIMARY KEY,
    contract_id {id} NOT NULL REFERENCES contracts (id),
    major {int} NOT NULL,
    minor {int} NOT NULL,
    patch {int} NOT NULL,
    since_major {int} NOT NULL,
    since_minor {int} NOT NULL,
    since_patch {int} NOT NULL,
    findings {text} NOT NULL,
    reason {text} NOT NULL,
    steward_id {id} NOT NULL REFERENCES principals (id),
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    mac {bytes} NOT NULL,
    revoked_by {id},
    revoked_at {int},
    revoke_reason {text}
) {table};
CREATE INDEX overrides_of_contract ON overrides (contract_id, created_at, id);
