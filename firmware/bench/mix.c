/* What programs do most: linked lists with comparison callbacks, a state machine over text, a small matrix. */
#include "bench.h"

#define RECORDS 384
#define SIDE 20

struct record {
  struct record *next;
  u32 key, place;
};

typedef bool before(const struct record *one, const struct record *other);

static struct record pool[RECORDS];
static u16 left[SIDE * SIDE], right[SIDE * SIDE];
static char text[1536];

static __attribute__((noinline)) bool by_key(const struct record *one, const struct record *other) {
  return one->key < other->key;
}

static __attribute__((noinline)) bool by_place(const struct record *one, const struct record *other) {
  return one->place < other->place;
}

static struct record *merge(struct record *one, struct record *other, before *is_before) {
  struct record *first = 0, **end = &first;
  while (one && other) {
    struct record **smaller = is_before(other, one) ? &other : &one;
    *end = *smaller;
    end = &(*end)->next;
    *smaller = *end;
  }
  *end = one ? one : other;
  return first;
}

/* Sorts a list by halves, found by a pointer that runs twice as fast. */
static struct record *sort(struct record *list, before *is_before) {
  if (!list || !list->next) return list;
  struct record *middle = list;
  for (struct record *fast = list->next; fast && fast->next; fast = fast->next->next) middle = middle->next;
  struct record *rest = middle->next;
  middle->next = 0;
  return merge(sort(list, is_before), sort(rest, is_before), is_before);
}

static u32 sum_of(const struct record *list) {
  u32 sum = 0;
  for (; list; list = list->next) sum = mixed(sum, list->key ^ list->place);
  return sum;
}

/* Counts words, numbers and comments, as a lexer does. */
static __attribute__((noinline)) u32 scan(const char *at) {
  enum { SPACE, WORD, NUMBER, HEX, COMMENT, OTHER, STATES } state = SPACE;
  u32 seen[STATES] = {0};
  for (char c; (c = *at); at++) {
    bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'z';
    switch (state) {
    case COMMENT:
      if (c == '\n') state = SPACE;
      break;
    case NUMBER:
      if (c == 'x') state = HEX;
      else if (!digit) state = letter ? OTHER : SPACE;
      break;
    case HEX:
      if (!digit && !(c >= 'a' && c <= 'f')) state = letter ? OTHER : SPACE;
      break;
    case WORD:
      if (!letter && !digit) state = c == '#' ? COMMENT : SPACE;
      break;
    default:
      state = c == '#' ? COMMENT : letter ? WORD : digit ? NUMBER : c == ' ' || c == '\n' ? SPACE : OTHER;
    }
    seen[state]++;
  }
  u32 sum = 0;
  for (u32 i = 0; i < STATES; i++) sum = mixed(sum, seen[i]);
  return sum;
}

static __attribute__((noinline)) u32 multiply(void) {
  u32 sum = 0;
  for (u32 row = 0; row < SIDE; row++)
    for (u32 column = 0; column < SIDE; column++) {
      u32 dot = 0;
      for (u32 i = 0; i < SIDE; i++) dot += (u32)left[row * SIDE + i] * right[i * SIDE + column];
      sum = mixed(sum, dot);
    }
  return sum;
}

u32 bench_mix(u32 rounds) {
  static const char alphabet[] = "abcdefxyz0123456789  \n#,";
  u32 random = 7, sum = 0;
  for (u32 i = 0; i < RECORDS; i++)
    pool[i] = (struct record){i + 1 < RECORDS ? &pool[i + 1] : 0, next_random(&random), i};
  for (u32 i = 0; i < SIDE * SIDE; i++) left[i] = (u16)next_random(&random), right[i] = (u16)next_random(&random);
  for (u32 i = 0; i + 1 < sizeof text; i++) text[i] = alphabet[(next_random(&random) >> 4) % (sizeof alphabet - 1)];
  struct record *list = pool;
  while (rounds--) {
    list = sort(list, by_key);
    sum = mixed(sum, sum_of(list));
    list = sort(list, by_place);
    sum = mixed(sum, sum_of(list) ^ scan(text) ^ multiply());
    text[sum % (sizeof text - 1)] = alphabet[(sum >> 12) % (sizeof alphabet - 1)];
    left[sum % (SIDE * SIDE)]++;
    pool[sum % RECORDS].key ^= sum;
  }
  return sum;
}
