-- Rows about names that nobody has are a flood's by-product: they go after a day, found without looking at the others.
CREATE INDEX sign_in_attempts_nobody ON sign_in_attempts (at) WHERE user_id IS NULL;
