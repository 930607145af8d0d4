/* A reader of flattened device trees (Devicetree Specification 0.4, chapter 5). Nodes are byte offsets of their
 * FDT_BEGIN_NODE in the structure block; the root is FDT_ROOT and FDT_NONE is no node. Every access is checked against
 * the tree's size, so a broken tree reads as one with nothing in it. */
#ifndef FDT_H
#define FDT_H

#include "types.h"

#define FDT_ROOT 0
#define FDT_NONE (-1)

/* Takes the tree at this address; false if there is none. */
bool fdt_open(const void *tree);

/* Bytes of the whole tree. */
u32 fdt_size(void);

/* The node after this one in the order of the file, children first, or FDT_NONE. */
int fdt_next(int node);

/* The node that holds this one; FDT_NONE for the root. */
int fdt_parent(int node);

/* A node's name with its unit address; "" for the root. */
const char *fdt_name(int node);

/* A property's bytes and their count, or null. */
const void *fdt_property(int node, const char *name, u32 *length);

/* A property's text, null unless it ends in a zero byte. */
const char *fdt_text(int node, const char *name);

/* A property's cell, or the fallback where it is too short. */
u32 fdt_cell(int node, const char *name, u32 index, u32 fallback);

/* The node with this path, or alias, or alias and rest; unit addresses may be left out. Options after ':' are ignored. */
int fdt_find(const char *path);

/* The first node after `from` (FDT_NONE: from the root) whose compatible list has this string. */
int fdt_compatible(int from, const char *compatible);

/* Whether the node's compatible list has this string. */
bool fdt_is(int node, const char *compatible);

/* The node with this phandle. */
int fdt_phandle(u32 phandle);

/* The node's range number `index` in `reg` as physical addresses, translated by the ranges of all its parents. */
bool fdt_reg(int node, u32 index, u64 *base, u64 *size);

/* The interrupt parent that a node has itself or from the nodes around it. */
int fdt_interrupt_parent(int node);

#endif
