/* Data that points at data: a binary tree, a list in an order that no cache likes, chains of a hash table. */
#include "bench.h"
#include "machine.h"

struct node {
  struct node *less, *more;
  u32 key, value;
};

struct link {
  struct link *next;
  u32 value;
};

static struct node nodes[2048];
static struct link links[8192];
static struct link entries[1024], *chains[64];
static u32 used;

static __attribute__((noinline)) struct node *find_or_add(struct node **at, u32 key) {
  while (*at) {
    if ((*at)->key == key) return *at;
    at = key < (*at)->key ? &(*at)->less : &(*at)->more;
  }
  *at = &nodes[used++];
  **at = (struct node){.key = key};
  return *at;
}

static __attribute__((noinline)) u32 weigh(const struct node *node, u32 depth) {
  return node ? weigh(node->less, depth + 1) + node->value * depth + weigh(node->more, depth + 1) : 0;
}

static u32 tree(u32 sum, u32 *state) {
  struct node *root = 0;
  used = 0;
  for (u32 i = 0; i < COUNT(nodes); i++) find_or_add(&root, next_random(state) & 4095)->value += i;
  sum = mixed(sum, weigh(root, 1));
  for (u32 i = 0; i < used; i++) sum = mixed(sum, find_or_add(&root, nodes[i].key)->value);
  return sum;
}

static u32 list(u32 sum) {
  for (const struct link *link = links[0].next; link != links; link = link->next) sum += link->value;
  return sum;
}

static u32 table(u32 sum) {
  for (u32 i = 0; i < COUNT(chains); i++) chains[i] = 0;
  for (u32 i = 0; i < COUNT(entries); i++) {
    struct link **chain = &chains[(i * 2654435761u) >> 26];
    entries[i] = (struct link){.next = *chain, .value = i};
    *chain = &entries[i];
  }
  for (u32 i = 0; i < COUNT(entries); i++) {
    const struct link *entry = chains[(i * 2654435761u) >> 26];
    while (entry->value != i) entry = entry->next;
    sum = mixed(sum, entry->value);
  }
  return sum;
}

u32 bench_nodes(u32 rounds) {
  u32 sum = 0, state = 1;
  /* an odd stride goes round all of them */
  for (u32 i = 0, at = 0; i < COUNT(links); i++) {
    u32 next = (at + 5167) % COUNT(links);
    links[at] = (struct link){.next = &links[next], .value = i};
    at = next;
  }
  while (rounds--) {
    sum = tree(sum, &state);
    sum = list(sum);
    sum = table(sum);
  }
  return sum;
}
