-- Who read which column of a table on which day (of UTC, from 1970). `everything` stands for any column, without a name.
-- Like leases, without foreign keys.
CREATE TABLE column_reads (
    table_id {id} NOT NULL,
    day {int} NOT NULL,
    principal_id {id} NOT NULL,
    binding_id {id} NOT NULL,
    everything {bool} NOT NULL,
    column_name {text} NOT NULL,
    n_leases {int} NOT NULL,
    last_at {int} NOT NULL,
    PRIMARY KEY (table_id, day, principal_id, binding_id, everything, column_name)
) {table};
CREATE INDEX column_reads_of_day ON column_reads (day);

-- When reads were recorded. One without an end is going on, or was cut off.
CREATE TABLE column_read_runs (
    began_at {int} NOT NULL PRIMARY KEY,
    ended_at {int}
) {table};

-- When reads may have been lost.
CREATE TABLE column_read_losses (
    at {int} NOT NULL PRIMARY KEY
) {table};
