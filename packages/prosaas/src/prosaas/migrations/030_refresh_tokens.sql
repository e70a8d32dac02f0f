-- Only the hash of a token is kept. replaced_by makes a stolen token visible: a token that is used after it was
-- replaced ends its whole family.
-- step: refresh_tokens_table
CREATE TABLE refresh_tokens (
    id          serial PRIMARY KEY,
    user_id     integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash  varchar(64) NOT NULL UNIQUE,
    user_agent  varchar(255),
    expires_at  timestamp NOT NULL,
    revoked_at  timestamp,
    replaced_by integer REFERENCES refresh_tokens (id) ON DELETE SET NULL,
    created_at  timestamp DEFAULT now()
);

CREATE INDEX idx_refresh_tokens_user_id ON refresh_tokens (user_id);
