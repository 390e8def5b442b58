-- Secrets that stood in an answer, for ten minutes, so that who did not hear it can ask again with the same Idempotency-Key. `key` is that
-- of the answer in command_results; the box opens with nothing that is in this database. Unlogged: in no backup, and gone after a crash.
CREATE UNLOGGED TABLE shown_secrets (
    key bytea NOT NULL,
    answer_id uuid NOT NULL,
    box bytea NOT NULL CHECK (octet_length(box) BETWEEN 28 AND 1024),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (key, answer_id)
);
CREATE INDEX shown_secrets_expires ON shown_secrets (expires_at);
GRANT SELECT, INSERT, DELETE ON shown_secrets TO minos_app;
