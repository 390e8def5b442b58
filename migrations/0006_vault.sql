-- Keys, all wrapped by a key-encryption key that is not in this database.

CREATE SCHEMA vault;

CREATE TABLE vault.subject_keys (
    key_id uuid PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    seal_class text NOT NULL CHECK (seal_class IN ('profile', 'telemetry', 'credential')),
    generation integer NOT NULL CHECK (generation > 0),
    wrapped bytea NOT NULL,
    kek_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (subject, seal_class, generation)
);

CREATE TABLE vault.signing_secrets (
    kid text COLLATE "C" PRIMARY KEY,
    wrapped bytea NOT NULL,
    kek_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Keys of the service itself, one line per purpose: refresh, cursor, claim-index, device, idempotency ...
CREATE TABLE vault.secrets (
    purpose text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    wrapped bytea NOT NULL,
    kek_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (purpose, version)
);
