#include "fdt.h"
#include "string.h"

enum { begin_node = 1, end_node = 2, prop = 3, nop = 4, end = 9 };

struct header {
  u32 magic, totalsize, structure, strings, reserved, version, last_compatible, boot_cpu, strings_size, structure_size;
};

static const struct header *header;
static const u8 *structure, *strings;

bool fdt_open(const void *tree) {
  const struct header *found = tree;
  if (((u32)tree & 3) || found->magic != 0xd00dfeed || found->last_compatible > 17 || found->version < 17) return false;
  if (found->structure > found->totalsize || found->structure_size > found->totalsize - found->structure) return false;
  if (found->strings > found->totalsize || found->strings_size > found->totalsize - found->strings) return false;
  header = found;
  structure = (const u8 *)tree + header->structure;
  strings = (const u8 *)tree + header->strings;
  return header->structure_size >= 16;
}

u32 fdt_size(void) { return header ? header->totalsize : 0; }

static u32 word(u32 offset) {
  if (!header || offset + 4 > header->structure_size || offset + 4 < offset) return end;
  return *(const u32 *)(structure + offset);
}

/* The offset after the token at `offset`; its kind goes to *token. */
static u32 step(u32 offset, u32 *token) {
  *token = word(offset);
  u32 next = offset + 4;
  if (*token == begin_node) {
    while (next < header->structure_size && structure[next]) next++;
    next++;
  } else if (*token == prop) {
    u32 length = word(next);
    if (length > header->structure_size) *token = end;
    else next += 8 + length;
  }
  return (next + 3) & ~3u;
}

const char *fdt_name(int node) { return header ? (const char *)structure + node + 4 : ""; }

/* The next node in the file; *depth counts the nodes left and entered on the way. */
static int walk(int node, int *depth) {
  u32 token, offset = step((u32)node, &token);
  for (;;) {
    u32 at = offset;
    offset = step(at, &token);
    if (token == begin_node) return ++*depth, (int)at;
    if (token == end_node) --*depth;
    else if (token != prop && token != nop) return FDT_NONE;
  }
}

int fdt_next(int node) {
  int depth = 0;
  return walk(node, &depth);
}

int fdt_parent(int node) {
  int path[16], level = 0, at = FDT_ROOT;
  path[0] = FDT_ROOT;
  while (at != node) {
    at = walk(at, &level);
    if (at == FDT_NONE || level < 0 || level >= (int)COUNT(path)) return FDT_NONE;
    path[level] = at;
  }
  return level ? path[level - 1] : FDT_NONE;
}

const void *fdt_property(int node, const char *name, u32 *length) {
  if (node == FDT_NONE || !header) return 0;
  u32 token, offset = step((u32)node, &token);
  for (;;) {
    u32 at = offset;
    offset = step(at, &token);
    if (token == nop) continue;
    if (token != prop || offset > header->structure_size) return 0;
    u32 where = word(at + 8);
    if (where >= header->strings_size || strcmp((const char *)strings + where, name) != 0) continue;
    if (length) *length = word(at + 4);
    return structure + at + 12;
  }
}

const char *fdt_text(int node, const char *name) {
  u32 length;
  const char *text = fdt_property(node, name, &length);
  return text && length && text[length - 1] == 0 ? text : 0;
}

u32 fdt_cell(int node, const char *name, u32 index, u32 fallback) {
  u32 length;
  const u32 *cells = fdt_property(node, name, &length);
  return cells && length / 4 > index ? cells[index] : fallback;
}

/* The child of a node whose name is the first `length` characters of `name`, which may lack the unit address. */
static int child(int parent, const char *name, size_t length) {
  int level = 0;
  for (int node = walk(parent, &level); node != FDT_NONE && level > 0; node = walk(node, &level)) {
    const char *have = fdt_name(node);
    if (level == 1 && strncmp(have, name, length) == 0 && (have[length] == 0 || have[length] == '@')) return node;
  }
  return FDT_NONE;
}

