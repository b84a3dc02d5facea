-- Every token of the local issuer, but for its text. A token that is not here is refused, so those that were issued
-- before this migration end with it.
CREATE TABLE tokens (
    id {id} NOT NULL PRIMARY KEY,
    principal_id {id} NOT NULL REFERENCES principals (id),
    purpose {text},
    issued_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    chain_ends_at {int} NOT NULL,
    issued_by {id},
    revoked_at {int},
    revoked_by {id}
) {table};
CREATE INDEX tokens_of_principal ON tokens (principal_id, issued_at, id);
CREATE INDEX tokens_in_time ON tokens (expires_at, id);

-- The only valid token of a name: `bootstrap` is that of a first start.
CREATE TABLE one_time_tokens (
    name {text} NOT NULL PRIMARY KEY,
    token_id {id} NOT NULL,
    issued_at {int} NOT NULL
) {table};

-- When a principal was disabled last, and by whom. Those disabled before this migration have neither.
ALTER TABLE principals ADD COLUMN disabled_at {int};
ALTER TABLE principals ADD COLUMN disabled_by {id};

-- The token that a lease was requested with.
ALTER TABLE leases ADD COLUMN token_id {id};
