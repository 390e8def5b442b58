-- As before, but what only a command that lost leaves behind is looked for only where one lost: a sign-in of who has no second factor
-- holds the name of a stream that is not there as a condition, and ran two statements for claims and keys it did not have.
CREATE OR REPLACE FUNCTION append_commits(
    p_commands integer, p_wait boolean,
    w_command integer[], w_stream text[], w_expected integer[], w_count integer[], w_state bytea[], w_state_version smallint[],
    e_command integer[], e_stream text[], e_version integer[], e_type text[], e_id uuid[], e_actor text[], e_session uuid[],
    e_command_id uuid[], e_correlation uuid[], e_causation uuid[], e_key uuid[], e_payload bytea[],
    k_command integer[], k_version integer[], k_mac bytea[], k_stream text[], k_take boolean[], k_holder uuid[],
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
    few boolean := cardinality(w_stream) <= 8;
    moves boolean := NOT few;
    held boolean := NOT few;
    total bigint;
    apart boolean;
    put bigint;
    lost boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'appends need READ COMMITTED: each statement must see what was committed before its locks';
    END IF;
    -- No stream is there twice, every event put is one that its head counted, and there are as many as were counted: so
    -- whoever may call this can move no head without leaving an event for it in the log.
    SELECT coalesce(sum(greatest(w.n, 0)), 0), count(*) = count(DISTINCT w.stream) INTO total, apart
    FROM unnest(w_count, w_stream) AS w (n, stream);
    IF total <> cardinality(e_stream) OR NOT apart THEN
        RAISE EXCEPTION 'a head moves by its events and not without them' USING ERRCODE = 'check_violation';
    END IF;
    IF cardinality(i_key) > 0 THEN
        SELECT k.verdict, k.written, k.answers INTO verdict, written, answers
        FROM append_keys(verdict, i_command, i_key, i_digest, i_outcome, i_actor) k;
    END IF;
    SELECT h.verdict, h.fresh INTO verdict, fresh
    FROM append_heads(verdict, p_wait, w_command, w_stream, w_expected, w_count, w_state, w_state_version) h;
    IF cardinality(k_mac) > 0 THEN
        IF EXISTS (
            SELECT k.command, k.stream FROM unnest(k_command, k_stream) AS k (command, stream)
            EXCEPT SELECT w.command, w.stream FROM unnest(w_command, w_stream, w_count) AS w (command, stream, n) WHERE w.n > 0
        ) THEN
            RAISE EXCEPTION 'a name moves with an event of its stream and not without one' USING ERRCODE = 'check_violation';
        END IF;
        SELECT c.verdict, c.taken INTO verdict, taken
        FROM append_claims(verdict, k_command, k_version, k_mac, k_stream, k_take, k_holder) c;
    END IF;
    -- A statement that finds nothing costs as much as one that does. Of many, some will; few are worth a look.
    FOR i IN 1 .. CASE WHEN few THEN cardinality(w_stream) ELSE 0 END LOOP
        moves := moves OR w_expected[i] > 0 AND w_count[i] > 0;
        held := held OR w_expected[i] = 0 AND w_count[i] = 0;
    END LOOP;
    IF moves AND cardinality(fresh) < cardinality(w_stream) THEN
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
    JOIN unnest(w_command, w_stream, w_expected, w_count) AS w (command, stream, expected, n)
        ON w.command = e.command AND w.stream = e.stream AND e.version > w.expected AND e.version <= w.expected + w.n
    WHERE verdict[e.command] = 0 ORDER BY e.n;
    GET DIAGNOSTICS put = ROW_COUNT;
    IF put <> total AND put <> (
        SELECT coalesce(sum(greatest(w.n, 0)), 0) FROM unnest(w_command, w_count) AS w (command, n) WHERE verdict[w.command] = 0
    ) THEN
        RAISE EXCEPTION 'a head moves by its events and not without them' USING ERRCODE = 'check_violation';
    END IF;
    lost := verdict <> array_fill(0::smallint, ARRAY[p_commands]);
    -- What a command that lost had put in place goes again, and so do names held only as a condition.
    IF lost OR held AND 0 = ANY (w_count) THEN
        DELETE FROM heads h USING unnest(w_command, w_stream, w_count) AS w (command, stream, n)
        WHERE h.stream = w.stream AND w.stream = ANY (fresh) AND (w.n = 0 OR verdict[w.command] <> 0);
    END IF;
    IF lost THEN
        DELETE FROM claim_index c
        USING unnest(k_command, k_version, k_mac) WITH ORDINALITY AS k (command, version, mac, n)
        WHERE c.index_version = k.version AND c.mac = k.mac AND k.n = ANY (taken) AND verdict[k.command] <> 0;
        DELETE FROM command_results r USING unnest(i_command, i_key) AS i (command, key)
        WHERE r.key = i.key AND i.key = ANY (written) AND verdict[i.command] <> 0;
    END IF;
    RETURN QUERY SELECT v.verdict, answers[v.n] FROM unnest(verdict) WITH ORDINALITY AS v (verdict, n) ORDER BY v.n;
END $$;
