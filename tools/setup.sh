#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes .venv with everything that `make demo` (no argument) or `make test` (argument: test) needs.
#
# Idempotent: a stamp in .venv names the inputs it was made from; a run that was interrupted goes
# on where pip's cache ends. Writes nothing outside the checkout but apt packages and pip's cache.
# Where ROS 2 is sourced, the environment stands on ROS's own Python and packages, and the
# embedded runtime is not installed.
set -euo pipefail

purpose=${1:-run}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
venv=$root/.venv
torch=2.13.0
torch_index=https://download.pytorch.org/whl/cpu
sdk=unitree_sdk2==1.0.1

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 2; }
case $purpose in run | test) ;; *) die "purpose is '$purpose'; allowed: run, test" ;; esac

choose_python() {
    local candidate
    if [ -n "${G1_IL_PYTHON:-}" ]; then
        candidates=("$G1_IL_PYTHON")
    elif [ -n "${ROS_DISTRO:-}" ]; then
        candidates=(/usr/bin/python3)
    else
        candidates=(python3 python3.12 python3.11 python3.10)
    fi
    for candidate in "${candidates[@]}"; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "found no Python between 3.10 and 3.12 (tried: ${candidates[*]}); install one, or name it in G1_IL_PYTHON"
}

# Debian packages, by the file that each of them is needed for.
missing_packages() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo "python3-venv"
    ldconfig -p | grep -q 'libEGL\.so\.1' || echo libegl1
    ldconfig -p | grep -q 'libGL\.so\.1' || echo libgl1
    ldconfig -p | grep -q 'libusb-1\.0\.so\.0' || echo libusb-1.0-0
    if [ "$purpose" = test ] && [ "$distribution" = debian ]; then
        command -v chromium >/dev/null || echo chromium
    fi
}

install_packages() {
    local missing
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "${missing// /}" ] || return 0
    command -v apt-get >/dev/null ||
        die "needs these Debian packages, or their like, installed by hand (no apt-get here): $missing"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "needs these packages; install them as root: apt-get install $missing"
        as_root=(sudo)
    fi
    say "installing Debian packages: $missing"
    "${as_root[@]}" apt-get update -qq || say "apt-get update failed; going on with the lists at hand"
    # shellcheck disable=SC2086
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
        die "apt-get could not install them; do it by hand: apt-get install $missing"
}

inputs() {
    cat setup.py setup.cfg "$constraints" tools/setup.sh
    [ -z "${ROS_DISTRO:-}" ] && cat embedded/pyproject.toml
    "$python" -VV
    echo "${ROS_DISTRO:-} $root"
}

pip_install() {
    # Without the warnings of build back ends, which are not for the user.
    PYTHONWARNINGS=ignore "$venv/bin/python" -m pip install --quiet --progress-bar on --retries 10 --timeout 60 \
        --disable-pip-version-check "$@"
}

install_torch() {
    "$venv/bin/python" -c "import torch; assert torch.__version__.split('+')[0] == '$torch'" 2>/dev/null && return
    if "$venv/bin/python" -c "import urllib.request as r; r.urlopen('$torch_index/torch/', timeout=5)" 2>/dev/null; then
        say "installing torch $torch from PyTorch's CPU index"
        pip_install --extra-index-url "$torch_index" -c "$constraints" "torch==$torch+cpu"
    else
        say "installing torch $torch from the configured index"
        pip_install -c "$constraints" "torch==$torch"
    fi
}

distribution=$(. /etc/os-release 2>/dev/null && echo "${ID:-unknown}" || echo unknown)
python=$(choose_python)
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ -n "${ROS_DISTRO:-}" ]; then
    constraints=constraints/ros-python$version.txt
    venv_options=(--system-site-packages)
else
    constraints=constraints/python$version.txt
    venv_options=()
fi
[ -f "$constraints" ] || die "has no pinned versions for this Python ($version): $constraints is missing"

install_packages
[ ! -e "$venv" ] || [ -d "$venv" ] || die "$venv is a file; move it away"
set -E
trap 'die "stopped at the step above; mend what it says and run the same command again, which goes on from here"' ERR
stamp=$venv/.made_from_$(inputs | sha256sum | cut -c1-16)
if [ ! -f "$stamp" ]; then
    if ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        say "making $venv on $python"
        "$python" -m venv --clear "${venv_options[@]}" "$venv"
    fi
    rm -f "$venv"/.made_from_*
    # A pip that goes on with a download where it broke off.
    pip_install -c "$constraints" pip setuptools wheel
    install_torch
    say "installing the packages of g1_il (some minutes when they have to be downloaded)"
    if [ -n "${ROS_DISTRO:-}" ]; then
        pip_install -c "$constraints" -e '.[hardware,train,view,test]'
    else
        pip_install -c "$constraints" -e '.[hardware,train,view,test,colcon]' -e embedded
    fi
    # Its metadata pins a cyclonedds that has no wheels for Python 3.11 and later.
    pip_install --no-deps "$sdk"
    touch "$stamp"
fi
if [ "$purpose" = test ]; then
    "$venv/bin/python" tools/fetch_iwer.py
    # Ubuntu's chromium package is a snap, which does not run everywhere: Playwright's own there.
    if ! command -v chromium >/dev/null; then
        PLAYWRIGHT_BROWSERS_PATH=${PLAYWRIGHT_BROWSERS_PATH:-$root/build/browsers} \
            "$venv/bin/python" -m playwright install --with-deps chromium-headless-shell ||
            say "no Chromium could be installed: the browser test will say so"
    fi
fi
say "ready: $venv ($("$venv/bin/python" -V)$([ -n "${ROS_DISTRO:-}" ] && echo ", ROS 2 $ROS_DISTRO" || echo ", embedded ROS runtime"))"
