-- Assertions that service accounts have shown (RFC 7523 3): each is good once. Kept until it has expired, and not in the log.

CREATE TABLE used_assertions (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);

CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);

GRANT SELECT, INSERT, DELETE ON used_assertions TO minos_app;
