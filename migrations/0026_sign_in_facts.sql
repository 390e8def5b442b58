-- What a person's sign-ins looked like: keyed digests of networks and devices, for 90 days. Nothing is decided on them but whether a
-- sign-in looks strange.

CREATE TABLE sign_in_facts (
    name_mac bytea NOT NULL,
    fact_mac bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (name_mac, fact_mac)
);
CREATE INDEX sign_in_facts_seen ON sign_in_facts (seen_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_facts TO minos_app;
