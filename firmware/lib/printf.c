#include "console.h"
#include "string.h"

/* Where formatted characters go: a buffer, or the console where there is none. */
struct sink {
  char *buffer;
  size_t room, used;
};

static void put(struct sink *sink, char character) {
  if (sink->buffer) {
    if (sink->used + 1 < sink->room) sink->buffer[sink->used++] = character;
    return;
  }
  if (character == '\n') console_put('\r');
  console_put(character);
}

static void put_padded(struct sink *sink, const char *text, size_t length, size_t width, bool left, char with) {
  for (size_t i = length; !left && i < width; i++) put(sink, with);
  for (size_t i = 0; i < length; i++) put(sink, text[i]);
  for (size_t i = length; left && i < width; i++) put(sink, ' ');
}

/* Divides and gives the rest, without a library: one bit at a time where the value needs more than 32. */
static u32 divide(u64 *value, u32 base) {
  u64 quotient = 0;
  u32 rest = 0, low = (u32)*value;
  if (*value == low) {
    *value = low / base;
    return low % base;
  }
  for (int bit = 63; bit >= 0; bit--) {
    rest = rest << 1 | (u32)(*value >> bit & 1);
    if (rest >= base) rest -= base, quotient |= 1ull << bit;
  }
  *value = quotient;
  return rest;
}

static size_t digits(u64 value, u32 base, char *out) {
  char reversed[24];
  size_t count = 0;
  do reversed[count++] = "0123456789abcdef"[divide(&value, base)];
  while (value);
  for (size_t i = 0; i < count; i++) out[i] = reversed[count - 1 - i];
  return count;
}

static size_t number(char conversion, u64 value, bool negative, char *text) {
  size_t sign = negative ? 1 : 0;
  if (negative) text[0] = '-';
  return sign + digits(negative ? 0 - value : value, conversion == 'x' ? 16 : 10, text + sign);
}

static void format_to(struct sink *sink, const char *format, va_list arguments) {
  for (; *format; format++) {
    if (*format != '%') {
      put(sink, *format);
      continue;
    }
    bool left = false, wide = false;
    char with = ' ', text[32];
    size_t width = 0;
    format++;
    if (*format == '-') left = true, format++;
    if (*format == '0') with = '0', format++;
    while (*format >= '0' && *format <= '9') width = width * 10 + (size_t)(*format++ - '0');
    while (*format == 'l' || *format == 'z') wide = format[0] == 'l' && format[1] == 'l' ? true : wide, format++;
    if (*format == 's') {
      const char *string = va_arg(arguments, const char *);
      put_padded(sink, string, strlen(string), width, left, ' ');
    } else if (*format == 'c') {
      put(sink, (char)va_arg(arguments, int));
    } else if (*format == 'd' || *format == 'u' || *format == 'x') {
      u64 value = wide ? va_arg(arguments, u64) : va_arg(arguments, u32);
      if (*format == 'd' && !wide) value = (u64)(long long)(int)value;
      put_padded(sink, text, number(*format, value, *format == 'd' && value >> 63, text), width, left, with);
    } else if (*format) {
      put(sink, *format);
    } else {
      return;
    }
  }
}

void printf(const char *format, ...) {
  struct sink sink = {0, 0, 0};
  va_list arguments;
  va_start(arguments, format);
  format_to(&sink, format, arguments);
  va_end(arguments);
}

void vformat_into(char *buffer, size_t room, const char *format, va_list arguments) {
  struct sink sink = {buffer, room, 0};
  format_to(&sink, format, arguments);
  buffer[sink.used] = 0;
}

void format_into(char *buffer, size_t room, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vformat_into(buffer, room, format, arguments);
  va_end(arguments);
}
