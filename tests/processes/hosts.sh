#!/usr/bin/env bash
# Runs a program on several hosts: network namespaces of this machine, with TCP between them.
# usage: hosts.sh HOSTS LINK PROGRAM [ARGUMENTS...]
#   LINK: "MILLISECONDS MEGABITS", how long a packet is under way and how many go through in a second; "" for neither
#   PROCESSES=1: so many on each host
# Ends with 77, and a reason, where such hosts cannot be made.
set -euo pipefail
hosts=$1 link=$2
shift 2
for tool in ip mpirun; do
  if ! command -v "$tool" >/dev/null; then echo "skipped: $tool is missing. On Debian: apt-get install iproute2 openmpi-bin" && exit 77; fi
done
folder=$(realpath "$(dirname "$0")")
name=xg$$ switch=
scratch=$(mktemp -d)
remove() {
  local i
  [ -z "$switch" ] || kill "$switch"
  for i in switch $(seq "$hosts"); do ip netns delete "$name-$i" 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap remove EXIT
bridge() { # the kernel's own switch, which takes no time
  ip netns add "$name-switch" && ip netns exec "$name-switch" ip link add switch type bridge &&
    ip netns exec "$name-switch" ip link set switch up
}
cable() { # cable HOST
  ip link add "to-$1" netns "$name-switch" type veth peer name line netns "$name-$1" &&
    ip netns exec "$name-switch" ip link set "to-$1" master switch up
}
slow_switch() {
  local words
  read -ra words <<<"$link"
  /usr/bin/python3 "$folder/switch.py" "${words[@]}" $(seq -f "$name-%g" "$hosts") >"$scratch/ready" 2>"$scratch/error" &
  switch=$!
  until grep -q ready "$scratch/ready"; do
    kill -0 "$switch" 2>/dev/null || { switch='' && return 1; }
    sleep 0.05
  done
}
slow_cable() { ip link set "$name-$1" netns "$name-$1" name line; }
make() {
  local i of=${link:+slow_}
  if [ -n "$link" ]; then slow_switch || return; else bridge || return; fi
  for i in $(seq "$hosts"); do
    ip netns add "$name-$i" && "${of}cable" "$i" && ip netns exec "$name-$i" ip address add "10.77.0.$i/24" dev line &&
      ip netns exec "$name-$i" ip link set line up && ip netns exec "$name-$i" ip link set lo up || return
  done
}
if ! make 2>>"$scratch/error"; then
  echo "skipped: such hosts cannot be made: $(cat "$scratch/error")" && exit 77
fi
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
