# Arguments: our files, the interface, the host name. The files are mounted noexec, and udhcpc
# executes its script: so it gets a copy.
set -eu
script=/run/udhcpc-$2
{ echo '#!/bin/sh'; cat "$1/udhcpc.sh"; } >"$script.new"
chmod 755 "$script.new"
mv "$script.new" "$script"
exec /sbin/udhcpc -f -i "$2" -s "$script" -R -t 4 -T 2 -A 3 ${3:+-x "hostname:$3"}
