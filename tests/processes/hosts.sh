#!/usr/bin/env bash
# Runs a program on several hosts: network namespaces of this machine that are joined by a switch, with TCP between them.
# usage: hosts.sh HOSTS LINK PROGRAM [ARGUMENTS...]
#   LINK: a queue for what each host sends, in the words of `tc qdisc add`, such as "netem delay 1ms" or
#     "tbf rate 100mbit burst 64kb latency 400ms"; "" for none
#   PROCESSES=1: so many on each host
# Ends with 77, and a reason, where such hosts cannot be made.
set -euo pipefail
hosts=$1 link=$2
shift 2
for tool in ip tc mpirun; do
  if ! command -v "$tool" >/dev/null; then echo "skipped: $tool is missing. On Debian: apt-get install iproute2 openmpi-bin" && exit 77; fi
done
name=xg$$
scratch=$(mktemp -d)
remove() {
  local i
  for i in switch $(seq "$hosts"); do ip netns delete "$name-$i" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap remove EXIT
if ! ip netns add "$name-switch" 2>"$scratch/error"; then
  echo "skipped: no network namespaces: $(cat "$scratch/error")" && exit 77
fi
ip netns exec "$name-switch" ip link add switch type bridge
ip netns exec "$name-switch" ip link set switch up
for i in $(seq "$hosts"); do
  ip netns add "$name-$i"
  ip link add "to-$i" netns "$name-switch" type veth peer name line netns "$name-$i"
  ip netns exec "$name-switch" ip link set "to-$i" master switch up
  ip netns exec "$name-$i" ip address add "10.77.0.$i/24" dev line
  ip netns exec "$name-$i" ip link set line up
  ip netns exec "$name-$i" ip link set lo up
  if [ -n "$link" ]; then
    read -ra words <<<"$link"
    if ! ip netns exec "$name-$i" tc qdisc add dev line root "${words[@]}" 2>"$scratch/error"; then
      echo "skipped: no such links: $(cat "$scratch/error")" && exit 77
    fi
  fi
done
# In place of ssh: an address leads to its namespace, which gets a host name of its own.
cat >"$scratch/agent" <<AGENT
#!/usr/bin/env bash
while [[ \$1 == -* ]]; do shift; done
host=\${1##*.}
shift
exec ip netns exec "$name-\$host" unshare --uts bash -c "hostname host\$host; \$*"
AGENT
chmod +x "$scratch/agent"
list=$(seq -f "10.77.0.%g:${PROCESSES:-1}" -s, "$hosts")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
options=(--host "$list" --mca plm_rsh_agent "$scratch/agent" --mca btl "tcp,self" --mca btl_tcp_if_include 10.77.0.0/24
  --mca oob_tcp_if_include 10.77.0.0/24 --bind-to none --oversubscribe)
ip netns exec "$name-1" unshare --uts bash -c 'hostname host1; exec "$@"' mpirun mpirun "${options[@]}" "$@"
