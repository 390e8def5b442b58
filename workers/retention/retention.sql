-- Names of tables are put in by the caller, made of a partition's number alone.

-- name: take_turn
SELECT pg_try_advisory_lock(hashtextextended('minos retention', 0))

-- name: owns
SELECT pg_has_role(current_user, c.relowner, 'USAGE') FROM pg_class c WHERE c.oid = 'public.events'::regclass

-- name: partitions
WITH here AS (
    SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('public.events', 'append_id')), 1) >> 24 AS last
), tables AS (
    SELECT substr(c.relname, 9)::bigint AS number, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname ~ '^events_p[0-9]{6,}$' AND c.relkind = 'r'
        AND (n.nspname = 'detached' OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent = 'public.events'::regclass))
)
SELECT number, coalesce(pg_total_relation_size(t.oid), 0) AS bytes, t.oid IS NOT NULL AS is_here,
       p.detached_at IS NOT NULL AS is_detached, p.first_position, p.last_position, p.events, p.latest,
       coalesce(p.looked_at > clock_timestamp() - interval '30 days', false) AS looked_lately,
       coalesce(p.pruned, 0) AS pruned, coalesce(p.journals_clean, true) AS journals_clean,
       EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgname = 'sealed') AS is_sealed,
       number < here.last AS is_closed, number > here.last AS is_ahead
FROM tables t FULL JOIN log_partitions p USING (number) CROSS JOIN here
ORDER BY 1

-- name: first_written
SELECT recorded_at FROM {part} ORDER BY append_id LIMIT 1

-- name: close
SELECT close_partition()

-- name: begun
SELECT pg_snapshot_xmax(pg_current_snapshot())::text

-- name: all_ended
SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8

-- name: written
SELECT count(*) AS events, max(recorded_at) AS latest FROM {part}

-- name: stretch
-- The runs, or the parts of runs, that lie in ids from $1 up to, not including, $2.
SELECT min(r.position_start + greatest($1 - r.append_start, 0)) AS first, max(r.position_start + least(r.n, $2 - r.append_start) - 1) AS last,
       coalesce(sum(least(r.append_start + r.n, $2) - greatest(r.append_start, $1)), 0)::bigint AS events
FROM log_runs r
WHERE r.append_start < $2 AND r.append_start + r.n > $1
    AND r.append_start >= coalesce((SELECT max(l.append_start) FROM log_runs l WHERE l.append_start <= $1), 0)

-- name: sequence
SELECT added FROM sequence_step()

-- name: raise_fence
-- Where nothing is written any more, and everything has its position, transaction ids need not be looked at.
UPDATE log_head SET fence = greatest(fence, $1) WHERE only_row

-- name: note_sealed
INSERT INTO log_partitions (number, first_position, last_position, events, latest) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (number) DO NOTHING

-- name: forget_transactions
DROP INDEX CONCURRENTLY IF EXISTS {part}_xid

-- name: freeze
VACUUM (FREEZE, ANALYZE) {part}

-- name: refuse_rows
CREATE OR REPLACE TRIGGER sealed BEFORE INSERT ON {part} FOR EACH ROW EXECUTE FUNCTION refuse_change()

-- name: provable
-- Up to where hashes are in full tiles that a published checkpoint covers.
SELECT least(coalesce((SELECT (max(tile) + 1) * 256 FROM log_tiles WHERE level = 0), 0),
             coalesce((SELECT max(c.size) FROM log_checkpoints c JOIN log_head h ON h.epoch = c.epoch), 0))

-- name: slowest_reader
-- The mailer reads no activity.
SELECT min(position) FROM projection_state WHERE status NOT IN ('building', 'retired')

-- name: worth_a_look
SELECT count(*) FROM {part} WHERE type = ANY ($1::text[]) AND octet_length(payload) > 0

-- name: begin_copy
CREATE TABLE IF NOT EXISTS {copy} (
    LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (append_id),
    CONSTRAINT bounds CHECK (append_id >= {low} AND append_id < {high}),
    CONSTRAINT says_something CHECK (octet_length(payload) >= 2 OR (payload = '' AND type = ANY (ARRAY[{activity}])))
)

-- name: copied
SELECT max(append_id) AS up_to, count(*) AS events FROM {copy}

-- name: next_end
SELECT max(append_id) FROM (SELECT append_id FROM {part} WHERE append_id > $1 ORDER BY append_id LIMIT $2) n

-- name: activity
-- Of ids after $1 up to $2 that were written before $4: the events of kinds $3 that say something, with what followed of kinds $5.
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.append_id, e.stream, e.version, e.type, e.event_id, e.recorded_at,
       e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload,
       (SELECT f.type FROM events f WHERE f.stream = e.stream AND f.version > e.version AND f.type = ANY ($5::text[])
        ORDER BY f.version LIMIT 1) AS following
