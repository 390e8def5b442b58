-- Counting sign-ins outside the log, and the codes for the first administrator.

-- Unlogged: a crash empties it, and nobody is locked out for that. An empty device_mac counts everybody without a known device.
CREATE UNLOGGED TABLE sign_in_guard (
    name_mac bytea NOT NULL,
    device_mac bytea NOT NULL DEFAULT '',
    failures integer NOT NULL,
    -- Attempts turned away since the last one that was looked at.
    refusals integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (name_mac, device_mac)
) WITH (fillfactor = 70);
CREATE INDEX sign_in_guard_expires ON sign_in_guard (expires_at);

-- Emptied together with the counters: its row says since when they count.
CREATE UNLOGGED TABLE sign_in_guard_since (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE sign_in_attempts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    name_mac bytea NOT NULL,
    user_id uuid,
    outcome text NOT NULL CHECK (outcome ~ '^[a-z_]{1,32}$'),
    source_sealed bytea,
    known_device boolean NOT NULL DEFAULT false
);
CREATE INDEX sign_in_attempts_at ON sign_in_attempts (at);
CREATE INDEX sign_in_attempts_user ON sign_in_attempts (user_id, at) WHERE user_id IS NOT NULL;

-- One code at most is alive: a wrong guess at it must count against it.
CREATE TABLE bootstrap_codes (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    digest bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0
);
