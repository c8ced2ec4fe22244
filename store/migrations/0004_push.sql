-- How often in a row a push service has refused a browser's notifications.
ALTER TABLE push_subscriptions ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
