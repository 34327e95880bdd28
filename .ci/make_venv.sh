#!/bin/sh
# Make a virtual environment with pip, from the first Python of 3.11 or later that works.
#     sh .ci/make_venv.sh FOLDER
# Where Python lacks its venv module (Debian and Ubuntu package it apart): virtualenv, or apt-get.
set -eu
folder=$1

for python in "${PYTHON:-python3.11}" python3.12 python3.13 python3.14 python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        break
    fi
    python=
done
if [ -z "$python" ]; then
    echo "Python 3.11 or later is needed and was not found. Install it, or: make PYTHON=/path/to/python" >&2
    exit 1
fi

make_it() {
    "$python" -m venv "$folder" >/dev/null 2>&1 ||
        "$python" -m virtualenv --quiet "$folder" >/dev/null 2>&1
}

echo "Making $folder with $("$python" --version) ..."
make_it && exit 0
rm -rf "$folder"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "This Python cannot make virtual environments; installing python$version-venv with apt-get ..."
    { apt-get install -y -q "python$version-venv" || { apt-get update -q && apt-get install -y -q "python$version-venv"; }; } >/dev/null 2>&1 || true
    make_it && exit 0
    rm -rf "$folder"
fi
echo "This Python cannot make virtual environments. Run: sudo apt-get install python$version-venv" >&2
exit 1
