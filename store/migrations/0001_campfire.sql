-- Times are microseconds since 1970, UTC. Tokens are kept as their SHA-256.

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY CHECK (id = 1), -- one account ever, also when two first runs race
  name TEXT NOT NULL,
  join_code TEXT NOT NULL,
  restrict_room_creation INTEGER NOT NULL DEFAULT 0, -- to administrators
  custom_styles TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sort_name TEXT NOT NULL, -- the name without case, which every list of people is ordered by
  email_address TEXT UNIQUE, -- in lower case; NULL for bots
  password_digest TEXT, -- bcrypt; NULL for bots
  bio TEXT NOT NULL DEFAULT '',
  role INTEGER NOT NULL DEFAULT 0 CHECK (role IN (0, 1, 2)), -- member, administrator, bot
  status INTEGER NOT NULL DEFAULT 0 CHECK (status IN (0, 1, 2)), -- active, deactivated, banned
  bot_token_hash BLOB UNIQUE, -- only bots
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX users_by_name ON users (sort_name, id);

CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token_hash BLOB NOT NULL UNIQUE,
  ip_address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  last_active_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE rooms (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('open', 'closed', 'direct')),
  name TEXT NOT NULL, -- empty for direct rooms
  sort_name TEXT NOT NULL,
  creator_id INTEGER NOT NULL REFERENCES users (id),
  member_key TEXT UNIQUE, -- the sorted ids of a direct room's people, as '1,2,7'; NULL for other rooms
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, -- also moved by what happens to its messages
  CHECK ((kind = 'direct') = (member_key IS NOT NULL))
) STRICT;

CREATE TABLE memberships (
  room_id INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  involvement TEXT NOT NULL CHECK (involvement IN ('invisible', 'nothing', 'mentions', 'everything')),
  last_read_message_id INTEGER NOT NULL, -- a message by someone else beyond it makes the room unread
  created_at INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id, room_id);

-- A message's id is the revision it was created at, so ids grow and are never used twice.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  room_id INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
  creator_id INTEGER NOT NULL REFERENCES users (id),
  client_message_id TEXT NOT NULL,
  body_html TEXT NOT NULL,
  body_text TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('text', 'emoji', 'sound')),
  sound TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  edited_at INTEGER,
  revision INTEGER NOT NULL -- of its last change
) STRICT;
CREATE UNIQUE INDEX messages_by_client_id ON messages (room_id, client_message_id);
CREATE INDEX messages_by_room ON messages (room_id, id);
-- Only changed messages: new ones are found by their id, so that a post pays nothing for this.
CREATE INDEX messages_changed ON messages (revision) WHERE revision <> id;

CREATE VIRTUAL TABLE message_search_index USING fts5 (
  body_text, content = 'messages', content_rowid = 'id', tokenize = 'porter unicode61'
);

CREATE TABLE boosts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  booster_id INTEGER NOT NULL REFERENCES users (id),
  content TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX boosts_by_message ON boosts (message_id, id);

-- What a stream that resumes must take away. Kept for 30 days.
CREATE TABLE deletions (
  revision INTEGER PRIMARY KEY,
  room_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- The one counter of changes.
CREATE TABLE revisions (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch TEXT NOT NULL, -- another one after a restore
  latest INTEGER NOT NULL,
  forgotten INTEGER NOT NULL DEFAULT 0 -- the newest deletion that is no longer kept
) STRICT;
INSERT INTO revisions (id, epoch, latest) VALUES (1, lower(hex(randomblob(8))), 0);

CREATE TABLE bans (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  ip_address TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX bans_by_user ON bans (user_id);
CREATE INDEX bans_by_address ON bans (ip_address);

CREATE TABLE push_subscriptions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  p256dh_key TEXT NOT NULL,
  auth_key TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (user_id, endpoint, p256dh_key, auth_key)
) STRICT;
CREATE INDEX push_subscriptions_by_endpoint ON push_subscriptions (endpoint);

CREATE TABLE searches (
  id INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  query TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (user_id, query)
) STRICT;

CREATE TABLE webhooks (
  user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  url TEXT NOT NULL
) STRICT;

-- What the server signs with. Nobody reads them but it.
CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO secrets (name, value) VALUES ('transfer', randomblob(32));
