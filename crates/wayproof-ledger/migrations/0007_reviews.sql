-- What people decided is looked up among everything else that happened.
CREATE INDEX milestones_reviews ON milestones (seq) WHERE kind = 'review-recorded';