FROM {part} e
CROSS JOIN LATERAL (
    SELECT l.position_start, l.append_start FROM log_runs l WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r
WHERE e.append_id > $1 AND e.append_id <= $2 AND e.type = ANY ($3::text[]) AND octet_length(e.payload) > 0 AND e.recorded_at < $4
ORDER BY e.append_id

-- name: tiles
SELECT tile, hashes FROM log_tiles WHERE level = 0 AND tile = ANY ($1::bigint[])

-- name: copy
INSERT INTO {copy} (append_id, xid, stream, version, type, slot, event_id, recorded_at, actor, session_id, command_id, correlation_id,
                    causation_id, key_id, payload)
SELECT e.append_id, e.xid, e.stream, e.version, e.type, e.slot, e.event_id, e.recorded_at, e.actor, e.session_id, e.command_id,
       e.correlation_id, e.causation_id, e.key_id, CASE WHEN gone.id IS NULL THEN e.payload ELSE ''::bytea END
FROM {part} e LEFT JOIN unnest($3::bigint[]) AS gone (id) ON gone.id = e.append_id
WHERE e.append_id > $1 AND e.append_id <= $2 ORDER BY e.append_id

-- name: index_copy
CREATE UNIQUE INDEX IF NOT EXISTS {copy_name}_stream ON {copy} (stream, version)

-- name: guard_copy
CREATE OR REPLACE TRIGGER events_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {copy} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()

-- name: freeze_copy
VACUUM (FREEZE, ANALYZE) {copy}

-- name: refuse_rows_in_copy
CREATE OR REPLACE TRIGGER sealed BEFORE INSERT ON {copy} FOR EACH ROW EXECUTE FUNCTION refuse_change()

-- name: differing
-- Rows that are in one table only, or that differ in more than a payload of activity that has gone.
SELECT count(*) FROM {part} a FULL JOIN {copy} b USING (append_id)
WHERE (a.xid, a.stream, a.version, a.type, a.slot, a.event_id, a.recorded_at, a.actor, a.session_id, a.command_id, a.correlation_id,
       a.causation_id, a.key_id)
    IS DISTINCT FROM (b.xid, b.stream, b.version, b.type, b.slot, b.event_id, b.recorded_at, b.actor, b.session_id, b.command_id,
                      b.correlation_id, b.causation_id, b.key_id)
    OR (a.payload IS DISTINCT FROM b.payload AND (b.payload <> '' OR a.type <> ALL ($1::text[])))

-- name: gone
SELECT count(*) FROM {part} a JOIN {copy} b USING (append_id) WHERE a.payload <> '' AND b.payload = ''

-- name: not_for_long
SELECT set_config('lock_timeout', $1, true)

-- name: stop_the_log
LOCK TABLE ONLY events IN ACCESS EXCLUSIVE MODE

-- name: swap
ALTER TABLE events DETACH PARTITION {part};
DROP TABLE {part};
ALTER TABLE {copy} RENAME TO {part_name};
ALTER INDEX {copy}_pkey RENAME TO {part_name}_pkey;
ALTER INDEX {copy}_stream RENAME TO {part_name}_stream;
ALTER TABLE events ATTACH PARTITION {part} FOR VALUES FROM ({low}) TO ({high});
ALTER TABLE {part} DROP CONSTRAINT bounds

-- name: note_pruned
UPDATE log_partitions SET pruned = pruned + $2, journals_clean = false, looked_at = clock_timestamp() WHERE number = $1

-- name: note_look
UPDATE log_partitions SET looked_at = clock_timestamp() WHERE number = $1

-- name: drop_copy
DROP TABLE IF EXISTS {copy}

-- name: rows
SELECT r.position_start + (e.append_id - r.append_start) AS position, e.append_id, e.stream, e.version, e.type, e.event_id, e.recorded_at,
       e.actor, e.session_id, e.command_id, e.correlation_id, e.causation_id, e.key_id, e.payload
FROM {part} e
CROSS JOIN LATERAL (
    SELECT l.position_start, l.append_start FROM log_runs l WHERE l.append_start <= e.append_id ORDER BY l.append_start DESC LIMIT 1
) r
WHERE e.append_id > $1 ORDER BY e.append_id LIMIT $2

-- name: detach
ALTER TABLE events DETACH PARTITION {part};
ALTER TABLE {part} SET SCHEMA detached

-- name: note_detached
UPDATE log_partitions SET detached_at = clock_timestamp() WHERE number = $1

-- name: bound
ALTER TABLE {part} DROP CONSTRAINT IF EXISTS bounds, ADD CONSTRAINT bounds CHECK (append_id >= {low} AND append_id < {high})

-- name: attach
ALTER TABLE {part} SET SCHEMA public;
ALTER TABLE events ATTACH PARTITION public.{part_name} FOR VALUES FROM ({low}) TO ({high});
ALTER TABLE public.{part_name} DROP CONSTRAINT bounds

-- name: note_attached
UPDATE log_partitions SET detached_at = NULL WHERE number = $1
