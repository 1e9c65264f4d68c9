#!/bin/sh
# The Debian 12 packages that mailzone needs: the one list that every other script and document uses.
#
#   packaging/dependencies.sh build            prints the packages for building and installing
#   packaging/dependencies.sh build test       and those that only the tests need; bench: and the benchmarks
#   packaging/dependencies.sh --install build  installs what is missing (root)
set -eu

build='
  g++ cmake ninja-build pkg-config
  liburing-dev libxxhash-dev libabsl-dev libzstd-dev zlib1g-dev
  libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libcurl4-openssl-dev libssl-dev libidn2-dev libunbound-dev libsqlite3-dev
  libgtest-dev libgmock-dev'

# rbldnsd is the program whose answers are compared, nsd the authority of the internet in a box, unbound the resolver in front,
# dig the client of the quickstart. The mail programs judge and receive what `mailzone healthcheck send` writes.
test='rbldnsd nsd unbound bind9-dnsutils python3 iproute2
  python3-spf libmail-spf-perl
  python3-dkim python3-dnspython python3-nacl openssl opendkim opendmarc rspamd postfix'

quickstart='bind9-dnsutils'

# The peers of bench/compare and the microbenchmarks' library.
bench='rbldnsd nsd knot dnsperf python3 libbenchmark-dev'

install=no
wanted=
for word in "$@"; do
  case $word in
    --install) install=yes ;;
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    quickstart) wanted="$wanted $quickstart" ;;
    bench) wanted="$wanted $bench" ;;
    *) echo "usage: $0 [--install] build|test|quickstart|bench ..." >&2; exit 2 ;;
  esac
done

if [ $install = no ]; then
  for package in $wanted; do echo "$package"; done
  exit 0
fi

missing=
for package in $wanted; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || status=
  [ "$status" = 'install ok installed' ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
  exit 0
fi
if [ "$(id -u)" != 0 ]; then
  echo "These packages are missing; install them as root:" >&2
  echo "  apt-get install$missing" >&2
  exit 1
fi

# Installing a DNS server must not start one: Debian's own switch for that is a policy-rc.d that says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
# shellcheck disable=SC2086  # a list of words
apt-get -q install -y --no-install-recommends $missing
