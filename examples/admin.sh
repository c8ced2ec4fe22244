#!/bin/sh
# Sets up an empty Campfire and everything in it, by grpcurl alone: the account, people, rooms, a bot, a new key for it,
# and a ban. At the end it prints the bot's key.
#
#   CAMPFIRE=localhost:8080 PASSWORD='correct horse' examples/admin.sh
#
# GRPCURL names another grpcurl, as 'go tool -modfile=tools.mod grpcurl'; behind TLS set PLAINTEXT to nothing.
set -eu
campfire=${CAMPFIRE:-localhost:8080}
token=

# call Service/Method '{json}' calls Campfire as whoever has signed in.
call() {
  ${GRPCURL:-grpcurl} ${PLAINTEXT--plaintext} ${token:+-H "Authorization: Bearer $token"} -d "$2" "$campfire" "campfire.v1.$1"
}

# field name prints the first field of that name in an answer.
field() { sed -n "s/^ *\"$1\": \"\([^\"]*\)\".*/\1/p" | head -n 1; }

# The first person is the administrator; their answer holds a token, shown this once.
token=$(call AccountService/SetUp \
  "{\"name\": \"David\", \"email_address\": \"david@example.com\", \"password\": \"$PASSWORD\"}" | field sessionToken)
call AccountService/UpdateAccount '{"name": "Acme"}' >/dev/null

# People join by the code; here on their behalf.
code=$(call AccountService/GetJoinCode '{}' | field joinCode)
join() {
  call SessionService/Join \
    "{\"join_code\": \"$code\", \"name\": \"$1\", \"email_address\": \"$2\", \"password\": \"$PASSWORD\"}" | field id
}
jason=$(join Jason jason@example.com)
mallory=$(join Mallory mallory@example.com)
call UserService/SetUserRole "{\"user_id\": \"$jason\", \"role\": \"USER_ROLE_ADMINISTRATOR\"}" >/dev/null

call RoomService/CreateRoom '{"kind": "ROOM_KIND_OPEN", "name": "Announcements"}' >/dev/null
call RoomService/CreateRoom "{\"kind\": \"ROOM_KIND_CLOSED\", \"name\": \"Board\", \"member_ids\": [\"$jason\"]}" >/dev/null

bot=$(call BotService/CreateBot '{"name": "Deployer"}' | field id)
key=$(call BotService/ResetBotKey "{\"bot_id\": \"$bot\"}" | field botKey)

call UserService/BanUser "{\"user_id\": \"$mallory\"}" >/dev/null
echo "$key"
