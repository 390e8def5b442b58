-- Service tokens that were given and have not ended: what a new rule of their audience may refuse, for up to 90 days. One row each, until it
-- has ended or was told to be over. `scope` is its permissions, as in the token.
CREATE TABLE live_service_tokens (
    token_id uuid PRIMARY KEY,
    client_id text COLLATE "C" NOT NULL,
    audience text COLLATE "C" NOT NULL,
    scope text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX live_service_tokens_audience ON live_service_tokens (audience, client_id);
CREATE INDEX live_service_tokens_expires ON live_service_tokens (expires_at);

-- What was given before: by the heads of such tokens, since the log knows no types by an index. `minos` and `nats` never change.
INSERT INTO live_service_tokens (token_id, client_id, audience, scope, expires_at)
SELECT (p.said ->> 'token_id')::uuid, p.said ->> 'client_id', p.said ->> 'audience',
       (SELECT coalesce(string_agg(s.permission, ' ' ORDER BY s.n), '')
        FROM jsonb_array_elements_text(p.said -> 'permissions') WITH ORDINALITY AS s (permission, n)),
       (p.said ->> 'expires_at')::timestamptz
FROM heads h
JOIN events e ON e.stream = h.stream AND e.version = 1 AND e.type = 'token.issued.v1'
CROSS JOIN LATERAL (SELECT convert_from(e.payload, 'UTF8')::jsonb AS said) p
WHERE h.stream >= 'token-' AND h.stream < 'token.'
  AND (p.said ->> 'expires_at')::timestamptz > clock_timestamp() AND p.said ->> 'audience' NOT IN ('minos', 'nats');

-- The same step, which takes note of service tokens as well. Under the name that it had, so that a signaller of older code stops rather than
-- pass over a token that was given.
ALTER FUNCTION fold_signals(bigint, bigint, integer, integer, text[], boolean[], text[], text[], bytea[], bigint[]) RENAME TO fold_facts;

CREATE FUNCTION fold_signals(
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

REVOKE ALL ON FUNCTION fold_signals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fold_signals TO minos_app;
GRANT SELECT, INSERT, DELETE ON live_service_tokens TO minos_app;
