-- Breaking successors: notices to the readers of a major, and their answers. `findings` is JSON, as it was found.
CREATE TABLE notices (
    id {id} NOT NULL PRIMARY KEY,
    product_id {id} NOT NULL REFERENCES products (id),
    from_contract_id {id} NOT NULL REFERENCES contracts (id),
    from_major {int} NOT NULL,
    from_minor {int} NOT NULL,
    from_patch {int} NOT NULL,
    to_contract_id {id} NOT NULL REFERENCES contracts (id),
    to_major {int} NOT NULL,
    to_minor {int} NOT NULL,
    to_patch {int} NOT NULL,
    findings {text} NOT NULL,
    migration_note {text},
    deadline {int} NOT NULL,
    opened_at {int} NOT NULL,
    closed_at {int}
) {table};
CREATE UNIQUE INDEX notices_majors ON notices (from_contract_id, from_major, to_contract_id, to_major);
CREATE INDEX notices_in_time ON notices (opened_at, id);
CREATE INDEX notices_of_product ON notices (product_id, opened_at, id);
CREATE INDEX notices_of_successor ON notices (to_contract_id, to_major);

-- Answers are added, never changed; the last of a principal counts.
CREATE TABLE notice_answers (
    id {id} NOT NULL PRIMARY KEY,
    notice_id {id} NOT NULL REFERENCES notices (id),
    principal_id {id} NOT NULL REFERENCES principals (id),
    answered_by {id} NOT NULL,
    kind {text} NOT NULL,
    until_at {int},
    reason {text},
    at {int} NOT NULL
) {table};
CREATE INDEX notice_answers_of_principal ON notice_answers (notice_id, principal_id, at, id);

-- Stewards' overrides of refused version numbers. `mac` is over all but the end; the end may come early.
CREATE TABLE overrides (
    id {id} NOT NULL PRIMARY KEY,
    contract_id {id} NOT NULL REFERENCES contracts (id),
    major {int} NOT NULL,
    minor {int} NOT NULL,
    patch {int} NOT NULL,
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

-- Who reads a port's major, and which accounts a person answers for.
CREATE INDEX grants_of_port ON grants (product_id, port, major, granted_at, id);
CREATE INDEX principals_of_owner ON principals (owner_id);
