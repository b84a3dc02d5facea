-- How many subjects there are, in use or not: counting them takes as long as there are many.
CREATE TABLE registry_counts (
    name {text} NOT NULL PRIMARY KEY,
    value {int} NOT NULL
) {table};
INSERT INTO registry_counts (name, value)
SELECT 'subjects', COUNT(*) FROM (SELECT DISTINCT context, subject FROM subject_versions) AS subjects;
