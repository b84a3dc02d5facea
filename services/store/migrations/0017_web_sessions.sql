-- A session of the web page is a token whose secret is in a cookie: the digest of that secret, who vouched for its
-- principal, the token that its sign-in code was made with, and its last use. Other tokens have none of them.
ALTER TABLE tokens ADD COLUMN session_digest {text};
ALTER TABLE tokens ADD COLUMN session_vouched_by {text};
ALTER TABLE tokens ADD COLUMN session_made_with {id};
ALTER TABLE tokens ADD COLUMN last_used_at {int};
CREATE INDEX tokens_by_session_digest ON tokens (session_digest);

-- The only valid sign-in code of a principal, but for its text.
CREATE TABLE sign_in_codes (
    principal_id {id} NOT NULL PRIMARY KEY REFERENCES principals (id),
    digest {text} NOT NULL,
    purpose {text},
    made_with {id},
    made_with_issued_at {int} NOT NULL,
    session_ends_at {int} NOT NULL,
    chain_ends_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {table};
CREATE INDEX sign_in_codes_by_digest ON sign_in_codes (digest);
