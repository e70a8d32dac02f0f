-- A customer signs by a link; only the hash of its token is kept.
ALTER TABLE contracts ADD COLUMN sign_token_hash varchar(64);

ALTER TABLE contracts ADD COLUMN sign_token_expires_at timestamp;

ALTER TABLE contracts ADD COLUMN signed_at timestamp;

ALTER TABLE contracts ADD COLUMN signer_name varchar(255);

ALTER TABLE contracts ADD COLUMN signer_ip varchar(45);

CREATE UNIQUE INDEX uq_contracts_sign_token_hash ON contracts (sign_token_hash);

-- A signature without a time proves nothing.
-- step: contracts_signed_has_time
ALTER TABLE contracts ADD CONSTRAINT chk_contracts_signed CHECK (status <> 'signed' OR signed_at IS NOT NULL);
