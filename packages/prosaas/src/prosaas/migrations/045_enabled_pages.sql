-- The pages a business sees, a list of names: ["leads", "calls", "broadcasts", …].
ALTER TABLE business ADD COLUMN enabled_pages jsonb NOT NULL DEFAULT '[]';
