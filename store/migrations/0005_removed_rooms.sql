-- Deleted rooms of whose messages some may still be there. Nobody is a member of them any more.
CREATE TABLE removed_rooms (
  room_id INTEGER PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE
) STRICT;
