#!/bin/sh
# From a fresh Debian 12 to answers: installs what the build needs (root), builds, compiles a demo zone, serves it on
# loopback, asks it, swaps in a changed image and asks again.
#
#   packaging/quickstart.sh          ends by itself
#   packaging/quickstart.sh --keep   leaves the server running, and says how to ask and stop it
#
# The demo is what expurgate makes: sender policies of several domains, IPv4 and IPv6, in one `combined` file.
set -eu
cd "$(dirname "$0")/.."

keep=no
[ "${1:-}" = --keep ] && keep=yes

echo '--- 1. packages'
packaging/dependencies.sh --install build quickstart

echo '--- 2. build (build/release/bin)'
cmake --preset release > /dev/null
cmake --build --preset release --target mailzone mailzoned rbldnsd
bin=$PWD/build/release/bin

demo=$(mktemp -d)
server=
finish() {
  if [ -n "$server" ]; then
    kill "$server" 2> /dev/null || true
    wait "$server" 2> /dev/null || true
  fi
  rm -rf "$demo"
}
trap finish EXIT
trap 'exit 1' INT TERM

# Every step is shown as it could be typed.
run() {
  echo "\$ $*" | sed "s|$bin/||g; s|$demo/||g"
  "$@"
}

cp packaging/demo/customers.zone "$demo/customers.zone"
cd "$demo"
zone=_spf.example.net

echo '--- 3. compile'
run "$bin/mailzone" build -o customers.mzi $zone:combined:customers.zone

echo '--- 4. serve'
# A free port: tried until the server stays up.
tries=0
while :; do
  port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 10000))
  "$bin/mailzoned" --image customers.mzi --listen "127.0.0.1:$port" --listen "[::1]:$port" --stats-page demo.stats \
    > server.log 2>&1 &
  server=$!
  up=no
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    kill -0 $server 2> /dev/null || break
    if dig +short +time=1 +tries=1 -p "$port" @127.0.0.1 $zone SOA 2> /dev/null | grep -q hostmaster; then
      up=yes
      break
    fi
    sleep 0.2
  done
  [ $up = yes ] && break
  kill $server 2> /dev/null || true
  tries=$((tries + 1))
  if [ $tries = 5 ]; then
    cat server.log >&2
    exit 1
  fi
done
echo "\$ mailzoned --image customers.mzi --listen 127.0.0.1:$port --listen [::1]:$port --stats-page demo.stats &"
cat server.log

# ask SERVER TYPE NAME EXPECTED: shows the answer; a wrong one ends the quickstart.
ask() {
  echo "\$ dig +short -p $port @$1 $3 $2"
  answer=$(dig +short +time=2 -p "$port" "@$1" "$3" "$2")
  echo "$answer"
  case $answer in
    *"$4"*) ;;
    *) echo "expected: $4" >&2; exit 1 ;;
  esac
}

echo '--- 5. ask: may 198.51.100.7 send for bakery.example? And 203.0.113.99? And IPv6 clients?'
ask 127.0.0.1 TXT 7.100.51.198.bakery.example.$zone 'v=spf1 ip4:198.51.100.7 -all'
ask 127.0.0.1 TXT 99.113.0.203.bakery.example.$zone 'v=spf1 -all'
ask 127.0.0.1 TXT 99.113.0.203.cinema.example.$zone 'v=spf1 ip4:203.0.113.99 ~all'
v6=5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.8.b.d.0.1.0.0.2
ask ::1 TXT $v6.bakery.example.$zone 'v=spf1 ip6:2001:db8:10::25 -all'
ask ::1 TXT $v6.museum.example.$zone 'v=spf1 -all'

echo '--- 6. change: the museum gets a server, 2001:db8:10::25. Compile, swap, ask again'
echo "\$ edit customers.zone"
sed 's/^\$DATASET ip6trie:museum.example .*/&\n:3:v=spf1 ip6:$ -all\n2001:db8:10::25/' customers.zone > customers.new
mv customers.new customers.zone
run "$bin/mailzone" build -o customers.mzi $zone:combined:customers.zone
run "$bin/mailzone" reload --wait --stats-page demo.stats
ask ::1 TXT $v6.museum.example.$zone 'v=spf1 ip6:2001:db8:10::25 -all'
run "$bin/mailzone" status --stats-page demo.stats

if [ $keep = yes ]; then
  trap - EXIT
  echo "--- The server stays up: pid $server, port $port, files in $demo"
  echo "    dig -p $port @127.0.0.1 7.100.51.198.bakery.example.$zone TXT"
  echo "    kill $server && rm -r $demo"
else
  echo '--- done'
fi
