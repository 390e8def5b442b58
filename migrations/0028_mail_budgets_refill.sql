-- Budgets of mail refill bit by bit, and an asking that is refused counts against none of them: windows that any number of refused
-- askings used up kept an address, or everybody in a network, from mail for a day.

-- A row says when its budget will be whole again; one that is whole needs none.
TRUNCATE mail_budget;
ALTER TABLE mail_budget DROP COLUMN used;

-- Take one of each budget, or none where one is used up: then `wait_s` says how long until there is one again, else it is 0.
-- Each holds `p_most` and gets one back every `p_seconds`. Rows are locked in the order given, the same for all, before any is looked at.
CREATE FUNCTION spend_mail(p_keys bytea[], p_most integer[], p_seconds integer[], OUT wait_s integer)
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    now_is timestamptz;
    every interval;
    whole_at timestamptz;
    wholes timestamptz[] := '{}';
BEGIN
    wait_s := 0;
    FOR i IN 1 .. cardinality(p_keys) LOOP
        INSERT INTO mail_budget AS b (key, expires_at) VALUES (p_keys[i], clock_timestamp())
        ON CONFLICT (key) DO UPDATE SET expires_at = b.expires_at
        RETURNING b.expires_at INTO whole_at;
        now_is := clock_timestamp();
        every := p_seconds[i] * interval '1 second';
        whole_at := greatest(whole_at, now_is) + every;
        wholes := wholes || whole_at;
        wait_s := greatest(wait_s, ceil(extract(epoch FROM whole_at - now_is - p_most[i] * every)));
    END LOOP;
    IF wait_s = 0 THEN
        UPDATE mail_budget b SET expires_at = w.expires_at FROM unnest(p_keys, wholes) AS w (key, expires_at) WHERE b.key = w.key;
    END IF;
END $$;

REVOKE ALL ON FUNCTION spend_mail FROM PUBLIC;
GRANT EXECUTE ON FUNCTION spend_mail TO minos_app;

CREATE OR REPLACE FUNCTION ask_mail(
    p_keys bytea[], p_most integer[], p_seconds integer[],
    p_mail_id uuid, p_letter text, p_user uuid, p_address bytea, p_facts bytea, p_keep_s integer, OUT wait_s integer
) LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    wait_s := public.spend_mail(p_keys, p_most, p_seconds);
    IF wait_s = 0 THEN
        INSERT INTO mail_ledger (mail_id, letter, user_id, address, facts, until)
        VALUES (p_mail_id, p_letter, p_user, p_address, p_facts, clock_timestamp() + p_keep_s * interval '1 second');
    END IF;
END $$;
