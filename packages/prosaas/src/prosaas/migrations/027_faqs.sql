-- What the AI may answer with, besides the prompt.
-- step: faqs_table
CREATE TABLE faqs (
    id          serial PRIMARY KEY,
    business_id integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    question    varchar(500) NOT NULL,
    answer      text NOT NULL,
    lang        varchar(8) NOT NULL DEFAULT 'he',
    order_index integer DEFAULT 0,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamp DEFAULT now(),
    updated_at  timestamp DEFAULT now()
);

CREATE INDEX idx_faqs_business_active ON faqs (business_id, is_active);
