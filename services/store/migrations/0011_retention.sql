-- Which snapshots still have their files: `file_list` and `checkpoint` name them, and are null once they were collected.
-- `unneeded_since` is when no lease could begin on the snapshot any more.
ALTER TABLE snapshots ADD COLUMN checkpoint {text};
ALTER TABLE snapshots ADD COLUMN unneeded_since {int};
CREATE INDEX snapshots_with_files ON snapshots (table_id, ordinal) WHERE file_list IS NOT NULL;
CREATE INDEX snapshots_of_list ON snapshots (file_list) WHERE file_list IS NOT NULL;
CREATE INDEX snapshots_of_checkpoint ON snapshots (checkpoint) WHERE checkpoint IS NOT NULL;

-- Inspections take turns by domain: the domain of the table's oldest binding, and when the job was claimed last.
ALTER TABLE jobs ADD COLUMN domain_id {id};
ALTER TABLE jobs ADD COLUMN claimed_at {int};
CREATE INDEX jobs_of_domain ON jobs (domain_id, claimed_at);
