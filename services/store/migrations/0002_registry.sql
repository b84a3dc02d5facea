-- The schema registry. A schema's id is written into messages: it is never given twice and its text never changes. A
-- schema that no subject has any more keeps its row without a digest, so that its id stays taken.
CREATE TABLE schemas (
    id {int} NOT NULL PRIMARY KEY,
    context {text} NOT NULL,
    format {text} NOT NULL,
    body {text} NOT NULL,
    refs {text} NOT NULL,
    digest {text}
) {table};
CREATE UNIQUE INDEX schemas_digest ON schemas (context, digest);

CREATE TABLE subject_versions (
    context {text} NOT NULL,
    subject {text} NOT NULL,
    version {int} NOT NULL,
    schema_id {int} NOT NULL REFERENCES schemas (id),
    deleted {bool} NOT NULL,
    registered_by {id} NOT NULL,
    registered_at {int} NOT NULL,
    PRIMARY KEY (context, subject, version)
) {table};
CREATE INDEX subject_versions_of_schema ON subject_versions (schema_id);

-- Who refers to whom: a schema that is referred to cannot be deleted.
CREATE TABLE schema_references (
    schema_id {int} NOT NULL REFERENCES schemas (id),
    context {text} NOT NULL,
    subject {text} NOT NULL,
    version {int} NOT NULL,
    PRIMARY KEY (context, subject, version, schema_id)
) {table};
CREATE INDEX schema_references_of_schema ON schema_references (schema_id);

-- What is null is left to the wider scope.
CREATE TABLE registry_settings (
    scope {text} NOT NULL PRIMARY KEY,
    level {text},
    policy {text},
    normalize {bool},
    mode {text}
) {table};

-- Topics that schema objects are bound to. A subject leads to at most one of them.
CREATE TABLE topic_bindings (
    id {id} NOT NULL PRIMARY KEY,
    contract_id {id} NOT NULL REFERENCES contracts (id),
    major {int} NOT NULL,
    object {text} NOT NULL,
    environment {text} NOT NULL,
    subject {text} NOT NULL
) {table};
CREATE UNIQUE INDEX topic_bindings_object ON topic_bindings (contract_id, major, object, environment);
CREATE INDEX topic_bindings_of_subject ON topic_bindings (subject);
