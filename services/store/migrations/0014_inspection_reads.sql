-- What an inspection read to measure the rules, as JSON.
ALTER TABLE snapshots ADD COLUMN reads {text};
