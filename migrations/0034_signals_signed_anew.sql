-- Which key the signals of a class's epoch are signed with. Another one begins another epoch: what is in the stream has to verify for as
-- long as it is there, and the key it was signed with will not.
ALTER TABLE signal_classes ADD COLUMN kid text COLLATE "C" CHECK (octet_length(kid) <= 128);
