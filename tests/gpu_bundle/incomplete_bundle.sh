# incomplete_bundle.sh GPU_BUNDLE BUILD BUNDLE: that the check of a bundle notices what is missing, also
# where the machine or the build would have it: a library, the data of the tests, programs, scripts.
set -eu
gpu_bundle=$1 build=$2 bundle=$3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar -xzf "$bundle" -C "$folder"
rm "$folder"/lib/libfmt.so.* "$folder/tests/data/cookbook.tsv" "$folder/bin/gpu_times"
for file in bin/gpu_probe bench/suites/gpu.json bench/peers/with_jax.py; do
    rm "$folder/$file"
done
rm -r "$folder/bench/report"
echo 0123456789ab >"$folder/COMMIT"

if "$gpu_bundle" --build "$build" --check "$folder" 2>"$folder/errors"; then
    echo "an incomplete bundle passes its check" >&2
    exit 1
fi
if grep 'absent: .*libmatgrad_cuda' "$folder/errors"; then
    echo "what is there is called absent" >&2
    exit 1
fi
for complaint in "bin/matgrad: libfmt.so.[0-9]* would be .*, not the bundle's" \
    'absent: .*bin/gpu_probe' 'absent: .*bench/suites/gpu.json' 'absent: .*bench/peers/with_jax.py' \
    'absent: .*bench/report' 'bin/matgrad is of commit [0-9a-f]*.*, COMMIT names another' \
    "bin/gpu_road_test: .*cannot open .*cookbook.tsv" "bin/gpu_times: status 127"; do
    grep -q "$complaint" "$folder/errors" || {
        echo "no complaint '$complaint' in:" >&2
        cat "$folder/errors" >&2
        exit 1
    }
done
