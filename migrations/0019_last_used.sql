-- When a session, a client or a key was last used, to the minute: outside the log, which would grow with every request.

CREATE TABLE last_used (
    stream text COLLATE "C" PRIMARY KEY,
    at timestamptz NOT NULL
) WITH (fillfactor = 70);

-- Sessions are many and their rows go early; what is left is few.
CREATE INDEX last_used_sessions ON last_used (at) WHERE stream >= 'session-' AND stream < 'session.';
CREATE INDEX last_used_others ON last_used (at) WHERE NOT (stream >= 'session-' AND stream < 'session.');

GRANT SELECT, INSERT, UPDATE, DELETE ON last_used TO minos_app;
