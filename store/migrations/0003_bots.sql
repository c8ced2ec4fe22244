-- What signs the deliveries to a webhook, and what became of the last one.
ALTER TABLE webhooks ADD COLUMN secret TEXT NOT NULL DEFAULT '';
ALTER TABLE webhooks ADD COLUMN delivered_at INTEGER; -- NULL before the first
ALTER TABLE webhooks ADD COLUMN delivery_status INTEGER NOT NULL DEFAULT 0; -- of HTTP; 0 for no answer
ALTER TABLE webhooks ADD COLUMN delivery_error TEXT NOT NULL DEFAULT ''; -- empty when it went well
UPDATE webhooks SET secret = 'whsec_' || hex(randomblob(24)); -- base64, as it happens

-- What room keys are made with.
INSERT INTO secrets (name, value) VALUES ('room key', randomblob(32));
