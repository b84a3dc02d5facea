-- One portable text for both databases; `dialect.rs` has the words for the placeholders. Time is integer microseconds
-- UTC, JSON is text that is never queried, every unique index and check has a name on both.

-- Revisions that caches and decisions are keyed by: `access`, `visibility`. A table's own is in `tables.revision`.
CREATE TABLE revisions (
    name {text} NOT NULL PRIMARY KEY,
    value {int} NOT NULL
) {table};

CREATE TABLE domains (
    id {id} NOT NULL PRIMARY KEY,
    path {text} NOT NULL,
    enforcement {text} NOT NULL,
    switch_at {int},
    created_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX domains_path ON domains (path);

CREATE TABLE principals (
    id {id} NOT NULL PRIMARY KEY,
    issuer {text} NOT NULL,
    subject {text} NOT NULL,
    kind {text} NOT NULL,
    owner_id {id} REFERENCES principals (id),
    enabled {bool} NOT NULL,
    created_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX principals_subject ON principals (issuer, subject);

-- A platform role has no domain. Nulls are distinct in a unique index, hence two.
CREATE TABLE role_assignments (
    id {id} NOT NULL PRIMARY KEY,
    principal_id {id} NOT NULL REFERENCES principals (id),
    role {text} NOT NULL,
    domain_id {id} REFERENCES domains (id),
    assigned_by {id} NOT NULL,
    assigned_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX role_assignments_domain ON role_assignments (principal_id, role, domain_id)
    WHERE domain_id IS NOT NULL;
CREATE UNIQUE INDEX role_assignments_platform ON role_assignments (principal_id, role)
    WHERE domain_id IS NULL;
CREATE INDEX role_assignments_of_domain ON role_assignments (domain_id);

CREATE TABLE products (
    id {id} NOT NULL PRIMARY KEY,
    domain_id {id} NOT NULL REFERENCES domains (id),
    name {text} NOT NULL,
    document_id {text} NOT NULL,
    title {text},
    state {text} NOT NULL,
    state_since {int},
    classification {text} NOT NULL,
    digest {text} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX products_name ON products (domain_id, name);
CREATE UNIQUE INDEX products_document ON products (domain_id, document_id);
CREATE INDEX products_of_title ON products (domain_id, title);

-- Every document a product ever had, byte for byte; the current one is named by `products.digest`.
CREATE TABLE product_documents (
    product_id {id} NOT NULL REFERENCES products (id),
    digest {text} NOT NULL,
    format {text} NOT NULL,
    bytes {bytes} NOT NULL,
    published_by {id} NOT NULL,
    published_at {int} NOT NULL,
    PRIMARY KEY (product_id, digest)
) {table};

CREATE TABLE contracts (
    id {id} NOT NULL PRIMARY KEY,
    product_id {id} NOT NULL REFERENCES products (id),
    document_id {text} NOT NULL,
    created_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX contracts_document ON contracts (product_id, document_id);
CREATE INDEX contracts_of_document ON contracts (document_id, product_id);

CREATE TABLE contract_versions (
    id {id} NOT NULL PRIMARY KEY,
    contract_id {id} NOT NULL REFERENCES contracts (id),
    major {int} NOT NULL,
    minor {int} NOT NULL,
    patch {int} NOT NULL,
    digest {text} NOT NULL,
    format {text} NOT NULL,
    bytes {bytes} NOT NULL,
    state {text} NOT NULL,
    state_since {int},
    sunset {int},
    reasons {text} NOT NULL,
    published_by {id} NOT NULL,
    published_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX contract_versions_number ON contract_versions (contract_id, major, minor, patch);
CREATE UNIQUE INDEX contract_versions_active ON contract_versions (contract_id, major)
    WHERE state = 'active';

CREATE TABLE ports (
    product_id {id} NOT NULL REFERENCES products (id),
    name {text} NOT NULL,
    major {int} NOT NULL,
    contract_id {id} NOT NULL REFERENCES contracts (id),
    contract_major {int} NOT NULL
) {table};
CREATE UNIQUE INDEX ports_major ON ports (product_id, name, major);
CREATE INDEX ports_of_contract ON ports (contract_id, contract_major);

CREATE TABLE tables (
    id {id} NOT NULL PRIMARY KEY,
    format {text} NOT NULL,
    location {text} NOT NULL,
    revision {int} NOT NULL,
    head_id {id},
    created_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX tables_location ON tables (location);

CREATE TABLE bindings (
    id {id} NOT NULL PRIMARY KEY,
    contract_id {id} NOT NULL REFERENCES contracts (id),
    major {int} NOT NULL,
    object {text} NOT NULL,
    environment {text} NOT NULL,
    table_id {id} NOT NULL REFERENCES tables (id)
) {table};
CREATE UNIQUE INDEX bindings_object ON bindings (contract_id, major, object, environment);
CREATE INDEX bindings_of_table ON bindings (table_id);

-- What an inspection found is null until there was one.
CREATE TABLE snapshots (
    id {id} NOT NULL PRIMARY KEY,
    table_id {id} NOT NULL REFERENCES tables (id),
    key {text} NOT NULL,
    ordinal {int} NOT NULL,
    noticed_at {int} NOT NULL,
    state {text} NOT NULL,
    error {text},
    inspected_at {int},
    committed_at {int},
    n_rows {int},
    n_files {int},
    physical_schema {text},
    file_list {text}
) {table};
CREATE UNIQUE INDEX snapshots_key ON snapshots (table_id, key);
CREATE UNIQUE INDEX snapshots_ordinal ON snapshots (table_id, ordinal);

CREATE TABLE verdicts (
    id {id} NOT NULL PRIMARY KEY,
    snapshot_id {id} NOT NULL REFERENCES snapshots (id),
    binding_id {id} NOT NULL REFERENCES bindings (id),
    rule_hash {text} NOT NULL,
    verdict {text} NOT NULL,
    conforms {bool} NOT NULL,
    conformance {text} NOT NULL,
    results {text} NOT NULL,
    engine {text} NOT NULL,
    at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX verdicts_rules ON verdicts (binding_id, snapshot_id, rule_hash);

CREATE TABLE access_requests (
    id {id} NOT NULL PRIMARY KEY,
    requester_id {id} NOT NULL REFERENCES principals (id),
    product_id {id} NOT NULL REFERENCES products (id),
    port {text} NOT NULL,
    major {int} NOT NULL,
    purpose {text} NOT NULL,
    sentence {text} NOT NULL,
    from_at {int} NOT NULL,
    until_at {int} NOT NULL,
    state {text} NOT NULL,
    decided_by {id},
    decided_at {int},
    reason {text},
    created_at {int} NOT NULL
) {table};
CREATE INDEX access_requests_in_time ON access_requests (created_at, id);
CREATE INDEX access_requests_of_requester ON access_requests (requester_id, created_at, id);

CREATE TABLE grants (
    id {id} NOT NULL PRIMARY KEY,
    request_id {id} NOT NULL REFERENCES access_requests (id),
    principal_id {id} NOT NULL REFERENCES principals (id),
    product_id {id} NOT NULL REFERENCES products (id),
    port {text} NOT NULL,
    major {int} NOT NULL,
    purpose {text} NOT NULL,
    sentence {text} NOT NULL,
    from_at {int} NOT NULL,
    until_at {int} NOT NULL,
    granted_by {id} NOT NULL,
    granted_at {int} NOT NULL,
    revoked_by {id},
    revoked_at {int},
    revoke_reason {text}
) {table};
CREATE UNIQUE INDEX grants_request ON grants (request_id);
CREATE INDEX grants_in_time ON grants (granted_at, id);
CREATE INDEX grants_of_principal ON grants (principal_id, product_id, port, major);
CREATE INDEX grants_of_holder ON grants (principal_id, granted_at, id);

-- Written at every vend: no foreign keys, few indexes.
CREATE TABLE leases (
    id {id} NOT NULL PRIMARY KEY,
    principal_id {id} NOT NULL,
    action {text} NOT NULL,
    binding_id {id} NOT NULL,
    table_id {id} NOT NULL,
    snapshot_id {id},
    grant_id {id},
    purpose {text} NOT NULL,
    decision_id {id} NOT NULL,
    state {text} NOT NULL,
    issued_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {table};
CREATE INDEX leases_in_time ON leases (issued_at, id);
CREATE INDEX leases_of_grant ON leases (grant_id);
CREATE INDEX leases_of_principal ON leases (principal_id, issued_at, id);

CREATE TABLE decisions (
    id {id} NOT NULL PRIMARY KEY,
    principal_id {id} NOT NULL,
    action {text} NOT NULL,
    binding_id {id} NOT NULL,
    at {int} NOT NULL,
    allowed {bool} NOT NULL,
    lines {text} NOT NULL,
    served {id},
    retry_at {int}
) {table};
CREATE INDEX decisions_in_time ON decisions (at, id);
CREATE INDEX decisions_of_principal ON decisions (principal_id, at, id);

-- The audit log. `bytes` is the record's canonical form, which the MAC and later the tree are over; the other columns
-- are for finding it. `leaf_index` is given by the sequencer of the tree.
CREATE TABLE records (
    id {id} NOT NULL PRIMARY KEY,
    at {int} NOT NULL,
    actor {text} NOT NULL,
    action {text} NOT NULL,
    resource_kind {text} NOT NULL,
    resource_id {text} NOT NULL,
    outcome {text} NOT NULL,
    bytes {bytes} NOT NULL,
    mac {bytes} NOT NULL,
    leaf_index {int}
) {table};
CREATE UNIQUE INDEX records_leaf ON records (leaf_index)
    WHERE leaf_index IS NOT NULL;
CREATE INDEX records_in_time ON records (at, id);
CREATE INDEX records_of_actor ON records (actor, at, id);
CREATE INDEX records_of_resource ON records (resource_kind, resource_id, at, id);

CREATE TABLE outbox (
    position {int} NOT NULL PRIMARY KEY,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    payload {text} NOT NULL,
    at {int} NOT NULL
) {table};

CREATE TABLE idempotency_keys (
    principal_id {id} NOT NULL,
    key {text} NOT NULL,
    operation {text} NOT NULL,
    digest {text} NOT NULL,
    subject {text} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (principal_id, key)
) {table};
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);

CREATE TABLE jobs (
    id {id} NOT NULL PRIMARY KEY,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    state {text} NOT NULL,
    run_at {int} NOT NULL,
    claimed_until {int},
    n_attempts {int} NOT NULL,
    error {text}
) {table};
CREATE UNIQUE INDEX jobs_subject ON jobs (kind, subject)
    WHERE state = 'waiting';
CREATE INDEX jobs_by_time ON jobs (state, run_at, id);
