#!/bin/sh
# Makes the virtual environment from the lock files; does nothing when it is as they say.
#   install_venv.sh DIRECTORY
# Every package is held to its pinned version and digests; where pip fetches from is pip's own
# configuration.
set -eu
venv=$1
python=${PYTHON:-python3}

fail() { echo "$1" >&2; exit 1; }

if [ -z "${CATALOG_VENV_LOCKED:-}" ] && command -v flock >/dev/null; then
    # `make test` may start beside `make up`: one of them does the work.
    mkdir -p .catalog
    CATALOG_VENV_LOCKED=yes exec flock -w 900 .catalog/venv.lock sh "$0" "$@"
fi

wanted=$("$python" -c '
import hashlib, sys
digest = hashlib.sha256(sys.version.encode())
for name in sys.argv[1:]:
    digest.update(open(name, "rb").read())
print(digest.hexdigest())' requirements-build.lock requirements.lock setup.cfg)
if [ "$(cat "$venv/.installed" 2>/dev/null)" = "$wanted" ] && "$venv/bin/python" -c '' 2>/dev/null
then
    exit 0
fi

started=$(date +%s)
echo "venv       Python packages into $venv"
mkdir -p .catalog
log=.catalog/venv.log
rm -f "$venv/.installed"
"$venv/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$venv" > "$log" 2>&1 || {
    tail -n 15 "$log" >&2
    fail "The virtual environment could not be made. Debian, Ubuntu: sudo apt-get install python3-venv"
}
pip() {
    "$venv/bin/python" -m pip "$@" --quiet --disable-pip-version-check >> "$log" 2>&1 || {
        tail -n 15 "$log" >&2
        fail "pip $1 failed (whole output: $log). Check the network, the disk, and pip's settings."
    }
}
: > "$log"
pip install --require-hashes -r requirements-build.lock
# ccm is published as source only; it is built with the pinned setuptools from above.
pip install --require-hashes --no-build-isolation -r requirements.lock
pip install --no-deps --no-build-isolation --editable .
echo "$wanted" > "$venv/.installed"
rm -f "$log"
echo "           done ($(($(date +%s) - started)) s)"
