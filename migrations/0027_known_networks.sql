-- The networks a name signed in from last. Tries from there have a budget of their own, as those of a known device have, so that
-- guessing from elsewhere keeps nobody out of where they are at home. Unlogged as the counters are: a crash makes every network strange.
CREATE UNLOGGED TABLE sign_in_networks (
    name_mac bytea NOT NULL,
    network_mac bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (name_mac, network_mac)
);
COMMENT ON COLUMN sign_in_networks.network_mac IS 'Keyed HMAC of the network and the token epoch: what makes devices unknown makes networks so.';

GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_networks TO minos_app;
