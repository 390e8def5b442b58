-- A backup has rows of processes that ran when it was made, and seconds after a restore they would still count as running.
ALTER TABLE vault.key_holders ADD COLUMN database oid;
