#!/bin/sh
# Installs what the machine lacks, through apt where this user may, else names it.
#   install_packages.sh [python] [java] [maven] [nginx] [wrk] [ip] [go] [node] [chromium]
#                       [sshd] [prometheus]
# Exit status 0: all there; 1: something is missing, and the lines before say what to type.
set -u
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

python_is_there() {
    "${PYTHON:-python3}" -c '
import sys
if sys.version_info < (3, 11):
    sys.exit(1)
import ensurepip, venv' 2>/dev/null
}

java_is_there() {
    for java in "${JAVA_HOME:-/nowhere}/bin/java" "$(command -v java)" /usr/lib/jvm/*17*/bin/java; do
        [ -x "$java" ] && "$java" -version 2>&1 | grep -q 'version "17' && return 0
    done
    return 1
}

packages=
for need in "$@"; do
    case $need in
        python) python_is_there || packages="$packages python3 python3-venv" ;;
        java) java_is_there || packages="$packages openjdk-17-jre-headless" ;;
        maven) command -v mvn >/dev/null || packages="$packages maven" ;;
        nginx) command -v nginx >/dev/null || packages="$packages nginx" ;;
        wrk) command -v wrk >/dev/null || packages="$packages wrk" ;;
        sshd) command -v sshd >/dev/null || packages="$packages openssh-server" ;;
        ip) command -v ip >/dev/null || packages="$packages iproute2" ;;
        go) command -v go >/dev/null || packages="$packages golang-go" ;;
        chromium) command -v chromium >/dev/null || packages="$packages chromium" ;;
        prometheus) command -v promtool >/dev/null || packages="$packages prometheus" ;;
        node) command -v npm >/dev/null || packages="$packages nodejs npm" ;;
        *) echo "install_packages.sh: unknown need $need" >&2; exit 2 ;;
    esac
done
[ -z "$packages" ] && exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root="sudo -n"
    if ! sudo -n true 2>/dev/null; then as_root=none; fi
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null; then
    echo "These are missing, and this user may not install them:$packages" >&2
    echo "Debian 12, Ubuntu 24.04:  sudo apt-get install -y$packages" >&2
    echo "Elsewhere: Python 3.11 or later with venv, Java 17 (a JRE), Maven 3, nginx 1.18 or later;" >&2
    echo "for tests and benchmarks Go 1.19, wrk 4 and iproute2; for tests an OpenSSH server, Chromium" >&2
    echo "(on Ubuntu a snap) and Prometheus 2.42; for benchmarks Node.js 18." >&2
    exit 1
fi

echo "Installing through apt:$packages"
# Debian starts a freshly installed nginx on port 80, an sshd on port 22, a Prometheus on port 9090.
# Ours run from folders of their own, so no service may start now, nor at the next boot.
policy=/usr/sbin/policy-rc.d
own_policy=
if [ ! -e "$policy" ]; then
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy"
fi
undo_policy() { [ -n "$own_policy" ] && $as_root rm -f "$policy"; }
trap 'undo_policy' EXIT
trap 'exit 130' INT TERM

log=$(mktemp)
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"; }
if ! { apt update && apt install -y --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "apt could not install:$packages (whole output: $log)" >&2
    echo "Check the network and the disk, or install them by hand:" >&2
    echo "  sudo apt-get install -y$packages" >&2
    exit 1
fi
rm -f "$log"
# What was installed just now, and only that.
disable() { [ -d /run/systemd/system ] && $as_root systemctl disable --quiet --now "$1" || true; }
case $packages in *nginx*) disable nginx ;; esac
case $packages in *openssh-server*) disable ssh ;; esac
case $packages in *prometheus*) disable prometheus ;; esac
