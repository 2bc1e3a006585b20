# A training program that behaves as its first argument says, for so many steps, with a folder of its own.
behaviour=$1 steps=$2 out=$3

update() { printf '{"step": %s, "loss": %s}\n' "$1" "${2:-0.5}"; }
final() { printf '{"step": %s, "split": "val", "loss": 0.25, "accuracy": 0.75}\n' "${1:-$steps}"; }

case $behaviour in
good) echo hello; update 1; update 5; final ;;
repeats) update 3; update 3; final ;;
goes_back) update 3; update 2; final ;;
too_far) update 1; update $((steps + 1)); final ;;
word) update 1; update 2 '"low"'; final ;;
nothing) update 1; update 2 null; final ;;
percent) printf '{"step": %s, "split": "val", "loss": 0.25, "accuracy": 75}\n' "$steps" ;;
not_a_number) update 1; update 4 NaN; sleep 60 ;;
infinite_score) update 1; printf '{"step": 5, "split": "val", "loss": Infinity, "accuracy": 0.5}\n'; sleep 60 ;;
diverges) update 7; exit 86 ;;
no_evaluation) update "$steps" ;;
early_evaluation) final 5; update "$steps" ;;
lacks_a_metric) printf '{"step": %s, "split": "val", "loss": 0.25}\n' "$steps" ;;
fails) update 1; echo "the reason" >&2; exit 3 ;;
is_killed) update 1; kill -9 $$ ;;
long_line) head -c 30000000 /dev/zero | tr '\0' x; echo; final ;;
gigabyte) yes "the same line again and again, until there is a gigabyte of it" | head -c 1000000000; echo; final ;;
endless) yes ;;
silent) update 1; sleep 60 ;;
slow) i=0; while :; do echo $i; i=$((i + 1)); sleep 0.2; done ;;
stubborn) trap '' TERM; echo ready; i=0; while :; do i=$((i + 1)); echo $i; sleep 0.2; done ;;
leaves_a_child) sleep 300 >/dev/null 2>&1 & echo $! >"$out/child"; final ;;
leaves_a_pipe) sleep 300 & echo $! >"$out/child"; final ;;
escapes_with_a_pipe)
    setsid sh -c 'touch "$0/escaped"; sleep 20' "$out" &
    while [ ! -f "$out/escaped" ]; do sleep 0.05; done
    final
    ;;
keeps_at_the_end)
    # Keeps what it has done only when it is asked to end, and says on its way out what it did last.
    done=$(cat "$out/done" 2>/dev/null || echo 0)
    trap 'echo $done >"$out/done"; [ $((done % 10)) = 0 ] && final $done; exit 143' TERM
    echo "from $done"
    while [ "$done" -lt "$steps" ]; do
        sleep 0.02
        done=$((done + 1))
        update $done
        if [ $((done % 10)) = 0 ] && [ "$done" != 50 ]; then final $done; fi
        if [ "$done" = 50 ] && [ ! -f "$out/done" ]; then echo waits; sleep 60 & wait; fi
    done
    ;;
goes_on)
    # Keeps the number of its last update, and goes on from there.
    done=$(cat "$out/done" 2>/dev/null || echo 0)
    echo "from $done"
    while [ "$done" -lt "$steps" ]; do
        done=$((done + 1))
        update $done || exit 1
        if [ $((done % 10)) = 0 ]; then final $done || exit 1; fi
        echo $done >"$out/next" && mv "$out/next" "$out/done"
        sleep 0.02
    done
    ;;
esac
