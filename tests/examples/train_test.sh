#!/usr/bin/env bash
# Tests the program examples/train as a user runs it: train_test.sh PROGRAM
set -uo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd "$work" || exit 1
passed=0 failed=0
tiny=(--samples 2000 --epochs 1)
escape=$'\x1b' return=$'\r'

check() { # check WHAT COMMAND…
  local what=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  status %s\n  output: %s\n  errors: %s\n' "$what" "$status" "$output" "$errors"
  fi
}
run() {
  "$program" "$@" >out 2>err </dev/null
  status=$?
  output=$(cat out) errors=$(cat err)
  rm out err
}
exits() { [ "$status" -eq "$1" ]; }
prints() { [[ $output == *"$1"* ]]; }
complains() { [[ $errors == *"$1"* ]]; }
matches() { grep -Eq -- "$1" <<<"$output"; }
refused() { # refused WORDS: before any training, in one line
  [ "$status" -ne 0 ] && [ -z "$output" ] && [[ $errors == "train: "*"$1"* ]] && [ "$(wc -l <<<"$errors")" -eq 1 ]
}
same_without_seconds() { diff <(cut -d, -f1-5 "$1") <(cut -d, -f1-5 "$2"); }
nothing_but() { [ "$(find . -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = "$1" ]; }
well_formed() {
  if command -v xmllint >/dev/null; then
    xmllint --noout "$1"
  elif command -v python3 >/dev/null; then
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$1"
  else
    echo "no xmllint and no python3: $1 is not parsed"
  fi
}

run --help
check "--help" exits 0
check "--help has an example" matches '^ +train .*--optimizer'
check "--help goes to the standard output" [ -z "$errors" ]

run "${tiny[@]}" --csv run.csv --plot run.svg --report run.html
check "a tiny training" exits 0
check "it says what it trains" prints "digits: 2,000 train, 2,000 test, 10 classes of images (1, 28, 28); 784-128-10, 101,770 parameters;"
check "the table has Adam" matches '^adam +0\.001 +1 +[0-9.]+ +[0-9.]+ % [ *] +[0-9.]+ +795 KiB$'
check "the table has Adamax" matches '^adamax +0\.002 +1 +[0-9.]+ +[0-9.]+ % [ *] +[0-9.]+ +795 KiB$'
check "one is the best" [ "$(grep -c '% \*' <<<"$output")" -eq 1 ]
check "the star is explained" prints "* the best test accuracy"
check "three confusions a run" \
  [ "$(grep -cE '^adam(ax)?: ([0-9] read as [0-9]: [0-9]+ times(, |$)){3}' <<<"$output")" -eq 2 ]
check "the paths are printed" [ "$(grep -cE '^(plot: run.svg|csv: run.csv|report: run.html)$' <<<"$output")" -eq 3 ]
check "a line an epoch" [ "$(grep -cE '^adam(ax)?  epoch 1/1  loss .* s so far$' <<<"$errors")" -eq 2 ]
check "the plot and the page name the data, not where they are" \
  [ "$(grep -c "$PWD" run.svg run.html | grep -c ':0$')" -eq 2 ]
check "no escape codes in a pipe" [ "${output//[$escape$return]/}${errors//[$escape$return]/}" = "$output$errors" ]
check "the plot is well formed" well_formed run.svg
check "the report is well formed" well_formed run.html
check "the report has mistakes of both" [ "$(grep -c '<figure>' run.html)" -eq 48 ]
check "the report is small" [ "$(wc -c <run.html)" -lt 200000 ]
check "the CSV has a row a point" [ "$(wc -l <run.csv)" -eq 65 ]
check "the CSV has its head" [ "$(head -n 1 run.csv)" = optimizer,epoch,step,train_loss,test_accuracy,seconds ]
check "an accuracy at each end of an epoch" [ "$(grep -cE '^adam(ax)?,1,32,[0-9.]+,0\.[0-9]+,[0-9.]+$' run.csv)" -eq 2 ]
check "nothing else is left" nothing_but "run.csv run.html run.svg "

run "${tiny[@]}" --csv again.csv --threads 1
check "the same numbers again, with one thread" same_without_seconds run.csv again.csv
run "${tiny[@]}" --csv again.csv --optimizer adamax
check "an optimizer's numbers do not depend on the others" same_without_seconds again.csv <(grep -v '^adam,' run.csv)
run "${tiny[@]}" --csv again.csv --seed 2
check "another seed gives other numbers" [ "$(cut -d, -f4 run.csv)" != "$(cut -d, -f4 again.csv)" ]

run "${tiny[@]}" --csv again.csv --validation 0.25 --schedule cosine --optimizer adam
check "validation and a schedule" prints "1,500 train, 500 validation, 2,000 test, 10 classes"
check "validation is a column" matches '^adam .*  [0-9.]+ %  +[0-9.]+ %  '
check "and one of the CSV" [ "$(grep -cE '^adam,1,24,[0-9.]+,0\.[0-9]+,[0-9.]+,0\.[0-9]+$' again.csv)" -eq 1 ]

run "${tiny[@]}" --model lenet --optimizer sgd --csv again.csv
check "LeNet" prints "2,000 train, 2,000 test, 10 classes of images (1, 28, 28); lenet, 61,706 parameters;"
check "LeNet is trained" exits 0
run --samples 256 --epochs 1 --model cnn --augment --optimizer adam --report again.html
check "the convolutional network, augmented" prints "cnn, "
check "it is trained" matches '^adam .* [0-9.]+ %'
check "its report is well formed" well_formed again.html
rm again.html

# A trained network, saved, says what it sees in pictures.
run "${tiny[@]}" --save best.net
check "the better of two networks is saved" matches '^save: best.net \((adam|adamax)\)$'
{ printf 'P5 28 28 255\n' && head -c 784 /dev/zero; } >black.pgm
{ printf 'P6 20 30 255\n' && head -c 1800 /dev/zero | tr '\0' '\377'; } >white.ppm
run --checkpoint best.net --classify black.pgm white.ppm
check "pictures of any size and colour are classified" exits 0
check "each has a class, its probability and three more" \
  [ "$(grep -cE '^(black.pgm|white.ppm)  +[0-9]  +[0-9.]+ %  ([0-9] [0-9.]+ %(, |$)){3}$' <<<"$output")" -eq 2 ]
run --checkpoint best.net --classify black.pgm --json
check "the same in JSON" matches '"probability": 0\.[0-9]+'
run --checkpoint best.net --classify missing.png black.pgm
check "a picture that is not there is named" complains "missing.png"
check "the others are classified" prints "black.pgm"
check "and the status tells" exits 1
run "${tiny[@]}" --optimizer sf-adamw --model lenet --checkpoint run.ckpt --save run.net
check "a checkpoint and a network" exits 0
run --checkpoint run.ckpt --classify black.pgm
before=$output
run --checkpoint run.net --classify black.pgm
check "a checkpoint has the weights to evaluate with, too" [ "$output" = "$before" ]
run --checkpoint best.net --optimizer adam --resume "${tiny[@]}"
check "a network is not a training" complains "holds a network, and no training"
rm -f best.net black.pgm white.ppm run.ckpt run.net

# Refusals: the arguments, and after the colon what the message says.
while IFS=: read -r arguments words; do
  read -ra list <<<"$arguments"
  run "${list[@]}"
  check "$arguments" refused "$words"
done <<'CASES'
--optimiser adam:did you mean --optimizer?
--optimizer adamx:did you mean adamax?
--optimizer adam,adam:comes twice
--lr 1e-3x:'1e-3x' is not a number; did you mean 1e-3?
--lr 0:above 0
--lr 1,2,3:3 rates for 2 optimizers
--epochs -1:from 1 to
--batch-size 0:from 1 to
--samples 10 --batch-size 20:20 is more than the 10 training samples
--threads 0:from 1 to
--plot same --csv ./same:the same file
--validation 1:above 0 and below 1
--samples 2000 --validation 0.0001:is none
--samples 2000 --validation 0.9999:is all
--samples 2000 --validation 0.99 --batch-size 21:21 is more than the 20 training samples
--schedule cosin:did you mean cosine?
--model lenett:did you mean lenet?
--model lenet --hidden 5:--hidden belongs to --model mlp
--report nowhere/page.html:there is no folder
--plot nowhere/plot.svg:there is no folder
--csv .:it is a folder
--data nowhere:nowhere
--classify a.png:--classify needs --checkpoint FILE
--checkpoint a --classify a.png --epochs 2:--epochs is about training
--checkpoint a --classify a.png:a
--json:--json belongs to --classify
--save .:it is a folder
--save same --csv same:the same file
CASES
check "refusals leave nothing behind" nothing_but "again.csv run.csv run.html run.svg "

mkdir small
printf '\0\0\10\3\0\0\0\4\0\0\0\2\0\0\0\2abcdefghijklmnop' | tee small/train-images-idx3-ubyte >small/t10k-images-idx3-ubyte
printf '\0\0\10\1\0\0\0\4\0\1\2\3' | tee small/train-labels-idx1-ubyte >small/t10k-labels-idx1-ubyte
run --data small --hidden 5,none
check "--hidden 5,none" refused "'none' is not a whole number"
run --data small --hidden none --batch-size 3 --epochs 2
check "a folder of one's own, and a linear model" prints "small: 4 train, 4 test, 10 classes of images (1, 2, 2); 4-10, 50 parameters;"
check "it is trained" exits 0
run --data small --model lenet --batch-size 2
check "images too small for LeNet" refused "lenet needs images of at least 12 x 12 pixels, got 2 x 2"
mkdir -p pictures/cat pictures/dog
for i in 1 2 3 4 5; do
  printf 'P5 2 2 255\nabcd' >pictures/cat/$i.pgm
  printf 'P5 2 2 255\nzyxw' >pictures/dog/$i.pgm
done
run --data pictures --hidden none --batch-size 2 --epochs 1 --optimizer adam
check "a folder of pictures" prints "pictures: 8 train, 2 test, 2 classes of images (1, 2, 2); 4-2, 10 parameters;"
run --data pictures --hidden none --batch-size 2 --epochs 1 --optimizer adam --picture-size 3
check "a folder of pictures, scaled" prints "2 classes of images (1, 3, 3); 9-2, 20 parameters;"
rm -r pictures
# A table: the class is a column of categories or of few whole numbers.
for i in {1..40}; do
  printf '%d,%s,%s,%d,%s\n' $((i % 7)) "$([ $((i % 5)) -eq 0 ] && echo NA || echo "$((i % 4)).5")" \
    "$([ $((i % 2)) -eq 0 ] && echo red || echo blue)" $((i % 3 - 1)) "$([ $((i % 2)) -eq 0 ] && echo yes || echo no)"
done >rows
{ echo size,weight,colour,sign,answer && cat rows; } >table.csv
run --data table.csv --epochs 20 --batch-size 8 --optimizer adam --lr 0.01 --csv again.csv --report again.html
check "a table" prints "table.csv: 32 train, 8 test, 2 classes of 'answer', 5 features of 4 columns (3 of numbers, 1 of categories), 8 cells missing; 5-128-2, 1,026 parameters;"
check "its classes are learned" matches '^adam +0\.01 +20 +[0-9.]+ +100\.00 %'
check "its report has no pictures" [ "$(grep -c '<img\|Surest' again.html)" -eq 0 ]
check "and is well formed" well_formed again.html
cp again.csv first.csv
run --data table.csv --epochs 20 --batch-size 8 --optimizer adam --lr 0.01 --csv again.csv --threads 1
check "a table gives the same numbers again, with one thread" same_without_seconds first.csv again.csv
on_sign=(--data table.csv --label sign --hidden none --batch-size 8 --optimizer adam --validation 0.25 --checkpoint table.ckpt)
run "${on_sign[@]}" --epochs 1
check "a label by name, of numbers, and validation" prints "table.csv: 24 train, 8 validation, 8 test, 3 classes of 'sign', 6 features of 4 columns (2 of numbers, 2 of categories), 8 cells missing; 6-3, 21 parameters;"
run "${on_sign[@]}" --epochs 2 --resume --csv again.csv
check "a training on a table resumes" exits 0
rm table.ckpt
run "${on_sign[@]}" --epochs 2 --csv first.csv
check "to the numbers of one that did not stop" [ "$(tail -n 1 first.csv | cut -d, -f2-5,7)" = "$(tail -n 1 again.csv | cut -d, -f2-5,7)" ]
run --checkpoint table.ckpt --classify a.png
check "--classify of a table's network" refused "table.ckpt: its network is of a table, and sees no pictures"
{ echo a,b && printf '%s,1\n' {1..9}; } >same.csv
{ echo a,b && printf '%s,%s.5\n' {1..9}{,}; } >numbers.csv
{ echo a,b && printf '%s,%s\n' {1..101}{,}; } >many.csv
{ echo a && printf '%s\n' yes no yes no yes no; } >alone.csv
{ echo a,b,c && printf '1,,%s\n' yes no yes no yes no; } >hollow.csv
{ echo a,b && printf '1,yes\n2,no\n3,NA\n'; } >unknown.csv
while IFS=: read -r arguments words; do
  read -ra list <<<"$arguments"
  run "${list[@]}"
  check "$arguments" refused "$words"
done <<'CASES'
--data none.csv:no such file
--data table.csv --label colur:there is no column 'colur'; there are size, weight, colour, sign, answer
--data table.csv --label weight:'weight' is missing
--data numbers.csv:'b' holds 9 different numbers, such as 1.5, and no classes; examples/table learns to predict a number
--data many.csv:'b' holds 101 different numbers, such as 1, and no classes
--data same.csv:'b' is the same in every row
--data alone.csv:no column besides 'a'
--data hollow.csv:the column 'b' has no value
--data unknown.csv:line 4: 'b' is missing
--data rows.csv --label 1:no such file
--data table.csv --model lenet:lenet sees pictures; for a table there is mlp
--data table.csv --augment:--augment distorts pictures
--data table.csv --picture-size 8:--picture-size scales pictures
--data table.csv --test small:--test reads pictures
--data table.csv --save best.net:--save is for --classify
--data table.csv --batch-size 33:33 is more than the 32 training samples
--data small --label a:--label belongs to --data FILE.csv
CASES
seq 1 2000 | sed 's/.*/row &,row &,&/; s/[0-9]*$/yes/; 1~2s/yes$/no/' | { echo a,b,c && cat; } >wide.csv
run --data wide.csv --memory-limit 4
check "a table of too many categories" refused "2000 rows of 4000 features take more memory than --memory-limit; one column alone has 2000 categories"
rm -f ./*table* same.csv numbers.csv many.csv alone.csv hollow.csv unknown.csv wide.csv rows first.csv again.html
run --samples 100 --test small
check "a test set of other images" refused "--test: the images of small are (1, 2, 2)"
run --samples 200 --batch-size 50 --epochs 1 --optimizer adam --test "$work/drawn"
check "a test set that is not there" refused "drawn"
run --data small --samples 5
check "more samples than there are" refused "5 is more than the 4 of small"
printf x >>small/t10k-labels-idx1-ubyte
run --data small
check "a damaged folder" refused small/t10k-labels-idx1-ubyte

run "${tiny[@]}" --optimizer sgd,adam --lr 1e30,1e-3 --csv again.csv
check "a training that diverges" exits 1
check "the error names operation, step and epoch" \
  [ "$(grep -cE "^train: sgd stopped: .*'linear'.* \(step [0-9]+ of 32 in epoch 1\)$" <<<"$errors")" -eq 1 ]
check "its row says so" matches '^sgd .* of 1 +diverged +- '
check "the other one finishes" matches '^adam +0\.001 +1 +[0-9.]+ +[0-9.]+ %'

run "${tiny[@]}" --csv /dev/full
check "a full disk" exits 1
check "it is named" complains "train: csv: cannot write /dev/full: No space left on device"
check "the table comes all the same" matches '^adamax .* %'
echo old >old.csv
(
  trap '' XFSZ
  ulimit -f 1
  run "${tiny[@]}" --csv old.csv
  exits 1 && complains "cannot write old.csv"
)
check "a file that cannot be finished" [ $? -eq 0 ]
check "keeps its old content" [ "$(cat old.csv)" = old ]
check "nothing partial is left" nothing_but "again.csv old.csv run.csv run.html run.svg small "

run "${tiny[@]}" --plot /dev/full --csv again.csv --report again.html
check "a plot that fails" exits 1
check "takes nothing else with it" [ -s again.csv -a -s again.html ]
rm again.html
for reader in "head -n 1" true; do # whose end of the pipe is closed before the table comes, or at once
  rm -f again.csv
  "$program" "${tiny[@]}" --csv again.csv --plot again.svg 2>err | $reader >out
  status=${PIPESTATUS[0]} output=$(cat out) errors=$(cat err)
  check "a reader that goes away ($reader)" exits 1
  check "is an error ($reader)" complains "train: cannot write the output"
  check "and the files are there ($reader)" [ -s again.csv -a -s again.svg ]
  rm again.svg out err
done

# Ctrl-C in the middle: after the second epoch's line there is something to show.
await() { # await COMMAND…: while the program runs, and not for ever
  for ((i = 0; i < 3000; i++)); do
    if "$@" || ! kill -0 "$pid" 2>/dev/null; then return; fi
    sleep 0.02
  done
  kill -KILL "$pid"
}
ready() { [ -s out ] && [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status") & 2)) -ne 0 ]; }
begin() { # begin ARGUMENT…: in the background, until it would notice Ctrl-C
  "$program" "$@" >out 2>err </dev/null &
  pid=$!
  await ready
}
end() {
  wait "$pid"
  status=$? output=$(cat out) errors=$(tail -n 3 err)
  rm out err
}
begin --samples 2000 --epochs 100000 --csv stopped.csv --plot stopped.svg --report stopped.html
await grep -Eq "epoch +2/100000" err
kill -INT "$pid"
end
check "Ctrl-C ends with 130" exits 130
check "it says so" complains "train: interrupted"
check "with a table" matches '^adam +0\.001 +[0-9.]+ of 100000 +[0-9.]+ +[0-9.]+ %'
check "without the optimizer that did not begin" [ "$(grep -c '^adamax' <<<"$output")" -eq 0 ]
check "with a plot" well_formed stopped.svg
check "with a report" well_formed stopped.html
check "with the numbers" [ "$(grep -c '^adam,' stopped.csv)" -ge 2 ]

begin --samples 20000 --batch-size 1 --hidden 1000,1000 --optimizer sgd --csv stopped.csv \
  --report stopped.html
kill -INT "$pid"
end
check "Ctrl-C in the first epoch" exits 130
check "its report says so" grep -q "Stopped before the end" stopped.html
check "does not wait for its end" matches '^sgd +0\.1 +0\.[0-9] of 5 .* - '

for signal in TERM HUP; do # of a scheduler, and of a terminal that is closed
  rm -f stopped.csv
  begin --samples 2000 --epochs 100000 --optimizer adam --csv stopped.csv --checkpoint stopped
  await grep -Eq "epoch +2/100000" err
  kill -"$signal" "$pid"
  end
  check "SIG$signal ends with 128 and its number" exits $((128 + $(kill -l "$signal")))
  check "SIG$signal leaves the table" matches '^adam +0\.001 +[0-9.]+ of 100000 +[0-9.]+ +[0-9.]+ %'
  check "SIG$signal leaves the numbers and a checkpoint" [ -s stopped.csv -a -s stopped ]
  rm stopped
done
(
  trap '' HUP # as nohup does
  begin --samples 2000 --epochs 100000 --optimizer adam
  kill -HUP "$pid"
  sleep 0.3
  kill -0 "$pid" && kill -INT "$pid"
  end
  exits 130
)
check "nohup stays as it is" [ $? -eq 0 ]

mkfifo pipe # without a reader: whoever writes there waits
begin --samples 2000 --epochs 100000 --csv pipe
kill -INT "$pid"
await grep -q interrupted err
sleep 0.2
kill -INT "$pid"
await false
end 2>/dev/null
check "a second Ctrl-C kills" exits 130
rm pipe
check "nothing partial is left" nothing_but "again.csv old.csv run.csv run.html run.svg small stopped.csv stopped.html stopped.svg "

# Checkpoints: stopped in the middle of an epoch, by a signal that can be caught and by one that cannot.
mkdir resume
cd resume || exit 1
saved=(--samples 600 --batch-size 1 --epochs 2 --hidden 300 --optimizer adamax --schedule cosine --augment --checkpoint run)
run "${saved[@]}" --csv whole.csv
check "a training with a checkpoint" exits 0
whole=$output
mv run whole
for signal in INT KILL; do
  begin "${saved[@]}" --checkpoint-every 7
  await [ -s run ]
  kill -"$signal" "$pid"
  end 2>/dev/null
  check "SIG$signal leaves a checkpoint" [ -s run ]
  check "SIG$signal: it is not that of the end" [ "$status" -ne 0 ]
  run "${saved[@]}" --resume --threads 1 --csv resumed.csv
  check "SIG$signal, and it resumes" exits 0
  check "SIG$signal: the same numbers" same_without_seconds whole.csv resumed.csv
  check "SIG$signal: the same confusions" [ "$(tail -n 2 <<<"$output" | head -n 1)" = "$(tail -n 2 <<<"$whole" | head -n 1)" ]
  check "SIG$signal: nothing else is left" nothing_but "resumed.csv run whole whole.csv "
  run "${saved[@]}" --resume --csv again.csv
  check "SIG$signal: resumed at its end, it gives the same again" cmp -s resumed.csv again.csv
  rm again.csv run
done
short=(--samples 640 --optimizer adam --hidden none)
run "${short[@]}" --epochs 3 --csv three.csv
run "${short[@]}" --epochs 2 --checkpoint run
run "${short[@]}" --epochs 3 --checkpoint run --resume --csv resumed.csv
check "more epochs go on" matches '^adam +0\.001 +3 '
check "to the losses of as many at once" \
  [ "$(grep -c "$(tail -n 1 three.csv | cut -d, -f2-3,5)" <(cut -d, -f2-3,5 resumed.csv))" -eq 1 ]
cp run before
while IFS=: read -r arguments words; do
  read -ra list <<<"$arguments"
  run "${short[@]}" --epochs 3 --checkpoint run --resume "${list[@]}"
  check "--resume $arguments" refused "$words"
done <<'CASES'
--batch-size 32:batch-size 64 rather than 32
--seed 2:checksum
--lr 0.1 --schedule linear:lr 0.001 rather than 0.1, schedule constant rather than linear
--validation 0.1:validation 0 rather than 64
--weight-decay 1:weight-decay 0 rather than 1
--beta1 0.8 --beta2 0.9 --clip 1:beta1 default rather than 0.8, beta2 default rather than 0.9, clip none rather than 1
--augment:augment off rather than on
--model lenet:--hidden belongs
CASES
run --samples 640 --optimizer adam --model lenet --epochs 2 --checkpoint run --resume
check "--resume with another model and fewer epochs" \
  refused "the checkpoint was made with model 784-10 rather than lenet, epochs 3 rather than 2"
run --samples 640 --optimizer adamw --hidden none --epochs 3 --checkpoint run --resume
check "--resume with another optimizer" refused "optimizer adam rather than adamw"
run "${short[@]}" --checkpoint run
check "a checkpoint is not written over" refused "run holds a training already; add --resume"
run "${short[@]}" --checkpoint none --resume
check "--resume without a file" refused "there is no file none"
run "${short[@]}" --resume
check "--resume without --checkpoint" refused "--resume needs --checkpoint FILE"
run "${short[@]}" --checkpoint /dev/null
check "--checkpoint to a device" refused "/dev/null: it is not a regular file"
begin --samples 2000 --epochs 100000 --optimizer adam --checkpoint both
await [ -s both ]
"$program" --samples 2000 --epochs 100000 --optimizer adam --checkpoint ./both --resume >out2 2>err2
status=$? output=$(cat out2) errors=$(cat err2)
rm out2 err2
check "the second of two trainings on one checkpoint waits" complains "another program works on ./both; waiting for it"
check "two trainings on one checkpoint" complains "both.lock: another program holds this lock"
check "it is refused then" exits 2
kill -INT "$pid"
end
cp both first
rm both
# Another training that holds the lock, and saves before it ends.
flock both.lock bash -c 'touch locked; until grep -q "waiting for it" err 2>/dev/null; do sleep 0.05; done; cp first both' &
pid=$!
await [ -e locked ]
run "${short[@]}" --checkpoint both
wait
check "what was saved during the wait is not written over" complains "both holds a training already"
rm -f both both.lock first locked
run "${short[@]}" --checkpoint-every 5
check "--checkpoint-every without --checkpoint" refused "--checkpoint-every needs --checkpoint FILE"
run --checkpoint new
check "--checkpoint with two optimizers" refused "choose one --optimizer, not 2"
run "${short[@]}" --checkpoint nowhere/run
check "--checkpoint in no folder" refused "there is no folder"
run "${short[@]}" --checkpoint same --csv same
check "--checkpoint and --csv the same" refused "the same file"
check "refusals change nothing" cmp -s run before
head -c 5000 before >run
run "${short[@]}" --epochs 3 --checkpoint run --resume
check "a truncated checkpoint" refused "run: "
cp before run
(
  trap '' XFSZ
  ulimit -f 1
  run "${short[@]}" --epochs 4 --checkpoint run --resume
  exits 1 && complains "train: no checkpoint was saved: cannot write run: File too large" &&
    matches "^adam +0\.001 +4 "
)
check "a full disk does not end the training, and is told" [ $? -eq 0 ]
check "the checkpoint before stays whole" cmp -s run before
check "and nothing partial" nothing_but "before resumed.csv run three.csv whole whole.csv "
cd ..

if script -qec true /dev/null </dev/null >/dev/null 2>&1; then # on a terminal of its own
  on_terminal() { output=$(TERM=xterm script -qec "$1 '$program' ${tiny[*]}" /dev/null </dev/null) status=$? errors=""; }
  on_terminal ""
  check "a terminal" exits 0
  check "the progress line is drawn in place" prints "$return${escape}[1madam${escape}[0m 1/2  epoch 1/1"
  check "and taken away" prints "$return${escape}[K"
  check "the lines of epochs stay" [ "$(grep -cE "adam(ax)?  epoch 1/1  loss .* s so far" <<<"$output")" -eq 2 ]
  check "the head is broken between words" [ "$(grep -cE '^.{81,}' <(head -n 3 <<<"$output" | grep -v "$escape"))" -eq 0 ]
  check "the best row is green" prints "${escape}[1;32m"
  on_terminal "env NO_COLOR=1"
  check "NO_COLOR: the line is drawn in place" prints "${return}adam 1/2  epoch 1/1"
  check "NO_COLOR: no colours" [ "$(grep -cE "${escape}\[[0-9;]*m" <<<"$output")" -eq 0 ]
else
  echo "no pseudo-terminal: nothing is tried on a terminal"
fi

echo "train_test: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
