-- What left a history of passwords was told by password events alone, which the serving role can append: one that named the key of a
-- second factor made that factor's key go. A key that an event of the factors names is no password's, whatever else names it.
CREATE OR REPLACE FUNCTION vault.destroy_left_passwords(p_subject text) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM vault.subject_keys k USING heads h
        WHERE k.subject = p_subject AND k.seal_class = 'credential' AND p_subject LIKE 'user-%' AND h.stream = p_subject
            AND octet_length(h.state) > 0 AND position(convert_to(k.key_id::text, 'UTF8') IN h.state) = 0
            AND k.key_id IN (
                SELECT e.key_id FROM events e
                WHERE e.stream = p_subject AND e.type IN ('user.password_set.v1', 'user.password_rehashed.v1'))
            AND k.key_id NOT IN (
                SELECT e.key_id FROM events e
                WHERE e.stream = 'factors-' || substr(p_subject, 6) AND e.key_id IS NOT NULL)
        RETURNING 1
    ) SELECT count(*) FROM gone
$$;
