/** Ones from bit `begin` to bit `end` (bit 0 the most significant), wrapping when begin > end. */
export function mask(begin: number, end: number): number {
  const fromBegin = 0xffffffff >>> begin;
  const behindEnd = end === 31 ? 0 : 0xffffffff >>> (end + 1);
  return begin <= end ? (fromBegin ^ behindEnd) | 0 : fromBegin | ~behindEnd;
}
