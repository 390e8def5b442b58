-- The only way into the log. Arrays in, one row per command out, in the order given.
--
-- Order of locks, each kind sorted: idempotency keys, names of new streams, heads, claims. Nobody who waits for one kind
-- holds a later one, so nobody waits in a circle. Ids are drawn after all locks: within a stream they rise with versions.
--
-- Verdicts: 0 done, 1 busy (a head is locked elsewhere: ask again alone, waiting), 2 lost race, 3 claim taken,
-- 4 replayed, 5 idempotency key used for another body.
--
-- The caller puts no stream, claim or idempotency key into two commands of one call.

-- Write down new keys; judge the commands whose key is known. Gives the verdicts, the keys written here and the old answers.
CREATE FUNCTION append_keys(
    INOUT verdict smallint[], i_command integer[], i_key bytea[], i_digest bytea[], i_outcome bytea[], i_actor text[],
    OUT written bytea[], OUT answers bytea[]
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    WITH put AS (
        INSERT INTO command_results (key, digest, outcome, actor)
        SELECT i.key, i.digest, i.outcome, i.actor
        FROM unnest(i_key, i_digest, i_outcome, i_actor) AS i (key, digest, outcome, actor) ORDER BY i.key
        ON CONFLICT (key) DO NOTHING RETURNING key
    ) SELECT coalesce(array_agg(put.key), '{}') INTO written FROM put;
    answers := array_fill(NULL::bytea, ARRAY[cardinality(verdict)]);
    FOR known IN
        SELECT i.command, r.digest = i.digest AS same, r.outcome
        FROM unnest(i_command, i_key, i_digest) AS i (command, key, digest)
        LEFT JOIN command_results r ON r.key = i.key
        WHERE i.key <> ALL (written)
    LOOP
        -- A row that is gone again was pruned or given up between two statements: busy, ask again.
        verdict[known.command] := CASE WHEN known.same THEN 4 WHEN NOT known.same THEN 5 ELSE 1 END;
        IF known.same THEN
            answers[known.command] := known.outcome;
        END IF;
    END LOOP;
END $$;

-- Lock every stream and compare versions. New streams get their final head at once: inserting the name is the lock.
CREATE FUNCTION append_heads(
    INOUT verdict smallint[], p_wait boolean, w_command integer[], w_stream text[], w_expected integer[],
    w_count integer[], w_state bytea[], w_state_version smallint[], OUT fresh text[]
) LANGUAGE plpgsql AS $$
DECLARE
    held text[] := '{}';
    versions integer[] := '{}';
    failed record;
BEGIN
    fresh := '{}';
    IF 0 = ANY (w_expected) THEN
        WITH put AS (
            INSERT INTO heads (stream, version, state, state_version)
            SELECT w.stream, w.n, CASE WHEN w.n > 0 THEN w.state END, w.state_version
            FROM unnest(w_command, w_stream, w_expected, w_count, w_state, w_state_version)
                AS w (command, stream, expected, n, state, state_version)
            WHERE w.expected = 0 AND verdict[w.command] = 0 ORDER BY w.stream COLLATE "C"
            ON CONFLICT (stream) DO NOTHING RETURNING stream
        ) SELECT coalesce(array_agg(put.stream), '{}') INTO fresh FROM put;
        IF cardinality(fresh) = cardinality(w_stream) THEN
            RETURN;
        END IF;
    END IF;
    IF p_wait THEN
        SELECT coalesce(array_agg(l.stream), '{}'), coalesce(array_agg(l.version), '{}') INTO held, versions FROM (
            SELECT h.stream, h.version FROM heads h
            WHERE h.stream = ANY (w_stream) AND h.stream <> ALL (fresh) ORDER BY h.stream FOR UPDATE
        ) l;
    ELSE
        SELECT coalesce(array_agg(l.stream), '{}'), coalesce(array_agg(l.version), '{}') INTO held, versions FROM (
            SELECT h.stream, h.version FROM heads h
            WHERE h.stream = ANY (w_stream) AND h.stream <> ALL (fresh) ORDER BY h.stream FOR UPDATE SKIP LOCKED
        ) l;
    END IF;
    FOR failed IN
        SELECT w.command, CASE WHEN l.version IS NULL AND NOT p_wait THEN 1 ELSE 2 END AS verdict
        FROM unnest(w_command, w_stream, w_expected) AS w (command, stream, expected)
        LEFT JOIN unnest(held, versions) AS l (stream, version) ON l.stream = w.stream
        WHERE verdict[w.command] < 2 AND l.version IS DISTINCT FROM w.expected AND w.stream <> ALL (fresh)
    LOOP
        verdict[failed.command] := greatest(verdict[failed.command], failed.verdict);
    END LOOP;
END $$;

-- Take names that are free, already ours, or given up by the same command. `taken` numbers the rows inserted here.
-- A row moves or goes only with an event in the stream that owns it, so that stream's head guards it.
CREATE FUNCTION append_claims(
    INOUT verdict smallint[], k_command integer[], k_version integer[], k_mac bytea[], k_stream text[], k_take boolean[],
    OUT taken bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    failed record;
BEGIN
    WITH wanted AS (
        SELECT k.* FROM unnest(k_command, k_version, k_mac, k_stream, k_take)
            WITH ORDINALITY AS k (command, version, mac, stream, take, n)
        WHERE k.take AND verdict[k.command] = 0
    ), put AS (
        INSERT INTO claim_index (index_version, mac, stream)
        SELECT w.version, w.mac, w.stream FROM wanted w ORDER BY w.version, w.mac
        ON CONFLICT (index_version, mac) DO NOTHING RETURNING index_version, mac
    ) SELECT coalesce(array_agg(w.n), '{}') INTO taken
      FROM put JOIN wanted w ON w.version = put.index_version AND w.mac = put.mac;
    FOR failed IN
        WITH k AS (
            SELECT * FROM unnest(k_command, k_version, k_mac, k_stream, k_take)
                WITH ORDINALITY AS k (command, version, mac, stream, take, n)
        )
        SELECT k.command FROM k
        WHERE k.take AND verdict[k.command] = 0 AND k.n <> ALL (taken) AND NOT EXISTS (
            SELECT FROM claim_index c WHERE c.index_version = k.version AND c.mac = k.mac AND (c.stream = k.stream OR EXISTS (
                SELECT FROM k g WHERE NOT g.take AND g.command = k.command
                    AND g.version = k.version AND g.mac = k.mac AND g.stream = c.stream)))
    LOOP
        verdict[failed.command] := 3;
    END LOOP;
    UPDATE claim_index c SET stream = k.stream
    FROM unnest(k_command, k_version, k_mac, k_stream, k_take) AS k (command, version, mac, stream, take)
    WHERE k.take AND verdict[k.command] = 0 AND c.index_version = k.version AND c.mac = k.mac AND c.stream <> k.stream;
    DELETE FROM claim_index c
    USING unnest(k_command, k_version, k_mac, k_stream, k_take) AS k (command, version, mac, stream, take)
    WHERE NOT k.take AND verdict[k.command] = 0 AND c.index_version = k.version AND c.mac = k.mac AND c.stream = k.stream;
END $$;

CREATE FUNCTION append_commits(
    p_commands integer, p_wait boolean,
    w_command integer[], w_stream text[], w_expected integer[], w_count integer[], w_state bytea[], w_state_version smallint[],
    e_command integer[], e_stream text[], e_version integer[], e_type text[], e_id uuid[], e_actor text[], e_session uuid[],
    e_command_id uuid[], e_correlation uuid[], e_causation uuid[], e_key uuid[], e_payload bytea[],
    k_command integer[], k_version integer[], k_mac bytea[], k_stream text[], k_take boolean[],
    i_command integer[], i_key bytea[], i_digest bytea[], i_outcome bytea[], i_actor text[]
) RETURNS TABLE (result smallint, outcome bytea) LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    -- Plans made while the tables were small must still be good when they are not.
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    verdict smallint[] := array_fill(0::smallint, ARRAY[p_commands]);
    answers bytea[] := '{}';
    written bytea[] := '{}';
    fresh text[];
    taken bigint[] := '{}';
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'appends need READ COMMITTED: each statement must see what was committed before its locks';
    END IF;
    IF cardinality(i_key) > 0 THEN
        SELECT k.verdict, k.written, k.answers INTO verdict, written, answers
        FROM append_keys(verdict, i_command, i_key, i_digest, i_outcome, i_actor) k;
    END IF;
    SELECT h.verdict, h.fresh INTO verdict, fresh
    FROM append_heads(verdict, p_wait, w_command, w_stream, w_expected, w_count, w_state, w_state_version) h;
    IF cardinality(k_mac) > 0 THEN
        SELECT c.verdict, c.taken INTO verdict, taken
        FROM append_claims(verdict, k_command, k_version, k_mac, k_stream, k_take) c;
    END IF;
    IF cardinality(fresh) < cardinality(w_stream) THEN
        UPDATE heads h SET version = w.expected + w.n, state = w.state, state_version = w.state_version
        FROM unnest(w_command, w_stream, w_expected, w_count, w_state, w_state_version)
            AS w (command, stream, expected, n, state, state_version)
        WHERE h.stream = w.stream AND w.n > 0 AND w.expected > 0 AND verdict[w.command] = 0;
    END IF;
    INSERT INTO events (stream, version, type, slot, event_id, actor, session_id,
                        command_id, correlation_id, causation_id, key_id, payload)
    SELECT e.stream, e.version, e.type, stream_slot(e.stream), e.id, e.actor, e.session,
           e.command_id, e.correlation, e.causation, e.key, e.payload
    FROM unnest(e_command, e_stream, e_version, e_type, e_id, e_actor, e_session,
                e_command_id, e_correlation, e_causation, e_key, e_payload) WITH ORDINALITY
        AS e (command, stream, version, type, id, actor, session, command_id, correlation, causation, key, payload, n)
    WHERE verdict[e.command] = 0 ORDER BY e.n;
    -- What a command that lost had put in place goes again, and so do names held only as a condition.
    IF verdict <> array_fill(0::smallint, ARRAY[p_commands]) OR 0 = ANY (w_count) THEN
        DELETE FROM heads h USING unnest(w_command, w_stream, w_count) AS w (command, stream, n)
        WHERE h.stream = w.stream AND w.stream = ANY (fresh) AND (w.n = 0 OR verdict[w.command] <> 0);
        DELETE FROM claim_index c
        USING unnest(k_command, k_version, k_mac) WITH ORDINALITY AS k (command, version, mac, n)
        WHERE c.index_version = k.version AND c.mac = k.mac AND k.n = ANY (taken) AND verdict[k.command] <> 0;
        DELETE FROM command_results r USING unnest(i_command, i_key) AS i (command, key)
        WHERE r.key = i.key AND i.key = ANY (written) AND verdict[i.command] <> 0;
    END IF;
    RETURN QUERY SELECT v.verdict, answers[v.n] FROM unnest(verdict) WITH ORDINALITY AS v (verdict, n) ORDER BY v.n;
END $$;
