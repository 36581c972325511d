# Lines "work,side,value,unit" to a table: xgrad's median beside the other side's, and the ratio.

function scaled(value, unit) {
  if (unit != "s") return sprintf("%.1f %s", value, unit)
  if (value >= 0.1) return sprintf("%.3f s", value)
  return value >= 1e-4 ? sprintf("%.2f ms", 1e3 * value) : sprintf("%.2f us", 1e6 * value)
}

# Sorts the n values of a key in place; mawk has no asort.
function sort(key, n,    i, j, value) {
  for (i = 2; i <= n; ++i) {
    value = values[key, i]
    for (j = i - 1; j >= 1 && values[key, j] > value; --j) values[key, j + 1] = values[key, j]
    values[key, j + 1] = value
  }
}

function median(key) { return values[key, int((count[key] + 1) / 2)] }

function cell(key, unit) {
  if (!(key in count)) return ""
  if (count[key] == 1) return scaled(median(key), unit)
  return scaled(median(key), unit) " (" scaled(values[key, 1], unit) " to " scaled(values[key, count[key]], unit) ")"
}

function row(work, ours, other, ratio) { printf "%-42s  %-34s  %-43s  %s\n", work, ours, other, ratio }

{
  side = $2 == "xgrad" ? "xgrad" : "other"
  if (!($1 in unit)) works[++n] = $1
  unit[$1] = $4
  if (side == "other") name[$1] = $2
  key = $1 SUBSEP side
  values[key, ++count[key]] = $3 + 0
}

END {
  row("work", "xgrad", "beside it", "ratio")
  for (i = 1; i <= n; ++i) {
    work = works[i]
    ours = work SUBSEP "xgrad"
    other = work SUBSEP "other"
    sort(ours, count[ours])
    if (!(other in count)) {
      row(work, cell(ours, unit[work]), "", "")
      continue
    }
    sort(other, count[other])
    ratio = median(other) / median(ours)
    row(work, cell(ours, unit[work]), name[work] " " cell(other, unit[work]), sprintf("%.2f x", ratio))
    if (work ~ /^conv2d/) {
      threads = substr(work, length(work))
      logs[threads] += log(ratio)
      if (!(threads in shapes) || ratio < least[threads]) least[threads] = ratio
      ++shapes[threads]
    }
  }
  for (threads = 1; threads <= 2; ++threads)
    if (threads in shapes)
      row("conv2d; mean of " shapes[threads] " shapes; threads: " threads, "", "",
          sprintf("%.2f x, least %.2f x", exp(logs[threads] / shapes[threads]), least[threads]))
}
