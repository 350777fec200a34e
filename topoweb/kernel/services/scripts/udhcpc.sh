# udhcpc calls this with what happened; the lease is in the environment, and comes from strangers.
# The address has the lease's lifetime and the route the protocol "dhcp": learned, never drawn.
set -uf
forget() {
    ip -4 route flush dev "$interface" proto dhcp
    ip -4 address flush dev "$interface" dynamic
}
case ${1:-} in
deconfig)
    forget
    ;;
bound | renew)
    if [ "$1" = bound ]; then forget; fi
    seconds=${lease:-600}
    if [ "$seconds" = 4294967295 ]; then seconds=4294967294; fi # for ever would be as drawn
    ip -4 address replace "$ip/${mask:-24}" dev "$interface" \
        valid_lft "$seconds" preferred_lft "$seconds"
    for hop in ${router:-}; do # a default route that is drawn, or ours already, stays
        ip -4 route add default via "$hop" dev "$interface" proto dhcp 2>/dev/null
        break
    done
    new=/etc/resolv.conf.$$
    {
        if [ -n "${domain:-}" ]; then printf 'search %s\n' "$domain"; fi
        for server in ${dns:-}; do printf 'nameserver %s\n' "$server"; done
    } >"$new"
    mv "$new" /etc/resolv.conf
    echo "leased $ip/${mask:-24} for ${lease:-?} s by ${serverid:-?}"
    ;;
leasefail | nak)
    echo "$1 ${message:-}"
    ;;
esac
