#!/bin/bash
# Builds vmlinux.gz, the Linux of the examples, from source packages of Debian 12 and nothing else.
#   build.sh            writes vmlinux.gz beside itself, and vmlinux: the same build with all of its debug information
#   build.sh DIRECTORY  writes both into DIRECTORY
#   build.sh --check    builds into the work folder and compares with the committed image
# Environment: WORK, a folder for sources and objects, about 2 GB, empty or from an earlier run (a new one in /tmp,
# removed at the end); JOBS (the number of processors). README.md says which packages must be installed.
# The image is the same byte for byte wherever and whenever it is built, from the same versions (README.md).
set -euo pipefail
export LC_ALL=C TZ=UTC SOURCE_DATE_EPOCH=1700000000
export KBUILD_BUILD_TIMESTAMP='2023-11-14 22:13:20 UTC' KBUILD_BUILD_USER=hv440 KBUILD_BUILD_HOST=hv440 KBUILD_BUILD_VERSION=1
umask 022
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
cross=powerpc-linux-gnu-
jobs="${JOBS:-$(nproc)}"

# The versions of the committed image. The compiler's package is a build of gcc-12 for this machine.
declare -A versions=([linux-source-6.1]=6.1.192-2 [gcc-12-source]=12.2.0-14+deb12u1 [gcc-12-powerpc-linux-gnu]=12.2.0-13cross1
  [binutils-powerpc-linux-gnu]=2.40-2 [linux-libc-dev-powerpc-cross]=6.1.4-1cross1)
declare -A sources=([musl]=1.2.3-1 [busybox]=1:1.35.0-4+deb12u1)

check=no
output="$here"
case "${1:-}" in
  --check) check=yes ;;
  -*) echo "usage: firmware/linux/build.sh [--check | DIRECTORY]" >&2; exit 2 ;;
  ?*) mkdir -p "$1"; output="$(cd "$1" && pwd -P)" ;;
esac
if [ -n "${WORK:-}" ]; then
  mkdir -p "$WORK"; work="$(cd "$WORK" && pwd -P)"
else
  work="$(mktemp -d)"; trap 'rm -rf "$work"' EXIT
fi
flags=(-mcpu=440 -msoft-float -mlong-double-64 -fno-pie -no-pie "-ffile-prefix-map=$work=/hv440/linux")

say() { echo "firmware/linux: $*" >&2; }

# quietly LOG COMMAND...: show the log's end only where the command fails
quietly() {
  local log="$work/$1.log"; shift
  "$@" >"$log" 2>&1 || { tail -30 "$log" >&2; say "failed: $* (all of it in $log)"; exit 1; }
}

check_versions() {
  local package found
  for package in "${!versions[@]}"; do
    found="$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)"
    [ -n "$found" ] || { say "no package $package here; README.md says what must be installed"; exit 1; }
    [ "$found" = "${versions[$package]}" ] || say "note: $package is $found, not ${versions[$package]}: the image will differ"
  done
}

# The source packages of musl and busybox, from where this system's packages come from, without touching its own lists.
fetch_sources() {
  mkdir -p "$work/src" "$work/apt/lists/partial"
  local apt=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/apt" -o "Dir::State::Lists=$work/apt/lists"
    -o APT::Sandbox::User=root)
  sed 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >"$work/apt/src.sources"
  quietly apt apt-get "${apt[@]}" update
  local package version
  for package in "${!sources[@]}"; do
    [ ! -d "$work/src/$package" ] || continue
    version="${sources[$package]}"
    if ! apt-cache "${apt[@]}" showsrc "$package" | grep -qx "Version: $version"; then
      say "note: $package $version is not offered any more (snapshot.debian.org has it); the image will differ"
      version="$(apt-cache "${apt[@]}" showsrc --only-source "$package" | sed -n 's/^Version: //p' | sort -V | tail -1)"
    fi
    (cd "$work/src" && quietly "source-$package" apt-get "${apt[@]}" source "$package=$version" && mv "$package"-*/ "$package")
  done
}

