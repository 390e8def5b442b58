-- What whoever tells of signals writes while it does: each second that it lives and up to when it knows everything, and what NATS has taken.

-- Renew the lease, or take one that has run out, and say up to when everything is in `live_signals`; null says nothing new. False where
-- somebody else holds it: then nothing was said. None of it need survive a power cut.
CREATE FUNCTION beat_signals(p_holder uuid, p_seconds float8, p_complete_to timestamptz) RETURNS boolean LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE signal_feed SET holder = p_holder, leased_until = clock_timestamp() + make_interval(secs => p_seconds)
    WHERE only_row AND (holder = p_holder OR leased_until < clock_timestamp());
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE signal_classes SET beat = beat + 1, complete_to = greatest(complete_to, p_complete_to);
    RETURN true;
END $$;

-- Note what NATS has acknowledged of some classes, each in the epoch it was sent in. Lost in a power cut it is sent again.
CREATE FUNCTION signals_sent(p_class text[], p_epoch integer[], p_sent bigint[], p_sequence bigint[]) RETURNS void LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE signal_classes c SET sent = greatest(c.sent, s.sent), sequence = greatest(c.sequence, s.sequence)
    FROM unnest(p_class, p_epoch, p_sent, p_sequence) AS s (class, epoch, sent, sequence)
    WHERE c.class = s.class AND c.epoch = s.epoch;
END $$;

REVOKE ALL ON FUNCTION beat_signals, signals_sent FROM PUBLIC;
GRANT EXECUTE ON FUNCTION beat_signals, signals_sent TO minos_app;
