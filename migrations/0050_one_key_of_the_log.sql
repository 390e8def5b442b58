-- The log has one name and one key, the first: no second row can be put before it, whoever may add the first. The serving role says of no
-- row when it was made.
CREATE UNIQUE INDEX log_keys_one ON vault.log_keys ((true));
REVOKE INSERT ON vault.log_keys FROM minos_app;
GRANT INSERT (name, public, wrapped, kek_id) ON vault.log_keys TO minos_app;
