#!/usr/bin/env bash
# Whether each example says so, and ends with status 1, where nothing can be printed: full_disk_test.sh FOLDER
set -euo pipefail
folder=$1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work"

refuses() { # refuses PROGRAM OPTIONS…
  local program=$1 status=0
  shift
  [ -x "$folder/$program" ] || return 0
  "$folder/$program" "$@" >/dev/full 2>errors || status=$?
  if [ "$status" -ne 1 ] || ! grep -qx "${program##*/}: cannot write the output" errors; then
    printf '%s %s: exit status %s, expected 1, and on standard error:\n' "$program" "$*" "$status"
    cat errors
    exit 1
  fi
}
refuses adam_by_hand
refuses backprop_by_hand graph.dot
refuses autoencoder sheet.pgm 1
refuses digits_sheet digits.png
refuses fine_tune body.onnx
refuses fit_curve fit.svg
refuses gaussian_process gp.svg
refuses heat_equation heat.svg
refuses lenet 64
refuses lr_range rates.svg 640
refuses read_digits 64 1
refuses residual 64
refuses schedules schedules.svg
refuses table flats.csv rent
refuses train/train --help
refuses train/train --samples 64 --epochs 1 --csv run.csv
[ ! -x "$folder/train/train" ] || [ -s run.csv ] # what was to be written elsewhere is there
refuses lab/lab --help
refuses lab/lab --quick --sections step
echo passed
