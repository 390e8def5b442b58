-- name: told
-- The longest life of an access token so far, in seconds, and the audiences that hear of roles.
SELECT f.life, ARRAY(SELECT substr(c.class, 7) FROM signal_classes c WHERE c.class LIKE 'roles.%' AND c.told) AS told FROM signal_feed f
