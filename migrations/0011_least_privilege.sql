-- What the serving role never does, it may not do either: whoever gets hold of it must not be able to stop the log, or to
-- make everything sealed unreadable by destroying its keys.

-- Numbering a restored log anew is an operator's decision, taken as the owner.
REVOKE EXECUTE ON FUNCTION resequence FROM minos_app;

-- Keys of the service are only ever added; a signing key's private half is emptied in place; a subject's keys stay.
REVOKE UPDATE, DELETE ON vault.secrets FROM minos_app;
REVOKE DELETE ON vault.signing_secrets FROM minos_app;
REVOKE UPDATE, DELETE ON vault.subject_keys FROM minos_app;

-- On a database made before PostgreSQL 15 anybody may create objects here, in reach of functions that run as the owner.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
