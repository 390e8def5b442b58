-- How far readers are, what they could not read, and which version of each read model serves.

CREATE TABLE projection_state (
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    slot_from smallint NOT NULL DEFAULT 0 CHECK (slot_from BETWEEN 0 AND 63),
    slot_to smallint NOT NULL DEFAULT 63 CHECK (slot_to BETWEEN slot_from AND 63),
    position bigint NOT NULL DEFAULT 0,
    epoch integer NOT NULL DEFAULT 1,
    status text NOT NULL DEFAULT 'live' CHECK (status IN ('building', 'live', 'paused', 'halted', 'retired')),
    reason text,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, slot_from)
) WITH (fillfactor = 50);

CREATE TABLE projection_parked (
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name, version, stream)
);

CREATE TABLE projection_active (
    name text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    previous integer,
    switched_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Read models live here. They are made, rebuilt and dropped by the projectors, at run time.
CREATE SCHEMA read;
