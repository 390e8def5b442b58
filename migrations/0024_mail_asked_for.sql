-- Mail that no event asks for, and how much of it there may be.

-- Fixed windows, by a MAC of whom or what they are for. Unlogged: a crash empties it, and a few mails more go out.
CREATE UNLOGGED TABLE mail_budget (
    key bytea PRIMARY KEY,
    used integer NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX mail_budget_expires ON mail_budget (expires_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_budget TO minos_app;

-- Count against each budget in turn, up to the first that is used up, and write the mail into the ledger where none is. `wait_s` is 0
-- then, else how long the used-up window still lasts. Of any number at once each gets a number of its own; budgets are
-- locked in the order given, which is that of their kinds, the same for all: no two wait for each other.
CREATE FUNCTION ask_mail(
    p_keys bytea[], p_most integer[], p_seconds integer[],
    p_mail_id uuid, p_letter text, p_user uuid, p_address bytea, p_facts bytea, p_keep_s integer, OUT wait_s integer
) LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    counted mail_budget;
BEGIN
    wait_s := 0;
    FOR i IN 1 .. cardinality(p_keys) LOOP
        INSERT INTO mail_budget AS b (key, used, expires_at)
        VALUES (p_keys[i], 1, clock_timestamp() + p_seconds[i] * interval '1 second')
        ON CONFLICT (key) DO UPDATE SET
            used = CASE WHEN b.expires_at <= clock_timestamp() THEN 1 ELSE least(b.used, p_most[i]) + 1 END,
            expires_at = CASE WHEN b.expires_at <= clock_timestamp() THEN excluded.expires_at ELSE b.expires_at END
        RETURNING * INTO counted;
        IF counted.used > p_most[i] THEN
            wait_s := greatest(1, ceil(extract(epoch FROM counted.expires_at - clock_timestamp())));
            RETURN;
        END IF;
    END LOOP;
    INSERT INTO mail_ledger (mail_id, letter, user_id, address, facts, until)
    VALUES (p_mail_id, p_letter, p_user, p_address, p_facts, clock_timestamp() + p_keep_s * interval '1 second');
END $$;

REVOKE ALL ON FUNCTION ask_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ask_mail TO minos_app;

-- What is done with goes sooner than what failed: each is found without looking at the other.
DROP INDEX mail_ledger_done;
CREATE INDEX mail_ledger_done ON mail_ledger (done_at) WHERE state IN ('sent', 'dropped');
CREATE INDEX mail_ledger_failed ON mail_ledger (done_at) WHERE state = 'failed';
