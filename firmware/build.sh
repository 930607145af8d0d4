#!/bin/bash
# Builds the guests: firmware/NAME/NAME.elf of every folder NAME beside lib, and linux, which has a recipe of its own.
#   build.sh            writes the images into the source folders
#   build.sh DIRECTORY  writes DIRECTORY/NAME/NAME.elf
#   build.sh --check    builds into a temporary directory and compares with the committed images
# Needs powerpc-linux-gnu-gcc and binutils (Debian: gcc-powerpc-linux-gnu). The images are the same byte for byte wherever
# the sources lie: sources are compiled by relative name, paths in debug information are mapped to /hv440/firmware.
set -euo pipefail
export LC_ALL=C SOURCE_DATE_EPOCH=0
source_folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
cc="${FIRMWARE_CC:-powerpc-linux-gnu-gcc}"
command -v "$cc" >/dev/null || {
  echo "firmware/build.sh: no $cc here; on Debian: apt-get install gcc-powerpc-linux-gnu" >&2
  exit 1
}

warnings=(-Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wshadow)
flags=(-std=gnu11 -mcpu=440 -msoft-float -ffreestanding -O2 -g -gno-record-gcc-switches -fno-pic -fno-pie -G0
  -fno-builtin -fno-tree-loop-distribute-patterns -fno-asynchronous-unwind-tables -fno-stack-protector -fno-common
  -mno-string -fno-strict-aliasing -frandom-seed=hv440 -Ilib
  "-ffile-prefix-map=$source_folder=/hv440/firmware" "-fdebug-prefix-map=$source_folder=/hv440/firmware")
compiler_headers="$("$cc" -print-file-name=include)"
flags+=("-fdebug-prefix-map=$compiler_headers=/gcc/include")
linking=(-nostdlib -static -no-pie -T lib/guest.ld
  -Wl,--build-id=none,--no-warn-rwx-segments,-z,noexecstack,-z,max-page-size=4096,--fatal-warnings)

check=no
output="$source_folder"
case "${1:-}" in
  --check) check=yes ;;
  -*) echo "usage: firmware/build.sh [--check | DIRECTORY]" >&2; exit 2 ;;
  ?*) mkdir -p "$1"; output="$(cd "$1" && pwd -P)" ;;
esac

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
[ $check = no ] || output="$work/images"
cd "$source_folder"

# compile FLAGS... SOURCE OBJECT
compile() { "$cc" "${flags[@]}" "${warnings[@]}" -c "${@:1:$#-1}" -o "${@: -1}"; }

status=0
mkdir "$work/lib"
library=()
for source in lib/*.S lib/*.c; do
  compile "$source" "$work/$source.o"
  library+=("$work/$source.o")
done
mkdir "$work/lib/testing"
for source in lib/testing/*.S lib/testing/*.c; do compile "$source" "$work/$source.o"; done
"${cc%gcc}ar" rcsD "$work/testing.a" "$work"/lib/testing/*.o # an archive: only what a guest uses
for folder in */; do
  name="${folder%/}"
  case "$name" in lib | linux) continue ;; esac
  mkdir -p "$work/$name" "$output/$name"
  objects=()
  for source in "$name"/*.S "$name"/*.c; do
    [ -e "$source" ] || continue
    compile "$source" "$work/$source.o"
    objects+=("$work/$source.o")
  done
  [ ${#objects[@]} -gt 0 ] || continue
  "$cc" "${flags[@]}" "${linking[@]}" -o "$output/$name/$name.elf" "${library[@]}" "${objects[@]}" "$work/testing.a" -lgcc
  chmod 644 "$output/$name/$name.elf"
  if [ $check = yes ] && ! cmp "$output/$name/$name.elf" "$name/$name.elf"; then
    echo "firmware/$name/$name.elf is not what its sources build; run 'npm run firmware'" >&2
    status=1
  fi
done
exit $status
