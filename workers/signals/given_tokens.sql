-- name: audiences
SELECT DISTINCT audience FROM live_service_tokens ORDER BY audience

-- name: alike
SELECT DISTINCT client_id, scope FROM live_service_tokens WHERE audience = $1

-- name: of
SELECT t.token_id, t.client_id, t.scope, t.expires_at
FROM live_service_tokens t JOIN unnest($2::text[], $3::text[]) AS a (client_id, scope) ON a.client_id = t.client_id AND a.scope = t.scope
WHERE t.audience = $1
ORDER BY t.token_id LIMIT $4
