export function manyPartitions(count: number, board: string): string;
