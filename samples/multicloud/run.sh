#!/bin/bash
# Three clouds, one network of routers, two sites that capture events, one that gathers them. See README.md.
# usage: ./run.sh            MULTICLOUD_WITHOUT_NAMESPACES=1 runs it as processes on loopback, as for who is not root
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export PILLARBOX_BINARY=${PILLARBOX_BINARY:-$root/artifacts/bin/Pillarbox.Server/release/pillarbox}
[ -x "$PILLARBOX_BINARY" ] || dotnet build "$root/src/Server" -c Release -v q -nologo
export PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$here/multicloud.py"