unpack_sources() {
  if [ ! -d "$work/src/linux" ]; then
    tar xf /usr/src/linux-source-6.1.tar.xz -C "$work/src"
    mv "$work/src/linux-source-6.1" "$work/src/linux"
  fi
  mkdir -p "$work/src/gcc"
  tar xf /usr/src/gcc-12/gcc-12.*.tar.xz -C "$work/src/gcc" --strip-components=1 --wildcards \
    '*/libgcc/soft-fp/*' '*/libgcc/config/rs6000/sfp-machine.h' '*/include/longlong.h'
}

# The C library, static, for a processor without a floating-point unit, and the headers of Linux beside its own.
build_musl() {
  local into="$work/sysroot" part
  [ ! -e "$into/complete" ] || return 0 # an earlier run's
  rm -rf "$work/musl" "$into"; mkdir -p "$work/musl"; cd "$work/musl"
  quietly musl-configure ../src/musl/configure --target=powerpc-linux-gnu "--prefix=$into" --disable-shared \
    CROSS_COMPILE=$cross "CC=${cross}gcc" "CFLAGS=-Os ${flags[*]}"
  quietly musl make "-j$jobs" install
  for part in linux asm asm-generic mtd scsi; do cp -r "/usr/powerpc-linux-gnu/include/$part" "$into/include/"; done
  touch "$into/complete"
}

# Debian's libgcc for powerpc passes floating-point numbers in registers that a 440 has not: these are the same functions in
# software. They come before libgcc when linking; what it has for integers is used.
build_soft_float() {
  local gcc="$work/src/gcc" name from operation
  local functions=(extendsfdf2 truncdfsf2)
  for operation in add sub mul div neg eq ge le unord; do functions+=(${operation}df{2,3} ${operation}sf{2,3}); done
  for from in df sf; do functions+=(fix{,uns}${from}{s,d}i float{,un}{s,d}i${from}); done
  rm -rf "$work/soft-float"; mkdir -p "$work/soft-float"; cd "$work/soft-float"
  cp "$gcc/libgcc/config/rs6000/sfp-machine.h" .
  for name in "${functions[@]}"; do
    [ -e "$gcc/libgcc/soft-fp/$name.c" ] || continue # an operation is a function of two or of three
    ${cross}gcc "${flags[@]}" -Os -I. "-I$gcc/libgcc/soft-fp" "-I$gcc/include" -nostdinc -isystem "$work/sysroot/include" \
      -isystem "$(${cross}gcc -print-file-name=include)" -c "$gcc/libgcc/soft-fp/$name.c" -o "$name.o"
  done
  ${cross}ar rcsD "$work/sysroot/lib/libsoftfloat.a" ./*.o
}

# A compiler for programs with that library: its own start-up files and libraries where it links, gcc's nowhere.
write_compiler() {
  local lib="$work/sysroot/lib"
  cat >"$work/cc" <<END
#!/bin/bash
common=(${flags[*]@Q} -nostdinc -isystem "$work/sysroot/include" -isystem "$(${cross}gcc -print-file-name=include)")
for word; do case "\$word" in -c | -E | -S | -M | -MM | -r | --version) exec ${cross}gcc "\${common[@]}" "\$@" ;; esac; done
exec ${cross}gcc "\${common[@]}" -nostdlib -static -L$lib $lib/crt1.o $lib/crti.o "\$@" \\
  -Wl,--start-group -lc -lsoftfloat -lgcc -Wl,--end-group $lib/crtn.o -Wl,--no-warn-mismatch,--build-id=none
END
  chmod +x "$work/cc"
}

# configured TOOL'S-FOLDER FRAGMENT: every option of the fragment must have been accepted
configured() {
  local line
  while IFS= read -r line; do
    grep -qxF "$line" "$1/.config" || { say "not accepted in $1/.config: $line"; exit 1; }
  done < <(grep '^CONFIG_' "$2" | grep -v '=n$')
}

build_busybox() {
  local into="$work/busybox"
  rm -rf "$into"; mkdir -p "$into"; cd "$into"
  quietly busybox-allno make -C "$work/src/busybox" "O=$into" allnoconfig
  mv .config all-no.config # of two lines about an option the first would count
  awk '{ name = $0; sub(/^# /, "", name); sub(/[ =].*/, "", name) } !(name in seen); /CONFIG_/ { seen[name] = 1 }' \
    <(grep '^CONFIG_' "$here/busybox.config") all-no.config >.config
  quietly busybox-config make oldconfig < <(yes '')
  configured "$into" "$here/busybox.config"
  quietly busybox make "-j$jobs" CROSS_COMPILE=$cross "CC=$work/cc" SKIP_STRIP=n
  if ${cross}objdump -d busybox | grep -qE '\s(lfd|stfd|lfs|stfs|fadd|fmul|fdiv|fsub|fmr|fcmpu|mffs)[s.]?\s'; then
    say "busybox has floating-point instructions"; exit 1
  fi
}

