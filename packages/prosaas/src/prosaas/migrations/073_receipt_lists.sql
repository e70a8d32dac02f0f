-- The review page shows what waits and is not deleted, newest first.
CREATE INDEX idx_receipts_review ON receipts (business_id, created_at)
    WHERE status = 'pending_review' AND NOT is_deleted;
