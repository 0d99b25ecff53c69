#!/bin/sh
# `gatehouse provision` adds users to the list, and Redis writes it: the list lies with the data, begun once.
# usage: redis.sh <folder of secrets.js' files>
set -eu
[ -e users.acl ] || cp "$1/users.acl" users.acl
chmod u+w users.acl
exec redis-server --aclfile "$PWD/users.acl" --appendonly yes --maxmemory 256mb --maxmemory-policy noeviction
