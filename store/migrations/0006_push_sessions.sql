-- Whoever is signed out somewhere, in whatever way, is told nothing there any more. A browser of before is bound to its
-- session when Campfire is opened in it.
ALTER TABLE push_subscriptions ADD COLUMN session_id INTEGER REFERENCES sessions (id) ON DELETE CASCADE;
CREATE INDEX push_subscriptions_by_session ON push_subscriptions (session_id);
