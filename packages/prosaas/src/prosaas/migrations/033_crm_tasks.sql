-- step: crm_tasks_table
CREATE TABLE crm_tasks (
    id           serial PRIMARY KEY,
    business_id  integer NOT NULL REFERENCES business (id) ON DELETE CASCADE,
    lead_id      integer REFERENCES leads (id) ON DELETE CASCADE,
    assigned_to  integer REFERENCES users (id) ON DELETE SET NULL,
    title        varchar(255) NOT NULL,
    description  text,
    priority     varchar(16) NOT NULL DEFAULT 'medium',
    status       varchar(32) NOT NULL DEFAULT 'todo',
    due_date     timestamp,
    completed_at timestamp,
    created_at   timestamp DEFAULT now(),
    updated_at   timestamp DEFAULT now()
);

CREATE INDEX idx_crm_tasks_business_status ON crm_tasks (business_id, status);

CREATE INDEX idx_crm_tasks_assigned_to ON crm_tasks (assigned_to);
