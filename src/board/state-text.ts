/**
 * Plain data as text and back: JSON, with the numbers that JSON has not as `{"$": "…"}`. Two states are equal where their texts
 * are: the order of names is that of the code that saved them, and what is undefined is left out.
 */
export const encodeState = (state: unknown): string =>
  JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === 'bigint') return { $: `${value}` };
    if (typeof value === 'number' && !Number.isFinite(value)) return { $: `${value}` };
    return value;
  });

export const decodeState = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$' in value)) return value;
    return /^-?\d+$/.test(String(value.$)) ? BigInt(String(value.$)) : Number(value.$);
  });
