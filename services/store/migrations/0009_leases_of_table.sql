-- The leases that are open on a table: a change of its products, contracts or bindings judges them.
CREATE INDEX leases_of_table ON leases (table_id, expires_at);
