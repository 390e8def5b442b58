-- A slot is reckoned in the statement that asks for it. `convert_to` is only stable, and so this function, which is immutable, could not be put
-- in the place of its call: PostgreSQL parsed and planned it in each append, and called it for each event. The result is the same: read as
-- bytea, a text is its UTF-8 but for backslashes, which are doubled before.
CREATE OR REPLACE FUNCTION stream_slot(stream text) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (get_byte(sha256(replace(stream, '\', '\\')::bytea), 0) & 63)::smallint;