# What the kernel's usr/gen_init_cpio puts into the first file system. Its files' times are those of the sources.
list_files() {
  local name root="$work/root"
  rm -rf "$root"; cp -r "$here/root" "$root"; cp "$work/busybox/busybox" "$root/"
  touch -d "@$SOURCE_DATE_EPOCH" "$root"/*
  {
    for name in dev proc sys mnt bin etc root; do echo "dir /$name 755 0 0"; done
    echo 'dir /tmp 1777 0 0'
    echo 'nod /dev/console 600 0 0 c 5 1'
    echo 'nod /dev/null 666 0 0 c 1 3'
    echo "file /init $root/init 755 0 0"
    for name in inittab profile passwd group; do echo "file /etc/$name $root/$name 644 0 0"; done
    echo "file /bin/busybox $root/busybox 755 0 0"
    sed -n 's/^"\([^"]*\)" "\\0"$/\1/p' "$work/busybox/include/applet_tables.h" | grep -vx busybox |
      while IFS= read -r name; do echo "slink /bin/$name busybox 777 0 0"; done
  } >"$work/files.list"
}

build_kernel() {
  local into="$work/linux"
  mkdir -p "$into"; cd "$into"
  { cat "$here/kernel.config"; echo "CONFIG_INITRAMFS_SOURCE=\"$work/files.list\""; } >"$work/kernel.config"
  export ARCH=powerpc CROSS_COMPILE=$cross
  quietly kernel-config make -C "$work/src/linux" "O=$into" "KCONFIG_ALLCONFIG=$work/kernel.config" allnoconfig
  configured "$into" "$work/kernel.config"
  quietly kernel make "-j$jobs" "KCFLAGS=-fdebug-prefix-map=$work=/hv440/linux" "KAFLAGS=-fdebug-prefix-map=$work=/hv440/linux" vmlinux
}

check_versions
say "sources"; fetch_sources; unpack_sources
say "musl"; build_musl; build_soft_float; write_compiler
say "busybox"; build_busybox; list_files
say "linux"; build_kernel
[ $check = no ] || output="$work"
# The symbol table stays, as faults and debuggers name the kernel's functions by it, and how frames lie on the stack, so that
# GDB's backtraces are whole.
${cross}strip --strip-debug --keep-section=.debug_frame -o "$work/vmlinux.stripped" "$work/linux/vmlinux"
gzip -9nc "$work/vmlinux.stripped" >"$output/vmlinux.gz"
if [ $check = no ]; then cp "$work/linux/vmlinux" "$output/vmlinux"
elif ! cmp "$output/vmlinux.gz" "$here/vmlinux.gz"; then
  say "vmlinux.gz is not what its recipe builds"; exit 1
fi
