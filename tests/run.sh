#!/bin/sh
# Installs what the tests need, builds, and runs all tests. The last line is "N passed, N failed".
#
#   tests/run.sh            everything (root on Debian 12, or with the packages of packaging/dependencies.sh there)
#   tests/run.sh --quick    release build only: no sanitizers, shorter random tests
#
# Stages: release build and its tests (unit tests, exhaustive tests, replay of the fuzz corpora), end-to-end tests
# against the release programs, all unit tests under AddressSanitizer and UBSan, those with threads under
# ThreadSanitizer. Each test program, end-to-end check and stage that cannot run counts; a skipped one counts as failed.
set -u
cd "$(dirname "$0")/.."

quick=no
[ "${1:-}" = --quick ] && quick=yes
jobs=$(nproc)
passed=0
failed=0
begun=$(date +%s)

say() { printf '\n==== %s (%s s)\n' "$1" "$(($(date +%s) - begun))"; }

finish() {
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# build PRESET [TARGET...]: warnings are errors here.
build() {
  preset=$1
  shift
  say "build: $preset"
  if cmake --preset "$preset" -DMZ_WERROR=ON > "build/$preset.configure.log" 2>&1; then
    [ $# -gt 0 ] && set -- --target "$@"
    cmake --build --preset "$preset" -j "$jobs" "$@" > "build/$preset.build.log" 2>&1 && return 0
    grep -E 'error|FAILED|warning' "build/$preset.build.log" | head -40
    tail -5 "build/$preset.build.log"
  else
    tail -30 "build/$preset.configure.log"
  fi
  echo "the $preset build failed"
  failed=$((failed + 1))
  return 1
}

# unit_tests PRESET [CTEST OPTION...]: counts test programs, and every skipped test inside them as a failure.
unit_tests() {
  preset=$1
  shift
  say "tests: $preset"
  report=$PWD/build/$preset.junit.xml
  rm -f "$report"
  ctest --preset "$preset" -j "$jobs" --timeout 900 --output-junit "$report" "$@" 2>&1 | grep -v '^Test project'
  set -- $(python3 tests/count_junit.py "$report" "build/$preset/Testing/Temporary/LastTest.log")
  passed=$((passed + ${1:-0}))
  failed=$((failed + ${2:-1}))
}

mkdir -p build
if ! packaging/dependencies.sh --install build test > build/dependencies.log 2>&1; then
  tail -20 build/dependencies.log
  failed=1
  finish
fi

build release || finish
unit_tests release

say 'end-to-end tests'
seconds=60
[ $quick = yes ] && seconds=15
rm -f build/e2e.totals
python3 tests/e2e/run.py --bin build/release/bin --seconds $seconds --totals build/e2e.totals
read -r ok bad < build/e2e.totals || { ok=0 bad=1; }
passed=$((passed + ok))
failed=$((failed + bad))

if [ $quick = no ]; then
  build asan && unit_tests asan
  # ThreadSanitizer for what has threads. Test programs and their targets share their names.
  threaded=$(sed -n 's/^ *mz_test(NAME \([a-z0-9_]*\).*/\1/p' tests/server/swap/CMakeLists.txt \
             tests/server/io/CMakeLists.txt tests/server/control/CMakeLists.txt tests/format/stats/CMakeLists.txt)
  # shellcheck disable=SC2086  # a list of words
  build tsan $threaded && unit_tests tsan -R "^($(echo $threaded | tr ' ' '|'))\$"
fi
finish
