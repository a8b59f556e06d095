-- 0007_public_key.sql — a key may hold a public key instead of a secret: its client signs assertions.
ALTER TABLE keys ADD COLUMN public_key TEXT; -- a JWK; NULL: the key has a secret, or is no secret at all

PRAGMA user_version = 7;
