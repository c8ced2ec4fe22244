#!/bin/sh
# Tells a room of a deployment, by curl alone. A message with the same text from the same build is posted once, however
# often the script runs: retry it as you like.
#
#   CAMPFIRE_URL=https://chat.example.com CAMPFIRE_BOT_KEY=7-aBcD… examples/deploy-notice.sh 1 shop v1.4.2
set -eu
room=$1 service=$2 version=$3
url=${CAMPFIRE_URL:-http://localhost:8080}

body=$(printf '{"roomId": "%s", "clientMessageId": "deploy-%s-%s", "html": "Deployed <strong>%s</strong> %s"}' \
  "$room" "$service" "$version" "$service" "$version")

curl -sS --fail-with-body --retry 5 --retry-all-errors "$url/campfire.v1.MessageService/PostMessage" \
  -H "Authorization: Bearer $CAMPFIRE_BOT_KEY" -H 'Content-Type: application/json' -d "$body" >/dev/null
