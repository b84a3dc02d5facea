-- Subjects that their owners have released to a domain, until it binds them or the time is over.
CREATE TABLE released_subjects (
    subject {text} NOT NULL PRIMARY KEY,
    domain_id {id} NOT NULL REFERENCES domains (id),
    released_by {id} NOT NULL,
    expires_at {int} NOT NULL
) {table};
