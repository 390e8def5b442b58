-- As before, and never with a shorter life than is known: a process of the API notes what is set there before it issues a token, for not every
-- token that a person gets is an event. Whoever folds with less begins again with what is known.
CREATE OR REPLACE FUNCTION fold_signals(
    p_after bigint, p_through bigint, p_epoch integer, p_life integer, p_audience text[], p_told boolean[],
    p_class text[], p_subject text[], p_fact bytea[], p_until bigint[],
    p_token uuid[], p_client text[], p_of text[], p_scope text[], p_expires timestamptz[], p_over uuid[]
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    counts bigint[];
BEGIN
    IF EXISTS (SELECT FROM signal_feed f WHERE f.only_row AND f.life > p_life) THEN
        RETURN NULL;
    END IF;
    counts := fold_facts(p_after, p_through, p_epoch, p_life, p_audience, p_told, p_class, p_subject, p_fact, p_until);
    IF counts IS NULL THEN
        RETURN NULL;
    END IF;
    IF cardinality(p_token) > 0 THEN
        INSERT INTO live_service_tokens (token_id, client_id, audience, scope, expires_at)
        SELECT t.* FROM unnest(p_token, p_client, p_of, p_scope, p_expires) AS t ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(p_over) > 0 THEN
        DELETE FROM live_service_tokens WHERE token_id = ANY (p_over);
    END IF;
    RETURN counts;
END $$;
