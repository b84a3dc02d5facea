-- How far each consumer of the outbox has read: the position of the last event that it has handled.
CREATE TABLE outbox_cursors (
    consumer {text} NOT NULL PRIMARY KEY,
    position {int} NOT NULL
) {table};