static size_t part(const char *path) {
  size_t length = 0;
  while (path[length] && path[length] != '/' && path[length] != ':') length++;
  return length;
}

int fdt_find(const char *path) {
  int node = FDT_ROOT;
  if (*path != '/') {
    char name[32];
    size_t length = part(path);
    if (length >= sizeof name) return FDT_NONE;
    memcpy(name, path, length);
    name[length] = 0;
    const char *target = fdt_text(child(FDT_ROOT, "aliases", 7), name);
    if (!target || *target != '/') return FDT_NONE;
    node = fdt_find(target);
    path += length;
  }
  while (*path == '/' && node != FDT_NONE) {
    size_t length = part(++path);
    if (length) node = child(node, path, length);
    path += length;
  }
  return node;
}

bool fdt_is(int node, const char *compatible) {
  u32 length;
  const char *list = fdt_property(node, "compatible", &length);
  if (!list || !length || list[length - 1]) return false;
  for (const char *at = list; at < list + length; at += strlen(at) + 1)
    if (strcmp(at, compatible) == 0) return true;
  return false;
}

int fdt_compatible(int from, const char *compatible) {
  if (!header) return FDT_NONE;
  for (int node = from == FDT_NONE ? FDT_ROOT : fdt_next(from); node != FDT_NONE; node = fdt_next(node))
    if (fdt_is(node, compatible)) return node;
  return FDT_NONE;
}

int fdt_phandle(u32 phandle) {
  if (!header || !phandle) return FDT_NONE;
  for (int node = FDT_ROOT; node != FDT_NONE; node = fdt_next(node))
    if (fdt_cell(node, "phandle", 0, 0) == phandle || fdt_cell(node, "linux,phandle", 0, 0) == phandle) return node;
  return FDT_NONE;
}

static u64 cells(const u32 *at, u32 count) {
  u64 value = 0;
  while (count--) value = (value << 32) | *at++;
  return value;
}

/* Takes an address on a bus to the bus around it; false where the bus says nothing of it. */
static bool translate(int bus, u64 *address) {
  u32 length, own = fdt_cell(bus, "#address-cells", 0, 2), size = fdt_cell(bus, "#size-cells", 0, 1);
  u32 outer = fdt_cell(fdt_parent(bus), "#address-cells", 0, 2);
  const u32 *entry = fdt_property(bus, "ranges", &length);
  if (!entry) return false;
  if (length == 0) return true;
  if (own > 2 || outer > 2 || size > 2 || own + outer + size == 0) return false;
  for (u32 left = length / 4; left >= own + outer + size; left -= own + outer + size, entry += own + outer + size) {
    u64 base = cells(entry, own), count = cells(entry + own + outer, size);
    if (*address < base || *address - base >= count) continue;
    *address = cells(entry + own, outer) + (*address - base);
    return true;
  }
  return false;
}

bool fdt_reg(int node, u32 index, u64 *base, u64 *size) {
  int bus = fdt_parent(node);
  u32 length, address_cells = fdt_cell(bus, "#address-cells", 0, 2), size_cells = fdt_cell(bus, "#size-cells", 0, 1);
  const u32 *reg = fdt_property(node, "reg", &length);
  if (bus == FDT_NONE || !reg || address_cells > 2 || size_cells > 2) return false;
  if (length / 4 < (index + 1) * (address_cells + size_cells)) return false;
  reg += index * (address_cells + size_cells);
  *base = cells(reg, address_cells);
  *size = cells(reg + address_cells, size_cells);
  for (; bus != FDT_ROOT; bus = fdt_parent(bus))
    if (bus == FDT_NONE || !translate(bus, base)) return false;
  return true;
}

int fdt_interrupt_parent(int node) {
  for (; node != FDT_NONE; node = fdt_parent(node)) {
    u32 phandle = fdt_cell(node, "interrupt-parent", 0, 0);
    if (phandle) return fdt_phandle(phandle);
  }
  return fdt_compatible(FDT_NONE, "ibm,uic");
}
