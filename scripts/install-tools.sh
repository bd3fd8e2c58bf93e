#!/usr/bin/env bash
# Installs the outside programs that the tests use and that are not there yet: on
# Debian as root with apt-get; elsewhere it says what is missing, and the tests
# that need it are skipped (with CI=true they fail).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing=()
need() { # need PROGRAM-OR-FILE PACKAGE...
  PATH="$PATH:/usr/lib/postgresql/15/bin" command -v "$1" >/dev/null || [ -f "$1" ] || missing+=("${@:2}")
}
need initdb postgresql-15
need pdftotext poppler-utils
need zbarimg zbar-tools
need qpdf qpdf
need mutool mupdf-tools
need openssl openssl
need certutil libnss3-tools
need javac default-jdk-headless
need /usr/share/java/preflight.jar libpdfbox2-java libactivation-java libjaxb-api-java libbcprov-java
need /usr/share/fonts/truetype/ipamj/ipamjm.ttf fonts-ipamj-mincho
need unzip unzip
need systemd-analyze systemd
need softhsm2-util softhsm2
need chromium chromium
need gcc gcc libc6-dev # the race detector, PKCS#11

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && [ -f /etc/debian_version ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    # One at a time: a single large run has failed half-way before.
    for package in "${missing[@]}"; do
      apt-get install -qy --no-install-recommends "$package"
    done
  else
    echo "Missing for some tests; on Debian: apt-get install --no-install-recommends ${missing[*]}" >&2
  fi
fi

if ! command -v npm >/dev/null; then
  echo "Missing for some tests: Node.js 20.19 or newer, with npm" >&2
  exit 0
fi

# The copy of the lock file in node_modules tells which state is installed.
cd test/outside
if ! cmp -s package-lock.json node_modules/.installed; then
  npm ci
  cp package-lock.json node_modules/.installed
  rm -rf dist
fi
if [ -z "$(find dist -name '*.mjs' -newer bundle.mjs 2>/dev/null)" ]; then
  npm run --silent bundle
fi
