#!/bin/sh
# Formats Kafka's storage where it is new, with the administrator that `gatehouse provision` logs in as; then runs it.
# usage: kafka.sh <folder of kafka.properties> <folder of secrets.js' files>
set -eu
bin=${KAFKA_BIN:-/opt/kafka/bin}
cat "$1/kafka.properties" "$2/security.properties" >/tmp/server.properties
"$bin/kafka-storage.sh" format --ignore-formatted --cluster-id gatehouseCompose000001 --config /tmp/server.properties \
  --add-scram "SCRAM-SHA-512=[name=admin,password=$(cat "$2/password")]"
exec "$bin/kafka-server-start.sh" /tmp/server.properties
