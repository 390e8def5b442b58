-- A name leads to who holds it without a look at the claim's stream: a sign-in asked for the claim first, and only then knew whose
-- heads to ask for. On a machine full of hashes each question costs the hashes a turn too.

ALTER TABLE claim_index ADD COLUMN holder uuid;
UPDATE claim_index c SET holder = (convert_from(e.payload, 'UTF8')::jsonb ->> 'user_id')::uuid
FROM events e WHERE e.stream = c.stream AND e.version = 1;
ALTER TABLE claim_index ALTER COLUMN holder SET NOT NULL;
COMMENT ON COLUMN claim_index.holder IS 'Whose name it is: what the first event of the claim''s stream says.';

-- Each request in order: who holds the first of its candidates that is held, and with that one row for each of its categories, in
-- order: the head of the holder's stream of that category. A name nobody holds costs the same, so that the clock does not tell: the
-- rows are then somebody's, always the same one's.
CREATE FUNCTION find_holders(p_request integer[], p_versions integer[], p_macs bytea[], c_request integer[], c_category text[])
RETURNS TABLE (request integer, holder uuid, stream text, version integer, state bytea, state_version smallint, at timestamptz)
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, public, pg_temp
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
DECLARE
    read_at timestamptz := clock_timestamp();
    somebody uuid;
BEGIN
    SELECT c.holder INTO somebody FROM claim_index c ORDER BY c.index_version, c.mac LIMIT 1;
    somebody := coalesce(somebody, '00000000-0000-0000-0000-000000000000');
    RETURN QUERY
    WITH found AS (
        SELECT DISTINCT ON (k.request) k.request, i.holder
        FROM unnest(p_request, p_versions, p_macs) WITH ORDINALITY AS k (request, version, mac, n)
        LEFT JOIN claim_index i ON i.index_version = k.version AND i.mac = k.mac
        ORDER BY k.request, i.holder IS NULL, k.n
    ), wanted AS (
        SELECT f.request, f.holder, c.n, c.category || '-' || coalesce(f.holder, somebody) AS stream
        FROM found f LEFT JOIN unnest(c_request, c_category) WITH ORDINALITY AS c (request, category, n) ON c.request = f.request
    )
    SELECT w.request, w.holder, w.stream, h.version, h.state, h.state_version, read_at
    FROM wanted w LEFT JOIN heads h ON h.stream = w.stream ORDER BY w.request, w.n;
END $$;

REVOKE ALL ON FUNCTION find_holders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_holders TO minos_app;
DROP FUNCTION find_claims;

DROP FUNCTION append_commits;
DROP FUNCTION append_claims;

-- Take names that are free, already ours, or given up by the same command. `taken` numbers the rows inserted here.
-- A row moves or goes only with an event in the stream that owns it, so that stream's head guards it.
CREATE FUNCTION append_claims(
    INOUT verdict smallint[], k_command integer[], k_version integer[], k_mac bytea[], k_stream text[], k_take boolean[],
    k_holder uuid[],
    OUT taken bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    failed record;
BEGIN
    WITH wanted AS (
        SELECT k.* FROM unnest(k_command, k_version, k_mac, k_stream, k_take, k_holder)
            WITH ORDINALITY AS k (command, version, mac, stream, take, holder, n)
        WHERE k.take AND verdict[k.command] = 0
    ), put AS (
        INSERT INTO claim_index (index_version, mac, stream, holder)
        SELECT w.version, w.mac, w.stream, w.holder FROM wanted w ORDER BY w.version, w.mac
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
    UPDATE claim_index c SET stream = k.stream, holder = k.holder
    FROM unnest(k_command, k_version, k_mac, k_stream, k_take, k_holder) AS k (command, version, mac, stream, take, holder)
    WHERE k.take AND verdict[k.command] = 0 AND c.index_version = k.version AND c.mac = k.mac AND c.stream <> k.stream;
    DELETE FROM claim_index c
    USING unnest(k_command, k_version, k_mac, k_stream, k_take) AS k (command, version, mac, stream, take)
    WHERE NOT k.take AND verdict[k.command] = 0 AND c.index_version = k.version AND c.mac = k.mac AND c.stream = k.stream;
END $$;

-- As before, with holders, and with no head moved past the log.
CREATE FUNCTION append_commits(
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
    -- What a command that lost had put in place goes again, and so do names held only as a condition.
    IF verdict <> array_fill(0::smallint, ARRAY[p_commands]) OR held AND 0 = ANY (w_count) THEN
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

REVOKE ALL ON FUNCTION append_commits, append_claims FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_commits TO minos_app;
