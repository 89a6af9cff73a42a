#!/bin/bash
# Three clouds, one network of routers, two sites that capture events, one that gathers them. See README.md.
# usage: ./run.sh            MULTICLOUD_WITHOUT_NAMESPACES=1 runs it as processes on loopback, as for who is not root
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export PILLARBOX_BINARY=${PILLARBOX_BINARY:-$root/artifacts/bin/Pillarbox.Server/release/pillarbox}
missing=()
command -v kcat >/dev/null || missing+=(kcat)
/usr/bin/python3 -c 'import proton' 2>/dev/null || missing+=(python3-qpid-proton)
[ "$(id -u)" != 0 ] || [ -n "${MULTICLOUD_WITHOUT_NAMESPACES:-}" ] || command -v ip >/dev/null || missing+=(iproute2)
if [ ${#missing[@]} -gt 0 ]; then
    echo "Something is missing. On Debian: apt-get install ${missing[*]}" >&2
    exit 1
fi
[ -x "$PILLARBOX_BINARY" ] || echo "Pillarbox is not built yet: that takes some minutes." >&2
[ -x "$PILLARBOX_BINARY" ] || dotnet build "$root/src/Server" -c Release -v q -nologo
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$here/multicloud.py"
