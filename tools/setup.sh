#!/bin/sh
# Make .venv with everything that Pilotbench and its tests need. Idempotent; fast when nothing changed.
# With the argument `demo`: without what only the tests need, and without the desktop app where no display is.
set -eu
extent=${1:-all}
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

python=""
for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done

# Debian's Python comes without venv and pip; the package that brings them is installed when allowed.
missing=""
[ -n "$python" ] || missing="python3 python3-venv"
if [ -n "$python" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    missing="$python-venv"
fi
# The tests have a PC/SC daemon of their own with a virtual reader, and pyscard is built here; they
# break networks in namespaces of their own.
if [ "$extent" = all ]; then
    [ -x /usr/sbin/nft ] || missing="$missing nftables"
    { command -v ip && command -v tc; } >/dev/null 2>&1 || missing="$missing iproute2"
    [ -x /usr/sbin/pcscd ] || missing="$missing pcscd"
    [ -e /usr/lib/pcsc/drivers/serial/libifdvpcd.so ] || missing="$missing vsmartcard-vpcd"
    [ -e /usr/include/PCSC/winscard.h ] || missing="$missing libpcsclite-dev"
    command -v swig >/dev/null 2>&1 || missing="$missing swig"
    command -v gcc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
    [ -z "$python" ] || "$python" -c 'import pathlib, sys, sysconfig
sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' || missing="$missing $python-dev"
    [ -n "$python" ] || missing="$missing python3-dev"
    # A time stamp authority for the tests, and a second opinion on signatures.
    command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
    # The viewer page is tested in a real browser, which needs a font, on runs that curl starts.
    command -v curl >/dev/null 2>&1 || missing="$missing curl"
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
fi
# The desktop app; its tests have a screen, keys and an accessibility bus of their own.
desktop=""
if [ "$extent" = all ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    desktop=yes
    for pair in libEGL.so.1:libegl1 libGL.so.1:libgl1 libglib-2.0.so.0:libglib2.0-0 libfontconfig.so.1:libfontconfig1 \
        libxkbcommon.so.0:libxkbcommon0 libdbus-1.so.3:libdbus-1-3 libxcb-cursor.so.0:libxcb-cursor0 \
        libxcb-icccm.so.4:libxcb-icccm4 libxcb-keysyms.so.1:libxcb-keysyms1 libxcb-shape.so.0:libxcb-shape0 \
        libxkbcommon-x11.so.0:libxkbcommon-x11-0; do
        /sbin/ldconfig -p | grep -q "${pair%%:*}" || missing="$missing ${pair##*:}"
    done
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || missing="$missing fonts-dejavu-core"
fi
if [ "$extent" = all ]; then
    command -v Xvfb >/dev/null 2>&1 || missing="$missing xvfb xauth"
    command -v xdotool >/dev/null 2>&1 || missing="$missing xdotool"
    command -v dbus-daemon >/dev/null 2>&1 || missing="$missing dbus"
    [ -x /usr/libexec/at-spi-bus-launcher ] || missing="$missing at-spi2-core"
    [ -e /usr/lib/python3/dist-packages/pyatspi ] || missing="$missing python3-pyatspi gir1.2-atspi-2.0"
    # Pages of reports are looked at as pictures.
    command -v pdftoppm >/dev/null 2>&1 || missing="$missing poppler-utils"
fi
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then as_root=""
    elif sudo -n true 2>/dev/null; then as_root="sudo"
    else say "Debian packages are missing, install them first: $missing"; exit 1
    fi
    say "Installing Debian packages: $missing"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
    # shellcheck disable=SC2086 # a list of packages
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    [ -n "$python" ] || python=python3
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { say "Python 3.11 or newer is needed, this is $("$python" --version)"; exit 1; }
fi

files="requirements.txt pyproject.toml tools/setup.sh"
stamp=.venv/.pilotbench-$extent
if [ -n "$desktop" ]; then files="requirements-desktop.txt $files"; fi
if [ "$extent" = all ]; then files="requirements-pcsc.txt requirements-browser.txt $files"; fi
# shellcheck disable=SC2086 # a list of files
wanted=$(cat $files | cksum)" $(pwd)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x .venv/bin/python ]; then
    exit 0
fi

if ! { [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    say "Making the virtual environment .venv"
    rm -rf .venv
    "$python" -m venv .venv
fi
pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check install "$@"; }
say "Installing the Python packages of requirements.txt"
if [ "$extent" = all ]; then
    say "and of requirements-desktop.txt, requirements-browser.txt and requirements-pcsc.txt"
    # At once: each start of pip takes as long as a small package.
    pip --requirement requirements.txt --requirement requirements-desktop.txt \
        --requirement requirements-browser.txt --requirement requirements-pcsc.txt
else
    pip --requirement requirements.txt
    if [ -n "$desktop" ]; then
        say "Installing the Python packages of requirements-desktop.txt"
        # There are machines without a Qt wheel (Debian 12 on ARM): all but the desktop app works there.
        pip --requirement requirements-desktop.txt ||
            say "There is no desktop app here: its packages can't be installed"
    fi
fi
pip --no-deps --no-build-isolation --editable .
printf '%s' "$wanted" >"$stamp"
