-- A sign-in decides on more than whose name it is: rules that hold for everybody, and those of the audience it is for. Their heads come
-- with the same question, since each further one costs the hashes of a full machine a turn.

DROP FUNCTION find_holders;

-- As before: each request in order, who holds the first of its candidates that is held, and with that one row for each of its
-- categories, in order. After those one row for each other stream it asks for, in order.
CREATE FUNCTION find_holders(
    p_request integer[], p_versions integer[], p_macs bytea[], c_request integer[], c_category text[], s_request integer[], s_stream text[]
)
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
    ), asked AS (
        SELECT c.request, false AS other, c.n, c.category AS name FROM unnest(c_request, c_category) WITH ORDINALITY AS c (request, category, n)
        UNION ALL
        SELECT s.request, true, s.n, s.stream FROM unnest(s_request, s_stream) WITH ORDINALITY AS s (request, stream, n)
    ), wanted AS (
        SELECT f.request, f.holder, a.other, a.n,
               CASE WHEN a.other THEN a.name ELSE a.name || '-' || coalesce(f.holder, somebody) END AS stream
        FROM found f LEFT JOIN asked a ON a.request = f.request
    )
    SELECT w.request, w.holder, w.stream, h.version, h.state, h.state_version, read_at
    FROM wanted w LEFT JOIN heads h ON h.stream = w.stream ORDER BY w.request, w.other, w.n;
END $$;

REVOKE ALL ON FUNCTION find_holders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_holders TO minos_app;
