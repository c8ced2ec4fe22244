-- Search asks for words and rooms in one question: someone in few rooms pays for nobody else's messages. The words of
-- scripts without spaces are taken apart by searchable, which every connection has.
DROP TABLE message_search_index;
CREATE VIEW searchable_messages AS SELECT id, searchable(body_text) AS body_text, room_id FROM messages;
CREATE VIRTUAL TABLE message_search_index USING fts5 (
  body_text, room_id, content = 'searchable_messages', content_rowid = 'id', tokenize = 'porter unicode61'
);
INSERT INTO message_search_index (message_search_index) VALUES ('rebuild');

-- Banned users of whose messages, up to the newest at their ban, some may still be there.
CREATE TABLE removals (
  user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  newest_message_id INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX bans_of_address ON bans (ip_address, user_id);
DROP INDEX bans_by_address;
